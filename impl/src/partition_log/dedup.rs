//! What the log remembers of one producer, to take each of its events once and in order.

use std::collections::VecDeque;

use lawspeaker_history::Offset;

use crate::id::{Epoch, Sequence};
use crate::mutant::{Mutant, is_seeded};

/// The memory of one producer: its epoch, the sequence number it must send next, and where its latest events stand.
///
/// Kafka's rule (KIP-98): sequence numbers of an epoch count up by one; an older one is a duplicate, a later one a
/// gap. The offsets of only the last few events are kept; O(1) in time, O(window) in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct DedupWindow {
    fence: Option<Epoch>,
    next: Sequence,
    // INVARIANT: the offsets of the events `next - recent.len() .. next`.
    recent: VecDeque<Offset>,
}

/// What an append is to its producer's window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The next event.
    Next,
    /// Taken before, at this offset.
    Duplicate(Offset),
    /// Taken before, at an offset below this one.
    DuplicateBelow(Offset),
    /// An earlier event is missing.
    Gap { expected: Sequence },
    /// Of another incarnation than the current one.
    Fenced { current: Epoch },
}

impl DedupWindow {
    /// The epoch that the producer must use: 0 before it was ever opened.
    pub(crate) fn epoch(&self) -> Epoch {
        self.fence.unwrap_or_default()
    }

    /// What the producer must send next.
    pub(crate) fn next(&self) -> Sequence {
        self.next
    }

    /// The epoch of the next incarnation. The first one to be opened is epoch 0 and may have sent already.
    pub(crate) fn next_epoch(&self) -> Epoch {
        self.fence.map_or(Epoch(0), |Epoch(old)| Epoch(old + 1))
    }

    /// A new incarnation takes over.
    pub(crate) fn open(&mut self) -> Epoch {
        let epoch = self.next_epoch();
        if self.fence.is_some() {
            *self = Self::default();
        }
        *self.fence.insert(epoch)
    }

    /// Judges an append and changes nothing.
    pub(crate) fn judge(&self, epoch: Epoch, sequence: Sequence) -> Verdict {
        if epoch != self.epoch() && !is_seeded(Mutant::EpochIgnored) {
            return Verdict::Fenced { current: self.epoch() };
        }
        if sequence > self.next && !is_seeded(Mutant::GapAccepted) {
            return Verdict::Gap { expected: self.next };
        }
        if sequence >= self.next {
            return Verdict::Next;
        }
        let age = usize::try_from(self.next.0 - sequence.0).unwrap_or(usize::MAX);
        match self.recent.len().checked_sub(age) {
            Some(place) => Verdict::Duplicate(self.recent[place]),
            None => Verdict::DuplicateBelow(self.recent[0]),
        }
    }

    /// Takes the next event, at `offset`; forgets the oldest of more than `window_length`, which is at least 1.
    pub(crate) fn take(&mut self, sequence: Sequence, offset: Offset, window_length: usize) {
        self.next = sequence.next();
        self.recent.push_back(offset);
        if self.recent.len() > window_length {
            self.recent.pop_front();
        }
    }
}
