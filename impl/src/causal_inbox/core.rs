//! The inbox's decisions, without IO, clocks or threads.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;

use lawspeaker_history::Partition;

use crate::causality::{CausalContext, Dot, DotSet, Lane, Span};
use crate::mutant::{Mutant, is_seeded};

/// The state of an inbox: what it holds and what was delivered.
///
/// It refines `lawspeaker_spec::causal_inbox` (obligation O1).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CausalInboxCore {
    capacity: NonZeroUsize,
    subscribed: BTreeSet<Partition>,
    delivered: DotSet,
    given_up: DotSet,
    // INVARIANT: by place, the order of arrival; each is either in `ready` or in one set of `blocked`.
    held: BTreeMap<Place, Held>,
    // INVARIANT: what is held, by name.
    places: BTreeMap<Dot, Place>,
    // INVARIANT: held events that miss nothing.
    ready: BTreeSet<Place>,
    // INVARIANT: held events that miss something, each by the lane of the first that it misses. So a delivery has
    // to look only at those that wait for its lane.
    blocked: BTreeMap<Lane, BTreeSet<Place>>,
    next: Place,
    is_closed: bool,
}

/// How many events were taken before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Place(u64);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Held {
    event: Dot,
    needs: Vec<Span>,
    since_ms: u64,
}

/// What became of an arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Arrived {
    /// The inbox holds it.
    Taken,
    /// It was delivered, or is held, already: nothing has changed.
    Duplicate,
}

/// Why an arrival is refused. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// There is no room.
    #[error("the inbox holds {capacity} events: deliver some and offer this one again")]
    Full {
        /// How many events it holds at most.
        capacity: NonZeroUsize,
    },
    /// The inbox does not read the event's partition.
    #[error("the inbox is not subscribed to the event's partition")]
    NotSubscribed,
    /// The inbox was closed.
    #[error("the inbox is closed")]
    Closed,
}

/// A held event that has waited too long.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Stuck {
    /// Which.
    pub event: Dot,
    /// The causes that it misses, in order of their lanes.
    pub missing: Vec<Span>,
    /// For how long, in milliseconds.
    pub waiting_ms: u64,
}

impl CausalInboxCore {
    /// An inbox for readers of the `subscribed` partitions, to which the events of `delivered` count as delivered.
    /// It holds at most `capacity` events, and one more where only that one can be delivered.
    pub fn new(
        subscribed: impl IntoIterator<Item = Partition>,
        delivered: DotSet,
        capacity: NonZeroUsize,
    ) -> Self {
        CausalInboxCore {
            capacity,
            subscribed: subscribed.into_iter().collect(),
            delivered,
            given_up: DotSet::new(),
            held: BTreeMap::new(),
            places: BTreeMap::new(),
            ready: BTreeSet::new(),
            blocked: BTreeMap::new(),
            next: Place(0),
            is_closed: false,
        }
    }

