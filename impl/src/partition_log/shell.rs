//! The partition log that threads share: the core behind a lock, its journal, and a lock-free way to read.

use std::io;

use lawspeaker_history::{Call, Offset, Op, OpType, Partition, Recorder, Sent};

use crate::codec::DecodeError;
use crate::group_commit::{GroupCommit, JournalFailure, Settle, Shared, WriteError};
use crate::id::{self, Epoch, ProducerId, Sequence, Stamp};
use crate::journal::Journal;
use crate::message::Message;
use crate::mutant::{Mutant, is_seeded};
use crate::sync::Arc;

use super::core::{Accepted, DEFAULT_WINDOW_LENGTH, PartitionLogCore, Refusal, Unlawful};
use super::index::PositionIndex;
use super::record::{LogRecord, encode_appended};

/// A durable partition log, shared by reference between threads.
///
/// * An append is acknowledged by [`wait_durable`](Self::wait_durable), and only then can it be read.
/// * Reads take no lock of the log: they load the high watermark and look the journal up.
/// * A journal that fails poisons the log: nothing is lost silently, and what was durable can still be read.
///
/// The linearization point of a call that changes something lies inside the critical section, where it is recorded:
/// `send` is invoked when the event is appended, and `ok` when it is durable.
#[derive(Debug)]
pub struct PartitionLog {
    name: Partition,
    commit: GroupCommit<Writer>,
    index: Arc<PositionIndex>,
}

#[derive(Debug)]
struct Writer {
    core: PartitionLogCore,
    index: Arc<PositionIndex>,
}

impl Settle for Writer {
    type Mark = Offset;

    fn mark(&self) -> Offset {
        self.core.end()
    }

    fn settle(&mut self, end: Offset) {
        self.core.flushed(end);
        self.index.publish(id::place(self.core.high_watermark()));
    }
}

/// An event as it stands in the log.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LogEntry {
    /// Where.
    pub offset: Offset,
    /// Who sent it, as which of its events.
    pub stamp: Stamp,
    /// What was sent.
    pub message: Message,
}

/// Why a log could not be recovered.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// The journal could not be read or synced.
    #[error("the journal could not be read: {0}")]
    Journal(#[from] io::Error),
    /// A record is none.
    #[error("record `{index}` of the journal is damaged: {source}")]
    Damaged {
        /// Its index in the journal, from 0.
        index: u64,
        /// What is wrong with it.
        source: DecodeError,
    },
    /// A record contradicts those before it.
    #[error("the journal was not written by this log: {0}")]
    Unlawful(#[from] Unlawful),
}

/// Why an event was not appended, or a producer not opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The log refused, and nothing has changed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The journal refused the record, and nothing has changed; or it failed: after recovery the event may be there
    /// or not, send it again with the same stamp.
    #[error(transparent)]
    Journal(#[from] WriteError),
}

impl From<JournalFailure> for AppendError {
    fn from(failure: JournalFailure) -> Self {
        AppendError::Journal(failure.into())
    }
}

/// Why a wait ended without what was waited for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WaitError {
    /// Nothing was appended at the offset.
    #[error("nothing was appended at offset `{0}`")]
    NotAppended(Offset),
    /// The log was closed, and nothing more will come.
    #[error("the log is closed")]
    Closed,
    /// The journal failed: after recovery the event may be there or not.
    #[error(transparent)]
    Journal(#[from] JournalFailure),
}

/// Why an entry could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The journal did not give the record back.
    #[error("offset `{offset}` could not be read: {source}")]
    Journal {
        /// Of the entry.
        offset: Offset,
        /// What the store said.
        source: io::Error,
    },
    /// The record is none, or not an entry.
    #[error("offset `{offset}` is damaged")]
    Damaged {
        /// Of the entry.
        offset: Offset,
    },
}

impl PartitionLog {
    /// The log that `journal` holds; an empty journal is an empty log. O(n log p) for p producers.
    ///
    /// The journal is synced first: what is read back may so far stand in a cache only.
    ///
    /// # Errors
    /// [`RecoverError`].
    pub fn recover(
        name: Partition,
        journal: Arc<dyn Journal>,
        recorder: Arc<dyn Recorder>,
    ) -> Result<Self, RecoverError> {
        journal.sync()?;
        let index = Arc::new(PositionIndex::new());
        let mut facts = Vec::new();
        let mut entry_count = 0;
        for position in 0..journal.record_count() {
            let record = LogRecord::decode(&journal.read(position)?)
                .map_err(|source| RecoverError::Damaged { index: position, source })?;
            if let LogRecord::Appended { .. } = record {
                index.set(entry_count, position);
                entry_count += 1;
            }
            facts.push(record.fact());
        }
        let core = PartitionLogCore::recover(DEFAULT_WINDOW_LENGTH, facts)?;
        index.publish(entry_count);
        let writer = Writer { core, index: index.clone() };
        Ok(PartitionLog { name, commit: GroupCommit::new(writer, journal, recorder), index })
    }

    /// The partition's name in histories.
    pub fn name(&self) -> &Partition {
        &self.name
    }

    /// A new incarnation of `producer` takes over and gets its epoch, which is durable when this returns.
    ///
    /// # Errors
    /// [`AppendError`].
    pub fn open_producer(&self, producer: ProducerId) -> Result<Epoch, AppendError> {
        let mut guard = self.commit.lock();
        guard.check()?;
        let epoch = guard.state.core.check_open(producer)?;
        let record = LogRecord::Opened { producer, epoch }.encode();
        let position = self.commit.write(&mut guard, &record)?;
        guard.state.core.open_producer(producer)?;
        drop(self.commit.wait_durable(guard, |shared| shared.durable_count() > position)?);
        Ok(epoch)
    }

