//! A directory that loses power where it is told to.
//!
//! Each file has two images, as in redb's `tests/crash_consistency.rs`: the *live* one, which the program sees, and
//! the *durable* one, which is on the disk for certain; so has the directory. Every call that changes or syncs
//! anything is a numbered *boundary*. At the boundary of choice the power fails instead, and a [`Survival`] says
//! what the disk holds afterwards. From then on every call fails until [`CrashStore::reopen`].

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Store, StoreFile, copy_at};

/// What is found after the crash of what was written and not synced. Synced bytes and names always survive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Survival {
    /// None of it: no bytes, no new names, and removed files are back.
    Nothing,
    /// All of it.
    Everything,
    /// Every new name, and the first half of each file's unsynced bytes.
    FirstHalf,
    /// Every new name and all bytes but the second half of each file's last write.
    TornWrite,
    /// Every new name and every length, with zeros for the unsynced bytes.
    Zeros,
    /// Every new name and every length, with zeros for the first half of the unsynced bytes: the disk wrote the
    /// pages in another order than the program.
    SecondHalf,
    /// All of it, and none of it durable yet: only the process died, and the machine may still lose power.
    ProcessOnly,
}

impl Survival {
    /// Each of them.
    pub const ALL: [Survival; 7] = [
        Survival::Nothing,
        Survival::Everything,
        Survival::FirstHalf,
        Survival::TornWrite,
        Survival::Zeros,
        Survival::SecondHalf,
        Survival::ProcessOnly,
    ];
}

/// One process's view of a disk that can lose power. Clones belong to the same process.
#[derive(Clone, Debug)]
pub struct CrashStore {
    disk: Arc<Mutex<Disk>>,
    incarnation: u64,
}

#[derive(Clone, Debug, Default)]
struct Disk {
    inodes: Vec<Inode>,
    live: BTreeMap<String, usize>,
    durable: BTreeMap<String, usize>,
    boundary_count: u64,
    plan: Option<(u64, Survival)>,
    /// The process that may use the disk; 0 while the power is off.
    incarnation: u64,
    last_incarnation: u64,
}

/// The two images of one file.
#[derive(Clone, Debug, Default)]
struct Inode {
    live: Vec<u8>,
    durable: Vec<u8>,
    /// How many leading bytes of `live` are those of `durable`.
    synced_count: usize,
    /// Where the last write began.
    last_write: usize,
}

impl Inode {
    fn surviving(&self, survival: Survival) -> Vec<u8> {
        let (synced, unsynced) = self.live.split_at(self.synced_count);
        let (first, second) = unsynced.split_at(unsynced.len() / 2);
        match survival {
            Survival::Nothing => self.durable.clone(),
            Survival::Everything | Survival::ProcessOnly => self.live.clone(),
            Survival::FirstHalf => [synced, first].concat(),
            Survival::TornWrite => {
                let torn = self.last_write.max(self.synced_count);
                self.live[..torn.midpoint(self.live.len())].to_vec()
            }
            Survival::Zeros => [synced, &vec![0; unsynced.len()]].concat(),
            Survival::SecondHalf => [synced, &vec![0; first.len()], second].concat(),
        }
    }
}

impl Disk {
    fn check(&self, incarnation: u64) -> io::Result<()> {
        if self.incarnation == incarnation { Ok(()) } else { Err(io::Error::other("the power is off")) }
    }

    /// A boundary: the power fails here, if it is planned to.
    fn boundary(&mut self, incarnation: u64) -> io::Result<()> {
        self.check(incarnation)?;
        self.boundary_count += 1;
        if let Some((_, survival)) = self.plan.take_if(|(boundary, _)| *boundary == self.boundary_count) {
            self.crash(survival);
        }
        self.check(incarnation)
    }

