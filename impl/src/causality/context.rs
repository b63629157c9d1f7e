//! What an event says of its causes.

use std::collections::{BTreeMap, BTreeSet};

use lawspeaker_history::{EventId, Partition};

use super::{Dot, Lane, Span, VectorClock};
use crate::id::Sequence;
use crate::mutant::{Mutant, is_seeded};

/// The causes of an event, itself not counted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CausalContext {
    /// Events by name, with their ids where the sender knew them.
    Dependencies(BTreeMap<Dot, Option<EventId>>),
    /// Of every lane, how many of its events are causes.
    Clock(VectorClock),
}

impl CausalContext {
    /// What has to be delivered before `event`, as far as a reader of the `subscribed` partitions ever gets it. In
    /// order of the lanes. O(n log n).
    ///
    /// An event never waits for itself: a clock may count it already, as Birman, Schiper and Stephenson's do.
    pub fn needs(&self, event: &Dot, subscribed: &BTreeSet<Partition>) -> Vec<Span> {
        let is_sent_here =
            |lane: &Lane| subscribed.contains(&lane.partition) || is_seeded(Mutant::WaitsForUnsubscribed);
        let before_itself = |span: Span| match span.lane == event.lane && span.end > event.sequence {
            true if !is_seeded(Mutant::WaitsForItself) => Span { end: event.sequence, ..span },
            _ => span,
        };
        let is_some = |span: &Span| span.first < span.end;
        match self {
            CausalContext::Dependencies(dependencies) => {
                let others =
                    dependencies.keys().filter(|dot| *dot != event || is_seeded(Mutant::WaitsForItself));
                others.filter(|dot| is_sent_here(&dot.lane)).map(Dot::span).collect()
            }
            CausalContext::Clock(clock) => {
                let spans = clock.spans().filter(|span| is_sent_here(&span.lane));
                spans.map(before_itself).filter(is_some).collect()
            }
        }
    }

    /// The last cause of every lane, in order.
    pub(super) fn last_dots(&self) -> BTreeSet<Dot> {
        let mut last: BTreeMap<Lane, Sequence> = BTreeMap::new();
        match self {
            CausalContext::Dependencies(dependencies) => {
                // They come in order, so the last of a lane stays.
                last.extend(dependencies.keys().map(|dot| (dot.lane.clone(), dot.sequence)));
            }
            CausalContext::Clock(clock) => {
                last.extend(clock.spans().map(|span| (span.lane, Sequence(span.end.0 - 1))));
            }
        }
        last.into_iter().map(|(lane, sequence)| Dot { lane, sequence }).collect()
    }

    /// The ids of the causes, as far as it holds them: what a history says under `x.cause`.
    pub fn event_ids(&self) -> impl Iterator<Item = &EventId> {
        let named = match self {
            CausalContext::Dependencies(dependencies) => Some(dependencies.values().flatten()),
            CausalContext::Clock(_) => None,
        };
        named.into_iter().flatten()
    }
}
