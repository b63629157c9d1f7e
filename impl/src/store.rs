//! Where the bus keeps its bytes: one flat directory of named files that only grow.
//!
//! Everything above asks for durability in the words of this module and nowhere else, so that a test can put a
//! [`CrashStore`] below and lose power at any of those words. The contract is what POSIX gives and no more:
//! a write survives a power failure once its *file* is synced, and a file is found again after one once its
//! *directory* is synced too (Pillai et al., *All File Systems Are Not Created Equal*, OSDI 2014).
//!
//! * [`FileStore`]: a directory of the file system.
//! * [`MemoryStore`]: a directory in memory, gone with the process.
//! * [`CrashStore`]: a directory that loses power where it is told to.

mod crash;
mod file;
mod memory;

use std::fmt;
use std::io;
use std::sync::Arc;

pub use crash::{CrashStore, Survival};
pub use file::FileStore;
pub use memory::MemoryStore;

/// A flat directory of files. Names are plain file names: no separators, not `.` or `..`.
pub trait Store: Send + Sync + fmt::Debug {
    /// Creates an empty file. It may be gone after a power failure until [`sync_directory`](Store::sync_directory).
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] if the name is taken, or what the system says.
    fn create(&self, name: &str) -> io::Result<Arc<dyn StoreFile>>;

    /// Opens a file for reading and appending.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] if there is none, or what the system says.
    fn open(&self, name: &str) -> io::Result<Arc<dyn StoreFile>>;

    /// Removes a file. It may be back after a power failure until [`sync_directory`](Store::sync_directory).
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] if there is none, or what the system says.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// The names of all files, in order.
    ///
    /// # Errors
    /// What the system says.
    fn list(&self) -> io::Result<Vec<String>>;

    /// Makes every creation and removal durable that returned before this call began.
    ///
    /// # Errors
    /// What the system says; then nothing may be assumed about them.
    fn sync_directory(&self) -> io::Result<()>;
}

/// A file that grows at its end. One writer at a time, readers at any time.
pub trait StoreFile: Send + Sync + fmt::Debug {
    /// Writes `bytes` at the end. They may be gone, in part or whole, after a power failure until
    /// [`sync`](StoreFile::sync).
    ///
    /// # Errors
    /// What the system says; then any part of `bytes` may have been written.
    fn append(&self, bytes: &[u8]) -> io::Result<()>;

    /// Fills `buffer` from `position`, in bytes from the start.
    ///
    /// # Errors
    /// [`io::ErrorKind::UnexpectedEof`] if the file ends before, or what the system says.
    fn read_at(&self, position: u64, buffer: &mut [u8]) -> io::Result<()>;

    /// How long the file is, in bytes.
    ///
    /// # Errors
    /// What the system says.
    fn byte_count(&self) -> io::Result<u64>;

    /// Cuts the file down to `byte_count` bytes. What was cut off may be back after a power failure until
    /// [`sync`](StoreFile::sync).
    ///
    /// # Errors
    /// What the system says.
    fn truncate(&self, byte_count: u64) -> io::Result<()>;

    /// Makes the file's bytes durable as they are; not its name.
    ///
    /// # Errors
    /// What the system says; then nothing may be assumed about bytes since the last successful call, and trying
    /// again proves nothing (Rebello et al., *Can Applications Recover from fsync Failures?*, ATC 2020).
    fn sync(&self) -> io::Result<()>;
}

/// The whole content of `file`. O(length) in time and memory.
///
/// # Errors
/// What the store says.
pub(crate) fn read_all(file: &dyn StoreFile) -> io::Result<Vec<u8>> {
    let length = usize::try_from(file.byte_count()?).map_err(io::Error::other)?;
    let mut bytes = vec![0; length];
    file.read_at(0, &mut bytes)?;
    Ok(bytes)
}

/// The part of `bytes` that fills `buffer` from `position`: what [`StoreFile::read_at`] means, for files in memory.
fn copy_at(bytes: &[u8], position: u64, buffer: &mut [u8]) -> io::Result<()> {
    let rest = usize::try_from(position).ok().and_then(|position| bytes.get(position..));
    let part = rest.and_then(|rest| rest.get(..buffer.len())).ok_or(io::ErrorKind::UnexpectedEof)?;
    buffer.copy_from_slice(part);
    Ok(())
}

/// What every store must do; run by the tests of each.
#[cfg(test)]
mod contract {
    use super::*;

    pub(super) fn a_store_keeps_what_it_is_given(store: &dyn Store) {
        let file = store.create("b").unwrap();
        assert_eq!(store.create("b").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        file.append(b"one").unwrap();
        file.append(b"two").unwrap();
        file.sync().unwrap();
        let mut buffer = [0; 3];
        store.open("b").unwrap().read_at(2, &mut buffer).unwrap();
        assert_eq!(&buffer, b"etw");
        assert_eq!(file.read_at(4, &mut buffer).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        file.truncate(4).unwrap();
        file.append(b"!").unwrap();
        assert_eq!(read_all(&*file).unwrap(), b"onet!");
        store.create("a").unwrap();
        store.sync_directory().unwrap();
        assert_eq!(store.list().unwrap(), ["a", "b"]);
        store.remove("b").unwrap();
        assert_eq!(store.list().unwrap(), ["a"]);
        assert_eq!(store.open("b").unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(store.remove("b").unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
