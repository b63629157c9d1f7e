//! Vector clocks, by lane.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::{Dot, Lane, Span, after};
use crate::id::Sequence;

/// Of every lane, how many of its events happened (Fidge 1988, Mattern 1989).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct VectorClock {
    // INVARIANT: no count is 0, so that equal clocks are equal maps.
    counts: BTreeMap<Lane, Sequence>,
}

impl VectorClock {
    /// The clock at which nothing has happened.
    pub fn new() -> Self {
        Self::default()
    }

    /// The first event of `lane` that has not happened.
    pub fn next(&self, lane: &Lane) -> Sequence {
        self.counts.get(lane).copied().unwrap_or_default()
    }

    /// The event happened, and with it those of its lane before it.
    pub fn advance(&mut self, dot: &Dot) {
        self.raise(&dot.lane, after(dot.sequence));
    }

    /// Everything below `next` of `lane` happened.
    pub fn raise(&mut self, lane: &Lane, next: Sequence) {
        if next > self.next(lane) {
            self.counts.insert(lane.clone(), next);
        }
    }

    /// What happened at `other` happened here too: the least clock above both. O(n log n) lanes.
    pub fn merge(&mut self, other: &VectorClock) {
        other.counts.iter().for_each(|(lane, next)| self.raise(lane, *next));
    }

    /// Of every lane, in order, the events that happened: one span, from 0.
    pub fn spans(&self) -> impl Iterator<Item = Span> {
        self.counts.iter().map(|(lane, next)| Span { lane: lane.clone(), first: Sequence(0), end: *next })
    }

    /// How many lanes it knows.
    pub fn lane_count(&self) -> usize {
        self.counts.len()
    }

    fn is_at_most(&self, other: &VectorClock) -> bool {
        self.counts.iter().all(|(lane, next)| *next <= other.next(lane))
    }
}

impl PartialOrd for VectorClock {
    /// Happened-before; `None` for clocks of concurrent events.
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self.is_at_most(other), other.is_at_most(self)) {
            (true, true) => Some(Ordering::Equal),
            (true, false) => Some(Ordering::Less),
            (false, true) => Some(Ordering::Greater),
            (false, false) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use lawspeaker_history::Partition;
    use quickcheck::quickcheck;

    use super::super::Origin;
    use super::*;
    use crate::id::{Epoch, ProducerId};

    fn clock(counts: &[u8]) -> VectorClock {
        let mut clock = VectorClock::new();
        for (producer, count) in (0..).zip(counts.iter().take(4)) {
            let origin = Origin { producer: ProducerId(producer), epoch: Epoch(0) };
            let lane = Lane { partition: Partition::new("t", 0), origin };
            clock.raise(&lane, Sequence(u64::from(count % 4)));
        }
        clock
    }

    quickcheck! {
        fn merging_gives_the_least_clock_above_both(one: Vec<u8>, other: Vec<u8>, third: Vec<u8>) -> bool {
            let (one, other, third) = (clock(&one), clock(&other), clock(&third));
            let mut merged = one.clone();
            merged.merge(&other);
            let is_above_both = |clock: &VectorClock| one <= *clock && other <= *clock;
            is_above_both(&merged) && (!is_above_both(&third) || merged <= third)
        }

        fn clocks_are_partially_ordered(one: Vec<u8>, other: Vec<u8>, third: Vec<u8>) -> bool {
            let (one, other, third) = (clock(&one), clock(&other), clock(&third));
            let is_transitive = !(one <= other && other <= third) || one <= third;
            let is_antisymmetric = !(one <= other && other <= one) || one == other;
            is_transitive && is_antisymmetric && one.partial_cmp(&one) == Some(Ordering::Equal)
        }
    }
}
