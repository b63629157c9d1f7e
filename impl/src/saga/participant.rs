//! A participant that threads share: the core behind a lock, and its journal.

use std::io;

use lawspeaker_history::{Call, Op, OpType, Recorder, SagaId, SagaStep, StepName};

use crate::codec::{DecodeError, Decoder, Encoder};
use crate::group_commit::{GroupCommit, Guard, JournalFailure, Settle, WriteError};
use crate::journal::Journal;
use crate::mutant::{Mutant, is_seeded};
use crate::sync::Arc;

use super::agenda::Outcome;
use super::core::{Payload, Way};
use super::log::step_process;
use super::participant_core::{ParticipantCore, StepEntry, StepKey, Verdict};

/// The durable memory of whoever does steps of sagas: it does each step once, compensates it once, remembers what it
/// refused, and refuses a step whose compensation came first.
///
/// To act is to write down: what `act` decides becomes the record, and the record *is* the effect. A participant whose
/// effects stand elsewhere, as in a database, must write the same four kinds of entry there, in the transaction of the
/// effect.
///
/// The linearization point of a call lies inside the critical section, where it is recorded: `saga.step` and
/// `saga.compensate`, invoked when they are written and `ok` when they are durable, `fail` where nothing was done.
#[derive(Debug)]
pub struct Participant {
    commit: GroupCommit<ParticipantCore>,
    recorder: Arc<dyn Recorder>,
}

impl Settle for ParticipantCore {
    type Mark = ();

    fn mark(&self) {}

    fn settle(&mut self, (): ()) {}
}

/// Why a participant does not answer: whether it has acted is unknown, and it can be asked again once it is recovered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the participant's journal: {0}")]
pub struct ParticipantError(#[from] pub WriteError);

impl From<JournalFailure> for ParticipantError {
    fn from(failure: JournalFailure) -> Self {
        ParticipantError(failure.into())
    }
}

/// Why a participant could not be recovered.
#[derive(Debug, thiserror::Error)]
pub enum RecoverParticipantError {
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
}

impl Participant {
    /// The participant whose memory `journal` holds. O(records).
    ///
    /// The journal is synced first: what is read back may so far stand in a cache only.
    ///
    /// # Errors
    /// [`RecoverParticipantError`].
    pub fn recover(
        journal: Arc<dyn Journal>,
        recorder: Arc<dyn Recorder>,
    ) -> Result<Self, RecoverParticipantError> {
        journal.sync()?;
        let mut core = ParticipantCore::new();
        for index in 0..journal.record_count() {
            let (key, entry) = decode(&journal.read(index)?)
                .map_err(|source| RecoverParticipantError::Damaged { index, source })?;
            core.note(key, entry);
        }
        Ok(Participant { commit: GroupCommit::new(core, journal, Arc::clone(&recorder)), recorder })
    }

    /// Does a step, if it was never asked for, and answers; durable when it returns.
    ///
    /// `act` decides, inside the critical section: what it gives is the effect and is written down, or why it refuses.
    /// It must do nothing else that anybody could see. `is_parallel` says whether other steps run beside this one,
    /// which a history has to know.
    ///
    /// # Errors
    /// [`ParticipantError`].
    pub fn perform(
        &self,
        key: &StepKey,
        is_parallel: bool,
        act: impl FnOnce() -> Result<Payload, Arc<str>>,
    ) -> Result<Outcome, ParticipantError> {
        let mut guard = self.commit.lock();
        let (outcome, entry) = match guard.state.verdict(key, Way::Forward) {
            Verdict::Done(output) => (Outcome::Done(output), None),
            Verdict::Refused(reason) => (Outcome::Refused(reason), None),
            Verdict::Act | Verdict::Bury | Verdict::Undone => match act() {
                Ok(output) => (Outcome::Done(Arc::clone(&output)), Some(StepEntry::Done(output))),
                Err(reason) => (Outcome::Refused(Arc::clone(&reason)), Some(StepEntry::Refused(reason))),
            },
        };
        if let Some(entry) = entry {
            guard = self.note(guard, key, Way::Forward, entry, is_parallel)?;
        }
        self.answer(guard, outcome)
    }

    /// Compensates a step, if it is done and not compensated; if it is not done it will not be any more. Durable when
    /// it returns.
    ///
    /// # Errors
    /// [`ParticipantError`].
    pub fn compensate(&self, key: &StepKey, is_parallel: bool) -> Result<Outcome, ParticipantError> {
        let mut guard = self.commit.lock();
        let done = match guard.state.entry(key) {
            Some(StepEntry::Done(output) | StepEntry::Compensated(output)) => Some(Arc::clone(output)),
            _ => None,
        };
        let entry = match guard.state.verdict(key, Way::Backward) {
            Verdict::Act => done.map(StepEntry::Compensated),
            Verdict::Bury => Some(StepEntry::Tombstone),
            Verdict::Done(_) | Verdict::Refused(_) | Verdict::Undone => None,
        };
        if let Some(entry) = entry {
            guard = self.note(guard, key, Way::Backward, entry, is_parallel)?;
        }
        self.answer(guard, Outcome::Done(Payload::default()))
    }

    /// What is written down of a step, and durable.
    ///
    /// # Errors
    /// [`ParticipantError`].
    pub fn entry(&self, key: &StepKey) -> Result<Option<StepEntry>, ParticipantError> {
        let guard = self.commit.lock();
        let entry = guard.state.entry(key).cloned();
        self.answer(guard, entry)
    }

    /// What is done and not compensated: the participant's effects, in order of their keys, with what each gave.
    ///
    /// # Errors
    /// [`ParticipantError`].
    pub fn standing(&self) -> Result<Vec<(StepKey, Payload)>, ParticipantError> {
        let guard = self.commit.lock();
        let standing = guard.state.entries().filter_map(|(key, entry)| match entry {
            StepEntry::Done(output) => Some((key.clone(), Arc::clone(output))),
            _ => None,
        });
        let standing = standing.collect();
        self.answer(guard, standing)
    }

    /// Writes an entry down, and records what happened.
    fn note<'a>(
        &'a self,
        mut guard: Guard<'a, ParticipantCore>,
        key: &StepKey,
        way: Way,
        entry: StepEntry,
        is_parallel: bool,
    ) -> Result<Guard<'a, ParticipantCore>, ParticipantError> {
        if is_seeded(Mutant::StepCheckThenAct) {
            drop(guard);
            guard = self.commit.lock();
        }
        let step = SagaStep { saga: key.saga.clone(), step: key.step.clone() };
        let call = if way == Way::Forward { Call::SagaStep(step) } else { Call::SagaCompensate(step) };
        let has_acted = matches!(entry, StepEntry::Done(_) | StepEntry::Compensated(_));
        let op_type = if has_acted { OpType::Ok } else { OpType::Fail };
        let completion = Op::new(step_process(&key.saga, &key.step), op_type, call);
        if !is_parallel {
            self.recorder.record(Op { op_type: OpType::Invoke, ..completion.clone() });
        }
        self.commit.write(&mut guard, &encode(key, &entry))?;
        guard.state.note(key.clone(), entry);
        self.commit.record_completion(&mut guard, completion);
        Ok(guard)
    }

    /// Answers once everything that the answer tells is durable.
    fn answer<T>(&self, guard: Guard<'_, ParticipantCore>, answer: T) -> Result<T, ParticipantError> {
        let written_count = guard.written_count();
        let is_told = |durable_count| durable_count >= written_count || is_seeded(Mutant::DoneBeforeSync);
        drop(self.commit.wait_durable(guard, |shared| is_told(shared.durable_count()))?);
        Ok(answer)
    }
}

