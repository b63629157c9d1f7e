//! The steps of sagas that share records, as an observer of the running services would record them.

use lawspeaker_history::{Call, Op, OpType, SagaEnd, SagaId, SagaOutcome, SagaStart, SagaStep};

use super::words::{record_name, saga_name};
use super::{Action, DELTA_UNDO, Isolation, Phase, State};
use crate::engine::way_on;

pub(super) fn ops(model: &Isolation, before: &State, action: &Action, after: &State) -> Vec<Op> {
    let (Action::Step(saga) | Action::Compensate(saga) | Action::Fail(saga)) = action;
    let is_first = before.sagas[*saga as usize].phase == Phase::Forward(0);
    let mut ops: Vec<_> = is_first.then(|| started(model, *saga)).into_iter().collect();
    ops.extend(match action {
        Action::Step(saga) => stepped(model, *saga, before),
        Action::Compensate(saga) => compensated(model, *saga, before),
        Action::Fail(saga) => refused(model, *saga, before),
    });
    ops.extend(ended(*saga, after));
    ops
}

/// A step has the name of its record, and is recorded by whoever keeps it.
fn op(saga: u8, record: u8, op_type: OpType, call: fn(SagaStep) -> Call) -> Op {
    let step = SagaStep { saga: saga_name(saga).as_str().into(), step: record_name(record).into() };
    Op::new(format!("keeper of {}", record_name(record)).as_str(), op_type, call(step))
}

fn started(model: &Isolation, saga: u8) -> Op {
    let records = (0..model.step_count()).map(|step| model.record_of(saga, step));
    let steps = records.map(|record| record_name(record).into()).collect();
    let start = SagaStart { saga: saga_name(saga).as_str().into(), steps: Some(steps), pivot: None };
    Op::new(saga_name(saga).as_str(), OpType::Ok, Call::SagaStart(start))
}

/// `x.reads`: whose write was seen in the record.
fn stepped(model: &Isolation, saga: u8, before: &State) -> Option<Op> {
    let record = model.next_record(before, saga)?;
    let mut op = op(saga, record, OpType::Ok, Call::SagaStep);
    if model.is_reader(saga) {
        op.x.reads.insert(record_name(record).to_owned(), last_writer(before, record));
    }
    Some(op)
}

/// `x.restores`: whose write stood in the record when an older value was put back.
fn compensated(model: &Isolation, saga: u8, before: &State) -> Option<Op> {
    let Phase::Backward(done) = before.sagas[saga as usize].phase else { return None };
    let record = model.record_of(saga, done - 1);
    let mut op = op(saga, record, OpType::Ok, Call::SagaCompensate);
    if !model.guards.has(&DELTA_UNDO) {
        op.x.restores.insert(record_name(record).to_owned(), last_writer(before, record));
    }
    Some(op)
}

fn last_writer(state: &State, record: u8) -> Option<SagaId> {
    state.records[record as usize].writes.last().map(|writer| saga_name(*writer).as_str().into())
}

fn refused(model: &Isolation, saga: u8, before: &State) -> Option<Op> {
    let record = model.next_record(before, saga)?;
    Some(op(saga, record, OpType::Fail, Call::SagaStep))
}

/// What a saga does last, it says.
fn ended(saga: u8, after: &State) -> Option<Op> {
    let outcome = match after.sagas[saga as usize].phase {
        Phase::Committed => SagaOutcome::Committed,
        Phase::Aborted => SagaOutcome::Aborted,
        Phase::Forward(_) | Phase::Backward(_) => return None,
    };
    let end = SagaEnd { saga: saga_name(saga).as_str().into(), outcome };
    Some(Op::new(saga_name(saga).as_str(), OpType::Ok, Call::SagaEnd(end)))
}

/// Where nothing but faults can go on, what has not ended never will.
pub(super) fn closing_ops(model: &Isolation, state: &State) -> Vec<Op> {
    let is_quiescent = way_on(model, state).is_none();
    is_quiescent.then(|| Op::new("observer", OpType::Ok, Call::Quiescent)).into_iter().collect()
}
