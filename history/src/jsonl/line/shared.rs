//! Names that came lately: an equal one shares their text.

use std::sync::Arc;

/// How many names are kept, as a power of two: most events are read within so many after they were sent.
const SLOT_COUNT: usize = 1 << 14;

/// One name for each slot; a newer one takes the place of an older.
///
/// Names that fall into one slot, by chance or by design, are only not shared: memory is bounded, and so is time.
#[derive(Debug, Default)]
pub(super) struct Shared {
    slots: Vec<Option<Arc<str>>>,
    /// The partition that was named last: the events of one call mostly share it.
    latest_partition: Option<Arc<str>>,
}

impl Shared {
    /// The same as `text`, quicker where `name` is the partition that was named last.
    pub(super) fn partition(&mut self, name: &str) -> Arc<str> {
        match &self.latest_partition {
            Some(latest) if **latest == *name => latest.clone(),
            _ => {
                let text = self.text(name);
                self.latest_partition.insert(text).clone()
            }
        }
    }

    /// `name`, with the text of an equal one if it is still kept. O(length of the name).
    pub(super) fn text(&mut self, name: &str) -> Arc<str> {
        if self.slots.is_empty() {
            self.slots.resize(SLOT_COUNT, None);
        }
        let slot = &mut self.slots[slot_of(name)];
        match slot {
            Some(kept) if **kept == *name => kept.clone(),
            _ => slot.insert(name.into()).clone(),
        }
    }
}

/// FNV-1a (Fowler, Noll and Vo), eight bytes at a time.
fn slot_of(name: &str) -> usize {
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for bytes in name.as_bytes().chunks(8) {
        let mut word = [0; 8];
        word[..bytes.len()].copy_from_slice(bytes);
        hash = (hash ^ u64::from_le_bytes(word)).wrapping_mul(PRIME);
        hash ^= hash >> 32;
    }
    (hash ^ hash >> 16) as usize % SLOT_COUNT
}
