//! Compensation order: compensations run in reverse order of their steps.
//!
//! * `compensation-order`: one step was surely done before another, and was surely compensated before it too.
//!
//! Both orders must be certain: a step counts that was done once and compensated once and has no attempt of unknown
//! outcome; steps, or compensations, whose invocations overlap may come either way.
//! Each step is accused once, of the earliest step that was compensated before it.
//! Source: Garcia-Molina and Salem, *Sagas*, 1987: T1 … Tj, Cj … C1.
//! Cost: O(n log n) in the steps of a saga.
//!
//! ```text
//! step a ok · step b ok · compensate a ok · compensate b ok
//! ```

use crate::Anomaly;
use crate::case::Found;
use crate::evidence::{Act, Evidence, Saga, StepKey, StepRecord};
use crate::explain;
use crate::results::Results;

/// A step that was done once and undone once.
#[derive(Clone, Copy)]
struct Turned<'a> {
    step: StepKey,
    done: &'a Act,
    undone: &'a Act,
}

pub(crate) fn check(evidence: &Evidence, results: &mut Results) {
    let mut pair_count = 0;
    for saga in &evidence.sagas.all {
        let turned: Vec<Turned<'_>> =
            saga.steps.iter().filter_map(|(step, record)| turned(*step, record)).collect();
        pair_count += turned.len().saturating_sub(1);
        for (first, second) in misordered(&turned) {
            results.add(found(saga, first, second, evidence));
        }
    }
    results.checked(Anomaly::CompensationOrder, pair_count, "compensation pair");
}

fn turned(step: StepKey, record: &StepRecord) -> Option<Turned<'_>> {
    let sole = |acts: &'_ [Act]| {
        let mut places = (0..acts.len()).filter(|place| acts[*place].may_be_done());
        let place = places.next().filter(|place| acts[*place].is_done())?;
        places.next().is_none().then_some(place)
    };
    let (done, undone) = (sole(&record.steps)?, sole(&record.compensations)?);
    Some(Turned { step, done: &record.steps[done], undone: &record.compensations[undone] })
}

/// Each step that was compensated after an earlier one, with the earliest of those.
fn misordered<'a>(turned: &[Turned<'a>]) -> Vec<(Turned<'a>, Turned<'a>)> {
    let mut by_begin = turned.to_vec();
    by_begin.sort_by_key(|one| one.undone.since);
    let mut by_end = turned.to_vec();
    by_end.sort_by_key(|one| one.undone.until);
    let mut over = by_end.into_iter().peekable();
    let mut earliest: Option<Turned<'a>> = None;
    let mut found = Vec::new();
    for second in by_begin {
        while let Some(next) = over.next_if(|next| next.undone.precedes(second.undone)) {
            if earliest.is_none_or(|first| next.done.until < first.done.until) {
                earliest = Some(next);
            }
        }
        if let Some(first) = earliest.filter(|first| first.done.precedes(second.done)) {
            found.push((first, second));
        }
    }
    found
}

fn found(saga: &Saga, first: Turned<'_>, second: Turned<'_>, evidence: &Evidence) -> Found {
    let names = &evidence.names;
    let sentence = format!(
        "{} was done before step {} (lines {} and {}) and compensated before it too (lines {} and {})",
        explain::saga::step(saga.key, first.step, evidence),
        names.steps[second.step],
        first.done.line,
        second.done.line,
        first.undone.line,
        second.undone.line,
    );
    let lines = explain::saga::acts([first.done, second.done, first.undone, second.undone], evidence);
    let is_ordered_by_line =
        second.done.is_later_by_line(first.done) || second.undone.is_later_by_line(first.undone);
    Found::new(Anomaly::CompensationOrder, sentence, lines)
        .of_saga(saga.key, [second.step, first.step])
        .ordered_by_line_if(is_ordered_by_line)
}
