//! A saga without an orchestrator: an order that four services carry out by listening to one another's events.
//!
//! Each service has a topic of its own to which it publishes, and reads those of others, each topic in its order; which
//! topic it reads next, nobody says, so that an event on one may overtake an event on another. Inventory reserves what
//! was ordered, payments charges what was reserved, shipping ships what was charged. Each may refuse but shipping, whose
//! step is the pivot. The customer may cancel at any moment before the order is completed. Events may be delivered
//! again, services may crash.
//!
//! Reference: Garcia-Molina and Salem, *Sagas*, SIGMOD 1987; Richardson, *Microservices Patterns*, 2018, section 4.2
//! (choreography); Seata's TCC fence (idempotence, empty rollback, suspension).
//!
//! Left out, and why that is safe:
//! * The topics: they keep what was published, each in its order. Their own dangers are in [`crate::partition_log`], those
//!   of reading them in [`crate::consumer_group`]; what is left of these is that an event may be delivered again.
//! * Redelivery of more than the last event that a service acted on: a second redelivery goes one further back.
//! * Events that a service does not act on: it passes over them at once.
//! * Crashes while the order is placed or cancelled: the customer would be told of an error, and nothing has happened.
//! * Several orders: they share nothing here.
//! * An order of compensations: nobody leads, and each service undoes its step when it hears that it should. A saga that
//!   needs one needs an orchestrator ([`crate::saga`]) or a chain of events backwards.
//!
//! Faults are budgeted; recovery is not. That the customer cancels counts as a fault: nothing may rely on it.

mod bounds;
mod guards;
mod laws;
mod observed;
mod service;
mod variables;
mod words;

pub use bounds::Bounds;
pub use guards::*;
pub use service::Service;

use serde::Serialize;
use stateright::{Model, Property};

use crate::engine::{self, FairGroup, Law, System, Witness};
use crate::few::Few;
use crate::guard::Guards;
use crate::participant::Participant;
use variables::{by_service, by_services};

/// The model: its bounds and the guards in place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choreography {
    /// How much there is of everything.
    pub bounds: Bounds,
    /// The guards in place.
    pub guards: Guards,
}

/// The most events that a topic can hold. Without guards, each redelivery and each cancellation may make for one more, of
/// which the bounds allow six.
const MAX_EVENTS: usize = 8;

/// What is published.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// By orders: there is an order.
    #[default]
    Placed,
    /// By orders: the customer would like to cancel it.
    CancelAsked,
    /// By orders, where nobody is asked: it is cancelled.
    Cancelled,
    /// By inventory: what was ordered is set aside.
    Reserved,
    /// By inventory: there is none.
    OutOfStock,
    /// By payments: the customer has paid.
    Charged,
    /// By payments: the customer cannot pay.
    Declined,
    /// By shipping: it is on its way.
    Shipped,
    /// By shipping: it was cancelled before it was on its way, and will not be.
    Stopped,
}

/// Where the order stands, as the customer sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// Not placed yet.
    Wanted,
    /// Under way.
    Pending,
    /// Carried out.
    Completed,
    /// Cancelled by the customer, or refused by a service.
    Cancelled,
}

/// How many faults may still happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Budget {
    faults: u8,
    cancellations: u8,
    redeliveries: u8,
    refusals: u8,
    crashes: u8,
}

impl Budget {
    /// Takes one fault of a kind.
    fn spend(&mut self, kind: fn(&mut Budget) -> &mut u8) {
        self.faults -= 1;
        *kind(self) -= 1;
    }
}

/// The truth, kept for the laws; no guard and no action reads it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Ghost {
    /// Whose step was refused or cancelled, by service.
    #[serde(serialize_with = "by_service")]
    pub is_closed: [bool; Service::COUNT],
    /// Whether a step was done after that.
    pub has_done_closed: bool,
}

/// A state of the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct State {
    /// What orders knows.
    pub order: Order,
    /// What each service wrote down of its step; orders has none.
    #[serde(serialize_with = "by_service")]
    pub steps: [Participant; Service::COUNT],
    /// What each service published.
    #[serde(serialize_with = "by_service")]
    pub topics: [Few<Event, MAX_EVENTS>; Service::COUNT],
    /// How far each service (the first index) has read the topic of each.
    #[serde(serialize_with = "by_services")]
    pub positions: [[u8; Service::COUNT]; Service::COUNT],
    /// Faults to come.
    pub budget: Budget,
    /// The truth.
    #[serde(flatten)]
    pub ghost: Ghost,
}

