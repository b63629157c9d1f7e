//! A directory in memory: for tests, examples and buses that need not outlive their process.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Store, StoreFile, copy_at};

/// A directory in memory. Clones share it. Syncing costs nothing and promises nothing beyond the process.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    files: Arc<Mutex<BTreeMap<String, MemoryFile>>>,
}

#[derive(Clone, Debug, Default)]
struct MemoryFile {
    bytes: Arc<Mutex<Vec<u8>>>,
}

impl MemoryStore {
    /// An empty directory.
    pub fn new() -> Self {
        Self::default()
    }

    fn files(&self) -> MutexGuard<'_, BTreeMap<String, MemoryFile>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn create(&self, name: &str) -> io::Result<Arc<dyn StoreFile>> {
        match self.files().entry(name.to_owned()) {
            Entry::Occupied(_) => Err(io::ErrorKind::AlreadyExists.into()),
            Entry::Vacant(free) => Ok(Arc::new(free.insert(MemoryFile::default()).clone())),
        }
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn StoreFile>> {
        Ok(Arc::new(self.files().get(name).ok_or(io::ErrorKind::NotFound)?.clone()))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.files().remove(name).map(drop).ok_or(io::ErrorKind::NotFound.into())
    }

    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.files().keys().cloned().collect())
    }

    fn sync_directory(&self) -> io::Result<()> {
        Ok(())
    }
}

impl MemoryFile {
    fn bytes(&self) -> MutexGuard<'_, Vec<u8>> {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StoreFile for MemoryFile {
    fn append(&self, bytes: &[u8]) -> io::Result<()> {
        self.bytes().extend_from_slice(bytes);
        Ok(())
    }

    fn read_at(&self, position: u64, buffer: &mut [u8]) -> io::Result<()> {
        copy_at(&self.bytes(), position, buffer)
    }

    fn byte_count(&self) -> io::Result<u64> {
        Ok(self.bytes().len() as u64)
    }

    fn truncate(&self, byte_count: u64) -> io::Result<()> {
        self.bytes().truncate(usize::try_from(byte_count).unwrap_or(usize::MAX));
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_store_keeps_what_it_is_given() {
        super::super::contract::a_store_keeps_what_it_is_given(&MemoryStore::new());
    }
}
