//! A journal in memory: for tests, models and busses that need not outlive their process.

use std::io;
use std::sync::{Mutex, MutexGuard};

use crate::journal::Journal;

/// Records in memory, with a durable prefix, and a disk that can be told to fail.
///
/// It is as unkind as a real disk may be: a sync that failed has dropped what it was to write, so that the next one
/// reports success without it (the "fsyncgate" of 2018: Linux marks the failed pages clean).
///
/// Its lock is the standard one even under loom and shuttle: no critical section of it holds a point where threads
/// could switch, so each call is one step, and it hides no missing ordering of the shell's own.
#[derive(Debug, Default)]
pub struct MemoryJournal {
    disk: Mutex<Disk>,
}

#[derive(Debug, Default)]
struct Disk {
    records: Vec<Vec<u8>>,
    // INVARIANT: at most `records.len()`.
    durable_count: usize,
    is_sync_to_fail: bool,
    /// Records from here on were dropped by a sync that failed.
    dropped_from: Option<usize>,
}

impl MemoryJournal {
    /// An empty journal.
    pub fn new() -> Self {
        Self::default()
    }

    /// A journal of these records, all durable.
    pub fn of(records: Vec<Vec<u8>>) -> Self {
        let durable_count = records.len();
        MemoryJournal { disk: Mutex::new(Disk { records, durable_count, ..Disk::default() }) }
    }

    /// What is left after losing power now: the durable records.
    #[must_use]
    pub fn crash(&self) -> Self {
        let disk = self.disk();
        MemoryJournal::of(disk.records[..disk.durable_count].to_vec())
    }

    /// What is left after the process dies and the machine does not: everything that was written.
    #[must_use]
    pub fn restart(&self) -> Self {
        let disk = self.disk();
        let (records, durable_count) = (disk.records.clone(), disk.durable_count);
        MemoryJournal { disk: Mutex::new(Disk { records, durable_count, ..Disk::default() }) }
    }

    /// How many records would survive losing power now.
    pub fn durable_count(&self) -> u64 {
        self.disk().durable_count as u64
    }

    /// The next sync fails and drops what it was to make durable.
    pub fn fail_next_sync(&self) {
        self.disk().is_sync_to_fail = true;
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().expect("no thread panicked inside the critical section")
    }
}

impl Journal for MemoryJournal {
    fn append(&self, record: &[u8]) -> io::Result<u64> {
        let mut disk = self.disk();
        disk.records.push(record.to_vec());
        Ok(disk.records.len() as u64 - 1)
    }

    fn sync(&self) -> io::Result<()> {
        let mut disk = self.disk();
        if std::mem::take(&mut disk.is_sync_to_fail) {
            let durable_count = disk.durable_count;
            disk.dropped_from.get_or_insert(durable_count);
            return Err(io::Error::other("the disk failed"));
        }
        let kept_count = disk.records.len().min(disk.dropped_from.unwrap_or(usize::MAX));
        disk.durable_count = disk.durable_count.max(kept_count);
        Ok(())
    }

    fn read(&self, index: u64) -> io::Result<Vec<u8>> {
        let found = usize::try_from(index).ok().and_then(|index| self.disk().records.get(index).cloned());
        found.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn record_count(&self) -> u64 {
        self.disk().records.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crash_keeps_what_was_synced() {
        let journal = MemoryJournal::new();
        journal.append(b"kept").unwrap();
        journal.sync().unwrap();
        journal.append(b"lost").unwrap();
        assert_eq!(journal.crash().record_count(), 1);
        assert_eq!(journal.restart().record_count(), 2);
    }

    #[test]
    fn a_sync_after_one_that_failed_does_not_bring_back_what_was_dropped() {
        let journal = MemoryJournal::new();
        journal.append(b"lost").unwrap();
        journal.fail_next_sync();
        assert!(journal.sync().is_err());
        assert!(journal.sync().is_ok());
        assert_eq!(journal.durable_count(), 0);
    }
}
