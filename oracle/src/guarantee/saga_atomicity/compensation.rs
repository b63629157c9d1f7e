//! Compensations that should not be: `compensation-without-step`, `compensated-after-pivot`.

use lawspeaker_history::OpType;

use crate::Anomaly;
use crate::case::Found;
use crate::evidence::{Evidence, StepRecord};
use crate::explain;
use crate::results::Results;

/// Looks for compensations of what surely was not done before.
///
/// A step that is done, or refused, only after its compensation had begun was under way then: who compensates it could
/// not know, and its compensation is a tombstone.
pub(super) fn without_step(evidence: &Evidence, results: &mut Results) {
    let mut undone_count = 0;
    for saga in &evidence.sagas.all {
        for (step, record) in &saga.steps {
            undone_count += record.undone().count();
            let Some(refused_until) = refused_until(record) else { continue };
            let Some(undone) = record.undone().find(|act| act.since > refused_until) else { continue };
            let refused = record.steps.last();
            let step_name = explain::saga::step(saga.key, *step, evidence);
            let before = refused.map_or_else(
                || "though nobody had even tried to do it".to_owned(),
                |act| format!("though it surely had not been done (line {})", act.line),
            );
            let sentence = format!("{step_name} was compensated (line {}), {before}", undone.line);
            let lines = explain::saga::acts(refused.into_iter().chain([undone]), evidence);
            let found = Found::new(Anomaly::CompensationWithoutStep, sentence, lines)
                .of_saga(saga.key, [*step])
                .ordered_by_line_if(refused.is_some_and(|act| undone.is_later_by_line(act)));
            results.add(found);
        }
    }
    results.checked(Anomaly::CompensationWithoutStep, undone_count, "compensation");
}

/// The line on which the last attempt was refused, 0 if there was none; `None` if some attempt was not refused.
fn refused_until(record: &StepRecord) -> Option<u64> {
    let is_refused = record.steps.iter().all(|act| act.outcome == OpType::Fail);
    is_refused.then(|| record.steps.last().map_or(0, |act| act.line))
}

/// Looks for steps that were compensated though the saga could only go forward.
pub(super) fn after_pivot(evidence: &Evidence, results: &mut Results) {
    let mut undone_count = 0;
    for saga in &evidence.sagas.all {
        let Some(pivot) = saga.pivot else { continue };
        let passed = saga.steps.get(&pivot).and_then(|record| record.done().next());
        for (step, record) in &saga.steps {
            undone_count += record.undone().count();
            let Some(passed) = passed else { continue };
            let Some(undone) = record.undone().find(|act| passed.precedes(act)) else { continue };
            let sentence = format!(
                "{} was compensated (line {}) after the pivot, step {}, had been done (line {})",
                explain::saga::step(saga.key, *step, evidence),
                undone.line,
                evidence.names.steps[pivot],
                passed.line,
            );
            let lines = explain::saga::acts([passed, undone], evidence);
            let found = Found::new(Anomaly::CompensatedAfterPivot, sentence, lines)
                .of_saga(saga.key, [*step])
                .ordered_by_line_if(undone.is_later_by_line(passed));
            results.add(found);
        }
    }
    results.checked(Anomaly::CompensatedAfterPivot, undone_count, "compensation");
}
