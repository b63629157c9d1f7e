//! `commit-ahead`: done with what was never received.

use lawspeaker_history::Offset;

use crate::case::Found;
use crate::evidence::{Commit, Coverage, Coverages, EventKey, Evidence, GroupKey, PartitionKey, Standing};
use crate::hash::{HashMap, HashSet};
use crate::results::Results;
use crate::{Anomaly, explain};

/// Compares every commit with what the group had received before it.
pub(super) fn check_commits(evidence: &Evidence, groups: &Coverages, results: &mut Results) {
    let mut highest: HashMap<(GroupKey, PartitionKey), Offset> = HashMap::default();
    let mut batches = evidence.batches().filter(|batch| !batch[0].has_failed).peekable();
    let mut commit_count = 0;
    for commit in evidence.commits.iter().filter(|commit| !commit.is_fetched) {
        while let Some(batch) = batches.next_if(|batch| batch[0].line < commit.line) {
            let furthest = batch.iter().filter_map(|read| read.offset).max();
            if let (Some(group), Some(offset)) = (batch[0].group, furthest) {
                let reached = highest.entry((group, batch[0].partition)).or_insert(offset);
                *reached = offset.max(*reached);
            }
        }
        let (Some(group), Some(next)) = (commit.group, commit.next) else { continue };
        let Some(coverage) =
            groups.get(&(group, commit.partition)).filter(|coverage| coverage.latest.is_some())
        else {
            continue;
        };
        commit_count += 1;
        let reached = highest.get(&(group, commit.partition)).copied();
        if reached.is_some_and(|reached| next <= reached.next()) {
            continue;
        }
        let passed: Vec<&Standing> = evidence
            .log
            .between(commit.partition, reached, next)
            .iter()
            .filter(|standing| evidence.is_to_be_found(standing))
            .filter(|standing| reached.is_some() || is_owed(standing, coverage, evidence))
            .filter(|standing| !evidence.skips.cover(group, commit.partition, standing.offset))
            .collect();
        let end = evidence.log.end(commit.partition);
        let is_past_end = !evidence.extent.has_transactions
            && end.is_some_and(|end| end.next() < next && reached <= Some(end));
        if !passed.is_empty() || is_past_end {
            results.add(commit_ahead(commit, reached, &passed, evidence));
        }
        // What was passed is told once.
        highest.insert((group, commit.partition), before(next));
    }
    results.checked(Anomaly::CommitAhead, commit_count, "commit");
}

/// Looks for acknowledgements of what never was a delivery.
pub(super) fn check_acknowledgements(evidence: &Evidence, results: &mut Results) {
    if evidence.acknowledgements.is_empty() {
        return;
    }
    let mut first_delivery: HashMap<(GroupKey, EventKey), u64> = HashMap::default();
    let mut receiving: HashSet<GroupKey> = HashSet::default();
    for read in evidence.reads.iter().filter(|read| !read.has_failed) {
        if let Some(group) = read.group {
            receiving.insert(group);
            first_delivery.entry((group, read.event)).or_insert(read.line);
        }
    }
    let mut count = 0;
    for row in &evidence.acknowledgements {
        let (Some(group), Some(event)) = (row.group, row.event) else { continue };
        if !receiving.contains(&group) {
            continue;
        }
        count += 1;
        let delivery = first_delivery.get(&(group, event)).copied();
        if delivery.is_some_and(|line| line <= row.line) {
            continue;
        }
        let sentence = format!(
            "process {} acknowledged event {} for group {} (line {}), and the group had never received it",
            evidence.names.processes[row.process],
            evidence.names.events[event],
            evidence.names.groups[group],
            row.line,
        );
        let found = Found::new(Anomaly::CommitAhead, sentence, vec![explain::acknowledgement(row, evidence)])
            .at(row.partition, row.offset)
            .group(Some(group))
            .event(event)
            .process(&evidence.names.processes[row.process]);
        results.add(found);
    }
    results.checked(Anomaly::CommitAhead, count, "delivery acknowledgement");
}

/// Whether a group that has received nothing yet was owed an event.
fn is_owed(standing: &Standing, coverage: &Coverage, evidence: &Evidence) -> bool {
    let is_later = match evidence.attempts_of(standing.event) {
        [] => standing.line > coverage.began,
        _ => !evidence.may_precede(standing.event, coverage.began),
    };
    is_later || coverage.lowest.is_some_and(|lowest| lowest <= standing.offset)
}

/// What a commit at `next` says is done, as far as a number can tell.
fn before(next: Offset) -> Offset {
    next.number().and_then(|number| Offset::new(number - 1).ok()).unwrap_or(next)
}

fn commit_ahead(
    commit: &Commit,
    reached: Option<Offset>,
    passed: &[&Standing],
    evidence: &Evidence,
) -> Found {
    let names = &evidence.names;
    let group = commit.group.map_or_else(String::new, |group| names.groups[group].to_string());
    let events: Vec<EventKey> = passed.iter().map(|standing| standing.event).collect();
    let reached_to = match reached {
        Some(reached) => format!("it had received no further than offset {reached}"),
        None => "it had received nothing".to_owned(),
    };
    let what = match events.as_slice() {
        [] => "past the end of the log".to_owned(),
        events => format!("past {}", explain::events(events, evidence)),
    };
    let sentence = format!(
        "group {group} committed position {} of {} (line {}), {what}, while {reached_to}",
        commit.next.map_or_else(String::new, |next| next.to_string()),
        names.partitions[commit.partition],
        commit.line,
    );
    let mut lines = vec![explain::commit(commit, evidence)];
    lines.extend(passed.first().map(|standing| explain::standing(standing, evidence)));
    lines.sort_by_key(|line| line.line);
    let offset = passed.first().map(|standing| standing.offset).or(commit.next);
    Found::new(Anomaly::CommitAhead, sentence, lines)
        .at(commit.partition, offset)
        .group(commit.group)
        .events(events)
        .process(&names.processes[commit.process])
}
