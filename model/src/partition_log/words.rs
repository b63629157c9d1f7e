//! The partition log's steps and states in words.

use lawspeaker_history::Op;

use super::{Action, Event, GARBAGE, PartitionLog, Record, Request, State, Verdict, key, observed};
use crate::engine::{Telling, Variables, Words};
use crate::export::variables_of;
use crate::guard::Guards;
use crate::partition_log::guards::FSYNC_BEFORE_ACK;

pub(super) const TOPIC: &str = "orders";

pub(super) const KINDS: &[&str] = &[
    "send",
    "retry",
    "handle",
    "flush",
    "acknowledge",
    "lose-request",
    "lose-reply",
    "duplicate",
    "damage",
    "crash",
    "restart",
    "grow",
];

pub(super) fn kind(action: &Action) -> &'static str {
    match action {
        Action::Send(_) => "send",
        Action::Retry(_) => "retry",
        Action::Handle(_) => "handle",
        Action::Flush(_) => "flush",
        Action::Acknowledge(_) => "acknowledge",
        Action::LoseRequest(_) => "lose-request",
        Action::LoseReply(_) => "lose-reply",
        Action::Duplicate(_) => "duplicate",
        Action::Damage(_) => "damage",
        Action::Crash => "crash",
        Action::Restart(_) => "restart",
        Action::Grow => "grow",
    }
}

impl Words for PartitionLog {
    fn tell(&self, before: &State, action: &Action, after: &State) -> Telling {
        let producer = |event: &Event| format!("producer {}", event.producer);
        match action {
            Action::Send(event) => {
                Telling::new(producer(event), format!("sends {}", addressed(after, *event)))
            }
            Action::Retry(event) => {
                let again = addressed(before, *event);
                Telling::new(
                    producer(event),
                    format!("has heard nothing of {} and sends it again: {again}", name(*event)),
                )
            }
            Action::Handle(request) => Telling::new("broker", handled(self, before, request, after)),
            Action::Flush(partition) => Telling::new("broker", flushed(self.guards, before, *partition)),
            Action::Acknowledge(reply) => {
                let at = reply.offset.map_or(String::new(), |offset| format!(" at offset {offset}"));
                let what =
                    format!("is told that {} stands in {}{at}", name(reply.event), place(reply.partition));
                Telling::new(producer(&reply.event), what)
            }
            Action::LoseRequest(request) => {
                Telling::new("link", format!("LOSES the request with {}", name(request.event)))
            }
            Action::LoseReply(reply) => {
                Telling::new("link", format!("LOSES the acknowledgement of {}", name(reply.event)))
            }
            Action::Duplicate(request) => {
                Telling::new("link", format!("DUPLICATES the request with {}", name(request.event)))
            }
            Action::Damage(request) => {
                Telling::new("link", format!("DAMAGES the request with {}", name(request.event)))
            }
            Action::Crash => Telling::new("broker", crashed(self, before)),
            Action::Restart(number) => {
                Telling::new(format!("producer {number}"), restarted(before, *number, after))
            }
            Action::Grow => Telling::new(
                "operator",
                format!("ADDS a partition: {TOPIC} now has {}", after.partitions.len()),
            ),
        }
    }

    fn picture(&self, state: &State) -> Vec<String> {
        let entry = |(offset, record): (usize, &Record)| format!("{offset}:{}", name(record.event));
        let mut lines: Vec<String> = Vec::new();
        for (number, partition) in state.partitions.iter().enumerate() {
            let log: Vec<_> = partition.log.iter().enumerate().map(entry).collect();
            let log = if log.is_empty() { "empty".to_owned() } else { log.join("  ") };
            lines.push(format!("{}  {log}  (on disk: {})", place(number as u8), partition.durable));
        }
        let mut acknowledged: Vec<_> =
            state.ghost.acknowledged.iter().map(|reply| name(reply.event)).collect();
        acknowledged.dedup();
        let acknowledged =
            if acknowledged.is_empty() { "nothing".to_owned() } else { acknowledged.join(", ") };
        lines.push(format!("acknowledged  {acknowledged}"));
        lines
    }

    fn variables(&self, state: &State) -> Variables {
        variables_of(state)
    }

    fn waits(&self, state: &State) -> Vec<String> {
        let mut lines = Vec::new();
        for (number, producer) in (0..).zip(&state.producers) {
            for (place, progress) in (0..).zip(&producer.events) {
                let event = name(Event { producer: number, number: place });
                match (progress.is_acknowledged, progress.stamp) {
                    (true, _) => {}
                    (false, Some(_)) => {
                        lines.push(format!("producer {number} waits for the acknowledgement of {event}"));
                    }
                    (false, None) => lines.push(format!("{event} waits for its turn")),
                }
            }
        }
        lines
    }

    fn opening_ops(&self, _: &State) -> Vec<Op> {
        Vec::new()
    }

