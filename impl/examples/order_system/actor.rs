//! Who does a step of a saga: a participant, and the network before it, on which things go wrong where the order says so.

use std::sync::Arc;
use std::time::Instant;

use lawspeaker_bus::saga::{StepContext, StepError};
use lawspeaker_bus::tokio_bus::{TokioBus, TokioParticipant};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tracing::info;

use crate::event::Fact;
use crate::fault::{FaultKind, Step};
use crate::parts::{Anything, Parts};

/// Who does a step, and what there is to know of the whole.
#[derive(Clone, Debug)]
pub(crate) struct Actor {
    pub participant: TokioParticipant,
    step: Step,
    parts: Arc<Parts>,
}

impl Actor {
    /// Whoever does `step` at `service`.
    ///
    /// # Errors
    /// That the participant cannot be opened.
    pub(crate) async fn open(
        bus: &TokioBus,
        service: &str,
        step: Step,
        parts: &Arc<Parts>,
    ) -> Result<Self, Anything> {
        Ok(Actor { participant: bus.participant(service).await?, step, parts: Arc::clone(parts) })
    }

    /// Has the participant do the step, or goes wrong as the order says.
    pub(crate) async fn act<T>(
        &self,
        context: StepContext<Fact>,
        decide: impl FnOnce() -> Result<T, String> + Clone + Send + 'static,
    ) -> Result<T, StepError>
    where
        T: Serialize + DeserializeOwned + Send + 'static,
    {
        let begun = Instant::now();
        let (order, faults) = (&context.input().order, &self.parts.faults);
        let can_be_undone = matches!(self.step, Step::Reserve | Step::Charge);
        if can_be_undone && order.has(FaultKind::Late, self.step) {
            if faults.meet_first(order, FaultKind::Late, self.step) {
                self.clone().come_late(context.clone(), decide);
            }
            return Err(StepError::unknown("no answer: the command is under way"));
        }
        let is_refused = faults.meet_first(order, FaultKind::Refuse, self.step);
        let decide = move || if is_refused { Err("refused".to_owned()) } else { decide() };
        let mut answer = self.participant.perform(&context, decide.clone()).await;
        if order.has(FaultKind::Duplicate, self.step) {
            answer = self.participant.perform(&context, decide).await;
        }
        self.parts.metrics.took(self.step.name(), begun);
        self.log(&context, "step", answer.as_ref().err());
        match faults.meet(order, FaultKind::TimeOut, self.step) {
            Some(1) => std::future::pending().await,
            Some(_) if can_be_undone => Err(StepError::unknown("the reply was lost")),
            _ => answer,
        }
    }

    /// The command comes when the step was compensated already.
    fn come_late<T>(
        self,
        context: StepContext<Fact>,
        decide: impl FnOnce() -> Result<T, String> + Send + 'static,
    ) where
        T: Serialize + DeserializeOwned + Send + 'static,
    {
        let (under_way, parts) = (self.parts.under_way(), Arc::clone(&self.parts));
        parts.spawn("late command", async move {
            self.parts.faults.overtaken(&context.input().order, self.step).await;
            let answer = self.participant.perform(&context, decide).await;
            self.log(&context, "late step", answer.as_ref().err());
            drop(under_way);
            Ok(())
        });
    }

    /// Has the participant compensate the step, or goes wrong as the order says.
    pub(crate) async fn undo(&self, context: &StepContext<Fact>) -> Result<(), StepError> {
        let (order, faults) = (&context.input().order, &self.parts.faults);
        if faults.meet_first(order, FaultKind::FailUndo, self.step) {
            return Err(StepError::unknown("it cannot be undone now"));
        }
        let mut answer = self.participant.compensate(context).await;
        if order.has(FaultKind::Duplicate, self.step) {
            answer = self.participant.compensate(context).await;
        }
        self.log(context, "compensation", answer.as_ref().err());
        faults.overtake(order, self.step);
        answer
    }

    fn log(&self, context: &StepContext<Fact>, what: &str, error: Option<&StepError>) {
        let (fact, command) = (context.input(), context.idempotency_key());
        info!(
            what,
            command,
            correlation_id = fact.order.id,
            causation_id = fact.id(),
            trace_id = fact.traceparent.trace_id(),
            span_id = fact.traceparent.span(&command).span_id(),
            error = error.map(ToString::to_string),
            "asked"
        );
    }
}
