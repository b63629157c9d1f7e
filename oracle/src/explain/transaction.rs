//! Sentences about transactions.

use crate::case::Line;
use crate::evidence::{Evidence, Transaction};

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
