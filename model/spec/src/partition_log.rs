//! The ideal partition: a sequence of events, a durable prefix of it, and the producers that wrote it.
//!
//! Guarantees it defines: `no-duplication` and `producer-order` (sequence numbers of a producer's epoch count up by
//! one, KIP-98), `durability` (only the durable prefix is readable and survives a crash), `total-log` (an entry
//! never changes).

/// One entry: which producer sent it, in which epoch, as which of the epoch's events, from 0.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    /// Who sent it.
    pub producer: u64,
    /// In which incarnation.
    pub epoch: u64,
    /// The place among the events of that incarnation, from 0.
    pub sequence: u64,
    /// What was sent.
    pub event: u64,
}

/// What an append is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// The event stands at this offset; it is acknowledged once the offset is durable.
    Appended(usize),
    /// The same append was taken before and stands at this offset.
    Duplicate(usize),
    /// An earlier event of this producer has not arrived; it must come first.
    Gap {
        /// The sequence number to send next.
        expected: u64,
    },
    /// A newer incarnation of the producer has taken over.
    Fenced {
        /// Its epoch.
        current: u64,
    },
}

/// The ideal partition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct PartitionLog {
    entries: Vec<Entry>,
    durable_count: usize,
    fences: Vec<(u64, u64)>,
}

impl PartitionLog {
    /// An empty partition.
    pub fn new() -> Self {
        Self::default()
    }

    /// A new incarnation of `producer` takes over and gets its epoch: one above all before. Fences are durable.
    pub fn open_producer(&mut self, producer: u64) -> u64 {
        let epoch = self.fence(producer).map_or(0, |epoch| epoch + 1);
        self.fences.retain(|(fenced, _)| *fenced != producer);
        self.fences.push((producer, epoch));
        self.fences.sort_unstable();
        epoch
    }

    fn fence(&self, producer: u64) -> Option<u64> {
        self.fences.iter().find(|(fenced, _)| *fenced == producer).map(|(_, epoch)| *epoch)
    }

    /// Appends an event, at most once. An unknown producer is one of epoch 0.
    pub fn append(&mut self, entry: Entry) -> Answer {
        let current = self.fence(entry.producer).unwrap_or(0);
        if entry.epoch != current {
            return Answer::Fenced { current };
        }
        let of_epoch = |e: &Entry| e.producer == entry.producer && e.epoch == entry.epoch;
        if let Some(offset) = self.entries.iter().position(|e| of_epoch(e) && e.sequence == entry.sequence) {
            return Answer::Duplicate(offset);
        }
        let expected = self.entries.iter().filter(|e| of_epoch(e)).count() as u64;
        if entry.sequence != expected {
            return Answer::Gap { expected };
        }
        self.entries.push(entry);
        Answer::Appended(self.entries.len() - 1)
    }

    /// Everything appended so far becomes durable.
    pub fn flush(&mut self) {
        self.durable_count = self.entries.len();
    }

    /// The machine loses power: what was not durable is gone.
    pub fn crash(&mut self) {
        self.entries.truncate(self.durable_count);
    }

    /// The durable events from `offset` on: what a consumer can see.
    pub fn read(&self, offset: usize) -> Vec<u64> {
        self.entries[..self.durable_count].iter().skip(offset).map(|entry| entry.event).collect()
    }

    /// The offset after the last durable entry: the high watermark.
    pub fn high_watermark(&self) -> usize {
        self.durable_count
    }

    /// All entries, durable or not, in offset order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(epoch: u64, sequence: u64) -> Entry {
        Entry { producer: 9, epoch, sequence, event: 100 * epoch + sequence }
    }

    #[test]
    fn a_retry_is_a_duplicate_and_a_gap_waits() {
        let mut log = PartitionLog::new();
        assert_eq!(log.append(entry(0, 1)), Answer::Gap { expected: 0 });
        assert_eq!(log.append(entry(0, 0)), Answer::Appended(0));
        assert_eq!(log.append(entry(0, 1)), Answer::Appended(1));
        assert_eq!(log.append(entry(0, 0)), Answer::Duplicate(0));
    }

    #[test]
    fn a_crash_loses_what_was_not_durable_and_forgets_no_fence() {
        let mut log = PartitionLog::new();
        assert_eq!(log.open_producer(9), 0);
        log.append(entry(0, 0));
        log.flush();
        log.append(entry(0, 1));
        assert_eq!(log.read(0), [0]);
        assert_eq!(log.open_producer(9), 1);
        log.crash();
        assert_eq!(log.append(entry(0, 1)), Answer::Fenced { current: 1 });
        assert_eq!(log.append(entry(1, 0)), Answer::Appended(1));
    }
}
