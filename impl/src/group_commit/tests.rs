use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use lawspeaker_history::{EventId, Generation, MemoryRecorder, NoRecorder, Offset, Partition};

use super::*;
use crate::consumer_group::{ConsumerGroup, GroupError};
use crate::id::{Epoch, MemberId, PartitionNumber, ProducerId, Sequence, Stamp};
use crate::memory_journal::MemoryJournal;
use crate::message::Message;
use crate::partition_log::{AppendError, PartitionLog, WaitError};
use crate::producer::Producer;
use crate::segment_journal::{JournalLimits, SegmentJournal};
use crate::store::MemoryStore;

fn log(journal: impl Journal + 'static, recorder: Arc<dyn Recorder>) -> PartitionLog {
    PartitionLog::recover(Partition::new("t", 0), Arc::new(journal), recorder).unwrap()
}

/// A journal that takes records of up to `record_bytes`.
fn short(record_bytes: u32) -> SegmentJournal {
    let limits = JournalLimits { record_bytes, ..JournalLimits::default() };
    SegmentJournal::open_or_create(Arc::new(MemoryStore::new()), "log", limits).unwrap()
}

fn said(recorder: &MemoryRecorder, f: &str) -> Vec<OpType> {
    recorder.history().ops.iter().filter(|op| op.call.f() == f).map(|op| op.op_type).collect()
}

#[test]
fn an_event_too_long_for_the_journal_is_refused_and_the_log_goes_on() {
    let recorder = Arc::new(MemoryRecorder::new());
    let log = Arc::new(log(short(100), recorder.clone()));
    let mut producer = Producer::open(ProducerId(1), log.clone()).unwrap();
    producer.send(Message::new(1, "short")).unwrap();
    let refused = producer.send(Message::new(2, [7; 101])).unwrap_err();
    assert!(refused.to_string().starts_with("nothing was written: a record of "), "{refused}");
    assert_eq!(producer.in_flight_count(), 0);
    assert_eq!(producer.send(Message::new(3, "short")), Ok(Offset::of(1)));
    let ids: Vec<_> = log.read(Offset::of(0), 9).unwrap().into_iter().map(|entry| entry.message.id).collect();
    assert_eq!(ids, [1, 3].map(EventId::from));
    let [sent, failed] = [[OpType::Invoke, OpType::Ok], [OpType::Invoke, OpType::Fail]];
    assert_eq!(said(&recorder, "send"), [sent, failed, sent].concat());
}

#[test]
fn a_producer_whose_record_is_refused_is_not_opened() {
    let log = log(short(1), Arc::new(NoRecorder));
    let before = log.expected(ProducerId(1));
    for _ in 0..2 {
        let refused = log.open_producer(ProducerId(1)).unwrap_err();
        assert!(matches!(refused, AppendError::Journal(WriteError::Refused(_))), "{refused}");
    }
    assert_eq!(log.expected(ProducerId(1)), before);
}

/// Refuses a record once it is told to.
#[derive(Debug, Default)]
struct Refusing {
    journal: MemoryJournal,
    is_refusing: std::sync::atomic::AtomicBool,
}

impl Journal for Refusing {
    fn append(&self, record: &[u8]) -> io::Result<u64> {
        if self.is_refusing.swap(false, std::sync::atomic::Ordering::SeqCst) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        self.journal.append(record)
    }

    fn sync(&self) -> io::Result<()> {
        self.journal.sync()
    }

    fn read(&self, index: u64) -> io::Result<Vec<u8>> {
        self.journal.read(index)
    }

    fn record_count(&self) -> u64 {
        self.journal.record_count()
    }
}

#[test]
fn a_commit_whose_record_is_refused_has_failed_and_the_group_goes_on() {
    let recorder = Arc::new(MemoryRecorder::new());
    let journal = Arc::new(Refusing::default());
    let partitions = vec![Partition::new("t", 0)];
    let group = ConsumerGroup::recover("g".into(), partitions, journal.clone(), recorder.clone()).unwrap();
    assert_eq!(group.join(MemberId(1)), Ok(Generation(1)));
    let commit = || group.commit(MemberId(1), Generation(1), PartitionNumber(0), Offset::of(1));
    journal.is_refusing.store(true, std::sync::atomic::Ordering::SeqCst);
    let refused = commit().unwrap_err();
    assert!(matches!(refused, GroupError::Journal(WriteError::Refused(_))), "{refused}");
    assert_eq!(group.committed(PartitionNumber(0)), Ok(Offset::of(0)));
    commit().unwrap();
    let said = said(&recorder, "commit");
    assert_eq!(said, [OpType::Invoke, OpType::Fail, OpType::Invoke, OpType::Ok]);
}

/// Panics in every sync but the first, which is the recovery's.
#[derive(Debug, Default)]
struct Panicking {
    journal: MemoryJournal,
    sync_count: std::sync::atomic::AtomicU64,
}

impl Journal for Panicking {
    fn append(&self, record: &[u8]) -> io::Result<u64> {
        self.journal.append(record)
    }

    fn sync(&self) -> io::Result<()> {
        assert_eq!(
            self.sync_count.fetch_add(1, std::sync::atomic::Ordering::SeqCst),
            0,
            "as the test wants it"
        );
        Ok(())
    }

    fn read(&self, index: u64) -> io::Result<Vec<u8>> {
        self.journal.read(index)
    }

    fn record_count(&self) -> u64 {
        self.journal.record_count()
    }
}

#[test]
fn a_sync_that_panics_fails_the_journal_and_nobody_waits_for_it() {
    let log = Arc::new(log(Panicking::default(), Arc::new(NoRecorder)));
    let stamp = Stamp { producer: ProducerId(1), epoch: Epoch(0), sequence: Sequence(0) };
    let offset = log.append(stamp, &Message::new(1, "")).unwrap().offset();
    let (tell, told) = mpsc::channel();
    let panicking = log.clone();
    assert!(thread::spawn(move || panicking.wait_durable(offset)).join().is_err());
    thread::spawn(move || tell.send(log.wait_durable(offset)));
    let outcome = told.recv_timeout(Duration::from_secs(20)).expect("it does not hang");
    let Err(WaitError::Journal(failure)) = outcome else { panic!("{outcome:?}") };
    assert_eq!(&*failure.message, "a sync panicked");
}
