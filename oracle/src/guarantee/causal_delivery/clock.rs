//! Recorded clocks against what surely happened.
//!
//! A process that sent one event and then another, or that was delivered one before it sent another, knew of the one:
//! the clock of the other is above it, or somebody kept a clock badly. Clocks that order what is concurrent are not
//! looked for, since nobody saw all that happened. Cost: O(services) for each stamp and delivery.

use super::chains::{MAX_CHAINS, TooManyError};
use super::message::Messages;
use super::path::{Teller, clock_text};
use super::timeline::Delivery;
use crate::Anomaly;
use crate::case::{Found, Line};
use crate::evidence::{Clock, EventKey, Evidence, Key, Moment, ProcessKey};
use crate::results::Results;

/// How many entries are held at once.
const MAX_ENTRIES: usize = 1 << 24;

/// What raised an entry of what a process knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// Its own stamp of this place.
    Own(usize),
    /// The delivery of this event on this line.
    Delivery(EventKey, u64),
}

/// What a process must know.
#[derive(Clone, Debug, Default)]
struct Knowledge {
    entries: Vec<(u64, Option<Source>)>,
    /// Whose clock is all that is known.
    whole: Option<Source>,
}

impl Knowledge {
    /// What `clock` should have known and does not; or is equal to, unless it `may_be_equal`.
    fn contradiction(&self, clock: &Clock, may_be_equal: bool) -> Option<Source> {
        let mut rest = clock.iter().copied().peekable();
        let mut is_equal = true;
        for (service, (known, source)) in self.entries.iter().enumerate() {
            let at = rest.next_if(|(of, _)| of.place() == service).map_or(0, |(_, at)| at);
            if at < *known {
                return *source;
            }
            is_equal &= at == *known;
        }
        self.whole.filter(|_| is_equal && !may_be_equal && rest.peek().is_none())
    }

    fn learn(&mut self, clock: &Clock, source: Source) {
        let width = clock.last().map_or(0, |(service, _)| service.place() + 1);
        self.entries.resize(width.max(self.entries.len()), (0, None));
        let mut rest = clock.iter().copied().peekable();
        let (mut is_above, mut has_raised) = (true, false);
        for (service, (known, from)) in self.entries.iter_mut().enumerate() {
            let at = rest.next_if(|(of, _)| of.place() == service).map_or(0, |(_, at)| at);
            is_above &= at >= *known;
            if at > *known {
                (*known, *from) = (at, Some(source));
                has_raised = true;
            }
        }
        if is_above {
            self.whole = Some(source);
        } else if has_raised {
            self.whole = None;
        }
    }
}

/// Looks for clocks that contradict sessions and deliveries.
pub(super) fn check(
    evidence: &Evidence,
    messages: &Messages,
    deliveries: &[Delivery],
    results: &mut Results,
) -> Result<(), TooManyError> {
    let stamps = &evidence.causal.stamps;
    if stamps.is_empty() || !results.wants(Anomaly::ClockMismatch) {
        return Ok(());
    }
    let (services, processes) = (evidence.names.services.len(), evidence.names.processes.len());
    if services > MAX_CHAINS || services.saturating_mul(processes) > MAX_ENTRIES {
        return Err(TooManyError(format!(
            "{services} services are counted by the clocks of {processes} processes"
        )));
    }
    let mut knowledge = vec![Knowledge::default(); processes];
    let mut checked_count = 0;
    for moment in moments(evidence, messages, deliveries) {
        match moment {
            Occasion::Delivery(delivery) => {
                let stamp = messages.call_of(delivery.event).and_then(|call| messages.calls[call].stamp);
                let Some(stamp) = stamp else { continue };
                let source = Source::Delivery(delivery.event, delivery.line);
                knowledge[delivery.process.place()].learn(&stamps[stamp].clock, source);
            }
            Occasion::Stamp(place, call) => {
                let stamp = &stamps[place];
                let knowledge = &mut knowledge[stamp.process.place()];
                checked_count += usize::from(!knowledge.entries.is_empty());
                // Who counts only what it sends (Birman, Schiper and Stephenson 1991) stands, after a delivery, where
                // the event or it itself stood.
                let may_be_equal = stamp.moment == Moment::Delivery;
                if let Some(source) = knowledge.contradiction(&stamp.clock, may_be_equal) {
                    let event = call.map(|call| messages.calls[call].events[0]);
                    results.add(tell(source, place, event, evidence, messages));
                }
                // A clock that an unknown send took may never have been.
                let is_sure = call.is_none_or(|call| {
                    messages.calls[call]
                        .events
                        .iter()
                        .any(|event| evidence.acknowledgement_of(*event).is_some())
                });
                if is_sure {
                    knowledge.learn(&stamp.clock, Source::Own(place));
                }
            }
        }
    }
    results.checked(Anomaly::ClockMismatch, checked_count, "recorded clock");
    Ok(())
}

