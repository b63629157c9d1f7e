//! Where a shell keeps what must survive a crash: a sequence of records.

use std::fmt;
use std::io;

/// A sequence of records that only grows, durable up to the last [`sync`](Journal::sync).
///
/// One writer at a time (the shell's critical section); readers at any time, of records whose append returned.
pub trait Journal: Send + Sync + fmt::Debug {
    /// Appends a record and returns its index, from 0. Not durable yet.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`] for a record that the journal does not take, as one that is too long: nothing
    /// was written, and the journal goes on. Otherwise what the store says; then nothing may be assumed about the
    /// record, and the journal takes no more.
    fn append(&self, record: &[u8]) -> io::Result<u64>;

    /// Makes every record durable whose append returned before this call began.
    ///
    /// # Errors
    /// What the store says; then nothing may be assumed about records since the last successful call.
    fn sync(&self) -> io::Result<()>;

    /// The record at `index`.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] beyond the end, [`io::ErrorKind::InvalidData`] for a damaged record.
    fn read(&self, index: u64) -> io::Result<Vec<u8>>;

    /// How many records there are, durable or not.
    fn record_count(&self) -> u64;
}
