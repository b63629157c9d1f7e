//! `G1b`: an event of a committed transaction was read, by a read that was over before the commit of its transaction was
//! invoked.
//!
//! A commit whose invocation is not recorded may have begun at any time. Who reads its own transaction is told as a
//! `precommitted-read`, and what is read of an aborted one as `G1a`.
//!
//! Source: Adya, *Weak Consistency*, 1999, section 3.1; Kafka, KIP-98, for the last stable offset.
//! Cost: O(reads).
//!
//! ```text
//! begin · send a ok · poll p: 0 a · commit-txn
//! ```

use crate::case::Found;
use crate::evidence::Evidence;
use crate::results::Results;
use crate::{Anomaly, explain};

pub(super) fn check(evidence: &Evidence, results: &mut Results) {
    let mut count = 0;
    for read in evidence.reads.iter().filter(|read| read.is_ok) {
        // What was sent twice may be there by the other send.
        let [attempt] = evidence.attempts_of(read.event) else { continue };
        let Some(transaction) = attempt.transaction.map(|place| &evidence.transactions[place]) else {
            continue;
        };
        let Some(commit) = transaction.commit_began.filter(|_| transaction.is_committed()) else { continue };
        count += 1;
        if read.line > commit || read.transaction == attempt.transaction {
            continue;
        }
        let sentence = format!(
            "event {} was read (line {}) before the commit of its transaction began (line {commit})",
            evidence.names.events[read.event], read.line,
        );
        let mut lines = vec![explain::send(attempt, evidence), explain::read(read, evidence)];
        lines.extend(explain::transaction::ends(transaction, evidence));
        lines.sort_by_key(|line| line.line);
        let found =
            Found::new(Anomaly::G1b, sentence, lines).at(read.partition, read.offset).event(read.event);
        results.add(found.process(&evidence.names.processes[read.process]));
    }
    results.checked(Anomaly::G1b, count, "transacted read");
}
