//! A journal over a [`Store`]: records in rolling segments, found again after any crash.
//!
//! A segment is a file named `journal~00000000000000000042.log` after the index of its first record: a header, then
//! each record with its length and CRC32C (`segment.rs` has the layout). A segment is synced whole before the next
//! one is begun, so that only the last one can have a torn tail, and a new one is synced with its directory before
//! it takes a record.
//!
//! One lock orders the writers, one guards the index for moments, and one is held while a sync is under way. So
//! readers never wait for the disk's writes, appends go on during a sync, and callers that wait for a sync find,
//! once it is their turn, that the one before them covered their records: a *group commit* (DeWitt et al.,
//! *Implementation Techniques for Main Memory Database Systems*, SIGMOD 1984).
//!
//! Cost: append and read O(record) and one call of the store each; open O(bytes in all segments); 8 bytes of memory
//! a record.

mod recovery;

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::journal::Journal;
use crate::journal_error::OpenJournalError;
use crate::mutant::{Mutant, is_seeded};
use crate::segment::{self, FRAME_BYTES, Frame, HEADER_BYTES};
use crate::store::{Store, StoreFile};

/// How large a journal's parts may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalLimits {
    /// A segment takes no more records once it is this long, in bytes.
    pub segment_bytes: u64,
    /// The longest record, in bytes.
    pub record_bytes: u32,
}

impl Default for JournalLimits {
    /// Segments of 64 MiB, records of 1 MiB.
    fn default() -> Self {
        JournalLimits { segment_bytes: 64 << 20, record_bytes: 1 << 20 }
    }
}

/// A journal in rolling segments. See the module's documentation for what it guarantees and costs.
#[derive(Debug)]
pub struct SegmentJournal {
    store: Arc<dyn Store>,
    name: String,
    limits: JournalLimits,
    /// Held while a record is written.
    writer: Mutex<Writer>,
    /// Held for moments.
    index: Mutex<Index>,
    /// Held while a sync is under way.
    sync_turn: Mutex<()>,
    /// How many leading records are durable.
    durable_count: AtomicU64,
    /// Whether the store has failed; then the journal takes no more.
    has_failed: AtomicBool,
}

/// The writer's scratch space for one frame.
#[derive(Debug, Default)]
struct Writer {
    frame: Vec<u8>,
}

/// Where every record stands.
#[derive(Debug)]
struct Index {
    // INVARIANT: not empty; each begins where the one before it ends.
    segments: Vec<Segment>,
}

#[derive(Debug)]
struct Segment {
    base: u64,
    file: Arc<dyn StoreFile>,
    positions: Vec<u64>,
    /// Where the next record goes.
    end: u64,
}

impl Segment {
    fn record_end(&self) -> u64 {
        self.base + self.positions.len() as u64
    }
}

impl Index {
    fn last(&self) -> &Segment {
        self.segments.last().expect("an index has a segment")
    }

    fn last_mut(&mut self) -> &mut Segment {
        self.segments.last_mut().expect("an index has a segment")
    }

    /// The segment's base and file, and where the frame of record `index` begins and how long it is.
    fn find(&self, index: u64) -> Option<(u64, Arc<dyn StoreFile>, u64, u64)> {
        let place = self.segments.partition_point(|segment| segment.base <= index).checked_sub(1)?;
        let segment = &self.segments[place];
        let number = usize::try_from(index - segment.base).ok()?;
        let position = *segment.positions.get(number)?;
        let end = segment.positions.get(number + 1).copied().unwrap_or(segment.end);
        Some((segment.base, Arc::clone(&segment.file), position, end - position))
    }
}

impl SegmentJournal {
    /// Opens the journal `name` in `store`. A torn tail is cut off, and every record that is found is durable when
    /// this returns.
    ///
    /// # Errors
    /// [`OpenJournalError`]: the store failed, there is no such journal, or a record that was durable is damaged.
    pub fn open(store: Arc<dyn Store>, name: &str, limits: JournalLimits) -> Result<Self, OpenJournalError> {
        match recovery::recover(&*store, name)? {
            segments if segments.is_empty() => Err(recovery::missing(name)),
            segments => Ok(Self::of(store, name, limits, segments)),
        }
    }

