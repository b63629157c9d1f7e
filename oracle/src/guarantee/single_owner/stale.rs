//! `stale-generation`: what an older generation did was accepted.

use std::collections::HashMap;

use lawspeaker_history::Generation;

use crate::case::{Found, Line};
use crate::evidence::{Evidence, GroupKey, MoveKind, ProcessKey};
use crate::results::Results;
use crate::{Anomaly, explain};

/// The generations that a group came to, each with the line of the assignment that shows it; both only rise.
type Generations = Vec<(u64, Generation, ProcessKey)>;

pub(super) fn check(evidence: &Evidence, results: &mut Results) {
    let mut reached: HashMap<GroupKey, Generations> = HashMap::new();
    for change in evidence.moves.iter().filter(|change| matches!(change.kind, MoveKind::Assign(_))) {
        let (Some(group), Some(generation)) = (change.group, change.generation) else { continue };
        let generations = reached.entry(group).or_default();
        if generations.last().is_none_or(|(_, latest, _)| *latest < generation) {
            generations.push((change.line, generation, change.process));
        }
    }
    let latest = |group: GroupKey, line: u64| {
        let generations = reached.get(&group)?;
        generations.get(generations.partition_point(|(since, ..)| *since < line).checked_sub(1)?)
    };
    let mut count = 0;
    let sets = evidence.commits.iter().filter(|commit| !commit.is_fetched);
    for commit in sets {
        let (Some(group), Some(generation)) = (commit.group, commit.generation) else { continue };
        let Some((since, current, member)) = latest(group, commit.begin) else { continue };
        count += 1;
        if generation < *current {
            let line = explain::commit(commit, evidence);
            let found = stale(group, generation, (*since, *current, *member), line, evidence);
            let found =
                found.at(commit.partition, commit.next).process(&evidence.names.processes[commit.process]);
            results.add(found.ordered_by_line_if(commit.is_later_by_line(*member)));
        }
    }
    results.checked(Anomaly::StaleGeneration, count, "commit");
    let mut count = 0;
    for row in &evidence.acknowledgements {
        let (Some(group), Some(generation)) = (row.group, row.generation) else { continue };
        let Some((since, current, member)) = latest(group, row.begin) else { continue };
        count += 1;
        // Whoever is not told whether it was taken may have been refused.
        if generation < *current && row.is_confirmed {
            let line = explain::acknowledgement(row, evidence);
            let found = stale(group, generation, (*since, *current, *member), line, evidence);
            let found = found.at(row.partition, row.offset).process(&evidence.names.processes[row.process]);
            results.add(found.ordered_by_line_if(row.begin == row.line && row.process != *member));
        }
    }
    results.checked(Anomaly::StaleGeneration, count, "acknowledgement");
}

fn stale(
    group: GroupKey,
    generation: Generation,
    (since, current, member): (u64, Generation, ProcessKey),
    accepted: Line,
    evidence: &Evidence,
) -> Found {
    let names = &evidence.names;
    let group_name = &names.groups[group];
    let sentence = format!(
        "group {group_name} was in generation {current} (line {since}), and what came from generation {generation} was \
         accepted (line {})",
        accepted.line,
    );
    let said = format!(
        "process {} was assigned partitions of group {group_name} in generation {current}",
        names.processes[member]
    );
    let accepted_on = accepted.line;
    Found::new(Anomaly::StaleGeneration, sentence, vec![Line { line: since, said }, accepted])
        .group(Some(group))
        .since(accepted_on)
}
