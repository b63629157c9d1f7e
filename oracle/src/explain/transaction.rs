//! Sentences about transactions.

use super::{done, for_group};
use crate::case::Line;
use crate::evidence::{Claim, Evidence, Transaction};

/// What the lines say on which it began and ended; none if it is one call.
pub(crate) fn ends(transaction: &Transaction, evidence: &Evidence) -> Vec<Line> {
    if transaction.is_one_call {
        return Vec::new();
    }
    let process = &evidence.names.processes[transaction.process];
    let began = Line { line: transaction.line, said: format!("process {process} began a transaction") };
    let how = if transaction.is_committed() { "committed" } else { "aborted" };
    let ended =
        transaction.end.map(|line| Line { line, said: format!("process {process} {how} its transaction") });
    std::iter::once(began).chain(ended).collect()
}

/// What a commit of a position said that stands in a transaction.
pub(crate) fn claim(claim: &Claim, evidence: &Evidence) -> Line {
    let names = &evidence.names;
    let said = format!(
        "process {} committed position {} of {}{} in its transaction{}",
        names.processes[claim.process],
        claim.next,
        names.partitions[claim.partition],
        for_group(claim.group, evidence),
        done(claim.next),
    );
    Line { line: claim.line, said }
}
