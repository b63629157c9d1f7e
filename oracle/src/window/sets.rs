//! Partitions that are judged together, and what was recorded of them.

use std::collections::BTreeMap;
use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::RandomState;
use lawspeaker_history::{EventId, Partition};

use super::kept::Kept;
use crate::hash::HashMap;

/// The name of a set; never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct SetId(u64);

/// Partitions that a transaction, an event or a topic ties together, and every op that names one of them.
#[derive(Debug)]
pub(super) struct Set {
    pub(super) partitions: Vec<Partition>,
    /// In no order.
    pub(super) ops: Vec<Arc<Kept>>,
    /// What is remembered of the events that were sent to them.
    events: Vec<u64>,
    /// The line of the oldest op.
    first_line: u64,
    /// The last line that names one of them.
    latest_line: u64,
    /// The sets that became part of this one.
    former: Vec<SetId>,
}

impl Set {
    fn of(partition: &Partition) -> Self {
        Set {
            partitions: vec![partition.clone()],
            ops: Vec::new(),
            events: Vec::new(),
            first_line: u64::MAX,
            latest_line: 0,
            former: Vec::new(),
        }
    }

    fn weight(&self) -> usize {
        self.ops.len() + self.events.len()
    }
}

/// The sets that are not judged yet.
#[derive(Debug, Default)]
pub(super) struct Sets {
    all: BTreeMap<SetId, Set>,
    of_partition: BTreeMap<Partition, SetId>,
    /// By hashes of events: two that fall together tie sets that need not be judged together, and no more.
    of_event: HashMap<u64, SetId>,
    /// What became of sets that became part of others.
    merged: HashMap<SetId, SetId>,
    hasher: RandomState,
    next: u64,
}

impl Sets {
    pub(super) fn is_live(&self, partition: &Partition) -> bool {
        self.of_partition.contains_key(partition)
    }

    /// The set that a set is part of by now; `None` once it was judged.
    pub(super) fn current(&self, mut id: SetId) -> Option<SetId> {
        while let Some(next) = self.merged.get(&id) {
            id = *next;
        }
        self.all.contains_key(&id).then_some(id)
    }

    /// The set of `partition`, a new one if it has none. A topic that is named without a partition, as by a producer that
    /// leaves the choice to the system, is in one set with all its partitions. O(log n).
    pub(super) fn of(&mut self, partition: &Partition) -> SetId {
        if let Some(id) = self.of_partition.get(partition) {
            return *id;
        }
        let mut id = SetId(self.next);
        self.next += 1;
        self.all.insert(id, Set::of(partition));
        self.of_partition.insert(partition.clone(), id);
        let topics = partition.topics().map(Partition::named);
        let mut tied: Vec<SetId> =
            topics.filter_map(|topic| self.of_partition.get(&topic).copied()).collect();
        let below = self.of_partition.range(Partition::named(&format!("{partition}/"))..);
        tied.extend(below.take_while(|(other, _)| partition.covers(other)).map(|(_, id)| *id));
        for other in tied {
            id = self.tie(id, other);
        }
        id
    }

    /// Makes one set of two. Each op and event moves O(log n) times.
    pub(super) fn tie(&mut self, one: SetId, other: SetId) -> SetId {
        let (Some(one), Some(other)) = (self.current(one), self.current(other)) else { return one };
        if one == other {
            return one;
        }
        let weigh = |id: SetId| self.all.get(&id).map_or(0, Set::weight);
        let (large, small) = if weigh(one) < weigh(other) { (other, one) } else { (one, other) };
        let Some(part) = self.all.remove(&small) else { return large };
        for partition in &part.partitions {
            self.of_partition.insert(partition.clone(), large);
        }
        self.merged.insert(small, large);
        let Some(set) = self.all.get_mut(&large) else { return large };
        set.partitions.extend(part.partitions);
        set.ops.extend(part.ops);
        set.events.extend(part.events);
        set.first_line = set.first_line.min(part.first_line);
        set.latest_line = set.latest_line.max(part.latest_line);
        set.former.extend(part.former);
        set.former.push(small);
        large
    }

    /// Ties a set of which `event` is said to the one that it was sent to before.
    pub(super) fn meet(&mut self, event: &EventId, id: SetId, is_sent: bool) -> SetId {
        let fingerprint = self.hasher.hash_one(event);
        match self.of_event.get(&fingerprint).copied() {
            Some(known) if known == id => id,
            Some(known) => self.tie(id, known),
            None => {
                if is_sent && let Some(set) = self.all.get_mut(&id) {
                    self.of_event.insert(fingerprint, id);
                    set.events.push(fingerprint);
                }
                id
            }
        }
    }

    /// Keeps an op of a set.
    pub(super) fn push(&mut self, id: SetId, op: Arc<Kept>, line: u64) {
        if let Some(set) = self.all.get_mut(&id) {
            set.first_line = set.first_line.min(op.line);
            set.latest_line = set.latest_line.max(line);
            set.ops.push(op);
        }
    }

    /// Says that `line` speaks of a set, which may have become part of another.
    pub(super) fn touch(&mut self, id: SetId, line: u64) {
        if let Some(set) = self.current(id).and_then(|id| self.all.get_mut(&id)) {
            set.latest_line = set.latest_line.max(line);
        }
    }

    /// The line of the oldest op that is kept.
    pub(super) fn oldest_line(&self) -> Option<u64> {
        self.all.values().map(|set| set.first_line).min()
    }

    /// Takes out the sets that no line after `line` names. O(sets), and O(what is taken).
    pub(super) fn silent_since(&mut self, line: u64) -> Vec<Set> {
        let is_silent = |(id, set): (&SetId, &Set)| (set.latest_line <= line).then_some(*id);
        let silent: Vec<SetId> = self.all.iter().filter_map(is_silent).collect();
        silent.into_iter().filter_map(|id| self.take(id)).collect()
    }

    fn take(&mut self, id: SetId) -> Option<Set> {
        let mut set = self.all.remove(&id)?;
        for partition in &set.partitions {
            self.of_partition.remove(partition);
        }
        for event in set.events.drain(..) {
            self.of_event.remove(&event);
        }
        for former in set.former.drain(..) {
            self.merged.remove(&former);
        }
        Some(set)
    }
}