    /// Appends an event, at most once, and returns where it stands. It is acknowledged only when
    /// [`wait_durable`](Self::wait_durable) for that offset returns.
    ///
    /// # Errors
    /// [`AppendError`].
    pub fn append(&self, stamp: Stamp, message: &Message) -> Result<Accepted, AppendError> {
        let record = encode_appended(stamp, message);
        let mut guard = self.commit.lock();
        guard.check()?;
        let accepted = guard.state.core.check(stamp)?;
        if is_seeded(Mutant::DedupCheckThenAct) {
            drop(guard);
            guard = self.commit.lock();
        }
        if !matches!(accepted, Accepted::Appended(_)) {
            return Ok(accepted);
        }
        let invocation = self.send(OpType::Invoke, stamp, message, None);
        let position = self.commit.write_recorded(&mut guard, &record, &invocation)?;
        let offset = guard.state.core.take(stamp);
        self.index.set(id::place(offset), position);
        self.commit.record_completion(&mut guard, self.send(OpType::Ok, stamp, message, Some(offset)));
        Ok(Accepted::Appended(offset))
    }

    fn send(&self, op_type: OpType, stamp: Stamp, message: &Message, offset: Option<Offset>) -> Op {
        let sent = Sent { partition: self.name.clone(), offset, event: message.id.clone() };
        let mut op = Op::new(stamp.process(), op_type, Call::Send(vec![sent]));
        op.x.key.clone_from(&message.key);
        op.x.cause = message.cause_ids();
        op.x.pid = Some(stamp.producer.0);
        op.x.epoch = Some(stamp.epoch.0);
        op.x.seq = Some(stamp.sequence.0);
        op
    }

    /// Returns when the entry at `offset`, and so every entry before it, is durable: the acknowledgement.
    ///
    /// Group commit: one of those who wait here syncs for all of them, outside the lock.
    ///
    /// # Errors
    /// [`WaitError::NotAppended`], [`WaitError::Journal`]. A closed log still makes durable what it has taken.
    pub fn wait_durable(&self, offset: Offset) -> Result<(), WaitError> {
        let guard = self.commit.lock();
        if !guard.state.core.holds(offset) {
            return Err(WaitError::NotAppended(offset));
        }
        let is_durable = |shared: &Shared<Writer>| shared.state.core.high_watermark() > offset;
        drop(self.commit.wait_durable(guard, is_durable)?);
        Ok(())
    }

    /// The offset after the last durable entry. Lock-free.
    pub fn high_watermark(&self) -> Offset {
        id::offset(self.index.published_length())
    }

    /// The offset of the next append.
    pub fn end(&self) -> Offset {
        self.commit.lock().state.core.end()
    }

    /// What the log expects of `producer`: its epoch and the next sequence number.
    pub fn expected(&self, producer: ProducerId) -> (Epoch, Sequence) {
        self.commit.lock().state.core.expected(producer)
    }

    /// At most `max_count` durable entries from `from` on; none at or past the high watermark. Takes no lock of the
    /// log's.
    ///
    /// A read sees every event whose acknowledgement happened before it, in its own thread or told to it by another
    /// one; what other threads do at the same time it may see a little late.
    ///
    /// # Errors
    /// [`ReadError`] of the first entry that cannot be read.
    pub fn read(&self, from: Offset, max_count: usize) -> Result<Vec<LogEntry>, ReadError> {
        let past = u64::from(is_seeded(Mutant::ReadPastHighWatermark));
        let places = id::place(from)..self.index.published_length() + past;
        places.take(max_count).map(|place| self.entry(place)).collect()
    }

    fn entry(&self, place: u64) -> Result<LogEntry, ReadError> {
        let offset = id::offset(place);
        let bytes = self.commit.journal().read(self.index.get(place));
        let bytes = bytes.map_err(|source| ReadError::Journal { offset, source })?;
        match LogRecord::decode(&bytes) {
            Ok(LogRecord::Appended { stamp, message }) => Ok(LogEntry { offset, stamp, message }),
            _ => Err(ReadError::Damaged { offset }),
        }
    }

    /// Blocks until the entry at `offset` can be read.
    ///
    /// # Errors
    /// [`WaitError::Closed`], [`WaitError::Journal`].
    pub fn wait_for(&self, offset: Offset) -> Result<(), WaitError> {
        if self.high_watermark() > offset {
            return Ok(());
        }
        let mut guard = self.commit.lock();
        while guard.state.core.high_watermark() <= offset {
            guard.check()?;
            if guard.state.core.is_closed() {
                return Err(WaitError::Closed);
            }
            guard = self.commit.wait(guard);
        }
        Ok(())
    }

    /// Takes no more appends and wakes everybody who waits for one. What was durable can still be read.
    pub fn close(&self) {
        let mut guard = self.commit.lock();
        guard.state.core.close();
        if !is_seeded(Mutant::CloseForgetsWaiters) {
            self.commit.notify(&guard);
        }
    }

    /// Calls `listener` whenever there may be something to read, or the log was closed or has failed.
    ///
    /// It is called inside the critical section: it must be quick and must not call the log.
    pub fn on_news(&self, listener: impl Fn() + Send + Sync + 'static) {
        self.commit.lock().listen(Box::new(listener));
    }
}
