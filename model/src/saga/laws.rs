//! What must hold of the saga, and what must happen lest it hold for want of anything happening.

use lawspeaker_history::Guarantee;

use super::{Action, Participant, Phase, Saga, State, Way};
use crate::engine::{Law, System, When, Witness};

pub(super) fn laws() -> Vec<Law<Saga>> {
    use Guarantee::{CompensationOrder, Durability, EffectOnce, SagaAtomicity, SagaTermination};
    let law = |guarantee, when, says, holds| Law { guarantee, when, says, holds };
    vec![
        law(
            SagaAtomicity,
            When::Always,
            "every step of a committed saga is done, and of an aborted one every done step is compensated",
            outcome_is_true,
        ),
        law(
            SagaAtomicity,
            When::Always,
            "once the pivot is done, every step before it is done, and stays so",
            pivot_is_final,
        ),
        law(
            SagaAtomicity,
            When::Quiescent,
            "when nothing but faults can happen any more, every step is done, or every done step is compensated",
            |_, state| is_whole(state) || is_undone(state),
        ),
        law(
            CompensationOrder,
            When::Always,
            "no step is compensated while a later one is done and not compensated",
            compensation_order,
        ),
        law(EffectOnce, When::Always, "no step is done twice, and none is compensated twice", effect_once),
        law(
            Durability,
            When::Always,
            "an accepted saga stands in the log, or in the memory of an orchestrator that runs",
            durability,
        ),
        law(
            SagaTermination,
            When::Quiescent,
            "when nothing but faults can happen any more, an accepted saga has ended",
            |model, state| !state.ghost.is_accepted || model.is_done(state),
        ),
        law(SagaTermination, When::Eventually, "in the end, the saga has ended", |model, state| {
            model.is_done(state)
        }),
        Law::no_deadlock("when nothing but faults can happen any more, the log says how the saga ended"),
    ]
}

pub(super) fn witnesses() -> Vec<Witness<Saga>> {
    let witness = |says, is_met| Witness { says, is_met };
    let mut witnesses = vec![
        witness("a saga commits, with every step done", |_: &Saga, _, _, after: &State| {
            after.log == Some(Phase::Committed) && is_whole(after)
        }),
        witness("a saga aborts, with two steps compensated", |_, _, _, after| {
            let compensated = after.participants.iter().filter(|p| p.compensations > 0).count();
            after.log == Some(Phase::Aborted) && is_undone(after) && compensated >= 2
        }),
        witness("a saga is led to its end after a crash", |model, before, action, after| {
            matches!(action, Action::Restart) && after.orchestrator.memory.is_some() && !model.is_done(before)
        }),
    ];
    witnesses.extend(witnesses_of_participants());
    witnesses.extend(witnesses_of_the_orchestrator());
    witnesses
}

fn witnesses_of_participants() -> Vec<Witness<Saga>> {
    let witness = |says, is_met| Witness { says, is_met };
    vec![
        witness("a step is asked for again and not done again", |_: &Saga, before: &State, action, _| {
            matches!(action, Action::Handle(command)
                if command.way == Way::Forward && before.participants[command.step as usize].stands())
        }),
        witness("a compensation is asked for again and not done again", |_, before, action, _| {
            matches!(action, Action::Handle(command)
                if command.way == Way::Backward && before.participants[command.step as usize].compensations > 0)
        }),
        witness("a command that its compensation overtook is refused", |_, before, action, after| {
            let is_overtaken = |place: usize| {
                let (was, is) = (before.participants[place], after.participants[place]);
                was.has_tombstone && was.executions == 0 && is.executions == 0
            };
            matches!(action, Action::Handle(command)
                if command.way == Way::Forward && is_overtaken(command.step as usize))
        }),
    ]
}

fn witnesses_of_the_orchestrator() -> Vec<Witness<Saga>> {
    let witness = |says, is_met| Witness { says, is_met };
    vec![
        witness(
            "a compensation that failed is asked for again",
            |model: &Saga, before: &State, action, after: &State| {
                matches!(action, Action::Receive(reply)
                if !reply.is_done && model.answers(before, *reply)
                    && before.orchestrator.memory == after.orchestrator.memory)
            },
        ),
        witness("a step that was done is given up as unknown", |_, before, action, _| {
            let is_done = |step: u8| before.participants[step as usize].stands();
            matches!((action, before.orchestrator.memory), (Action::Timeout, Some(Phase::Forward(step)))
                if is_done(step))
        }),
        witness("a reply to an earlier command is dropped", |model, before, action, _| {
            matches!(action, Action::Receive(reply)
                if before.orchestrator.has_sent && !model.answers(before, *reply))
        }),
        witness("the pivot, or what follows it, is asked for again", |model, before, action, _| {
            matches!((action, before.orchestrator.memory), (Action::Send, Some(Phase::Forward(step)))
                if before.orchestrator.has_sent && step >= model.bounds.pivot)
        }),
    ]
}

fn is_whole(state: &State) -> bool {
    state.participants.iter().all(|participant| participant.stands())
}

fn is_undone(state: &State) -> bool {
    !state.participants.iter().any(|participant| participant.stands())
}

pub(crate) fn outcome_is_true(_: &Saga, state: &State) -> bool {
    match state.log {
        Some(Phase::Committed) => is_whole(state),
        Some(Phase::Aborted) => is_undone(state),
        _ => true,
    }
}

fn pivot_is_final(model: &Saga, state: &State) -> bool {
    let pivot = model.bounds.pivot as usize;
    let is_done = state.participants.get(pivot).is_some_and(|pivot| pivot.executions > 0);
    !is_done || state.participants[..pivot].iter().all(|participant| participant.stands())
}

fn compensation_order(_: &Saga, state: &State) -> bool {
    let stands_after = |place: usize| state.participants[place + 1..].iter().any(|later| later.stands());
    let is_compensated = |participant: &Participant| participant.compensations > 0;
    state.participants.iter().enumerate().all(|(place, p)| !is_compensated(p) || !stands_after(place))
}

pub(crate) fn effect_once(_: &Saga, state: &State) -> bool {
    state.participants.iter().all(|p| p.executions <= 1 && p.compensations <= 1)
}

fn durability(_: &Saga, state: &State) -> bool {
    !state.ghost.is_accepted || state.log.is_some() || state.orchestrator.memory.is_some()
}
