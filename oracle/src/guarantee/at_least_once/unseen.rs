//! `unseen`: an acknowledged event that nobody had read when the recording ended.

use std::collections::HashSet;

use lawspeaker_history::Guarantee;

use crate::case::Found;
use crate::evidence::{Attempt, EventKey, Evidence};
use crate::results::Results;
use crate::{Anomaly, explain};

/// Judges every acknowledged event that the log did not lose.
pub(super) fn check(evidence: &Evidence, lost: &HashSet<EventKey>, results: &mut Results) {
    let is_finished = evidence.extent.is_finished();
    let (mut acknowledged_count, mut unseen_count) = (0, 0);
    for (event, attempt) in evidence.acknowledged() {
        acknowledged_count += 1;
        if lost.contains(&event) || evidence.reads_of(event).next().is_some() {
            continue;
        }
        unseen_count += 1;
        if is_finished {
            results.add(unseen_event(event, attempt, evidence));
        }
    }
    if is_finished && !evidence.reads.is_empty() {
        results.checked(Anomaly::Unseen, acknowledged_count, "acknowledged event");
    } else if unseen_count > 0 {
        let reason = format!(
            "{} not read by anybody: the recording has neither a final read nor a drain, and does not say that it is \
             complete, so they may be on their way",
            explain::counted(unseen_count, "acknowledged event"),
        );
        results.undecided(Guarantee::AtLeastOnce, reason);
    }
}

fn unseen_event(event: EventKey, attempt: &Attempt, evidence: &Evidence) -> Found {
    let sentence = format!(
        "event {} was acknowledged in {} (line {}), and nobody read it before the recording ended (line {})",
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