    fn ops(&self, before: &State, action: &Action, after: &State) -> Vec<Op> {
        observed::ops(before, action, after)
    }

    fn closing_ops(&self, state: &State) -> Vec<Op> {
        observed::closing_ops(state)
    }
}

/// `e1`, or `p2e1` for a second producer.
pub(super) fn name(event: Event) -> String {
    match event {
        GARBAGE => "garbage".to_owned(),
        Event { producer: 0, number } => format!("e{number}"),
        Event { producer, number } => format!("p{producer}e{number}"),
    }
}

fn place(partition: u8) -> String {
    format!("{TOPIC}/{partition}")
}

pub(super) fn key_name(event: Event) -> char {
    char::from(b'a' + key(event))
}

/// `e0 (key a) to orders/0, as number 0 of incarnation 0`.
fn addressed(state: &State, event: Event) -> String {
    let stamp = state.producers[event.producer as usize].events[event.number as usize].stamp;
    let Some(stamp) = stamp else { return name(event) };
    let incarnation =
        if stamp.epoch > 0 { format!(" of incarnation {}", stamp.epoch) } else { String::new() };
    let key = key_name(event);
    format!(
        "{} (key {key}) to {}, sequence {}{incarnation}",
        name(event),
        place(stamp.partition),
        stamp.sequence
    )
}

fn handled(model: &PartitionLog, before: &State, request: &Request, after: &State) -> String {
    let event = name(request.event);
    let at = place(request.stamp.partition);
    match model.judge(before, request) {
        Verdict::Append => {
            let log = &after.partitions[request.stamp.partition as usize].log;
            let appended = log.last().map_or(String::new(), |record| name(record.event));
            let is_former = request.stamp.epoch < before.producers[request.event.producer as usize].epoch;
            let former = if is_former { " of the former incarnation" } else { "" };
            let early = if model.guards.has(&FSYNC_BEFORE_ACK) {
                ""
            } else {
                ", and acknowledges it before any sync"
            };
            format!("appends {appended}{former} to {at} at offset {}{early}", log.len() - 1)
        }
        Verdict::Damaged => format!("refuses the request with {event}: its checksum does not fit"),
        Verdict::Fenced => {
            let current = before.producers[request.event.producer as usize].epoch;
            format!(
                "refuses {event} of incarnation {}: incarnation {current} has taken over",
                request.stamp.epoch
            )
        }
        Verdict::Duplicate(Some(offset)) => {
            format!("has {event} already, at offset {offset} of {at}: no second append")
        }
        Verdict::Duplicate(None) => {
            format!(
                "takes {event} for a repeat, as sequence {} is behind it: acknowledges, appends nothing",
                request.stamp.sequence
            )
        }
        Verdict::Gap { expected } => {
            format!("refuses {event}: sequence {} came, {expected} is next", request.stamp.sequence)
        }
    }
}

fn flushed(guards: Guards, before: &State, partition: u8) -> String {
    let of = &before.partitions[partition as usize];
    let events: Vec<_> = of.log.iter().skip(of.durable as usize).map(|record| name(record.event)).collect();
    let acknowledges = if guards.has(&FSYNC_BEFORE_ACK) { " and acknowledges it" } else { "" };
    format!("syncs {} of {} to disk{acknowledges}", events.join(", "), place(partition))
}

fn crashed(model: &PartitionLog, before: &State) -> String {
    let unsynced = |(number, partition): (usize, &super::Partition)| {
        let gone: Vec<_> =
            partition.log.iter().skip(partition.durable as usize).map(|r| name(r.event)).collect();
        (!gone.is_empty()).then(|| format!("{} of {} is gone", gone.join(", "), place(number as u8)))
    };
    let gone: Vec<_> = before.partitions.iter().enumerate().filter_map(unsynced).collect();
    let lost = if gone.is_empty() { "nothing unsynced is lost".to_owned() } else { gone.join(", ") };
    let forgets =
        if model.guards.has(&super::KEEP_PRODUCER_STATE) { "" } else { "; it forgets its producers" };
    format!("LOSES POWER and starts again: {lost}{forgets}")
}

fn restarted(before: &State, number: u8, after: &State) -> String {
    let epoch = after.producers[number as usize].epoch;
    let was = &before.producers[number as usize].events;
    let learnt = after.producers[number as usize].events.iter().zip(was).enumerate();
    let learnt: Vec<_> = learnt
        .filter(|(_, (now, was))| now.is_acknowledged && !was.is_acknowledged)
        .map(|(place, _)| name(Event { producer: number, number: place as u8 }))
        .collect();
    let told = if learnt.is_empty() {
        String::new()
    } else {
        format!(", and is told that {} is stored", learnt.join(", "))
    };
    format!("RESTARTS as incarnation {epoch}{told}")
}
