//! Causes of events: what they are called, what is known of them, and how that travels.
//!
//! Happened-before (Lamport 1978) is the smallest transitive order in which a service's sends and deliveries stand
//! one after the other, and an event is sent before it is delivered. Its cheapest name for an event is its *dot*
//! (Almeida and others 2014): the lane, which is a partition and a producer's incarnation, and the sequence number
//! that the partition log has checked already. So causality costs no counter of its own, and lanes have no holes.
//!
//! What an event carries is a [`CausalContext`], in one of two forms:
//!
//! * *dependency sets*: the events that it depends on by name (COPS, Lloyd and others 2011), all of them or the
//!   nearest of each partition;
//! * a *vector clock*: of every lane, how many of its events are causes (Birman, Schiper and Stephenson 1991, by
//!   lane instead of by process, because nobody here reads everything).
//!
//! Both carry their partitions, so that a consumer knows which causes it will never be sent.
//!
//! Cost: a clock has one entry a lane that ever was heard of; nearest dependencies are at most as many and usually
//! one a partition; all dependencies grow for ever and are there to be compared with.

mod clock;
mod context;
mod dots;
mod encoding;
mod past;

use std::fmt;

use lawspeaker_history::Partition;

pub use clock::VectorClock;
pub use context::CausalContext;
pub use dots::DotSet;
pub(crate) use encoding::{context as decode_context, encode as encode_context, encoded_length};
pub use past::{CausalPast, Representation};

use crate::id::{Epoch, ProducerId, Sequence, Stamp};

/// Who sends: one incarnation of a producer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin {
    /// Which producer.
    pub producer: ProducerId,
    /// Which of its incarnations.
    pub epoch: Epoch,
}

/// The events of one origin in one partition, which have sequence numbers from 0 without holes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Lane {
    /// Where they stand.
    pub partition: Partition,
    /// Who sent them.
    pub origin: Origin,
}

/// The name of an event by where it stands and who sent it, as which of its events.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Dot {
    /// Whose events it is one of.
    pub lane: Lane,
    /// Its place among them.
    pub sequence: Sequence,
}

/// Events of a lane that follow one another; none if `end` is not above `first`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// Of which lane.
    pub lane: Lane,
    /// The first of them.
    pub first: Sequence,
    /// The one after the last of them.
    pub end: Sequence,
}

impl Dot {
    /// The event that `stamp` names in `partition`.
    pub fn new(partition: &Partition, stamp: Stamp) -> Self {
        let origin = Origin { producer: stamp.producer, epoch: stamp.epoch };
        Dot { lane: Lane { partition: partition.clone(), origin }, sequence: stamp.sequence }
    }

    /// The span of this event alone.
    pub fn span(&self) -> Span {
        Span { lane: self.lane.clone(), first: self.sequence, end: after(self.sequence) }
    }
}

/// The number after `sequence`. No log gives its last one.
fn after(sequence: Sequence) -> Sequence {
    Sequence(sequence.0.saturating_add(1))
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of producer {}.{}", self.partition, self.origin.producer, self.origin.epoch)
    }
}

impl fmt::Display for Dot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "event {} in {}", self.sequence, self.lane)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.end.0.saturating_sub(self.first.0) {
            0 | 1 => write!(f, "event {} in {}", self.first, self.lane),
            _ => write!(f, "events {} to {} in {}", self.first, self.end.0 - 1, self.lane),
        }
    }
}
