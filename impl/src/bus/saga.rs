//! Saga logs and participants in the bus's directory.

use std::sync::Arc;

use super::{Bus, ClosedError, NameError, check_name, lock};
use crate::journal_error::OpenJournalError;
use crate::saga::{
    OpenExecutorError, Participant, RecoverParticipantError, RecoverSagaLogError, SagaLog, StepRecording,
};
use crate::segment_journal::SegmentJournal;

/// Why a saga log could not be opened, or no executor on it.
#[derive(Debug, thiserror::Error)]
pub enum OpenSagaLogError {
    /// The bus was closed.
    #[error(transparent)]
    Closed(#[from] ClosedError),
    /// It cannot be called so.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Its journal could not be opened.
    #[error(transparent)]
    Journal(#[from] OpenJournalError),
    /// It could not be recovered.
    #[error("saga log `{name}`: {source}")]
    Recover {
        /// Which.
        name: String,
        /// Why.
        source: RecoverSagaLogError,
    },
    /// The executor could not be opened.
    #[error(transparent)]
    Executor(#[from] OpenExecutorError),
}

/// Why a participant could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenParticipantError {
    /// The bus was closed.
    #[error(transparent)]
    Closed(#[from] ClosedError),
    /// It cannot be called so.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Its journal could not be opened.
    #[error(transparent)]
    Journal(#[from] OpenJournalError),
    /// It could not be recovered.
    #[error("participant `{name}`: {source}")]
    Recover {
        /// Which.
        name: String,
        /// Why.
        source: RecoverParticipantError,
    },
}

impl Bus {
    /// The saga log of this name; it is created if there is none. Whoever opens it first says who records its steps.
    ///
    /// # Errors
    /// [`OpenSagaLogError`].
    pub fn saga_log(&self, name: &str, recording: StepRecording) -> Result<Arc<SagaLog>, OpenSagaLogError> {
        check_name("saga", name)?;
        let mut logs = lock(&self.saga_logs);
        self.check_open()?;
        if let Some(open) = logs.get(name) {
            return Ok(Arc::clone(open));
        }
        let log = SagaLog::recover(name, recording, self.journal("saga", name)?, Arc::clone(&self.recorder))
            .map_err(|source| OpenSagaLogError::Recover { name: name.to_owned(), source })?;
        let log = Arc::new(log);
        logs.insert(name.to_owned(), Arc::clone(&log));
        Ok(log)
    }

    /// The participant of this name; it is created if there is none.
    ///
    /// # Errors
    /// [`OpenParticipantError`].
    pub fn participant(&self, name: &str) -> Result<Arc<Participant>, OpenParticipantError> {
        check_name("participant", name)?;
        let mut participants = lock(&self.participants);
        self.check_open()?;
        if let Some(open) = participants.get(name) {
            return Ok(Arc::clone(open));
        }
        let journal = self.journal("participant", name)?;
        let participant = Participant::recover(journal, Arc::clone(&self.recorder))
            .map_err(|source| OpenParticipantError::Recover { name: name.to_owned(), source })?;
        let participant = Arc::new(participant);
        participants.insert(name.to_owned(), Arc::clone(&participant));
        Ok(participant)
    }

    fn journal(&self, kind: &str, name: &str) -> Result<Arc<SegmentJournal>, OpenJournalError> {
        let limits = self.config.journal_limits();
        let store = Arc::clone(&self.store);
        Ok(Arc::new(SegmentJournal::open_or_create(store, &format!("{kind}~{name}"), limits)?))
    }
}
