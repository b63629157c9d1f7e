//! The consumer group's steps and states in words, and as an observer would record them.

use lawspeaker_history as history;
use lawspeaker_history::{
    Batch, Call, Delivery, EventId, Generation, Offset, Op, OpType, Phase, Position, Sent,
};

use super::{
    Action, COMMIT_AFTER_PROCESS, ConsumerGroup, DEDUP, FENCE_COMMIT, FENCE_EFFECT, Hand, KEEP_OFFSETS,
    REVOKE_BARRIER, STOP_ON_FAILURE, State,
};
use crate::engine::Telling;

const TOPIC: &str = "orders";
const GROUP: &str = "billing";

pub(super) const KINDS: &[&str] = &[
    "sync",
    "poll",
    "handle",
    "commit",
    "end-session",
    "restart",
    "fail",
    "crash",
    "timeout",
    "rebalance",
    "expire",
];

pub(super) fn kind(action: &Action) -> &'static str {
    match action {
        Action::Sync(_) => "sync",
        Action::Poll(..) => "poll",
        Action::Handle(_) => "handle",
        Action::Commit(_) => "commit",
        Action::EndSession(_) => "end-session",
        Action::Restart(_) => "restart",
        Action::Fail(_) => "fail",
        Action::Crash(_) => "crash",
        Action::Timeout(_) => "timeout",
        Action::Rebalance(..) => "rebalance",
        Action::Expire(_) => "expire",
    }
}

/// `e1`, or `p2e1` in a second partition.
fn name(partition: u8, offset: u8) -> String {
    if partition == 0 { format!("e{offset}") } else { format!("p{partition}e{offset}") }
}

fn place(partition: u8) -> String {
    format!("{TOPIC}/{partition}")
}

fn hand_name(hand: Hand) -> String {
    name(hand.partition, hand.offset)
}

pub(super) fn tell(model: &ConsumerGroup, before: &State, action: &Action, after: &State) -> Telling {
    let consumer = |member: &u8| format!("consumer {member}");
    let hand = |member: &u8| before.members[*member as usize].hand;
    let in_hand = |member: &u8| hand(member).map(hand_name).unwrap_or_default();
    match action {
        Action::Sync(member) => Telling::new(consumer(member), synced(before, *member, after)),
        Action::Poll(member, partition) => {
            let offset = before.members[*member as usize].positions[*partition as usize];
            let what =
                format!("reads {} at offset {offset} of {}", name(*partition, offset), place(*partition));
            Telling::new(consumer(member), what)
        }
        Action::Handle(member) => Telling::new(consumer(member), handled(model, before, *member)),
        Action::Commit(member) => Telling::new(consumer(member), committed(model, before, *member)),
        Action::EndSession(member) => {
            let heir = given(before, after);
            Telling::new("coordinator", format!("ends the session of consumer {member}, which is gone{heir}"))
        }
        Action::Restart(member) => Telling::new(consumer(member), "STARTS again, with nothing in memory"),
        Action::Fail(member) => {
            let then = if model.guards.has(&STOP_ON_FAILURE) {
                "and will read it again"
            } else {
                "and goes on as if it had not"
            };
            Telling::new(consumer(member), format!("FAILS to process {} {then}", in_hand(member)))
        }
        Action::Crash(member) => {
            let with =
                hand(member).map_or(String::new(), |hand| format!(", with {} in hand", hand_name(hand)));
            Telling::new(consumer(member), format!("CRASHES{with}"))
        }
        Action::Timeout(member) => {
            let what = format!(
                "THROWS OUT consumer {member}, which is slow and does not know{}",
                given(before, after)
            );
            Telling::new("coordinator", what)
        }
        Action::Rebalance(partition, target) => {
            let from = before.targets[*partition as usize];
            let when = if model.guards.has(&REVOKE_BARRIER) { ", once it lets go" } else { ", at once" };
            let what = format!(
                "REBALANCES (generation {}): {} is to go from consumer {from} to consumer {target}{when}",
                after.generation,
                place(*partition)
            );
            Telling::new("coordinator", what)
        }
        Action::Expire(partition) => {
            let kept = model.guards.has(&KEEP_OFFSETS);
            let then = if kept { "and is kept, as the group is in use" } else { "and FORGETS it: back to 0" };
            let committed = before.committed[*partition as usize];
            let what = format!("finds the committed offset {committed} of {} old, {then}", place(*partition));
            Telling::new(
                "coordinator",
                if kept {
                    what.replace("finds", "sees that").replace("old, and is", "is old; it is")
                } else {
                    what
                },
            )
        }
    }
}

/// `; orders/0 goes to consumer 1`, where something changed hands.
fn given(before: &State, after: &State) -> String {
    let moved = |p: &usize| before.owners[*p] != after.owners[*p];
    let moves = (0..before.owners.len()).filter(moved).filter_map(|partition| {
        after.owners[partition].map(|owner| format!("; {} goes to consumer {owner}", place(partition as u8)))
    });
    moves.collect()
}

fn synced(before: &State, number: u8, after: &State) -> String {
    let (was, is) = (&before.members[number as usize], &after.members[number as usize]);
    let mut learns = vec![format!("hears of generation {}", after.generation)];
    if !was.is_counted {
        learns = vec![format!("joins the group, in generation {}", after.generation)];
    }
    for partition in 0..was.owns.len() {
        let place = place(partition as u8);
        match (was.owns[partition], is.owns[partition]) {
            (true, false) => learns.push(format!("lets go of {place}")),
            (false, true) => {
                let from = is.positions[partition];
                let committed = after.committed[partition];
                let stale = if from == committed {
                    String::new()
                } else {
                    format!(", not the committed {committed}")
                };
                learns.push(format!("takes {place} from offset {from}{stale}"));
            }
            _ => {}
        }
    }
    match (was.hand, is.hand) {
        (Some(hand), None) => learns.push(format!("drops {}", hand_name(hand))),
        (Some(hand), Some(_)) if !is.owns[hand.partition as usize] => {
            learns.push(format!("KEEPS {} in hand", hand_name(hand)));
        }
        _ => {}
    }
    learns.join(", ")
}

