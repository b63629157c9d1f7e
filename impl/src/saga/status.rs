//! Where a saga stands, for people.

use std::fmt;
use std::sync::Arc;

use lawspeaker_history::{SagaId, SagaOutcome, StepName};
use serde::de::DeserializeOwned;

use super::core::{Payload, SagaCore, SagaPhase, StepState};
use super::plan::StepKind;

/// Where a saga stands: the fold of its log.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SagaStatus {
    /// Which saga.
    pub saga: SagaId,
    /// Where it stands.
    pub phase: SagaPhase,
    /// Its steps, in order.
    pub steps: Vec<StepStatus>,
}

/// Where a step stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StepStatus {
    /// Its name.
    pub name: StepName,
    /// What can become of it.
    pub kind: StepKind,
    /// What became of it.
    pub state: StepState,
    /// Why it was refused or given up, or why its compensation failed last.
    pub reason: Option<Arc<str>>,
    /// What it gave, if it is known to have been done.
    pub output: Option<Payload>,
}

impl SagaStatus {
    pub(crate) fn of(saga: SagaId, core: &SagaCore) -> Self {
        let step = |(number, planned): (_, &super::plan::PlannedStep)| StepStatus {
            name: planned.name.clone(),
            kind: planned.kind,
            state: core.state(number),
            reason: core.reason(number).cloned(),
            output: core.output(number).cloned(),
        };
        let steps = core.plan().numbers().zip(core.plan().steps()).map(step).collect();
        SagaStatus { saga, phase: core.phase(), steps }
    }

    /// How it ended, if it has.
    pub fn outcome(&self) -> Option<SagaOutcome> {
        super::lead::outcome(self.phase)
    }

    /// What a step gave; `None` if it is not known to have been done.
    ///
    /// # Errors
    /// What serde says if it gave something else.
    pub fn output<T: DeserializeOwned>(&self, step: &str) -> Result<Option<T>, serde_json::Error> {
        let found = self.steps.iter().find(|other| other.name.as_str() == step);
        let output = found.and_then(|step| step.output.as_deref());
        output.map(serde_json::from_slice).transpose()
    }

    /// The step because of which the saga turned back, if it did, and why.
    pub fn failure(&self) -> Option<(&StepName, &str)> {
        // A step that was done has a reason too if its compensation failed.
        let failed = self.steps.iter().find(|step| step.reason.is_some() && step.output.is_none())?;
        Some((&failed.name, failed.reason.as_deref()?))
    }
}

impl fmt::Display for SagaPhase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            SagaPhase::Forward => "running",
            SagaPhase::Backward => "turned back",
            SagaPhase::Committed => "committed",
            SagaPhase::Aborted => "aborted",
        })
    }
}

impl fmt::Display for StepState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            StepState::NotRun => "not run",
            StepState::Running => "running",
            StepState::Done => "done",
            StepState::Refused => "refused",
            StepState::Unknown => "unknown",
            StepState::Undoing => "undoing",
            StepState::UndoFailed => "undo failed",
            StepState::Undone => "undone",
        })
    }
}

/// `trip-17 aborted: flight undone, hotel refused (no room)`.
impl fmt::Display for SagaStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}:", self.saga, self.phase)?;
        for (place, step) in self.steps.iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            write!(f, "{comma} {} {}", step.name, step.state)?;
            if let Some(reason) = &step.reason {
                write!(f, " ({reason})")?;
            }
        }
        Ok(())
    }
}
