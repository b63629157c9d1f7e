//! How a journal finds its records again.
//!
//! Only the last segment can be torn: the ones before it were synced whole before it was begun. A file too short
//! for a header was being created when the crash came, and never took a record.

use std::io;

use super::{HEADER_BYTES, Segment, segment};
use crate::journal_error::{DamageKind, OpenJournalError};
use crate::mutant::{Mutant, is_seeded};
use crate::store::{Store, StoreFile, read_all};

/// The file that holds the records of `journal` from index `base` on.
pub(super) fn file_name(journal: &str, base: u64) -> String {
    format!("{journal}~{base:020}.log")
}

/// The first indices of the segments of `journal`, in order.
fn bases(store: &dyn Store, journal: &str) -> io::Result<Vec<u64>> {
    let base_of = |name: &String| {
        let digits = name.strip_prefix(journal)?.strip_prefix('~')?.strip_suffix(".log")?;
        digits.parse().ok().filter(|base| file_name(journal, *base) == *name)
    };
    Ok(store.list()?.iter().filter_map(base_of).collect())
}

/// Creates the segment of `journal` whose first record has index `base`, durably.
pub(super) fn create_segment(store: &dyn Store, journal: &str, base: u64) -> io::Result<Segment> {
    let file = store.create(&file_name(journal, base))?;
    file.append(&segment::encode_header(base))?;
    file.sync()?;
    if !is_seeded(Mutant::DirectoryNotSynced) {
        store.sync_directory()?;
    }
    Ok(Segment { base, file, positions: Vec::new(), end: HEADER_BYTES as u64 })
}

/// Finds the segments of `journal`, in order; everything in them is durable and valid when this returns. None if the
/// journal was never created whole.
pub(super) fn recover(store: &dyn Store, journal: &str) -> Result<Vec<Segment>, OpenJournalError> {
    let failed = |source| OpenJournalError::Store { journal: journal.to_owned(), source };
    let mut bases = bases(store, journal).map_err(failed)?;
    if let Some(unborn) = unborn_segment(store, journal, &bases).map_err(failed)? {
        store.remove(&file_name(journal, unborn)).map_err(failed)?;
        bases.pop();
    }
    // A process that was killed may have left names and bytes that the disk does not hold yet.
    store.sync_directory().map_err(failed)?;
    if bases.first().is_some_and(|base| *base != 0) {
        return Err(missing(journal));
    }
    let next_of = |place: usize| bases.get(place + 1).copied();
    bases
        .iter()
        .enumerate()
        .map(|(place, base)| open_segment(store, journal, *base, next_of(place)))
        .collect()
}

/// The first segment is not there.
pub(super) fn missing(journal: &str) -> OpenJournalError {
    OpenJournalError::Damaged { file: file_name(journal, 0), kind: DamageKind::Missing }
}

/// The last segment, if the crash came before its header was durable.
fn unborn_segment(store: &dyn Store, journal: &str, bases: &[u64]) -> io::Result<Option<u64>> {
    let Some(base) = bases.last() else { return Ok(None) };
    let file = store.open(&file_name(journal, *base))?;
    if file.byte_count()? > HEADER_BYTES as u64 {
        return Ok(None);
    }
    Ok((segment::check_header(&read_all(&*file)?, *base) == Err(DamageKind::Header)).then_some(*base))
}

/// Opens the segment at `base`, which ends where the segment at `next` begins; the last one may have a torn tail.
fn open_segment(
    store: &dyn Store,
    journal: &str,
    base: u64,
    next: Option<u64>,
) -> Result<Segment, OpenJournalError> {
    let name = file_name(journal, base);
    let failed = |source| OpenJournalError::Store { journal: journal.to_owned(), source };
    let damaged = |kind| OpenJournalError::Damaged { file: name.clone(), kind };
    let file = store.open(&name).map_err(failed)?;
    let bytes = read_all(&*file).map_err(failed)?;
    segment::check_header(&bytes, base).map_err(damaged)?;
    let mut scan = segment::scan(&bytes, base).map_err(damaged)?;
    if is_seeded(Mutant::RecoveryOffByOne) {
        scan.positions.pop();
    }
    let end = base + scan.positions.len() as u64;
    match next {
        Some(next) if next != end => return Err(damaged(DamageKind::Short { end, next })),
        Some(_) => {}
        None => make_durable(&*file, bytes.len() as u64, scan.valid_bytes).map_err(failed)?,
    }
    Ok(Segment { base, file, positions: scan.positions, end: scan.valid_bytes })
}

/// Cuts the torn tail off, and syncs what is left before anything is built on it.
fn make_durable(file: &dyn StoreFile, byte_count: u64, valid_bytes: u64) -> io::Result<()> {
    if byte_count > valid_bytes && !is_seeded(Mutant::TornTailKept) {
        file.truncate(valid_bytes)?;
    }
    if is_seeded(Mutant::RecoveredNotSynced) { Ok(()) } else { file.sync() }
}
