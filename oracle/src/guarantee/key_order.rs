//! Key order: events of one key are delivered in send order.
//!
//! * `key-order`: a process had sent an event of a key (`x.key`) and was told that it stands in one partition; what it sent
//!   next of that key to the same topic stands in another. Nothing orders the two for whoever reads both.
//!
//! Where a producer is named (`x.pid`), its processes are one. Within a partition, the order of a key is the order of
//! its producer, and `nonmonotonic-send` looks for that. A process
//! that addresses partitions itself is judged too: to keep a key together is its own promise then.
//!
//! Source: ours; Kafka's default partitioner when a topic grows. Cost: O(n log n) in sends.
//!
//! ```text
//! send a of key k to orders ok in orders/0 · send b of key k to orders ok in orders/1
//! ```

use std::collections::HashMap;

use lawspeaker_history::Guarantee;

use crate::Anomaly;
use crate::case::Found;
use crate::evidence::{Attempt, Evidence, ProcessKey};
use crate::explain;
use crate::results::Results;

/// Whose keys are kept together: a producer's, or a process's that names none.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Sender {
    Producer(u64),
    Process(ProcessKey),
}

impl Sender {
    fn of(attempt: &Attempt) -> Self {
        attempt.producer().map_or(Sender::Process(attempt.process), |(pid, _)| Sender::Producer(pid))
    }
}

pub(crate) fn check(evidence: &Evidence, results: &mut Results) {
    if !results.wants(Anomaly::KeyOrder) {
        return;
    }
    let mut sent: Vec<&Attempt> = evidence
        .attempts
        .iter()
        .filter(|attempt| attempt.is_acknowledged() && attempt.key().is_some())
        .collect();
    sent.sort_by_key(|attempt| (attempt.begin, attempt.place_in_call));
    let mut latest: HashMap<(Sender, &str, &str), &Attempt> = HashMap::new();
    let mut count = 0;
    for attempt in sent {
        let (topic, is_partition) =
            match evidence.names.partitions[attempt.partition].as_str().rsplit_once('/') {
                Some((topic, _)) => (topic, true),
                None => ("", false),
            };
        let Some(key) = attempt.key().filter(|_| is_partition) else { continue };
        let Some(earlier) = latest.insert((Sender::of(attempt), topic, key), attempt) else { continue };
        if earlier.line() >= attempt.begin && earlier.begin != attempt.begin {
            continue;
        }
        count += 1;
        if earlier.partition != attempt.partition {
            results.add(torn_key(key, earlier, attempt, evidence));
        }
    }
    results.checked(Anomaly::KeyOrder, count, "keyed send pair");
    if count == 0 {
        results.undecided(
            Guarantee::KeyOrder,
            "no process was told where two events of one key (`x.key`) stand in a partitioned topic",
        );
    }
}

fn torn_key(key: &str, earlier: &Attempt, later: &Attempt, evidence: &Evidence) -> Found {
    let names = &evidence.names;
    let sentence = format!(
        "events {} and {} of key {key} stand in {} (line {}) and in {} (line {}), and nothing orders them",
        names.events[earlier.event],
        names.events[later.event],
        names.partitions[earlier.partition],
        earlier.line(),
        names.partitions[later.partition],
        later.line(),
    );
    let lines = vec![explain::send(earlier, evidence), explain::send(later, evidence)];
    Found::new(Anomaly::KeyOrder, sentence, lines)
        .at(later.partition, later.offset)
        .event(later.event)
        .involving([earlier.event])
        .process(&names.processes[later.process])
}