fn handled(model: &ConsumerGroup, before: &State, number: u8) -> String {
    let Some(hand) = before.members[number as usize].hand else { return String::new() };
    let event = hand_name(hand);
    let is_stale = ConsumerGroup::is_stale(before, number);
    let effects = before.effects[hand.partition as usize][hand.offset as usize];
    let generation = before.members[number as usize].generation;
    match (is_stale, effects) {
        (true, _) if model.guards.has(&FENCE_EFFECT) => {
            format!(
                "processes {event} in generation {generation}: its effect is refused, {} is current",
                before.generation
            )
        }
        (_, 1..) if model.guards.has(&DEDUP) => {
            format!("processes {event}: its effect has happened already, nothing more does")
        }
        (_, 1..) => format!("processes {event}: its effect happens A SECOND TIME"),
        (true, _) => {
            let is_counted = before.members[number as usize].is_counted;
            let unaware = if is_counted { "of the new generation" } else { "that it was thrown out" };
            format!("processes {event}, not knowing {unaware}: its effect happens")
        }
        _ => format!("processes {event}: its effect happens"),
    }
}

fn committed(model: &ConsumerGroup, before: &State, number: u8) -> String {
    let Some(hand) = before.members[number as usize].hand else { return String::new() };
    let next = hand.offset + 1;
    let place = place(hand.partition);
    let generation = before.members[number as usize].generation;
    if is_refused(model, before, number) {
        return format!(
            "commits offset {next} of {place} in generation {generation}: refused, {} is current",
            before.generation
        );
    }
    let was = before.committed[hand.partition as usize];
    let back = if next < was { format!(": it FALLS from {was} to {next}") } else { String::new() };
    let early = hand.is_handled || model.guards.has(&COMMIT_AFTER_PROCESS);
    let early = if early { String::new() } else { format!(", before it processes {}", hand_name(hand)) };
    format!("commits offset {next} of {place}{early}{back}")
}

pub(super) fn picture(state: &State) -> Vec<String> {
    let mut lines = Vec::new();
    for (partition, effects) in state.effects.iter().enumerate() {
        let effect = |(offset, effects): (usize, &u8)| {
            let times = match effects {
                0 => "not processed",
                1 => "processed once",
                _ => "processed twice",
            };
            format!("{offset}:{} {times}", name(partition as u8, offset as u8))
        };
        let effects: Vec<_> = effects.iter().enumerate().map(effect).collect();
        let committed = state.committed[partition];
        lines.push(format!("{}  {}  (committed: {committed})", place(partition as u8), effects.join("  ")));
    }
    let owner = |(partition, owner): (usize, &Option<u8>)| {
        let owner = owner.map_or("nobody".to_owned(), |owner| format!("consumer {owner}"));
        format!("{} belongs to {owner}", place(partition as u8))
    };
    let owners: Vec<_> = state.owners.iter().enumerate().map(owner).collect();
    lines.push(format!("coordinator  {}", owners.join(", ")));
    for (number, member) in state.members.iter().enumerate() {
        let owns: Vec<_> =
            (0..member.owns.len()).filter(|p| member.owns[*p]).map(|p| place(p as u8)).collect();
        let holds = if owns.is_empty() { "nothing".to_owned() } else { owns.join(", ") };
        let status = match (member.is_up, member.is_counted) {
            (false, _) => "is down",
            (true, false) => "was thrown out",
            (true, true) => "is a member",
        };
        lines.push(format!("consumer {number}  {status}, holds {holds}"));
    }
    lines
}

pub(super) fn waits(state: &State) -> Vec<String> {
    let mut lines = Vec::new();
    for (partition, (owner, target)) in (0..).zip(state.owners.iter().zip(&state.targets)) {
        let place = place(partition);
        let end = state.effects[partition as usize].len();
        if (state.committed[partition as usize] as usize) < end {
            let committed = state.committed[partition as usize];
            lines.push(format!("{place} waits to be read on from offset {committed}"));
        }
        let Some(owner) = owner else { continue };
        let member = &state.members[*owner as usize];
        if !member.is_up {
            lines.push(format!(
                "everybody else waits for consumer {owner}, which is down, to let go of {place}"
            ));
        } else if owner != target {
            lines.push(format!("consumer {target} waits for consumer {owner} to let go of {place}"));
        } else if member.positions[partition as usize] as usize >= end {
            lines.push(format!(
                "consumer {owner} waits for new events, believing that it has read all of {place}"
            ));
        }
    }
    lines
}

fn partition_name(partition: u8) -> history::Partition {
    history::Partition::new(TOPIC, u32::from(partition))
}

fn event_id(partition: u8, offset: u8) -> EventId {
    EventId::from(name(partition, offset).as_str())
}

fn record(partition: u8, offset: u8) -> history::Record {
    history::Record { offset: Some(Offset::of(offset as usize)), event: event_id(partition, offset) }
}

/// Whether the coordinator refuses what a member commits.
fn is_refused(model: &ConsumerGroup, before: &State, member: u8) -> bool {
    ConsumerGroup::is_stale(before, member) && model.guards.has(&FENCE_COMMIT)
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
                let op_type = if is_refused(model, before, *member) { OpType::Fail } else { OpType::Ok };
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
