//! Producers, an unreliable link, and the partitions of one topic.
//!
//! Each producer has a few events to send, in order, each with a key. A request may be lost, duplicated, damaged or
//! overtaken on the link; the broker appends to a partition, syncs it to disk and acknowledges; it may lose power
//! and with it what was not synced. A producer may be restarted while requests of its former incarnation are still
//! on the link, and the topic may get one more partition.
//!
//! Reference: Kafka's producer and log (KIP-98 idempotence and epochs, KIP-360 producer state).
//!
//! Left out: batches (a batch is one event), replication (its own model), and refusals sent back to the producer (a
//! refused request vanishes, and the retry follows as after a loss).
//! A retry that comes although the first request or its acknowledgement is still under way is told as the link's
//! duplicate: to the broker both are the same. So the producer itself sends again only when nothing of the event is
//! under way any more, which it could not know; that bounds how many copies there are, and is read by no guard but
//! `retry` and `in-order-retry`.
//! Faults are budgeted; recovery is not.

mod bounds;
mod broker;
mod guards;
mod laws;
mod observed;
mod producer;
mod symmetry;
mod words;

pub(crate) use broker::Verdict;
pub(crate) use producer::{hashed, key};

pub use bounds::Bounds;
pub use guards::*;

use serde::Serialize;
use smallvec::smallvec;
use stateright::{Model, Property};

use crate::engine::{self, FairGroup, Law, System, Witness};
use crate::export::{bag, set};
use crate::few::Short;
use crate::guard::Guards;

/// The model: its bounds and the guards in place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionLog {
    /// How much there is of everything.
    pub bounds: Bounds,
    /// The guards in place.
    pub guards: Guards,
}

/// An event: the `number`-th of a producer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Event {
    /// Who sends it.
    pub producer: u8,
    /// Its place in what that producer sends, from 0.
    pub number: u8,
}

/// What a damaged request turns into: no event of anybody's.
const GARBAGE: Event = Event { producer: u8::MAX, number: u8::MAX };

/// What an incarnation of a producer writes on a request, once and for all retries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Stamp {
    /// Where to.
    pub partition: u8,
    /// The incarnation.
    pub epoch: u8,
    /// The place among what this incarnation sent to this partition, from 0.
    pub sequence: u8,
}

/// A request on the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Request {
    /// What to append.
    pub event: Event,
    /// Where, and from which incarnation.
    pub stamp: Stamp,
    /// Whether the link damaged it.
    pub is_damaged: bool,
}

/// An acknowledgement on the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Reply {
    /// Of which event.
    pub event: Event,
    /// In which partition it is said to stand.
    pub partition: u8,
    /// At which offset; `None` where the broker does not know any more.
    pub offset: Option<u8>,
}

/// An entry of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Record {
    /// What was appended.
    pub event: Event,
    /// The incarnation that sent it.
    pub epoch: u8,
    /// Its sequence number there.
    pub sequence: u8,
}

/// A partition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Partition {
    /// Its entries, by offset.
    pub log: Short<Record, 6>,
    /// How many of them are on disk.
    pub durable: u8,
    /// From which offset on the broker knows who wrote what; 0 unless it forgot.
    pub remembered_from: u8,
    /// The incarnation of each producer that the broker lets append.
    pub epochs: Short<u8, 8>,
}

/// What a producer knows of one of its events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Progress {
    /// Set when this incarnation first sends it.
    pub stamp: Option<Stamp>,
    /// Whether it was acknowledged, to this incarnation or a former one.
    pub is_acknowledged: bool,
}

/// A producer.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Producer {
    /// Its incarnation.
    pub epoch: u8,
    /// Its events.
    pub events: Short<Progress, 4>,
}

/// How many faults may still happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Budget {
    faults: u8,
    losses: u8,
    duplicates: u8,
    damages: u8,
    crashes: u8,
    restarts: u8,
    growths: u8,
}

