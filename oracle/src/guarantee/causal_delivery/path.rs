//! From a cause to its effect, hop by hop, in words.

use std::collections::{HashSet, VecDeque};

use super::consumer::Consumers;
use super::inversion::Inversion;
use super::message::Messages;
use super::timeline::Delivery;
use crate::case::{Found, Line};
use crate::evidence::{EventKey, Evidence, Key, ProcessKey};

/// How many hops of a path are told.
const HOPS_TOLD: usize = 8;

/// What leads from one event to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hop {
    /// One process sent both.
    Session,
    /// It was delivered on this line to the process that then sent the next.
    Delivered(u64),
    /// The next one names it as a direct cause.
    Named,
    /// Its recorded clock is below that of the next.
    Clock,
    /// Nobody looked for the way.
    Somehow,
}

/// Events from cause to effect, each but the last with the hop to the next.
pub(super) type Path = Vec<(EventKey, Hop)>;

/// Finds the shortest way from a cause to its effect through sessions and deliveries. O(deliveries).
pub(super) struct Finder<'a> {
    messages: &'a Messages,
    consumers: &'a Consumers,
    by_process: Vec<Vec<(u64, EventKey)>>,
}

impl<'a> Finder<'a> {
    pub(super) fn of(
        evidence: &Evidence,
        messages: &'a Messages,
        consumers: &'a Consumers,
        deliveries: &[Delivery],
    ) -> Self {
        let mut by_process = vec![Vec::new(); evidence.names.processes.len()];
        for delivery in deliveries.iter().filter(|delivery| delivery.is_certain) {
            by_process[delivery.process.place()].push((delivery.line, delivery.event));
        }
        Finder { messages, consumers, by_process }
    }

    /// The way from `cause` to `effect`, without the effect itself.
    pub(super) fn path(&self, cause: EventKey, effect: EventKey) -> Path {
        let mut next: Vec<Option<(EventKey, u64)>> = vec![None; self.messages.event_count()];
        let mut expanded = vec![0; self.by_process.len()];
        let mut queue = VecDeque::from([effect]);
        let mut seen = HashSet::from([effect]);
        while let Some(event) = queue.pop_front() {
            if let Some(hop) = self.hop(cause, event) {
                let mut path = vec![(cause, hop)];
                let mut at = event;
                while let Some((after, line)) = next[at.place()] {
                    path.push((at, Hop::Delivered(line)));
                    at = after;
                }
                return path;
            }
            let Some(call) = self.messages.call_of(event) else { continue };
            let sent = &self.messages.calls[call];
            let received = &self.by_process[sent.process.place()];
            let expanded = &mut expanded[sent.process.place()];
            while let Some((line, before)) = received.get(*expanded).filter(|(line, _)| *line < sent.begin) {
                *expanded += 1;
                if seen.insert(*before) {
                    next[before.place()] = Some((event, *line));
                    queue.push_back(*before);
                }
            }
        }
        vec![(cause, Hop::Somehow)]
    }

    /// The hop that leads straight from `cause` to `event`.
    pub(super) fn hop(&self, cause: EventKey, event: EventKey) -> Option<Hop> {
        let (earlier, later) = (self.messages.call_of(cause)?, self.messages.call_of(event)?);
        let (earlier_sent, sent) = (&self.messages.calls[earlier], &self.messages.calls[later]);
        if earlier_sent.process == sent.process && earlier < later {
            return Some(Hop::Session);
        }
        let read = self.consumers.first(sent.process, cause)?;
        (read < sent.begin).then_some(Hop::Delivered(read))
    }
}

/// Tells inversions.
pub(super) struct Teller<'a> {
    pub evidence: &'a Evidence,
    pub messages: &'a Messages,
}

