//! The partition log's decisions, without IO, clocks or threads.

use std::collections::BTreeMap;

use lawspeaker_history::Offset;

use crate::id::{self, Epoch, ProducerId, Sequence, Stamp};
use crate::mutant::{Mutant, is_seeded};

use super::dedup::{DedupWindow, Verdict};

/// How many of a producer's latest appends are remembered with their offsets, as in Kafka.
pub const DEFAULT_WINDOW_LENGTH: usize = 5;

/// The state of a partition log: where it ends, how much of it is durable, and what its producers have sent.
///
/// The entries themselves stand in the journal; this is their fold. It refines `lawspeaker_spec::partition_log`
/// (obligation O1) but for one difference: of duplicates older than the window it knows only below which offset
/// they stand. Every call costs O(log n) in the number of producers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PartitionLogCore {
    window_length: usize,
    // INVARIANT: high_watermark <= end.
    end: Offset,
    high_watermark: Offset,
    producers: BTreeMap<ProducerId, DedupWindow>,
    is_closed: bool,
}

/// An append that the log holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Accepted {
    /// It stands at this offset now.
    Appended(Offset),
    /// It stood at this offset before.
    Duplicate(Offset),
    /// It stood somewhere below this offset before: too long ago to say where.
    DuplicateBelow(Offset),
}

impl Accepted {
    /// An offset that is durable only if the event is: what to wait for.
    pub fn offset(self) -> Offset {
        match self {
            Accepted::Appended(offset) | Accepted::Duplicate(offset) | Accepted::DuplicateBelow(offset) => {
                offset
            }
        }
    }
}

/// Why the log takes no event. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// An earlier event of the producer has not arrived.
    #[error("sequence number `{expected}` of the producer has not arrived; send it first")]
    Gap {
        /// What to send next.
        expected: Sequence,
    },
    /// A newer incarnation of the producer has taken over.
    #[error("the producer was opened again, in epoch `{current}`; this incarnation must stop")]
    Fenced {
        /// Its epoch.
        current: Epoch,
    },
    /// The log takes nothing more.
    #[error("the log is closed")]
    Closed,
}

/// A record of the journal, as far as the core needs to know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fact {
    /// An event was appended.
    Appended(Stamp),
    /// An incarnation of a producer took over.
    Opened(ProducerId, Epoch),
}

/// A record that cannot stand where it stands: the journal is not one that this log has written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the record contradicts those before it: {0:?}")]
pub struct Unlawful(pub Fact);

impl PartitionLogCore {
    /// An empty log that remembers the offsets of the last `window_length` appends of each producer.
    ///
    /// # Panics
    /// If `window_length` is 0.
    pub fn new(window_length: usize) -> Self {
        assert!(window_length > 0, "a deduplication window holds at least one append");
        let start = Offset::of(0);
        PartitionLogCore {
            window_length,
            end: start,
            high_watermark: start,
            producers: BTreeMap::new(),
            is_closed: false,
        }
    }

    /// The log that wrote these records, all of them durable. O(n log p) for p producers.
    ///
    /// # Errors
    /// The first record that contradicts those before it.
    pub fn recover(window_length: usize, facts: impl IntoIterator<Item = Fact>) -> Result<Self, Unlawful> {
        let mut core = PartitionLogCore::new(window_length);
        for fact in facts {
            core.replay(fact)?;
        }
        if is_seeded(Mutant::RecoveryForgetsProducers) {
            core.producers.clear();
        }
        core.flushed(core.end);
        Ok(core)
    }

    fn replay(&mut self, fact: Fact) -> Result<(), Unlawful> {
        let is_lawful = match fact {
            Fact::Appended(stamp) => self.append(stamp).is_ok_and(|a| matches!(a, Accepted::Appended(_))),
            Fact::Opened(producer, epoch) => self.open_producer(producer) == Ok(epoch),
        };
        if is_lawful { Ok(()) } else { Err(Unlawful(fact)) }
    }

    /// A new incarnation of `producer` takes over and gets its epoch; those before it are fenced.
    ///
    /// # Errors
    /// [`Refusal::Closed`].
    pub fn open_producer(&mut self, producer: ProducerId) -> Result<Epoch, Refusal> {
        self.check_open(producer)?;
        Ok(self.producers.entry(producer).or_default().open())
    }

    /// What [`open_producer`](Self::open_producer) would answer.
    pub(super) fn check_open(&self, producer: ProducerId) -> Result<Epoch, Refusal> {
        if self.is_closed {
            return Err(Refusal::Closed);
        }
        Ok(self.producers.get(&producer).map_or(Epoch(0), DedupWindow::next_epoch))
    }

