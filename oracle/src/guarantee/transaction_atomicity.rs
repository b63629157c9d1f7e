//! Transaction atomicity: all of a committed transaction is seen, nothing of an aborted one.
//!
//! * `G1a`: an event is read although every send of it failed, and so surely did not happen.
//!
//! * `precommitted-read`: a transaction (`txn`) polls an event that it sends itself, before anybody can have committed it.
//! * `eos-duplicate`: two transactions of one group that were both committed, and both sent something, polled the same
//!   event: its effect stands twice in the log.
//!
//! Source: Adya, *Weak Consistency*, 1999, section 3.1 (aborted read); Jepsen, kafka: `G1a`.
//! Cost: O(reads).
//!
//! ```text
//! send a fail · poll p: 0 a
//! txn [send a, poll p: 0 a] ok
//! txn [poll p: 0 a, send b] ok · txn [poll p: 0 a, send c] ok
//! ```

mod whole;

use lawspeaker_history::Guarantee;

use crate::Anomaly;
use crate::case::Found;
use crate::evidence::Evidence;
use crate::explain;
use crate::results::Results;

pub(crate) fn check(evidence: &Evidence, results: &mut Results) {
    whole::precommitted(evidence, results);
    whole::consumed_twice(evidence, results);
    let mut failed_count = 0;
    for event in evidence.names.events.keys().filter(|event| evidence.has_failed(*event)) {
        failed_count += 1;
        let Some(read) = evidence.reads_of(event).find(|read| read.is_ok) else { continue };
        let attempt = &evidence.attempts_of(event)[0];
        let sentence = format!(
            "event {} can be read (line {}) although its send failed (line {})",
            evidence.names.events[event],
            read.line,
            attempt.line(),
        );
        let mut lines = vec![explain::send(attempt, evidence), explain::read(read, evidence)];
        lines.sort_by_key(|line| line.line);
        results.add(Found::new(Anomaly::G1a, sentence, lines).at(read.partition, read.offset).event(event));
    }
    if evidence.reads.is_empty() {
        failed_count = 0;
    }
    results.checked(Anomaly::G1a, failed_count, "failed send");
    if evidence.has_open_ended_transactions() {
        results.undecided(
            Guarantee::TransactionAtomicity,
            "transactions end by calls that this version does not judge; what their producers sent may have been \
             aborted, so that it is missing is only noted",
        );
    } else if failed_count == 0 {
        results.undecided(Guarantee::TransactionAtomicity, "no send failed and no transaction was aborted");
    }
}
