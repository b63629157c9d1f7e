//! Group commit: many callers wait for durability, one of them syncs for all.
//!
//! Gawlick's group commit (IMS Fast Path, 1985): the first caller that finds nobody syncing becomes the flusher and
//! syncs outside the lock; whoever comes meanwhile appends and waits for the next round. An fsync thus costs its
//! callers at most two rounds, however many they are.

use std::collections::VecDeque;
use std::fmt;
use std::io;

use lawspeaker_history::{Op, OpType, Recorder};

use crate::journal::Journal;
use crate::mutant::{Mutant, is_seeded};
use crate::sync::{Arc, Condvar, Mutex, MutexGuard, lock, wait};

/// The journal failed, now or before. What it was to hold is unknown, and it is never tried again: after an fsync
/// that failed, the next one may report success without the data (the "fsyncgate" of PostgreSQL, 2018). Recover
/// from the store to go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the journal failed and was given up, recover to go on: {message}")]
pub struct JournalFailure {
    /// What the store said, as a kind.
    pub kind: io::ErrorKind,
    /// What the store said, in words.
    pub message: Arc<str>,
}

/// The journal does not take such a record, as one that is too long. Nothing was written, and the journal goes on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nothing was written: {message}")]
pub struct RecordRefused {
    /// What the journal said.
    pub message: Arc<str>,
}

/// Why a record was not written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// It surely was not, and the next one can be.
    #[error(transparent)]
    Refused(#[from] RecordRefused),
    /// After recovery it may be there or not.
    #[error(transparent)]
    Failed(#[from] JournalFailure),
}

impl From<io::Error> for JournalFailure {
    fn from(error: io::Error) -> Self {
        JournalFailure { kind: error.kind(), message: error.to_string().into() }
    }
}

/// A shell's state that learns what became durable.
pub(crate) trait Settle {
    /// What is known when a sync begins.
    type Mark;

    /// Takes the mark of everything that is written now.
    fn mark(&self) -> Self::Mark;

    /// Everything up to the mark is durable.
    fn settle(&mut self, mark: Self::Mark);
}

/// A state behind a lock, its journal, and those who wait for news of either.
#[derive(Debug)]
pub(crate) struct GroupCommit<S> {
    journal: Arc<dyn Journal>,
    recorder: Arc<dyn Recorder>,
    shared: Mutex<Shared<S>>,
    news: Condvar,
}

/// What the lock guards.
pub(crate) struct Shared<S> {
    pub(crate) state: S,
    written_count: u64,
    // INVARIANT: durable_count <= written_count.
    durable_count: u64,
    is_syncing: bool,
    failure: Option<JournalFailure>,
    /// Completions to record, each once so many records are durable; in order.
    completions: VecDeque<(u64, Op)>,
    listeners: Vec<Box<dyn Fn() + Send + Sync>>,
}

pub(crate) type Guard<'a, S> = MutexGuard<'a, Shared<S>>;

impl<S: Settle> GroupCommit<S> {
    /// The state that was recovered from `journal`, every record of which is durable.
    pub(crate) fn new(state: S, journal: Arc<dyn Journal>, recorder: Arc<dyn Recorder>) -> Self {
        let record_count = journal.record_count();
        let shared = Shared {
            state,
            written_count: record_count,
            durable_count: record_count,
            is_syncing: false,
            failure: None,
            completions: VecDeque::new(),
            listeners: Vec::new(),
        };
        GroupCommit { journal, recorder, shared: Mutex::new(shared), news: Condvar::new() }
    }

    pub(crate) fn lock(&self) -> Guard<'_, S> {
        lock(&self.shared)
    }

    /// Waits for news. May wake without.
    pub(crate) fn wait<'a>(&self, guard: Guard<'a, S>) -> Guard<'a, S> {
        wait(&self.news, guard)
    }

    /// Tells everybody that something has changed.
    pub(crate) fn notify(&self, shared: &Shared<S>) {
        self.news.notify_all();
        shared.listeners.iter().for_each(|listener| listener());
    }

    pub(crate) fn journal(&self) -> &dyn Journal {
        &*self.journal
    }

    /// Writes a record, not durable yet, and returns its index.
    pub(crate) fn write(&self, shared: &mut Shared<S>, record: &[u8]) -> Result<u64, WriteError> {
        shared.check()?;
        match self.journal.append(record) {
            Ok(index) => {
                shared.written_count = index + 1;
                Ok(index)
            }
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                Err(RecordRefused { message: error.to_string().into() }.into())
            }
            Err(error) => Err(self.fail(shared, error).into()),
        }
    }

    /// Writes the record of a call that a history is to know of: its invocation comes first, so that whoever dies in
    /// between leaves a call of unknown outcome and not a phantom, and a refused record completes it as failed.
    pub(crate) fn write_recorded(
        &self,
        shared: &mut Shared<S>,
        record: &[u8],
        invocation: &Op,
    ) -> Result<u64, WriteError> {
        self.write_all_recorded(shared, record, std::slice::from_ref(invocation))
    }

    /// The same of a record that is several calls at once.
    pub(crate) fn write_all_recorded(
        &self,
        shared: &mut Shared<S>,
        record: &[u8],
        invocations: &[Op],
    ) -> Result<u64, WriteError> {
        invocations.iter().for_each(|invocation| self.recorder.record(invocation.clone()));
        self.write(shared, record).inspect_err(|error| {
            if let WriteError::Refused(refused) = error {
                let error = Some(refused.message.as_ref().into());
                for invocation in invocations {
                    let failed = Op { op_type: OpType::Fail, error: error.clone(), ..invocation.clone() };
                    self.recorder.record(failed);
                }
            }
        })
    }

    /// Records that a call succeeded, once everything written so far is durable.
    pub(crate) fn record_completion(&self, shared: &mut Shared<S>, op: Op) {
        shared.completions.push_back((shared.written_count, op));
        self.record_due(shared);
    }

    fn record_due(&self, shared: &mut Shared<S>) {
        let durable_count = shared.durable_count;
        while let Some((_, op)) = shared.completions.pop_front_if(|(count, _)| *count <= durable_count) {
            self.recorder.record(op);
        }
    }

    /// Returns once `is_durable`, syncing where nobody else does.
    pub(crate) fn wait_durable<'a>(
        &'a self,
        mut guard: Guard<'a, S>,
        is_durable: impl Fn(&Shared<S>) -> bool,
    ) -> Result<Guard<'a, S>, JournalFailure> {
        while !is_durable(&guard) {
            guard.check()?;
            guard = if guard.is_syncing { self.wait(guard) } else { self.sync(guard) };
        }
        Ok(guard)
    }

    /// One round: sync outside the lock, then tell everybody.
    fn sync<'a>(&'a self, mut guard: Guard<'a, S>) -> Guard<'a, S> {
        guard.is_syncing = true;
        let (written_count, mark) = (guard.written_count, guard.state.mark());
        drop(guard);
        let round = Round(self);
        let outcome = self.journal.sync();
        let mut guard = self.lock();
        guard.is_syncing = false;
        match outcome {
            Ok(()) => {
                guard.durable_count = written_count;
                guard.state.settle(mark);
                self.record_due(&mut guard);
            }
            Err(_) if is_seeded(Mutant::FailedSyncRetried) => {}
            Err(error) => drop(self.fail(&mut guard, error)),
        }
        if !is_seeded(Mutant::LostWakeUp) {
            self.notify(&guard);
        }
        std::mem::forget(round);
        guard
    }

    fn fail(&self, shared: &mut Shared<S>, error: io::Error) -> JournalFailure {
        let failure = JournalFailure::from(error);
        shared.failure = Some(failure.clone());
        for (_, op) in shared.completions.drain(..) {
            self.recorder.record(Op { op_type: OpType::Info, ..op });
        }
        self.notify(shared);
        failure
    }
}