    /// As [`open`](Self::open), but creates the journal, durably, if there is none.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_or_create(
        store: Arc<dyn Store>,
        name: &str,
        limits: JournalLimits,
    ) -> Result<Self, OpenJournalError> {
        let mut segments = recovery::recover(&*store, name)?;
        if segments.is_empty() {
            let failed = |source| OpenJournalError::Store { journal: name.to_owned(), source };
            segments.push(recovery::create_segment(&*store, name, 0).map_err(failed)?);
        }
        Ok(Self::of(store, name, limits, segments))
    }

    fn of(store: Arc<dyn Store>, name: &str, limits: JournalLimits, segments: Vec<Segment>) -> Self {
        let index = Index { segments };
        SegmentJournal {
            store,
            name: name.to_owned(),
            limits,
            writer: Mutex::default(),
            durable_count: AtomicU64::new(index.last().record_end()),
            index: Mutex::new(index),
            sync_turn: Mutex::default(),
            has_failed: AtomicBool::new(false),
        }
    }

    /// How many leading records are durable for certain.
    pub fn durable_count(&self) -> u64 {
        self.durable_count.load(Ordering::Acquire)
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check_usable(&self) -> io::Result<()> {
        match self.has_failed.load(Ordering::Acquire) {
            true => Err(io::Error::other(format!(
                "journal `{}` takes no more since its store failed; reopen it to find out what survived",
                self.name
            ))),
            false => Ok(()),
        }
    }

    /// Passes `result` on; after an error the journal takes no more, so it is none that says a record was refused.
    fn noting_failure<T>(&self, result: io::Result<T>) -> io::Result<T> {
        result.map_err(|error| {
            self.has_failed.store(true, Ordering::Release);
            if error.kind() == io::ErrorKind::InvalidInput { io::Error::other(error) } else { error }
        })
    }

    /// The file to append to, the first index of its segment and its end. Begins a new segment if the last is full.
    fn tail(&self) -> io::Result<(Arc<dyn StoreFile>, u64, u64)> {
        let (file, base, end, next) = {
            let index = self.index();
            let last = index.last();
            (Arc::clone(&last.file), last.base, last.end, last.record_end())
        };
        if end < self.limits.segment_bytes || next == base {
            return Ok((file, base, end));
        }
        if !is_seeded(Mutant::RollBeforeSync) {
            file.sync()?;
        }
        self.durable_count.fetch_max(next, Ordering::AcqRel);
        let segment = recovery::create_segment(&*self.store, &self.name, next)?;
        let tail = (Arc::clone(&segment.file), segment.base, segment.end);
        self.index().segments.push(segment);
        Ok(tail)
    }

    fn write(&self, writer: &mut Writer, record: &[u8]) -> io::Result<u64> {
        let (file, base, position) = self.tail()?;
        writer.frame.clear();
        let frame = Frame { durable_count: self.durable_count(), record };
        frame.encode(base, position, &mut writer.frame).ok_or(io::ErrorKind::InvalidInput)?;
        file.append(&writer.frame)?;
        let mut index = self.index();
        let last = index.last_mut();
        last.positions.push(position);
        last.end = position + frame.byte_count() as u64;
        Ok(last.record_end() - 1)
    }
}

