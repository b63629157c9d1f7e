//! Where one saga stands, without IO, clocks or threads: the fold of its log.

use std::sync::Arc;

use crate::mutant::{Mutant, is_seeded};

use super::plan::{Plan, PlannedStep, StepKind, StepNumber};

/// What a step gave, or a saga was given, as bytes.
pub type Payload = Arc<[u8]>;

/// Which way a command leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Way {
    /// Do the step.
    Forward,
    /// Compensate it.
    Backward,
}

/// What became of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StepState {
    /// Nobody was asked for it.
    NotRun,
    /// It is asked for.
    Running,
    /// It is done.
    Done,
    /// It surely was not done and will not be.
    Refused,
    /// Nobody knows, and nobody asks any more: it is compensated as if it had been done.
    Unknown,
    /// Its compensation is asked for.
    Undoing,
    /// Its compensation is asked for, and has failed before.
    UndoFailed,
    /// It is compensated.
    Undone,
}

/// Where a saga stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SagaPhase {
    /// Its steps are being done.
    Forward,
    /// It turned back: its steps are being compensated.
    Backward,
    /// Every step is done.
    Committed,
    /// Every step that was done is compensated.
    Aborted,
}

impl SagaPhase {
    /// Whether nothing is left to do.
    pub fn is_end(self) -> bool {
        matches!(self, SagaPhase::Committed | SagaPhase::Aborted)
    }
}

/// What the log says of a step.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SagaEvent {
    /// Which step.
    pub step: StepNumber,
    /// What became of it.
    pub fact: StepFact,
}

/// What became of a step, as it stands in the log.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum StepFact {
    /// It is done, and gave this.
    Done(Payload),
    /// It was not done and will not be, for this reason.
    Refused(Arc<str>),
    /// Nobody knows whether it was done, and nobody asks any more.
    GivenUp(Arc<str>),
    /// It is compensated.
    Undone,
    /// Its compensation failed, for this reason, and is asked for again.
    UndoFailed(Arc<str>),
}

/// An event that cannot follow those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("step {} is {state:?}, and no such event can follow", .step.0)]
pub struct Unlawful {
    /// Of which step.
    pub step: StepNumber,
    /// Where the step stands.
    pub state: StepState,
}

/// One saga: what became of each step. It refines `lawspeaker_spec::saga` (obligation O1).
///
/// What is to be asked for follows from that alone: nothing is sent that the log does not ask for, and whoever reads
/// the log knows what to send. O(steps) for each call.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SagaCore {
    plan: Arc<Plan>,
    /// By step.
    records: Vec<StepRecord>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct StepRecord {
    state: StepState,
    output: Option<Payload>,
    reason: Option<Arc<str>>,
}

impl SagaCore {
    /// A saga that has just begun: its first stage is asked for.
    pub fn new(plan: Arc<Plan>) -> Self {
        let fresh = StepRecord { state: StepState::NotRun, output: None, reason: None };
        let mut core = SagaCore { records: vec![fresh; plan.steps().len()], plan };
        core.settle();
        core
    }

    /// Takes up what became of a step.
    ///
    /// # Errors
    /// [`Unlawful`], and nothing has changed.
    pub fn tell(&mut self, event: SagaEvent) -> Result<(), Unlawful> {
        let next = self.check(&event)?;
        let record = &mut self.records[event.step.place()];
        record.state = next;
        match event.fact {
            StepFact::Done(output) => record.output = Some(output),
            StepFact::Refused(reason) | StepFact::GivenUp(reason) | StepFact::UndoFailed(reason) => {
                record.reason = Some(reason);
            }
            StepFact::Undone => {}
        }
        self.settle();
        Ok(())
    }

