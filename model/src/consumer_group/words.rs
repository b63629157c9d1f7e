//! The consumer group's steps and states in words.

use lawspeaker_history::Op;

use super::{
    Action, COMMIT_AFTER_PROCESS, ConsumerGroup, DEDUP, FENCE_EFFECT, Hand, KEEP_OFFSETS, REVOKE_BARRIER,
    STOP_ON_FAILURE, State, observed,
};
use crate::engine::{Telling, Variables, Words};
use crate::export::variables_of;

pub(super) const TOPIC: &str = "orders";
pub(super) const GROUP: &str = "billing";

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

impl Words for ConsumerGroup {
    fn tell(&self, before: &State, action: &Action, after: &State) -> Telling {
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
            Action::Handle(member) => Telling::new(consumer(member), handled(self, before, *member)),
            Action::Commit(member) => Telling::new(consumer(member), committed(self, before, *member)),
            Action::EndSession(member) => {
                let heir = given(before, after);
                Telling::new(
                    "coordinator",
                    format!("ends the session of consumer {member}, which is gone{heir}"),
                )
            }
            Action::Restart(member) => Telling::new(consumer(member), "STARTS again, with nothing in memory"),
            Action::Fail(member) => {
                let then = if self.guards.has(&STOP_ON_FAILURE) {
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
                let when = if self.guards.has(&REVOKE_BARRIER) { ", once it lets go" } else { ", at once" };
                let what = format!(
                    "REBALANCES (generation {}): {} is to go from consumer {from} to consumer {target}{when}",
                    after.generation,
                    place(*partition)
                );
                Telling::new("coordinator", what)
            }
            Action::Expire(partition) => {
                let kept = self.guards.has(&KEEP_OFFSETS);
                let then =
                    if kept { "and is kept, as the group is in use" } else { "and FORGETS it: back to 0" };
                let committed = before.committed[*partition as usize];
                let what =
                    format!("finds the committed offset {committed} of {} old, {then}", place(*partition));
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

    fn picture(&self, state: &State) -> Vec<String> {
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
            lines.push(format!(
                "{}  {}  (committed: {committed})",
                place(partition as u8),
                effects.join("  ")
            ));
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

    fn variables(&self, state: &State) -> Variables {
        variables_of(state)
    }

    fn waits(&self, state: &State) -> Vec<String> {
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

    fn opening_ops(&self, state: &State) -> Vec<Op> {
        observed::opening_ops(state)
    }

    fn ops(&self, before: &State, action: &Action, after: &State) -> Vec<Op> {
        observed::ops(self, before, action, after)
    }

    fn closing_ops(&self, state: &State) -> Vec<Op> {
        observed::closing_ops(state)
    }
}

/// `e1`, or `p2e1` in a second partition.
pub(super) fn name(partition: u8, offset: u8) -> String {
    if partition == 0 { format!("e{offset}") } else { format!("p{partition}e{offset}") }
}

fn place(partition: u8) -> String {
    format!("{TOPIC}/{partition}")
}

fn hand_name(hand: Hand) -> String {
    name(hand.partition, hand.offset)
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
    if model.refuses_commit(before, number) {
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
