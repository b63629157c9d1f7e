//! The saga's steps as an observer of a running system would record them.

use lawspeaker_history::{Call, Op, OpType};
use serde_json::{Value, json};

use super::words::{ORCHESTRATOR, SAGA, participant, step_name};
use super::{Action, Command, Phase, Saga, State, Way};
use crate::engine::way_on;

fn op(process: &str, op_type: OpType, f: &str, value: Value) -> Op {
    Op::new(process, op_type, Call::Other { f: f.to_owned(), value })
}

pub(super) fn ops(model: &Saga, before: &State, action: &Action, after: &State) -> Vec<Op> {
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
    let steps: Vec<_> = (0..model.bounds.steps).map(step_name).collect();
    let mut value = json!({"saga": SAGA, "steps": steps});
    if model.bounds.pivot < model.bounds.steps {
        value["pivot"] = step_name(model.bounds.pivot).into();
    }
    op(ORCHESTRATOR, OpType::Ok, "saga.start", value)
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
    let f = if command.way == Way::Forward { "saga.step" } else { "saga.compensate" };
    Some(op(participant(command.step), op_type, f, json!({"saga": SAGA, "step": step_name(command.step)})))
}

/// The client is told how the saga ended.
fn ended(before: &State, after: &State) -> Option<Op> {
    let memory =
        after.orchestrator.memory.filter(|_| before.orchestrator.memory != after.orchestrator.memory);
    let outcome = match memory? {
        Phase::Committed => "committed",
        Phase::Aborted => "aborted",
        Phase::Forward(_) | Phase::Backward(_) => return None,
    };
    Some(op(ORCHESTRATOR, OpType::Ok, "saga.end", json!({"saga": SAGA, "outcome": outcome})))
}

/// Where nothing but faults can go on, what has not ended never will.
pub(super) fn closing_ops(model: &Saga, state: &State) -> Vec<Op> {
    let is_quiescent = way_on(model, state).is_none();
    is_quiescent.then(|| op("observer", OpType::Ok, "quiescent", Value::Null)).into_iter().collect()
}
