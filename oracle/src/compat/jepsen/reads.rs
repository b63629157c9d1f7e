//! What was read, and what was not.

use std::collections::HashSet;

use lawspeaker_history::OpType;

use super::completed::{Completions, Key, Value};
use super::{ErrorType, Results};

pub(super) fn check(completions: &Completions<'_>, results: &mut Results) {
    for op in &completions.all {
        let own: HashSet<Value> = op.sent().map(|placed| placed.value).collect();
        let mut seen = HashSet::new();
        for value in op.polled().map(|placed| placed.value).filter(|value| seen.insert(*value)) {
            let writer = completions.writer(value);
            if own.contains(&value) {
                results.found(ErrorType::PrecommittedRead, op.line);
            }
            if writer.is_none() {
                results.found(ErrorType::NoWriterOfValue, op.line);
            }
            let is_aborted = writer.is_some_and(|writer| writer.op_type == OpType::Fail);
            if op.op_type == OpType::Ok && is_aborted {
                results.found(ErrorType::G1a, op.line);
            }
        }
    }
    if let Some(line) = unseen(completions) {
        results.found(ErrorType::Unseen, line);
    }
}

/// The last op of known success, if it leaves something unseen: what was acknowledged and never read.
///
/// A partition that no op of known success touched before the last one, and that the last one reads only, counts as
/// unseen with all that was read: Jepsen's running difference begins with the first op that names a key.
fn unseen(completions: &Completions<'_>) -> Option<u64> {
    let ok = completions.all.iter().filter(|op| op.is_txn() && op.op_type == OpType::Ok);
    let ok: Vec<_> = ok.collect();
    let (last, before) = ok.split_last()?;
    let sent: HashSet<Value> = ok.iter().flat_map(|op| op.sent()).map(|placed| placed.value).collect();
    let known: HashSet<Key> = before
        .iter()
        .flat_map(|op| op.sends().chain(op.polls()))
        .chain(last.sends())
        .map(|(key, _)| key)
        .collect();
    let is_left = sent.iter().any(|value| !completions.read.contains(value));
    let is_new = last.polls().any(|(key, placed)| !known.contains(&key) && !placed.is_empty());
    (is_left || is_new).then_some(last.line)
}
