//! What each group reads, and how far it came.

use std::collections::BTreeMap;

use lawspeaker_history::{Offset, Phase};

use super::{EventKey, Evidence, GroupKey, MoveKind, PartitionKey, Read};

/// A group in a partition.
#[derive(Clone, Debug)]
pub(crate) struct Coverage {
    /// The first line on which the group is seen there: an assignment, a delivery, a commit.
    pub began: u64,
    /// The lowest offset surely delivered.
    pub lowest: Option<Offset>,
    /// The highest offset delivered, and its place in `Evidence::reads`.
    pub highest: Option<(Offset, usize)>,
    /// The place in `Evidence::reads` of the latest delivery.
    pub latest: Option<usize>,
    /// Of what the group was given while it was drained, the event sent last: the drain went past whatever was
    /// acknowledged before that send was invoked.
    pub drained_to: Option<EventKey>,
}

/// Every group in every partition.
pub(crate) type Coverages = BTreeMap<(GroupKey, PartitionKey), Coverage>;

/// The events that were given to each group, as often as they were, by line; `is_given` says which reads count.
pub(crate) fn given(
    evidence: &Evidence,
    is_given: impl Fn(&Read) -> bool,
) -> BTreeMap<GroupKey, Vec<EventKey>> {
    let mut given: BTreeMap<GroupKey, Vec<EventKey>> = BTreeMap::new();
    // What one call gives goes to one group, so that the map is asked once a call.
    for call in evidence.reads.chunk_by(|read, next| read.group == next.group && read.line == next.line) {
        if let Some(group) = call[0].group {
            let events = given.entry(group).or_default();
            events.extend(call.iter().filter(|read| is_given(read)).map(|read| read.event));
        }
    }
    given
}

/// Every group in every partition that was given to it, delivered to it or committed by it.
///
/// A partition that a group never touched is not held against it: nobody knows that it should have. O(n log n).
pub(crate) fn coverage(evidence: &Evidence) -> Coverages {
    let mut all = Coverages::new();
    for change in &evidence.moves {
        if let (Some(group), MoveKind::Assign(partitions)) = (change.group, &change.kind) {
            for partition in partitions {
                touch(&mut all, group, *partition, change.line);
            }
        }
    }
    for commit in &evidence.commits {
        if let Some(group) = commit.group {
            touch(&mut all, group, commit.partition, commit.begin);
        }
    }
    let mut place = 0;
    for batch in evidence.batches() {
        let first = &batch[0];
        if let Some(group) = first.group.filter(|_| !first.has_failed) {
            let coverage = touch(&mut all, group, first.partition, first.begin);
            (place..).zip(batch).for_each(|(place, read)| coverage.take(place, read, evidence));
        }
        place += batch.len();
    }
    all
}

fn touch(all: &mut Coverages, group: GroupKey, partition: PartitionKey, line: u64) -> &mut Coverage {
    let new = Coverage { began: line, lowest: None, highest: None, latest: None, drained_to: None };
    let coverage = all.entry((group, partition)).or_insert(new);
    coverage.began = coverage.began.min(line);
    coverage
}

impl Coverage {
    /// Takes a delivery that did not fail.
    fn take(&mut self, place: usize, read: &Read, evidence: &Evidence) {
        self.latest = Some(place);
        let sent = |event| evidence.first_try(event).map(|attempt| attempt.begin);
        if read.is_ok && read.phase == Phase::Drain && self.drained_to.and_then(sent) < sent(read.event) {
            self.drained_to = Some(read.event);
        }
        let Some(offset) = read.offset else { return };
        if read.is_ok {
            self.lowest = Some(self.lowest.map_or(offset, |lowest| lowest.min(offset)));
        }
        if self.highest.is_none_or(|(highest, _)| highest < offset) {
            self.highest = Some((offset, place));
        }
    }
}
