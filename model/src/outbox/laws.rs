//! What must hold of the outbox, and what must happen lest it hold for want of anything happening.

use lawspeaker_history::Guarantee;

use super::{Action, Change, Outbox, Published, Row, Stage, State};
use crate::engine::{Law, System, When, Witness};

pub(super) fn laws() -> Vec<Law<Outbox>> {
    use Guarantee::{AtLeastOnce, EffectOnce, KeyOrder, OutboxAtomicity};
    let law = |guarantee, when, says, holds| Law { guarantee, when, says, holds };
    vec![
        law(OutboxAtomicity, When::Always, "nothing that was rolled back has an effect", |_, state| {
            !each(state).any(|(change, effects)| change == Change::RolledBack && effects > 0)
        }),
        law(
            OutboxAtomicity,
            When::Quiescent,
            "when nothing but faults can happen any more, exactly the changes that were made have their effect",
            |_, state| each(state).all(|(change, effects)| (change == Change::Committed) == (effects > 0)),
        ),
        law(
            KeyOrder,
            When::Always,
            "no effect happens for the first time after that of a later change",
            |_, state| !state.ghost.is_overtaken,
        ),
        law(EffectOnce, When::Always, "no effect happens twice", |_, state| {
            state.effects.iter().all(|effects| *effects <= 1)
        }),
        law(
            AtLeastOnce,
            When::Always,
            "no message is acknowledged before its effect has happened",
            |_, state| !state.ghost.has_acked_undone,
        ),
        law(
            AtLeastOnce,
            When::LeadsTo(|_, state| !is_settled(state)),
            "in the end, every change that was made has its effect",
            |_, state| is_settled(state),
        ),
        Law::no_deadlock(
            "when nothing but faults can happen any more, every row is sent and every message is acknowledged",
        ),
    ]
}

pub(super) fn witnesses() -> Vec<Witness<Outbox>> {
    let witness = |says, is_met| Witness { says, is_met };
    let mut witnesses = vec![
        witness("every change is made and has its effect", |model: &Outbox, _, _, after: &State| {
            model.is_done(after)
                && each(after).all(|(change, effects)| change == Change::Committed && effects == 1)
        }),
        witness("a change is rolled back, and those after it have their effect", |model, _, _, after| {
            model.is_done(after) && {
                let mut later = each(after).skip_while(|(change, _)| *change != Change::RolledBack);
                later.next().is_some() && later.any(|(_, effects)| effects > 0)
            }
        }),
        witness(
            "an event is published a second time, as the row was not marked",
            |_, before, action, _| matches!(action, Action::Publish(relay) if is_published(before, *relay)),
        ),
        witness("the row of a relay that crashed goes to another", |_, before, action, _| {
            matches!(action, Action::CrashRelay(relay)
                if before.relays[*relay as usize].published == Published::NotYet)
        }),
    ];
    witnesses.extend(witnesses_of_workers());
    witnesses
}

fn witnesses_of_workers() -> Vec<Witness<Outbox>> {
    let witness = |says, is_met| Witness { says, is_met };
    vec![
        witness(
            "an event is delivered again and has no second effect",
            |_: &Outbox, before: &State, action, after: &State| {
                matches!(action, Action::Handle(worker) if stage(before, *worker) == Some(Stage::Received))
                    && before.effects == after.effects
            },
        ),
        witness(
            "a worker crashes after the effect and before the acknowledgement",
            |_, before, action, _| matches!(action, Action::CrashWorker(worker) if stage(before, *worker) == Some(Stage::Handled)),
        ),
        witness("the inbox forgets an event, which does not come again", |_, _, action, _| {
            matches!(action, Action::Expire(_))
        }),
        witness("a relay waits for another, and a worker for another", |_, _, _, after| {
            let is_busy = after.relays.iter().any(|relay| relay.row.is_some());
            let is_handling = after.workers.iter().any(|worker| worker.work.is_some());
            is_busy
                && is_handling
                && after.rows.contains(&Row::Waiting)
                && after.queue.iter().any(|message| message.holder.is_none())
        }),
    ]
}

/// Each change, with how often it had its effect.
fn each(state: &State) -> impl Iterator<Item = (Change, u8)> {
    state.changes.iter().copied().zip(state.effects.iter().copied())
}

fn is_settled(state: &State) -> bool {
    each(state).all(|(change, effects)| change != Change::Committed || effects > 0)
}

fn stage(state: &State, worker: u8) -> Option<Stage> {
    state.workers[worker as usize].work.map(|work| work.stage)
}

/// Whether a relay is about to publish what has been published before.
fn is_published(before: &State, relay: u8) -> bool {
    let is_known = |event: u8| {
        before.effects[event as usize] > 0 || before.queue.iter().any(|message| message.event == event)
    };
    before.relays[relay as usize].row.is_some_and(is_known)
}
