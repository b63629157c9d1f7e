//! What a history says of queues: refusals, dead letters, and what may explain that an event is delivered again.
//!
//! Cost: O(size of the op); O(refusals and troubles) memory. Redeliveries: O(n log n) in reads.

use std::collections::{BTreeMap, HashMap};

use lawspeaker_history::{Call, Delivery, Offset, Op, OpType};

use super::{EventKey, Evidence, GroupKey, MoveKind, Names, PartitionKey, ProcessKey, Read};

/// What became of a delivery, beside being acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Settled {
    /// `nack`: again.
    Nack,
    /// `reject`: never.
    Reject,
    /// `dead-letter`: put aside.
    DeadLetter,
}

/// A delivery that was refused or put aside, or may have been; an invocation is a row of its own.
#[derive(Clone, Debug)]
pub(crate) struct Settlement {
    pub line: u64,
    pub process: ProcessKey,
    pub group: Option<GroupKey>,
    pub partition: PartitionKey,
    pub event: EventKey,
    pub settled: Settled,
    pub is_ok: bool,
    /// How many times the system says it had delivered this.
    pub delivery: Option<u64>,
    /// Why it was put aside, if it was for another reason than too many deliveries or a rejection.
    pub has_other_reason: bool,
}

/// All of it.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    /// By event, then by line.
    pub settlements: Vec<Settlement>,
    /// Lines on which something went wrong for a process: a call that failed, or whose outcome nobody knows.
    troubles: HashMap<ProcessKey, Vec<u64>>,
    pub has_dead_letters: bool,
}

impl Queue {
    /// Takes one op that stands on `line`. O(size of the op).
    pub(crate) fn observe(&mut self, op: &Op, process: ProcessKey, line: u64, names: &mut Names) {
        if matches!(op.op_type, OpType::Fail | OpType::Info) {
            self.troubles.entry(process).or_default().push(line);
        }
        let (settled, deliveries): (Settled, &[Delivery]) = match &op.call {
            Call::Nack(all) => (Settled::Nack, all),
            Call::Reject(all) => (Settled::Reject, all),
            Call::DeadLetter(all) => (Settled::DeadLetter, all),
            _ => return,
        };
        self.has_dead_letters |= settled == Settled::DeadLetter;
        if op.op_type == OpType::Fail {
            return;
        }
        // RabbitMQ's words, of the header `x-death`.
        let reason = op.x.rest.get("reason").and_then(|reason| reason.as_str());
        let has_other_reason = reason.is_some_and(|reason| !["delivery_limit", "rejected"].contains(&reason));
        for delivery in deliveries {
            let Some(event) = &delivery.event else { continue };
            self.settlements.push(Settlement {
                line,
                process,
                group: op.x.group.as_ref().map(|group| names.groups.key(group)),
                partition: names.partitions.key(&delivery.partition),
                event: names.events.key(event),
                settled,
                is_ok: op.op_type == OpType::Ok,
                delivery: op.x.delivery,
                has_other_reason,
            });
        }
    }

    /// Sorts what was taken. O(n log n).
    pub(crate) fn seal(mut self) -> Self {
        self.settlements.sort_by_key(|row| (row.event, row.line));
        self
    }

    /// Everything that was done, or tried, to settle deliveries of `event`. O(log n).
    pub(crate) fn settlements_of(&self, event: EventKey) -> &[Settlement] {
        let first = self.settlements.partition_point(|row| row.event < event);
        let rest = &self.settlements[first..];
        &rest[..rest.partition_point(|row| row.event == event)]
    }
}

/// An event that was handed out to a group again.
#[derive(Debug)]
pub(crate) struct Redelivery<'a> {
    pub group: GroupKey,
    pub first: &'a Read,
    pub again: &'a Read,
    /// Whether the group had acknowledged it before.
    pub is_settled: bool,
    /// Whether something that is recorded may explain it, beside the time that went by.
    pub is_explained: bool,
}

