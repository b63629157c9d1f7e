//! No creation: what is delivered was sent, where it was sent to.
//!
//! * `phantom`: an event is read that no op of the history sends, whatever became of the send.
//! * `future-read`: an event had been read before its send was invoked.
//! * `corrupt`: an event is read with a hash (`x.hash`) that none of its sends has.
//! * `misrouted`: an event is read from a partition that none of its sends was addressed to, or acknowledged in one that
//!   its send was not addressed to. A send to a topic covers all partitions of the topic until its acknowledgement names
//!   one.
//!
//! Source: integrity of broadcast (Hadzilacos and Toueg, 1994); Jepsen's checker throws on both.
//! A history without any send is a recording of readers only and decides nothing.
//! Cost: O(reads).
//!
//! ```text
//! send a to p ok · poll p: a, b        b is a phantom
//! poll p: a · then send a to p         a is read before it is sent
//! send a to p ok · poll q: a           a is misrouted
//! ```

mod corrupt;

use std::collections::HashSet;

use lawspeaker_history::{Guarantee, OpType};

use crate::Anomaly;
use crate::case::Found;
use crate::evidence::{Attempt, Evidence, PartitionKey};
use crate::explain;
use crate::results::Results;

pub(crate) fn check(evidence: &Evidence, results: &mut Results) {
    if evidence.attempts.is_empty() {
        return results.undecided(Guarantee::NoCreation, "no sends recorded, so nothing tells what was sent");
    }
    acknowledged_elsewhere(evidence, results);
    let mut sent_count = 0;
    let mut told = HashSet::new();
    for read in &evidence.reads {
        let attempts = evidence.attempts_of(read.event);
        sent_count += usize::from(!attempts.is_empty());
        let here = || attempts.iter().filter(|attempt| may_stand_in(attempt, read.partition, evidence));
        // A send that nobody invoked may have begun at any time before its completion.
        if here().any(|attempt| !attempt.is_invoked || attempt.begin < read.line) {
            continue;
        }
        // What was appended to a stream comes to readers by other ways too.
        if attempts.is_empty() && evidence.streams.is_appended(read.event) {
            continue;
        }
        if !told.insert((read.event, read.partition)) {
            continue;
        }
        let (event, partition) =
            (&evidence.names.events[read.event], &evidence.names.partitions[read.partition]);
        let mut lines = vec![explain::read(read, evidence)];
        let premature = here().next();
        let found = match premature.or(attempts.first()) {
            Some(attempt) if premature.is_some() => {
                lines.push(explain::began(attempt, evidence));
                let sentence = format!(
                    "event {event} was read before anybody sent it: from {partition} on line {}, and its send began on line {}",
                    read.line, attempt.begin
                );
                Found::new(Anomaly::FutureRead, sentence, lines)
            }
            None => {
                let sentence = format!(
                    "event {event} was read from {partition} on line {}, and nobody ever sent it",
                    read.line
                );
                Found::new(Anomaly::Phantom, sentence, lines)
            }
            Some(attempt) => {
                let home = &evidence.names.partitions[attempt.partition];
                lines.insert(0, explain::send(attempt, evidence));
                let sentence = format!(
                    "event {event} was sent to {home} (line {}) and read from {partition} (line {})",
                    attempt.line(),
                    read.line
                );
                Found::new(Anomaly::Misrouted, sentence, lines)
            }
        };
        results.add(found.at(read.partition, read.offset).event(read.event));
    }
    results.checked(Anomaly::Phantom, evidence.reads.len(), "read");
    results.checked(Anomaly::FutureRead, sent_count, "read");
    results.checked(Anomaly::Misrouted, sent_count, "read");
    corrupt::check(evidence, results);
}

fn may_stand_in(attempt: &Attempt, partition: PartitionKey, evidence: &Evidence) -> bool {
    let place = if attempt.outcome == OpType::Ok { attempt.partition } else { attempt.address };
    is_part(partition, place, evidence)
}

/// Whether `partition` is `place`, or a partition of it where that is a whole topic.
fn is_part(partition: PartitionKey, place: PartitionKey, evidence: &Evidence) -> bool {
    place == partition || evidence.names.partitions[place].covers(&evidence.names.partitions[partition])
}

/// Looks for sends that were acknowledged somewhere else than where they were addressed to.
fn acknowledged_elsewhere(evidence: &Evidence, results: &mut Results) {
    let names = &evidence.names;
    let is_elsewhere = |attempt: &&Attempt| {
        attempt.is_acknowledged() && !is_part(attempt.partition, attempt.address, evidence)
    };
    for attempt in evidence.attempts.iter().filter(is_elsewhere) {
        let sentence = format!(
            "event {} was sent to {} (line {}) and acknowledged in {} (line {})",
            names.events[attempt.event],
            names.partitions[attempt.address],
            attempt.begin,
            names.partitions[attempt.partition],
            attempt.line(),
        );
        let lines = vec![explain::began(attempt, evidence), explain::send(attempt, evidence)];
        let found = Found::new(Anomaly::Misrouted, sentence, lines);
        results.add(found.at(attempt.partition, attempt.offset).event(attempt.event));
    }
}
