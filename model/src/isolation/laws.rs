//! What must hold of sagas that share records, and what must happen lest it hold for want of anything happening.

use lawspeaker_history::Guarantee;

use super::{Action, Isolation, Phase, Record, State};
use crate::engine::{Law, System, When, Witness};

pub(super) fn laws() -> Vec<Law<Isolation>> {
    use Guarantee::{SagaAtomicity, SagaIsolation, SagaTermination};
    let law = |guarantee, when, says, holds| Law { guarantee, when, says, holds };
    vec![
        law(
            SagaIsolation,
            When::Always,
            "no saga has read a write of another that compensates its steps",
            |_: &Isolation, state: &State| !state.ghost.is_read_undone,
        ),
        law(
            SagaIsolation,
            When::Always,
            "no write of a committed saga is wiped out by another's compensation",
            |_, state| {
                let fates = state.sagas.iter().zip(&state.ghost.is_wiped_out);
                !fates.into_iter().any(|(saga, is_wiped_out)| saga.phase == Phase::Committed && *is_wiped_out)
            },
        ),
        law(
            SagaAtomicity,
            When::Quiescent,
            "when nothing but faults can happen any more and every saga has ended, each record holds the writes of exactly the committed ones that update it",
            |model, state| {
                !model.is_done(state)
                    || (0..).zip(&state.records).all(|(number, record)| is_true(model, state, number, record))
            },
        ),
        law(SagaTermination, When::Eventually, "in the end, every saga has ended", |model, state| {
            model.is_done(state)
        }),
        Law::no_deadlock("when nothing but faults can happen any more, every saga has ended"),
    ]
}

pub(super) fn witnesses() -> Vec<Witness<Isolation>> {
    let witness = |says, is_met| Witness { says, is_met };
    vec![
        witness("every saga commits", |_: &Isolation, _, _, after: &State| {
            after.sagas.iter().all(|saga| saga.phase == Phase::Committed)
        }),
        witness("a saga waits for the lock of another that goes back", |model, _, _, after| {
            let goes_back = |saga: u8| matches!(after.sagas[saga as usize].phase, Phase::Backward(_));
            (0..after.sagas.len() as u8).any(|saga| model.waits_for(after, saga).is_some_and(goes_back))
        }),
        witness("two sagas have updated records at the same time", |_, _, _, after| {
            after.sagas.iter().filter(|saga| !saga.images.is_empty()).count() >= 2
        }),
        witness(
            "a saga compensates two steps",
            |_, before, action, _| matches!(action, Action::Compensate(saga) if before.sagas[*saga as usize].phase == Phase::Backward(2)),
        ),
        witness("a saga commits after another has aborted", |_, before, action, after| {
            matches!(action, Action::Step(saga) if after.sagas[*saga as usize].phase == Phase::Committed)
                && before.sagas.iter().any(|saga| saga.phase == Phase::Aborted)
        }),
        witness("a saga reads what another has committed", |model, before, action, _| {
            let reads_of = |saga: u8| {
                let record = model.next_record(before, saga).filter(|_| model.is_reader(saga))?;
                before.records[record as usize].writes.last().copied()
            };
            let is_final = |writer: u8| before.sagas[writer as usize].phase == Phase::Committed;
            matches!(action, Action::Step(saga) if reads_of(*saga).is_some_and(is_final))
        }),
        witness("a compensation leaves what others have written", |_, before, action, after| {
            let keeps = |(was, is): (&Record, &Record)| was != is && !is.writes.is_empty();
            matches!(action, Action::Compensate(_))
                && before.records.iter().zip(&after.records).any(|(was, is)| keeps((was, is)))
        }),
    ]
}

/// Whether a record holds what it should when every saga has ended.
fn is_true(model: &Isolation, state: &State, number: u8, record: &Record) -> bool {
    (0..).zip(&state.sagas).all(|(writer, saga)| {
        let should_hold = saga.phase == Phase::Committed && model.updates(writer, number);
        record.writes.contains(&writer) == should_hold
    })
}
