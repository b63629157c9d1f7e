//! `unseen`: an acknowledged event that nobody had read when the recording ended.

use std::collections::{HashMap, HashSet};

use lawspeaker_history::Guarantee;

use crate::case::Found;
use crate::evidence::{Attempt, EventKey, Evidence, PartitionKey};
use crate::results::Results;
use crate::{Anomaly, explain};

/// Judges every acknowledged event that the log did not lose.
pub(super) fn check(
    evidence: &Evidence,
    lost: &HashSet<EventKey>,
    lost_to_group: &HashSet<EventKey>,
    results: &mut Results,
) {
    let finals = FinalReads::of(evidence);
    let (mut judged_count, mut pending_count) = (0, 0);
    for (event, attempt) in evidence.acknowledged() {
        if lost.contains(&event) || evidence.reads_of(event).any(|read| !read.has_failed) {
            judged_count += 1;
            continue;
        }
        let next = finals.past(attempt);
        let is_due = match evidence.extent.complete {
            Some(is_complete) => is_complete,
            None => next.is_some() || (attempt.offset.is_none() && lost_to_group.contains(&event)),
        };
        if !is_due {
            pending_count += 1;
            continue;
        }
        judged_count += 1;
        let is_complete = evidence.extent.complete == Some(true);
        let is_guess = next.is_some_and(|next| !is_complete && next.is_later_by_line(attempt.process));
        results.add(unseen_event(event, attempt, evidence).ordered_by_line_if(is_guess));
    }
    if evidence.extent.has_end() && !evidence.reads.is_empty() {
        results.checked(Anomaly::Unseen, judged_count, "acknowledged event");
    }
    if pending_count > 0 {
        let reason = format!(
            "{} not read by anybody: no final read of their partitions went past them, and the header does not say \
             that the recording is complete, so they may be on their way",
            explain::counted(pending_count, "acknowledged event"),
        );
        results.undecided(Guarantee::AtLeastOnce, reason);
    }
}

/// How far the final read of each partition came, by the send that was invoked last of those whose events it holds.
///
/// What it passed by offset is a lost write already.
struct FinalReads<'a>(HashMap<PartitionKey, &'a Attempt>);

impl<'a> FinalReads<'a> {
    fn of(evidence: &'a Evidence) -> Self {
        let mut last: HashMap<PartitionKey, &Attempt> = HashMap::new();
        for read in evidence.reads.iter().filter(|read| read.is_final()) {
            let Some(sent) = evidence.first_try(read.event) else { continue };
            let latest = last.entry(read.partition).or_insert(sent);
            if latest.begin < sent.begin {
                *latest = sent;
            }
        }
        FinalReads(last)
    }

    /// A send that was invoked after `attempt` was acknowledged, and whose event the final read holds.
    fn past(&self, attempt: &Attempt) -> Option<&'a Attempt> {
        self.0.get(&attempt.partition).copied().filter(|next| next.begin > attempt.line())
    }
}

fn unseen_event(event: EventKey, attempt: &Attempt, evidence: &Evidence) -> Found {
    let sentence = format!(
        "event {} was acknowledged in {} (line {}), and nobody had read it by line {}",
        evidence.names.events[event],
        evidence.names.partitions[attempt.partition],
        attempt.line(),
        evidence.last_line,
    );
    let mut lines = vec![explain::send(attempt, evidence)];
    lines.extend(evidence.fault_after(attempt.line()).map(explain::fault));
    Found::new(Anomaly::Unseen, sentence, lines)
        .at(attempt.partition, attempt.offset)
        .event(event)
        .excused_if(evidence.may_be_aborted(event))
}
