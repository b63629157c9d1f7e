//! The saga log that executors share: the core behind a lock, and its journal.

use std::io;

use lawspeaker_history::{
    Call, Op, OpType, Process, Recorder, SagaEnd, SagaId, SagaStart, SagaStep, StepName,
};

use crate::group_commit::{GroupCommit, Guard, JournalFailure, Settle, WriteError};
use crate::id::Epoch;
use crate::journal::Journal;
use crate::mutant::{Mutant, is_seeded};
use crate::sync::Arc;

use super::core::{Payload, SagaCore, SagaEvent, SagaPhase, StepFact, Way};
use super::log_core::{Contradiction, Refusal, Saga, SagaLogCore, Started};
use super::plan::{Plan, StepNumber};
use super::record::{SagaRecord, SagaRecordError};
use super::status::SagaStatus;

/// Who records the steps of a saga and their compensations in a history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum StepRecording {
    /// The executor: what it is told of them. For participants that record nothing.
    #[default]
    ByExecutor,
    /// The participants, where the effects happen, as [`Participant`](super::Participant) does. The executor records
    /// only that steps which run at once begin together.
    ByParticipants,
}

/// A durable log of sagas, shared by reference between threads. Where a saga stands is the fold of it.
///
/// No answer leaves before everything that it tells is durable, so that whoever acts on an answer acts on what the
/// log knows (`persist-first`). Only the newest executor may write; the others are refused.
///
/// The linearization point of a call lies inside the critical section, where it is recorded: `saga.start` invoked
/// when it is granted and `ok` when it is durable, `saga.end` when the last event is.
#[derive(Debug)]
pub struct SagaLog {
    name: Arc<str>,
    recording: StepRecording,
    commit: GroupCommit<Shared>,
}

#[derive(Debug)]
struct Shared {
    core: SagaLogCore,
    is_closed: bool,
}

impl Settle for Shared {
    type Mark = ();

    fn mark(&self) {}

    fn settle(&mut self, (): ()) {}
}

/// Why a call of a saga log fails.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SagaLogError {
    /// The log refused, and nothing has changed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The log was closed, and changes no more.
    #[error("the saga log is closed")]
    Closed,
    /// The journal refused the record, and nothing has changed; or it failed: after recovery the call may have
    /// happened or not.
    #[error(transparent)]
    Journal(#[from] WriteError),
}

impl From<JournalFailure> for SagaLogError {
    fn from(failure: JournalFailure) -> Self {
        SagaLogError::Journal(failure.into())
    }
}

/// Why a saga log could not be recovered.
#[derive(Debug, thiserror::Error)]
pub enum RecoverSagaLogError {
    /// The journal could not be read or synced.
    #[error("the journal could not be read: {0}")]
    Journal(#[from] io::Error),
    /// A record is none.
    #[error("record `{index}` of the journal is damaged: {source}")]
    Damaged {
        /// Its index in the journal, from 0.
        index: u64,
        /// What is wrong with it.
        source: SagaRecordError,
    },
    /// A record contradicts those before it.
    #[error("record `{index}` of the journal was not written by a saga log: {source}")]
    Contradiction {
        /// Its index in the journal, from 0.
        index: u64,
        /// What it contradicts.
        source: Contradiction,
    },
}

/// The process that a step of a saga is in a history.
pub fn step_process(saga: &SagaId, step: &StepName) -> Process {
    Process::from(format!("{saga}/{step}").as_str())
}

impl SagaLog {
    /// The log that `journal` holds; an empty journal is a log without sagas. O(records).
    ///
    /// The journal is synced first: what is read back may so far stand in a cache only.
    ///
    /// # Errors
    /// [`RecoverSagaLogError`].
    pub fn recover(
        name: &str,
        recording: StepRecording,
        journal: Arc<dyn Journal>,
        recorder: Arc<dyn Recorder>,
    ) -> Result<Self, RecoverSagaLogError> {
        journal.sync()?;
        let mut core = SagaLogCore::new();
        for index in 0..journal.record_count() {
            let record = SagaRecord::decode(&journal.read(index)?)
                .map_err(|source| RecoverSagaLogError::Damaged { index, source })?;
            core.replay(record).map_err(|source| RecoverSagaLogError::Contradiction { index, source })?;
        }
        let shared = Shared { core, is_closed: false };
        Ok(SagaLog { name: name.into(), recording, commit: GroupCommit::new(shared, journal, recorder) })
    }

