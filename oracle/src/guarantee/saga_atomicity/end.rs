//! What a saga has come to when it ends: `uncompensated-step`, `torn-saga`, `commit-and-abort`.

use std::collections::BTreeSet;

use lawspeaker_history::{Guarantee, SagaOutcome};

use crate::Anomaly;
use crate::case::Found;
use crate::evidence::{Act, Evidence, Saga, StepKey, StepRecord};
use crate::explain;
use crate::results::Results;

/// Looks for steps that stay done in sagas that went back.
pub(super) fn uncompensated(evidence: &Evidence, results: &mut Results) {
    let (mut done_count, mut open_count) = (0, 0);
    for saga in &evidence.sagas.all {
        let end = saga.ended(SagaOutcome::Aborted);
        let is_at_rest = evidence.extent.is_at_rest_after(saga.last_line);
        let may_commit = saga.may_have_ended(SagaOutcome::Committed);
        let Some(abort) = end.or_else(|| saga.turning().filter(|_| !may_commit)) else { continue };
        for (step, record) in &saga.steps {
            let Some(first) = record.done().next() else { continue };
            let at_end = end.and_then(|end| left_at(end, record));
            let is_left = !record.compensations.iter().any(Act::may_be_done);
            if at_end.is_none() && is_left && !is_at_rest {
                open_count += 1;
                continue;
            }
            done_count += 1;
            let Some(done) = at_end.or(Some(first).filter(|_| is_left)) else { continue };
            let found = stays_done(saga, *step, done, end, abort, evidence);
            results.add(found.ordered_by_line_if(at_end.is_some() && abort.is_later_by_line(done)));
        }
    }
    results.checked(Anomaly::UncompensatedStep, done_count, "done step");
    if open_count > 0 {
        let reason = format!(
            "{} of sagas that go back may be compensated yet: neither a `quiescent` after the last line of the saga nor \
             the header says that nothing was under way any more",
            explain::counted(open_count, "done step"),
        );
        results.undecided(Guarantee::SagaAtomicity, reason);
    }
}

fn stays_done(
    saga: &Saga,
    step: StepKey,
    done: &Act,
    end: Option<&Act>,
    abort: &Act,
    evidence: &Evidence,
) -> Found {
    let then = match end {
        Some(end) => format!("the saga ended aborted (line {})", end.line),
        None => format!("the saga turned back (line {}) and came to rest", abort.line),
    };
    let sentence = format!(
        "{} was done (line {}), {then}, and nothing had compensated it",
        explain::saga::step(saga.key, step, evidence),
        done.line,
    );
    let lines = explain::saga::acts([done, abort], evidence);
    Found::new(Anomaly::UncompensatedStep, sentence, lines).of_saga(saga.key, [step])
}

/// What was done of a step before `end`, if no compensation can have happened by then.
fn left_at<'a>(end: &Act, record: &'a StepRecord) -> Option<&'a Act> {
    let is_in_time = |act: &Act| act.may_be_done() && !end.precedes(act);
    record.done().find(|act| act.precedes(end)).filter(|_| !record.compensations.iter().any(is_in_time))
}

/// Looks for steps that are not done in sagas that ended committed.
pub(super) fn torn(evidence: &Evidence, results: &mut Results) {
    let mut committed_count = 0;
    for saga in &evidence.sagas.all {
        let Some(end) = saga.ended(SagaOutcome::Committed) else { continue };
        committed_count += 1;
        let declared = saga.declared.iter().flatten().copied();
        let missing: BTreeSet<StepKey> = declared.filter(|step| !may_be_done_by(end, saga, *step)).collect();
        for step in &missing {
            results.add(not_done(saga, *step, end, evidence));
        }
        for (step, record) in saga.steps.iter().filter(|(step, _)| !missing.contains(step)) {
            if let Some((done, undone)) = undone_for_good(record) {
                results.add(undone_again(saga, *step, done, undone, end, evidence));
            }
        }
    }
    results.checked(Anomaly::TornSaga, committed_count, "committed saga");
}

fn not_done(saga: &Saga, step: StepKey, end: &Act, evidence: &Evidence) -> Found {
    let step_name = explain::saga::step(saga.key, step, evidence);
    let sentence = format!("{step_name} had not been done when the saga ended committed (line {})", end.line);
    let tried = saga.steps.get(&step).and_then(|record| record.steps.last());
    let lines = explain::saga::acts(saga.starts.iter().take(1).chain(tried).chain([end]), evidence);
    Found::new(Anomaly::TornSaga, sentence, lines)
        .of_saga(saga.key, [step])
        .ordered_by_line_if(tried.is_some_and(|tried| tried.is_done() && tried.is_later_by_line(end)))
}

fn undone_again(
    saga: &Saga,
    step: StepKey,
    done: &Act,
    undone: &Act,
    end: &Act,
    evidence: &Evidence,
) -> Found {
    let sentence = format!(
        "{} was done (line {}) and compensated (line {}), and the saga ended committed (line {})",
        explain::saga::step(saga.key, step, evidence),
        done.line,
        undone.line,
        end.line,
    );
    let lines = explain::saga::acts([done, undone, end], evidence);
    Found::new(Anomaly::TornSaga, sentence, lines)
        .of_saga(saga.key, [step])
        .ordered_by_line_if(undone.is_later_by_line(done))
}

fn may_be_done_by(end: &Act, saga: &Saga, step: StepKey) -> bool {
    let is_in_time = |act: &Act| act.may_be_done() && !end.precedes(act);
    saga.steps.get(&step).is_some_and(|record| record.steps.iter().any(is_in_time))
}

/// What was done of a step, and what undid it after everything that can have done it.
fn undone_for_good(record: &StepRecord) -> Option<(&Act, &Act)> {
    let done = record.done().last()?;
    let undone = record.undone().max_by_key(|act| act.since)?;
    let is_over = |act: &Act| !act.may_be_done() || act.precedes(undone);
    record.steps.iter().all(is_over).then_some((done, undone))
}

/// Looks for sagas that ended both ways.
pub(super) fn both(evidence: &Evidence, results: &mut Results) {
    let mut ended_count = 0;
    for saga in &evidence.sagas.all {
        let (committed, aborted) = (saga.ended(SagaOutcome::Committed), saga.ended(SagaOutcome::Aborted));
        ended_count += usize::from(committed.or(aborted).is_some());
        let (Some(committed), Some(aborted)) = (committed, aborted) else { continue };
        let sentence = format!(
            "saga {} ended both committed (line {}) and aborted (line {})",
            evidence.names.sagas[saga.key], committed.line, aborted.line,
        );
        let lines = explain::saga::acts([committed, aborted], evidence);
        results.add(Found::new(Anomaly::CommitAndAbort, sentence, lines).of_saga(saga.key, []));
    }
    results.checked(Anomaly::CommitAndAbort, ended_count, "ended saga");
}
