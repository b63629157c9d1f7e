//! What must hold of the log, and what must happen lest it hold for want of anything happening.

use lawspeaker_history::Guarantee;

use super::{Action, Event, Partition, PartitionLog, Record, Reply, State, Verdict, hashed, key};
use crate::engine::{Law, System, When, Witness};

pub(super) fn laws() -> Vec<Law<PartitionLog>> {
    use Guarantee::{
        AtLeastOnce, Durability, KeyOrder, NoCreation, NoDeadlock, NoDuplication, ProducerOrder, TotalLog,
    };
    let law = |guarantee, says, holds| Law { guarantee, when: When::Always, says, holds };
    vec![
        law(NoCreation, "every entry of a partition was sent to it", no_creation),
        law(NoDuplication, "no event stands at two offsets", no_duplication),
        law(
            ProducerOrder,
            "a producer's events stand in a partition in the order of sending",
            producer_order,
        ),
        law(KeyOrder, "the events of one key stand in one partition", key_order),
        law(TotalLog, "an acknowledged offset never holds another event", total_log),
        law(Durability, "every acknowledged event is in the log", durability),
        Law {
            guarantee: NoDeadlock,
            when: When::Quiescent,
            says: "when nothing but faults can happen any more, everything sent is acknowledged",
            holds: |model, state| model.is_done(state),
        },
        Law {
            guarantee: AtLeastOnce,
            when: When::Eventually,
            says: "in the end, every event of every producer is acknowledged",
            holds: |model, state| model.is_done(state),
        },
    ]
}

pub(super) fn witnesses() -> Vec<Witness<PartitionLog>> {
    let witness = |says, is_met| Witness { says, is_met };
    vec![
        witness("everything is acknowledged", |model: &PartitionLog, _, _, after| model.is_done(after)),
        witness("a repeated request is not appended again", |model, before, action, _| {
            model.answers(before, action, |verdict| matches!(verdict, Verdict::Duplicate(Some(_))))
        }),
        witness("a request that overtook another is refused", |model, before, action, _| {
            model.answers(before, action, |verdict| matches!(verdict, Verdict::Gap { .. }))
        }),
        witness("a repeat is recognised after a loss of power", |model, before, action, _| {
            let has_crashed = before.budget.crashes < model.bounds.crashes;
            has_crashed
                && model.answers(before, action, |verdict| matches!(verdict, Verdict::Duplicate(Some(_))))
        }),
        witness("a key stays in its partition although the topic has grown", |model, before, action, _| {
            let elsewhere = |event| model.partition_for(before, event) != hashed(before, event);
            matches!(action, Action::Send(event) if elsewhere(*event))
        }),
        witness("a damaged request is refused", |model, before, action, _| {
            model.answers(before, action, |verdict| verdict == Verdict::Damaged)
        }),
        witness("a request of a former incarnation is refused", |model, before, action, _| {
            model.answers(before, action, |verdict| verdict == Verdict::Fenced)
        }),
        witness("power is lost before a sync", |_, before, action, _| {
            let has_unsynced = |p: &Partition| p.log.len() > p.durable as usize;
            *action == Action::Crash && before.partitions.iter().any(has_unsynced)
        }),
        witness("two partitions hold events", |_, _, _, after| {
            after.partitions.iter().filter(|partition| !partition.log.is_empty()).count() > 1
        }),
    ]
}

fn no_creation(_: &PartitionLog, state: &State) -> bool {
    let was_sent =
        |event: Event, partition: usize| state.ghost.sent.binary_search(&(event, partition as u8)).is_ok();
    state
        .partitions
        .iter()
        .enumerate()
        .all(|(number, p)| p.log.iter().all(|record| was_sent(record.event, number)))
}

fn no_duplication(_: &PartitionLog, state: &State) -> bool {
    let mut events: Vec<Event> =
        state.partitions.iter().flat_map(|p| &p.log).map(|record| record.event).collect();
    events.sort_unstable();
    events.windows(2).all(|pair| pair[0] != pair[1])
}

/// The first occurrences in a log, in order.
fn firsts(log: &[Record]) -> impl Iterator<Item = Event> + Clone {
    let is_first = |place: usize, event: Event| log[..place].iter().all(|earlier| earlier.event != event);
    log.iter()
        .enumerate()
        .filter(move |(place, record)| is_first(*place, record.event))
        .map(|(_, record)| record.event)
}

fn producer_order(_: &PartitionLog, state: &State) -> bool {
    let in_order =
        |later: Event, earlier: Event| later.producer != earlier.producer || earlier.number < later.number;
    state.partitions.iter().all(|partition| {
        let firsts = firsts(&partition.log);
        firsts
            .clone()
            .enumerate()
            .all(|(place, later)| firsts.clone().take(place).all(|earlier| in_order(later, earlier)))
    })
}

/// Events of one key stand in one partition; that they stand in send order there is producer order.
fn key_order(_: &PartitionLog, state: &State) -> bool {
    let all = || {
        state
            .partitions
            .iter()
            .enumerate()
            .flat_map(|(n, p)| p.log.iter().map(move |record| (n, record.event)))
    };
    let same_key = |a: Event, b: Event| a.producer == b.producer && key(a) == key(b);
    all().all(|(here, a)| all().all(|(there, b)| here == there || !same_key(a, b) || a == b))
}

fn total_log(_: &PartitionLog, state: &State) -> bool {
    state.ghost.acknowledged.iter().all(|reply| {
        let log = &state.partitions[reply.partition as usize].log;
        let stands = reply.offset.and_then(|offset| log.get(offset as usize));
        stands.is_none_or(|record| record.event == reply.event)
    })
}

fn durability(_: &PartitionLog, state: &State) -> bool {
    let stands =
        |reply: &Reply| state.partitions[reply.partition as usize].log.iter().any(|r| r.event == reply.event);
    state.ghost.acknowledged.iter().all(stands)
}
