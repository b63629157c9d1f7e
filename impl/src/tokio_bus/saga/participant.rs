//! A participant of sagas for tasks.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::super::blocking;
use crate::saga::{self, Participant, StepContext, StepError};

/// A [`Participant`] for tasks. Clones share it.
///
/// A dropped future has happened or not, and its command may come again: it is answered as it was.
#[derive(Clone, Debug)]
pub struct TokioParticipant {
    participant: Arc<Participant>,
}

impl TokioParticipant {
    pub(super) fn new(participant: Arc<Participant>) -> Self {
        TokioParticipant { participant }
    }

    /// Does the step of `context`, once; `act` decides, as in [`Participant::perform`].
    ///
    /// # Errors
    /// What the participant answers.
    pub async fn perform<D, T>(
        &self,
        context: &StepContext<D>,
        act: impl FnOnce() -> Result<T, String> + Send + 'static,
    ) -> Result<T, StepError>
    where
        T: Serialize + DeserializeOwned + Send + 'static,
    {
        let (participant, key, is_parallel) =
            (self.participant.clone(), context.key(), context.is_parallel());
        blocking(move || saga::perform(&participant, &key, is_parallel, act)).await?
    }

    /// Compensates the step of `context`, if it was done, and refuses it from now on.
    ///
    /// # Errors
    /// What the participant answers.
    pub async fn compensate<D>(&self, context: &StepContext<D>) -> Result<(), StepError> {
        let (participant, key, is_parallel) =
            (self.participant.clone(), context.key(), context.is_parallel());
        blocking(move || saga::compensate(&participant, &key, is_parallel)).await?
    }

    /// The participant itself, for threads. Its calls block.
    pub fn participant(&self) -> &Arc<Participant> {
        &self.participant
    }
}