impl Budget {
    /// Takes one fault of a kind.
    fn spend(&mut self, kind: fn(&mut Budget) -> &mut u8) {
        self.faults -= 1;
        *kind(self) -= 1;
    }
}

/// The truth, kept for the laws; no guard and no action reads it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Ghost {
    /// Every event with every partition it was sent to, sorted.
    #[serde(serialize_with = "set")]
    pub sent: Short<(Event, u8), 8>,
    /// Every acknowledgement that a producer received, sorted.
    #[serde(serialize_with = "set")]
    pub acknowledged: Short<Reply, 4>,
}

/// A state of the whole.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct State {
    /// The producers.
    pub producers: Short<Producer, 2>,
    /// Requests on the link: a multiset, sorted.
    #[serde(serialize_with = "bag")]
    pub requests: Short<Request, 4>,
    /// Acknowledgements on the link: a multiset, sorted.
    #[serde(serialize_with = "bag")]
    pub replies: Short<Reply, 4>,
    /// The partitions of the topic.
    pub partitions: Short<Partition, 2>,
    /// Faults to come.
    pub budget: Budget,
    /// The truth.
    pub ghost: Ghost,
}

/// A step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// A producer sends its next event for the first time.
    Send(Event),
    /// A producer sends an event again of which it has heard nothing.
    Retry(Event),
    /// The broker takes a request from the link.
    Handle(Request),
    /// The broker syncs a partition to disk, and acknowledges what that made durable.
    Flush(u8),
    /// A producer receives an acknowledgement.
    Acknowledge(Reply),
    /// The link loses a request.
    LoseRequest(Request),
    /// The link loses an acknowledgement.
    LoseReply(Reply),
    /// The link duplicates a request.
    Duplicate(Request),
    /// The link damages a request.
    Damage(Request),
    /// The broker loses power and starts again.
    Crash,
    /// A producer is restarted as a new incarnation, while the link still holds requests of the former one.
    Restart(u8),
    /// The topic gets one more partition.
    Grow,
}

impl PartitionLog {
    fn faults(&self, state: &State, actions: &mut Vec<Action>) {
        let budget = state.budget;
        if budget.faults == 0 {
            return;
        }
        let requests = || distinct(&state.requests);
        if budget.losses > 0 {
            actions.extend(requests().map(Action::LoseRequest));
            actions.extend(distinct(&state.replies).map(Action::LoseReply));
        }
        if budget.duplicates > 0 {
            actions.extend(requests().map(Action::Duplicate));
        }
        if budget.damages > 0 {
            actions.extend(requests().filter(|request| !request.is_damaged).map(Action::Damage));
        }
        if budget.crashes > 0 {
            actions.push(Action::Crash);
        }
        if budget.restarts > 0 {
            actions.extend((0..state.producers.len() as u8).map(Action::Restart));
        }
        if budget.growths > 0 {
            actions.push(Action::Grow);
        }
    }
}

fn insert<T: Ord, const N: usize>(multiset: &mut Short<T, N>, item: T) {
    let place = multiset.binary_search(&item).unwrap_or_else(|place| place);
    multiset.insert(place, item);
}

fn remove<T: Ord, const N: usize>(multiset: &mut Short<T, N>, item: &T) {
    let place = multiset.binary_search(item).expect("only what is on the link is taken from it");
    multiset.remove(place);
}

fn distinct<T: Copy + PartialEq>(multiset: &[T]) -> impl Iterator<Item = T> {
    multiset
        .iter()
        .enumerate()
        .filter(|(place, item)| *place == 0 || multiset[place - 1] != **item)
        .map(|(_, i)| *i)
}