impl Journal for SegmentJournal {
    fn append(&self, record: &[u8]) -> io::Result<u64> {
        if record.len() > self.limits.record_bytes as usize {
            let (length, limit) = (record.len(), self.limits.record_bytes);
            let message = format!("a record of {length} bytes is longer than the limit of {limit} bytes");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        self.check_usable()?;
        self.noting_failure(self.write(&mut writer, record))
    }

    fn sync(&self) -> io::Result<()> {
        let wanted = self.record_count();
        let _turn = self.sync_turn.lock().unwrap_or_else(PoisonError::into_inner);
        if self.durable_count() >= wanted {
            return Ok(());
        }
        self.check_usable()?;
        let (file, written) = {
            let index = self.index();
            (Arc::clone(&index.last().file), index.last().record_end())
        };
        self.noting_failure(file.sync())?;
        self.durable_count.fetch_max(written, Ordering::AcqRel);
        Ok(())
    }

    fn read(&self, index: u64) -> io::Result<Vec<u8>> {
        let (base, file, position, length) = self.index().find(index).ok_or(io::ErrorKind::NotFound)?;
        let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
        file.read_at(position, &mut bytes)?;
        if Frame::decode(base, position, &bytes).is_none() {
            let file = recovery::file_name(&self.name, base);
            let message = format!("record {index} at byte {position} of `{file}` is damaged");
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        Ok(bytes.split_off(FRAME_BYTES))
    }

    fn record_count(&self) -> u64 {
        self.index().last().record_end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{CrashStore, MemoryStore, Survival};

    /// Three records of 4 bytes fill a segment.
    const LIMITS: JournalLimits = JournalLimits { segment_bytes: 80, record_bytes: 100 };

    fn open(store: &(impl Store + Clone + 'static)) -> Result<SegmentJournal, OpenJournalError> {
        SegmentJournal::open_or_create(Arc::new(store.clone()), "log", LIMITS)
    }

    /// A store with a journal of `count` records, each durable before the next.
    fn store_of(count: u32) -> MemoryStore {
        let store = MemoryStore::new();
        let journal = open(&store).unwrap();
        for number in 0..count {
            journal.append(&number.to_be_bytes()).unwrap();
            journal.sync().unwrap();
        }
        store
    }

    #[test]
    fn records_roll_over_segments_and_read_back_after_reopening() {
        let store = store_of(8);
        let names =
            ["log~00000000000000000000.log", "log~00000000000000000003.log", "log~00000000000000000006.log"];
        assert_eq!(store.list().unwrap(), names);
        let journal = open(&store).unwrap();
        assert_eq!((journal.record_count(), journal.durable_count()), (8, 8));
        assert_eq!(journal.append(b"next").unwrap(), 8);
        for number in 0..8u32 {
            assert_eq!(journal.read(u64::from(number)).unwrap(), number.to_be_bytes());
        }
        assert_eq!(journal.read(8).unwrap(), b"next");
        assert_eq!(journal.read(9).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn journals_of_one_store_do_not_meet() {
        let store = store_of(2);
        let other = SegmentJournal::open_or_create(Arc::new(store.clone()), "log~1", LIMITS).unwrap();
        assert_eq!(other.record_count(), 0);
        other.append(b"x").unwrap();
        assert_eq!(open(&store).unwrap().record_count(), 2);
    }

    /// Changes the byte at `position` of the segment at `base`.
    fn damage(store: &MemoryStore, base: u64, position: u64) {
        let name = recovery::file_name("log", base);
        let mut bytes = crate::store::read_all(&*store.open(&name).unwrap()).unwrap();
        bytes[position as usize] ^= 0x10;
        store.remove(&name).unwrap();
        store.create(&name).unwrap().append(&bytes).unwrap();
    }

    #[test]
    fn damage_before_a_durable_record_is_an_error_that_says_where() {
        let check = |base, position, expected: &str| {
            let store = store_of(8);
            damage(&store, base, position);
            assert_eq!(open(&store).unwrap_err().to_string(), expected);
        };
        check(
            6,
            HEADER_BYTES as u64,
            "`log~00000000000000000006.log` is damaged: record 6 at byte 20 is not valid, and the record at byte 40 \
             says that it was once; restore the file from a copy",
        );
        check(
            3,
            70,
            "`log~00000000000000000003.log` is damaged: it ends at record 5, and the next segment begins at record \
             6; restore the file from a copy",
        );
        check(
            0,
            3,
            "`log~00000000000000000000.log` is damaged: its first bytes are not a segment's header; restore the \
             file from a copy",
        );
    }

    #[test]
    fn a_missing_segment_is_an_error_and_not_an_empty_journal() {
        let store = store_of(8);
        store.remove("log~00000000000000000000.log").unwrap();
        let expected =
            "`log~00000000000000000000.log` is damaged: there is no such file; restore it from a copy";
        assert_eq!(open(&store).unwrap_err().to_string(), expected);
        let none = SegmentJournal::open(Arc::new(MemoryStore::new()), "log", LIMITS);
        assert_eq!(none.unwrap_err().to_string(), expected);
    }

    #[test]
    fn damage_is_found_by_a_read_too() {
        let store = store_of(2);
        let journal = open(&store).unwrap();
        store.open("log~00000000000000000000.log").unwrap().truncate(50).unwrap();
        assert_eq!(journal.read(0).unwrap(), [0; 4]);
        assert_eq!(journal.read(1).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn a_record_beyond_the_limit_is_refused_and_the_journal_goes_on() {
        let journal = open(&MemoryStore::new()).unwrap();
        let refused = journal.append(&[0; 101]).unwrap_err();
        assert_eq!(refused.to_string(), "a record of 101 bytes is longer than the limit of 100 bytes");
        assert_eq!(journal.append(&[0; 100]).unwrap(), 0);
    }

    #[test]
    fn after_a_failure_of_the_store_the_journal_takes_no_more() {
        let store = CrashStore::new();
        let journal = open(&store).unwrap();
        journal.append(b"a").unwrap();
        store.crash_at(1, Survival::Everything);
        journal.sync().unwrap_err();
        for refused in [journal.sync().unwrap_err(), journal.append(b"b").unwrap_err()] {
            assert!(refused.to_string().contains("takes no more since its store failed"), "{refused}");
        }
        assert_eq!((journal.record_count(), journal.durable_count()), (1, 0));
    }

    #[test]
    fn a_store_that_finds_its_input_invalid_has_failed_and_refused_no_record() {
        let journal = open(&MemoryStore::new()).unwrap();
        let failed = journal.noting_failure::<()>(Err(io::ErrorKind::InvalidInput.into())).unwrap_err();
        assert_eq!(failed.kind(), io::ErrorKind::Other);
        assert!(journal.append(b"a").unwrap_err().to_string().contains("takes no more"));
    }

    #[test]
    fn one_sync_covers_every_record_before_it() {
        let store = CrashStore::new();
        let journal = open(&store).unwrap();
        let before = store.boundary_count();
        journal.append(b"a").unwrap();
        journal.append(b"b").unwrap();
        journal.sync().unwrap();
        journal.sync().unwrap();
        assert_eq!(store.boundary_count() - before, 3);
    }
}