    /// The log's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A new executor leads from now on, and those before it can write no more. Durable when it returns, with every
    /// saga that has not ended: they are the new executor's to lead.
    ///
    /// # Errors
    /// [`SagaLogError::Closed`], [`SagaLogError::Journal`].
    pub fn claim(&self) -> Result<(Epoch, Vec<(SagaId, Saga)>), SagaLogError> {
        let mut guard = self.open()?;
        self.commit.write(&mut guard, &SagaRecord::Claimed.encode())?;
        let epoch = guard.state.core.claim();
        let is_open = |saga: &Saga| !saga.core.phase().is_end();
        let open = guard.state.core.sagas().filter(|(_, saga)| is_open(saga));
        let open: Vec<_> = open.map(|(id, saga)| (id.clone(), saga.clone())).collect();
        // What participants record was invoked under the executor before, and is still open.
        for (saga, state) in open.iter().filter(|_| self.recording == StepRecording::ByExecutor) {
            self.record_asked(&mut guard, epoch, saga, &[], &state.core);
        }
        self.commit.notify(&guard);
        self.answer(guard, (epoch, open))
    }

    /// A saga begins; starting the same one again changes nothing. Durable when it returns.
    ///
    /// # Errors
    /// [`SagaLogError`].
    pub fn start(
        &self,
        epoch: Epoch,
        saga: &SagaId,
        plan: &Arc<Plan>,
        input: Payload,
    ) -> Result<(Started, SagaCore), SagaLogError> {
        let mut guard = self.open()?;
        let started = guard.state.core.check_start(epoch, saga, plan, &input)?;
        if started == Started::Now {
            let record = SagaRecord::Started {
                epoch,
                saga: saga.clone(),
                plan: plan.as_ref().clone(),
                input: input.clone(),
            };
            let invocation = self.op(epoch, saga, OpType::Invoke, Call::SagaStart(start_of(saga, plan)));
            self.commit.write_recorded(&mut guard, &record.encode(), &invocation)?;
            guard.state.core.start(epoch, saga.clone(), Arc::clone(plan), input)?;
            self.commit.record_completion(&mut guard, Op { op_type: OpType::Ok, ..invocation });
            let core = SagaCore::new(Arc::clone(plan));
            self.record_asked(&mut guard, epoch, saga, &[], &core);
            self.commit.notify(&guard);
        }
        let core = known(&guard, saga)?.core.clone();
        self.answer(guard, (started, core))
    }

    /// Events of a saga, in order. Durable when it returns, with where the saga stands.
    ///
    /// # Errors
    /// [`SagaLogError`]; the events before the one that was refused have happened.
    pub fn tell(
        &self,
        epoch: Epoch,
        saga: &SagaId,
        events: impl IntoIterator<Item = SagaEvent>,
    ) -> Result<SagaCore, SagaLogError> {
        let mut guard = self.open()?;
        for event in events {
            guard.state.core.check_tell(epoch, saga, &event)?;
            if is_seeded(Mutant::FenceCheckThenAct) {
                drop(guard);
                guard = self.open()?;
            }
            self.write_event(&mut guard, epoch, saga, event)?;
        }
        self.commit.notify(&guard);
        let core = known(&guard, saga)?.core.clone();
        self.answer(guard, core)
    }

