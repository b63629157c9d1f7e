//! One saga in the hands of an executor, whichever way that runs its actions.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use lawspeaker_history::{SagaId, SagaOutcome};

use super::agenda::{Agenda, Command, Outcome, Timing};
use super::core::{SagaCore, SagaEvent, SagaPhase, StepFact};
use super::observer::SagaObserver;
use super::retry::Jitter;
use crate::id::Epoch;

/// Chance, as an executor takes it: for each command a number of thousandths. The default spreads commands by what
/// they are, so that two runs are alike.
pub type JitterSource = Arc<dyn Fn(&SagaId, &Command) -> Jitter + Send + Sync>;

pub(crate) fn spread() -> JitterSource {
    Arc::new(|saga, command| {
        let mut hasher = DefaultHasher::new();
        (saga, command).hash(&mut hasher);
        Jitter((hasher.finish() % 1001) as u16)
    })
}

/// A saga that is led.
pub(crate) struct Lead {
    pub(crate) saga: SagaId,
    core: Arc<SagaCore>,
    agenda: Agenda,
    observer: Arc<dyn SagaObserver>,
    jitter: JitterSource,
}

impl Lead {
    pub(crate) fn new(
        saga: SagaId,
        core: SagaCore,
        epoch: Epoch,
        timings: &Arc<[Timing]>,
        observer: Arc<dyn SagaObserver>,
        jitter: JitterSource,
    ) -> Self {
        let agenda = Agenda::new(epoch, Arc::clone(timings));
        Lead { saga, core: Arc::new(core), agenda, observer, jitter }
    }

    pub(crate) fn core(&self) -> &Arc<SagaCore> {
        &self.core
    }

    pub(crate) fn due(&mut self, now_ms: u64) -> Vec<Command> {
        let commands = self.agenda.due(&self.core, now_ms);
        for command in commands.iter().filter(|command| command.attempt.number > 1) {
            self.observer.retried(&self.saga, self.step(command.step), command.attempt.number);
        }
        commands
    }

    pub(crate) fn wake_at_ms(&self) -> Option<u64> {
        self.agenda.wake_at_ms(&self.core)
    }

    pub(crate) fn reply(&mut self, command: &Command, outcome: Outcome, now_ms: u64) -> Option<SagaEvent> {
        let jitter = (self.jitter)(&self.saga, command);
        self.agenda.reply(&self.core, command, outcome, now_ms, jitter)
    }

    /// Time-outs; the attempts that are over are those that [`is_awaited`](Self::is_awaited) denies.
    pub(crate) fn expire(&mut self, now_ms: u64) -> Vec<SagaEvent> {
        let (saga, jitter) = (&self.saga, &self.jitter);
        self.agenda.expire(&self.core, now_ms, |command| jitter(saga, command))
    }

    pub(crate) fn is_awaited(&self, command: &Command) -> bool {
        self.agenda.is_awaited(&self.core, command)
    }

    fn step(&self, step: super::plan::StepNumber) -> &lawspeaker_history::StepName {
        &self.core.plan().steps()[step.place()].name
    }

    /// The log took these events, and the saga stands so: whoever watches is told.
    pub(crate) fn take_up(&mut self, events: &[SagaEvent], core: SagaCore) {
        self.core = Arc::new(core);
        for SagaEvent { step, fact } in events {
            let (saga, step) = (&self.saga, self.step(*step));
            match fact {
                StepFact::Done(_) => self.observer.step_done(saga, step),
                StepFact::Refused(reason) | StepFact::GivenUp(reason) => {
                    self.observer.step_failed(saga, step, reason);
                }
                StepFact::Undone => self.observer.compensated(saga, step),
                StepFact::UndoFailed(reason) => self.observer.compensation_failed(saga, step, reason),
            }
        }
        if let Some(outcome) = outcome(self.core.phase()) {
            self.observer.ended(&self.saga, outcome);
        }
    }
}

/// How a saga ended, if it has.
pub(crate) fn outcome(phase: SagaPhase) -> Option<SagaOutcome> {
    match phase {
        SagaPhase::Committed => Some(SagaOutcome::Committed),
        SagaPhase::Aborted => Some(SagaOutcome::Aborted),
        SagaPhase::Forward | SagaPhase::Backward => None,
    }
}
