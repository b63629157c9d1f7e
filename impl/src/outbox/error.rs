//! Why a call of a service's store fails: one type an operation.

use std::io;

use super::core::{Refusal, Unlawful};
use crate::codec::DecodeError;
use crate::group_commit::{JournalFailure, WriteError};

/// Why a call of the store fails.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The outbox refused, and nothing has changed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store was closed, and changes no more.
    #[error("the service is closed")]
    Closed,
    /// The journal refused the record, and nothing has changed; or it failed: after recovery the call may have
    /// happened or not.
    #[error(transparent)]
    Journal(#[from] WriteError),
}

impl From<JournalFailure> for StoreError {
    fn from(failure: JournalFailure) -> Self {
        StoreError::Journal(failure.into())
    }
}

/// Why a transaction was not committed.
#[derive(Debug, thiserror::Error)]
pub enum CommitError<E> {
    /// Who was to decide could not; nothing has changed.
    #[error("{0}")]
    Undecided(E),
    /// A change cannot be written as JSON; nothing has changed.
    #[error("a change cannot be written down: {0}")]
    Change(serde_json::Error),
    /// The store said no.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<E> From<WriteError> for CommitError<E> {
    fn from(error: WriteError) -> Self {
        StoreError::Journal(error).into()
    }
}

/// Why a store could not be recovered.
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
    /// A record holds a change that the state does not know.
    #[error("record `{index}` of the journal holds a change that this program cannot read: {source}")]
    Change {
        /// Its index in the journal, from 0.
        index: u64,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A record contradicts those before it.
    #[error("the journal was not written by this service: {0}")]
    Unlawful(#[from] Unlawful),
}
