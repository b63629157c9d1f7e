//! `group-loss`: an acknowledged event that a consumer group never received.

use std::collections::{HashMap, HashSet};

use lawspeaker_history::{Guarantee, Offset};

use crate::case::{Found, Line};
use crate::evidence::{
    Attempt, Commit, Coverage, Coverages, EventKey, Evidence, GroupKey, Key, MoveKind, PartitionKey, Read,
    given,
};
use crate::results::Results;
use crate::{Anomaly, explain};

/// Judges every acknowledged event for every group that reads its partition; answers with those that are lost to one.
pub(super) fn check(evidence: &Evidence, groups: &Coverages, results: &mut Results) -> HashSet<EventKey> {
    let given = given(evidence, |read| !read.has_failed);
    // The last of the groups, which come one after the other, that an event was given to.
    let mut given_to: Vec<Option<GroupKey>> = vec![None; evidence.names.events.len()];
    let mut latest_group = None;
    let mut by_partition: Vec<Vec<(EventKey, &Attempt)>> = vec![Vec::new(); evidence.names.partitions.len()];
    for (event, attempt) in evidence.acknowledged() {
        by_partition[attempt.partition.place()].push((event, attempt));
    }
    let commits = Commits::by_group(evidence);
    let mut lost = HashSet::new();
    let (mut judged_count, mut early_count, mut skipped_count, mut pending_count) = (0, 0, 0, 0);
    for ((group, partition), coverage) in groups {
        if latest_group.replace(*group) != Some(*group) {
            let events = given.get(group).into_iter().flatten();
            events.for_each(|event| given_to[event.place()] = Some(*group));
        }
        let left = abandonment(*group, *partition, evidence);
        let commits = commits.get(&(*group, *partition));
        for (event, attempt) in &by_partition[partition.place()] {
            if given_to[event.place()] == Some(*group) {
                judged_count += 1;
                continue;
            }
            let is_below = |offset: Offset| coverage.lowest.is_some_and(|lowest| offset < lowest);
            let is_below_where_it_began = attempt.offset.is_some_and(is_below);
            if is_below_where_it_began && evidence.may_precede(*event, coverage.began) {
                early_count += 1;
                continue;
            }
            if attempt.offset.is_some_and(|offset| evidence.skips.cover(*group, *partition, offset)) {
                skipped_count += 1;
                continue;
            }
            let passed = attempt.offset.and_then(|offset| commits?.past(offset));
            let drained_past = drained_past(attempt, coverage, evidence);
            if passed.is_none() && drained_past.is_none() && !evidence.extent.is_drained() {
                pending_count += 1;
                continue;
            }
            judged_count += 1;
            lost.insert(*event);
            let rests_on_drain = passed.is_none() && !evidence.extent.is_drained();
            let owed = Owed { event: *event, attempt, group: *group, coverage, passed, left: left.as_ref() };
            let is_guess =
                drained_past.is_some_and(|next| rests_on_drain && next.is_later_by_line(attempt.process));
            results.add(group_loss(&owed, evidence).ordered_by_line_if(is_guess));
        }
    }
    results.checked(Anomaly::GroupLoss, judged_count, "acknowledged event");
    if early_count > 0 {
        let reason = format!(
            "{} sent before the first sight of a group and below where it began: it may have begun at the end of the log",
            explain::counted(early_count, "event"),
        );
        results.undecided(Guarantee::AtLeastOnce, reason);
    }
    if skipped_count > 0 {
        let reason = format!(
            "{} that a member of a group passed over by a `seek`",
            explain::counted(skipped_count, "event"),
        );
        results.undecided(Guarantee::AtLeastOnce, reason);
    }
    if pending_count > 0 {
        let reason = format!(
            "{} not delivered to a group when the recording ends: no drain is known to have gone past them, no final \
             read follows, and the header does not say that the recording is complete",
            explain::counted(pending_count, "acknowledged event"),
        );
        results.undecided(Guarantee::AtLeastOnce, reason);
    }
    lost
}

/// A send invoked after `attempt` was acknowledged, whose event the group was given while it was drained.
fn drained_past<'a>(attempt: &Attempt, coverage: &Coverage, evidence: &'a Evidence) -> Option<&'a Attempt> {
    if evidence.extent.complete == Some(false) {
        return None;
    }
    evidence.first_try(coverage.drained_to?).filter(|next| next.begin > attempt.line())
}

/// The commits of one group in one partition; each entry is the highest of those up to it.
#[derive(Default)]
struct Commits<'a>(Vec<(Offset, &'a Commit)>);

