//! Saga isolation: no saga builds on, or wipes out, what another may yet undo or has finished.
//!
//! Sagas have no isolation of their own: each step commits, and others see it. Countermeasures (semantic locks,
//! commutative updates, rereads) keep these two from happening:
//!
//! * `dirty-read`: a step that was surely done had read (`x.reads`) what another saga wrote, and that saga surely went
//!   back afterwards: it ended aborted, or a compensation of it that names the record (`x.restores`) was surely done.
//! * `lost-update`: a compensation that was surely done put an older value back (`x.restores`) over what another saga
//!   wrote, and that saga surely ended committed.
//!
//! What is of unknown outcome is taken for either, whichever excuses. A read that began after the writer had gone back saw
//! what it left behind, and is not accused.
//!
//! Source: Richardson, *Microservices Patterns*, 2018, section 4.3.1; Frank and Zahle, *Semantic ACID Properties in
//! Multidatabases Using Remote Procedure Calls and Update Propagations*, 1998, for the countermeasures.
//! Cost: O(ops of sagas and the records that they name).
//!
//! ```text
//! step a of s1 ok · step b of s2 reads s1's write ok · end s1 aborted ok              s2 built on what was undone
//! step a of s2 ok · compensate a of s1 over s2's write ok · end s2 committed ok       what s2 did is gone
//! ```

use lawspeaker_history::{Guarantee, SagaOutcome};

use crate::Anomaly;
use crate::case::Found;
use crate::evidence::{Act, Deed, Evidence, Key, Saga, SagaKey};
use crate::explain;
use crate::results::Results;

pub(crate) fn check(evidence: &Evidence, results: &mut Results) {
    let (mut read_count, mut restored_count, mut open_count) = (0, 0, 0);
    for saga in &evidence.sagas.all {
        for act in saga.done() {
            for (record, writer) in act.touched.iter().filter(|(_, writer)| *writer != saga.key) {
                let other = &evidence.sagas.all[writer.place()];
                let is_read = matches!(act.deed, Deed::Step(_));
                let shown = if is_read { gone_back(other, record, act) } else { Settled::committed(other) };
                let count = if is_read { &mut read_count } else { &mut restored_count };
                match shown {
                    Settled::Unknown => open_count += 1,
                    Settled::Harmless => *count += 1,
                    Settled::Broken(by) => {
                        *count += 1;
                        broken(saga, act, record, *writer, by, evidence)
                            .into_iter()
                            .for_each(|found| results.add(found));
                    }
                }
            }
        }
    }
    results.checked(Anomaly::DirtyRead, read_count, "dependent read");
    results.checked(Anomaly::LostUpdate, restored_count, "restored record");
    if open_count > 0 {
        let reason = format!(
            "{} on what a saga wrote whose end nobody knows",
            explain::counted(open_count, "dependence"),
        );
        results.undecided(Guarantee::SagaIsolation, reason);
    } else if read_count + restored_count == 0 && !evidence.sagas.all.is_empty() {
        results.undecided(
            Guarantee::SagaIsolation,
            "no step says which saga's write it read (`x.reads`), and no compensation over whose it restored \
             (`x.restores`)",
        );
    }
}

/// What became of the saga that had written a record.
enum Settled<'a> {
    /// It may have gone either way.
    Unknown,
    Harmless,
    /// This act shows that it should not have been touched.
    Broken(&'a Act),
}

impl<'a> Settled<'a> {
    /// Whether what a saga wrote was to stay.
    fn committed(writer: &'a Saga) -> Self {
        match (writer.ended(SagaOutcome::Committed), writer.ended(SagaOutcome::Aborted)) {
            (Some(end), None) => Settled::Broken(end),
            (_, Some(_)) => Settled::Harmless,
            (None, None) => Settled::Unknown,
        }
    }
}

/// Whether what a saga wrote to `record`, and `reader` read, was undone afterwards.
fn gone_back<'a>(writer: &'a Saga, record: &str, reader: &Act) -> Settled<'a> {
    let undoes = |act: &&Act| {
        matches!(act.deed, Deed::Compensate(_)) && act.touched.iter().any(|(name, _)| **name == *record)
    };
    let undone = writer.done().filter(undoes).chain(writer.ended(SagaOutcome::Aborted));
    let undone: Vec<&Act> = undone.collect();
    if undone.iter().any(|act| act.precedes(reader)) {
        Settled::Harmless
    } else if let Some(first) = undone.iter().min_by_key(|act| act.line) {
        Settled::Broken(first)
    } else if writer.ended(SagaOutcome::Committed).is_some() {
        Settled::Harmless
    } else {
        Settled::Unknown
    }
}

fn broken(
    saga: &Saga,
    act: &Act,
    record: &str,
    writer: SagaKey,
    by: &Act,
    evidence: &Evidence,
) -> Option<Found> {
    let names = &evidence.names;
    let (this, other) = (&names.sagas[saga.key], &names.sagas[writer]);
    let (Deed::Step(step) | Deed::Compensate(step)) = act.deed else { return None };
    let step_name = &names.steps[step];
    let (anomaly, sentence) = match act.deed {
        Deed::Step(_) => {
            let how = if matches!(by.deed, Deed::End(_)) { "ended aborted" } else { "compensated that" };
            let sentence = format!(
                "step {step_name} of saga {this} read of {record} what saga {other} had written (line {}), and saga \
                 {other} {how} (line {})",
                act.line, by.line,
            );
            (Anomaly::DirtyRead, sentence)
        }
        _ => {
            let sentence = format!(
                "the compensation of step {step_name} of saga {this} put an older value of {record} back over what saga {other} \
                 had written (line {}), and saga {other} ended committed (line {})",
                act.line, by.line,
            );
            (Anomaly::LostUpdate, sentence)
        }
    };
    Some(Found::new(anomaly, sentence, explain::saga::acts([act, by], evidence)).of_saga(saga.key, [step]))
}
