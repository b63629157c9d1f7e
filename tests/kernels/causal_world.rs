//! Services that send and deliver, with what truly happened before what, and each event in every form of context.
//!
//! What is true is kept as plain sets of numbers, unioned at every step: nothing of the bus decides it.

use std::collections::BTreeSet;

use lawspeaker_bus::causal_inbox::CausalDelivery;
use lawspeaker_bus::causality::{CausalContext, CausalPast, Dot, Representation, VectorClock};
use lawspeaker_bus::id::{Epoch, ProducerId, Sequence, Stamp};
use lawspeaker_bus::message::Message;
use lawspeaker_bus::partition_log::LogEntry;
use lawspeaker_history::{EventId, Offset, Partition};
use lawspeaker_spec::causal_inbox::Event;

/// A form in which an event can carry its causes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Form {
    AllDependencies,
    NearestDependencies,
    Clock,
    /// A clock that counts the event itself, as Birman, Schiper and Stephenson's do.
    ClockWithItself,
}

impl Form {
    pub const ALL: [Form; 4] =
        [Form::AllDependencies, Form::NearestDependencies, Form::Clock, Form::ClockWithItself];

    fn representation(self) -> Representation {
        match self {
            Form::AllDependencies => Representation::AllDependencies,
            Form::NearestDependencies => Representation::NearestDependencies,
            Form::Clock | Form::ClockWithItself => Representation::VectorClock,
        }
    }
}

/// The partition with this number, which the law calls topic.
pub fn partition(number: usize) -> Partition {
    Partition::new("t", u32::try_from(number).unwrap())
}

/// An event that was sent.
#[derive(Clone, Debug)]
pub struct Sent {
    pub partition: usize,
    pub dot: Dot,
    /// All that happened before it, by number.
    pub causes: BTreeSet<usize>,
    /// By the place of the form in [`Form::ALL`].
    contexts: Vec<CausalContext>,
}

#[derive(Clone, Debug)]
struct Service {
    known: BTreeSet<usize>,
    pasts: Vec<CausalPast>,
}

/// What was sent so far, by number.
#[derive(Clone, Debug)]
pub struct World {
    services: Vec<Service>,
    pub events: Vec<Sent>,
}

impl World {
    pub fn new(service_count: usize) -> Self {
        let pasts = Form::ALL.map(|form| CausalPast::new(form.representation())).to_vec();
        World { services: vec![Service { known: BTreeSet::new(), pasts }; service_count], events: Vec::new() }
    }

    /// The service sends an event, which gets the next number.
    pub fn send(&mut self, service: usize, partition_number: usize) -> usize {
        let number = self.events.len();
        let partition = partition(partition_number);
        let producer = ProducerId(service as u64);
        let mine =
            |sent: &&Sent| sent.partition == partition_number && sent.dot.lane.origin.producer == producer;
        let sequence = Sequence(self.events.iter().filter(mine).count() as u64);
        let dot = Dot::new(&partition, Stamp { producer, epoch: Epoch(0), sequence });
        let sender = &self.services[service];
        let told = Form::ALL.iter().zip(&sender.pasts);
        let contexts = told.map(|(form, past)| in_form(*form, &dot, past.context())).collect();
        self.events.push(Sent { partition: partition_number, dot, causes: sender.known.clone(), contexts });
        self.deliver(service, number);
        number
    }

    /// The service learns of an event; what it sends from now on depends on it.
    pub fn deliver(&mut self, service: usize, number: usize) {
        let sent = &self.events[number];
        let Service { known, pasts } = &mut self.services[service];
        known.extend(&sent.causes);
        known.insert(number);
        for (past, context) in pasts.iter_mut().zip(&sent.contexts) {
            past.observe(&sent.dot, &id(number), Some(context));
        }
    }

    /// The event as it arrives at an inbox.
    pub fn arrival(&self, number: usize, form: Form) -> CausalDelivery {
        let Dot { lane, sequence } = self.events[number].dot.clone();
        let stamp = Stamp { producer: lane.origin.producer, epoch: lane.origin.epoch, sequence };
        let mut message = Message::new(id(number), "");
        message.context = Some(self.context(number, form).clone());
        CausalDelivery {
            partition: lane.partition,
            entry: LogEntry { offset: Offset::of(number), stamp, message },
        }
    }

    pub fn context(&self, number: usize, form: Form) -> &CausalContext {
        let place = Form::ALL.iter().position(|other| *other == form).unwrap();
        &self.events[number].contexts[place]
    }

    /// The event in the law's words.
    pub fn event(&self, number: usize) -> Event {
        Event { topic: self.events[number].partition as u64, number: number as u64 }
    }

    /// The number of the event that is called so.
    pub fn number(&self, dot: &Dot) -> usize {
        self.events.iter().position(|sent| sent.dot == *dot).unwrap()
    }

    /// The causes that the event's context lists in this form, itself among them if it does.
    pub fn listed_causes(&self, number: usize, form: Form) -> Vec<Event> {
        let is_listed = |other: &usize| {
            let dot = &self.events[*other].dot;
            match self.context(number, form) {
                CausalContext::Dependencies(dependencies) => dependencies.contains_key(dot),
                CausalContext::Clock(clock) => dot.sequence < clock.next(&dot.lane),
            }
        };
        (0..self.events.len()).filter(is_listed).map(|other| self.event(other)).collect()
    }

    /// Panics if an event stands before one of its causes that is delivered too, or twice.
    pub fn assert_causal(&self, delivered: &[usize]) {
        for (place, number) in delivered.iter().enumerate() {
            let later = &delivered[place + 1..];
            assert!(!later.contains(number), "event {number} was delivered twice: {delivered:?}");
            let inverted = later.iter().find(|other| self.events[*number].causes.contains(other));
            assert_eq!(inverted, None, "event {number} stands before its cause in {delivered:?}");
        }
    }
}

fn id(number: usize) -> EventId {
    EventId::Number(number.try_into().unwrap())
}

fn in_form(form: Form, dot: &Dot, context: &CausalContext) -> CausalContext {
    match context {
        CausalContext::Clock(clock) if form == Form::ClockWithItself => {
            let mut clock: VectorClock = clock.clone();
            clock.advance(dot);
            CausalContext::Clock(clock)
        }
        context => context.clone(),
    }
}

/// The partitions that the readers of [`small_world`] read. There is one more, which they do not.
pub const READ: [usize; 2] = [0, 1];
/// The one that they do not.
pub const UNREAD: usize = 2;

/// Six events of two services: a question (0); an answer to it in three parts, one of them (1) where nobody looks,
/// (2) in the other partition and (3) beside the question; something unrelated (4); and what follows from all (5).
pub fn small_world() -> World {
    let mut world = World::new(2);
    let [asking, answering] = [0, 1];
    let question = world.send(asking, 0);
    world.deliver(answering, question);
    world.send(answering, UNREAD);
    let parts = [world.send(answering, 1), world.send(answering, 0)];
    world.send(asking, 1);
    parts.into_iter().for_each(|part| world.deliver(asking, part));
    world.send(asking, 0);
    world
}
