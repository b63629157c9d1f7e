//! Recorded causes that cannot be: an event that names as its cause what came only after it.
//!
//! The graph holds what each process did in its order, what went from sender to receiver, and what was recorded as
//! causes. All but the last point forward in time, so every cycle holds a recorded cause that is wrong.
//! Each tangle (strongly connected component; Tarjan, *Depth-First Search and Linear Graph Algorithms*, 1972) is told
//! once, by a shortest cycle through its earliest recorded cause. Cost: O(sends, deliveries and causes).

use std::collections::HashMap;

use super::message::Messages;
use super::path::Teller;
use super::timeline::Delivery;
use crate::Anomaly;
use crate::case::Found;
use crate::evidence::{Evidence, ProcessKey};
use crate::graph;
use crate::results::Results;

/// What a process did at one moment: the calls come first, then the deliveries.
type Point = usize;

struct Graph<'a> {
    messages: &'a Messages,
    /// The first certain delivery of each event to each process.
    deliveries: Vec<&'a Delivery>,
    next: Vec<Vec<Point>>,
}

impl<'a> Graph<'a> {
    fn of(messages: &'a Messages, deliveries: &'a [Delivery]) -> Self {
        let mut first = HashMap::new();
        for delivery in deliveries.iter().filter(|delivery| delivery.is_certain) {
            first.entry((delivery.process, delivery.event)).or_insert(delivery);
        }
        let is_first = |delivery: &&Delivery| {
            first.get(&(delivery.process, delivery.event)).is_some_and(|of| std::ptr::eq(*of, *delivery))
        };
        let deliveries: Vec<&Delivery> = deliveries.iter().filter(is_first).collect();
        let mut next = vec![Vec::new(); messages.calls.len() + deliveries.len()];
        let mut doings: Vec<(ProcessKey, u64, Point)> = Vec::with_capacity(next.len());
        for (call, sent) in messages.calls.iter().enumerate() {
            doings.push((sent.process, sent.begin, call));
            for cause in sent.causes.iter().filter_map(|cause| messages.call_of(*cause)) {
                next[cause].push(call);
            }
        }
        for (place, delivery) in deliveries.iter().enumerate() {
            let point = messages.calls.len() + place;
            doings.push((delivery.process, delivery.line, point));
            let sent = messages.call_of(delivery.event);
            // What was read before it was sent is a phantom, and says nothing of causes.
            if let Some(sent) = sent.filter(|sent| messages.calls[*sent].begin < delivery.line) {
                next[sent].push(point);
            }
        }
        doings.sort_unstable();
        lead_on(&doings, &mut next);
        Graph { messages, deliveries, next }
    }

    fn process(&self, point: Point) -> ProcessKey {
        match self.messages.calls.get(point) {
            Some(call) => call.process,
            None => self.deliveries[point - self.messages.calls.len()].process,
        }
    }
}

/// Looks for cycles.
pub(super) fn check(
    evidence: &Evidence,
    messages: &Messages,
    deliveries: &[Delivery],
    results: &mut Results,
) {
    let cause_count = messages.calls.iter().map(|call| call.causes.len()).sum();
    if cause_count == 0 || !results.wants(Anomaly::CausalityCycle) {
        return;
    }
    results.checked(Anomaly::CausalityCycle, cause_count, "recorded cause");
    let graph = Graph::of(messages, deliveries);
    let tangles = graph::tangles(&graph.next);
    let mut is_told = vec![false; tangles.iter().flatten().max().map_or(0, |last| last + 1)];
    for (effect, sent) in messages.calls.iter().enumerate() {
        let Some(tangle) = tangles[effect] else { continue };
        let is_inside = |point: Point| tangles[point] == Some(tangle);
        let mut causes = sent.causes.iter().filter_map(|cause| messages.call_of(*cause));
        let Some(cause) = causes.find(|cause| is_inside(*cause)) else { continue };
        if std::mem::replace(&mut is_told[tangle], true) {
            continue;
        }
        if let Some(way) = graph::way(&graph.next, effect, cause, is_inside) {
            results.add(tell(&graph, &way, evidence));
        }
    }
}

/// Leads on from what a process did on one line to what it did on the next.
///
/// Of one line, its first point takes the way in and its last the way out; a call, if there is one, stands first, so
/// that nothing leads from what was delivered on a line to what was sent on it.
fn lead_on(doings: &[(ProcessKey, u64, Point)], next: &mut [Vec<Point>]) {
    let mut last: Option<(ProcessKey, Point)> = None;
    for line in doings.chunk_by(|one, other| (one.0, one.1) == (other.0, other.1)) {
        let (process, _, first) = line[0];
        if let Some((_, before)) = last.filter(|(of, _)| *of == process) {
            next[before].push(first);
        }
        for pair in line.windows(2) {
            next[pair[0].2].push(pair[1].2);
        }
        last = line.last().map(|(_, _, point)| (process, *point));
    }
}

/// Says which way leads from an event to what it names as its cause.
fn tell(graph: &Graph<'_>, way: &[Point], evidence: &Evidence) -> Found {
    let names = &evidence.names;
    let teller = Teller { evidence, messages: graph.messages };
    let calls = &graph.messages.calls;
    let name = |call: usize| &names.events[calls[call].events[0]];
    let (first, last) = (way[0], way[way.len() - 1]);
    let mut text = format!(
        "event {} of process {} (line {}) names event {} as a cause",
        name(first),
        names.processes[calls[first].process],
        calls[first].begin,
        name(last),
    );
    let mut lines = vec![teller.sent(calls[first].events[0])];
    let mut events = vec![calls[first].events[0]];
    if first == last {
        text = format!("event {} (line {}) names itself as a cause", name(first), calls[first].begin);
    }
    let way = told(graph, way);
    for (place, pair) in way.windows(2).enumerate() {
        text += if place == 0 { ", yet " } else { ", and " };
        let process = &names.processes[graph.process(pair[1])];
        match calls.get(pair[1]) {
            None => {
                let delivery = graph.deliveries[pair[1] - calls.len()];
                let event = &names.events[delivery.event];
                text += &format!("event {event} was delivered to process {process} (line {})", delivery.line);
                lines.push(teller.delivered(delivery.process, delivery.event, delivery.line));
            }
            Some(call) => {
                let (event, line) = (name(pair[1]), call.begin);
                text += &if graph.process(pair[0]) == call.process {
                    format!("process {process} then sent event {event} (line {line})")
                } else {
                    format!("event {event} of process {process} (line {line}) names event {}", name(pair[0]))
                };
                lines.push(teller.sent(call.events[0]));
                events.push(call.events[0]);
            }
        }
    }
    lines.sort_by_key(|line| line.line);
    lines.dedup();
    events.sort_unstable();
    events.dedup();
    Found::new(Anomaly::CausalityCycle, text, lines).events(events)
}

/// The ends of a way and where it changes process.
fn told(graph: &Graph<'_>, way: &[Point]) -> Vec<Point> {
    let is_told = |(place, point): &(usize, &Point)| {
        let is_turn =
            |other: Option<&Point>| other.is_none_or(|other| graph.process(*other) != graph.process(**point));
        is_turn(place.checked_sub(1).map(|before| &way[before])) || is_turn(way.get(place + 1))
    };
    way.iter().enumerate().filter(is_told).map(|(_, point)| *point).collect()
}