/// A round that is not over. It is dropped only by a panic, and then the journal has failed: nobody else would tell
/// those who wait for the round.
struct Round<'a, S: Settle>(&'a GroupCommit<S>);

impl<S: Settle> Drop for Round<'_, S> {
    fn drop(&mut self) {
        match self.0.shared.lock() {
            Ok(mut shared) => {
                shared.is_syncing = false;
                drop(self.0.fail(&mut shared, io::Error::other("a sync panicked")));
            }
            // The panic came inside the critical section, and whoever wakes panics too.
            Err(_) => self.0.news.notify_all(),
        }
    }
}

impl<S> Shared<S> {
    /// Fails if the journal has failed.
    pub(crate) fn check(&self) -> Result<(), JournalFailure> {
        self.failure.clone().map_or(Ok(()), Err)
    }

    /// How many records are written, durable or not.
    pub(crate) fn written_count(&self) -> u64 {
        self.written_count
    }

    /// How many records are durable.
    pub(crate) fn durable_count(&self) -> u64 {
        self.durable_count
    }

    /// Calls `listener` at every change from now on.
    pub(crate) fn listen(&mut self, listener: Box<dyn Fn() + Send + Sync>) {
        self.listeners.push(listener);
    }
}

impl<S: fmt::Debug> fmt::Debug for Shared<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("state", &self.state)
            .field("written_count", &self.written_count)
            .field("durable_count", &self.durable_count)
            .field("failure", &self.failure)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[cfg(not(any(lawspeaker_loom, lawspeaker_shuttle)))]
mod tests;