    /// The whole transition table: where `event` leads.
    ///
    /// # Errors
    /// [`Unlawful`] if it cannot happen.
    pub fn check(&self, event: &SagaEvent) -> Result<StepState, Unlawful> {
        use StepKind::{Compensatable, Pivot};
        use StepState::{Done, NotRun, Refused, Running, UndoFailed, Undoing, Undone, Unknown};
        let step = event.step;
        let Some(PlannedStep { kind, .. }) = self.plan.step(step) else {
            return Err(Unlawful { step, state: NotRun });
        };
        let may_give_up = *kind == Compensatable || is_seeded(Mutant::PivotGivenUp);
        match (self.state(step), &event.fact) {
            (Running, StepFact::Done(_)) => Ok(Done),
            (Running, StepFact::Refused(_)) if matches!(kind, Compensatable | Pivot) => Ok(Refused),
            (Running, StepFact::GivenUp(_)) if may_give_up => Ok(Unknown),
            (Undoing | UndoFailed, StepFact::Undone) => Ok(Undone),
            (Undoing, StepFact::UndoFailed(_)) if is_seeded(Mutant::FailedUndoBelieved) => Ok(Undone),
            (Undoing, StepFact::UndoFailed(_)) => Ok(UndoFailed),
            (state, _) => Err(Unlawful { step, state }),
        }
    }

    /// Once nothing is asked for any more, what comes next is: the next stage, or the last one that stands.
    fn settle(&mut self) {
        if self.asked().next().is_some() {
            return;
        }
        let (waiting, next): (fn(StepState) -> bool, _) = match self.has_turned_back() {
            true => (to_undo, StepState::Undoing),
            false => (|state| state == StepState::NotRun, StepState::Running),
        };
        let mut stages =
            self.plan.numbers().filter(|step| waiting(self.state(*step))).map(|step| self.stage(step));
        let is_reverse = self.has_turned_back() && !is_seeded(Mutant::OldestUndoneFirst);
        let Some(stage) = (if is_reverse { stages.next_back() } else { stages.next() }) else { return };
        for (record, planned) in self.records.iter_mut().zip(self.plan.steps()) {
            if planned.stage == stage && waiting(record.state) {
                record.state = next;
            }
        }
    }

    fn stage(&self, step: StepNumber) -> u32 {
        self.plan.steps()[step.place()].stage
    }

    /// Whether a step was refused or given up, so that the rest is to be undone.
    fn has_turned_back(&self) -> bool {
        self.records.iter().any(|record| {
            use StepState::{Refused, UndoFailed, Undoing, Undone, Unknown};
            matches!(record.state, Refused | Unknown | Undoing | UndoFailed | Undone)
        })
    }

    /// What the saga asks for now, in order of the steps. Nothing, if it has ended.
    pub fn asked(&self) -> impl Iterator<Item = (StepNumber, Way)> {
        self.plan.numbers().filter_map(|step| match self.state(step) {
            StepState::Running => Some((step, Way::Forward)),
            StepState::Undoing | StepState::UndoFailed => Some((step, Way::Backward)),
            _ => None,
        })
    }

    /// Where it stands.
    pub fn phase(&self) -> SagaPhase {
        match (self.has_turned_back(), self.asked().next().is_some()) {
            (false, true) => SagaPhase::Forward,
            (true, true) => SagaPhase::Backward,
            (false, false) => SagaPhase::Committed,
            (true, false) => SagaPhase::Aborted,
        }
    }

    /// What became of a step; one that the plan does not have was not run.
    pub fn state(&self, step: StepNumber) -> StepState {
        self.records.get(step.place()).map_or(StepState::NotRun, |record| record.state)
    }

    /// What a step gave, if it is known to have been done.
    pub fn output(&self, step: StepNumber) -> Option<&Payload> {
        self.records.get(step.place())?.output.as_ref()
    }

    /// Why a step was refused or given up, or its compensation failed last.
    pub fn reason(&self, step: StepNumber) -> Option<&Arc<str>> {
        self.records.get(step.place())?.reason.as_ref()
    }

    /// What it is made of.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }
}

/// Whether it stands, or may.
fn to_undo(state: StepState) -> bool {
    state == StepState::Done || (state == StepState::Unknown && !is_seeded(Mutant::UnknownNotUndone))
}
