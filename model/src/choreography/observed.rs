//! The choreography's steps as an observer of the running services would record them.

use lawspeaker_history::{Call, Op, OpType};
use serde_json::{Value, json};

use super::words::{ORDER, names};
use super::{Action, Choreography, Order, Service, State};
use crate::engine::way_on;

/// The services that have a step, in the order of the steps.
const STEPS: [Service; 3] = [Service::Inventory, Service::Payments, Service::Shipping];

fn op(process: &str, op_type: OpType, f: &str, value: Value) -> Op {
    Op::new(process, op_type, Call::Other { f: f.to_owned(), value })
}

fn of_step(service: Service, op_type: OpType, f: &str) -> Op {
    let names = names(service);
    op(names.service, op_type, f, json!({"saga": ORDER, "step": names.step}))
}

pub(super) fn ops(before: &State, action: &Action, after: &State) -> Vec<Op> {
    let mut ops = Vec::new();
    if *action == Action::Place {
        let steps = STEPS.map(|service| names(service).step);
        let pivot = names(Service::Shipping).step;
        let value = json!({"saga": ORDER, "steps": steps, "pivot": pivot});
        ops.push(op(names(Service::Orders).service, OpType::Ok, "saga.start", value));
    }
    ops.extend(STEPS.into_iter().filter_map(|service| acted(before, service, after)));
    ops.extend(ended(before, after));
    if let Action::Crash(service, _) = action {
        ops.push(Op::new(names(*service).service, OpType::Info, Call::Crash));
    }
    ops
}

/// A service records what it does, and that it refuses; of a repeat that changes nothing, there is nothing to record.
fn acted(before: &State, service: Service, after: &State) -> Option<Op> {
    let (was, is) = (before.steps[service.place()], after.steps[service.place()]);
    if is.executions > was.executions {
        return Some(of_step(service, OpType::Ok, "saga.step"));
    }
    if is.compensations > was.compensations {
        return Some(of_step(service, OpType::Ok, "saga.compensate"));
    }
    (is.is_refused && !was.is_refused).then(|| of_step(service, OpType::Fail, "saga.step"))
}

/// A completed order has ended. Of a cancelled one, compensations may be under way yet.
fn ended(before: &State, after: &State) -> Option<Op> {
    (after.order == Order::Completed && before.order != after.order).then(|| end("committed"))
}

fn end(outcome: &str) -> Op {
    let value = json!({"saga": ORDER, "outcome": outcome});
    op(names(Service::Orders).service, OpType::Ok, "saga.end", value)
}

/// Where nothing but faults can go on, a cancelled order has ended, and what has not ended never will.
pub(super) fn closing_ops(model: &Choreography, state: &State) -> Vec<Op> {
    if way_on(model, state).is_some() {
        return Vec::new();
    }
    let aborted = (state.order == Order::Cancelled).then(|| end("aborted"));
    aborted.into_iter().chain([op("observer", OpType::Ok, "quiescent", Value::Null)]).collect()
}
