//! The segment journal, alone.

use std::sync::Arc;

use lawspeaker_bus::journal::Journal;
use lawspeaker_bus::segment_journal::{JournalLimits, SegmentJournal};
use lawspeaker_bus::store::CrashStore;

use crate::everywhere::{Subject, crash_everywhere};

/// Two or three records fill a segment, so that rolling is crashed too.
const LIMITS: JournalLimits = JournalLimits { segment_bytes: 80, record_bytes: 64 };

/// Appends records in batches of these sizes, and syncs after each batch.
struct Batches(&'static [usize]);

#[derive(Clone, Default)]
struct Told {
    /// Everything that was ever given to the journal, in order; what a crash took away is gone from it.
    attempted: Vec<Vec<u8>>,
    /// How many leading ones were acknowledged by a sync.
    acknowledged: usize,
}

impl Told {
    /// Appends and syncs one batch. `None` once the store is down.
    fn batch(&mut self, journal: &SegmentJournal, size: usize) -> Option<()> {
        for _ in 0..size {
            let record = format!("record {}{}", self.attempted.len(), "+".repeat(self.attempted.len() % 7));
            self.attempted.push(record.clone().into_bytes());
            let index = journal.append(record.as_bytes()).ok()?;
            assert_eq!(index as usize, self.attempted.len() - 1, "an index was given twice or skipped");
        }
        journal.sync().ok()?;
        self.acknowledged = self.attempted.len();
        Some(())
    }
}

impl Subject for Batches {
    type Told = Told;

    fn run(&self, store: &CrashStore, told: &mut Told) -> Option<()> {
        let journal = SegmentJournal::open_or_create(Arc::new(store.clone()), "log", LIMITS).ok()?;
        self.0.iter().try_for_each(|size| told.batch(&journal, *size))
    }

    fn recover(&self, store: &CrashStore, told: &mut Told) -> Option<()> {
        let journal = match SegmentJournal::open_or_create(Arc::new(store.clone()), "log", LIMITS) {
            Ok(journal) => journal,
            Err(_) if store.is_down() => return None,
            Err(error) => panic!("a crash was taken for damage: {error}"),
        };
        let found: Vec<_> = (0..journal.record_count()).map(|index| journal.read(index).unwrap()).collect();
        assert!(found.len() >= told.acknowledged, "an acknowledged record is lost");
        assert!(told.attempted.starts_with(&found), "a record was invented, changed or moved");
        told.attempted.truncate(found.len());
        told.acknowledged = found.len();
        told.batch(&journal, 2)
    }
}

#[test]
fn a_journal_loses_no_synced_record_and_invents_none_wherever_the_power_fails() {
    let count = crash_everywhere(&Batches(&[1, 2, 1, 3, 5, 1]));
    println!(
        "O3 journal: {} boundaries, {} crashes, {} crashes of the recovery",
        count.boundaries, count.first, count.second
    );
    assert!(count.boundaries > 40 && count.second > 5_000, "too little was tried: {count:?}");
}
