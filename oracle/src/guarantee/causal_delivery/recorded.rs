//! Recorded causes: those that nobody sent, and those that came late or never.
//!
//! What an event names as its causes, and what they name in turn, is due at a consumer from the delivery of the event on.
//! Each consumer keeps what is due and not delivered; a cause that comes while it is due is late.
//! Cost: each consumer visits each cause at most once between two changes of what it reads.

use std::collections::{HashMap, HashSet};

use super::chains::TooManyError;
use super::consumer::Consumers;
use super::inversion::Inversion;
use super::message::Messages;
use super::path::{Hop, Path};
use super::timeline::{Delivery, Step};
use crate::Anomaly;
use crate::case::Found;
use crate::evidence::{EventKey, Evidence, PartitionKey, ProcessKey};
use crate::results::Results;

/// How many visits are made, some seconds of them.
const MAX_VISITS: usize = 1 << 26;

/// Looks for causes that nobody sent.
pub(super) fn thin_air(evidence: &Evidence, results: &mut Results) {
    let (mut cause_count, mut told) = (0, HashSet::new());
    for caused in &evidence.causal.caused {
        let happened =
            |effect: &&EventKey| !evidence.attempts_of(**effect).is_empty() && !evidence.has_failed(**effect);
        let Some(effect) = caused.effects.iter().find(happened) else { continue };
        for cause in &caused.causes {
            // Both the invocation and the completion of a send may say it.
            if !told.insert((*effect, *cause)) {
                continue;
            }
            cause_count += 1;
            let attempts = evidence.attempts_of(*cause);
            let is_known = !attempts.is_empty() && !evidence.has_failed(*cause);
            if is_known || evidence.reads_of(*cause).next().is_some() {
                continue;
            }
            results.add(from_thin_air(*effect, *cause, caused.line, evidence));
        }
    }
    results.checked(Anomaly::ThinAir, cause_count, "recorded cause");
}

fn from_thin_air(effect: EventKey, cause: EventKey, line: u64, evidence: &Evidence) -> Found {
    let names = &evidence.names;
    let (effect_name, cause_name) = (&names.events[effect], &names.events[cause]);
    let attempts = evidence.attempts_of(effect);
    let attempt = attempts.iter().find(|of| of.begin == line || of.end == Some(line)).unwrap_or(&attempts[0]);
    let failed = evidence.attempts_of(cause).first();
    let why = match failed {
        Some(failed) => format!("whose send failed (line {})", failed.line()),
        None => "which nobody sent".to_owned(),
    };
    let sentence = format!("event {effect_name} names event {cause_name} as a cause (line {line}), {why}");
    let process = &names.processes[attempt.process];
    let said = format!("process {process} sent event {effect_name}, caused by {cause_name}");
    let mut lines = vec![crate::case::Line { line, said }];
    lines.extend(failed.map(|failed| crate::explain::send(failed, evidence)));
    lines.sort_by_key(|line| line.line);
    Found::new(Anomaly::ThinAir, sentence, lines)
        .at(attempt.partition, None)
        .event(effect)
        .involving([cause])
        .process(process)
}

/// Why an event is due: the event that names it.
#[derive(Clone, Copy, Debug)]
struct Due {
    epoch: u32,
    by: EventKey,
    /// What was delivered, and from where.
    effect: EventKey,
    effect_line: u64,
    effect_partition: PartitionKey,
    is_listed: bool,
}

/// Goes through the history with recorded causes.
pub(super) struct Search<'a> {
    evidence: &'a Evidence,
    messages: &'a Messages,
    pub consumers: Consumers,
    due: HashMap<(ProcessKey, EventKey), Due>,
    visited: HashMap<(ProcessKey, usize), u32>,
    visit_count: usize,
    pub found: Vec<(Inversion, Path)>,
}

impl<'a> Search<'a> {
    pub(super) fn new(evidence: &'a Evidence, messages: &'a Messages) -> Self {
        let consumers = Consumers::of(evidence);
        let (due, visited) = (HashMap::new(), HashMap::new());
        Search { evidence, messages, consumers, due, visited, visit_count: 0, found: Vec::new() }
    }

