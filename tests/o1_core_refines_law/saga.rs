//! One saga in the hands of its executor, in lock-step with the ideal one: attempts, replies late and early, time-outs
//! and crashes.

use std::time::Duration;

use lawspeaker_bus::id::Epoch;
use lawspeaker_bus::saga::{
    Agenda, Attempt, Command, Jitter, Outcome, Payload, RetryPolicy, SagaCore, SagaPhase, StepState, Timing,
};
use lawspeaker_bus::sync::Arc;
use lawspeaker_spec::saga::{Asked, Executor, Reply, Saga as Spec, Wish};
use stateright::{Model, Property};

use crate::kernels::saga_law::{is_equal, kinds, number, plan, way, wish};

// Bounds: plans with a stage of two, with one after it, and with a pivot and what follows it; two attempts, so that
// there is one that is not the last; one crash, so that there are replies from before it.
const PLANS: [&str; 3] = ["a b | c", "a | p!", "a | p! | r*"];
const MAX_ATTEMPTS: u32 = 2;
const LIFE_COUNT: u64 = 2;
/// Every state within the bounds.
pub(crate) const STATE_COUNT: usize = 31_147;

/// The search.
#[derive(Clone, Debug)]
pub(crate) struct LockStep;

/// The bus's executor and the ideal one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    core: SagaCore,
    agenda: Agenda,
    ideal: Executor,
    is_answer_equal: bool,
}

/// What happens. Time stands still, and time-outs and pauses are none: any moment may be any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Ask,
    Hear(Asked, Reply),
    Expire,
    Restart,
}

fn timings(core: &SagaCore) -> Arc<[Timing]> {
    let retry =
        RetryPolicy { max_attempts: MAX_ATTEMPTS, first_pause: Duration::ZERO, max_pause: Duration::ZERO };
    vec![Timing { timeout: Some(Duration::ZERO), retry }; core.plan().steps().len()].into()
}

fn asked(command: Command) -> Asked {
    (command.step.0 as usize, wish(command.way), command.attempt.epoch.0, command.attempt.number)
}

fn command((step, wish, life, attempt): Asked) -> Command {
    let attempt = Attempt { epoch: Epoch(life), number: attempt };
    Command { step: number(step), way: way(wish), attempt }
}

fn outcome(reply: Reply) -> Outcome {
    match reply {
        Reply::Done => Outcome::Done(Payload::default()),
        Reply::Refused => Outcome::Refused("".into()),
        Reply::Unknown => Outcome::Unknown("".into()),
    }
}

impl State {
    fn new(stages: &str) -> Self {
        let plan = plan(stages);
        let ideal = Executor::new(Spec::new(&kinds(&plan)), MAX_ATTEMPTS.into());
        let core = SagaCore::new(Arc::new(plan));
        let agenda = Agenda::new(Epoch(0), timings(&core));
        State { core, agenda, ideal, is_answer_equal: true }
    }

    fn take(&mut self, action: Action) {
        let jitter = Jitter::default();
        match action {
            Action::Ask => {
                let due = self.agenda.due(&self.core, 0).into_iter().map(asked).collect::<Vec<_>>();
                self.is_answer_equal = due == self.ideal.ask();
            }
            Action::Hear(asked, reply) => {
                let event = self.agenda.reply(&self.core, &command(asked), outcome(reply), 0, jitter);
                self.is_answer_equal = event.into_iter().all(|event| self.core.tell(event).is_ok());
                self.ideal.hear(asked, reply);
            }
            Action::Expire => {
                let events = self.agenda.expire(&self.core, 0, |_| jitter);
                self.is_answer_equal = events.into_iter().all(|event| self.core.tell(event).is_ok());
                self.ideal.expire();
            }
            Action::Restart => {
                self.ideal.restart();
                self.agenda = Agenda::new(Epoch(self.ideal.life()), timings(&self.core));
            }
        }
    }
}

impl Model for LockStep {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        PLANS.map(State::new).to_vec()
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        actions.extend([Action::Ask, Action::Expire]);
        if state.ideal.life() + 1 < LIFE_COUNT {
            actions.push(Action::Restart);
        }
        for step in 0..state.core.plan().steps().len() {
            for wish in [Wish::Do, Wish::Undo] {
                for life in 0..=state.ideal.life() {
                    for attempt in 1..=u64::from(MAX_ATTEMPTS) {
                        let asked = (step, wish, life, attempt);
                        let replies = [Reply::Done, Reply::Refused, Reply::Unknown];
                        actions.extend(replies.map(|reply| Action::Hear(asked, reply)));
                    }
                }
            }
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = state.clone();
        next.take(action);
        (next != *state).then_some(next)
    }

    /// What must be done is asked for without end.
    fn within_boundary(&self, state: &State) -> bool {
        let attempts = state.ideal.unanswered().iter().map(|(.., attempt)| *attempt);
        attempts.max().unwrap_or(0) <= u64::from(MAX_ATTEMPTS)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("answers are equal", |_, state: &State| state.is_answer_equal),
            Property::always("sagas stand where the ideal ones do", |_, state: &State| {
                is_equal(&state.core, &state.ideal.saga)
            }),
            Property::always("what is waited for is equal", |_, state: &State| {
                let waits = |asked: &Asked| state.agenda.is_awaited(&state.core, &command(*asked));
                state.ideal.unanswered().iter().all(waits)
            }),
            Property::sometimes("a saga commits", |_, state: &State| {
                state.core.phase() == SagaPhase::Committed
            }),
            Property::sometimes("a saga aborts", |_, state: &State| state.core.phase() == SagaPhase::Aborted),
            Property::sometimes("a compensation failed", |_, state: &State| {
                state.core.plan().numbers().any(|step| state.core.state(step) == StepState::UndoFailed)
            }),
            Property::sometimes("two compensations are asked for at once", |_, state: &State| {
                state.core.phase() == SagaPhase::Backward && state.core.asked().count() == 2
            }),
            Property::sometimes("a step of unknown outcome is compensated", |_, state: &State| {
                let is_unknown =
                    |step| state.core.state(step) == StepState::Undoing && state.core.output(step).is_none();
                state.core.plan().numbers().any(is_unknown)
            }),
            Property::sometimes("what must be done is asked for again", |_, state: &State| {
                state.ideal.unanswered().iter().any(|(.., attempt)| *attempt == 2)
            }),
        ]
    }
}
