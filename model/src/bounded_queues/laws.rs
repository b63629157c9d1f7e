//! What must hold of bounded queues, and what must happen lest it hold for want of anything happening.

use lawspeaker_history::Guarantee;

use super::handler::Use;
use super::{Action, BoundedQueues, Handler, State};
use crate::engine::{Law, When, Witness};

pub(super) fn laws() -> Vec<Law<BoundedQueues>> {
    use Guarantee::AtLeastOnce;
    let law = |guarantee, when, says, holds| Law { guarantee, when, says, holds };
    vec![
        Law::no_deadlock(
            "when nothing but new orders can come any more, every queue is empty and every handler is idle",
        ),
        law(
            AtLeastOnce,
            When::Always,
            "no handler sets aside an answer, which another waits for",
            |_, state| !state.handlers.iter().any(Handler::has_a_strange_answer),
        ),
        law(
            AtLeastOnce,
            When::LeadsTo(|_, state| !is_handled(state)),
            "in the end, every order that was placed is handled",
            |_, state| is_handled(state),
        ),
    ]
}

pub(super) fn witnesses() -> Vec<Witness<BoundedQueues>> {
    let witness = |says, is_met| Witness { says, is_met };
    vec![
        witness("every order is placed and handled", |model: &BoundedQueues, _, _, after: &State| {
            after.placed.len() == model.bounds.orders as usize
                && !after.placed.is_empty()
                && is_handled(after)
        }),
        witness("what was put is what is taken: an order, and its answer", |model, before, action, _| {
            matches!(action, Action::Take(handler)
                if matches!(model.use_of(before, *handler), Some(Use::Complete(_))))
        }),
        witness("payments waits for room", |model, _, _, after| {
            model.queue_to_answer(after).is_some_and(|queue| !model.has_room(after, queue))
        }),
        witness("an order is set aside, and handled afterwards", |_, _, action, _| {
            matches!(action, Action::Resume(_))
        }),
        witness("two handlers wait for an answer at once", |_, _, _, after| {
            after.handlers.iter().filter(|handler| !handler.waits_for.is_empty()).count() >= 2
        }),
        witness("a message that nobody knows is a dead letter", |_, before, _, after| {
            after.dead_letters > before.dead_letters
        }),
    ]
}

fn is_handled(state: &State) -> bool {
    state.is_handled.iter().all(|is_handled| *is_handled)
}
