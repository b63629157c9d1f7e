//! `torn-transaction`: one event that a committed transaction sent can be read, and another is lost, as `lost-write` has it.
//!
//! A transaction of unknown outcome, and one that was aborted, is not accused.
//!
//! Source: ours; Kafka, KIP-890: a late commit or abort that hits another transaction.
//! Cost: O(sends and their reads).
//!
//! ```text
//! begin · send p a ok · send q b ok · commit-txn ok · poll p: 0 a · final poll q: 3 c
//! ```

use std::collections::{BTreeMap, HashSet};

use crate::case::Found;
use crate::evidence::{Attempt, EventKey, Evidence, TransactionKey};
use crate::results::Results;
use crate::{Anomaly, explain};

pub(super) fn check(evidence: &Evidence, lost: &HashSet<EventKey>, results: &mut Results) {
    let mut parts: BTreeMap<TransactionKey, Vec<&Attempt>> = BTreeMap::new();
    for attempt in evidence.attempts.iter().filter(|attempt| attempt.is_acknowledged()) {
        if let Some(place) = attempt.transaction.filter(|place| evidence.transactions.is_committed(*place)) {
            parts.entry(place).or_default().push(attempt);
        }
    }
    parts.retain(|_, sends| sends.len() > 1);
    results.checked(Anomaly::TornTransaction, parts.len(), "transaction");
    for (place, sends) in parts {
        let missing = sends.iter().filter(|attempt| lost.contains(&attempt.event));
        let missing: Vec<&Attempt> = missing.copied().collect();
        let there = sends.iter().filter(|attempt| !lost.contains(&attempt.event));
        let mut reads = there.filter_map(|attempt| evidence.reads_of(attempt.event).find(|read| read.is_ok));
        let (Some(first), Some(read)) = (missing.first(), reads.next()) else { continue };
        let (names, transaction) = (&evidence.names, &evidence.transactions[place]);
        let events: Vec<EventKey> = missing.iter().map(|attempt| attempt.event).collect();
        let sentence = format!(
            "a transaction of process {} was committed (line {}): event {} of it can be read (line {}), and {}",
            names.processes[transaction.process],
            transaction.end.unwrap_or(transaction.line),
            names.events[read.event],
            read.line,
            explain::lost(&events, evidence),
        );
        let mut lines = vec![explain::send(first, evidence), explain::read(read, evidence)];
        lines.extend(explain::transaction::ends(transaction, evidence));
        lines.sort_by_key(|line| line.line);
        let found = Found::new(Anomaly::TornTransaction, sentence, lines).events(events);
        results.add(found.process(&names.processes[transaction.process]));
    }
}
