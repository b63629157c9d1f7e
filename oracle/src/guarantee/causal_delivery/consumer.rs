//! What each process was delivered, and whether it can be accused of having been delivered something too late.
//!
//! A consumer owes nothing for what it did not read. It is judged in the partitions of its last recorded assignment, or,
//! where it records none, in those that it has already been given something from; whatever changes what it reads (an
//! assignment, a revocation, a seek, a first event from a new partition) starts the judgement anew. A member of a group
//! is judged only where its assignments are recorded, and never for an event that another member was given first.
//! From a call of unknown outcome on, a consumer is not judged any more: that call may have delivered anything.

use std::collections::{HashMap, HashSet};

use super::timeline::Delivery;
use crate::evidence::{EventKey, Evidence, GroupKey, Key, Move, MoveKind, PartitionKey, ProcessKey};

/// A process as a reader.
#[derive(Debug, Default)]
pub(super) struct Consumer {
    /// Nobody knows any more what it was given.
    is_blind: bool,
    /// The group that gives it what it reads.
    group: Option<GroupKey>,
    /// What it reads by its own word; `None` if it never said.
    assigned: Option<Vec<PartitionKey>>,
    /// What it was given something from.
    seen: HashSet<PartitionKey>,
    /// The line of the first delivery since what it reads changed last.
    since: Option<u64>,
    /// How often what it reads has changed.
    pub epoch: u32,
}

impl Consumer {
    fn renew(&mut self) {
        self.since = None;
        self.epoch += 1;
    }

    fn change(&mut self, change: &Move) {
        self.renew();
        match &change.kind {
            MoveKind::Assign(partitions) => self.assigned = Some(partitions.clone()),
            MoveKind::Revoke(partitions) => {
                self.assigned.get_or_insert_default().retain(|partition| !partitions.contains(partition));
            }
            MoveKind::Subscribe(_) if change.group.is_some() => self.assigned = Some(Vec::new()),
            MoveKind::Subscribe(topics) => self.assigned = Some(topics.clone()),
            MoveKind::Seek => {}
            MoveKind::Crash => self.is_blind = true,
        }
        self.group = change.group.or(self.group);
    }

    /// Whether it surely reads `partition`, and has since the judgement of it began.
    pub(super) fn reads(&self, partition: PartitionKey, evidence: &Evidence) -> bool {
        let names = &evidence.names.partitions;
        let is_assigned = match &self.assigned {
            Some(assigned) => assigned.iter().any(|of| names[*of].covers(&names[partition])),
            None => self.group.is_none() && self.seen.contains(&partition),
        };
        is_assigned && !self.is_blind
    }

    /// The group that gives it what it reads.
    pub(super) fn group(&self) -> Option<GroupKey> {
        self.group
    }

    /// What it may read, some of it twice.
    pub(super) fn partitions(&self) -> impl Iterator<Item = PartitionKey> {
        self.seen.iter().chain(self.assigned.iter().flatten()).copied()
    }

    /// Whether it was surely reading when something was sent on line `begin`.
    pub(super) fn read_before(&self, begin: u64) -> bool {
        self.since.is_some_and(|since| since < begin)
    }
}

/// Every process as a reader, and every first delivery.
#[derive(Debug)]
pub(super) struct Consumers {
    of: Vec<Consumer>,
    /// The line on which each event first came to each process, or `None` if it only may have come so far.
    first: HashMap<(ProcessKey, EventKey), Option<u64>>,
    first_member: HashMap<(GroupKey, EventKey), ProcessKey>,
    /// How many deliveries were judged.
    pub judged_count: usize,
}

impl Consumers {
    pub(super) fn of(evidence: &Evidence) -> Self {
        let mut of = Vec::new();
        of.resize_with(evidence.names.processes.len(), Consumer::default);
        Consumers { of, first: HashMap::new(), first_member: HashMap::new(), judged_count: 0 }
    }

    pub(super) fn get(&self, process: ProcessKey) -> &Consumer {
        &self.of[process.place()]
    }

    pub(super) fn change(&mut self, change: &Move) {
        self.of[change.process.place()].change(change);
    }

    pub(super) fn blind(&mut self, process: ProcessKey) {
        self.of[process.place()].is_blind = true;
    }

    /// Prepares for the deliveries of one line: a first event from a new partition changes what is read.
    pub(super) fn turn_to(&mut self, line: &[Delivery]) {
        let Some(first) = line.first() else { return };
        let consumer = &mut self.of[first.process.place()];
        consumer.group = first.group.or(consumer.group);
        let mut is_new = false;
        for delivery in line {
            is_new |= consumer.seen.insert(delivery.partition);
        }
        if is_new && consumer.assigned.is_none() {
            consumer.renew();
        }
    }

    /// Takes a delivery; whether it is a first and certain one, so that it can be judged and can be an effect.
    pub(super) fn take(&mut self, delivery: &Delivery) -> bool {
        let Delivery { process, event, line, group, .. } = *delivery;
        let surely = delivery.is_certain.then_some(line);
        let is_new = !self.first.contains_key(&(process, event));
        let first = self.first.entry((process, event)).or_insert(surely);
        *first = first.or(surely);
        if let Some(group) = group {
            self.first_member.entry((group, event)).or_insert(process);
        }
        let consumer = &mut self.of[process.place()];
        consumer.since.get_or_insert(line);
        let is_judged = is_new && delivery.is_certain && !consumer.is_blind;
        self.judged_count += usize::from(is_judged);
        is_judged
    }

    /// Whether another member of the group was given `event` before.
    pub(super) fn went_to_another(&self, delivery: &Delivery) -> bool {
        let member = delivery.group.and_then(|group| self.first_member.get(&(group, delivery.event)));
        member.is_some_and(|member| *member != delivery.process)
    }

    /// Whether `event` came to `process`, or may have.
    pub(super) fn has_or_may_have(&self, process: ProcessKey, event: EventKey) -> bool {
        self.first.contains_key(&(process, event))
    }

    /// The line on which `event` first came to `process` for certain.
    pub(super) fn first(&self, process: ProcessKey, event: EventKey) -> Option<u64> {
        self.first.get(&(process, event)).copied().flatten()
    }

    /// Whether a member of `group` was given `event`.
    pub(super) fn came_to(&self, group: GroupKey, event: EventKey) -> bool {
        self.first_member.contains_key(&(group, event))
    }
}