/// A step of the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// The customer places the order.
    Place,
    /// A service handles the next event that it acts on of a topic.
    Handle(Service, Service),
    /// A service refuses its step, for reasons of its business, when it handles the next event of a topic.
    Refuse(Service, Service),
    /// The customer cancels the order.
    Cancel,
    /// The last event that a service acted on of a topic is delivered to it again.
    Redeliver(Service, Service),
    /// A service crashes while it handles the next event of a topic, after its change and before it has published.
    Crash(Service, Service),
}

impl Choreography {
    fn faults(&self, state: &State, actions: &mut Vec<Action>) {
        let budget = state.budget;
        if budget.faults == 0 {
            return;
        }
        if budget.cancellations > 0 && state.order == Order::Pending {
            actions.push(Action::Cancel);
        }
        for (reader, topic) in Service::pairs() {
            if budget.refusals > 0 && Self::may_refuse(state, reader, topic) {
                actions.push(Action::Refuse(reader, topic));
            }
            if budget.redeliveries > 0 && Self::last(state, reader, topic).is_some() {
                actions.push(Action::Redeliver(reader, topic));
            }
            if budget.crashes > 0 && self.publishes(state, reader, topic) {
                actions.push(Action::Crash(reader, topic));
            }
        }
    }

    fn cancel(&self, state: &mut State) {
        state.budget.spend(|budget| &mut budget.cancellations);
        if self.guards.has(&CANCEL_GATE) {
            Self::publish(state, Service::Orders, Event::CancelAsked);
        } else {
            state.order = Order::Cancelled;
            Self::publish(state, Service::Orders, Event::Cancelled);
        }
    }

    fn crash(&self, state: &mut State, reader: Service, topic: Service) {
        state.budget.spend(|budget| &mut budget.crashes);
        if !self.guards.has(&ATOMIC_PUBLISH) {
            let published = state.topics;
            self.handle(state, reader, topic);
            state.topics = published;
        }
    }
}

impl Model for Choreography {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let Bounds { faults, cancellations, redeliveries, refusals, crashes } = self.bounds;
        vec![State {
            order: Order::Wanted,
            steps: Default::default(),
            topics: Default::default(),
            positions: Default::default(),
            budget: Budget { faults, cancellations, redeliveries, refusals, crashes },
            ghost: Ghost::default(),
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.order == Order::Wanted {
            actions.push(Action::Place);
        }
        let readable =
            Service::pairs().filter(|(reader, topic)| Self::next(state, *reader, *topic).is_some());
        actions.extend(readable.map(|(reader, topic)| Action::Handle(reader, topic)));
        self.faults(state, actions);
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = *last;
        match action {
            Action::Place => {
                state.order = Order::Pending;
                Self::publish(&mut state, Service::Orders, Event::Placed);
            }
            Action::Handle(reader, topic) => self.handle(&mut state, reader, topic),
            Action::Refuse(reader, topic) => Self::refuse(&mut state, reader, topic),
            Action::Cancel => self.cancel(&mut state),
            Action::Redeliver(reader, topic) => Self::redeliver(&mut state, reader, topic),
            Action::Crash(reader, topic) => self.crash(&mut state, reader, topic),
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        engine::properties(self)
    }
}

impl System for Choreography {
    fn is_fault(&self, action: &Action) -> bool {
        match action {
            Action::Place | Action::Handle(..) => false,
            Action::Refuse(..) | Action::Cancel | Action::Redeliver(..) | Action::Crash(..) => true,
        }
    }

    /// Each service is fair to each topic that it reads.
    fn fair_group(&self, action: &Action) -> Option<FairGroup> {
        match action {
            Action::Place => Some(FairGroup::new(0)),
            Action::Handle(reader, topic) => {
                Some(FairGroup::new(1 + (reader.place() * Service::COUNT + topic.place()) as u8))
            }
            _ => None,
        }
    }

    fn is_done(&self, state: &State) -> bool {
        matches!(state.order, Order::Completed | Order::Cancelled)
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