enum Occasion<'a> {
    Delivery(&'a Delivery),
    /// A stamp, and the call that it is of.
    Stamp(usize, Option<usize>),
}

/// Stamps and deliveries in order: on one line a send knows nothing of what is delivered, a receipt all of it.
fn moments<'a>(evidence: &Evidence, messages: &Messages, deliveries: &'a [Delivery]) -> Vec<Occasion<'a>> {
    let mut all: Vec<(u64, u8, Occasion<'a>)> = Vec::new();
    for (call, sent) in messages.calls.iter().enumerate() {
        all.extend(sent.stamp.map(|stamp| (sent.begin, 0, Occasion::Stamp(stamp, Some(call)))));
    }
    for (place, stamp) in evidence.causal.stamps.iter().enumerate() {
        if stamp.moment != Moment::Send {
            all.push((stamp.line, 2, Occasion::Stamp(place, None)));
        }
    }
    let is_after_send = |delivery: &&Delivery| {
        let call = messages.call_of(delivery.event).map(|call| &messages.calls[call]);
        delivery.is_certain && call.is_some_and(|call| call.begin < delivery.line)
    };
    all.extend(deliveries.iter().filter(is_after_send).map(|of| (of.line, 1, Occasion::Delivery(of))));
    all.sort_by_key(|(line, rank, _)| (*line, *rank));
    all.into_iter().map(|(_, _, occasion)| occasion).collect()
}

fn tell(
    source: Source,
    place: usize,
    event: Option<EventKey>,
    evidence: &Evidence,
    messages: &Messages,
) -> Found {
    let names = &evidence.names;
    let teller = Teller { evidence, messages };
    let stamp = &evidence.causal.stamps[place];
    let process = &names.processes[stamp.process];
    let clock = clock_text(place, evidence);
    let (later, later_line) = match event {
        Some(event) => (format!("sent event {}", names.events[event]), teller.sent(event)),
        None => {
            let what = if stamp.moment == Moment::Delivery { "took a delivery" } else { "took a step" };
            (what.to_owned(), stamped(process_name(stamp.process, evidence), what, &clock, stamp.line))
        }
    };
    let mut lines = Vec::new();
    let mut found_events = Vec::new();
    let earlier = match source {
        Source::Own(before) => {
            let line = evidence.causal.stamps[before].line;
            let before = clock_text(before, evidence);
            lines.push(stamped(process_name(stamp.process, evidence), "stood", &before, line));
            format!("process {process} stood at {before} (line {line})")
        }
        Source::Delivery(event, line) => {
            found_events.push(event);
            lines.push(teller.sent(event));
            lines.push(teller.delivered(stamp.process, event, line));
            let stamp = messages.call_of(event).and_then(|call| messages.calls[call].stamp);
            let sent = stamp.map_or_else(String::new, |stamp| clock_text(stamp, evidence));
            let event = &names.events[event];
            format!("process {process} was delivered event {event}, sent at {sent} (line {line})")
        }
    };
    lines.push(later_line);
    lines.sort_by_key(|line| line.line);
    lines.dedup();
    let sentence =
        format!("{earlier}, and then {later} at {clock} (line {}), which is not after it", stamp.line);
    Found::new(Anomaly::ClockMismatch, sentence, lines).events(event).involving(found_events).process(process)
}

fn process_name(process: ProcessKey, evidence: &Evidence) -> String {
    evidence.names.processes[process].to_string()
}

fn stamped(process: String, what: &str, clock: &str, line: u64) -> Line {
    Line { line, said: format!("process {process} {what} at {clock}") }
}
