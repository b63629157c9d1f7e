//! What an executor does about a saga and when: attempts, time-outs and pauses. Time and chance are inputs.

use std::sync::Arc;

use crate::id::Epoch;
use crate::mutant::{Mutant, is_seeded};

use super::core::{Payload, SagaCore, SagaEvent, StepFact, StepState, Way};
use super::plan::{StepKind, StepNumber};
use super::retry::{Jitter, RetryPolicy, millis};

/// How long a step may take, and when it is asked for again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Timing {
    /// After how long an attempt counts as one of unknown outcome; `None` waits for ever.
    pub timeout: Option<std::time::Duration>,
    /// When to ask again.
    pub retry: RetryPolicy,
}

/// Which of the commands for one thing this is: what a reply must name to be taken for its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Attempt {
    /// Of which executor.
    pub epoch: Epoch,
    /// As which of its attempts, from 1.
    pub number: u64,
}

/// What an executor asks of a participant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Command {
    /// Which step.
    pub step: StepNumber,
    /// To do it, or to compensate it.
    pub way: Way,
    /// Which attempt it is.
    pub attempt: Attempt,
}

/// What a participant answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It is done, and gave this.
    Done(Payload),
    /// It surely was not done. Of a step: it will not be either.
    Refused(Arc<str>),
    /// It may be done or not.
    Unknown(Arc<str>),
}

/// Why an attempt that timed out counts as one of unknown outcome.
pub(crate) const TIMED_OUT: &str = "timed out";

/// What the executor remembers of one saga, and loses when it crashes: which commands are under way, and when to ask
/// again. It decides nothing alone: what is asked for is what the log asks for. O(steps) for each call.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Agenda {
    epoch: Epoch,
    /// By step.
    timings: Arc<[Timing]>,
    /// By step: what it is asked for.
    tasks: Vec<Option<Task>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Task {
    way: Way,
    /// Attempts so far.
    attempt_count: u64,
    stage: TaskStage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum TaskStage {
    /// The command was sent.
    Asked { deadline_ms: Option<u64> },
    /// The attempt came to nothing, and the next one waits.
    Pausing { until_ms: u64 },
}

impl Agenda {
    /// Nothing was asked for yet by the executor of this epoch. There is a timing for each step.
    pub fn new(epoch: Epoch, timings: Arc<[Timing]>) -> Self {
        Agenda { epoch, tasks: vec![None; timings.len()], timings }
    }

    /// The commands to send now, in order of the steps. They count as sent.
    pub fn due(&mut self, core: &SagaCore, now_ms: u64) -> Vec<Command> {
        let mut commands = Vec::new();
        for (step, way) in core.asked() {
            let attempt_count = match self.task(step, way) {
                None => 0,
                Some(Task { stage: TaskStage::Asked { .. }, .. }) => continue,
                Some(Task { stage: TaskStage::Pausing { until_ms }, .. }) if until_ms > now_ms => continue,
                Some(task) => task.attempt_count,
            } + 1;
            let timeout = self.timings[step.place()].timeout;
            let deadline_ms = timeout.map(|timeout| now_ms.saturating_add(millis(timeout)));
            self.tasks[step.place()] =
                Some(Task { way, attempt_count, stage: TaskStage::Asked { deadline_ms } });
            let attempt = Attempt { epoch: self.epoch, number: attempt_count };
            commands.push(Command { step, way, attempt });
        }
        commands
    }

    fn task(&self, step: StepNumber, way: Way) -> Option<Task> {
        self.tasks.get(step.place()).copied().flatten().filter(|task| task.way == way)
    }

    /// When [`due`](Self::due) or [`expire`](Self::expire) has something to do next, if nothing else happens before.
    pub fn wake_at_ms(&self, core: &SagaCore) -> Option<u64> {
        let times = core.asked().filter_map(|(step, way)| match self.task(step, way)?.stage {
            TaskStage::Asked { deadline_ms } => deadline_ms,
            TaskStage::Pausing { until_ms } => Some(until_ms),
        });
        times.min()
    }

    /// Whether `command` is the one whose answer is awaited.
    pub fn is_awaited(&self, core: &SagaCore, command: &Command) -> bool {
        if is_seeded(Mutant::ReplyUncorrelated) {
            return core.asked().any(|(step, _)| step == command.step);
        }
        let is_asked = core.asked().any(|asked| asked == (command.step, command.way));
        is_asked
            && command.attempt.epoch == self.epoch
            && self.task(command.step, command.way).is_some_and(|task| {
                task.attempt_count == command.attempt.number && matches!(task.stage, TaskStage::Asked { .. })
            })
    }

    /// A reply came: what is to be written into the log, if anything. A reply that is no answer to what was asked last
    /// is dropped.
    pub fn reply(
        &mut self,
        core: &SagaCore,
        command: &Command,
        outcome: Outcome,
        now_ms: u64,
        jitter: Jitter,
    ) -> Option<SagaEvent> {
        if !self.is_awaited(core, command) {
            return None;
        }
        let step = command.step;
        let asked = core.asked().find_map(|(asked, way)| (asked == step).then_some(way))?;
        let kind = core.plan().step(step)?.kind;
        let fact = match (asked, outcome) {
            (Way::Forward, Outcome::Done(output)) => StepFact::Done(output),
            (Way::Forward, Outcome::Refused(reason)) if kind != StepKind::Retriable => {
                StepFact::Refused(reason)
            }
            (Way::Backward, Outcome::Done(_)) => StepFact::Undone,
            (_, Outcome::Refused(reason) | Outcome::Unknown(reason)) => {
                return self.fail(core, step, reason, now_ms, jitter);
            }
        };
        Some(SagaEvent { step, fact })
    }

    /// Attempts whose time is up count as of unknown outcome: what is to be written into the log.
    pub fn expire(
        &mut self,
        core: &SagaCore,
        now_ms: u64,
        jitter: impl Fn(&Command) -> Jitter,
    ) -> Vec<SagaEvent> {
        let late = core.asked().filter_map(|(step, way)| {
            let task = self.task(step, way)?;
            let TaskStage::Asked { deadline_ms: Some(deadline_ms) } = task.stage else { return None };
            let attempt = Attempt { epoch: self.epoch, number: task.attempt_count };
            (deadline_ms <= now_ms).then_some(Command { step, way, attempt })
        });
        let late: Vec<_> = late.collect();
        let fail =
            |command: Command| self.fail(core, command.step, TIMED_OUT.into(), now_ms, jitter(&command));
        late.into_iter().filter_map(fail).collect()
    }

    /// An attempt came to nothing: it is made again after a pause, or the step is given up.
    fn fail(
        &mut self,
        core: &SagaCore,
        step: StepNumber,
        reason: Arc<str>,
        now_ms: u64,
        jitter: Jitter,
    ) -> Option<SagaEvent> {
        let retry = self.timings[step.place()].retry;
        let task = self.tasks[step.place()].as_mut()?;
        let until_ms = now_ms.saturating_add(retry.pause_ms(task.attempt_count, jitter));
        task.stage = TaskStage::Pausing { until_ms };
        let is_compensatable = core.plan().step(step)?.kind == StepKind::Compensatable;
        let has_way_back = is_compensatable || is_seeded(Mutant::PivotGivenUp);
        let is_last = task.attempt_count >= u64::from(retry.max_attempts);
        let fact = match core.state(step) {
            StepState::Running if has_way_back && is_last => StepFact::GivenUp(reason),
            StepState::Undoing => StepFact::UndoFailed(reason),
            _ => return None,
        };
        Some(SagaEvent { step, fact })
    }

    /// Of which executor it is.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }
}
