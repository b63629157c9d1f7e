//! Steps that are done when it is too late: `step-after-abort`. A tombstone, left by a compensation or by the end of the
//! saga, is what has a participant refuse them.

use lawspeaker_history::SagaOutcome;

use crate::Anomaly;
use crate::case::Found;
use crate::evidence::{Act, Evidence, Saga, StepKey};
use crate::explain;
use crate::results::Results;

pub(super) fn check(evidence: &Evidence, results: &mut Results) {
    let mut done_count = 0;
    for saga in &evidence.sagas.all {
        let end = saga.ended(SagaOutcome::Aborted);
        for (step, record) in &saga.steps {
            let undone = record.undone().next();
            if end.or(undone).is_none() {
                continue;
            }
            for done in record.done() {
                done_count += 1;
                if let Some(undone) = undone.filter(|undone| undone.precedes(done)) {
                    results.add(late(saga, *step, undone, "it had been compensated", done, evidence));
                } else if let Some(end) = end.filter(|end| end.precedes(done)) {
                    results.add(late(saga, *step, end, "the saga had ended aborted", done, evidence));
                }
            }
        }
    }
    results.checked(Anomaly::StepAfterAbort, done_count, "done step");
}

fn late(saga: &Saga, step: StepKey, over: &Act, what: &str, done: &Act, evidence: &Evidence) -> Found {
    let sentence = format!(
        "{} was done (line {}) after {what} (line {})",
        explain::saga::step(saga.key, step, evidence),
        done.line,
        over.line,
    );
    let lines = explain::saga::acts([over, done], evidence);
    Found::new(Anomaly::StepAfterAbort, sentence, lines)
        .of_saga(saga.key, [step])
        .process(&evidence.names.processes[done.process])
        .ordered_by_line_if(done.is_later_by_line(over))
}
