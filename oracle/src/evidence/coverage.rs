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
pub(crate) fn coverage(evidence: &Evidence) -> BTreeMap<(GroupKey, PartitionKey), Coverage> {
    let mut all: BTreeMap<(GroupKey, PartitionKey), Coverage> = BTreeMap::new();
    let mut touch = |group, partition, line: u64| {
        let new = Coverage { began: line, lowest: None, highest: None, latest: None, drained_to: None };
        let coverage = all.entry((group, partition)).or_insert(new);
        coverage.began = coverage.began.min(line);
    };
    for change in &evidence.moves {
        if let (Some(group), MoveKind::Assign(partitions)) = (change.group, &change.kind) {
            partitions.iter().for_each(|partition| touch(group, *partition, change.line));
        }
    }
    for commit in &evidence.commits {
        if let Some(group) = commit.group {
            touch(group, commit.partition, commit.begin);
        }
    }
    for read in evidence.reads.iter().filter(|read| !read.has_failed) {
        if let Some(group) = read.group {
            touch(group, read.partition, read.begin);
        }
    }
    for (place, read) in evidence.reads.iter().enumerate().filter(|(_, read)| !read.has_failed) {
        let Some(coverage) = read.group.and_then(|group| all.get_mut(&(group, read.partition))) else {
            continue;
        };
        coverage.latest = Some(place);
        let sent = |event| evidence.attempts_of(event).first().map(|attempt| attempt.begin);
        if read.is_ok && read.phase == Phase::Drain && coverage.drained_to.and_then(sent) < sent(read.event) {
            coverage.drained_to = Some(read.event);
        }
        if let Some(offset) = read.offset {
            if read.is_ok {
                coverage.lowest = Some(coverage.lowest.map_or(offset, |lowest| lowest.min(offset)));
            }
            if coverage.highest.is_none_or(|(highest, _)| highest < offset) {
                coverage.highest = Some((offset, place));
            }
        }
    }
    all
}
