//! Bounded queues: handlers that wait for one kind of message, while what stands ahead of it waits for them.
//!
//! A shop puts orders into the queue of a handler. The handler takes an order, asks payments for its payment, and waits
//! for the answer, which comes through the same queue of its own as new orders do. Every queue is bounded: who finds it
//! full waits. So a circle of waiting can close: handlers wait for payments, payments wait for room, and the room is taken
//! by what handlers do not take before they have their answer.
//!
//! Reference: Coffman, Elphick and Shoshani, *System Deadlocks*, 1971 (the circular wait); Dijkstra, *Cooperating
//! sequential processes*, 1965 (the bounded buffer); selective receive as in Erlang, deferral as in Azure Service Bus.
//!
//! Left out, and why that is safe:
//! * Losses, repeats and crashes: nothing fails here, and yet it may stand still. What failures add is in
//!   [`crate::consumer_group`] and [`crate::outbox`].
//! * The bound of what a handler sets aside: it is as large as there are orders. A handler that has no room for it is one
//!   without `defer`.
//! * Several shops and several payment services: each put is a step of its own, by whomever.
//! * Time: a wait that is broken off after a time is a failure, on which nothing may rely.
//!
//! A new order, and a message that nobody knows what to do with, are the environment's doing.

mod bounds;
mod guards;
mod handler;
mod laws;
mod observed;
mod words;

pub use bounds::Bounds;
pub use guards::*;
pub use handler::Handler;

use serde::Serialize;
use stateright::{Model, Property};

use crate::engine::{self, FairGroup, Law, System, Witness};
use crate::few::Few;
use crate::guard::Guards;

/// The model: its bounds and the guards in place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundedQueues {
    /// How much there is of everything.
    pub bounds: Bounds,
    /// The guards in place.
    pub guards: Guards,
}

/// The most orders that a state can hold.
const MAX_ORDERS: usize = 6;

/// The most handlers.
const MAX_HANDLERS: usize = 3;

/// The most messages in a queue.
const MAX_CAPACITY: usize = 4;

/// A message to a handler.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub enum Message {
    /// There is an order.
    Placed(u8),
    /// An order is paid for.
    Paid(u8),
    /// Something of a kind that no handler knows.
    #[default]
    Unknown,
}

/// A state of the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct State {
    /// The handler that each placed order is meant for, by order.
    pub placed: Few<u8, MAX_ORDERS>,
    /// What handlers are to take, oldest first: a queue each, or the first one for all.
    pub queues: Few<Few<Message, MAX_CAPACITY>, MAX_HANDLERS>,
    /// Those who take it.
    pub handlers: Few<Handler, MAX_HANDLERS>,
    /// Orders for which payment is asked, oldest first.
    pub asks: Few<u8, MAX_CAPACITY>,
    /// Which orders are handled, by order.
    pub is_handled: Few<bool, MAX_ORDERS>,
    /// Messages that were put aside for good.
    pub dead_letters: u8,
    /// Messages of an unknown kind to come.
    pub strays: u8,
}

/// A step of the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// The shop places an order that is meant for a handler.
    Place(u8),
    /// A message of an unknown kind comes for a handler.
    Stray(u8),
    /// A handler takes the message at the head of its queue.
    Take(u8),
    /// A handler asks for the payment of the order in its hand.
    Ask(u8),
    /// A handler goes back to what it set aside.
    Resume(u8),
    /// Payments answers the first that asked.
    Pay,
}

impl BoundedQueues {
    /// The queue from which a handler takes.
    pub(crate) fn queue_of(&self, handler: u8) -> usize {
        if self.guards.has(&ROUTE_BY_KEY) { handler as usize } else { 0 }
    }

    fn has_room(&self, state: &State, queue: usize) -> bool {
        state.queues[queue].len() < self.bounds.capacity as usize
    }

    /// The queue to which the first who asked is answered.
    fn queue_to_answer(&self, state: &State) -> Option<usize> {
        state.asks.first().map(|order| self.queue_of(state.placed[*order as usize]))
    }

    fn put(&self, state: &mut State, handler: u8, message: Message) {
        let queue = self.queue_of(handler);
        state.queues[queue].push(message);
    }

    fn pay(&self, state: &mut State) {
        let order = state.asks.remove(0);
        self.put(state, state.placed[order as usize], Message::Paid(order));
    }
}

impl Model for BoundedQueues {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let Bounds { handlers, strays, .. } = self.bounds;
        vec![State {
            placed: Few::default(),
            queues: (0..handlers).map(|_| Few::default()).collect(),
            handlers: (0..handlers).map(|_| Handler::default()).collect(),
            asks: Few::default(),
            is_handled: Few::default(),
            dead_letters: 0,
            strays,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for handler in 0..self.bounds.handlers {
            self.handler_work(state, handler, actions);
        }
        if self.queue_to_answer(state).is_some_and(|queue| self.has_room(state, queue)) {
            actions.push(Action::Pay);
        }
        let open = |handler: &u8| self.has_room(state, self.queue_of(*handler));
        if state.placed.len() < self.bounds.orders as usize {
            actions.extend((0..self.bounds.handlers).filter(open).map(Action::Place));
        }
        if state.strays > 0 {
            actions.extend((0..self.bounds.handlers).filter(open).map(Action::Stray));
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = *last;
        match action {
            Action::Place(handler) => {
                let order = state.placed.len() as u8;
                state.placed.push(handler);
                state.is_handled.push(false);
                self.put(&mut state, handler, Message::Placed(order));
            }
            Action::Stray(handler) => {
                state.strays -= 1;
                self.put(&mut state, handler, Message::Unknown);
            }
            Action::Take(handler) => self.take(&mut state, handler),
            Action::Ask(handler) => Self::ask(&mut state, handler),
            Action::Resume(handler) => Self::resume(&mut state, handler),
            Action::Pay => self.pay(&mut state),
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        engine::properties(self)
    }
}

impl System for BoundedQueues {
    fn is_fault(&self, action: &Action) -> bool {
        matches!(action, Action::Place(_) | Action::Stray(_))
    }

    /// Each handler goes on when it can, and so do payments.
    fn fair_group(&self, action: &Action) -> Option<FairGroup> {
        match action {
            Action::Pay => Some(FairGroup::new(0)),
            Action::Take(handler) | Action::Ask(handler) | Action::Resume(handler) => {
                Some(FairGroup::new(1 + handler))
            }
            Action::Place(_) | Action::Stray(_) => None,
        }
    }

    fn is_done(&self, state: &State) -> bool {
        state.queues.iter().all(|queue| queue.is_empty())
            && state.asks.is_empty()
            && state.handlers.iter().all(Handler::is_idle)
    }

    fn laws(&self) -> Vec<Law<Self>> {
        laws::laws()
    }

    fn witnesses(&self) -> Vec<Witness<Self>> {
        laws::witnesses()
    }

    fn kind(&self, action: &Action) -> &'static str {
        words::kind(action)
    }

    fn action_kinds(&self) -> &'static [&'static str] {
        words::KINDS
    }
}
