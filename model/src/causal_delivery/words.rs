//! Causal delivery's steps and states in words.

use lawspeaker_history::Op;

use super::number::all;
use super::{
    Action, CausalDelivery, EventNumber, Number, Partition, Service, Set, State, WAIT_FOR_CAUSE, observed,
};
use crate::engine::{Telling, Variables, Words};

/// What the model teaches, for `lawspeaker explain`.
pub const TRADE: &str = "\
Logs that are appended to without waiting can stand in an order in which no causal reader can read them: each log
is blocked by an event whose cause stands behind a blocked event of the other. A reader then has three ways out:
  deliver a log out of order    breaks partition-order   --without ack-barrier --without head-of-line
  put the event aside           breaks at-least-once     --without ack-barrier --without wait-for-cause
  deliver it before its cause   breaks causal-delivery   --without ack-barrier --without check-deps
or waits for ever               breaks no-deadlock       --without ack-barrier
Nothing is traded where producers wait: no send to another partition before the last one is acknowledged.
";

const KINDS: &[&str] = &["emit", "append", "deliver", "drop"];

/// The kinds of actions that can happen: while every service waits, nothing is dropped.
pub(super) fn kinds(model: &CausalDelivery) -> &'static [&'static str] {
    if model.guards.has(&WAIT_FOR_CAUSE) { &KINDS[..3] } else { KINDS }
}

pub(super) fn kind(action: &Action) -> &'static str {
    match action {
        Action::Emit(..) => "emit",
        Action::Append(..) => "append",
        Action::Deliver(..) => "deliver",
        Action::Drop(..) => "drop",
    }
}

impl Words for CausalDelivery {
    fn tell(&self, before: &State, action: &Action, after: &State) -> Telling {
        match action {
            Action::Emit(service, partition, deps) => {
                let event = EventNumber::new(before.emitted.len() as u8);
                let causes = caused_by(after, event, *deps);
                Telling::new(service.to_string(), format!("emits {event} to {partition}{causes}"))
            }
            Action::Append(event, partition) => {
                Telling::new(format!("log {partition}"), appended(before, *event, *partition))
            }
            Action::Deliver(service, event) => {
                Telling::new(service.to_string(), delivered(self, before, *service, *event))
            }
            Action::Drop(service, event) => {
                let missing = names(self.missing(before, *service, *event));
                let partition = before.event(*event).to;
                Telling::new(
                    service.to_string(),
                    format!("GIVES UP {event} of {partition}, tired of waiting for {missing}"),
                )
            }
        }
    }

    fn picture(&self, state: &State) -> Vec<String> {
        let mut lines = Vec::new();
        for partition in all::<Partition>(self.bounds.partitions) {
            lines.push(format!(
                "log {partition}      {}",
                list(state.logs[partition.index()].iter().copied())
            ));
        }
        for service in all::<Service>(self.bounds.services) {
            let mut line = format!("{service}  delivered {}", list(state.delivered[service.index()].iter()));
            let own = state.own(service);
            if !own.is_empty() {
                line += &format!(", emitted {}", names(own));
            }
            for partition in all::<Partition>(self.bounds.partitions) {
                if !state.subscribed[service.index()].has(partition) {
                    line += &format!(", does not read {partition}");
                }
            }
            lines.push(line);
        }
        lines
    }

    fn variables(&self, state: &State) -> Variables {
        match serde_json::to_value(state) {
            Ok(serde_json::Value::Object(variables)) => variables,
            _ => Variables::new(),
        }
    }

    fn waits(&self, state: &State) -> Vec<String> {
        // Where some are stuck for good, those who can still go on are beside the point.
        let is_stuck = |service: &Service| self.is_stuck(state, *service);
        let any_stuck = all(self.bounds.services).any(|service| is_stuck(&service));
        let mut lines = Vec::new();
        for service in all(self.bounds.services).filter(|service| !any_stuck || is_stuck(service)) {
            for partition in all::<Partition>(self.bounds.partitions) {
                let Some(head) = state.unread(service, partition).next() else { continue };
                let missing = self.missing(state, service, head);
                if !missing.is_empty() {
                    let places: Vec<_> =
                        missing.iter().map(|cause| place(self, state, service, cause)).collect();
                    lines.push(format!(
                        "{service} waits in {partition}: {head} must come after {}",
                        places.join(" and ")
                    ));
                }
            }
        }
        lines
    }