    /// Finds every late cause.
    pub(super) fn run(&mut self, steps: &[Step<'_>]) -> Result<(), TooManyError> {
        for step in steps {
            match step {
                Step::Send(_) => {}
                Step::Move(change) => self.consumers.change(change),
                Step::Blind(process) => self.consumers.blind(*process),
                Step::Deliver(line) => {
                    self.consumers.turn_to(line);
                    line.iter().for_each(|delivery| self.deliver(delivery));
                }
            }
            if self.visit_count > MAX_VISITS {
                return Err(TooManyError(
                    "what consumers read changes too often to follow every cause".to_owned(),
                ));
            }
        }
        Ok(())
    }

    fn deliver(&mut self, delivery: &Delivery) {
        let is_judged = self.consumers.take(delivery);
        let due = self.due.remove(&(delivery.process, delivery.event));
        if !is_judged || self.messages.call_of(delivery.event).is_none() {
            return;
        }
        if let Some(due) = due {
            self.late(delivery, due);
        }
        self.demand(delivery);
    }

    fn late(&mut self, delivery: &Delivery, due: Due) {
        let Delivery { process: consumer, event: cause, partition, line, .. } = *delivery;
        let is_one_list = due.is_listed && due.effect_partition == partition;
        let is_late = (due.effect_line < line || is_one_list)
            && due.epoch == self.consumers.get(consumer).epoch
            && self.is_owed(consumer, cause)
            && self.consumers.get(consumer).reads(partition, self.evidence)
            && !self.consumers.went_to_another(delivery);
        if is_late {
            self.tell(Anomaly::CausalInversion, consumer, partition, (cause, Some(line)), due);
        }
    }

    fn is_owed(&self, consumer: ProcessKey, cause: EventKey) -> bool {
        let sender = self.messages.call_of(cause).map(|call| self.messages.calls[call].process);
        sender.is_some_and(|sender| sender != consumer) && self.messages.is_owed(cause, self.evidence)
    }

    /// Marks what is due from a delivery on.
    fn demand(&mut self, delivery: &Delivery) {
        let consumer = delivery.process;
        let epoch = self.consumers.get(consumer).epoch;
        let mut open = vec![delivery.event];
        while let Some(by) = open.pop() {
            let Some(call) = self.messages.call_of(by) else { continue };
            if self.visited.insert((consumer, call), epoch) == Some(epoch) {
                continue;
            }
            for cause in &self.messages.calls[call].causes {
                self.visit_count += 1;
                if self.consumers.has_or_may_have(consumer, *cause) {
                    continue;
                }
                let is_due = self.due.get(&(consumer, *cause)).is_some_and(|due| due.epoch == epoch);
                if !is_due {
                    let due = Due {
                        epoch,
                        by,
                        effect: delivery.event,
                        effect_line: delivery.line,
                        effect_partition: delivery.partition,
                        is_listed: delivery.is_listed,
                    };
                    self.due.insert((consumer, *cause), due);
                }
                open.push(*cause);
            }
        }
    }

    /// Finds every cause that never came, if the recording is complete.
    pub(super) fn missing(&mut self) {
        let mut due: Vec<(ProcessKey, EventKey, Due)> =
            self.due.iter().map(|((consumer, cause), due)| (*consumer, *cause, *due)).collect();
        due.sort_unstable_by_key(|(consumer, cause, _)| (*consumer, *cause));
        for (consumer, cause, due) in due {
            let (Some(call), Some(attempt)) =
                (self.messages.call_of(cause), self.evidence.acknowledgement_of(cause))
            else {
                continue;
            };
            let reader = self.consumers.get(consumer);
            let is_missing = due.epoch == reader.epoch
                && self.is_owed(consumer, cause)
                && !self.evidence.may_be_gone(attempt)
                && reader.reads(attempt.partition, self.evidence)
                && reader.read_before(self.messages.calls[call].begin)
                && !reader.group().is_some_and(|group| self.consumers.came_to(group, cause));
            if is_missing {
                self.tell(Anomaly::MissingCause, consumer, attempt.partition, (cause, None), due);
            }
        }
    }

    fn tell(
        &mut self,
        anomaly: Anomaly,
        consumer: ProcessKey,
        partition: PartitionKey,
        (cause, cause_line): (EventKey, Option<u64>),
        due: Due,
    ) {
        let mut path = vec![(cause, Hop::Named)];
        let mut at = due.by;
        // A link that came itself meanwhile is the effect that is told: the way to it is shorter.
        while at != due.effect && path.len() <= self.messages.calls.len() {
            match self.due.get(&(consumer, at)) {
                Some(next) => {
                    path.push((at, Hop::Named));
                    at = next.by;
                }
                None => break,
            }
        }
        let effect_line = self.consumers.first(consumer, at);
        let effect_line = effect_line.unwrap_or(due.effect_line);
        let effect = at;
        let inversion = Inversion { anomaly, consumer, partition, cause, cause_line, effect, effect_line };
        self.found.push((inversion, path));
    }
}
