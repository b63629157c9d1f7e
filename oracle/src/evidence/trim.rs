//! What a log may have dropped: events before a position, and before a position those whose key has a later event.

use lawspeaker_history::{Call, Offset, Op, OpType, Partition, Position};

use super::collector::sends;
use super::{Attempt, EventKey, Evidence, Log, Names, PartitionKey, Read, Standing};
use crate::hash::{HashMap, HashSet};

/// A position before which not everything has to be there any more.
#[derive(Clone, Debug)]
pub(crate) struct Trim {
    pub line: u64,
    pub partition: PartitionKey,
    pub next: Offset,
    /// Whether it surely happened, by this line.
    pub is_ok: bool,
}

/// How far a partition was trimmed or compacted, whatever became of the calls.
#[derive(Clone, Copy, Debug)]
struct Reach {
    next: Offset,
    last_line: u64,
}

/// Every trim and every compaction.
#[derive(Debug, Default)]
pub(crate) struct Trims {
    /// By line.
    pub all: Vec<Trim>,
    /// By line.
    pub compactions: Vec<Trim>,
    /// What compactions have to keep: the last event of each key before their positions.
    pub last_of_keys: Vec<Standing>,
    trimmed: HashMap<PartitionKey, Reach>,
    /// Where compactions may have dropped something.
    superseded: HashSet<(PartitionKey, Offset)>,
    /// Where events may have been sent to that were dropped: partitions that were trimmed or compacted, and their topics.
    addresses: HashSet<PartitionKey>,
    /// Events that delete their keys, and go themselves in the end.
    tombstones: HashSet<EventKey>,
}

impl Trims {
    /// Takes a `trim` or a `compact`, invoked or completed, and what is sent as a tombstone. O(positions of the call).
    pub(super) fn observe(&mut self, op: &Op, line: u64, names: &mut Names) {
        match &op.call {
            Call::Trim(positions) => {
                self.all.extend(trims(op, line, positions, names));
            }
            Call::Compact(positions) => {
                self.compactions.extend(trims(op, line, positions, names));
            }
            _ if op.x.tombstone == Some(true) => {
                self.tombstones.extend(sends(&op.call).map(|sent| names.events.key(&sent.event)));
            }
            _ => {}
        }
    }

    /// Finds out what later events supersede. O(n log n) where anything was dropped.
    pub(super) fn seal(mut self, attempts: &[Attempt], reads: &[Read], log: &Log, names: &Names) -> Self {
        if self.is_empty() {
            return self;
        }
        self.trimmed = reach(&self.all);
        let compacted = reach(&self.compactions);
        let dropped = self.trimmed.keys().chain(compacted.keys());
        let dropped: HashSet<&str> =
            dropped.flat_map(|partition| addresses(&names.partitions[*partition])).collect();
        let is_dropped = |partition: &PartitionKey| dropped.contains(names.partitions[*partition].as_str());
        self.addresses = names.partitions.keys().filter(is_dropped).collect();
        if compacted.is_empty() {
            return self;
        }
        let keys = Keys::of(attempts, reads, log, names);
        for (partition, Reach { next, last_line }) in compacted {
            let mut later = keys.of_unknown_place((partition, next), last_line, names);
            for standing in log.between(partition, None, next).iter().rev() {
                let is_last = match keys.of_event.get(&standing.event) {
                    Some(Some(key)) => later.insert(key) && !self.tombstones.contains(&standing.event),
                    Some(None) => continue,
                    // Of what nobody sent nobody knows the key.
                    None => false,
                };
                if is_last {
                    self.last_of_keys.push(*standing);
                } else {
                    self.superseded.insert((partition, standing.offset));
                }
            }
        }
        self.last_of_keys.sort();
        self
    }

    /// Whether an event at `offset` may be missing for a good reason. When it was trimmed is not asked: who reads just
    /// before and just after a trim cannot be told apart by their lines. O(1).
    pub(crate) fn may_lack(&self, partition: PartitionKey, offset: Offset) -> bool {
        !self.is_empty()
            && (self.trimmed.get(&partition).is_some_and(|trimmed| offset < trimmed.next)
                || self.superseded.contains(&(partition, offset)))
    }

