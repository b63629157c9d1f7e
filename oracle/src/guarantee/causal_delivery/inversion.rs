//! Looks for effects that were delivered before their causes, or without them.
//!
//! Each consumer keeps two marks for each chain: how far the past of what it was delivered reaches, and how far it was
//! delivered itself. A cause that comes below the first mark is late. A late cause is told once, by the shortest way
//! it can be told: as an earlier write of a process whose later one had come, as a write that the sender of something
//! that had come had read, or else by a longer path.

use std::collections::{BTreeSet, HashMap};

use super::chains::{Chains, Place, TooManyError};
use super::consumer::Consumers;
use super::message::Messages;
use super::timeline::{Delivery, Step};
use crate::Anomaly;
use crate::evidence::{EventKey, Evidence, Key, PartitionKey, ProcessKey};

/// How many marks are held at once, 512 MiB of them.
const MAX_MARKS: usize = 1 << 24;

/// An effect that came to a consumer before its cause, or without it.
#[derive(Clone, Debug)]
pub(super) struct Inversion {
    pub anomaly: Anomaly,
    pub consumer: ProcessKey,
    /// Where the cause was read from, or should have been.
    pub partition: PartitionKey,
    pub cause: EventKey,
    /// The line on which the cause came, if it did.
    pub cause_line: Option<u64>,
    pub effect: EventKey,
    pub effect_line: u64,
}

/// How far a chain reaches, and which delivered event says so.
#[derive(Clone, Copy, Debug, Default)]
struct Mark {
    at: u64,
    event: u32,
}

/// What consumers are owed, by chain and partition, in the order of the chain.
type Owed = HashMap<(usize, PartitionKey), Vec<(u64, EventKey)>>;

/// The marks of one consumer, one of each kind a chain.
#[derive(Clone, Debug, Default)]
struct Marks {
    epoch: u32,
    past: Vec<Mark>,
    delivered: Vec<Mark>,
}

impl Marks {
    fn raise(marks: &mut [Mark], chain: usize, mark: Mark) {
        if marks[chain].at < mark.at {
            marks[chain] = mark;
        }
    }

    fn take(&mut self, event: EventKey, call: usize, chains: &Chains<'_>) {
        self.past.resize(chains.count(), Mark::default());
        self.delivered.resize(chains.count(), Mark::default());
        let event = u32::try_from(event.place()).unwrap_or(u32::MAX);
        chains.tell_past(call, |chain, at| Self::raise(&mut self.past, chain, Mark { at, event }));
        if let Some(Place { chain, at }) = chains.place(call) {
            Self::raise(&mut self.delivered, chain, Mark { at, event });
        }
    }

    fn forget(&mut self, epoch: u32) {
        self.epoch = epoch;
        self.past.fill(Mark::default());
        self.delivered.fill(Mark::default());
    }

    fn join(&mut self, other: Marks) {
        if self.past.is_empty() {
            return *self = Marks { epoch: self.epoch, ..other };
        }
        for (chain, mark) in other.past.into_iter().enumerate() {
            Self::raise(&mut self.past, chain, mark);
        }
        for (chain, mark) in other.delivered.into_iter().enumerate() {
            Self::raise(&mut self.delivered, chain, mark);
        }
    }
}

/// Goes through the history with chains that order its sends.
pub(super) struct Search<'a> {
    pub evidence: &'a Evidence,
    pub messages: &'a Messages,
    pub chains: Chains<'a>,
    pub consumers: Consumers,
    marks: Vec<Marks>,
    mark_count: usize,
    pub found: Vec<Inversion>,
}

impl<'a> Search<'a> {
    pub(super) fn new(evidence: &'a Evidence, messages: &'a Messages, chains: Chains<'a>) -> Self {
        let consumers = Consumers::of(evidence);
        let marks = vec![Marks::default(); evidence.names.processes.len()];
        Search { evidence, messages, chains, consumers, marks, mark_count: 0, found: Vec::new() }
    }

