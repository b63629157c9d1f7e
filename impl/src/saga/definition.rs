//! What a saga does: its steps with their actions, in the words of whoever writes it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::agenda::Timing;
use super::context::{StepContext, StepError};
use super::core::{Payload, Way};
use super::plan::{Plan, PlanError, StepKind, StepNumber};
use super::retry::RetryPolicy;

/// An action of a step that blocks the thread that runs it.
pub struct Blocking<D>(Run<D>);

type Run<D> = Arc<dyn Fn(&StepContext<D>) -> Result<Payload, StepError> + Send + Sync>;

impl<D> Blocking<D> {
    fn new<O: Serialize>(
        act: impl Fn(&StepContext<D>) -> Result<O, StepError> + Send + Sync + 'static,
    ) -> Self {
        Blocking(Arc::new(move |context| encode(&act(context)?)))
    }

    pub(crate) fn run(&self, context: &StepContext<D>) -> Result<Payload, StepError> {
        (self.0)(context)
    }
}

/// What a step gave, as bytes.
pub(crate) fn encode<O: Serialize>(output: &O) -> Result<Payload, StepError> {
    Ok(serde_json::to_vec(output)?.into())
}

impl<D> fmt::Debug for Blocking<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Blocking")
    }
}

impl<D> Clone for Blocking<D> {
    fn clone(&self) -> Self {
        Blocking(Arc::clone(&self.0))
    }
}

/// A saga whose actions block, for a [`SagaExecutor`](super::SagaExecutor). `D` is what each such saga is given.
pub type SagaDefinition<D> = Definition<Blocking<D>>;

/// What a kind of saga does: its steps, their actions of type `A`, and how long each may take. Clones share it.
#[derive(Clone)]
pub struct Definition<A> {
    name: Arc<str>,
    plan: Arc<Plan>,
    /// By step.
    timings: Arc<[Timing]>,
    /// By step.
    actions: Arc<[Actions<A>]>,
}

#[derive(Clone)]
struct Actions<A> {
    forward: A,
    /// `None` where there is no way back.
    backward: Option<A>,
}

/// Why there is no such definition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DefinitionError {
    /// The steps are none that a saga can have.
    #[error("saga `{saga}`: {source}")]
    Plan {
        /// Its name.
        saga: String,
        /// What is wrong.
        source: PlanError,
    },
    /// A time limit or a retry policy stands before the first step.
    #[error("saga `{saga}`: a time limit or a retry policy is one of the step before it, and there is none")]
    NoStep {
        /// Its name.
        saga: String,
    },
}

impl<A> Definition<A> {
    /// Begins the definition of the sagas that are called so.
    pub fn builder(name: &str) -> DefinitionBuilder<A> {
        DefinitionBuilder {
            name: name.to_owned(),
            stages: Vec::new(),
            is_in_stage: false,
            is_misplaced: false,
        }
    }

    /// The name of the sagas, and of their log.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The steps.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    pub(crate) fn timings(&self) -> &Arc<[Timing]> {
        &self.timings
    }

    pub(crate) fn timeout(&self, step: StepNumber) -> Option<Duration> {
        self.timings.get(step.place())?.timeout
    }

    /// What to do about a step; `None` if it cannot be compensated, which nobody asks for.
    pub(crate) fn action(&self, step: StepNumber, way: Way) -> Option<&A> {
        let actions = self.actions.get(step.place())?;
        match way {
            Way::Forward => Some(&actions.forward),
            Way::Backward => actions.backward.as_ref(),
        }
    }
}

impl<A> fmt::Debug for Definition<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Definition")
            .field("name", &self.name)
            .field("plan", &self.plan)
            .finish_non_exhaustive()
    }
}

/// Takes the steps of a saga, in order: those that can be undone first, then at most one pivot, then those that are
/// retried until they are done.
pub struct DefinitionBuilder<A> {
    name: String,
    stages: Vec<Vec<Draft<A>>>,
    is_in_stage: bool,
    is_misplaced: bool,
}

