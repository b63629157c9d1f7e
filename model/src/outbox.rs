//! A transactional outbox: a service changes its state and owes the world an event for it, over a queue that delivers
//! at least once to a service whose inbox tells repeats from news.
//!
//! The service writes a change and a row of its outbox in one transaction. A relay locks the next row, publishes its
//! event to the queue, and marks the row as sent. A worker of the other service is handed a message, looks the event up
//! in the inbox, lets its effect happen and notes it in the inbox, all in one transaction, and acknowledges the message.
//! All changes are of one record, so that their order matters. Transactions may be rolled back; the service, relays and
//! workers may crash; the inbox forgets old entries.
//!
//! Reference: the dual-write problem (NServiceBus, *Outbox*: zombie records and ghost messages); Richardson,
//! *Microservices Patterns*, 2018, sections 3.3 and 7.1 (transactional outbox, polling publisher, idempotent consumer).
//!
//! Left out, and why that is safe:
//! * Losses of the queue: what it took it keeps until it is acknowledged. Its own dangers are in [`crate::partition_log`].
//! * Gaps in the row numbers (a row that is numbered before another and committed after it): changes commit in the order
//!   of their rows here, as changes of one record do; a relay that reads several records' rows by number is a store's
//!   business.
//! * Failed publications: the relay keeps its row until it has published; one that gives the row up has crashed.
//! * Time: a crash is noticed at once, and a relay that is only slow keeps its lock.
//! * Crashes of the service within its transaction: that is a transaction that is rolled back.
//!
//! A new change is the environment's doing: no promise rests on its being made. Faults are budgeted; recovery is not.

mod bounds;
mod guards;
mod laws;
mod observed;
mod relay;
mod words;
mod worker;

pub use bounds::Bounds;
pub use guards::*;
pub use relay::{Published, Relay, Row};
pub use worker::{Stage, Work, Worker};

use serde::Serialize;
use stateright::{Model, Property};

use crate::engine::{self, FairGroup, Law, System, Witness};
use crate::few::Few;
use crate::guard::Guards;

/// The model: its bounds and the guards in place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outbox {
    /// How much there is of everything.
    pub bounds: Bounds,
    /// The guards in place.
    pub guards: Guards,
}

/// The most changes that a state can hold.
const MAX_EVENTS: usize = 4;

/// The most relays, and the most workers.
const MAX_PEERS: usize = 2;

/// The most messages: one an event, and one more for each crash of a relay.
const MAX_MESSAGES: usize = MAX_EVENTS + MAX_CRASHES as usize;

/// The most crashes.
const MAX_CRASHES: u8 = 4;

/// Something of each event.
pub type ByEvent<T> = Few<T, MAX_EVENTS>;

/// What became of a change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub enum Change {
    /// It was not tried yet.
    #[default]
    Wanted,
    /// It is being made without a transaction around it and its event: the event is out, the change is not.
    Announced,
    /// The same the other way round: the change is made, the event is not out.
    Unannounced,
    /// It is made for good, and so is its event or its row.
    Committed,
    /// It was not made: the transaction failed.
    RolledBack,
}

/// A message of the queue: it stays until it is acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Message {
    /// What it announces.
    pub event: u8,
    /// The worker to which it was handed out.
    pub holder: Option<u8>,
}

/// How many faults may still happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Budget {
    rollbacks: u8,
    crashes: u8,
    expiries: u8,
}

/// The truth, kept for the laws; no guard and no action reads it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Ghost {
    /// Whether an effect came after that of a later change.
    pub is_overtaken: bool,
    /// Whether a message was acknowledged whose effect had not happened.
    pub has_acked_undone: bool,
}

/// A state of the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct State {
    /// The service's changes, in their order.
    pub changes: ByEvent<Change>,
    /// The rows of the outbox, by event.
    pub rows: ByEvent<Row>,
    /// Who publishes what the rows say.
    pub relays: Few<Relay, MAX_PEERS>,
    /// The queue, oldest first.
    pub queue: Few<Message, MAX_MESSAGES>,
    /// Who lets the effects happen.
    pub workers: Few<Worker, MAX_PEERS>,
    /// Which events the inbox has noted.
    pub inbox: ByEvent<bool>,
    /// How often each effect happened; counted to 2.
    pub effects: ByEvent<u8>,
    /// Faults to come.
    pub budget: Budget,
    /// The truth.
    pub ghost: Ghost,
}