    /// Finds every late cause. O(deliveries · chains).
    pub(super) fn run(&mut self, steps: &[Step<'_>]) -> Result<(), TooManyError> {
        for step in steps {
            match step {
                Step::Send(call) => {
                    if let Chains::Sessions(sessions) = &mut self.chains {
                        sessions.send(*call, self.messages.calls[*call].process);
                    }
                }
                Step::Move(change) => self.consumers.change(change),
                Step::Blind(process) => self.consumers.blind(*process),
                Step::Deliver(line) => self.deliver(line)?,
            }
        }
        Ok(())
    }

    /// Judges the deliveries of one line: those of one partition came in order, those of different ones did not.
    fn deliver(&mut self, line: &[Delivery]) -> Result<(), TooManyError> {
        let process = line[0].process;
        self.consumers.turn_to(line);
        let epoch = self.consumers.get(process).epoch;
        let mut marks = std::mem::take(&mut self.marks[process.place()]);
        if marks.past.is_empty() {
            self.mark_count += self.chains.count();
        }
        if self.mark_count > MAX_MARKS {
            return Err(TooManyError("consumers times sessions are more than 16 million".to_owned()));
        }
        if marks.epoch != epoch {
            marks.forget(epoch);
        }
        let is_one = |one: &Delivery, other: &Delivery| {
            one.is_listed && other.is_listed && one.partition == other.partition
        };
        let mut runs = line.chunk_by(is_one);
        if runs.clone().count() == 1 {
            self.deliver_run(line, &mut marks)?;
        } else {
            let mut after = Marks { epoch, ..Marks::default() };
            runs.try_for_each(|run| {
                let mut marks = marks.clone();
                self.deliver_run(run, &mut marks)?;
                after.join(marks);
                Ok(())
            })?;
            marks = after;
        }
        self.marks[process.place()] = marks;
        Ok(())
    }

    fn deliver_run(&mut self, run: &[Delivery], marks: &mut Marks) -> Result<(), TooManyError> {
        for delivery in run {
            let is_judged = self.consumers.take(delivery);
            let Some(call) = self.messages.call_of(delivery.event) else { continue };
            if is_judged {
                let late = self.late(delivery, call, marks);
                self.found.extend(late);
                marks.take(delivery.event, call, &self.chains);
            }
            if let Chains::Sessions(sessions) = &mut self.chains {
                let first = self.consumers.first(delivery.process, delivery.event);
                if first == Some(delivery.line) {
                    sessions.learn(delivery.process, call)?;
                }
                sessions.release(call);
            }
        }
        Ok(())
    }

    fn late(&self, delivery: &Delivery, call: usize, marks: &Marks) -> Option<Inversion> {
        let Delivery { process: consumer, event: cause, partition, line, .. } = *delivery;
        let place = self.chains.place(call)?;
        let mark = marks.past.get(place.chain).filter(|mark| mark.at >= place.at)?;
        let is_owed = self.messages.calls[call].process != consumer
            && self.messages.is_owed(cause, self.evidence)
            && self.consumers.get(consumer).reads(partition, self.evidence)
            && !self.consumers.went_to_another(delivery);
        if !is_owed {
            return None;
        }
        let (anomaly, effect) =
            self.kind(cause, place, marks).unwrap_or((Anomaly::CausalInversion, mark.event));
        let effect = EventKey::of(effect as usize);
        if !self.chains.is_before(call, self.messages.call_of(effect)?) {
            return None;
        }
        let effect_line = self.consumers.first(consumer, effect)?;
        let cause_line = Some(line);
        Some(Inversion { anomaly, consumer, partition, cause, cause_line, effect, effect_line })
    }

    /// What a late cause is called if one hop of a session leads from it to what came before it.
    fn kind(&self, cause: EventKey, place: Place, marks: &Marks) -> Option<(Anomaly, u32)> {
        if !matches!(self.chains, Chains::Sessions(_)) {
            return None;
        }
        let later = marks.delivered[place.chain];
        if later.at > place.at {
            return Some((Anomaly::MonotonicWrites, later.event));
        }
        marks.delivered.iter().filter(|mark| mark.at > 0).find_map(|mark| {
            let sender = &self.messages.calls[self.messages.call_of(EventKey::of(mark.event as usize))?];
            let read = self.consumers.first(sender.process, cause)?;
            (read < sender.begin).then_some((Anomaly::WritesFollowReads, mark.event))
        })
    }

    /// Finds every cause that never came to a consumer that was given its effect, if the recording is complete.
    /// O(what consumers were owed · log n).
    pub(super) fn missing(&mut self) {
        let mut owed = Owed::new();
        for (call, sent) in self.messages.calls.iter().enumerate() {
            let Some(place) = self.chains.place(call) else { continue };
            for event in sent.events.iter().filter(|event| self.messages.is_owed(**event, self.evidence)) {
                let Some(attempt) = self.evidence.acknowledgement_of(*event) else { continue };
                if self.evidence.may_be_gone(attempt) {
                    continue;
                }
                owed.entry((place.chain, attempt.partition)).or_default().push((place.at, *event));
            }
        }
        owed.values_mut().for_each(|events| events.sort_unstable());
        let consumers = self.evidence.names.processes.keys();
        let missing: Vec<Inversion> =
            consumers.flat_map(|consumer| self.missing_at(consumer, &owed)).collect();
        self.found.extend(missing);
    }

    fn missing_at(&self, consumer: ProcessKey, owed: &Owed) -> Vec<Inversion> {
        let marks = &self.marks[consumer.place()];
        let reader = self.consumers.get(consumer);
        if marks.epoch != reader.epoch {
            return Vec::new();
        }
        let partitions: BTreeSet<PartitionKey> =
            reader.partitions().filter(|partition| reader.reads(*partition, self.evidence)).collect();
        let mut missing = Vec::new();
        for partition in partitions {
            for (chain, mark) in marks.past.iter().enumerate().filter(|(_, mark)| mark.at > 0) {
                let Some(events) = owed.get(&(chain, partition)) else { continue };
                let reach = events.partition_point(|(at, _)| *at <= mark.at);
                let effect = EventKey::of(mark.event as usize);
                missing.extend(
                    events[..reach]
                        .iter()
                        .filter_map(|(_, cause)| self.missing_cause(consumer, partition, *cause, effect)),
                );
            }
        }
        missing
    }

    fn missing_cause(
        &self,
        consumer: ProcessKey,
        partition: PartitionKey,
        cause: EventKey,
        effect: EventKey,
    ) -> Option<Inversion> {
        let call = self.messages.call_of(cause)?;
        let sent = &self.messages.calls[call];
        let reader = self.consumers.get(consumer);
        let is_missing = sent.process != consumer
            && reader.read_before(sent.begin)
            && !self.consumers.has_or_may_have(consumer, cause)
            && !reader.group().is_some_and(|group| self.consumers.came_to(group, cause))
            && self.chains.is_before(call, self.messages.call_of(effect)?);
        let effect_line = self.consumers.first(consumer, effect)?;
        let anomaly = Anomaly::MissingCause;
        let cause_line = None;
        is_missing.then_some(Inversion {
            anomaly,
            consumer,
            partition,
            cause,
            cause_line,
            effect,
            effect_line,
        })
    }
}
