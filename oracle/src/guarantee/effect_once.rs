//! Effect once: an event's effect happens at most once. Judged of the steps of sagas and their compensations.
//!
//! * `double-step`: the effect of a step surely happened twice.
//! * `double-compensation`: a step was surely compensated twice.
//!
//! What is of unknown outcome is not counted: it may be what another line tells of, or nothing at all.
//! Source: ours; Garcia-Molina and Salem, *Sagas*, 1987, run each transaction once. Cost: O(ops of sagas).
//!
//! ```text
//! start s1 ok · step a of s1 ok · step a of s1 ok
//! ```

use crate::Anomaly;
use crate::case::Found;
use crate::evidence::{Act, Evidence, Saga, StepKey};
use crate::explain;
use crate::results::Results;

pub(crate) fn check(evidence: &Evidence, results: &mut Results) {
    let (mut done_count, mut undone_count) = (0, 0);
    for saga in &evidence.sagas.all {
        for (step, record) in &saga.steps {
            let done: Vec<&Act> = record.done().collect();
            let undone: Vec<&Act> = record.undone().collect();
            done_count += usize::from(!done.is_empty());
            undone_count += usize::from(!undone.is_empty());
            if done.len() > 1 {
                results.add(again(Anomaly::DoubleStep, "done", saga, *step, &done, evidence));
            }
            if undone.len() > 1 {
                let found = again(Anomaly::DoubleCompensation, "compensated", saga, *step, &undone, evidence);
                results.add(found);
            }
        }
    }
    results.checked(Anomaly::DoubleStep, done_count, "done step");
    results.checked(Anomaly::DoubleCompensation, undone_count, "compensated step");
}

fn again(
    anomaly: Anomaly,
    what: &str,
    saga: &Saga,
    step: StepKey,
    acts: &[&Act],
    evidence: &Evidence,
) -> Found {
    let lines: Vec<i64> = acts.iter().map(|act| i64::try_from(act.line).unwrap_or(i64::MAX)).collect();
    let sentence = format!(
        "{} was {what} {} times (lines {})",
        explain::saga::step(saga.key, step, evidence),
        explain::count(acts.len()),
        explain::ranges(&lines),
    );
    let lines = explain::saga::acts(acts.iter().copied().take(explain::saga::ACTS_TOLD), evidence);
    Found::new(anomaly, sentence, lines).of_saga(saga.key, [step])
}
