//! Single owner: a partition has one owner a generation, and stale owners are refused.
//!
//! * `dual-owner`: a member is assigned a partition that another member of its group still holds. A member holds what
//!   its last assignment named until a revocation, another assignment or its crash.
//!
//! That a removed member has not yet heard of its removal is legal in Kafka while its commits are refused. So it is a
//! violation where both were assigned in one generation, or where a commit that the stale owner invoked after the new
//! assignment was accepted; otherwise the system is excused and it is a note. Assignments that add to the ones before
//! (cooperative rebalancing) are read as replacing them, which finds less and accuses nobody falsely.
//!
//! * `stale-generation`: a commit or an acknowledgement was accepted from a generation (`x.gen`) before the latest that a
//!   member of its group had been assigned when it was invoked.
//! * `early-redelivery`: an event that a member had in hand was given to another one before `ack-wait-ms` of the profile
//!   was over, and nothing that is recorded explains it.
//!
//! * `zombie-write`: an event of a producer's epoch (`x.pid`, `x.epoch`) was acknowledged that was sent after a `fence` of
//!   the producer at a later epoch had succeeded.
//! * `foreign-delivery`: a member was given an event, by a call that began after its group had taken the partition from it,
//!   or that its group had never given it, though its assignments are recorded. Assignments are taken to add to those
//!   before them, which finds less.
//!
//! Source: ours; Kafka's generation fencing; the visibility timeout of SQS. Cost: O(n log n) in assignments, plus commits
//! in the overlaps, and O(n log n) in commits, acknowledgements and deliveries.
//!
//! ```text
//! 1 assigned p · 2 assigned p · 1 commits p ok        and 1 never gave p up
//! 2 assigned p in generation 4 · 1 commits p in generation 3 ok
//! ```

mod early;
mod foreign;
mod stale;
mod zombie;

use std::collections::HashMap;

use lawspeaker_history::{Generation, Guarantee};

use crate::case::{Found, Line};
use crate::evidence::{Commit, Evidence, GroupKey, Move, MoveKind, PartitionKey, ProcessKey};
use crate::explain;
use crate::results::Results;
use crate::{Anomaly, Profile};

/// How many holders of one partition are remembered: a recording that holds no revocations would else pair every
/// member with every one before it.
const HOLDERS_KEPT: usize = 4;

/// A member that holds a partition.
#[derive(Clone, Copy)]
struct Hold {
    process: ProcessKey,
    since: u64,
    generation: Option<Generation>,
}

/// Two members that hold partitions at once.
struct Overlap {
    group: GroupKey,
    partitions: Vec<PartitionKey>,
    stale: Hold,
    fresh: Hold,
    /// What both still hold.
    shared: Vec<PartitionKey>,
    /// What ended it.
    end: Option<Line>,
}

/// Looks for all of them.
pub(crate) fn check(evidence: &Evidence, profile: &Profile, results: &mut Results) {
    dual(evidence, results);
    stale::check(evidence, results);
    early::check(evidence, profile, results);
    zombie::check(evidence, results);
    foreign::check(evidence, results);
    if !results.has_checked(Guarantee::SingleOwner) {
        results.undecided(
            Guarantee::SingleOwner,
            "no assignment of a partition to a member of a group recorded",
        );
    }
}

fn dual(evidence: &Evidence, results: &mut Results) {
    let mut assignment_count = 0;
    let mut holders: HashMap<(GroupKey, PartitionKey), Vec<Hold>> = HashMap::new();
    let mut overlaps: Vec<Overlap> = Vec::new();
    for change in &evidence.moves {
        let released: Box<dyn Fn(&PartitionKey) -> bool> = match &change.kind {
            MoveKind::Revoke(partitions) => Box::new(|partition| partitions.contains(partition)),
            MoveKind::Assign(_) | MoveKind::Crash => Box::new(|_| true),
            MoveKind::Subscribe(_) | MoveKind::Seek => continue,
        };
        for ((group, partition), holds) in &mut holders {
            if (change.group.is_none() || change.group == Some(*group)) && released(partition) {
                holds.retain(|hold| hold.process != change.process);
            }
        }
        close(&mut overlaps, change, &released, evidence);
        if let (MoveKind::Assign(partitions), Some(group)) = (&change.kind, change.group) {
            assignment_count += usize::from(!partitions.is_empty());
            let fresh = Hold { process: change.process, since: change.line, generation: change.generation };
            for partition in partitions {
                let holds = holders.entry((group, *partition)).or_default();
                holds.iter().for_each(|stale| join(&mut overlaps, group, *partition, *stale, fresh));
                holds.push(fresh);
                holds.drain(..holds.len().saturating_sub(HOLDERS_KEPT));
            }
        }
    }
    overlaps.iter().for_each(|overlap| results.add(dual_owner(overlap, evidence)));
    results.checked(Anomaly::DualOwner, assignment_count, "assignment");
}

