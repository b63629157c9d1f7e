//! Causal delivery over partitioned logs: services emit events that depend on what they have seen, and deliver the
//! events of others, each after its causes.
//!
//! A service *emits* an event to a partition; the event carries the set of events that it depends on. It reaches the
//! partition's log later, when the producer's client sends it (*append*), which is also when the service learns that it
//! is there. Every service reads the logs of the partitions it subscribes to, each from its own position, and *delivers*
//! an event when its causes are delivered. A service knows its own events and passes over them in the logs.
//!
//! Nothing fails here: that appends happen late, in an order of their own, is all it takes. A new event is the
//! environment's doing, since nothing may rely on its being emitted.
//!
//! Reference: Lamport, *Time, Clocks, and the Ordering of Events* (1978); Birman, Schiper and Stephenson, *Lightweight
//! Causal and Atomic Group Multicast* (1991); Cheriton and Skeen, *Understanding the Limitations of Causally and Totally
//! Ordered Communication* (1993); Lloyd et al., COPS (2011), for explicit dependencies. The same in TLA+:
//! `specs/CausalDelivery.tla`.
//!
//! Left out: crashes, lost events and lost acknowledgements (`partition-log` has them), consumer groups (a service is
//! one reader), dependencies that are trimmed to the nearest ones (a dependency set is the whole past), and subscriptions
//! that change. An event's content does not matter, so who emits what depends on nothing.
//! Services that emit, and partitions, are numbered in the order of their first use: the model is symmetric in both, so
//! the behaviours left out are renamings of those that stay.

mod bounds;
pub mod clocks;
mod guards;
mod laws;
mod number;
mod observed;
mod words;

pub use bounds::{Bounds, MAX_EVENTS, MAX_PARTITIONS, MAX_SERVICES};
pub use guards::*;
pub use number::{EventNumber, Number, Partition, Service, Set};
pub use words::TRADE;

use serde::Serialize;
use stateright::{Model, Property};

use crate::engine::{self, FairGroup, Law, System, Witness};
use crate::few::Few;
use crate::guard::Guards;
use number::all;

/// The model: its bounds and the guards in place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CausalDelivery {
    /// How much there is of everything.
    pub bounds: Bounds,
    /// The guards in place.
    pub guards: Guards,
}

/// What an event carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Event {
    /// Who emitted it.
    pub by: Service,
    /// The partition it is sent to.
    pub to: Partition,
    /// The events it says it depends on.
    pub deps: Set<EventNumber>,
}

/// A partition's log; there is room for one event to stand in it twice.
pub type Log = Few<EventNumber, { MAX_EVENTS + 1 }>;

/// The truth, kept for the laws; no guard and no action reads it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Ghost {
    /// For each event, all that happened before it.
    pub past: Few<Set<EventNumber>, MAX_EVENTS>,
}

/// A state of the whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct State {
    /// For each service, the partitions it subscribes to.
    pub subscribed: Few<Set<Partition>, MAX_SERVICES>,
    /// The events, in the order in which they were emitted.
    pub emitted: Few<Event, MAX_EVENTS>,
    /// For each partition, what was appended.
    pub logs: Few<Log, MAX_PARTITIONS>,
    /// For each service, the events of others that it delivered.
    pub delivered: Few<Set<EventNumber>, MAX_SERVICES>,
    /// For each service, the events that it gave up.
    pub dropped: Few<Set<EventNumber>, MAX_SERVICES>,
    /// The truth.
    #[serde(flatten)]
    pub ghost: Ghost,
}

/// A step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A service emits an event to a partition, with these dependencies.
    Emit(Service, Partition, Set<EventNumber>),
    /// An event reaches the log of a partition, and its service learns of it.
    Append(EventNumber, Partition),
    /// A service delivers an event.
    Deliver(Service, EventNumber),
    /// A service gives up an event whose causes it has not delivered.
    Drop(Service, EventNumber),
}

impl State {
    /// The events emitted, by number.
    pub fn events(&self) -> impl DoubleEndedIterator<Item = EventNumber> {
        all(self.emitted.len() as u8)
    }

    /// What an event carries.
    pub fn event(&self, event: EventNumber) -> Event {
        self.emitted[event.index()]
    }

    /// The events that a service emitted.
    pub fn own(&self, service: Service) -> Set<EventNumber> {
        self.events().filter(|event| self.event(*event).by == service).collect()
    }

