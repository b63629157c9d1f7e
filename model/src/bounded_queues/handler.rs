//! Those who take orders: what they take, what they wait for, what they set aside.

use serde::Serialize;

use super::{Action, BoundedQueues, CREDIT, DEAD_LETTER, DEFER, MAX_ORDERS, Message, State};
use crate::few::Few;

/// The most messages that a handler can have set aside: each order, and the payment of each.
const MAX_DEFERRED: usize = 2 * MAX_ORDERS;

/// A handler.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Handler {
    /// The order in its hand, for which it has yet to ask payment.
    pub hand: Option<u8>,
    /// The orders for which it has asked, and has no answer.
    pub waits_for: Few<u8, MAX_ORDERS>,
    /// What it set aside, oldest first.
    pub deferred: Few<Message, MAX_DEFERRED>,
}

/// What a handler does with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// It takes the order in hand.
    Begin(u8),
    /// It has what it waited for.
    Complete(u8),
    /// It takes it later.
    Defer,
    /// Nobody will ever take it.
    DeadLetter,
}

impl Handler {
    /// Whether it has nothing to do.
    pub fn is_idle(&self) -> bool {
        self.hand.is_none() && self.waits_for.is_empty() && self.deferred.is_empty()
    }

    /// Whether it has set aside an answer to what it did not ask.
    pub(super) fn has_a_strange_answer(&self) -> bool {
        self.deferred.iter().any(|message| matches!(message, Message::Paid(_)))
    }

    fn is_free(&self) -> bool {
        self.hand.is_none() && self.waits_for.is_empty()
    }
}

impl BoundedQueues {
    /// What a handler does with the head of its queue; `None` while it leaves it there.
    pub(super) fn use_of(&self, state: &State, number: u8) -> Option<Use> {
        let handler = &state.handlers[number as usize];
        let head = *state.queues[self.queue_of(number)].first()?;
        if handler.hand.is_some() {
            return None;
        }
        match head {
            Message::Placed(order) if handler.is_free() || !self.guards.has(&CREDIT) => {
                Some(Use::Begin(order))
            }
            Message::Paid(order) if handler.waits_for.contains(&order) => Some(Use::Complete(order)),
            Message::Unknown if self.guards.has(&DEAD_LETTER) => Some(Use::DeadLetter),
            Message::Placed(_) | Message::Paid(_) if self.guards.has(&DEFER) => Some(Use::Defer),
            _ => None,
        }
    }

    /// The first order that a handler set aside.
    fn resumable(state: &State, number: u8) -> Option<(usize, u8)> {
        let handler = &state.handlers[number as usize];
        let order_of = |(place, message): (usize, &Message)| match message {
            Message::Placed(order) => Some((place, *order)),
            Message::Paid(_) | Message::Unknown => None,
        };
        handler.deferred.iter().enumerate().find_map(order_of).filter(|_| handler.is_free())
    }

    pub(super) fn handler_work(&self, state: &State, number: u8, actions: &mut Vec<Action>) {
        if self.use_of(state, number).is_some() {
            actions.push(Action::Take(number));
        }
        let has_room = state.asks.len() < self.bounds.capacity as usize;
        if state.handlers[number as usize].hand.is_some() && has_room {
            actions.push(Action::Ask(number));
        }
        if Self::resumable(state, number).is_some() {
            actions.push(Action::Resume(number));
        }
    }

    pub(super) fn take(&self, state: &mut State, number: u8) {
        let Some(what) = self.use_of(state, number) else { return };
        let message = state.queues[self.queue_of(number)].remove(0);
        let handler = &mut state.handlers[number as usize];
        match what {
            Use::Begin(order) => handler.hand = Some(order),
            Use::Complete(order) => {
                handler.waits_for.retain(|waited| *waited != order);
                state.is_handled[order as usize] = true;
            }
            Use::Defer => handler.deferred.push(message),
            Use::DeadLetter => state.dead_letters += 1,
        }
    }

    pub(super) fn ask(state: &mut State, number: u8) {
        let handler = &mut state.handlers[number as usize];
        let Some(order) = handler.hand.take() else { return };
        handler.waits_for.push(order);
        state.asks.push(order);
    }

    pub(super) fn resume(state: &mut State, number: u8) {
        let Some((place, order)) = Self::resumable(state, number) else { return };
        let handler = &mut state.handlers[number as usize];
        handler.deferred.remove(place);
        handler.hand = Some(order);
    }
}
