//! The consumer group's steps as an observer of a running group would record them.

use lawspeaker_history as history;
use lawspeaker_history::{
    Batch, Call, Delivery, EventId, Generation, Offset, Op, OpType, Phase, Position, Sent,
};

use super::words::{GROUP, TOPIC, name};
use super::{Action, ConsumerGroup, Hand, State};

fn partition_name(partition: u8) -> history::Partition {
    history::Partition::new(TOPIC, u32::from(partition))
}

fn event_id(partition: u8, offset: u8) -> EventId {
    EventId::from(name(partition, offset).as_str())
}

fn record(partition: u8, offset: u8) -> history::Record {
    history::Record { offset: Some(Offset::of(offset as usize)), event: event_id(partition, offset) }
}

pub(super) fn ops(model: &ConsumerGroup, before: &State, action: &Action, after: &State) -> Vec<Op> {
    let mut ops = called(model, before, action, after);
    if let Action::Handle(member) | Action::Commit(member) | Action::Fail(member) = action {
        ops.extend(sought(before, *member, after));
    }
    ops
}

/// A member that puts an event back reads from its offset again.
fn sought(before: &State, member: u8, after: &State) -> Option<Op> {
    let hand = before.members[member as usize].hand?;
    let position = after.members[member as usize].positions[hand.partition as usize];
    let value = serde_json::json!({partition_name(hand.partition).as_str(): position});
    let seek = Call::Other { f: "seek".to_owned(), value };
    (position == hand.offset).then(|| Op::new(i64::from(member), OpType::Ok, seek).group(GROUP))
}

fn called(model: &ConsumerGroup, before: &State, action: &Action, after: &State) -> Vec<Op> {
    let op = |member: u8, call| {
        let generation = Generation(u64::from(after.members[member as usize].generation));
        Op::new(i64::from(member), OpType::Ok, call).group(GROUP).generation(generation)
    };
    match action {
        Action::Sync(member) => {
            let (was, is) = (&before.members[*member as usize], &after.members[*member as usize]);
            let changed = |lost: bool| -> Vec<history::Partition> {
                let changed = |p: &usize| was.owns[*p] == lost && is.owns[*p] != lost;
                (0..was.owns.len()).filter(changed).map(|p| partition_name(p as u8)).collect()
            };
            let revoked = Some(changed(true)).filter(|lost| !lost.is_empty()).map(Call::Revoke);
            let assigned = Some(changed(false)).filter(|got| !got.is_empty()).map(Call::Assign);
            revoked.into_iter().chain(assigned).map(|call| op(*member, call)).collect()
        }
        Action::Poll(member, partition) => {
            let offset = before.members[*member as usize].positions[*partition as usize];
            let records = vec![record(*partition, offset)];
            vec![op(*member, Call::Poll(vec![Batch { partition: partition_name(*partition), records }]))]
        }
        Action::Commit(member) => {
            let commit = |hand: Hand| {
                let next = Some(Offset::of(hand.offset as usize + 1));
                let call = Call::Commit(vec![Position { partition: partition_name(hand.partition), next }]);
                let op_type = if model.refuses_commit(before, *member) { OpType::Fail } else { OpType::Ok };
                Op { op_type, ..op(*member, call) }
            };
            before.members[*member as usize].hand.map(commit).into_iter().collect()
        }
        Action::Crash(member) => vec![Op { op_type: OpType::Info, ..op(*member, Call::Crash) }],
        Action::Handle(member) if after.effects != before.effects => {
            let apply = |hand: Hand| {
                let (partition, offset) = (partition_name(hand.partition), Offset::of(hand.offset as usize));
                let event = Some(event_id(hand.partition, hand.offset));
                op(*member, Call::Apply(vec![Delivery { partition, offset: Some(offset), event }]))
            };
            before.members[*member as usize].hand.map(apply).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

pub(super) fn closing_ops(state: &State) -> Vec<Op> {
    let whole = |partition: u8| Batch {
        partition: partition_name(partition),
        records: (0..state.effects[partition as usize].len() as u8)
            .map(|offset| record(partition, offset))
            .collect(),
    };
    let batches = (0..state.effects.len() as u8).map(whole).collect();
    let position = |(partition, committed): (usize, &u8)| Position {
        partition: partition_name(partition as u8),
        next: Some(Offset::of(*committed as usize)),
    };
    let positions = state.committed.iter().enumerate().map(position).collect();
    vec![
        Op::new("observer", OpType::Ok, Call::Committed(positions)).group(GROUP),
        Op::new(1000, OpType::Ok, Call::Poll(batches)).phase(Phase::Final),
    ]
}

/// The log was written before the group began, and the members hold what they were given at first.
pub(super) fn opening_ops(state: &State) -> Vec<Op> {
    let mut ops = Vec::new();
    for (partition, effects) in state.effects.iter().enumerate() {
        let partition = partition as u8;
        for offset in 0..effects.len() as u8 {
            let sent = |at| {
                let event = event_id(partition, offset);
                Call::Send(vec![Sent { partition: partition_name(partition), offset: at, event }])
            };
            ops.push(Op::new(900, OpType::Invoke, sent(None)));
            ops.push(Op::new(900, OpType::Ok, sent(Some(Offset::of(offset as usize)))));
        }
    }
    for (number, member) in state.members.iter().enumerate() {
        let owned =
            (0..member.owns.len()).filter(|p| member.owns[*p]).map(|p| partition_name(p as u8)).collect();
        let generation = Generation(u64::from(member.generation));
        ops.push(Op::new(number as i64, OpType::Ok, Call::Assign(owned)).group(GROUP).generation(generation));
    }
    ops
}