impl<'a> Commits<'a> {
    fn by_group(evidence: &'a Evidence) -> HashMap<(GroupKey, PartitionKey), Commits<'a>> {
        let mut all: HashMap<_, Commits<'a>> = HashMap::new();
        for commit in evidence.commits.iter().filter(|commit| !commit.is_fetched) {
            let (Some(group), Some(next)) = (commit.group, commit.next) else { continue };
            let commits = &mut all.entry((group, commit.partition)).or_default().0;
            if commits.last().is_none_or(|(highest, _)| *highest < next) {
                commits.push((next, commit));
            }
        }
        all
    }

    /// The first commit past `offset`.
    fn past(&self, offset: Offset) -> Option<&'a Commit> {
        self.0.get(self.0.partition_point(|(next, _)| *next <= offset)).map(|(_, commit)| *commit)
    }
}

/// An event that a group should have received.
struct Owed<'a> {
    event: EventKey,
    attempt: &'a Attempt,
    group: GroupKey,
    coverage: &'a Coverage,
    passed: Option<&'a Commit>,
    /// How the group left the partition, if nobody reads it any more.
    left: Option<&'a Line>,
}

fn group_loss(owed: &Owed<'_>, evidence: &Evidence) -> Found {
    let Owed { event, attempt, group, coverage, passed, left } = owed;
    let names = &evidence.names;
    let (partition, group_name) = (&names.partitions[attempt.partition], &names.groups[*group]);
    let mut lines = vec![explain::send(attempt, evidence)];
    let beyond = coverage
        .highest
        .filter(|(highest, _)| attempt.offset.is_some_and(|offset| offset < *highest))
        .map(|(_, place)| &evidence.reads[place]);
    let latest = coverage.latest.map(|place| &evidence.reads[place]);
    let how = if let Some(commit) = passed {
        lines.push(explain::commit(commit, evidence));
        format!("which committed a position past it (line {})", commit.line)
    } else if let (Some(beyond), Some(offset)) = (beyond, attempt.offset) {
        let later = first_delivery_past(offset, attempt, *group, evidence).unwrap_or(beyond);
        lines.push(explain::read(later, evidence));
        if (attempt.begin..attempt.line()).contains(&later.line) {
            lines.push(explain::began(attempt, evidence));
            format!("which went on to a later one (line {}) while the send was still open", later.line)
        } else {
            format!("which was given later ones (line {})", later.line)
        }
    } else if let Some(latest) = latest {
        lines.extend(
            evidence.fault_after(attempt.line()).filter(|fault| fault.line < latest.line).map(explain::fault),
        );
        lines.push(explain::read(latest, evidence));
        lines.extend(left.cloned());
        format!("whose last delivery from {partition} is on line {}", latest.line)
    } else {
        lines.extend(left.cloned());
        format!("which received nothing from {partition} at all")
    };
    lines.sort_by_key(|line| line.line);
    let place = attempt.offset.map_or_else(String::new, |offset| format!(" at offset {offset}"));
    let sentence = format!(
        "event {} was acknowledged in {partition}{place} (line {}) and never reached group {group_name}, {how}",
        names.events[*event],
        attempt.line(),
    );
    Found::new(Anomaly::GroupLoss, sentence, lines)
        .at(attempt.partition, attempt.offset)
        .group(Some(*group))
        .event(*event)
        .excused_if(evidence.may_be_aborted(*event))
}

/// The delivery to the group that stands next after the lost event in the log.
fn first_delivery_past<'a>(
    offset: Offset,
    attempt: &Attempt,
    group: GroupKey,
    evidence: &'a Evidence,
) -> Option<&'a Read> {
    /// How many neighbours are looked at before a farther delivery does as well.
    const NEIGHBOURS: usize = 64;
    let mut standings = evidence.log.after(attempt.partition, offset).iter().take(NEIGHBOURS);
    standings.find_map(|standing| {
        evidence.reads_of(standing.event).find(|read| read.group == Some(group) && !read.has_failed)
    })
}

/// The line after which no member held the partition, if that is how the recording ends.
fn abandonment(group: GroupKey, partition: PartitionKey, evidence: &Evidence) -> Option<Line> {
    let mut changes = evidence.moves.iter().rev().filter(|change| change.group == Some(group));
    let last = changes.find(|change| match &change.kind {
        MoveKind::Assign(partitions) | MoveKind::Revoke(partitions) => partitions.contains(&partition),
        _ => false,
    })?;
    let (partition, process) =
        (&evidence.names.partitions[partition], &evidence.names.processes[last.process]);
    matches!(last.kind, MoveKind::Revoke(_)).then(|| Line {
        line: last.line,
        said: format!("process {process} gave up {partition}, and nobody took it after that"),
    })
}