impl Teller<'_> {
    /// An inversion as a case, with the path that makes one event the cause of the other.
    pub(super) fn tell(&self, inversion: &Inversion, path: &Path) -> Found {
        let names = &self.evidence.names;
        let Inversion { consumer, cause, effect, effect_line, .. } = *inversion;
        let (process, partition) = (&names.processes[consumer], &names.partitions[inversion.partition]);
        let (cause_name, effect_name) = (&names.events[cause], &names.events[effect]);
        let end = match inversion.cause_line {
            Some(line) => format!(
                "process {process} was delivered event {effect_name} (line {effect_line}) before event {cause_name} \
                 (line {line})"
            ),
            None => format!(
                "process {process}, which reads {partition}, was delivered event {effect_name} (line {effect_line}) and \
                 never event {cause_name}"
            ),
        };
        let mut lines = self.lines(path, effect);
        lines.push(self.delivered(consumer, effect, effect_line));
        lines.extend(inversion.cause_line.map(|line| self.delivered(consumer, cause, line)));
        lines.sort_by_key(|line| line.line);
        lines.dedup();
        let involved = path.iter().map(|(event, _)| *event).filter(|event| *event != cause);
        Found::new(inversion.anomaly, format!("{}; {end}", self.way(path, effect)), lines)
            .at(inversion.partition, None)
            .event(cause)
            .involving(involved)
            .involving([effect])
            .process(process)
    }

    /// The path as one clause.
    pub(super) fn way(&self, path: &Path, effect: EventKey) -> String {
        let names = &self.evidence.names;
        let mut text = String::new();
        let nexts = path.iter().skip(1).map(|(event, _)| *event).chain([effect]);
        for (place, ((event, hop), next)) in path.iter().zip(nexts).enumerate() {
            if place == 0 {
                text +=
                    &format!("event {} was sent by process {}", names.events[*event], self.sender(*event));
            } else if place == HOPS_TOLD {
                let more = crate::explain::counted(path.len() - HOPS_TOLD, "more hop");
                return format!("{text}, and by {more} to event {}", names.events[effect]);
            }
            let (next_name, next_line) = (&names.events[next], self.line(next));
            let line = if place == 0 { format!(" (line {})", self.line(*event)) } else { String::new() };
            let sender = self.sender(next);
            text += &match hop {
                Hop::Session => format!("{line}, which then sent event {next_name} (line {next_line})"),
                Hop::Delivered(read) => format!(
                    "{line}, delivered to process {sender} (line {read}), which sent event {next_name} (line {next_line})"
                ),
                Hop::Named => {
                    format!(
                        "{line}, a recorded cause of event {next_name} of process {sender} (line {next_line})"
                    )
                }
                Hop::Clock => format!(
                    " at {} (line {}), which is before {}, at which process {sender} sent event {next_name} (line {next_line})",
                    self.clock(*event),
                    self.line(*event),
                    self.clock(next),
                ),
                Hop::Somehow => format!(
                    "{line}, and its news had come to process {sender} when that sent event {next_name} (line {next_line})"
                ),
            };
        }
        text
    }

    /// The lines of the path, effect included.
    pub(super) fn lines(&self, path: &Path, effect: EventKey) -> Vec<Line> {
        let mut lines: Vec<Line> = Vec::new();
        let nexts = path.iter().skip(1).map(|(event, _)| *event).chain([effect]);
        for ((event, hop), next) in path.iter().zip(nexts) {
            lines.push(self.sent(*event));
            if let (Hop::Delivered(line), Some(call)) = (hop, self.messages.call_of(next)) {
                lines.push(self.delivered(self.messages.calls[call].process, *event, *line));
            }
        }
        lines.push(self.sent(effect));
        lines
    }

    /// What the send of an event said.
    pub(super) fn sent(&self, event: EventKey) -> Line {
        let names = &self.evidence.names;
        let to = self.evidence.attempts_of(event).iter().find(|attempt| attempt.begin == self.line(event));
        let to = to.map_or_else(String::new, |to| format!(" to {}", names.partitions[to.address]));
        let call = self.messages.call_of(event).map(|call| &self.messages.calls[call]);
        let clock =
            if call.is_some_and(|call| call.stamp.is_some()) { self.clock(event) } else { String::new() };
        let at = if clock.is_empty() { clock } else { format!(" at {clock}") };
        let causes: Vec<String> = call
            .into_iter()
            .flat_map(|call| call.causes.iter().take(3))
            .map(|cause| names.events[*cause].to_string())
            .collect();
        let because = match causes.as_slice() {
            [] => String::new(),
            causes => format!(", caused by {}", crate::explain::list(causes)),
        };
        let said =
            format!("process {} sent event {}{to}{at}{because}", self.sender(event), names.events[event]);
        Line { line: self.line(event), said }
    }

    pub(super) fn delivered(&self, process: ProcessKey, event: EventKey, line: u64) -> Line {
        let names = &self.evidence.names;
        let (process, event) = (&names.processes[process], &names.events[event]);
        Line { line, said: format!("process {process} was delivered event {event}") }
    }

    fn sender(&self, event: EventKey) -> String {
        let call = self.messages.call_of(event).map(|call| &self.messages.calls[call]);
        call.map_or_else(String::new, |call| self.evidence.names.processes[call.process].to_string())
    }

    fn line(&self, event: EventKey) -> u64 {
        self.messages.call_of(event).map_or(0, |call| self.messages.calls[call].begin)
    }

    fn clock(&self, event: EventKey) -> String {
        let stamp = self.messages.call_of(event).and_then(|call| self.messages.calls[call].stamp);
        stamp.map_or_else(String::new, |stamp| clock_text(stamp, self.evidence))
    }
}

/// A recorded clock, as it was written; a long one is cut short.
pub(super) fn clock_text(stamp: usize, evidence: &Evidence) -> String {
    const TOLD: usize = 8;
    let clock = &evidence.causal.stamps[stamp].clock;
    let tell = |(service, count): &(crate::evidence::ServiceKey, u64)| {
        format!("{}: {count}", evidence.names.services[*service])
    };
    let told: Vec<String> = clock.iter().take(TOLD).map(tell).collect();
    let more = if clock.len() > TOLD { ", …" } else { "" };
    format!("{{{}{more}}}", told.join(", "))
}
