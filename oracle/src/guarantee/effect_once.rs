//! Effect once: an event's effect happens at most once. Judged of recorded effects (`apply`), and of the steps of sagas
//! and their compensations.
//!
//! * `effect-duplicated`: the effect of an event surely happened twice in one group; or, of processes that are in none,
//!   twice at one process. Who dedups does not record the effect again, or records that it failed.
//! * `double-step`: the effect of a step surely happened twice.
//! * `double-compensation`: a step was surely compensated twice.
//!
//! What is of unknown outcome is not counted: it may be what another line tells of, or nothing at all.
//! Source: ours; Hohpe and Woolf, *Enterprise Integration Patterns*, 2003, for the idempotent receiver; Garcia-Molina
//! and Salem, *Sagas*, 1987, run each transaction once. Cost: O(n log n) in effects, and O(ops of sagas).
//!
//! ```text
//! apply e for g ok · apply e for g ok              once for each delivery
//! start s1 ok · step a of s1 ok · step a of s1 ok
//! ```

use lawspeaker_history::Guarantee;

use crate::Anomaly;
use crate::case::Found;
use crate::evidence::{Act, Effect, Evidence, Saga, StepKey};
use crate::explain;
use crate::results::Results;

pub(crate) fn check(evidence: &Evidence, results: &mut Results) {
    effects(evidence, results);
    steps(evidence, results);
    if evidence.outbox.effects.is_empty() && evidence.sagas.all.is_empty() {
        results.undecided(Guarantee::EffectOnce, "no effect of an event (`apply`) and no saga is recorded");
    }
}

/// Looks for events that took effect twice.
fn effects(evidence: &Evidence, results: &mut Results) {
    let service = |effect: &Effect| (effect.group, effect.group.is_none().then_some(effect.process));
    let mut done: Vec<&Effect> = evidence.outbox.effects.iter().filter(|effect| effect.is_done()).collect();
    done.sort_by_key(|effect| (service(effect), effect.event, effect.line));
    let mut effect_count = 0;
    for same in done.chunk_by(|one, next| (service(one), one.event) == (service(next), next.event)) {
        effect_count += 1;
        if same.len() > 1 {
            results.add(effect_duplicated(same, evidence));
        }
    }
    results.checked(Anomaly::EffectDuplicated, effect_count, "effect");
}

fn effect_duplicated(same: &[&Effect], evidence: &Evidence) -> Found {
    let names = &evidence.names;
    let (first, last) = (same[0], same[same.len() - 1]);
    let at = match first.group {
        Some(group) => format!("in group {}", names.groups[group]),
        None => format!("at process {}", names.processes[first.process]),
    };
    let told: Vec<i64> = same.iter().map(|effect| i64::try_from(effect.line).unwrap_or(i64::MAX)).collect();
    let sentence = format!(
        "event {} took effect {} times {at} (lines {})",
        names.events[first.event],
        explain::count(same.len()),
        explain::ranges(&told),
    );
    let lines =
        same.iter().take(explain::saga::ACTS_TOLD).map(|effect| explain::outbox::effect(effect, evidence));
    Found::new(Anomaly::EffectDuplicated, sentence, lines.collect())
        .at(first.partition, first.offset)
        .group(first.group)
        .event(first.event)
        .process(&names.processes[last.process])
}

/// Looks for steps that were done twice, and for those that were compensated twice.
fn steps(evidence: &Evidence, results: &mut Results) {
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
