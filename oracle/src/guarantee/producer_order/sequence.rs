//! `seq-gap`: accepted though what comes before it was not.

use std::collections::BTreeMap;

use lawspeaker_history::OpType;

use crate::case::Found;
use crate::evidence::{Attempt, Evidence, PartitionKey};
use crate::results::Results;
use crate::{Anomaly, explain};

/// What was sent under each sequence number.
type Sequence<'a> = BTreeMap<u64, Vec<&'a Attempt>>;

pub(super) fn check(evidence: &Evidence, results: &mut Results) {
    let mut sequences: BTreeMap<((u64, u64), PartitionKey), Sequence<'_>> = BTreeMap::new();
    for attempt in &evidence.attempts {
        if let (Some(producer), Some(seq)) = (attempt.producer, attempt.seq) {
            let sequence = sequences.entry((producer, attempt.partition)).or_default();
            sequence.entry(seq).or_default().push(attempt);
        }
    }
    let mut count = 0;
    for sequence in sequences.values() {
        for ((before, failed), (seq, tried)) in sequence.iter().zip(sequence.iter().skip(1)) {
            let Some(accepted) = tried.iter().find(|attempt| attempt.is_acknowledged()) else { continue };
            if before + 1 != *seq {
                continue;
            }
            count += 1;
            if failed.iter().all(|attempt| attempt.outcome == OpType::Fail) {
                results.add(gap(failed[0], accepted, evidence));
            }
        }
    }
    results.checked(Anomaly::SeqGap, count, "sequence number");
}

fn gap(failed: &Attempt, accepted: &Attempt, evidence: &Evidence) -> Found {
    let names = &evidence.names;
    let sentence = format!(
        "event {} was accepted in {} with sequence number {} (line {}), and no event with the one before: event {} had \
         failed (line {})",
        names.events[accepted.event],
        names.partitions[accepted.partition],
        accepted.seq.unwrap_or_default(),
        accepted.line(),
        names.events[failed.event],
        failed.line(),
    );
    let mut lines = vec![explain::send(failed, evidence), explain::send(accepted, evidence)];
    lines.sort_by_key(|line| line.line);
    Found::new(Anomaly::SeqGap, sentence, lines)
        .at(accepted.partition, accepted.offset)
        .event(accepted.event)
        .involving([failed.event])
        .process(&names.processes[accepted.process])
}