/// A step of the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// The service makes its next change.
    Change(u8),
    /// The service, which has no outbox, publishes the event of its next change first.
    Announce(u8),
    /// The service, which has no outbox, does the other half of a change.
    Finish(u8),
    /// A relay locks the next row.
    Lock(u8),
    /// A relay publishes the event of its row.
    Publish(u8),
    /// A relay marks its row as sent.
    Mark(u8),
    /// A worker is handed a message.
    Receive(u8),
    /// A worker goes on with its message: looks it up, lets the effect happen, notes it.
    Handle(u8),
    /// A worker acknowledges its message.
    Ack(u8),
    /// The transaction of the next change is rolled back.
    RollBack(u8),
    /// The service crashes between the halves of a change.
    CrashService(u8),
    /// A relay crashes, and another is started in its place.
    CrashRelay(u8),
    /// A worker crashes, and another is started in its place.
    CrashWorker(u8),
    /// The inbox forgets an event.
    Expire(u8),
}

impl Outbox {
    /// The next change, if the service is through with the ones before.
    fn next_change(state: &State) -> Option<u8> {
        let is_half = |change: &Change| matches!(change, Change::Announced | Change::Unannounced);
        let next = state.changes.iter().position(|change| *change == Change::Wanted)?;
        (!state.changes.iter().any(is_half)).then_some(next as u8)
    }

    /// A change of which one half is done.
    fn half_change(state: &State) -> Option<u8> {
        let is_half = |change: &Change| matches!(change, Change::Announced | Change::Unannounced);
        state.changes.iter().position(is_half).map(|event| event as u8)
    }

    /// The change, with its event where there is an outbox.
    fn change(&self, state: &mut State, event: u8) {
        if self.guards.has(&ATOMIC_OUTBOX) {
            state.changes[event as usize] = Change::Committed;
            state.rows[event as usize] = Row::Waiting;
        } else {
            state.changes[event as usize] = Change::Unannounced;
        }
    }

    fn announce(state: &mut State, event: u8) {
        state.changes[event as usize] = Change::Announced;
        state.queue.push(Message { event, holder: None });
    }

    fn finish(state: &mut State, event: u8) {
        if state.changes[event as usize] == Change::Unannounced {
            state.queue.push(Message { event, holder: None });
        }
        state.changes[event as usize] = Change::Committed;
    }

    /// What was changed stays changed, what was published stays published, and nobody remembers the rest.
    fn crash_service(state: &mut State, event: u8) {
        state.budget.crashes -= 1;
        let change = &mut state.changes[event as usize];
        *change = if *change == Change::Announced { Change::RolledBack } else { Change::Committed };
    }

    /// Whether the event may be delivered again.
    fn may_come_again(state: &State, event: u8) -> bool {
        matches!(state.rows[event as usize], Row::Waiting | Row::Locked)
            || state.relays.iter().any(|relay| relay.row == Some(event))
            || state.queue.iter().any(|message| message.event == event)
            || state.workers.iter().any(|worker| worker.work.is_some_and(|work| work.event == event))
    }

    fn may_expire(&self, state: &State, event: u8) -> bool {
        state.inbox[event as usize] && !(self.guards.has(&INBOX_KEEP) && Self::may_come_again(state, event))
    }

    fn faults(&self, state: &State, actions: &mut Vec<Action>) {
        let budget = state.budget;
        if let Some(event) = Self::next_change(state) {
            actions.push(Action::Change(event));
            if !self.guards.has(&ATOMIC_OUTBOX) {
                actions.push(Action::Announce(event));
            }
        }
        if budget.rollbacks > 0 {
            let fails = |event: &u8| state.changes[*event as usize] != Change::Unannounced;
            let next = Self::half_change(state).or_else(|| Self::next_change(state));
            actions.extend(next.filter(fails).map(Action::RollBack));
        }
        if budget.crashes > 0 {
            actions.extend(Self::half_change(state).map(Action::CrashService));
            let relays = (0..).zip(&state.relays).filter(|(_, relay)| relay.row.is_some());
            actions.extend(relays.map(|(number, _)| Action::CrashRelay(number)));
            let workers = (0..).zip(&state.workers).filter(|(_, worker)| worker.work.is_some());
            actions.extend(workers.map(|(number, _)| Action::CrashWorker(number)));
        }
        if budget.expiries > 0 {
            let events = 0..state.inbox.len() as u8;
            actions.extend(events.filter(|event| self.may_expire(state, *event)).map(Action::Expire));
        }
    }
}