    fn write_event(
        &self,
        guard: &mut Guard<'_, Shared>,
        epoch: Epoch,
        saga: &SagaId,
        event: SagaEvent,
    ) -> Result<(), SagaLogError> {
        let record = SagaRecord::Told { epoch, saga: saga.clone(), event: event.clone() };
        let before = known(guard, saga)?.core.clone();
        let mut after = before.clone();
        let end = after.tell(event.clone()).ok().and_then(|()| self.end_op(epoch, saga, after.phase()));
        self.commit.write_all_recorded(guard, &record.encode(), end.as_slice())?;
        let before = before.asked().collect::<Vec<_>>();
        guard.state.core.apply(saga, event.clone());
        let core = known(guard, saga)?.core.clone();
        if self.recording == StepRecording::ByExecutor {
            self.record_fact(guard, epoch, saga, &event, core.plan());
        }
        self.record_asked(guard, epoch, saga, &before, &core);
        if let Some(end) = end {
            self.commit.record_completion(guard, Op { op_type: OpType::Ok, ..end });
        }
        Ok(())
    }

    /// The invocation of a saga's end, if it has ended. It comes before the record that ends the saga, for who dies in
    /// between must leave an end of unknown outcome: after recovery nobody ends the saga again.
    fn end_op(&self, epoch: Epoch, saga: &SagaId, phase: SagaPhase) -> Option<Op> {
        let outcome = super::lead::outcome(phase)?;
        let end = Call::SagaEnd(SagaEnd { saga: saga.clone(), outcome });
        Some(self.op(epoch, saga, OpType::Invoke, end))
    }

    /// A saga, with what it was given.
    ///
    /// # Errors
    /// [`Refusal::UnknownSaga`], [`SagaLogError::Closed`], [`SagaLogError::Journal`].
    pub fn saga(&self, saga: &SagaId) -> Result<Saga, SagaLogError> {
        let guard = self.open()?;
        let state = known(&guard, saga)?.clone();
        self.answer(guard, state)
    }

    /// Where a saga stands; `None` if the log knows of none.
    ///
    /// # Errors
    /// [`SagaLogError::Closed`], [`SagaLogError::Journal`].
    pub fn status(&self, saga: &SagaId) -> Result<Option<SagaStatus>, SagaLogError> {
        let guard = self.open()?;
        let status = guard.state.core.saga(saga).map(|state| SagaStatus::of(saga.clone(), &state.core));
        self.answer(guard, status)
    }

    /// Where all sagas stand, in order of their ids.
    ///
    /// # Errors
    /// [`SagaLogError::Closed`], [`SagaLogError::Journal`].
    pub fn statuses(&self) -> Result<Vec<SagaStatus>, SagaLogError> {
        let guard = self.open()?;
        let sagas = guard.state.core.sagas();
        let statuses = sagas.map(|(saga, state)| SagaStatus::of(saga.clone(), &state.core)).collect();
        self.answer(guard, statuses)
    }

    /// Blocks until the saga has ended, and returns where it stands.
    ///
    /// # Errors
    /// [`SagaLogError`].
    pub fn wait_for_end(&self, saga: &SagaId) -> Result<SagaStatus, SagaLogError> {
        let mut guard = self.open()?;
        loop {
            let core = &known(&guard, saga)?.core;
            if core.phase().is_end() {
                let status = SagaStatus::of(saga.clone(), core);
                return self.answer(guard, status);
            }
            guard = check(self.commit.wait(guard))?;
        }
    }

    /// Whether the log still takes anything.
    ///
    /// # Errors
    /// [`SagaLogError::Closed`], [`SagaLogError::Journal`].
    pub fn check_open(&self) -> Result<(), SagaLogError> {
        self.open().map(drop)
    }

    /// Answers nothing more and wakes everybody who waits. What is durable stays so.
    pub fn close(&self) {
        let mut guard = self.commit.lock();
        guard.state.is_closed = true;
        self.commit.notify(&guard);
    }

    /// Calls `listener` whenever the log may have changed, was closed or has failed.
    ///
    /// It is called inside the critical section: it must be quick and must not call the log.
    pub fn on_news(&self, listener: impl Fn() + Send + Sync + 'static) {
        self.commit.lock().listen(Box::new(listener));
    }