    /// What a service emitted or delivered.
    pub fn known(&self, service: Service) -> Set<EventNumber> {
        self.own(service).or(self.delivered[service.index()])
    }

    /// Whether an event stands in a log.
    pub fn is_appended(&self, event: EventNumber) -> bool {
        self.logs.iter().any(|log| log.contains(&event))
    }

    /// Whether a service reads the partition that an event was sent to.
    pub fn is_subscribed(&self, service: Service, event: EventNumber) -> bool {
        self.subscribed[service.index()].has(self.event(event).to)
    }

    /// What a service has not come past in a log, in the order of the log.
    pub fn unread(&self, service: Service, partition: Partition) -> impl Iterator<Item = EventNumber> {
        let past = self.known(service).or(self.dropped[service.index()]);
        let is_read = self.subscribed[service.index()].has(partition);
        let log = &self.logs[partition.index()];
        log.iter().copied().filter(move |event| is_read && !past.has(*event))
    }

    /// Everything that an event emitted now by `service` would depend on, as far as the service was told.
    fn context(&self, service: Service) -> Set<EventNumber> {
        let known = self.known(service);
        known.iter().fold(known, |context, event| context.or(self.event(event).deps))
    }
}

impl CausalDelivery {
    /// The causes of an event that a service has still to wait for.
    pub fn missing(&self, state: &State, service: Service, event: EventNumber) -> Set<EventNumber> {
        let deps = state.event(event).deps.minus(state.known(service));
        if self.guards.has(&SKIP_UNSUBSCRIBED) {
            deps.iter().filter(|cause| state.is_subscribed(service, *cause)).collect()
        } else {
            deps
        }
    }

    /// Whether a service may deliver an event that it has come to in a log.
    pub fn is_ready(&self, state: &State, service: Service, event: EventNumber) -> bool {
        !self.guards.has(&CHECK_DEPS) || self.missing(state, service, event).is_empty()
    }

    /// What a service may deliver next from a partition: the first event that it has not come past, or with a hold-back
    /// queue the first of those that is ready.
    pub fn deliverable(&self, state: &State, service: Service, partition: Partition) -> Option<EventNumber> {
        let reach = if self.guards.has(&HEAD_OF_LINE) { 1 } else { usize::MAX };
        let mut in_reach = state.unread(service, partition).take(reach);
        in_reach.find(|event| self.is_ready(state, service, *event))
    }

    /// What a service may give up in a partition: the first event that it has not come past, while that is not ready.
    fn droppable(&self, state: &State, service: Service, partition: Partition) -> Option<EventNumber> {
        let head = state.unread(service, partition).next()?;
        let may_drop = !self.guards.has(&WAIT_FOR_CAUSE) && !self.is_ready(state, service, head);
        may_drop.then_some(head)
    }

    /// Whether all that was emitted is in the logs and a service waits for events that can never be delivered to it.
    pub fn is_stuck(&self, state: &State, service: Service) -> bool {
        let partitions = || all(self.bounds.partitions);
        let has_work = partitions().any(|partition| state.unread(service, partition).next().is_some());
        let goes_on = |partition| {
            self.deliverable(state, service, partition).is_some()
                || self.droppable(state, service, partition).is_some()
        };
        has_work && state.events().all(|event| state.is_appended(event)) && !partitions().any(goes_on)
    }

    /// Whether a service holds an event back from `partition` until one that it sent elsewhere is acknowledged.
    fn awaits_acknowledgement(&self, state: &State, service: Service, partition: Partition) -> bool {
        let is_under_way =
            |event: EventNumber| state.event(event).to != partition && !state.is_appended(event);
        self.guards.has(&ACK_BARRIER) && state.own(service).iter().any(is_under_way)
    }

    /// What an event emitted now may name as its causes.
    fn dependencies(&self, state: &State, service: Service) -> Vec<Set<EventNumber>> {
        let context = state.context(service);
        if self.guards.has(&FULL_DEPS) || context.is_empty() {
            return vec![context];
        }
        context.iter().map(|cause| Set::default().with(cause)).collect()
    }

    /// Whether an event may reach the log of a partition now.
    fn is_appendable(&self, state: &State, event: EventNumber, partition: Partition) -> bool {
        let Event { by, to, .. } = state.event(event);
        let overtakes = state
            .own(by)
            .iter()
            .any(|earlier| earlier < event && state.event(earlier).to == to && !state.is_appended(earlier));
        let log = &state.logs[partition.index()];
        let is_new = !state.is_appended(event);
        let may_repeat = log.contains(&event) && !state.logs.iter().any(has_twice);
        (to == partition || !self.guards.has(&CHECK_PARTITION))
            && !(overtakes && self.guards.has(&SEND_ORDER))
            && (is_new || (may_repeat && !self.guards.has(&IDEMPOTENCE)))
    }

