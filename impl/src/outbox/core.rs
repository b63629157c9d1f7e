//! What the outbox and the inbox decide, without IO, clocks or threads.

use std::collections::{BTreeMap, VecDeque};
use std::num::NonZeroUsize;
use std::ops::Range;

use lawspeaker_history::EventId;

use crate::mutant::{Mutant, is_seeded};

/// The place of an event among all that the service has owed, from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot(pub u64);

/// A relay's turn, from 1: the newest one fences those before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RelayEpoch(pub u64);

/// How long the inbox remembers an event: at least as long as it may come again, or its effect happens twice.
///
/// It may come again as long as a producer may retry, a relay may publish again after a crash, or a group may be set
/// back; only the caller knows how long that is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Retention {
    /// Every event: the inbox grows by an entry an event.
    #[default]
    Forever,
    /// The last so many events.
    Last(NonZeroUsize),
    /// Events handled in the last so many milliseconds, by the clock of the transactions.
    ForMs(u64),
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// It had its effect.
    Applied,
    /// It was refused, for good.
    Refused,
    /// It was called off before it came.
    Voided,
    /// It could not be handled, and went to the dead letters.
    DeadLettered,
}

/// An event that the inbox remembers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct InboxEntry {
    /// Which.
    pub event: EventId,
    /// What became of it.
    pub outcome: Outcome,
    /// When, in milliseconds, by the clock of the transactions.
    pub time_ms: u64,
}

/// What a transaction does to inbox and outbox.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Transaction {
    /// The event that it handles, if any, and what becomes of it.
    pub handled: Option<(EventId, Outcome)>,
    /// Events that are to do nothing should they still come.
    pub voided: Vec<EventId>,
    /// How many events it owes.
    pub owed_count: u64,
    /// When, in milliseconds; a clock that goes back stands still here.
    pub time_ms: u64,
}

/// Why a call is refused. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// The event was handled already, and the inbox remembers it.
    #[error("the event was handled already: {0:?}")]
    AlreadyHandled(Outcome),
    /// A newer relay took over.
    #[error("relay `{}` has taken over, and this one is fenced: stop it", current.0)]
    Fenced {
        /// The current relay.
        current: RelayEpoch,
    },
    /// The relay claims to have published what nobody could have given it.
    #[error("nothing is durable from slot `{}` on", durable.0)]
    NotOwed {
        /// The first slot that is not durable.
        durable: Slot,
    },
}

/// What a record says to the core.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Fact {
    /// A transaction was committed.
    Committed(Transaction),
    /// A relay took over.
    RelayOpened(RelayEpoch),
    /// The relay has published every event below `next`.
    Published {
        /// Which relay.
        epoch: RelayEpoch,
        /// The first one that it has not.
        next: Slot,
    },
}

/// A fact that cannot stand where it stands: the journal is not one that this service has written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the record contradicts those before it: {0:?}")]
pub struct Unlawful(pub Fact);

/// The state of outbox and inbox: the fold of the records that the shell writes.
///
/// It refines `lawspeaker_spec::outbox` (obligation O1).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OutboxCore {
    retention: Retention,
    /// What is remembered, in the order of handling.
    inbox: VecDeque<InboxEntry>,
    // INVARIANT: the outcomes of `inbox`.
    outcomes: BTreeMap<EventId, Outcome>,
    relay: RelayEpoch,
    // INVARIANT: published <= durable <= end.
    published: Slot,
    durable: Slot,
    end: Slot,
    last_time_ms: u64,
}

impl OutboxCore {
    /// A service that has done nothing yet.
    pub fn new(retention: Retention) -> Self {
        OutboxCore {
            retention,
            inbox: VecDeque::new(),
            outcomes: BTreeMap::new(),
            relay: RelayEpoch(0),
            published: Slot(0),
            durable: Slot(0),
            end: Slot(0),
            last_time_ms: 0,
        }
    }

    /// The service that wrote these facts, all of which are durable. O(facts · log remembered).
    ///
    /// # Errors
    /// The first fact that contradicts those before it.
    pub fn recover(retention: Retention, facts: impl IntoIterator<Item = Fact>) -> Result<Self, Unlawful> {
        let mut core = OutboxCore::new(retention);
        facts.into_iter().try_for_each(|fact| core.replay(fact))?;
        Ok(core)
    }

    /// Takes up a durable fact: the call that wrote it is granted again.
    ///
    /// # Errors
    /// [`Unlawful`] if that call would be refused; then nothing has changed.
    pub fn replay(&mut self, fact: Fact) -> Result<(), Unlawful> {
        let is_lawful = match &fact {
            // Under another retention the event may have been forgotten, and handled again.
            Fact::Committed(transaction) => {
                self.take(transaction);
                self.flushed(self.end);
                true
            }
            Fact::RelayOpened(epoch) if epoch.0 == self.relay.0 + 1 => {
                self.relay = *epoch;
                true
            }
            Fact::RelayOpened(_) => false,
            Fact::Published { epoch, next } => self.mark_published(*epoch, *next).is_ok(),
        };
        if is_lawful { Ok(()) } else { Err(Unlawful(fact)) }
    }

