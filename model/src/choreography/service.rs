//! The services: what they listen to, what they wrote down, and what they make of an event.

use super::{
    Choreography, DEDUP, Event, Order, REFUND_ON_CANCEL, RELEASE_ON_PAYMENT_FAILURE, REMEMBER_REFUSAL, State,
    TOMBSTONE,
};

/// A service, and the topic that it publishes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Service {
    /// Takes orders and cancellations, and says how they ended.
    Orders,
    /// Reserves and releases.
    Inventory,
    /// Charges and refunds.
    Payments,
    /// Ships, or stops what is not shipped yet.
    Shipping,
}

impl Service {
    /// How many there are.
    pub const COUNT: usize = 4;

    /// Every service.
    pub const ALL: [Service; Service::COUNT] =
        [Service::Orders, Service::Inventory, Service::Payments, Service::Shipping];

    /// Its place in arrays.
    pub fn place(self) -> usize {
        self as usize
    }

    /// Every reader with every topic.
    pub(super) fn pairs() -> impl Iterator<Item = (Service, Service)> {
        Service::ALL.into_iter().flat_map(|reader| Service::ALL.map(|topic| (reader, topic)))
    }

    /// Whether the service acts on an event.
    fn listens_to(self, event: Event) -> bool {
        match self {
            Service::Orders => {
                matches!(event, Event::OutOfStock | Event::Declined | Event::Shipped | Event::Stopped)
            }
            Service::Inventory => {
                matches!(event, Event::Placed | Event::Declined | Event::Stopped | Event::Cancelled)
            }
            Service::Payments => matches!(event, Event::Reserved | Event::Stopped | Event::Cancelled),
            Service::Shipping => matches!(event, Event::Charged | Event::CancelAsked),
        }
    }
}

impl Choreography {
    /// The place of the next event of `topic` that `reader` acts on.
    fn next_place(state: &State, reader: Service, topic: Service) -> Option<usize> {
        let position = state.positions[reader.place()][topic.place()] as usize;
        let events = &state.topics[topic.place()];
        (position..events.len()).find(|place| reader.listens_to(events[*place]))
    }

    /// The next event of `topic` that `reader` acts on.
    pub(super) fn next(state: &State, reader: Service, topic: Service) -> Option<Event> {
        Self::next_place(state, reader, topic).map(|place| state.topics[topic.place()][place])
    }

    /// The last event of `topic` that `reader` acted on, with its place.
    pub(super) fn last(state: &State, reader: Service, topic: Service) -> Option<(usize, Event)> {
        let events = &state.topics[topic.place()];
        let position = state.positions[reader.place()][topic.place()] as usize;
        let of = |place: usize| (place, events[place]);
        (0..position).rev().map(of).find(|(_, event)| reader.listens_to(*event))
    }

    pub(super) fn publish(state: &mut State, service: Service, event: Event) {
        state.topics[service.place()].push(event);
    }

    /// Whether `reader` would publish something if it handled the next event of `topic`.
    pub(super) fn publishes(&self, state: &State, reader: Service, topic: Service) -> bool {
        let mut after = *state;
        Self::next(state, reader, topic).is_some() && {
            self.handle(&mut after, reader, topic);
            after.topics != state.topics
        }
    }

    fn take(state: &mut State, reader: Service, topic: Service) -> Option<Event> {
        let place = Self::next_place(state, reader, topic)?;
        state.positions[reader.place()][topic.place()] = place as u8 + 1;
        Some(state.topics[topic.place()][place])
    }

    /// Who does what when: the whole choreography.
    pub(super) fn handle(&self, state: &mut State, reader: Service, topic: Service) {
        let Some(event) = Self::take(state, reader, topic) else { return };
        match (reader, event) {
            (Service::Inventory, Event::Placed) => self.act(state, reader, Event::Reserved),
            (Service::Payments, Event::Reserved) => self.act(state, reader, Event::Charged),
            (Service::Shipping, Event::Charged) => self.act(state, reader, Event::Shipped),
            (Service::Shipping, Event::CancelAsked) => self.stop(state),
            (Service::Inventory, Event::Declined) if !self.guards.has(&RELEASE_ON_PAYMENT_FAILURE) => {}
            (Service::Inventory, _) => self.undo(state, reader),
            (Service::Payments, _) if self.guards.has(&REFUND_ON_CANCEL) => self.undo(state, reader),
            (Service::Orders, Event::Shipped) if state.order == Order::Pending => {
                state.order = Order::Completed;
            }
            (Service::Orders, _) if state.order == Order::Pending => state.order = Order::Cancelled,
            _ => {}
        }
    }

    /// Does the step of `service` and says so, unless it was done, refused or cancelled before.
    fn act(&self, state: &mut State, service: Service, event: Event) {
        let step = &mut state.steps[service.place()];
        let is_repeat = step.executions > 0 && self.guards.has(&DEDUP);
        let is_decided = step.is_refused && self.guards.has(&REMEMBER_REFUSAL);
        if is_repeat || is_decided || step.has_tombstone {
            return;
        }
        step.executions = (step.executions + 1).min(2);
        state.ghost.has_done_closed |= state.ghost.is_closed[service.place()];
        Self::publish(state, service, event);
    }

    /// Shipping decides between the cancellation and the shipment.
    fn stop(&self, state: &mut State) {
        let step = &mut state.steps[Service::Shipping.place()];
        let is_repeat = step.has_tombstone && self.guards.has(&DEDUP);
        if step.executions > 0 || is_repeat {
            return;
        }
        step.has_tombstone = true;
        state.ghost.is_closed[Service::Shipping.place()] = true;
        Self::publish(state, Service::Shipping, Event::Stopped);
    }

    /// Compensates the step of `service`, if it was done and not compensated before.
    fn undo(&self, state: &mut State, service: Service) {
        let step = &mut state.steps[service.place()];
        let is_first = step.compensations == 0 || !self.guards.has(&DEDUP);
        if step.executions > 0 && is_first {
            step.compensations = (step.compensations + 1).min(2);
        }
        step.has_tombstone |= self.guards.has(&TOMBSTONE);
        state.ghost.is_closed[service.place()] = true;
    }

    /// What was decided once is not decided again, and what is paid for is shipped.
    pub(super) fn may_refuse(state: &State, reader: Service, topic: Service) -> bool {
        let asks = matches!(Self::next(state, reader, topic), Some(Event::Placed | Event::Reserved));
        asks && state.steps[reader.place()].is_fresh()
    }

    pub(super) fn refuse(state: &mut State, reader: Service, topic: Service) {
        state.budget.spend(|budget| &mut budget.refusals);
        Self::take(state, reader, topic);
        state.steps[reader.place()].is_refused = true;
        state.ghost.is_closed[reader.place()] = true;
        let event = if reader == Service::Inventory { Event::OutOfStock } else { Event::Declined };
        Self::publish(state, reader, event);
    }

    pub(super) fn redeliver(state: &mut State, reader: Service, topic: Service) {
        state.budget.spend(|budget| &mut budget.redeliveries);
        if let Some((place, _)) = Self::last(state, reader, topic) {
            state.positions[reader.place()][topic.place()] = place as u8;
        }
    }
}