const DONE: u8 = 1;
const REFUSED: u8 = 2;
const COMPENSATED: u8 = 3;
const TOMBSTONE: u8 = 4;

fn encode(key: &StepKey, entry: &StepEntry) -> Vec<u8> {
    let (tag, bytes): (u8, &[u8]) = match entry {
        StepEntry::Done(output) => (DONE, output),
        StepEntry::Refused(reason) => (REFUSED, reason.as_bytes()),
        StepEntry::Compensated(output) => (COMPENSATED, output),
        StepEntry::Tombstone => (TOMBSTONE, &[]),
    };
    let mut encoder = Encoder::new(tag);
    encoder.byte_string(key.saga.as_str().as_bytes());
    encoder.byte_string(key.step.as_str().as_bytes());
    encoder.byte_string(bytes);
    encoder.finish()
}

fn decode(bytes: &[u8]) -> Result<(StepKey, StepEntry), DecodeError> {
    let mut decoder = Decoder::new(bytes);
    let tag = decoder.tag()?;
    let key = StepKey { saga: SagaId::from(decoder.text()?), step: StepName::from(decoder.text()?) };
    let entry = match tag {
        DONE => StepEntry::Done(decoder.byte_string()?.into()),
        REFUSED => StepEntry::Refused(decoder.text()?.into()),
        COMPENSATED => StepEntry::Compensated(decoder.byte_string()?.into()),
        TOMBSTONE => match decoder.byte_string()? {
            [] => StepEntry::Tombstone,
            left => return Err(DecodeError::Trailing { count: left.len() }),
        },
        tag => return Err(DecodeError::UnknownTag(tag)),
    };
    decoder.finish()?;
    Ok((key, entry))
}

#[cfg(test)]
mod tests {
    use quickcheck::{Arbitrary, Gen, quickcheck};

    use super::*;

    impl Arbitrary for StepEntry {
        fn arbitrary(g: &mut Gen) -> Self {
            let bytes = Vec::<u8>::arbitrary(g);
            match u8::arbitrary(g) % 4 {
                0 => StepEntry::Done(bytes.into()),
                1 => StepEntry::Refused(String::arbitrary(g).into()),
                2 => StepEntry::Compensated(bytes.into()),
                _ => StepEntry::Tombstone,
            }
        }
    }

    quickcheck! {
        fn what_is_encoded_reads_back(saga: String, step: String, entry: StepEntry) -> bool {
            let key = StepKey { saga: saga.as_str().into(), step: step.as_str().into() };
            decode(&encode(&key, &entry)) == Ok((key, entry))
        }

        fn arbitrary_bytes_are_refused_or_read_but_never_panic(bytes: Vec<u8>) -> bool {
            decode(&bytes).map_or(true, |(key, entry)| encode(&key, &entry) == bytes)
        }
    }
}
