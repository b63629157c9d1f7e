//! The core of a saga log and its specification, in lock-step; and the core against the records that its shell writes.

use lawspeaker_bus::id::Epoch;
use lawspeaker_bus::saga::{Payload, Plan, SagaLogCore, SagaRecord};
use lawspeaker_bus::sync::Arc;
use lawspeaker_spec::saga::{Refusal, SagaLog as Spec, Said};
use stateright::{Model, Property};

use crate::kernels::linearization::Law;
use crate::kernels::saga_law::{
    LogAnswer, LogCall, LogLaw, event, is_equal, kinds, plan, refusal, saga_id, started,
};

// Bounds: two sagas that share nothing but their executors, of which there are three; a step that can be undone, and
// a pivot.
const PLAN: &str = "a | p!";
const SAGAS: [u64; 2] = [0, 1];
const EXECUTOR_COUNT: u64 = 3;
/// Every state within the bounds.
pub(crate) const STATE_COUNT: usize = 508;

/// The search.
#[derive(Clone, Debug)]
pub(crate) struct LockStep;

/// The core and the specification. That the records of its calls make the same core again is checked at every step,
/// so by induction a crash at any time is invisible.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    core: SagaLogCore,
    law: LogLaw,
    is_answer_equal: bool,
    is_replay_equal: bool,
}

impl Model for LockStep {
    type State = State;
    type Action = LogCall;

    fn init_states(&self) -> Vec<State> {
        let law = LogLaw(Spec::new(kinds(&plan(PLAN))));
        vec![State { core: SagaLogCore::new(), law, is_answer_equal: true, is_replay_equal: true }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<LogCall>) {
        if state.law.0.executor_count() < EXECUTOR_COUNT {
            actions.push(LogCall::Claim);
        }
        let all = [Said::Done, Said::Refused, Said::GivenUp, Said::Undone, Said::UndoFailed];
        for executor in 0..=state.law.0.executor_count() {
            for saga in SAGAS {
                actions.push(LogCall::Start { executor, saga });
                for step in 0..=2 {
                    actions.extend(all.map(|said| LogCall::Say { executor, saga, step, said }));
                }
            }
        }
    }

    fn next_state(&self, state: &State, call: LogCall) -> Option<State> {
        let mut next = state.clone();
        let answer = answer(&mut next.core, call);
        next.is_answer_equal = answer == next.law.answer(&call);
        if next.core != state.core {
            let record = SagaRecord::decode(&record(call).encode()).unwrap();
            let mut replayed = state.core.clone();
            next.is_replay_equal = replayed.replay(record).is_ok() && replayed == next.core;
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("answers are equal", |_, state: &State| state.is_answer_equal),
            Property::always("abstract states are equal", |_, state: &State| state.is_equal()),
            Property::always("the record of a call replays to the same state", |_, state: &State| {
                state.is_replay_equal
            }),
            Property::sometimes("a stale executor is fenced", |_, state: &State| {
                let say = LogCall::Say { executor: 0, saga: 0, step: 0, said: Said::Done };
                let fenced = LogAnswer::Refused(Refusal::Fenced { current: 1 });
                answer(&mut state.core.clone(), say) == fenced
            }),
            Property::sometimes("a saga that one executor began is ended by another", |_, state: &State| {
                state.core.epoch() == Some(Epoch(2))
                    && state.core.sagas().all(|(_, saga)| saga.core.phase().is_end())
                    && state.core.sagas().count() == SAGAS.len()
            }),
        ]
    }
}

fn the_plan() -> Arc<Plan> {
    Arc::new(plan(PLAN))
}

fn answer(core: &mut SagaLogCore, call: LogCall) -> LogAnswer {
    let answer = match call {
        LogCall::Claim => Ok(LogAnswer::Claimed(core.claim().0)),
        LogCall::Start { executor, saga } => {
            core.start(Epoch(executor), saga_id(saga), the_plan(), Payload::default()).map(started)
        }
        LogCall::Say { executor, saga, step, said } => {
            core.tell(Epoch(executor), &saga_id(saga), event(step, said)).map(|()| LogAnswer::Done)
        }
    };
    answer.unwrap_or_else(|bus| LogAnswer::Refused(refusal(&bus)))
}

/// What the shell writes for a call that is granted.
fn record(call: LogCall) -> SagaRecord {
    match call {
        LogCall::Claim => SagaRecord::Claimed,
        LogCall::Start { executor, saga } => SagaRecord::Started {
            epoch: Epoch(executor),
            saga: saga_id(saga),
            plan: plan(PLAN),
            input: Payload::default(),
        },
        LogCall::Say { executor, saga, step, said } => {
            SagaRecord::Told { epoch: Epoch(executor), saga: saga_id(saga), event: event(step, said) }
        }
    }
}

impl State {
    fn is_equal(&self) -> bool {
        let LogLaw(spec) = &self.law;
        let is_saga_equal = |saga: u64| match (self.core.saga(&saga_id(saga)), spec.saga(saga)) {
            (Some(saga), Some(ideal)) => is_equal(&saga.core, ideal),
            (saga, ideal) => saga.is_none() && ideal.is_none(),
        };
        self.core.epoch().map_or(0, |epoch| epoch.0 + 1) == spec.executor_count()
            && SAGAS.into_iter().all(is_saga_equal)
    }
}
