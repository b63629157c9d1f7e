//! The choreography's steps as an observer of the running services would record them.

use lawspeaker_history::{Call, Op, OpType, SagaEnd, SagaOutcome, SagaStart, SagaStep};

use super::words::{ORDER, names};
use super::{Action, Choreography, Order, Service, State};
use crate::engine::way_on;

/// The services that have a step, in the order of the steps.
const STEPS: [Service; 3] = [Service::Inventory, Service::Payments, Service::Shipping];

fn of_step(service: Service, op_type: OpType, call: fn(SagaStep) -> Call) -> Op {
    let names = names(service);
    Op::new(names.service, op_type, call(SagaStep { saga: ORDER.into(), step: names.step.into() }))
}

pub(super) fn ops(before: &State, action: &Action, after: &State) -> Vec<Op> {
    let mut ops = Vec::new();
    if *action == Action::Place {
        let steps = STEPS.map(|service| names(service).step.into()).to_vec();
        let pivot = Some(names(Service::Shipping).step.into());
        let start = SagaStart { saga: ORDER.into(), steps: Some(steps), pivot };
        ops.push(Op::new(names(Service::Orders).service, OpType::Ok, Call::SagaStart(start)));
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
        return Some(of_step(service, OpType::Ok, Call::SagaStep));
    }
    if is.compensations > was.compensations {
        return Some(of_step(service, OpType::Ok, Call::SagaCompensate));
    }
    (is.is_refused && !was.is_refused).then(|| of_step(service, OpType::Fail, Call::SagaStep))
}

/// A completed order has ended. Of a cancelled one, compensations may be under way yet.
fn ended(before: &State, after: &State) -> Option<Op> {
    (after.order == Order::Completed && before.order != after.order).then(|| end(SagaOutcome::Committed))
}

fn end(outcome: SagaOutcome) -> Op {
    let call = Call::SagaEnd(SagaEnd { saga: ORDER.into(), outcome });
    Op::new(names(Service::Orders).service, OpType::Ok, call)
}

/// Where nothing but faults can go on, a cancelled order has ended, and what has not ended never will.
pub(super) fn closing_ops(model: &Choreography, state: &State) -> Vec<Op> {
    if way_on(model, state).is_some() {
        return Vec::new();
    }
    let aborted = (state.order == Order::Cancelled).then(|| end(SagaOutcome::Aborted));
    aborted.into_iter().chain([Op::new("observer", OpType::Ok, Call::Quiescent)]).collect()
}
