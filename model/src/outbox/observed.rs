//! The outbox's steps as an observer of the running services would record them.

use lawspeaker_history::{Batch, Call, Delivery, EventId, Op, OpType, Partition, Record, Sent};

use super::words::{GROUP, QUEUE, SERVICE, name, relay_name, worker_name};
use super::{Action, Change, Outbox, State};
use crate::engine::way_on;

fn event_id(event: u8) -> EventId {
    EventId::from(name(event).as_str())
}

fn queue() -> Partition {
    Partition::named(QUEUE)
}

fn sent(who: &str, event: u8) -> Op {
    let sent = Sent { partition: queue(), offset: None, event: event_id(event) };
    Op::new(who, OpType::Ok, Call::Send(vec![sent]))
}

fn changed(op_type: OpType, event: u8) -> Op {
    Op::new(SERVICE, op_type, Call::Change(vec![event_id(event)]))
}

fn of_worker(worker: u8, op_type: OpType, call: Call) -> Op {
    Op::new(worker_name(worker).as_str(), op_type, call).group(GROUP)
}

fn deliveries(event: u8) -> Vec<Delivery> {
    vec![Delivery { partition: queue(), offset: None, event: Some(event_id(event)) }]
}

pub(super) fn ops(before: &State, action: &Action, after: &State) -> Vec<Op> {
    let work = |state: &State, worker: u8| state.workers[worker as usize].work;
    let row = |relay: u8| before.relays[relay as usize].row;
    let crash = |who: &str| Op::new(who, OpType::Info, Call::Crash);
    match action {
        Action::Change(event) => vec![changed(OpType::Ok, *event)],
        Action::Announce(event) => vec![sent(SERVICE, *event)],
        Action::Finish(event) if before.changes[*event as usize] == Change::Announced => {
            vec![changed(OpType::Ok, *event)]
        }
        Action::Finish(event) => vec![sent(SERVICE, *event)],
        Action::RollBack(event) => vec![changed(OpType::Fail, *event)],
        // The database rolls back what a client had not committed when it was cut off.
        Action::CrashService(event) if before.changes[*event as usize] == Change::Announced => {
            vec![changed(OpType::Fail, *event), crash(SERVICE)]
        }
        Action::CrashService(_) => vec![crash(SERVICE)],
        Action::Publish(relay) => {
            row(*relay).map(|event| sent(&relay_name(*relay), event)).into_iter().collect()
        }
        Action::CrashRelay(relay) => vec![crash(&relay_name(*relay))],
        Action::Receive(worker) => {
            let receive = |event| {
                let records = vec![Record { offset: None, event: event_id(event) }];
                Call::Receive(vec![Batch { partition: queue(), records }])
            };
            let received =
                work(after, *worker).map(|work| of_worker(*worker, OpType::Ok, receive(work.event)));
            received.into_iter().collect()
        }
        Action::Handle(worker) if before.effects != after.effects => {
            let apply = |event| of_worker(*worker, OpType::Ok, Call::Apply(deliveries(event)));
            work(before, *worker).map(|work| apply(work.event)).into_iter().collect()
        }
        Action::Ack(worker) => {
            let ack = |event| of_worker(*worker, OpType::Ok, Call::Ack(deliveries(event)));
            work(before, *worker).map(|work| ack(work.event)).into_iter().collect()
        }
        Action::CrashWorker(worker) => vec![of_worker(*worker, OpType::Info, Call::Crash)],
        Action::Lock(_) | Action::Mark(_) | Action::Handle(_) | Action::Expire(_) => Vec::new(),
    }
}

/// Where nothing but faults can go on, what has no effect will never have one.
pub(super) fn closing_ops(model: &Outbox, state: &State) -> Vec<Op> {
    let is_quiescent = way_on(model, state).is_none();
    is_quiescent.then(|| Op::new("observer", OpType::Ok, Call::Quiescent)).into_iter().collect()
}