impl Model for Outbox {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let Bounds { events, relays, workers, rollbacks, crashes, expiries } = self.bounds;
        vec![State {
            changes: (0..events).map(|_| Change::Wanted).collect(),
            rows: (0..events).map(|_| Row::Absent).collect(),
            relays: (0..relays).map(|_| Relay::default()).collect(),
            queue: Few::default(),
            workers: (0..workers).map(|_| Worker::default()).collect(),
            inbox: (0..events).map(|_| false).collect(),
            effects: (0..events).map(|_| 0).collect(),
            budget: Budget { rollbacks, crashes, expiries },
            ghost: Ghost::default(),
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        actions.extend(Self::half_change(state).map(Action::Finish));
        (0..self.bounds.relays).for_each(|relay| self.relay_work(state, relay, actions));
        (0..self.bounds.workers).for_each(|worker| self.worker_work(state, worker, actions));
        self.faults(state, actions);
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = *last;
        match action {
            Action::Change(event) => self.change(&mut state, event),
            Action::Announce(event) => Self::announce(&mut state, event),
            Action::Finish(event) => Self::finish(&mut state, event),
            Action::Lock(relay) => Self::lock(&mut state, relay),
            Action::Publish(relay) => Self::publish(&mut state, relay),
            Action::Mark(relay) => Self::mark(&mut state, relay),
            Action::Receive(worker) => Self::receive(&mut state, worker),
            Action::Handle(worker) => self.handle(&mut state, worker),
            Action::Ack(worker) => Self::ack(&mut state, worker),
            Action::RollBack(event) => {
                state.budget.rollbacks -= 1;
                state.changes[event as usize] = Change::RolledBack;
            }
            Action::CrashService(event) => Self::crash_service(&mut state, event),
            Action::CrashRelay(relay) => self.crash_relay(&mut state, relay),
            Action::CrashWorker(worker) => Self::crash_worker(&mut state, worker),
            Action::Expire(event) => {
                state.budget.expiries -= 1;
                state.inbox[event as usize] = false;
            }
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        engine::properties(self)
    }
}

impl System for Outbox {
    fn is_fault(&self, action: &Action) -> bool {
        match action {
            Action::Finish(_)
            | Action::Lock(_)
            | Action::Publish(_)
            | Action::Mark(_)
            | Action::Receive(_)
            | Action::Handle(_)
            | Action::Ack(_) => false,
            Action::Change(_)
            | Action::Announce(_)
            | Action::RollBack(_)
            | Action::CrashService(_)
            | Action::CrashRelay(_)
            | Action::CrashWorker(_)
            | Action::Expire(_) => true,
        }
    }

    /// The service, each relay and each worker go on.
    fn fair_group(&self, action: &Action) -> Option<FairGroup> {
        const PEERS: u8 = MAX_PEERS as u8;
        match action {
            Action::Finish(_) => Some(FairGroup::new(0)),
            Action::Lock(relay) | Action::Publish(relay) | Action::Mark(relay) => {
                Some(FairGroup::new(1 + relay))
            }
            Action::Receive(worker) | Action::Handle(worker) | Action::Ack(worker) => {
                Some(FairGroup::new(1 + PEERS + worker))
            }
            _ => None,
        }
    }

    fn is_done(&self, state: &State) -> bool {
        let is_through = |row: &Row| matches!(row, Row::Absent | Row::Sent);
        Self::half_change(state).is_none()
            && state.rows.iter().all(is_through)
            && state.relays.iter().all(|relay| relay.row.is_none())
            && state.queue.is_empty()
            && state.workers.iter().all(|worker| worker.work.is_none())
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