    /// The events that may be emitted.
    fn emissions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.emitted.len() >= usize::from(self.bounds.events) {
            return;
        }
        let producers = self.bounds.producers.min(self.bounds.services);
        for service in used_and_next(state.emitted.iter().map(|event| event.by), producers) {
            for partition in used_and_next(state.emitted.iter().map(|event| event.to), self.bounds.partitions)
            {
                if !self.awaits_acknowledgement(state, service, partition) {
                    let emit = |deps| Action::Emit(service, partition, deps);
                    actions.extend(self.dependencies(state, service).into_iter().map(emit));
                }
            }
        }
    }

    fn emit(state: &mut State, event: Event) {
        let known = state.known(event.by);
        let past = known.iter().fold(known, |past, cause| past.or(state.ghost.past[cause.index()]));
        state.emitted.push(event);
        state.ghost.past.push(past);
    }
}

/// What was used, and the next: numbers are given in the order of first use.
fn used_and_next<T: Number>(used: impl Iterator<Item = T>, count: u8) -> impl Iterator<Item = T> {
    let next = used.map(|number| number.index() + 1).max().unwrap_or(0);
    all(count).take(next + 1)
}

/// Whether something stands twice in a log.
fn has_twice(log: &Log) -> bool {
    log.iter().enumerate().any(|(place, event)| log[..place].contains(event))
}

impl Model for CausalDelivery {
    type State = State;
    type Action = Action;

    /// One state for each table of subscriptions.
    fn init_states(&self) -> Vec<State> {
        let Bounds { services, partitions, .. } = self.bounds;
        let start = |subscribed| State {
            subscribed,
            logs: (0..partitions).map(|_| Log::default()).collect(),
            delivered: (0..services).map(|_| Set::default()).collect(),
            dropped: (0..services).map(|_| Set::default()).collect(),
            ..State::default()
        };
        self.bounds.subscriptions().into_iter().map(start).collect()
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        // The services that only subscribe come first: where something hangs, it is they who should go on.
        for service in all(self.bounds.services).rev() {
            for partition in all(self.bounds.partitions) {
                let deliver = |event| Action::Deliver(service, event);
                actions.extend(self.deliverable(state, service, partition).map(deliver));
                let drop = |event| Action::Drop(service, event);
                actions.extend(self.droppable(state, service, partition).map(drop));
            }
        }
        for event in state.events() {
            let into = |partition: &Partition| self.is_appendable(state, event, *partition);
            let append = |partition| Action::Append(event, partition);
            actions.extend(all(self.bounds.partitions).filter(into).map(append));
        }
        self.emissions(state, actions);
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = *last;
        match action {
            Action::Emit(by, to, deps) => Self::emit(&mut state, Event { by, to, deps }),
            Action::Append(event, partition) => state.logs[partition.index()].push(event),
            Action::Deliver(service, event) => {
                let delivered = &mut state.delivered[service.index()];
                *delivered = delivered.with(event);
            }
            Action::Drop(service, event) => {
                let dropped = &mut state.dropped[service.index()];
                *dropped = dropped.with(event);
            }
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        engine::properties(self)
    }
}

impl System for CausalDelivery {
    /// What a service has to say is up to it: nothing waits for a new event.
    fn is_fault(&self, action: &Action) -> bool {
        matches!(action, Action::Emit(..))
    }

    /// Every event is appended in the end, and every service that can deliver something does.
    fn fair_group(&self, action: &Action) -> Option<FairGroup> {
        match action {
            Action::Emit(..) => None,
            Action::Append(event, _) => Some(FairGroup::new(event.index() as u8)),
            Action::Deliver(service, _) | Action::Drop(service, _) => {
                Some(FairGroup::new((MAX_EVENTS + service.index()) as u8))
            }
        }
    }

    /// Whether every event emitted was delivered by every service that subscribes to its partition.
    fn is_done(&self, state: &State) -> bool {
        state.events().all(|event| {
            all(self.bounds.services)
                .all(|service| state.known(service).has(event) || !state.is_subscribed(service, event))
                && state.is_appended(event)
        })
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
        words::kinds(self)
    }
}