struct Draft<A> {
    name: String,
    kind: StepKind,
    timing: Timing,
    actions: Actions<A>,
}

impl<A> fmt::Debug for DefinitionBuilder<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DefinitionBuilder").field("name", &self.name).finish_non_exhaustive()
    }
}

impl<A> DefinitionBuilder<A> {
    pub(crate) fn add(mut self, name: &str, kind: StepKind, forward: A, backward: Option<A>) -> Self {
        let actions = Actions { forward, backward };
        let draft = Draft { name: name.to_owned(), kind, timing: Timing::default(), actions };
        match self.stages.last_mut().filter(|_| self.is_in_stage) {
            Some(stage) => stage.push(draft),
            None => self.stages.push(vec![draft]),
        }
        self
    }

    /// The steps that `add` adds run at once, and so do their compensations. Stages do not nest.
    #[must_use]
    pub fn parallel(mut self, add: impl FnOnce(Self) -> Self) -> Self {
        self.stages.push(Vec::new());
        self.is_in_stage = true;
        let mut added = add(self);
        added.is_in_stage = false;
        added
    }

    /// How long each attempt of the step before may take, its compensation included; after that its outcome counts as
    /// unknown. Without it an attempt may take for ever.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        self.with_last(|timing| timing.timeout = Some(timeout))
    }

    /// When the step before is asked for again whose outcome is unknown, its compensation included.
    #[must_use]
    pub fn retry(self, retry: RetryPolicy) -> Self {
        self.with_last(|timing| timing.retry = retry)
    }

    fn with_last(mut self, change: impl FnOnce(&mut Timing)) -> Self {
        match self.stages.last_mut().and_then(|stage| stage.last_mut()) {
            Some(last) => change(&mut last.timing),
            None => self.is_misplaced = true,
        }
        self
    }

    /// The definition.
    ///
    /// # Errors
    /// [`DefinitionError`].
    pub fn build(self) -> Result<Definition<A>, DefinitionError> {
        let saga = self.name;
        if self.is_misplaced {
            return Err(DefinitionError::NoStep { saga });
        }
        let names = |stage: &Vec<Draft<A>>| {
            stage.iter().map(|draft| (draft.name.as_str().into(), draft.kind)).collect::<Vec<_>>()
        };
        let plan = match Plan::new(self.stages.iter().map(names).collect()) {
            Ok(plan) => Arc::new(plan),
            Err(source) => return Err(DefinitionError::Plan { saga, source }),
        };
        let drafts = self.stages.into_iter().flatten();
        let (timings, actions): (Vec<_>, Vec<_>) = drafts.map(|draft| (draft.timing, draft.actions)).unzip();
        Ok(Definition { name: saga.into(), plan, timings: timings.into(), actions: actions.into() })
    }
}

impl<D> DefinitionBuilder<Blocking<D>> {
    /// A step that may be refused and can be undone.
    #[must_use]
    pub fn step<O: Serialize>(
        self,
        name: &str,
        forward: impl Fn(&StepContext<D>) -> Result<O, StepError> + Send + Sync + 'static,
        compensate: impl Fn(&StepContext<D>) -> Result<(), StepError> + Send + Sync + 'static,
    ) -> Self {
        let compensate = Some(Blocking::new(compensate));
        self.add(name, StepKind::Compensatable, Blocking::new(forward), compensate)
    }

    /// The step that decides: it may be refused, and once it is done there is no way back.
    #[must_use]
    pub fn pivot<O: Serialize>(
        self,
        name: &str,
        forward: impl Fn(&StepContext<D>) -> Result<O, StepError> + Send + Sync + 'static,
    ) -> Self {
        self.add(name, StepKind::Pivot, Blocking::new(forward), None)
    }

    /// A step that is asked for until it is done. Nothing that can be undone comes after it.
    #[must_use]
    pub fn retriable<O: Serialize>(
        self,
        name: &str,
        forward: impl Fn(&StepContext<D>) -> Result<O, StepError> + Send + Sync + 'static,
    ) -> Self {
        self.add(name, StepKind::Retriable, Blocking::new(forward), None)
    }
}
