//! Producer order: a producer's events stand in a partition in send order.
//!
//! * `nonmonotonic-send`: of two sends of one process to one partition, the later one stands at a lower offset. Later is
//!   later within one call, or invoked after the other was acknowledged. An event stands where its acknowledgement says,
//!   or, where that says nothing, at the one offset at which it was read. What was sent before is as late as the first
//!   send of it that did not fail, for a system that knows it again tells where that one put it. Of one producer's epoch,
//!   whichever processes send for it, the later one is the one with the higher sequence number.
//!
//! * `seq-gap`: an event was acknowledged under a sequence number (`x.pid`, `x.epoch`, `x.seq`) of which the one before, in
//!   the same partition, surely was accepted for no event: it was tried, and every try failed.
//!
//! Source: Jepsen, kafka: `nonmonotonic-send` and `int-nonmonotonic-send`. Ours does not forget at an assignment:
//! that a producer also reads does not change what it sent. Equal offsets are `inconsistent-offsets`.
//! Cost: O(n log n) in sends.
//!
//! ```text
//! process 0: send a ok at 5 · process 0: send b ok at 3
//! ```

mod sequence;

use lawspeaker_history::{Guarantee, Offset, OpType};

use crate::Anomaly;
use crate::case::Found;
use crate::evidence::{Attempt, Evidence};
use crate::explain;
use crate::hash::HashMap;
use crate::results::Results;

pub(crate) fn check(evidence: &Evidence, results: &mut Results) {
    let sequences = sequence::sequences(evidence);
    sequence::check(&sequences, evidence, results);
    let mut placed: Vec<(&Attempt, Offset)> = evidence
        .attempts
        .iter()
        .filter(|attempt| attempt.outcome != OpType::Fail)
        .filter_map(|attempt| Some((attempt, place(attempt, evidence)?)))
        .collect();
    placed.sort_by_key(|(attempt, _)| (attempt.begin, attempt.line(), attempt.place_in_call));
    let mut latest: HashMap<_, (&Attempt, Offset)> = HashMap::default();
    let mut pair_count = 0;
    for (attempt, offset) in placed {
        let key = (attempt.process, attempt.partition);
        let previous = latest.get(&key).copied();
        // What never completed may take effect at any time after it began, so nothing is surely later than it.
        if attempt.is_acknowledged() {
            latest.insert(key, (attempt, offset));
        }
        // What was sent before may stand where the first send of it put it.
        let Some(first) = evidence.first_try(attempt.event) else { continue };
        let is_earlier = |(earlier, _): &(&Attempt, Offset)| {
            let is_in_one_call = earlier.begin == attempt.begin && std::ptr::eq(first, attempt);
            is_in_one_call || earlier.line() < first.begin
        };
        let Some((earlier, high)) = previous.filter(is_earlier) else { continue };
        pair_count += 1;
        if offset < high {
            results.add(step_back((earlier, high), (attempt, offset), evidence));
        }
    }
    for [(earlier, high), (attempt, offset)] in sequence::pairs(&sequences, evidence) {
        pair_count += 1;
        if offset < high {
            results.add(step_back((earlier, high), (attempt, offset), evidence));
        }
    }
    results.checked(Anomaly::NonmonotonicSend, pair_count, "send pair");
    if pair_count == 0 {
        results.undecided(
            Guarantee::ProducerOrder,
            "no process sent two events to one partition that stand at known offsets",
        );
    }
}

/// Where an event stands: by its acknowledgement, or by the only place where it was read.
pub(super) fn place(attempt: &Attempt, evidence: &Evidence) -> Option<Offset> {
    if attempt.is_acknowledged() && attempt.offset.is_some() {
        return attempt.offset.filter(|offset| offset.is_valid());
    }
    let mut offsets = evidence
        .reads_of(attempt.event)
        .filter(|read| read.partition == attempt.partition)
        .map(|read| read.offset);
    let first = offsets.next()??;
    (first.is_valid() && offsets.all(|offset| offset == Some(first))).then_some(first)
}

fn step_back(
    (earlier, high): (&Attempt, Offset),
    (later, low): (&Attempt, Offset),
    evidence: &Evidence,
) -> Found {
    let names = &evidence.names;
    let (before, after) = (&names.processes[earlier.process], &names.processes[later.process]);
    let (first, next) = (&names.events[earlier.event], &names.events[later.event]);
    let sent = if before == after {
        format!("process {after} sent event {next} after event {first}")
    } else {
        format!("one producer numbered event {next} (process {after}) after event {first} (process {before})")
    };
    let sentence = format!(
        "{sent}, yet it stands before it in {}: offset {low} (line {}) below {high} (line {})",
        names.partitions[later.partition],
        later.line(),
        earlier.line(),
    );
    let mut lines = vec![explain::send(earlier, evidence), explain::send(later, evidence)];
    lines.sort_by_key(|line| line.line);
    Found::new(Anomaly::NonmonotonicSend, sentence, lines)
        .at(later.partition, later.offset)
        .event(later.event)
        .involving([earlier.event])
        .process(&names.processes[later.process])
}
