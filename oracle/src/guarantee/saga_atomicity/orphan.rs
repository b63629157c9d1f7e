//! What happens in no saga: `orphan-reply`. Where no start is recorded at all, nobody is accused.

use lawspeaker_history::Guarantee;

use crate::Anomaly;
use crate::case::Found;
use crate::evidence::{Act, Evidence, Saga, StepKey, StepRecord};
use crate::explain;
use crate::results::Results;

pub(super) fn check(evidence: &Evidence, results: &mut Results) {
    if evidence.sagas.all.is_empty() {
        return;
    }
    if !evidence.sagas.has_starts() {
        let reason = "no `saga.start` is recorded, so nothing tells which sagas were started";
        results.undecided(Guarantee::SagaAtomicity, reason);
        return;
    }
    let mut reply_count = 0;
    for saga in &evidence.sagas.all {
        reply_count += replies(saga).count();
        if !saga.starts.iter().any(Act::may_be_done) {
            unstarted(saga, evidence, results);
        } else if let Some(declared) = &saga.declared {
            let mut declared = declared.clone();
            declared.sort_unstable();
            for (step, record) in saga.steps.iter().filter(|(step, _)| declared.binary_search(step).is_err())
            {
                undeclared(saga, *step, record, evidence, results);
            }
        }
    }
    results.checked(Anomaly::OrphanReply, reply_count, "outcome");
}

/// Everything that surely happened in a saga.
fn replies(saga: &Saga) -> impl Iterator<Item = &Act> {
    saga.done().chain(saga.ends.iter().filter(|end| end.is_done()))
}

fn unstarted(saga: &Saga, evidence: &Evidence, results: &mut Results) {
    let Some(first) = replies(saga).min_by_key(|act| act.line) else { return };
    let name = &evidence.names.sagas[saga.key];
    let start = saga.starts.last();
    let sentence = match start {
        Some(start) => format!(
            "saga {name} went on (line {}) though its start had surely failed (line {})",
            first.line, start.line,
        ),
        None => format!("saga {name} went on (line {}) though nobody had started it", first.line),
    };
    let is_touched =
        |(_, record): &(&StepKey, &StepRecord)| record.done().chain(record.undone()).next().is_some();
    let steps = saga.steps.iter().filter(is_touched).map(|(step, _)| *step);
    let lines = explain::saga::acts(start.into_iter().chain([first]), evidence);
    results.add(Found::new(Anomaly::OrphanReply, sentence, lines).of_saga(saga.key, steps));
}

fn undeclared(saga: &Saga, step: StepKey, record: &StepRecord, evidence: &Evidence, results: &mut Results) {
    let Some(first) = record.done().chain(record.undone()).min_by_key(|act| act.line) else { return };
    let start = saga.starts.iter().find(|start| start.may_be_done());
    let sentence = format!(
        "the start of saga {} does not declare step {}, which has an outcome all the same (line {})",
        evidence.names.sagas[saga.key], evidence.names.steps[step], first.line,
    );
    let lines = explain::saga::acts(start.into_iter().chain([first]), evidence);
    results.add(Found::new(Anomaly::OrphanReply, sentence, lines).of_saga(saga.key, [step]));
}
