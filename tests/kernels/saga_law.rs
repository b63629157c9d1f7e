//! The laws of saga logs and participants: their specifications, and how the bus's answers compare with them.

use lawspeaker_bus::id::Epoch;
use lawspeaker_bus::saga::{
    Outcome, Participant, Payload, Plan, Refusal, SagaCore, SagaEvent, SagaLog, SagaLogError, Started,
    StepFact, StepKey, StepKind, StepNumber, StepState, Way,
};
use lawspeaker_bus::sync::Arc;
use lawspeaker_history::SagaId;
use lawspeaker_spec::saga as spec;

use super::linearization::Law;

/// Stages between bars; `!` after a name makes it a pivot, `*` a retriable step.
pub fn plan(stages: &str) -> Plan {
    let step = |word: &str| match (word.strip_suffix('!'), word.strip_suffix('*')) {
        (Some(name), _) => (name.into(), StepKind::Pivot),
        (_, Some(name)) => (name.into(), StepKind::Retriable),
        _ => (word.into(), StepKind::Compensatable),
    };
    Plan::new(stages.split('|').map(|stage| stage.split_whitespace().map(step).collect()).collect()).unwrap()
}

/// The kinds of a plan's steps, by stage.
pub fn kinds(plan: &Plan) -> Vec<Vec<spec::Kind>> {
    let mut stages: Vec<Vec<spec::Kind>> = Vec::new();
    for step in plan.steps() {
        stages.resize(step.stage as usize + 1, Vec::new());
        stages[step.stage as usize].push(match step.kind {
            StepKind::Compensatable => spec::Kind::Compensatable,
            StepKind::Pivot => spec::Kind::Pivot,
            StepKind::Retriable => spec::Kind::Retriable,
        });
    }
    stages
}

pub fn number(step: usize) -> StepNumber {
    StepNumber(u32::try_from(step).unwrap())
}

pub fn wish(way: Way) -> spec::Wish {
    if way == Way::Forward { spec::Wish::Do } else { spec::Wish::Undo }
}

pub fn way(wish: spec::Wish) -> Way {
    if wish == spec::Wish::Do { Way::Forward } else { Way::Backward }
}

/// What is said of a step, in the bus's words. What came of it and why does not matter here.
pub fn fact(said: spec::Said) -> StepFact {
    match said {
        spec::Said::Done => StepFact::Done(Payload::default()),
        spec::Said::Refused => StepFact::Refused("".into()),
        spec::Said::GivenUp => StepFact::GivenUp("".into()),
        spec::Said::Undone => StepFact::Undone,
        spec::Said::UndoFailed => StepFact::UndoFailed("".into()),
    }
}

/// Whether the bus's saga stands where the ideal one does.
pub fn is_equal(core: &SagaCore, ideal: &spec::Saga) -> bool {
    use lawspeaker_bus::saga::SagaPhase::{Aborted, Backward, Committed, Forward};
    let asked = core.asked().map(|(step, way)| (step.0 as usize, wish(way)));
    let is_phase_equal = match core.phase() {
        Forward | Backward => ideal.end().is_none(),
        Committed => ideal.end() == Some(spec::End::Committed),
        Aborted => ideal.end() == Some(spec::End::Aborted),
    };
    let said = |state| match state {
        StepState::NotRun | StepState::Running => &[None][..],
        StepState::Done => &[Some(spec::Said::Done)],
        StepState::Refused => &[Some(spec::Said::Refused)],
        StepState::Unknown => &[Some(spec::Said::GivenUp)],
        StepState::Undoing => &[Some(spec::Said::Done), Some(spec::Said::GivenUp)],
        StepState::UndoFailed => &[Some(spec::Said::UndoFailed)],
        StepState::Undone => &[Some(spec::Said::Undone)],
    };
    let is_step_equal = |step: StepNumber| said(core.state(step)).contains(&ideal.last_said(step.0 as usize));
    asked.eq(ideal.asks()) && is_phase_equal && core.plan().numbers().all(is_step_equal)
}

/// A call of a saga log. Executors are known by their numbers, in the order in which they claimed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LogCall {
    Claim,
    Start { executor: u64, saga: u64 },
    Say { executor: u64, saga: u64, step: usize, said: spec::Said },
}

/// What it is answered, in the law's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LogAnswer {
    Claimed(u64),
    Started { is_new: bool },
    Done,
    Refused(spec::Refusal),
}

