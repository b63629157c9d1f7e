//! What an action of a step is given, and what it gives back.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use lawspeaker_history::{SagaId, StepName};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::agenda::{Attempt, Command, Outcome};
use super::core::{Payload, SagaCore, Way};
use super::participant::{Participant, ParticipantError};
use super::participant_core::StepKey;

/// Why an action gives no result.
///
/// Every error that `?` passes on is of unknown outcome, because that is what an error of a network or of a database
/// means: that a step was surely not done has to be said ([`refused`](Self::refused)). So this is no
/// [`std::error::Error`] itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepError {
    /// The step surely was not done and will not be: the saga turns back. Of a retriable step, and of a compensation,
    /// it counts as [`Unknown`](Self::Unknown), for they must be done.
    Refused(String),
    /// It may be done or not: it is asked for again, and given up and compensated in the end where that is possible.
    Unknown(String),
}

impl StepError {
    /// The step surely was not done and will not be.
    pub fn refused(reason: impl Into<String>) -> Self {
        StepError::Refused(reason.into())
    }

    /// The step may be done or not.
    pub fn unknown(reason: impl Into<String>) -> Self {
        StepError::Unknown(reason.into())
    }
}

impl<E: std::error::Error> From<E> for StepError {
    fn from(error: E) -> Self {
        StepError::Unknown(error.to_string())
    }
}

impl fmt::Display for StepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StepError::Refused(reason) => write!(f, "refused: {reason}"),
            StepError::Unknown(reason) => write!(f, "of unknown outcome: {reason}"),
        }
    }
}

/// The longest reason that is kept, in bytes.
const MAX_REASON_BYTES: usize = 1_000;

fn shortened(mut reason: String) -> Arc<str> {
    if reason.len() > MAX_REASON_BYTES {
        let end = (0..=MAX_REASON_BYTES).rev().find(|end| reason.is_char_boundary(*end)).unwrap_or(0);
        reason.truncate(end);
    }
    reason.into()
}

/// What an action gave, as the executor takes it.
pub(crate) fn outcome(result: Result<Payload, StepError>) -> Outcome {
    match result {
        Ok(output) => Outcome::Done(output),
        Err(StepError::Refused(reason)) => Outcome::Refused(shortened(reason)),
        Err(StepError::Unknown(reason)) => Outcome::Unknown(shortened(reason)),
    }
}

/// What an action is given: the saga's input, what earlier steps gave, and the key by which a participant knows the
/// command again.
#[derive(Debug)]
pub struct StepContext<D> {
    saga: SagaId,
    step: StepName,
    command: Command,
    input: Arc<D>,
    core: Arc<SagaCore>,
    timeout: Option<Duration>,
}

impl<D> Clone for StepContext<D> {
    fn clone(&self) -> Self {
        StepContext {
            saga: self.saga.clone(),
            step: self.step.clone(),
            command: self.command,
            input: Arc::clone(&self.input),
            core: Arc::clone(&self.core),
            timeout: self.timeout,
        }
    }
}

impl<D> StepContext<D> {
    /// Of a step that the plan has.
    pub(crate) fn new(
        saga: SagaId,
        command: Command,
        input: Arc<D>,
        core: Arc<SagaCore>,
        timeout: Option<Duration>,
    ) -> Self {
        let step = core.plan().steps()[command.step.place()].name.clone();
        StepContext { saga, step, command, input, core, timeout }
    }

    /// Which saga.
    pub fn saga(&self) -> &SagaId {
        &self.saga
    }

    /// Which step.
    pub fn step(&self) -> &StepName {
        &self.step
    }

    /// To do it, or to compensate it.
    pub fn way(&self) -> Way {
        self.command.way
    }

    /// Which attempt it is. A participant must answer all of them alike.
    pub fn attempt(&self) -> Attempt {
        self.command.attempt
    }

    /// What the saga was given.
    pub fn input(&self) -> &D {
        &self.input
    }

    /// How long the action may take; `None` is for ever. An executor of threads leaves it to the action to keep it.
    pub fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// By what a participant knows the step again, whatever the attempt and the way.
    pub fn key(&self) -> StepKey {
        StepKey { saga: self.saga.clone(), step: self.step.clone() }
    }

    /// An idempotency key for a service that knows no sagas, such as `trip-17/flight` or `trip-17/flight/undo`: the
    /// same for every attempt.
    pub fn idempotency_key(&self) -> String {
        let undo = if self.command.way == Way::Backward { "/undo" } else { "" };
        format!("{}/{}{undo}", self.saga, self.step)
    }

    /// What an earlier step gave.
    ///
    /// # Errors
    /// [`StepError::Unknown`] if it is not known to have been done, or gave something else.
    pub fn output<T: DeserializeOwned>(&self, step: &str) -> Result<T, StepError> {
        let number = self.core.plan().number(step);
        let output = number.and_then(|number| self.core.output(number));
        let output =
            output.ok_or_else(|| StepError::Unknown(format!("step `{step}` is not known to be done")))?;
        Ok(serde_json::from_slice(output)?)
    }

    /// For a compensation: what the step itself gave; `None` if nobody knows whether it was done.
    ///
    /// # Errors
    /// [`StepError::Unknown`] if it gave something else.
    pub fn own_output<T: DeserializeOwned>(&self) -> Result<Option<T>, StepError> {
        let output = self.core.output(self.command.step);
        Ok(output.map(|output| serde_json::from_slice(output)).transpose()?)
    }

    /// Whether other steps run beside this one.
    pub fn is_parallel(&self) -> bool {
        self.core.plan().is_parallel(self.command.step)
    }

    /// Has a participant do the step, once.
    ///
    /// `act` decides, as in [`Participant::perform`]: what it gives is the effect, or why it refuses.
    ///
    /// # Errors
    /// What the participant answers.
    pub fn perform<T: Serialize + DeserializeOwned>(
        &self,
        participant: &Participant,
        act: impl FnOnce() -> Result<T, String>,
    ) -> Result<T, StepError> {
        perform(participant, &self.key(), self.is_parallel(), act)
    }

    /// Has a participant compensate the step, if it was done, and refuse it from now on.
    ///
    /// # Errors
    /// What the participant answers.
    pub fn compensate(&self, participant: &Participant) -> Result<(), StepError> {
        compensate(participant, &self.key(), self.is_parallel())
    }
}

pub(crate) fn perform<T: Serialize + DeserializeOwned>(
    participant: &Participant,
    key: &StepKey,
    is_parallel: bool,
    act: impl FnOnce() -> Result<T, String>,
) -> Result<T, StepError> {
    let decide = || {
        let done = act().map_err(shortened)?;
        let bytes = serde_json::to_vec(&done).map_err(|error| shortened(error.to_string()))?;
        Ok(bytes.into())
    };
    let output = answered(participant.perform(key, is_parallel, decide))?;
    Ok(serde_json::from_slice(&output)?)
}

pub(crate) fn compensate(
    participant: &Participant,
    key: &StepKey,
    is_parallel: bool,
) -> Result<(), StepError> {
    answered(participant.compensate(key, is_parallel)).map(drop)
}

fn answered(answer: Result<Outcome, ParticipantError>) -> Result<Payload, StepError> {
    match answer? {
        Outcome::Done(output) => Ok(output),
        Outcome::Refused(reason) => Err(StepError::Refused(reason.as_ref().to_owned())),
        Outcome::Unknown(reason) => Err(StepError::Unknown(reason.as_ref().to_owned())),
    }
}
