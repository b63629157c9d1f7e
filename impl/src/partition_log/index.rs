//! Where in the journal each offset stands, readable without a lock.

use std::sync::OnceLock;

use crate::mutant::{Mutant, is_seeded};
use crate::sync::{AtomicU64, Ordering};

/// The length of the first chunk. Each further one is twice as long as the one before it.
const FIRST_CHUNK_LENGTH: u64 = if cfg!(any(lawspeaker_loom, lawspeaker_shuttle)) { 4 } else { 1024 };
/// Chunks enough for 2^53 offsets, the most a history can name.
const CHUNK_COUNT: usize = 54;
/// What a slot holds that was not written: no journal is so long.
const UNWRITTEN: u64 = u64::MAX;

/// A list of journal positions that only grows, with a published prefix: one writer (inside the shell's critical
/// section), any number of readers, no lock, no unsafe code.
///
/// The slots are stored and loaded with `Relaxed`: they are published by the length of the prefix, stored with
/// `Release` after them and loaded with `Acquire` before. O(1), 8 bytes an offset, at most half of them unused.
#[derive(Debug)]
pub(super) struct PositionIndex {
    chunks: [OnceLock<Box<[AtomicU64]>>; CHUNK_COUNT],
    published_length: AtomicU64,
}

impl PositionIndex {
    pub(super) fn new() -> Self {
        let chunks = [const { OnceLock::new() }; CHUNK_COUNT];
        PositionIndex { chunks, published_length: AtomicU64::new(0) }
    }

    /// Writes the position of the entry at `place`. Only inside the critical section.
    pub(super) fn set(&self, place: u64, position: u64) {
        let (chunk, slot) = locate(place);
        let slots = self.chunks[chunk]
            .get_or_init(|| (0..FIRST_CHUNK_LENGTH << chunk).map(|_| AtomicU64::new(UNWRITTEN)).collect());
        slots[slot].store(position, Ordering::Relaxed);
    }

    /// Everything below `length`, all written, may be read. Only inside the critical section.
    pub(super) fn publish(&self, length: u64) {
        let is_relaxed = is_seeded(Mutant::RelaxedPublish);
        let ordering = if is_relaxed { Ordering::Relaxed } else { Ordering::Release };
        self.published_length.store(length, ordering);
    }

    /// How many entries may be read.
    pub(super) fn published_length(&self) -> u64 {
        self.published_length.load(Ordering::Acquire)
    }

    /// The position of the entry at `place`: below a published length that the caller has loaded, or anywhere
    /// inside the critical section.
    ///
    /// # Panics
    /// If nothing was written there: then the length was published before its entries.
    pub(super) fn get(&self, place: u64) -> u64 {
        let (chunk, slot) = locate(place);
        let position =
            self.chunks[chunk].get().map_or(UNWRITTEN, |slots| slots[slot].load(Ordering::Relaxed));
        assert!(position != UNWRITTEN, "every slot below the published length is written");
        position
    }
}

/// The chunk and the slot in it: chunk `n` begins at `FIRST_CHUNK_LENGTH * (2^n - 1)`.
fn locate(place: u64) -> (usize, usize) {
    let chunk = (place / FIRST_CHUNK_LENGTH + 1).ilog2();
    let start = FIRST_CHUNK_LENGTH * ((1 << chunk) - 1);
    (chunk as usize, usize::try_from(place - start).expect("a chunk fits into memory"))
}

#[cfg(test)]
#[cfg(not(any(lawspeaker_loom, lawspeaker_shuttle)))]
mod tests {
    use super::*;

    #[test]
    fn chunks_follow_one_another_without_gap() {
        assert_eq!(locate(0), (0, 0));
        assert_eq!(locate(FIRST_CHUNK_LENGTH - 1), (0, 1023));
        assert_eq!(locate(FIRST_CHUNK_LENGTH), (1, 0));
        assert_eq!(locate(3 * FIRST_CHUNK_LENGTH), (2, 0));
        assert!(locate(1 << 53).0 < CHUNK_COUNT);
    }

    #[test]
    fn every_offset_keeps_its_position() {
        let index = PositionIndex::new();
        (0..10_000).for_each(|place| index.set(place, 2 * place));
        assert!((0..10_000).all(|place| index.get(place) == 2 * place));
    }

    #[test]
    #[should_panic(expected = "below the published length")]
    fn an_unwritten_slot_is_never_taken_for_a_position() {
        let index = PositionIndex::new();
        index.set(0, 0);
        index.get(1);
    }
}