    fn is_empty(&self) -> bool {
        self.all.is_empty() && self.compactions.is_empty()
    }
}

impl Evidence {
    /// Whether the event of `attempt`, which was acknowledged, may be missing for a good reason. One of which nobody
    /// knows where it stands may, in a log that drops events. O(reads of the event) where anything was dropped, else O(1).
    pub(crate) fn may_be_gone(&self, attempt: &Attempt) -> bool {
        if self.trims.is_empty() {
            return false;
        }
        let mut placed = self.reads_of(attempt.event).filter_map(|read| Some((read.partition, read.offset?)));
        match attempt.offset.map(|offset| (attempt.partition, offset)).or_else(|| placed.next()) {
            Some((partition, offset)) => self.trims.may_lack(partition, offset),
            None => self.trims.addresses.contains(&attempt.partition),
        }
    }
}

fn trims(op: &Op, line: u64, positions: &[Position], names: &mut Names) -> Vec<Trim> {
    let is_ok = op.op_type == OpType::Ok;
    let mut trim = |position: &Position| {
        Some(Trim { line, partition: names.partitions.key(&position.partition), next: position.next?, is_ok })
    };
    positions.iter().filter(|_| op.op_type != OpType::Fail).filter_map(&mut trim).collect()
}

fn reach(trims: &[Trim]) -> HashMap<PartitionKey, Reach> {
    let mut reach: HashMap<PartitionKey, Reach> = HashMap::default();
    for trim in trims {
        let of = reach.entry(trim.partition).or_insert(Reach { next: trim.next, last_line: trim.line });
        *of = Reach { next: trim.next.max(of.next), last_line: trim.line };
    }
    reach
}

/// The names that what stands in `partition` may have been sent to: its own and those of the topics that it is part of.
fn addresses(partition: &Partition) -> impl Iterator<Item = &str> {
    std::iter::once(partition.as_str()).chain(partition.topics())
}

/// What is known of keys.
struct Keys<'a> {
    /// By event that was sent: its key, if it has one.
    of_event: HashMap<EventKey, Option<&'a str>>,
    /// Sends that may have happened, of events that nobody knows the place of, by the name of where they were sent to.
    unplaced: HashMap<&'a str, Vec<&'a Attempt>>,
    /// How far the final read of each partition came.
    final_ends: HashMap<PartitionKey, Offset>,
}

impl<'a> Keys<'a> {
    fn of(attempts: &'a [Attempt], reads: &[Read], log: &Log, names: &'a Names) -> Self {
        let mut of_event = HashMap::default();
        for attempt in attempts {
            let key = of_event.entry(attempt.event).or_insert(None);
            *key = key.or(attempt.key());
        }
        let placed: HashSet<EventKey> = log.standings().iter().map(|standing| standing.event).collect();
        let is_unplaced =
            |attempt: &&Attempt| attempt.outcome != OpType::Fail && !placed.contains(&attempt.event);
        let mut unplaced: HashMap<&str, Vec<&Attempt>> = HashMap::default();
        for attempt in attempts.iter().filter(is_unplaced) {
            unplaced.entry(names.partitions[attempt.partition].as_str()).or_default().push(attempt);
        }
        let mut final_ends: HashMap<PartitionKey, Offset> = HashMap::default();
        for read in reads.iter().filter(|read| read.is_final()) {
            let Some(offset) = read.offset else { continue };
            let end = final_ends.entry(read.partition).or_insert(offset);
            *end = offset.max(*end);
        }
        Keys { of_event, unplaced, final_ends }
    }

    /// The keys of events that may stand before `next`, though nobody was told or saw it. A final read that came so far
    /// saw the last of them, or there is none.
    fn of_unknown_place(
        &self,
        (partition, next): (PartitionKey, Offset),
        begun_by: u64,
        names: &Names,
    ) -> HashSet<&'a str> {
        if self.final_ends.get(&partition).is_some_and(|end| next <= end.next()) {
            return HashSet::default();
        }
        let addresses = addresses(&names.partitions[partition]);
        let sent = addresses.filter_map(|address| self.unplaced.get(address)).flatten();
        sent.filter(|attempt| attempt.begin < begun_by).filter_map(|attempt| attempt.key()).collect()
    }
}