/// Every delivery of an event to a group after another one that surely happened.
pub(crate) fn redeliveries(evidence: &Evidence) -> Vec<Redelivery<'_>> {
    if !evidence.reads.iter().any(|read| read.is_handed_out) {
        return Vec::new();
    }
    let upheavals = Upheavals::of(evidence);
    let mut acknowledged: HashMap<(GroupKey, PartitionKey, Settles), u64> = HashMap::new();
    for row in &evidence.acknowledgements {
        let settles = row.event.map(Settles::Event).or(row.offset.map(Settles::Offset));
        if let (Some(group), Some(settles)) = (row.group, settles) {
            acknowledged.entry((group, row.partition, settles)).or_insert(row.line);
        }
    }
    let is_acknowledged = |group: GroupKey, again: &Read| {
        let by_offset = again.offset.map(Settles::Offset);
        [Some(Settles::Event(again.event)), by_offset].into_iter().flatten().any(|settles| {
            acknowledged.get(&(group, again.partition, settles)).is_some_and(|line| *line < again.line)
        })
    };
    let mut all = Vec::new();
    for event in evidence.names.events.keys() {
        let mut latest: BTreeMap<GroupKey, &Read> = BTreeMap::new();
        let sent_count = evidence.attempts_of(event).len();
        let handed_out = evidence.reads_of(event).filter(|read| read.is_handed_out && read.is_ok);
        for again in handed_out {
            let Some(group) = again.group else { continue };
            let Some(first) = latest.insert(group, again) else { continue };
            let is_copy = first.offset != again.offset || first.partition != again.partition;
            if is_copy || sent_count > 1 {
                continue;
            }
            let is_settled = is_acknowledged(group, again);
            let is_explained = upheavals.between(group, first, again, evidence);
            all.push(Redelivery { group, first, again, is_settled, is_explained });
        }
    }
    all
}

/// What an acknowledgement names.
#[derive(PartialEq, Eq, Hash)]
enum Settles {
    Event(EventKey),
    Offset(Offset),
}

/// What may move deliveries from one consumer to another, by group, each by line.
struct Upheavals {
    of_group: HashMap<GroupKey, Vec<u64>>,
    of_nobody: Vec<u64>,
}

impl Upheavals {
    fn of(evidence: &Evidence) -> Self {
        let mut member_of: HashMap<ProcessKey, GroupKey> = HashMap::new();
        for read in &evidence.reads {
            if let Some(group) = read.group {
                member_of.insert(read.process, group);
            }
        }
        let mut upheavals = Upheavals { of_group: HashMap::new(), of_nobody: Vec::new() };
        for change in evidence.moves.iter().filter(|change| !matches!(change.kind, MoveKind::Seek)) {
            match change.group.or_else(|| member_of.get(&change.process).copied()) {
                Some(group) => upheavals.of_group.entry(group).or_default().push(change.line),
                None => upheavals.of_nobody.push(change.line),
            }
        }
        upheavals
    }

    /// Whether anything recorded from one delivery to the next may explain the second.
    fn between(&self, group: GroupKey, first: &Read, again: &Read, evidence: &Evidence) -> bool {
        let is_meanwhile = |lines: &[u64]| {
            lines
                .get(lines.partition_point(|line| *line < first.begin))
                .is_some_and(|line| *line <= again.line)
        };
        let refusals = evidence.queue.settlements_of(first.event).iter();
        let is_refused = refusals
            .filter(|row| row.group.is_none_or(|of| of == group))
            .any(|row| (first.begin..=again.line).contains(&row.line));
        let is_troubled = |process: &ProcessKey| {
            evidence.queue.troubles.get(process).is_some_and(|lines| is_meanwhile(lines))
        };
        is_refused
            || is_troubled(&first.process)
            || self.of_group.get(&group).is_some_and(|lines| is_meanwhile(lines))
            || is_meanwhile(&self.of_nobody)
            || evidence.fault_after(first.begin).is_some_and(|fault| fault.line <= again.line)
    }
}
