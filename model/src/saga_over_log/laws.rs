//! What must hold of each layer, and what must happen lest it hold for want of anything happening.

use lawspeaker_history::Guarantee;

use super::{Action, Packet, SagaOverLog, State};
use crate::engine::{Law, System, When, Witness};
use crate::saga::{self, Phase, Way};

pub(super) fn laws() -> Vec<Law<SagaOverLog>> {
    use Guarantee::{AtLeastOnce, Durability, EffectOnce, NoDuplication, SagaAtomicity, SagaTermination};
    let law = |guarantee, when, says, holds| Law { guarantee, when, says, holds };
    vec![
        law(
            NoDuplication,
            When::Always,
            "no message is appended a second time",
            |_: &SagaOverLog, state: &State| !state.ghost.is_duplicated,
        ),
        law(Durability, When::Always, "the log loses nothing that it has acknowledged", |_, state| {
            !state.ghost.has_lost_acked
        }),
        law(AtLeastOnce, When::Always, "every message below a committed offset was processed", |_, state| {
            state.channels.iter().all(|channel| channel.committed <= channel.position)
        }),
        law(
            SagaAtomicity,
            When::Always,
            "every step of a committed saga is done, and of an aborted one every done step is compensated",
            |model, state| saga::laws::outcome_is_true(&model.saga(), &state.saga),
        ),
        law(
            EffectOnce,
            When::Always,
            "no step is done twice, and none is compensated twice",
            |model, state| saga::laws::effect_once(&model.saga(), &state.saga),
        ),
        law(
            SagaTermination,
            When::Quiescent,
            "when nothing but faults can happen any more, an accepted saga has ended",
            |model, state| !state.saga.ghost.is_accepted || model.is_done(state),
        ),
        law(SagaTermination, When::Eventually, "in the end, the saga has ended", |model, state| {
            model.is_done(state)
        }),
        Law::no_deadlock(
            "when nothing but faults can happen any more, the log of the saga says how it ended",
        ),
    ]
}

pub(super) fn witnesses() -> Vec<Witness<SagaOverLog>> {
    let witness = |says, is_met| Witness { says, is_met };
    vec![
        witness("a saga commits", |_: &SagaOverLog, _, _, after: &State| {
            after.saga.log == Some(Phase::Committed)
        }),
        witness("a saga aborts, with a step compensated", |_, _, _, after| {
            after.saga.log == Some(Phase::Aborted)
                && after.saga.participants.iter().any(|participant| participant.compensations > 0)
        }),
        witness("a command is processed again and not done again", |_, before, action, after| {
            matches!(processed(before, action), Some(Packet::Command(command))
                if command.way == Way::Forward
                    && before.saga.participants[command.step as usize].executions > 0
                    && before.saga.participants == after.saga.participants)
        }),
        witness("a reply that answers nothing any more is dropped", |_, before, action, after| {
            matches!(processed(before, action), Some(Packet::Reply(_)))
                && before.saga.orchestrator == after.saga.orchestrator
        }),
        witness("a compensation waits behind its command", |_, _, _, after| {
            after.channels.iter().any(|channel| {
                let ways = channel.pending.iter().filter_map(|packet| match packet {
                    Packet::Command(command) => Some(command.way),
                    Packet::Reply(_) => None,
                });
                ways.collect::<Vec<_>>() == [Way::Forward, Way::Backward]
            })
        }),
        witness("a repeat is recognised by the broker", |_, before, action, after| {
            matches!(action, Action::Append(number)
                if before.channels[*number as usize].is_appended
                    && before.channels[*number as usize].log == after.channels[*number as usize].log)
        }),
    ]
}

fn processed(before: &State, action: &Action) -> Option<Packet> {
    let Action::Process(number) = action else { return None };
    before.channels[*number as usize].next()
}
