//! Sets of dots, as intervals: a lane that was delivered without holes takes one entry, however long it is.

use std::collections::BTreeMap;

use lawspeaker_history::Partition;

use super::{Dot, Lane, Span};
use crate::id::Sequence;

/// A set of dots. Every call is O(log n) in the intervals, and O(k) in those that a span touches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct DotSet {
    // INVARIANT: no lane is empty; the ends of its intervals by their beginnings, none touching another.
    lanes: BTreeMap<Lane, BTreeMap<Sequence, Sequence>>,
}

impl DotSet {
    /// The empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds every event of `span`.
    pub fn insert(&mut self, span: &Span) {
        if span.first >= span.end {
            return;
        }
        let intervals = self.lanes.entry(span.lane.clone()).or_default();
        let (mut first, mut end) = (span.first, span.end);
        while let Some((&begun, &ended)) = intervals.range(..=end).next_back().filter(|one| *one.1 >= first) {
            intervals.remove(&begun);
            (first, end) = (first.min(begun), end.max(ended));
        }
        intervals.insert(first, end);
    }

    /// Adds every event of `other`.
    pub fn merge(&mut self, other: &DotSet) {
        other.spans().for_each(|span| self.insert(&span));
    }

    /// Whether `dot` is in the set.
    pub fn contains(&self, dot: &Dot) -> bool {
        self.end_of_interval(&dot.lane, dot.sequence).is_some()
    }

    /// The first event of `span` that is not in the set.
    pub fn first_missing(&self, span: &Span) -> Option<Sequence> {
        let missing = self.end_of_interval(&span.lane, span.first).unwrap_or(span.first);
        (missing < span.end).then_some(missing)
    }

    /// The end of the interval that holds `sequence`.
    fn end_of_interval(&self, lane: &Lane, sequence: Sequence) -> Option<Sequence> {
        let (_, end) = self.lanes.get(lane)?.range(..=sequence).next_back()?;
        (*end > sequence).then_some(*end)
    }

    /// The events of `span` that are not in the set, in order.
    pub fn missing(&self, span: &Span) -> Vec<Span> {
        let mut missing = Vec::new();
        let mut from = span.first;
        while let Some(first) = self.first_missing(&Span { first: from, ..span.clone() }) {
            let next = self.lanes.get(&span.lane).and_then(|intervals| intervals.range(first..).next());
            let end = next.map_or(span.end, |(begun, _)| span.end.min(*begun));
            missing.push(Span { first, end, ..span.clone() });
            from = end;
        }
        missing
    }

    /// All that is in the set, in order.
    pub fn spans(&self) -> impl Iterator<Item = Span> {
        self.lanes.iter().flat_map(|(lane, intervals)| {
            intervals.iter().map(|(first, end)| Span { lane: lane.clone(), first: *first, end: *end })
        })
    }

    /// Forgets every lane of the partitions for which `is_kept` says no.
    pub fn retain(&mut self, is_kept: impl Fn(&Partition) -> bool) {
        self.lanes.retain(|lane, _| is_kept(&lane.partition));
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.lanes.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use quickcheck::quickcheck;

    use super::super::Origin;
    use super::*;
    use crate::id::{Epoch, ProducerId};

    fn span(first: u8, end: u8) -> Span {
        let origin = Origin { producer: ProducerId(1), epoch: Epoch(0) };
        let lane = Lane { partition: Partition::new("t", 0), origin };
        Span { lane, first: Sequence(first.into()), end: Sequence(end.into()) }
    }

    fn numbers(spans: impl IntoIterator<Item = Span>) -> Vec<u64> {
        spans.into_iter().flat_map(|span| span.first.0..span.end.0).collect()
    }

    quickcheck! {
        fn intervals_are_a_set_of_numbers(inserted: Vec<(u8, u8)>, asked: (u8, u8)) -> bool {
            let mut dots = DotSet::new();
            let mut naive = BTreeSet::new();
            for (first, end) in inserted {
                dots.insert(&span(first % 32, end % 32));
                naive.extend(u64::from(first % 32)..u64::from(end % 32));
            }
            let asked = span(asked.0 % 32, asked.1 % 32);
            let missing: Vec<u64> = (asked.first.0..asked.end.0).filter(|n| !naive.contains(n)).collect();
            let mut spans: Vec<_> = dots.spans().collect();
            let is_apart = spans.windows(2).all(|two| two[0].end < two[1].first);
            spans.dedup();
            is_apart
                && numbers(spans).into_iter().eq(naive.iter().copied())
                && dots.first_missing(&asked).map(|first| first.0) == missing.first().copied()
                && numbers(dots.missing(&asked)) == missing
        }
    }
}
