//! No duplication: an event stands once in the log.
//!
//! * `duplicate`: an event stands at two offsets of one partition. Reading one offset twice is not a duplicate.
//!
//! * `seq-duplicate`: two offsets of a partition were acknowledged under one sequence number of a producer's epoch
//!   (`x.pid`, `x.epoch`, `x.seq`).
//! * `dup-delivery`: where what is in hand does not time out, an event that was handed out (`receive`) is handed out again
//!   to the same group, and nothing that is recorded since explains it: no refusal of it, no crash, rebalance or seek in
//!   the group, no call of its consumer that failed or whose outcome nobody knows, and no fault. That it was acknowledged
//!   explains nothing: an acknowledgement that got lost, got lost with its channel.
//! * `over-delivery`: an event is handed out to a group more often than `max-deliveries` of the profile, by the count of
//!   the system or by ours.
//!
//! Source: Jepsen, kafka: `duplicate`; total-queue: `duplicated`. Ours differs in one way: where the producer itself sent
//! the event as often as it stands, the system is excused and the case is a note; tries under one sequence number of a
//! producer's epoch (`x.pid`, `x.epoch`, `x.seq`) are one send.
//! Cost: O(n log n) in what stands in the logs, and in deliveries.
//!
//! ```text
//! send a ok · poll p: 0 a, 1 b, 2 a        a stands at 0 and at 2
//! receive a for g · receive a for g        and nobody asked for it again
//! ```

mod delivered;
mod sequence;

use std::collections::HashSet;

use lawspeaker_history::{Guarantee, OpType};

use crate::case::Found;
use crate::evidence::{EventKey, Evidence, Key, Standing};
use crate::explain;
use crate::results::Results;
use crate::{Anomaly, Profile};

/// Looks for all of them.
pub(crate) fn check(evidence: &Evidence, profile: &Profile, results: &mut Results) {
    copies(evidence, results);
    sequence::check(evidence, results);
    delivered::again(evidence, profile, results);
    delivered::too_often(evidence, profile, results);
}

fn copies(evidence: &Evidence, results: &mut Results) {
    // Only what stands at several places is sorted.
    let mut place_counts = vec![0_usize; evidence.names.events.len()];
    evidence.log.standings().iter().for_each(|standing| place_counts[standing.event.place()] += 1);
    let is_repeated = |standing: &&Standing| place_counts[standing.event.place()] > 1;
    let mut standings: Vec<Standing> = evidence.log.standings().iter().filter(is_repeated).copied().collect();
    standings.sort_unstable_by_key(|standing| (standing.partition, standing.event, standing.offset));
    let copies =
        |first: &Standing, next: &Standing| (first.partition, first.event) == (next.partition, next.event);
    let mut event_count = place_counts.iter().filter(|count| **count == 1).count();
    for all in standings.chunk_by(copies) {
        event_count += 1;
        if all.len() > 1 {
            results.add(duplicate(all, evidence));
        }
    }
    results.checked(Anomaly::Duplicate, event_count, "placed event");
    if event_count == 0 {
        results.undecided(
            Guarantee::NoDuplication,
            "no event has an offset, so copies cannot be told from redeliveries",
        );
    }
}

/// How often an event was sent. What has the producer, epoch, sequence number and address of another send is that one,
/// tried again.
fn sent_count(event: EventKey, evidence: &Evidence) -> usize {
    let mut numbers = HashSet::new();
    let may_stand = evidence.attempts_of(event).iter().filter(|attempt| attempt.outcome != OpType::Fail);
    may_stand
        .filter(|attempt| {
            let number = attempt.producer().zip(attempt.seq());
            number.is_none_or(|number| numbers.insert((number, attempt.address)))
        })
        .count()
}

fn duplicate(copies: &[Standing], evidence: &Evidence) -> Found {
    let Standing { partition, event, .. } = copies[0];
    let offsets = copies.iter().map(|standing| standing.offset).collect();
    let is_excused = sent_count(event, evidence) >= copies.len();
    let excuse = if is_excused { "; its producer sent it as often" } else { "" };
    let sentence = format!(
        "event {} stands in {} at {} offsets: {}{excuse}",
        evidence.names.events[event],
        evidence.names.partitions[partition],
        copies.len(),
        explain::offset_ranges(offsets),
    );
    let mut lines: Vec<_> = copies.iter().map(|standing| explain::standing(standing, evidence)).collect();
    lines.sort_by_key(|line| line.line);
    Found::new(Anomaly::Duplicate, sentence, lines)
        .at(partition, Some(copies[0].offset))
        .event(event)
        .excused_if(is_excused)
}