    /// What became of an event, as far as the inbox remembers.
    pub fn outcome(&self, event: &EventId) -> Option<Outcome> {
        if is_seeded(Mutant::InboxUnchecked) { None } else { self.outcomes.get(event).copied() }
    }

    /// Commits a transaction; returns the slots of what it owes, not durable yet.
    ///
    /// # Errors
    /// [`Refusal::AlreadyHandled`].
    pub fn commit(&mut self, transaction: &Transaction) -> Result<Range<Slot>, Refusal> {
        self.check(transaction.handled.as_ref().map(|(event, _)| event))?;
        Ok(self.take(transaction))
    }

    /// Whether a transaction that handles `event` would be refused.
    pub(super) fn check(&self, event: Option<&EventId>) -> Result<(), Refusal> {
        event
            .and_then(|event| self.outcome(event))
            .map_or(Ok(()), |outcome| Err(Refusal::AlreadyHandled(outcome)))
    }

    pub(super) fn take(&mut self, transaction: &Transaction) -> Range<Slot> {
        self.last_time_ms = self.last_time_ms.max(transaction.time_ms);
        if let Some((event, outcome)) = &transaction.handled
            && !(*outcome == Outcome::Refused && is_seeded(Mutant::InboxForgetsRefusals))
        {
            self.remember(event, *outcome);
        }
        for event in transaction.voided.iter().filter(|_| !is_seeded(Mutant::TombstoneForgotten)) {
            self.remember(event, Outcome::Voided);
        }
        self.forget();
        let first = self.end;
        self.end.0 += transaction.owed_count;
        first..self.end
    }

    /// The first outcome counts.
    fn remember(&mut self, event: &EventId, outcome: Outcome) {
        if !self.outcomes.contains_key(event) {
            self.outcomes.insert(event.clone(), outcome);
            let entry = InboxEntry { event: event.clone(), outcome, time_ms: self.last_time_ms };
            self.inbox.push_back(entry);
        }
    }

    fn forget(&mut self) {
        let is_early = is_seeded(Mutant::InboxForgetsEarly);
        while let Some(oldest) = self.inbox.front() {
            let is_due = match self.retention {
                Retention::Forever => is_early,
                Retention::Last(count) => self.inbox.len() > count.get() - usize::from(is_early),
                Retention::ForMs(ms) => {
                    oldest.time_ms.saturating_add(ms) < self.last_time_ms + u64::from(is_early)
                }
            };
            if !is_due {
                return;
            }
            self.outcomes.remove(&oldest.event);
            self.inbox.pop_front();
        }
    }

    /// Everything owed below `up_to` is durable.
    pub fn flushed(&mut self, up_to: Slot) {
        self.durable = self.durable.max(up_to.min(self.end));
    }

    /// A relay takes over; those before it are fenced.
    pub fn open_relay(&mut self) -> RelayEpoch {
        self.relay.0 += 1;
        self.relay
    }

    /// What the relay is to publish, in order: owed, durable and not marked.
    ///
    /// # Errors
    /// [`Refusal::Fenced`].
    pub fn pending(&self, epoch: RelayEpoch) -> Result<Range<Slot>, Refusal> {
        self.check_relay(epoch)?;
        Ok(self.published..if is_seeded(Mutant::RelayReadsAhead) { self.end } else { self.durable })
    }

    /// The relay has published every event below `next`. One that was marked already changes nothing.
    ///
    /// # Errors
    /// [`Refusal::Fenced`], [`Refusal::NotOwed`].
    pub fn mark_published(&mut self, epoch: RelayEpoch, next: Slot) -> Result<(), Refusal> {
        self.check_mark(epoch, next)?;
        self.set_published(next);
        Ok(())
    }

    /// Whether [`mark_published`](Self::mark_published) would be refused.
    pub(super) fn check_mark(&self, epoch: RelayEpoch, next: Slot) -> Result<(), Refusal> {
        self.check_relay(epoch)?;
        if next > self.durable && !is_seeded(Mutant::RelayReadsAhead) {
            return Err(Refusal::NotOwed { durable: self.durable });
        }
        Ok(())
    }

    /// Marks what was checked.
    pub(super) fn set_published(&mut self, next: Slot) {
        self.published = self.published.max(next);
    }

    fn check_relay(&self, epoch: RelayEpoch) -> Result<(), Refusal> {
        if epoch != self.relay && !is_seeded(Mutant::RelayNotFenced) {
            return Err(Refusal::Fenced { current: self.relay });
        }
        Ok(())
    }

    /// What the inbox remembers, in the order of handling.
    pub fn inbox(&self) -> impl ExactSizeIterator<Item = &InboxEntry> {
        self.inbox.iter()
    }

    /// The current relay; 0 if there was none yet.
    pub fn relay(&self) -> RelayEpoch {
        self.relay
    }

    /// The first slot that is not marked as published.
    pub fn published(&self) -> Slot {
        self.published
    }

    /// The first slot that is not durable.
    pub fn durable(&self) -> Slot {
        self.durable
    }

    /// The slot that the next event owed will have.
    pub fn end(&self) -> Slot {
        self.end
    }
}
