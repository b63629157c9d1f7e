//! `offset-regression`: what was sent later stands earlier.

use std::collections::HashSet;

use lawspeaker_history::{Offset, OpType};

use crate::case::Found;
use crate::evidence::{Attempt, EventKey, Evidence, Key};
use crate::guarantee::producer_order::place;
use crate::results::Results;
use crate::{Anomaly, explain};

pub(super) fn check(evidence: &Evidence, lost: &HashSet<EventKey>, results: &mut Results) {
    let mut by_partition: Vec<Vec<(Offset, &Attempt)>> = vec![Vec::new(); evidence.names.partitions.len()];
    for attempt in evidence.attempts.iter().filter(|attempt| is_surely_later(attempt, evidence)) {
        let offset = place(attempt, evidence).filter(|_| !lost.contains(&attempt.event));
        if let Some(offset) = offset {
            by_partition[attempt.partition.place()].push((offset, attempt));
        }
    }
    let mut count = 0;
    for sent in &mut by_partition {
        let mut ended = sent.clone();
        ended.retain(|(_, attempt)| attempt.is_acknowledged() && attempt.offset.is_some());
        ended.sort_by_key(|(_, attempt)| attempt.line());
        sent.sort_by_key(|(_, attempt)| attempt.begin);
        let mut ended = ended.into_iter().peekable();
        let mut highest: Option<(Offset, &Attempt)> = None;
        for (offset, later) in sent {
            while let Some(earlier) = ended.next_if(|(_, earlier)| earlier.line() < later.begin) {
                highest = highest.filter(|(highest, _)| *highest >= earlier.0).or(Some(earlier));
            }
            let Some((above, earlier)) = highest.filter(|(_, earlier)| earlier.process != later.process)
            else {
                continue;
            };
            count += 1;
            if above > *offset {
                results.add(regression((earlier, above), (later, *offset), evidence));
                highest = None;
            }
        }
    }
    results.checked(Anomaly::OffsetRegression, count, "send pair");
}

/// Whether it took effect after it began and not before: it was acknowledged, or it is the only send of its event, of
/// which somebody saw when it began.
fn is_surely_later(attempt: &Attempt, evidence: &Evidence) -> bool {
    let is_only = || evidence.attempts_of(attempt.event).len() == 1 && attempt.outcome != OpType::Fail;
    attempt.is_acknowledged() && attempt.offset.is_some() || attempt.is_invoked && is_only()
}

fn regression(
    (earlier, high): (&Attempt, Offset),
    (later, low): (&Attempt, Offset),
    evidence: &Evidence,
) -> Found {
    let names = &evidence.names;
    let sentence = format!(
        "event {} was sent (line {}) after event {} had been acknowledged (line {}), yet it stands before it in {}: offset \
         {low} below {high}",
        names.events[later.event],
        later.begin,
        names.events[earlier.event],
        earlier.line(),
        names.partitions[later.partition],
    );
    let lines = vec![explain::send(earlier, evidence), explain::send(later, evidence)];
    Found::new(Anomaly::OffsetRegression, sentence, lines)
        .at(later.partition, Some(low))
        .event(later.event)
        .involving([earlier.event])
        .process(&names.processes[later.process])
        .ordered_by_line_if(later.is_later_by_line(earlier.process))
}
