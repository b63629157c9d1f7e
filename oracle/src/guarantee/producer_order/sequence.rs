//! By sequence numbers: `seq-gap`, accepted though what comes before it was not; and which of two sends is the later,
//! where a producer has several under way.

use std::collections::BTreeMap;

use lawspeaker_history::{Offset, OpType};

use crate::case::Found;
use crate::evidence::{Attempt, EventKey, Evidence, PartitionKey};
use crate::guarantee::producer_order::place;
use crate::hash::HashSet;
use crate::results::Results;
use crate::{Anomaly, explain};

/// What was sent under each sequence number.
type Sequence<'a> = BTreeMap<u64, Vec<&'a Attempt>>;

/// What each producer sent to each partition, in one epoch.
type Sequences<'a> = BTreeMap<((u64, u64), PartitionKey), Sequence<'a>>;

pub(super) fn sequences(evidence: &Evidence) -> Sequences<'_> {
    let mut sequences = Sequences::new();
    for attempt in &evidence.attempts {
        if let (Some(producer), Some(seq)) = (attempt.producer(), attempt.seq()) {
            let sequence = sequences.entry((producer, attempt.partition)).or_default();
            sequence.entry(seq).or_default().push(attempt);
        }
    }
    sequences
}

pub(super) fn check(sequences: &Sequences<'_>, evidence: &Evidence, results: &mut Results) {
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

/// Pairs of sends of one producer's epoch of which the later has the higher number, each with where it stands. Each is
/// paired with the highest of those before it. What a process was told before it sent on, it is judged by without numbers.
pub(super) fn pairs<'a>(sequences: &Sequences<'a>, evidence: &Evidence) -> Vec<[(&'a Attempt, Offset); 2]> {
    let mut pairs = Vec::new();
    if sequences.is_empty() {
        return pairs;
    }
    let numbered = under_one_number(evidence);
    let may_stand = |attempt: &&Attempt| attempt.outcome != OpType::Fail && numbered.contains(&attempt.event);
    for sequence in sequences.values() {
        let mut highest: Option<(&Attempt, Offset)> = None;
        for tried in sequence.values() {
            let before = highest;
            let placed = tried.iter().copied().filter(may_stand);
            let placed = placed.filter_map(|attempt| Some((attempt, place(attempt, evidence)?)));
            for (attempt, offset) in placed {
                let earlier = before
                    .filter(|(earlier, _)| earlier.process != attempt.process || !earlier.is_acknowledged());
                pairs.extend(earlier.map(|earlier| [earlier, (attempt, offset)]));
                if highest.is_none_or(|(_, high)| high < offset) {
                    highest = Some((attempt, offset));
                }
            }
        }
    }
    pairs
}

/// The events that stand where they stand under one number: every send of them that may have put them there has it.
fn under_one_number(evidence: &Evidence) -> HashSet<EventKey> {
    let of_events = evidence.attempts.chunk_by(|one, next| one.event == next.event);
    let is_under_one = |of_event: &&[Attempt]| {
        let mut numbers = of_event
            .iter()
            .filter(|attempt| attempt.outcome != OpType::Fail)
            .map(|attempt| (attempt.producer(), attempt.seq()));
        numbers.next().is_some_and(|first| numbers.all(|number| number == first))
    };
    of_events.filter(is_under_one).map(|of_event| of_event[0].event).collect()
}

fn gap(failed: &Attempt, accepted: &Attempt, evidence: &Evidence) -> Found {
    let names = &evidence.names;
    let sentence = format!(
        "event {} was accepted in {} with sequence number {} (line {}), and no event with the one before: event {} had \
         failed (line {})",
        names.events[accepted.event],
        names.partitions[accepted.partition],
        accepted.seq().unwrap_or_default(),
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
