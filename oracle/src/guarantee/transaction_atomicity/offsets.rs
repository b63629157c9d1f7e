//! `offsets-not-atomic`: a group is told that a position is committed which was only ever committed in transactions that were
//! aborted before it asked.
//!
//! That a position is missing which a committed transaction holds is told as `commit-regression` or `commit-lost`.
//!
//! Source: ours; Kafka, KIP-98: `sendOffsetsToTransaction`.
//! Cost: O(commits).
//!
//! ```text
//! begin · commit p 1 ok · abort-txn ok · committed p: 1
//! ```

use std::collections::HashMap;

use lawspeaker_history::Offset;

use crate::case::Found;
use crate::evidence::{Claim, Evidence, GroupKey, PartitionKey, Transaction};
use crate::results::Results;
use crate::{Anomaly, explain};

pub(super) fn check(evidence: &Evidence, results: &mut Results) {
    let mut claims: HashMap<(Option<GroupKey>, PartitionKey, Offset), Vec<&Claim>> = HashMap::new();
    for claim in &evidence.claims {
        claims.entry((claim.group, claim.partition, claim.next)).or_default().push(claim);
    }
    let mut count = 0;
    for answer in evidence.commits.iter().filter(|commit| commit.is_fetched) {
        let Some(next) = answer.next else { continue };
        let Some(claims) = claims.get(&(answer.group, answer.partition, next)) else { continue };
        count += 1;
        let aborted = |claim: &&&Claim| -> Option<&Transaction> {
            let transaction = &evidence.transactions[claim.transaction?];
            (transaction.is_aborted() && transaction.end < Some(answer.begin)).then_some(transaction)
        };
        let (Some(claim), true) = (claims.last(), claims.iter().all(|claim| aborted(&claim).is_some()))
        else {
            continue;
        };
        let Some(transaction) = aborted(&claim) else { continue };
        let names = &evidence.names;
        let process = &names.processes[claim.process];
        let sentence = format!(
            "position {next} of {} was committed (line {}) in a transaction that was aborted (line {}), and was in force \
             after that (line {})",
            names.partitions[answer.partition],
            claim.line,
            transaction.end.unwrap_or(claim.line),
            answer.line,
        );
        let mut lines = explain::transaction::ends(transaction, evidence);
        lines.extend([explain::transaction::claim(claim, evidence), explain::commit(answer, evidence)]);
        lines.sort_by_key(|line| line.line);
        let found = Found::new(Anomaly::OffsetsNotAtomic, sentence, lines).at(answer.partition, Some(next));
        results.add(found.group(answer.group).process(process));
    }
    results.checked(Anomaly::OffsetsNotAtomic, count, "answer");
}
