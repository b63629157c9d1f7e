//! `offset-regression`: what was sent later stands earlier.

use std::collections::{BTreeMap, HashSet};

use lawspeaker_history::Offset;

use crate::case::Found;
use crate::evidence::{Attempt, EventKey, Evidence, PartitionKey};
use crate::results::Results;
use crate::{Anomaly, explain};

pub(super) fn check(evidence: &Evidence, lost: &HashSet<EventKey>, results: &mut Results) {
    let mut by_partition: BTreeMap<PartitionKey, Vec<(Offset, &Attempt)>> = BTreeMap::new();
    for attempt in evidence.attempts.iter().filter(|attempt| attempt.is_acknowledged()) {
        let offset = attempt.offset.filter(|offset| offset.is_valid() && !lost.contains(&attempt.event));
        if let Some(offset) = offset {
            by_partition.entry(attempt.partition).or_default().push((offset, attempt));
        }
    }
    let mut count = 0;
    for sent in by_partition.values_mut() {
        let mut ended = sent.clone();
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