    /// Appends an event, at most once. A producer that was never opened is in epoch 0.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn append(&mut self, stamp: Stamp) -> Result<Accepted, Refusal> {
        let accepted = self.check(stamp)?;
        if let Accepted::Appended(_) = accepted {
            self.take(stamp);
        }
        Ok(accepted)
    }

    /// What [`append`](Self::append) would answer.
    pub(super) fn check(&self, stamp: Stamp) -> Result<Accepted, Refusal> {
        if self.is_closed {
            return Err(Refusal::Closed);
        }
        let never_seen = DedupWindow::default();
        match self.producers.get(&stamp.producer).unwrap_or(&never_seen).judge(stamp.epoch, stamp.sequence) {
            Verdict::Next => Ok(Accepted::Appended(self.end)),
            Verdict::Duplicate(offset) => Ok(Accepted::Duplicate(offset)),
            Verdict::DuplicateBelow(offset) => Ok(Accepted::DuplicateBelow(offset)),
            Verdict::Gap { expected } => Err(Refusal::Gap { expected }),
            Verdict::Fenced { current } => Err(Refusal::Fenced { current }),
        }
    }

    /// Appends an event that was checked.
    pub(super) fn take(&mut self, stamp: Stamp) -> Offset {
        let offset = self.end;
        self.producers.entry(stamp.producer).or_default().take(stamp.sequence, offset, self.window_length);
        self.end = offset.next();
        if is_seeded(Mutant::AckBeforeFlush) {
            self.high_watermark = self.end;
        }
        offset
    }

    /// Everything below `up_to` is durable now. Older news changes nothing.
    pub fn flushed(&mut self, up_to: Offset) {
        self.high_watermark = self.high_watermark.max(up_to.min(self.end));
    }

    /// Takes nothing more.
    pub fn close(&mut self) {
        self.is_closed = true;
    }

    /// Whether the log takes nothing more.
    pub fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// The offset of the next append.
    pub fn end(&self) -> Offset {
        self.end
    }

    /// The offset after the last durable entry.
    pub fn high_watermark(&self) -> Offset {
        self.high_watermark
    }

    /// Whether `offset` is one of an appended entry.
    pub(super) fn holds(&self, offset: Offset) -> bool {
        id::place(offset) < id::place(self.end)
    }

    /// What the log expects of `producer`: its epoch and the next sequence number.
    pub fn expected(&self, producer: ProducerId) -> (Epoch, Sequence) {
        self.producers.get(&producer).map_or_else(Default::default, |window| (window.epoch(), window.next()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(epoch: u64, sequence: u64) -> Stamp {
        Stamp { producer: ProducerId(7), epoch: Epoch(epoch), sequence: Sequence(sequence) }
    }

    #[test]
    fn a_duplicate_is_found_as_long_as_the_window_reaches() {
        let mut core = PartitionLogCore::new(2);
        (0..3).for_each(|sequence| assert!(core.append(stamp(0, sequence)).is_ok()));
        assert_eq!(core.append(stamp(0, 2)), Ok(Accepted::Duplicate(Offset::of(2))));
        assert_eq!(core.append(stamp(0, 1)), Ok(Accepted::Duplicate(Offset::of(1))));
        assert_eq!(core.append(stamp(0, 0)), Ok(Accepted::DuplicateBelow(Offset::of(1))));
        assert_eq!(core.end(), Offset::of(3));
    }

    #[test]
    fn a_closed_log_takes_nothing_and_still_flushes() {
        let mut core = PartitionLogCore::new(DEFAULT_WINDOW_LENGTH);
        assert!(core.append(stamp(0, 0)).is_ok());
        core.close();
        assert_eq!(core.append(stamp(0, 1)), Err(Refusal::Closed));
        assert_eq!(core.open_producer(ProducerId(7)), Err(Refusal::Closed));
        core.flushed(core.end());
        assert_eq!(core.high_watermark(), Offset::of(1));
    }

    #[test]
    fn records_that_contradict_one_another_are_refused() {
        let gap = Fact::Appended(stamp(0, 1));
        assert_eq!(PartitionLogCore::recover(2, [gap]), Err(Unlawful(gap)));
        let skipped = Fact::Opened(ProducerId(7), Epoch(1));
        assert_eq!(PartitionLogCore::recover(2, [skipped]), Err(Unlawful(skipped)));
    }
}
