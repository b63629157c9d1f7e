//! The partition log's steps as an observer of a running log would record them.

use lawspeaker_history as history;
use lawspeaker_history::{Batch, Call, EventId, Offset, Op, OpType, Phase, Sent};

use super::words::{TOPIC, key_name, name};
use super::{Action, Event, Record, Reply, State};

/// Each send is one call, and a process has one call open at a time. What a new incarnation sends to where it was sent
/// before is the same call to an observer, as a retry is; to another partition it is a call of its own.
fn process(event: Event, partition: u8) -> i64 {
    i64::from(event.producer) * 100 + i64::from(partition) * 10 + i64::from(event.number)
}

/// The call as its producer numbers it.
fn sending(op_type: OpType, event: Event, partition: u8, offset: Option<u8>) -> Op {
    let to = history::Partition::new(TOPIC, u32::from(partition));
    let offset = offset.map(|offset| Offset::of(offset as usize));
    let sent = Sent { partition: to, offset, event: EventId::from(name(event).as_str()) };
    Op::new(process(event, partition), op_type, Call::Send(vec![sent])).key(key_name(event))
}

pub(super) fn ops(before: &State, action: &Action, after: &State) -> Vec<Op> {
    match action {
        Action::Send(event) => {
            let Some(stamp) = after.producers[event.producer as usize].events[event.number as usize].stamp
            else {
                return Vec::new();
            };
            let is_open = before.ghost.sent.contains(&(*event, stamp.partition));
            let mut op = sending(OpType::Invoke, *event, stamp.partition, None);
            op.x.pid = Some(u64::from(event.producer));
            op.x.epoch = Some(u64::from(stamp.epoch));
            op.x.seq = Some(u64::from(stamp.sequence));
            (!is_open).then_some(op).into_iter().collect()
        }
        Action::Acknowledge(Reply { event, partition, offset }) => {
            let is_of_it = |reply: &Reply| (reply.event, reply.partition) == (*event, *partition);
            let is_first = !before.ghost.acknowledged.iter().any(is_of_it);
            let op = sending(OpType::Ok, *event, *partition, *offset);
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
