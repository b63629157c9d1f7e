//! A directory of the file system.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Store, StoreFile};

/// The file that says that a process has the directory open; it is never listed.
const LOCK_FILE: &str = "lock";

/// A directory of the file system, locked against a second owner until this store and all its clones are dropped.
/// A process that is killed leaves no lock behind.
#[derive(Clone, Debug)]
pub struct FileStore {
    directory: PathBuf,
    _lock: Arc<File>,
}

impl FileStore {
    /// Opens `directory`; creates it, durably, if there is none.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] if another store has it open, in this process or another; or what the file
    /// system says.
    pub fn open(directory: impl AsRef<Path>) -> io::Result<Self> {
        let directory = directory.as_ref().to_path_buf();
        create_directory(&directory)?;
        let lock = OpenOptions::new().create(true).append(true).open(directory.join(LOCK_FILE))?;
        match lock.try_lock() {
            Ok(()) => Ok(FileStore { directory, _lock: Arc::new(lock) }),
            Err(TryLockError::WouldBlock) => Err(io::Error::new(
                io::ErrorKind::WouldBlock,
                format!("`{}` is open in another bus: close that one first", directory.display()),
            )),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// The directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }
}

/// Creates `directory` and its parents, and syncs the parent of each that was missing.
fn create_directory(directory: &Path) -> io::Result<()> {
    if directory.as_os_str().is_empty() || directory.is_dir() {
        return Ok(());
    }
    let parent = directory.parent().unwrap_or(Path::new(""));
    create_directory(parent)?;
    match fs::create_dir(directory) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => sync_directory(if parent.as_os_str().is_empty() { Path::new(".") } else { parent }),
    }
}

/// Makes the names in `directory` durable.
#[cfg(unix)]
fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Windows has no call for it: NTFS journals names by itself.
#[cfg(not(unix))]
fn sync_directory(_directory: &Path) -> io::Result<()> {
    Ok(())
}

impl Store for FileStore {
    fn create(&self, name: &str) -> io::Result<Arc<dyn StoreFile>> {
        let path = self.directory.join(name);
        Ok(Arc::new(DiskFile(OpenOptions::new().read(true).append(true).create_new(true).open(path)?)))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn StoreFile>> {
        let path = self.directory.join(name);
        Ok(Arc::new(DiskFile(OpenOptions::new().read(true).append(true).open(path)?)))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.directory.join(name))
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let name = entry?.file_name().into_string().unwrap_or_default();
            if !name.is_empty() && name != LOCK_FILE {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    fn sync_directory(&self) -> io::Result<()> {
        sync_directory(&self.directory)
    }
}

/// An open file; writes go to its end, wherever that is.
#[derive(Debug)]
struct DiskFile(File);

impl StoreFile for DiskFile {
    fn append(&self, bytes: &[u8]) -> io::Result<()> {
        (&self.0).write_all(bytes)
    }

    #[cfg(unix)]
    fn read_at(&self, position: u64, buffer: &mut [u8]) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.0, buffer, position)
    }

    #[cfg(windows)]
    fn read_at(&self, mut position: u64, mut buffer: &mut [u8]) -> io::Result<()> {
        while !buffer.is_empty() {
            match std::os::windows::fs::FileExt::seek_read(&self.0, buffer, position)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => (position, buffer) = (position + count as u64, &mut buffer[count..]),
            }
        }
        Ok(())
    }

    fn byte_count(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn truncate(&self, byte_count: u64) -> io::Result<()> {
        self.0.set_len(byte_count)
    }

    /// Data and length; times are not worth a journal write.
    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_store_keeps_what_it_is_given() {
        let directory = tempfile::tempdir().unwrap();
        let store = FileStore::open(directory.path().join("deep/er")).unwrap();
        super::super::contract::a_store_keeps_what_it_is_given(&store);
    }

    #[test]
    fn a_directory_has_one_owner_until_the_last_clone_is_dropped() {
        let directory = tempfile::tempdir().unwrap();
        let owner = FileStore::open(directory.path()).unwrap();
        let clone = owner.clone();
        drop(owner);
        let refused = FileStore::open(directory.path()).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::WouldBlock);
        assert!(refused.to_string().ends_with("is open in another bus: close that one first"), "{refused}");
        drop(clone);
        FileStore::open(directory.path()).unwrap();
    }
}