    fn crash(&mut self, survival: Survival) {
        self.incarnation = 0;
        if survival == Survival::ProcessOnly {
            return;
        }
        for inode in &mut self.inodes {
            let bytes = inode.surviving(survival);
            *inode = Inode {
                synced_count: bytes.len(),
                last_write: bytes.len(),
                durable: bytes.clone(),
                live: bytes,
            };
        }
        match survival {
            Survival::Nothing => self.live.clone_from(&self.durable),
            _ => self.durable.clone_from(&self.live),
        }
    }
}

impl CrashStore {
    /// An empty directory with the power on.
    #[expect(
        clippy::new_without_default,
        reason = "it stands for a machine, and there is no default machine"
    )]
    pub fn new() -> Self {
        let disk = Disk { incarnation: 1, last_incarnation: 1, ..Disk::default() };
        CrashStore { disk: Arc::new(Mutex::new(disk)), incarnation: 1 }
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Plans to fail at the `boundary`-th boundary from now, counted from 1: that call fails and has no effect.
    pub fn crash_at(&self, boundary: u64, survival: Survival) {
        let mut disk = self.disk();
        disk.plan = Some((disk.boundary_count + boundary, survival));
    }

    /// Fails now.
    pub fn crash(&self, survival: Survival) {
        self.disk().crash(survival);
    }

    /// How many boundaries there were since the store was created.
    pub fn boundary_count(&self) -> u64 {
        self.disk().boundary_count
    }

    /// Whether the process that this store belongs to is dead.
    pub fn is_down(&self) -> bool {
        self.disk().check(self.incarnation).is_err()
    }

    /// The next process's view of the disk. Stores and files of processes before it fail from now on, and a plan
    /// that has not come to pass is dropped.
    #[must_use]
    pub fn reopen(&self) -> Self {
        let mut disk = self.disk();
        disk.last_incarnation += 1;
        disk.incarnation = disk.last_incarnation;
        disk.plan = None;
        CrashStore { disk: Arc::clone(&self.disk), incarnation: disk.incarnation }
    }

    /// A second machine with the same disk at this moment; what happens to one does not happen to the other.
    /// O(bytes on the disk).
    #[must_use]
    pub fn fork(&self) -> Self {
        let disk = self.disk().clone();
        CrashStore { disk: Arc::new(Mutex::new(disk)), incarnation: self.incarnation }
    }

    fn file(&self, inode: usize) -> Arc<dyn StoreFile> {
        Arc::new(CrashFile { store: self.clone(), inode })
    }
}

impl Store for CrashStore {
    fn create(&self, name: &str) -> io::Result<Arc<dyn StoreFile>> {
        let mut disk = self.disk();
        disk.boundary(self.incarnation)?;
        let inode = disk.inodes.len();
        match disk.live.entry(name.to_owned()) {
            Entry::Occupied(_) => return Err(io::ErrorKind::AlreadyExists.into()),
            Entry::Vacant(free) => free.insert(inode),
        };
        disk.inodes.push(Inode::default());
        Ok(self.file(inode))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn StoreFile>> {
        let disk = self.disk();
        disk.check(self.incarnation)?;
        Ok(self.file(*disk.live.get(name).ok_or(io::ErrorKind::NotFound)?))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut disk = self.disk();
        disk.boundary(self.incarnation)?;
        disk.live.remove(name).map(drop).ok_or(io::ErrorKind::NotFound.into())
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let disk = self.disk();
        disk.check(self.incarnation)?;
        Ok(disk.live.keys().cloned().collect())
    }

    fn sync_directory(&self) -> io::Result<()> {
        let mut disk = self.disk();
        disk.boundary(self.incarnation)?;
        disk.durable = disk.live.clone();
        Ok(())
    }
}

#[derive(Debug)]
struct CrashFile {
    store: CrashStore,
    inode: usize,
}

impl CrashFile {
    fn read<T>(&self, read: impl FnOnce(&Inode) -> io::Result<T>) -> io::Result<T> {
        let disk = self.store.disk();
        disk.check(self.store.incarnation)?;
        read(&disk.inodes[self.inode])
    }