pub fn saga_id(saga: u64) -> SagaId {
    SagaId::from(saga.to_string().as_str())
}

pub fn event(step: usize, said: spec::Said) -> SagaEvent {
    SagaEvent { step: number(step), fact: fact(said) }
}

/// A refusal of the bus in the law's words.
pub fn refusal(bus: &Refusal) -> spec::Refusal {
    match bus {
        Refusal::Fenced { current } => spec::Refusal::Fenced { current: current.0 },
        Refusal::UnknownSaga(_) => spec::Refusal::UnknownSaga,
        Refusal::OtherSaga(_) => panic!("all sagas are alike"),
        Refusal::Unlawful { .. } => spec::Refusal::Untrue,
    }
}

/// What the bus answers to a start.
pub fn started(started: Started) -> LogAnswer {
    LogAnswer::Started { is_new: started == Started::Now }
}

/// Makes the call at the bus's log.
pub fn call(log: &SagaLog, plan: &Arc<Plan>, call: LogCall) -> LogAnswer {
    let answer = match call {
        LogCall::Claim => log.claim().map(|(epoch, _)| LogAnswer::Claimed(epoch.0)),
        LogCall::Start { executor, saga } => {
            let begun = log.start(Epoch(executor), &saga_id(saga), plan, Payload::default());
            begun.map(|(begun, _)| started(begun))
        }
        LogCall::Say { executor, saga, step, said } => {
            log.tell(Epoch(executor), &saga_id(saga), [event(step, said)]).map(|_| LogAnswer::Done)
        }
    };
    answer.unwrap_or_else(|error| match error {
        SagaLogError::Refused(bus) => LogAnswer::Refused(refusal(&bus)),
        error => panic!("{error}"),
    })
}

/// The specification.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LogLaw(pub spec::SagaLog);

impl Law for LogLaw {
    type Call = LogCall;
    type Answer = LogAnswer;

    fn answer(&mut self, call: &LogCall) -> LogAnswer {
        let LogLaw(spec) = self;
        let answer = match *call {
            LogCall::Claim => Ok(LogAnswer::Claimed(spec.claim())),
            LogCall::Start { executor, saga } => {
                spec.start(executor, saga).map(|is_new| LogAnswer::Started { is_new })
            }
            LogCall::Say { executor, saga, step, said } => {
                spec.say(executor, saga, step, said).map(|()| LogAnswer::Done)
            }
        };
        answer.unwrap_or_else(LogAnswer::Refused)
    }

    fn is_ordered(_call: &LogCall) -> bool {
        true
    }

    fn lets_change(_call: &LogCall) -> bool {
        false
    }

    fn changes(&self) -> Vec<Self> {
        Vec::new()
    }
}

/// A call of a participant, about one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StepCall {
    /// With what would come of it now; `None` for a refusal.
    Perform(Option<u8>),
    Compensate,
}

pub fn key() -> StepKey {
    StepKey { saga: saga_id(1), step: "step".into() }
}

/// Makes the call at the bus's participant.
pub fn ask(participant: &Participant, call: StepCall) -> spec::Answer {
    match call {
        StepCall::Perform(effect) => {
            let act = || effect.map(|effect| [effect].into()).ok_or_else(|| "no".into());
            match participant.perform(&key(), false, act).unwrap() {
                Outcome::Done(output) => spec::Answer::Done(output[0].into()),
                Outcome::Refused(_) => spec::Answer::Refused,
                Outcome::Unknown(_) => panic!("a participant knows what it does"),
            }
        }
        StepCall::Compensate => {
            let undone = participant.compensate(&key(), false).unwrap();
            assert_eq!(undone, Outcome::Done(Payload::default()));
            spec::Answer::Undone
        }
    }
}

/// The specification.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct StepLaw(pub spec::Participant);

impl Law for StepLaw {
    type Call = StepCall;
    type Answer = spec::Answer;

    fn answer(&mut self, call: &StepCall) -> spec::Answer {
        match call {
            StepCall::Perform(effect) => self.0.perform(effect.map(u64::from)),
            StepCall::Compensate => self.0.compensate(),
        }
    }

    fn is_ordered(_call: &StepCall) -> bool {
        true
    }

    fn lets_change(_call: &StepCall) -> bool {
        false
    }

    fn changes(&self) -> Vec<Self> {
        Vec::new()
    }
}
