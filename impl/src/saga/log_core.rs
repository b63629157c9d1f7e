//! All sagas of one log, and who may lead them, without IO, clocks or threads.

use std::collections::BTreeMap;
use std::sync::Arc;

use lawspeaker_history::SagaId;

use crate::id::Epoch;
use crate::mutant::{Mutant, is_seeded};

use super::core::{Payload, SagaCore, SagaEvent, Unlawful};
use super::plan::Plan;
use super::record::SagaRecord;

/// A saga of a log.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Saga {
    /// What it was given when it began.
    pub input: Payload,
    /// Where it stands.
    pub core: SagaCore,
}

/// The sagas of one log, by id, and the epoch of the executor that leads them.
///
/// All of it is the fold of the records that the shell writes. It refines `lawspeaker_spec::saga` (obligation O1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct SagaLogCore {
    /// The newest executor's; `None` before the first.
    epoch: Option<Epoch>,
    sagas: BTreeMap<SagaId, Saga>,
}

/// Why an executor is refused. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// A newer executor leads the sagas of this log.
    #[error("executor `{current}` leads the sagas of this log now: this one is stale, and stops")]
    Fenced {
        /// The newest epoch; `None` if there was none yet.
        current: Epoch,
    },
    /// The log has no such saga.
    #[error("saga `{0}` was never started")]
    UnknownSaga(SagaId),
    /// A saga of this id was started with another input or another plan.
    #[error(
        "saga `{0}` was started before, with another input or other steps: give this one an id of its own"
    )]
    OtherSaga(SagaId),
    /// The event cannot follow.
    #[error("saga `{saga}`: {source}")]
    Unlawful {
        /// Of which saga.
        saga: SagaId,
        /// What stands in its way.
        source: Unlawful,
    },
}

/// What became of a call that starts a saga.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Started {
    /// It began now.
    Now,
    /// It had begun before.
    Before,
}

/// A record that cannot stand where it stands: the journal is not one that a saga log has written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the record contradicts those before it: {0}")]
pub struct Contradiction(pub Refusal);

impl SagaLogCore {
    /// A log without sagas.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes up a record: the call that wrote it is granted again.
    ///
    /// # Errors
    /// [`Contradiction`] if that call would be refused; then nothing has changed.
    pub fn replay(&mut self, record: SagaRecord) -> Result<(), Contradiction> {
        match record {
            SagaRecord::Claimed => {
                self.claim();
                Ok(())
            }
            SagaRecord::Started { epoch, saga, plan, input } => {
                self.start(epoch, saga, Arc::new(plan), input).map(drop)
            }
            SagaRecord::Told { epoch, saga, event } => self.tell(epoch, &saga, event),
        }
        .map_err(Contradiction)
    }

    /// A new executor leads from now on; those before it are fenced.
    pub fn claim(&mut self) -> Epoch {
        let next = self.epoch.map_or(Epoch(0), |epoch| Epoch(epoch.0 + 1));
        self.epoch = Some(next);
        next
    }

    fn check_epoch(&self, epoch: Epoch) -> Result<(), Refusal> {
        match self.epoch {
            Some(current) if current != epoch && !is_seeded(Mutant::StaleExecutorAccepted) => {
                Err(Refusal::Fenced { current })
            }
            None => Err(Refusal::Fenced { current: Epoch(0) }),
            Some(_) => Ok(()),
        }
    }

    /// Whether [`start`](Self::start) would be refused.
    ///
    /// # Errors
    /// [`Refusal::Fenced`], [`Refusal::OtherSaga`].
    pub fn check_start(
        &self,
        epoch: Epoch,
        saga: &SagaId,
        plan: &Plan,
        input: &Payload,
    ) -> Result<Started, Refusal> {
        self.check_epoch(epoch)?;
        match self.sagas.get(saga) {
            None => Ok(Started::Now),
            Some(begun) if *begun.core.plan().as_ref() == *plan && begun.input == *input => {
                Ok(Started::Before)
            }
            Some(_) => Err(Refusal::OtherSaga(saga.clone())),
        }
    }

    /// A saga begins. Starting the same one again changes nothing.
    ///
    /// # Errors
    /// [`Refusal::Fenced`], [`Refusal::OtherSaga`].
    pub fn start(
        &mut self,
        epoch: Epoch,
        saga: SagaId,
        plan: Arc<Plan>,
        input: Payload,
    ) -> Result<Started, Refusal> {
        let started = self.check_start(epoch, &saga, &plan, &input)?;
        if started == Started::Now {
            self.sagas.insert(saga, Saga { input, core: SagaCore::new(plan) });
        }
        Ok(started)
    }

    /// Whether [`tell`](Self::tell) would be refused.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn check_tell(&self, epoch: Epoch, saga: &SagaId, event: &SagaEvent) -> Result<(), Refusal> {
        self.check_epoch(epoch)?;
        let told = self.sagas.get(saga).ok_or_else(|| Refusal::UnknownSaga(saga.clone()))?;
        let unlawful = |source| Refusal::Unlawful { saga: saga.clone(), source };
        told.core.check(event).map(drop).map_err(unlawful)
    }

    /// An event of a saga.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn tell(&mut self, epoch: Epoch, saga: &SagaId, event: SagaEvent) -> Result<(), Refusal> {
        self.check_tell(epoch, saga, &event)?;
        self.apply(saga, event);
        Ok(())
    }

    /// Takes up an event that was checked.
    pub(super) fn apply(&mut self, saga: &SagaId, event: SagaEvent) {
        if let Some(told) = self.sagas.get_mut(saga) {
            told.core.tell(event).expect("an event is applied once it was checked");
        }
    }

    /// A saga.
    pub fn saga(&self, saga: &SagaId) -> Option<&Saga> {
        self.sagas.get(saga)
    }

    /// All sagas, in order of their ids.
    pub fn sagas(&self) -> impl Iterator<Item = (&SagaId, &Saga)> {
        self.sagas.iter()
    }

    /// The newest executor's epoch; `None` before the first.
    pub fn epoch(&self) -> Option<Epoch> {
        self.epoch
    }
}
