//! The same waiting with vector clocks instead of dependency sets.
//!
//! An event is stamped with what its service knew of each stream, a stream being one service's events to one partition;
//! a reader that is one event behind in the event's own stream, and behind in no other that it reads, may deliver it.
//! `model/tests/causal_refinement.rs` runs both forms in lock-step. Clocks count, so they rest on each stream being
//! delivered in order; sets do not, and say by name what is missing.
//!
//! Reference: Mattern, *Virtual Time and Global States of Distributed Systems* (1989); Birman, Schiper and Stephenson
//! (1991), which has one clock entry a sender. One a sender and partition lets a reader ignore what it does not read.
//! Cost: services times partitions counters an event; a dependency set is as long as the past.

use serde::Serialize;

use super::{EventNumber, MAX_EVENTS, MAX_PARTITIONS, MAX_SERVICES, Number, Partition, Service, Set, State};
use crate::few::Few;

/// How many events of each stream: by service, then by partition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Clock([[u8; MAX_PARTITIONS]; MAX_SERVICES]);

impl Clock {
    fn count(&self, by: Service, to: Partition) -> u8 {
        self.0[by.index()][to.index()]
    }

    fn tick(&mut self, by: Service, to: Partition) {
        self.0[by.index()][to.index()] += 1;
    }

    /// The later of the two in every stream.
    fn merge(&mut self, other: &Clock) {
        let streams = self.0.iter_mut().flatten();
        streams.zip(other.0.iter().flatten()).for_each(|(own, other)| *own = (*own).max(*other));
    }
}

/// The clocks of all services and the stamps of all events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Clocks {
    /// For each service, how far it is.
    pub services: Few<Clock, MAX_SERVICES>,
    /// For each event, how far its service was when it had emitted it.
    pub stamps: Few<Clock, MAX_EVENTS>,
}

impl Clocks {
    /// Nothing has happened.
    pub fn start(services: u8) -> Self {
        Clocks { services: (0..services).map(|_| Clock::default()).collect(), stamps: Few::default() }
    }

    /// `by` emits an event to `to`.
    pub fn emit(&mut self, by: Service, to: Partition) {
        let clock = &mut self.services[by.index()];
        clock.tick(by, to);
        self.stamps.push(*clock);
    }

    /// `service` delivers `event`.
    pub fn deliver(&mut self, service: Service, event: EventNumber) {
        self.services[service.index()].merge(&self.stamps[event.index()]);
    }

    /// Whether `service` may deliver `event`: it is the next of its stream, and nothing that `service` reads is missing.
    ///
    /// Never so for an event of its own: the clock counted it when it was emitted, so it can be the next no more. A
    /// protocol that sends a service its own events through the log and asks this question waits for ever (the flaw of
    /// Raynal, Schiper and Toueg 1991 when a message is addressed to its sender); own events must be passed over.
    pub fn is_ready(&self, state: &State, service: Service, event: EventNumber) -> bool {
        let (own, stamp) = (&self.services[service.index()], &self.stamps[event.index()]);
        let sent = state.event(event);
        let reads: Set<Partition> = state.subscribed[service.index()];
        let is_reached = |by: Service, to: Partition| {
            let is_own_stream = by == sent.by && to == sent.to;
            let expected = own.count(by, to) + u8::from(is_own_stream);
            if is_own_stream { stamp.count(by, to) == expected } else { stamp.count(by, to) <= expected }
        };
        (0..MAX_SERVICES as u8).all(|by| reads.iter().all(|to| is_reached(Service::new(by), to)))
    }
}
