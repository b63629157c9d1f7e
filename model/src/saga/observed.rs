//! The saga's steps as an observer of a running system would record them.

use lawspeaker_history::{Call, Op, OpType, SagaEnd, SagaOutcome, SagaStart, SagaStep};

use super::words::{ORCHESTRATOR, SAGA, participant, step_name};
use super::{Action, Command, Phase, Saga, State, Way};
use crate::engine::way_on;

pub(crate) fn ops(model: &Saga, before: &State, action: &Action, after: &State) -> Vec<Op> {
    match action {
        Action::Accept => vec![started(model)],
        Action::Handle(command) | Action::Refuse(command) | Action::FailCompensation(command) => {
            acted(before, *command, after).into_iter().collect()
        }
        Action::Receive(_) | Action::Timeout => ended(before, after).into_iter().collect(),
        Action::Crash => vec![Op::new(ORCHESTRATOR, OpType::Info, Call::Crash)],
        _ => Vec::new(),
    }
}

fn started(model: &Saga) -> Op {
    let steps = (0..model.bounds.steps).map(|step| step_name(step).into()).collect();
    let pivot = Some(model.bounds.pivot).filter(|pivot| *pivot < model.bounds.steps);
    let pivot = pivot.map(|pivot| step_name(pivot).into());
    Op::new(
        ORCHESTRATOR,
        OpType::Ok,
        Call::SagaStart(SagaStart { saga: SAGA.into(), steps: Some(steps), pivot }),
    )
}

/// A participant records what it does, and each time that it refuses or fails; where it is told to do what it has done
/// already, or to undo what it never did, nothing happens, and it records nothing.
fn acted(before: &State, command: Command, after: &State) -> Option<Op> {
    let step = command.step as usize;
    let (was, is) = (before.participants[step], after.participants[step]);
    let has_acted = (is.executions, is.compensations) != (was.executions, was.compensations);
    let is_refused = after.replies.iter().any(|reply| {
        reply.command == command && !reply.is_done && after.replies.count(reply) > before.replies.count(reply)
    });
    let op_type = match (has_acted, is_refused) {
        (true, _) => OpType::Ok,
        (false, true) => OpType::Fail,
        (false, false) => return None,
    };
    let step = SagaStep { saga: SAGA.into(), step: step_name(command.step).into() };
    let call = if command.way == Way::Forward { Call::SagaStep(step) } else { Call::SagaCompensate(step) };
    Some(Op::new(participant(command.step), op_type, call))
}

/// The client is told how the saga ended.
fn ended(before: &State, after: &State) -> Option<Op> {
    let memory =
        after.orchestrator.memory.filter(|_| before.orchestrator.memory != after.orchestrator.memory);
    let outcome = match memory? {
        Phase::Committed => SagaOutcome::Committed,
        Phase::Aborted => SagaOutcome::Aborted,
        Phase::Forward(_) | Phase::Backward(_) => return None,
    };
    Some(Op::new(ORCHESTRATOR, OpType::Ok, Call::SagaEnd(SagaEnd { saga: SAGA.into(), outcome })))
}

/// Where nothing but faults can go on, what has not ended never will.
pub(super) fn closing_ops(model: &Saga, state: &State) -> Vec<Op> {
    let is_quiescent = way_on(model, state).is_none();
    is_quiescent.then(|| Op::new("observer", OpType::Ok, Call::Quiescent)).into_iter().collect()
}
