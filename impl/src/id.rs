//! Identifiers of the bus. Offsets, generations, groups and partitions by name come from `lawspeaker-history`.

use std::fmt;

use lawspeaker_history::{Offset, Process};

/// A producer, across its restarts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProducerId(pub u64);

/// An incarnation of a producer, from 0: the newest one fences those before it (KIP-98).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Epoch(pub u64);

/// The place of an event among those of one incarnation of a producer, from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sequence(pub u64);

impl Sequence {
    /// The one after this.
    #[must_use]
    pub fn next(self) -> Self {
        Sequence(self.0 + 1)
    }
}

/// A member of a consumer group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MemberId(pub u64);

impl MemberId {
    /// The process that the member is in a history.
    pub fn process(self) -> Process {
        Process::from(format!("member-{self}").as_str())
    }
}

/// A partition by its number within the topic, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PartitionNumber(pub u32);

impl PartitionNumber {
    /// The number as the place in a list of all partitions.
    pub(crate) fn place(self) -> usize {
        self.0 as usize
    }
}

/// Who sent an event, as which of its incarnation's events: what deduplication goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stamp {
    /// Who.
    pub producer: ProducerId,
    /// In which incarnation.
    pub epoch: Epoch,
    /// As which of its events.
    pub sequence: Sequence,
}

impl Stamp {
    /// The process that the incarnation is in a history: two incarnations are two callers.
    pub fn process(self) -> Process {
        Process::from(format!("producer-{}.{}", self.producer, self.epoch).as_str())
    }
}

/// The place of `offset` in a log held in memory; an offset that nothing can stand at is past every end.
pub(crate) fn place(offset: Offset) -> u64 {
    offset.number().and_then(|number| u64::try_from(number).ok()).unwrap_or(u64::MAX)
}

/// The offset of the entry at `place`.
pub(crate) fn offset(place: u64) -> Offset {
    Offset::of(usize::try_from(place).unwrap_or(usize::MAX))
}

macro_rules! display_the_number {
    ($($id:ty),*) => {$(
        impl fmt::Display for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    )*};
}
display_the_number!(ProducerId, Epoch, Sequence, MemberId, PartitionNumber);

#[cfg(test)]
mod tests {
    use quickcheck::quickcheck;

    use super::*;

    quickcheck! {
        fn offsets_and_places_count_alike(number: u32) -> bool {
            let number = u64::from(number);
            place(offset(number)) == number && place(offset(number).next()) == number + 1
        }
    }

    #[test]
    fn an_offset_that_nothing_can_stand_at_is_past_every_end() {
        assert_eq!(place(Offset::new(-1).unwrap()), u64::MAX);
    }
}