    fn opening_ops(&self, state: &State) -> Vec<Op> {
        observed::opening_ops(self, state)
    }

    fn ops(&self, before: &State, action: &Action, after: &State) -> Vec<Op> {
        observed::ops(before, action, after)
    }

    fn closing_ops(&self, state: &State) -> Vec<Op> {
        observed::closing_ops(state)
    }
}

/// `e1, e2 and e3`.
fn names(events: Set<EventNumber>) -> String {
    let names: Vec<_> = events.iter().map(|event| event.to_string()).collect();
    match names.as_slice() {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// `⟨e4, e1⟩`.
fn list(events: impl Iterator<Item = EventNumber>) -> String {
    let names: Vec<_> = events.map(|event| event.to_string()).collect();
    format!("⟨{}⟩", names.join(", "))
}

/// What an event names as its causes, and what it conceals.
fn caused_by(state: &State, event: EventNumber, deps: Set<EventNumber>) -> String {
    let concealed = state.ghost.past[event.index()].minus(deps);
    match (deps.is_empty(), concealed.is_empty()) {
        (true, true) => String::new(),
        (_, true) => format!(", caused by {}", names(deps)),
        (_, false) => format!(", naming {} as its cause, and NOT {}", names(deps), names(concealed)),
    }
}

fn appended(before: &State, event: EventNumber, partition: Partition) -> String {
    let sent_to = before.event(event).to;
    let offset = before.logs[partition.index()].len();
    let mut what = format!("takes {event} at offset {offset}");
    if before.is_appended(event) {
        what += ", A SECOND TIME";
    } else if sent_to != partition {
        what += &format!(", which was SENT TO {sent_to}");
    } else {
        let by = before.event(event).by;
        let overtaken: Set<_> = before
            .own(by)
            .iter()
            .filter(|earlier| *earlier < event && !before.is_appended(*earlier))
            .collect();
        if !overtaken.is_empty() {
            what += &format!(", while {} of {by} is still on its way", names(overtaken));
        }
    }
    what
}

fn delivered(model: &CausalDelivery, before: &State, service: Service, event: EventNumber) -> String {
    let partition = before.event(event).to;
    let known = before.known(service);
    let mut what = format!("delivers {event} of {partition}");
    let lacking = before.ghost.past[event.index()].minus(known);
    let (unread, unsubscribed): (Vec<_>, Vec<_>) =
        lacking.iter().partition(|cause| before.is_subscribed(service, *cause));
    if !unread.is_empty() {
        what += &format!(", BEFORE its cause {}", names(unread.into_iter().collect()));
    }
    if !unsubscribed.is_empty() {
        let causes = names(unsubscribed.into_iter().collect());
        what += &format!(", not waiting for {causes}, which it does not read");
    }
    let ahead: Set<_> = before.unread(service, partition).take_while(|ahead| *ahead != event).collect();
    if !ahead.is_empty() {
        let waiting: Set<_> = ahead
            .iter()
            .flat_map(|ahead| model.missing(before, service, ahead).iter().collect::<Vec<_>>())
            .collect();
        what += &format!(" AHEAD of {}, which waits for {}", names(ahead), names(waiting));
    }
    what
}

/// A cause that a service waits for, and where it is.
fn place(model: &CausalDelivery, state: &State, service: Service, cause: EventNumber) -> String {
    let Some(partition) = all::<Partition>(model.bounds.partitions)
        .find(|partition| state.logs[partition.index()].contains(&cause))
    else {
        return format!("{cause}, which is in no log");
    };
    if !state.is_subscribed(service, cause) {
        return format!("{cause}, which stands in {partition}, and that it does not read");
    }
    match state.unread(service, partition).next() {
        Some(head) if head != cause => format!("{cause}, which stands in {partition} behind {head}"),
        _ => format!("{cause}, which stands in {partition}"),
    }
}
