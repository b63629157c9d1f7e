//! `seq-duplicate`: one sequence number, two places in the log.

use std::collections::BTreeMap;

use crate::case::Found;
use crate::evidence::{Attempt, Evidence, PartitionKey};
use crate::results::Results;
use crate::{Anomaly, explain};

/// A sequence number: of a producer and its epoch, in a partition.
type Number = ((u64, u64), PartitionKey, u64);

pub(super) fn check(evidence: &Evidence, results: &mut Results) {
    let mut sequences: BTreeMap<Number, Vec<&Attempt>> = BTreeMap::new();
    for attempt in evidence.attempts.iter().filter(|attempt| attempt.is_acknowledged()) {
        if let (Some(producer), Some(seq), Some(_)) = (attempt.producer(), attempt.seq(), attempt.offset) {
            sequences.entry((producer, attempt.partition, seq)).or_default().push(attempt);
        }
    }
    results.checked(Anomaly::SeqDuplicate, sequences.len(), "sequence number");
    for ((_, _, seq), attempts) in sequences {
        let first = attempts[0];
        if let Some(other) = attempts.iter().find(|other| other.offset != first.offset) {
            results.add(duplicate(seq, first, other, evidence));
        }
    }
}

fn duplicate(seq: u64, first: &Attempt, other: &Attempt, evidence: &Evidence) -> Found {
    let names = &evidence.names;
    let place = |attempt: &Attempt| attempt.offset.map_or_else(String::new, |offset| offset.to_string());
    let sentence = format!(
        "sequence number {seq} of one producer was accepted twice in {}: event {} at offset {} (line {}) and event {} at \
         offset {} (line {})",
        names.partitions[first.partition],
        names.events[first.event],
        place(first),
        first.line(),
        names.events[other.event],
        place(other),
        other.line(),
    );
    let mut lines = vec![explain::send(first, evidence), explain::send(other, evidence)];
    lines.sort_by_key(|line| line.line);
    let events = if first.event == other.event { vec![first.event] } else { vec![first.event, other.event] };
    Found::new(Anomaly::SeqDuplicate, sentence, lines).at(first.partition, other.offset).events(events)
}