/// Partitions that two members come to share by one assignment are one overlap.
fn join(overlaps: &mut Vec<Overlap>, group: GroupKey, partition: PartitionKey, stale: Hold, fresh: Hold) {
    let is_same = |overlap: &&mut Overlap| {
        (overlap.stale.process, overlap.fresh.process, overlap.fresh.since)
            == (stale.process, fresh.process, fresh.since)
    };
    match overlaps.iter_mut().rev().find(is_same) {
        Some(overlap) => {
            overlap.partitions.push(partition);
            overlap.shared.push(partition);
        }
        None => {
            let partitions = vec![partition];
            overlaps.push(Overlap { group, shared: partitions.clone(), partitions, stale, fresh, end: None });
        }
    }
}

fn close(
    overlaps: &mut [Overlap],
    change: &Move,
    is_released: &dyn Fn(&PartitionKey) -> bool,
    evidence: &Evidence,
) {
    let how = if matches!(change.kind, MoveKind::Crash) { "crashed" } else { "gave them up" };
    for overlap in overlaps.iter_mut().filter(|overlap| overlap.end.is_none()) {
        if [overlap.stale.process, overlap.fresh.process].contains(&change.process) {
            overlap.shared.retain(|partition| !is_released(partition));
        }
        if overlap.shared.is_empty() {
            let said = format!("process {} {how}", evidence.names.processes[change.process]);
            overlap.end = Some(Line { line: change.line, said });
        }
    }
}

fn dual_owner(overlap: &Overlap, evidence: &Evidence) -> Found {
    let Overlap { group, partitions, stale, fresh, end, .. } = overlap;
    let names = &evidence.names;
    let end_line = end.as_ref().map_or(u64::MAX, |end| end.line);
    let is_accepted = |commit: &&Commit| {
        commit.process == stale.process
            && commit.begin > fresh.since
            && !commit.is_fetched
            && commit.group == Some(*group)
            && partitions.contains(&commit.partition)
    };
    let first = evidence.commits.partition_point(|commit| commit.line <= fresh.since);
    let accepted =
        evidence.commits[first..].iter().take_while(|commit| commit.line < end_line).find(is_accepted);
    let is_one_generation = stale.generation.is_some() && stale.generation == fresh.generation;
    let told: Vec<_> = partitions.iter().map(|partition| names.partitions[*partition].to_string()).collect();
    let (group_name, told) = (&names.groups[*group], explain::list(&told));
    let (old, new) = (&names.processes[stale.process], &names.processes[fresh.process]);
    let mut lines = vec![
        Line { line: stale.since, said: format!("group {group_name} gave {told} to process {old}") },
        Line { line: fresh.since, said: format!("group {group_name} gave {told} to process {new}") },
    ];
    lines.extend(accepted.map(|commit| explain::commit(commit, evidence)));
    lines.extend(end.clone());
    let evidence_of_it = match (accepted, is_one_generation) {
        (Some(commit), _) => format!(", and the stale owner's commit on line {} was accepted", commit.line),
        (None, true) => ", in one generation".to_owned(),
        (None, false) => {
            "; the stale owner may not have heard of it, and no commit of it was accepted".to_owned()
        }
    };
    let sentence = format!(
        "processes {old} and {new} of group {group_name} both held {told} from line {} {}{evidence_of_it}",
        fresh.since,
        end.as_ref().map_or_else(|| "to the end".to_owned(), |end| format!("to line {}", end.line)),
    );
    let mut found = Found::new(Anomaly::DualOwner, sentence, lines)
        .group(Some(*group))
        .process(new)
        .since(fresh.since)
        .excused_if(accepted.is_none() && !is_one_generation)
        .ordered_by_line_if(accepted.is_some_and(|commit| commit.is_later_by_line(fresh.process)));
    found.partitions.extend(partitions);
    found.is_lasting = end.is_none();
    found
}
