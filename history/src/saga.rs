//! What a history says of sagas: sequences of local transactions that end with all of their steps done, or with every
//! done step compensated. Source of the words: Garcia-Molina and Salem, *Sagas*, 1987.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::name::names;

names! {
    /// One run of a saga, by an id that is unique within the history.
    SagaId;
    /// A step of a saga, by a name that is unique within the saga.
    StepName;
}

/// `saga.start`: a saga begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SagaStart {
    /// Which.
    pub saga: SagaId,
    /// Its steps in the order in which they are meant to run, each once; `None` where nobody declares them.
    pub steps: Option<Vec<StepName>>,
    /// The step after whose success the saga goes forward only, if it has one.
    pub pivot: Option<StepName>,
}

/// `saga.step` and `saga.compensate`: a step of a saga, done or undone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SagaStep {
    /// Of which saga.
    pub saga: SagaId,
    /// Which step.
    pub step: StepName,
}

/// `saga.end`: a saga is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SagaEnd {
    /// Which.
    pub saga: SagaId,
    /// How.
    pub outcome: SagaOutcome,
}

/// How a saga ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SagaOutcome {
    /// Every step is done.
    Committed,
    /// Every step that was done is compensated.
    Aborted,
}

impl fmt::Display for SagaOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            SagaOutcome::Committed => "committed",
            SagaOutcome::Aborted => "aborted",
        })
    }
}