    /// What the log knows, as its core.
    pub fn core(&self) -> SagaLogCore {
        self.commit.lock().state.core.clone()
    }

    fn open(&self) -> Result<Guard<'_, Shared>, SagaLogError> {
        check(self.commit.lock())
    }

    /// Gives an answer once everything that it can tell is durable.
    fn answer<T>(&self, guard: Guard<'_, Shared>, answer: T) -> Result<T, SagaLogError> {
        let written_count = guard.written_count();
        let is_told = |durable_count| durable_count >= written_count || is_seeded(Mutant::AskedBeforeSync);
        drop(self.commit.wait_durable(guard, |shared| is_told(shared.durable_count()))?);
        Ok(answer)
    }

    /// Records that steps begin, or their compensations: those that are asked for now and were not `before`.
    fn record_asked(
        &self,
        guard: &mut Guard<'_, Shared>,
        epoch: Epoch,
        saga: &SagaId,
        before: &[(StepNumber, Way)],
        core: &SagaCore,
    ) {
        for (step, way) in core.asked().filter(|asked| !before.contains(asked)) {
            if self.recording == StepRecording::ByParticipants && !core.plan().is_parallel(step) {
                continue;
            }
            if let Some(op) = self.step_op(epoch, saga, core.plan(), step, way, OpType::Invoke) {
                self.commit.record_completion(guard, op);
            }
        }
    }

    /// Records what became of a step, or of its compensation.
    fn record_fact(
        &self,
        guard: &mut Guard<'_, Shared>,
        epoch: Epoch,
        saga: &SagaId,
        event: &SagaEvent,
        plan: &Plan,
    ) {
        let (way, op_type) = match event.fact {
            StepFact::Done(_) => (Way::Forward, OpType::Ok),
            StepFact::Refused(_) => (Way::Forward, OpType::Fail),
            StepFact::GivenUp(_) => (Way::Forward, OpType::Info),
            StepFact::Undone => (Way::Backward, OpType::Ok),
            StepFact::UndoFailed(_) => return,
        };
        if let Some(op) = self.step_op(epoch, saga, plan, event.step, way, op_type) {
            self.commit.record_completion(guard, op);
        }
    }

    fn step_op(
        &self,
        epoch: Epoch,
        saga: &SagaId,
        plan: &Plan,
        step: StepNumber,
        way: Way,
        op_type: OpType,
    ) -> Option<Op> {
        let name = plan.step(step)?.name.clone();
        let process = match self.recording {
            StepRecording::ByExecutor => Process::from(format!("{saga}/{name}.{epoch}").as_str()),
            StepRecording::ByParticipants => step_process(saga, &name),
        };
        let step = SagaStep { saga: saga.clone(), step: name };
        let call = if way == Way::Forward { Call::SagaStep(step) } else { Call::SagaCompensate(step) };
        Some(Op::new(process, op_type, call))
    }

    /// An executor leads each saga for itself, as a process of its own.
    fn op(&self, epoch: Epoch, saga: &SagaId, op_type: OpType, call: Call) -> Op {
        Op::new(Process::from(format!("{}.{epoch}/{saga}", self.name).as_str()), op_type, call)
    }
}

fn known<'a>(guard: &'a Guard<'_, Shared>, saga: &SagaId) -> Result<&'a Saga, Refusal> {
    guard.state.core.saga(saga).ok_or_else(|| Refusal::UnknownSaga(saga.clone()))
}

fn check(guard: Guard<'_, Shared>) -> Result<Guard<'_, Shared>, SagaLogError> {
    guard.check()?;
    if guard.state.is_closed { Err(SagaLogError::Closed) } else { Ok(guard) }
}

fn start_of(saga: &SagaId, plan: &Plan) -> SagaStart {
    let steps = plan.steps().iter().map(|step| step.name.clone()).collect();
    SagaStart { saga: saga.clone(), steps: Some(steps), pivot: plan.pivot().map(|pivot| pivot.name.clone()) }
}