impl Model for PartitionLog {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let Bounds {
            producers,
            events,
            partitions,
            faults,
            losses,
            duplicates,
            damages,
            crashes,
            restarts,
            growths,
            ..
        } = self.bounds;
        vec![State {
            producers: smallvec![
                Producer { epoch: 0, events: smallvec![Progress::default(); events as usize] };
                producers as usize
            ],
            requests: Short::new(),
            replies: Short::new(),
            partitions: smallvec![
                Partition { epochs: smallvec![0; producers as usize], ..Partition::default() };
                partitions as usize
            ],
            budget: Budget { faults, losses, duplicates, damages, crashes, restarts, growths },
            ghost: Ghost::default(),
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        (0..state.producers.len() as u8).for_each(|producer| self.sends(state, producer, actions));
        actions.extend(distinct(&state.requests).map(Action::Handle));
        let unsynced = |p: &u8| {
            (state.partitions[*p as usize].durable as usize) < state.partitions[*p as usize].log.len()
        };
        actions.extend((0..state.partitions.len() as u8).filter(unsynced).map(Action::Flush));
        actions.extend(distinct(&state.replies).map(Action::Acknowledge));
        self.faults(state, actions);
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Send(event) => self.send(&mut state, event),
            Action::Retry(event) => self.retry(&mut state, event),
            Action::Handle(request) => self.handle(&mut state, &request),
            Action::Flush(partition) => self.flush(&mut state, partition),
            Action::Acknowledge(reply) => self.acknowledge(&mut state, &reply),
            Action::LoseRequest(request) => {
                state.budget.spend(|budget| &mut budget.losses);
                remove(&mut state.requests, &request);
            }
            Action::LoseReply(reply) => {
                state.budget.spend(|budget| &mut budget.losses);
                remove(&mut state.replies, &reply);
            }
            Action::Duplicate(request) => {
                state.budget.spend(|budget| &mut budget.duplicates);
                insert(&mut state.requests, request);
            }
            Action::Damage(request) => {
                state.budget.spend(|budget| &mut budget.damages);
                remove(&mut state.requests, &request);
                insert(&mut state.requests, Request { is_damaged: true, ..request });
            }
            Action::Crash => self.crash(&mut state),
            Action::Restart(producer) => self.restart(&mut state, producer),
            Action::Grow => {
                state.budget.spend(|budget| &mut budget.growths);
                let epochs = state.producers.iter().map(|producer| producer.epoch).collect();
                state.partitions.push(Partition { epochs, ..Partition::default() });
            }
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        engine::properties(self)
    }
}

impl System for PartitionLog {
    fn is_fault(&self, action: &Action) -> bool {
        match action {
            Action::Send(_)
            | Action::Retry(_)
            | Action::Handle(_)
            | Action::Flush(_)
            | Action::Acknowledge(_) => false,
            Action::LoseRequest(_)
            | Action::LoseReply(_)
            | Action::Duplicate(_)
            | Action::Damage(_)
            | Action::Crash
            | Action::Restart(_)
            | Action::Grow => true,
        }
    }

    /// Each event's next step is fair by itself, or the handling of one event could put off another's for ever.
    fn fair_group(&self, action: &Action) -> Option<FairGroup> {
        const STEPS: u8 = 4;
        let of = |event: Event, step: u8| {
            let number = event.producer * self.bounds.events + event.number;
            Some(FairGroup::new(number % (FairGroup::COUNT / STEPS) * STEPS + step))
        };
        match action {
            Action::Send(event) | Action::Retry(event) => of(*event, 0),
            Action::Handle(request) => of(request.event, 1),
            Action::Acknowledge(reply) => of(reply.event, 2),
            Action::Flush(partition) => Some(FairGroup::new(partition * STEPS + 3)),
            _ => None,
        }
    }

    fn is_done(&self, state: &State) -> bool {
        state.producers.iter().all(|producer| producer.events.iter().all(|event| event.is_acknowledged))
    }

    fn laws(&self) -> Vec<Law<Self>> {
        laws::laws()
    }

    fn witnesses(&self) -> Vec<Witness<Self>> {
        laws::witnesses()
    }

    fn representative(&self, state: &State) -> Option<State> {
        Some(symmetry::representative(state))
    }

    fn kind(&self, action: &Action) -> &'static str {
        words::kind(action)
    }

    fn action_kinds(&self) -> &'static [&'static str] {
        words::KINDS
    }
}