    /// An event arrives at `now_ms`. One without a context has no causes.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn arrive(
        &mut self,
        event: Dot,
        context: Option<&CausalContext>,
        now_ms: u64,
    ) -> Result<Arrived, Refusal> {
        if self.is_closed {
            return Err(Refusal::Closed);
        }
        if !self.subscribed.contains(&event.lane.partition) {
            return Err(Refusal::NotSubscribed);
        }
        if self.is_known(&event) {
            return Ok(Arrived::Duplicate);
        }
        let needs = context.map_or(Vec::new(), |context| context.needs(&event, &self.subscribed));
        let held = Held { event, needs, since_ms: now_ms };
        if !self.has_room(&held) {
            let is_dropped = is_seeded(Mutant::FullInboxDrops);
            return if is_dropped {
                Ok(Arrived::Taken)
            } else {
                Err(Refusal::Full { capacity: self.capacity })
            };
        }
        self.take(held);
        Ok(Arrived::Taken)
    }

    fn is_known(&self, event: &Dot) -> bool {
        let is_delivered = self.delivered.contains(event) && !is_seeded(Mutant::DuplicateDelivered);
        is_delivered || self.places.contains_key(event)
    }

    /// A full inbox in which nothing is ready takes what is: that is what it waits for, or leads to it.
    fn has_room(&self, arriving: &Held) -> bool {
        let is_awaited = || self.ready.is_empty() && self.first_missing(arriving).is_none();
        self.held.len() < self.capacity.get()
            || is_seeded(Mutant::BoundIgnored)
            || (is_awaited() && !is_seeded(Mutant::FullInboxRefusesAll))
    }

    fn take(&mut self, held: Held) {
        let place = self.next;
        self.next.0 += 1;
        self.places.insert(held.event.clone(), place);
        self.held.insert(place, held);
        self.file(place);
    }

    /// Puts a held event where it belongs: with those that are ready, or under the first lane that it misses.
    fn file(&mut self, place: Place) {
        let lane =
            self.held.get(&place).and_then(|held| self.first_missing(held)).map(|span| span.lane.clone());
        match lane {
            Some(lane) => drop(self.blocked.entry(lane).or_default().insert(place)),
            None => drop(self.ready.insert(place)),
        }
    }

    /// The first need that is not met.
    fn first_missing<'a>(&self, held: &'a Held) -> Option<&'a Span> {
        let checked_count = match () {
            () if is_seeded(Mutant::CausesUnchecked) => 0,
            () if is_seeded(Mutant::OneCauseChecked) => 1,
            () => usize::MAX,
        };
        held.needs.iter().take(checked_count).find(|need| !self.is_met(need))
    }

    fn is_met(&self, need: &Span) -> bool {
        self.delivered.missing(need).iter().all(|span| self.given_up.first_missing(span).is_none())
    }

    /// Delivers the first event, in the order of arrival, that misses nothing.
    pub fn deliver(&mut self) -> Option<Dot> {
        let held = self.held.remove(&self.ready.pop_first()?)?;
        self.places.remove(&held.event);
        self.delivered.insert(&held.event.span());
        if !is_seeded(Mutant::DeliveryUnlocksNothing) {
            self.refile(&held.event.lane);
        }
        Some(held.event)
    }

    /// Looks again at the events that wait for `lane`.
    fn refile(&mut self, lane: &Lane) {
        for place in self.blocked.remove(lane).unwrap_or_default() {
            self.file(place);
        }
    }

    /// The next event that [`deliver`](Self::deliver) would give.
    pub fn first_ready(&self) -> Option<&Dot> {
        self.ready.first().and_then(|place| self.held.get(place)).map(|held| &held.event)
    }

    /// The held events that have missed a cause for at least `timeout_ms`, in the order of arrival. O(held).
    pub fn stuck(&self, now_ms: u64, timeout_ms: u64) -> Vec<Stuck> {
        let waiting_ms = |held: &Held| now_ms.saturating_sub(held.since_ms);
        let late = self.held.values().filter(|held| waiting_ms(held) >= timeout_ms);
        let stuck = late.map(|held| Stuck {
            event: held.event.clone(),
            missing: self.missing(held),
            waiting_ms: waiting_ms(held),
        });
        stuck.filter(|stuck| !stuck.missing.is_empty()).collect()
    }

    fn missing(&self, held: &Held) -> Vec<Span> {
        let undelivered = held.needs.iter().flat_map(|need| self.delivered.missing(need));
        undelivered.flat_map(|span| self.given_up.missing(&span)).collect()
    }

    /// Nobody waits for these causes any more: what depends on them is delivered without them. If they come after
    /// all they are delivered too.
    pub fn give_up(&mut self, causes: &Span) {
        self.given_up.insert(causes);
        self.refile(&causes.lane);
    }

    /// Takes and delivers nothing more. Returns what was held, in the order of arrival.
    pub fn close(&mut self) -> Vec<Dot> {
        self.is_closed = true;
        self.ready.clear();
        self.blocked.clear();
        self.places.clear();
        std::mem::take(&mut self.held).into_values().map(|held| held.event).collect()
    }

    /// Whether it was closed.
    pub fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// What was delivered, or counted as delivered from the beginning.
    pub fn delivered(&self) -> &DotSet {
        &self.delivered
    }

    /// What was given up.
    pub fn given_up(&self) -> &DotSet {
        &self.given_up
    }

    /// What is held, in the order of arrival.
    pub fn held(&self) -> impl Iterator<Item = &Dot> {
        self.held.values().map(|held| &held.event)
    }
}
