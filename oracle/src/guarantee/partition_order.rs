//! Partition order: a consumer sees a partition in offset order, without gaps.
//!
//! * `poll-skip`: between two events that a process reads from a partition one after the other stands a third.
//! * `nonmonotonic-poll`: the second of them does not stand after the first.
//!
//! Both are looked for within one call and from call to call.
//! * `fetch-gap`, `empty-below-hw`: a poll that says from where it asked is given a later event first, or nothing, though
//!   one surely stood there.
//! * `resume-violation`: such a poll is given an earlier event first.
//!
//! Offsets at which nothing is known to stand are no gap: transaction markers and compaction leave such.
//!
//! Source: Jepsen, kafka: `poll-skip`, `nonmonotonic-poll` and their `int-` forms. As there, only a read that
//! completed moves the cursor, and an assignment outside a group forgets the partitions that are not in it.
//! For groups we look closer than Jepsen, which suppresses both under `subscribe`: a member's cursor is forgotten
//! at each assignment, revocation, subscription and crash; without recorded assignments a rebalance could stand
//! between any two calls, and only single calls are judged. Competing consumers are not judged at all.
//! Cost: O(n log n) in reads.
//!
//! ```text
//! poll p: 0 a · poll p: 2 c       and b is known to stand at 1: a skip
//! poll p: 1 b · poll p: 0 a       a step back
//! ```

mod fetch;

use lawspeaker_history::{Guarantee, Offset};

use crate::case::Found;
use crate::evidence::{EventKey, Evidence, MoveKind, PartitionKey, ProcessKey, Read};
use crate::hash::{HashMap, HashSet};
use crate::results::Results;
use crate::{Anomaly, Profile, explain};

/// How many events a skip names: readers that jump to and fro over the whole log would else cost its square.
const SKIPPED_KEPT: usize = 1_000;

/// Where each process stands in each partition.
#[derive(Default)]
struct Cursors<'a> {
    latest: HashMap<(ProcessKey, PartitionKey), &'a Read>,
    /// What each process reads, to forget it without a scan of all.
    partitions: HashMap<ProcessKey, HashSet<PartitionKey>>,
    /// Members whose assignments are recorded.
    assigned: HashSet<ProcessKey>,
    /// Processes that their group may move at any time.
    subscribed: HashSet<ProcessKey>,
}

impl<'a> Cursors<'a> {
    fn forget(&mut self, process: ProcessKey, is_forgotten: impl Fn(&PartitionKey) -> bool) {
        let Some(partitions) = self.partitions.get_mut(&process) else { return };
        partitions.retain(|partition| {
            let is_kept = !is_forgotten(partition);
            if !is_kept {
                self.latest.remove(&(process, *partition));
            }
            is_kept
        });
    }

    fn change(&mut self, change: &crate::evidence::Move) {
        let process = change.process;
        match &change.kind {
            MoveKind::Assign(partitions) => {
                self.assigned.insert(process);
                self.subscribed.remove(&process);
                let is_member = change.group.is_some();
                self.forget(process, |partition| is_member || !partitions.contains(partition));
            }
            MoveKind::Revoke(partitions) => self.forget(process, |partition| partitions.contains(partition)),
            MoveKind::Subscribe(_) => {
                self.subscribed.insert(process);
                self.forget(process, |_| true);
            }
            MoveKind::Seek | MoveKind::Crash => self.forget(process, |_| true),
        }
    }

    /// The read before `read`, if nothing can have moved the reader between them.
    fn before(&self, read: &Read) -> Option<&'a Read> {
        let previous = *self.latest.get(&(read.process, read.partition))?;
        let is_settled = match read.group {
            Some(_) => self.assigned.contains(&read.process),
            None => !self.subscribed.contains(&read.process),
        };
        (previous.line == read.line || (is_settled && previous.is_ok)).then_some(previous)
    }

    fn advance(&mut self, read: &'a Read) {
        if self.latest.insert((read.process, read.partition), read).is_none() {
            self.partitions.entry(read.process).or_default().insert(read.partition);
        }
    }
}

