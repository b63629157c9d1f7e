//! Transaction atomicity: all of a committed transaction is seen, nothing of an aborted one.
//!
//! * `G1a`: an event is read although every send of it failed or was aborted, or every append of it to a stream was refused,
//!   and so surely did not happen.
//! * `G1b`: an event is read before its transaction began to commit.
//! * `G0`, `G1c`: committed transactions stand before, or read of, one another in a circle.
//! * `offsets-not-atomic`: a position that was committed in an aborted transaction is in force.
//! * `torn-transaction`: of a committed transaction, one event can be read and another is lost.
//! * `commit-hits-later-transaction`: an aborted transaction can be read, and the next one of its producer is lost.
//! * `precommitted-read`: a transaction polls an event that it sends itself, before anybody can have committed it.
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

mod circle;
mod early;
mod late;
mod offsets;
mod refused;
mod torn;
mod whole;

use std::collections::HashSet;

use lawspeaker_history::Guarantee;

use crate::case::Found;
use crate::evidence::{EventKey, Evidence};
use crate::results::Results;
use crate::{Anomaly, Profile, explain};

pub(crate) fn check(evidence: &Evidence, profile: &Profile, lost: &HashSet<EventKey>, results: &mut Results) {
    if evidence.extent.has_transactions {
        early::check(evidence, results);
        circle::check(evidence, profile, results);
        offsets::check(evidence, results);
        torn::check(evidence, lost, results);
        late::check(evidence, lost, results);
        whole::precommitted(evidence, results);
        whole::consumed_twice(evidence, results);
    }
    let mut failed_count = 0;
    for event in evidence.names.events.keys().filter(|event| evidence.has_failed(*event)) {
        failed_count += 1;
        let Some(read) = evidence.reads_of(event).find(|read| read.is_ok) else { continue };
        let attempt = &evidence.attempts_of(event)[0];
        let aborted =
            attempt.transaction.map(|place| &evidence.transactions[place]).filter(|of| of.is_aborted());
        let why = match aborted.and_then(|transaction| transaction.end) {
            Some(end) => format!("its transaction was aborted (line {end})"),
            None => format!("its send failed (line {})", attempt.line()),
        };
        let sentence =
            format!("event {} can be read (line {}) although {why}", evidence.names.events[event], read.line);
        let mut lines = vec![explain::send(attempt, evidence), explain::read(read, evidence)];
        lines.extend(
            aborted.into_iter().flat_map(|transaction| explain::transaction::ends(transaction, evidence)),
        );
        lines.sort_by_key(|line| line.line);
        results.add(Found::new(Anomaly::G1a, sentence, lines).at(read.partition, read.offset).event(event));
    }
    if evidence.reads.is_empty() {
        failed_count = 0;
    }
    results.checked(Anomaly::G1a, failed_count, "failed send");
    refused::check(evidence, results);
    if evidence.has_open_ended_transactions() {
        results.undecided(
            Guarantee::TransactionAtomicity,
            "transactions end by calls that are no `commit-txn` or `abort-txn`; what their producers sent may have been \
             aborted, so that it is missing is only noted",
        );
    } else if failed_count == 0 && !results.has_checked(Guarantee::TransactionAtomicity) {
        results.undecided(Guarantee::TransactionAtomicity, "no send failed and no transaction was aborted");
    }
}