    fn change(&self, change: impl FnOnce(&mut Inode)) -> io::Result<()> {
        let mut disk = self.store.disk();
        disk.boundary(self.store.incarnation)?;
        change(&mut disk.inodes[self.inode]);
        Ok(())
    }
}

impl StoreFile for CrashFile {
    fn append(&self, bytes: &[u8]) -> io::Result<()> {
        self.change(|inode| {
            inode.last_write = inode.live.len();
            inode.live.extend_from_slice(bytes);
        })
    }

    fn read_at(&self, position: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.read(|inode| copy_at(&inode.live, position, buffer))
    }

    fn byte_count(&self) -> io::Result<u64> {
        self.read(|inode| Ok(inode.live.len() as u64))
    }

    fn truncate(&self, byte_count: u64) -> io::Result<()> {
        self.change(|inode| {
            inode.live.truncate(usize::try_from(byte_count).unwrap_or(usize::MAX));
            inode.synced_count = inode.synced_count.min(inode.live.len());
            inode.last_write = inode.last_write.min(inode.live.len());
        })
    }

    fn sync(&self) -> io::Result<()> {
        self.change(|inode| {
            inode.durable.clone_from(&inode.live);
            inode.synced_count = inode.live.len();
            inode.last_write = inode.live.len();
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::read_all;
    use super::*;

    #[test]
    fn the_crash_store_keeps_what_it_is_given_while_the_power_is_on() {
        super::super::contract::a_store_keeps_what_it_is_given(&CrashStore::new());
    }

    /// `ab` synced, `cd` and `ef` written after.
    fn content_after(survival: Survival) -> String {
        let store = CrashStore::new();
        let file = store.create("log").unwrap();
        file.append(b"ab").unwrap();
        file.sync().unwrap();
        store.sync_directory().unwrap();
        file.append(b"cd").unwrap();
        file.append(b"ef").unwrap();
        store.crash(survival);
        assert!(file.byte_count().is_err() && store.list().is_err() && store.is_down());
        let bytes = read_all(&*store.reopen().open("log").unwrap()).unwrap();
        String::from_utf8(bytes).unwrap().replace('\0', "0")
    }

    #[test]
    fn each_survival_leaves_its_part_of_the_unsynced_bytes() {
        let found = Survival::ALL.map(|survival| format!("{survival:?}: {}", content_after(survival)));
        let expected = [
            "Nothing: ab",
            "Everything: abcdef",
            "FirstHalf: abcd",
            "TornWrite: abcde",
            "Zeros: ab0000",
            "SecondHalf: ab00ef",
            "ProcessOnly: abcdef",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_name_survives_once_the_directory_is_synced_and_a_synced_file_alone_does_not() {
        let store = CrashStore::new();
        store.create("kept").unwrap();
        store.sync_directory().unwrap();
        store.create("lost").unwrap().sync().unwrap();
        store.remove("kept").unwrap();
        store.crash(Survival::Nothing);
        assert_eq!(store.reopen().list().unwrap(), ["kept"]);
    }

    #[test]
    fn the_planned_boundary_fails_without_effect_and_old_files_stay_dead() {
        let store = CrashStore::new();
        let file = store.create("log").unwrap();
        store.crash_at(2, Survival::Everything);
        file.append(b"a").unwrap();
        assert!(file.append(b"b").is_err());
        let next = store.reopen();
        assert_eq!(read_all(&*next.open("log").unwrap()).unwrap(), b"a");
        assert!(file.append(b"c").is_err());
        assert_eq!(next.boundary_count(), 3);
    }

    #[test]
    fn what_outlived_only_the_process_is_lost_with_the_power() {
        let store = CrashStore::new();
        let file = store.create("log").unwrap();
        store.sync_directory().unwrap();
        file.append(b"a").unwrap();
        store.crash(Survival::ProcessOnly);
        let next = store.reopen();
        assert_eq!(read_all(&*next.open("log").unwrap()).unwrap(), b"a");
        next.crash(Survival::Nothing);
        assert_eq!(read_all(&*next.reopen().open("log").unwrap()).unwrap(), b"");
    }
}