pub(crate) fn check(evidence: &Evidence, profile: &Profile, results: &mut Results) {
    fetch::check(evidence, results);
    if !results.wants(Anomaly::PollSkip) && !results.wants(Anomaly::NonmonotonicPoll) {
        return;
    }
    let is_competing =
        |read: &Read| read.is_handed_out || profile.has_competing_consumers && read.group.is_some();
    let mut cursors = Cursors::default();
    let mut changes = evidence.moves.iter().peekable();
    let mut step_count = 0;
    let reads: Vec<&Read> = evidence.reads.iter().filter(|read| !is_competing(read)).collect();
    for call in reads.chunk_by(|first, next| first.line == next.line) {
        while let Some(change) = changes.next_if(|change| change.line < call[0].line) {
            cursors.change(change);
        }
        let before_call = cursors.latest_of(call);
        for read in call {
            let (Some(offset), Some(previous)) = (read.offset, cursors.before(read)) else {
                if read.offset.is_some() {
                    cursors.advance(read);
                }
                continue;
            };
            step_count += 1;
            if let Some(from) = previous.offset {
                step((previous, from), (read, offset), evidence, results);
            }
            cursors.advance(read);
        }
        if !call[0].is_ok {
            cursors.restore(before_call);
        }
    }
    results.checked(Anomaly::PollSkip, step_count, "reader step");
    results.checked(Anomaly::NonmonotonicPoll, step_count, "reader step");
    if step_count == 0 {
        results.undecided(Guarantee::PartitionOrder, "no reader of a whole partition took two steps in it");
    }
}

impl<'a> Cursors<'a> {
    /// The cursors that `call` may move.
    fn latest_of(&self, call: &[&'a Read]) -> Vec<((ProcessKey, PartitionKey), Option<&'a Read>)> {
        if call[0].is_ok {
            return Vec::new();
        }
        let keys = call.iter().map(|read| (read.process, read.partition));
        keys.map(|key| (key, self.latest.get(&key).copied())).collect()
    }

    /// Undoes a call that did not complete.
    fn restore(&mut self, before: Vec<((ProcessKey, PartitionKey), Option<&'a Read>)>) {
        for (key, read) in before {
            match read {
                Some(read) => self.latest.insert(key, read),
                None => self.latest.remove(&key),
            };
        }
    }
}

fn step(
    (previous, from): (&Read, Offset),
    (read, to): (&Read, Offset),
    evidence: &Evidence,
    results: &mut Results,
) {
    let names = &evidence.names;
    if !from.is_valid() || !to.is_valid() || to == from.next() {
        return;
    }
    let lines = || vec![explain::read(previous, evidence), explain::read(read, evidence)];
    let (process, partition) = (&names.processes[read.process], &names.partitions[read.partition]);
    if to <= from {
        let sentence = format!(
            "process {process} stepped back in {partition}, from offset {from} (line {}) to {to} (line {})",
            previous.line, read.line
        );
        let found = Found::new(Anomaly::NonmonotonicPoll, sentence, lines())
            .at(read.partition, Some(to))
            .group(read.group)
            .event(read.event)
            .involving([previous.event])
            .process(process);
        return results.add(found);
    }
    let mut skipped: Vec<EventKey> = evidence
        .log
        .between(read.partition, Some(from), to)
        .iter()
        .take(SKIPPED_KEPT)
        .filter(|standing| evidence.is_to_be_found(standing))
        .map(|standing| standing.event)
        .collect();
    skipped.dedup();
    let Some(first) = skipped.first() else { return };
    let first =
        evidence.log.between(read.partition, Some(from), to).iter().find(|standing| standing.event == *first);
    let mut lines = lines();
    lines.extend(first.map(|standing| explain::standing(standing, evidence)));
    lines.sort_by_key(|line| line.line);
    let sentence = format!(
        "process {process} read {partition} from offset {from} (line {}) on to {to} (line {}) and stepped over {}",
        previous.line,
        read.line,
        explain::events(&skipped, evidence),
    );
    let skipped_at = first.map_or(to, |standing| standing.offset);
    let may_be_aborted = skipped.iter().all(|event| evidence.may_be_aborted(*event));
    let found = Found::new(Anomaly::PollSkip, sentence, lines)
        .excused_if(may_be_aborted)
        .at(read.partition, Some(skipped_at))
        .group(read.group)
        .events(skipped)
        .involving([previous.event, read.event])
        .process(process);
    results.add(found);
}
