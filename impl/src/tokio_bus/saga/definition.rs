//! What a saga does whose actions are futures.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use serde::Serialize;

use crate::saga::{self, Definition, DefinitionBuilder, Payload, StepContext, StepError, StepKind};

/// An action of a step that is a future.
pub struct Task<D>(Act<D>);

type Act<D> = Arc<dyn Fn(StepContext<D>) -> Acting + Send + Sync>;
pub(super) type Acting = Pin<Box<dyn Future<Output = Result<Payload, StepError>> + Send>>;

impl<D> Clone for Task<D> {
    fn clone(&self) -> Self {
        Task(Arc::clone(&self.0))
    }
}

impl<D> fmt::Debug for Task<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Task")
    }
}

impl<D: 'static> Task<D> {
    fn new<F, O>(act: impl Fn(StepContext<D>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<O, StepError>> + Send + 'static,
        O: Serialize,
    {
        Task(Arc::new(move |context| {
            let acting = act(context);
            Box::pin(async move { saga::encode(&acting.await?) })
        }))
    }
}

impl<D> Task<D> {
    pub(super) fn act(&self, context: StepContext<D>) -> Acting {
        (self.0)(context)
    }
}

/// A saga whose actions are futures. `D` is what each such saga is given.
pub type TokioSagaDefinition<D> = Definition<Task<D>>;

impl<D: 'static> DefinitionBuilder<Task<D>> {
    /// A step that may be refused and can be undone.
    #[must_use]
    pub fn step<F, G, O>(
        self,
        name: &str,
        forward: impl Fn(StepContext<D>) -> F + Send + Sync + 'static,
        compensate: impl Fn(StepContext<D>) -> G + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<O, StepError>> + Send + 'static,
        G: Future<Output = Result<(), StepError>> + Send + 'static,
        O: Serialize,
    {
        self.add(name, StepKind::Compensatable, Task::new(forward), Some(Task::new(compensate)))
    }

    /// The step that decides: it may be refused, and once it is done there is no way back.
    #[must_use]
    pub fn pivot<F, O>(
        self,
        name: &str,
        forward: impl Fn(StepContext<D>) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<O, StepError>> + Send + 'static,
        O: Serialize,
    {
        self.add(name, StepKind::Pivot, Task::new(forward), None)
    }

    /// A step that is asked for until it is done. Nothing that can be undone comes after it.
    #[must_use]
    pub fn retriable<F, O>(
        self,
        name: &str,
        forward: impl Fn(StepContext<D>) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<O, StepError>> + Send + 'static,
        O: Serialize,
    {
        self.add(name, StepKind::Retriable, Task::new(forward), None)
    }
}
