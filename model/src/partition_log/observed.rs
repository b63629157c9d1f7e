//! The partition log's steps as an observer of a running log would record them.

use lawspeaker_history as history;
use lawspeaker_history::{Batch, Call, EventId, Offset, Op, OpType, Phase, Sent};

use super::words::{TOPIC, key_name, name};
use super::{Action, Event, Record, Reply, State};

/// An event's process: each send is one call, and a process has one call open at a time.
fn process(event: Event) -> i64 {
    i64::from(event.producer) * 100 + i64::from(event.number)
}

fn sent(event: Event, partition: u8, offset: Option<u8>) -> Call {
    let partition = history::Partition::new(TOPIC, u32::from(partition));
    let offset = offset.map(|offset| Offset::of(offset as usize));
    Call::Send(vec![Sent { partition, offset, event: EventId::from(name(event).as_str()) }])
}

pub(super) fn ops(before: &State, action: &Action, after: &State) -> Vec<Op> {
    match action {
        Action::Send(event) => {
            let progress = after.producers[event.producer as usize].events[event.number as usize];
            let was_sent_before = before.ghost.sent.iter().any(|(earlier, _)| earlier == event);
            let call =
                progress.stamp.filter(|_| !was_sent_before).map(|stamp| sent(*event, stamp.partition, None));
            let op = |call| Op::new(process(*event), OpType::Invoke, call).key(key_name(*event));
            call.map(op).into_iter().collect()
        }
        Action::Acknowledge(Reply { event, partition, offset }) => {
            let is_first = before.ghost.acknowledged.iter().all(|reply| reply.event != *event);
            let op =
                Op::new(process(*event), OpType::Ok, sent(*event, *partition, *offset)).key(key_name(*event));
            is_first.then_some(op).into_iter().collect()
        }
        Action::Crash => vec![Op::new(
            history::Process::nemesis(),
            OpType::Info,
            Call::Other { f: "power-loss".to_owned(), value: serde_json::Value::Null },
        )],
        _ => Vec::new(),
    }
}

pub(super) fn closing_ops(state: &State) -> Vec<Op> {
    let record = |(offset, record): (usize, &Record)| history::Record {
        offset: Some(Offset::of(offset)),
        event: EventId::from(name(record.event).as_str()),
    };
    let batch = |(number, partition): (usize, &super::Partition)| Batch {
        partition: history::Partition::new(TOPIC, number as u32),
        records: partition.log.iter().enumerate().map(record).collect(),
    };
    let batches = state.partitions.iter().enumerate().map(batch).collect();
    vec![Op::new(1000, OpType::Ok, Call::Poll(batches)).phase(Phase::Final)]
}
