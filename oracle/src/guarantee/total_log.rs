//! Total log: an offset holds one event, for everybody, for ever.
//!
//! * `inconsistent-offsets`: two events stand at one offset of a partition, by whatever was acknowledged or read.
//! * `invalid-offset`: an offset below zero; or an acknowledgement that names an offset at which the log is read to
//!   hold another event, while its own event is read elsewhere: the acknowledgement was wrong, not the log.
//!
//! * `offset-regression`: an event stands below another one that was acknowledged to another process before it was sent,
//!   by the first send of it that did not fail: a system that knows again what is sent again tells where that one put it.
//!   What the log lost proves nothing, and after a fall only later acknowledgements count.
//! * `replica-divergence`: an event that the final read of one node (`x.node`) holds, and that of another, which has
//!   something before it and something after it, does not.
//! * `retention-violation`: an event that is read below where its log was trimmed to.
//! * `compaction-violation`: the last event of a key, of those below where its log was compacted to, that is lost.
//!
//! Source: Jepsen, kafka: `inconsistent-offsets`; Bufstream 0.1.0 for spurious offsets (Jepsen's analysis of it).
//! Cost: O(n log n) in what stands in the logs.
//!
//! ```text
//! send a ok at 0 · poll p: 0 b             a and b at offset 0
//! poll p: -1 a                             an offset below zero
//! send a ok at 5 · then send b ok at 3     b stands before a, and came after it
//! ```

mod compaction;
mod regression;
mod replica;
mod retention;

use std::collections::HashSet;

use lawspeaker_history::{Guarantee, Offset};

use crate::Anomaly;
use crate::case::{Found, Line};
use crate::evidence::{Attempt, EventKey, Evidence, PartitionKey, Read, Standing};
use crate::explain;
use crate::results::Results;

/// How many events at one offset the sentence names; the lines tell all.
const EVENTS_TOLD: usize = 4;

/// Looks for all of them; `lost` is what the log lost.
pub(crate) fn check(evidence: &Evidence, lost: &HashSet<EventKey>, results: &mut Results) {
    regression::check(evidence, lost, results);
    retention::check(evidence, results);
    compaction::check(evidence, lost, results);
    replica::check(evidence, results);
    let standings = evidence.log.standings();
    let is_same_place =
        |first: &Standing, next: &Standing| (first.partition, first.offset) == (next.partition, next.offset);
    for place in standings.chunk_by(is_same_place) {
        if place.len() > 1 {
            results.add(conflict(place, evidence));
            wrong_acknowledgements(place, evidence, results);
        }
    }
    negative_offsets(evidence, results);
    results.checked(Anomaly::InconsistentOffsets, standings.len(), "placed event");
    results.checked(Anomaly::InvalidOffset, standings.len(), "placed event");
    if standings.is_empty() {
        results.undecided(Guarantee::TotalLog, "no event has an offset");
    }
}

fn conflict(place: &[Standing], evidence: &Evidence) -> Found {
    let Standing { partition, offset, .. } = place[0];
    let mut by_line: Vec<&Standing> = place.iter().collect();
    by_line.sort_by_key(|standing| standing.line);
    let mut names: Vec<_> = by_line
        .iter()
        .take(EVENTS_TOLD)
        .map(|standing| format!("event {} (line {})", evidence.names.events[standing.event], standing.line))
        .collect();
    if let Some(more) = by_line.len().checked_sub(EVENTS_TOLD).filter(|more| *more > 0) {
        names.push(format!("{} more", explain::count(more)));
    }
    let sentence = format!(
        "{} events stand at offset {offset} of {}: {}",
        explain::count(place.len()),
        evidence.names.partitions[partition],
        explain::list(&names),
    );
    let lines = by_line.iter().map(|standing| explain::standing(standing, evidence)).collect();
    Found::new(Anomaly::InconsistentOffsets, sentence, lines)
        .at(partition, Some(offset))
        .events(by_line.iter().map(|standing| standing.event))
}

fn negative_offsets(evidence: &Evidence, results: &mut Results) {
    let found_at = |partition: PartitionKey, offset: Option<Offset>, line: &dyn Fn() -> Line| {
        let offset = offset.filter(|offset| !offset.is_valid())?;
        let line = line();
        let partition_name = &evidence.names.partitions[partition];
        let sentence =
            format!("line {} names offset {offset} of {partition_name}, and offsets begin at 0", line.line);
        Some(Found::new(Anomaly::InvalidOffset, sentence, vec![line]).at(partition, Some(offset)))
    };
    for attempt in evidence.attempts.iter().filter(|attempt| attempt.is_acknowledged()) {
        if let Some(found) = found_at(attempt.partition, attempt.offset, &|| explain::send(attempt, evidence))
        {
            results.add(found.event(attempt.event));
        }
    }
    for read in &evidence.reads {
        if let Some(found) = found_at(read.partition, read.offset, &|| explain::read(read, evidence)) {
            results.add(found.event(read.event));
        }
    }
    for commit in &evidence.commits {
        if let Some(found) = found_at(commit.partition, commit.next, &|| explain::commit(commit, evidence)) {
            results.add(found.group(commit.group));
        }
    }
}

/// Of the events at one place, those that nobody read there and somebody read elsewhere, while another was read there.
fn wrong_acknowledgements(place: &[Standing], evidence: &Evidence, results: &mut Results) {
    let Some(holder) = place.iter().find(|standing| standing.is_read) else { return };
    for standing in place.iter().filter(|standing| !standing.is_read) {
        let is_here = |attempt: &&Attempt| {
            attempt.is_acknowledged()
                && (attempt.partition, attempt.offset) == (standing.partition, Some(standing.offset))
        };
        let elsewhere = evidence
            .reads_of(standing.event)
            .find(|read| read.partition == standing.partition && read.offset.is_some_and(Offset::is_valid));
        let attempt = evidence.attempts_of(standing.event).iter().find(is_here);
        if let (Some(attempt), Some(elsewhere)) = (attempt, elsewhere) {
            results.add(wrong_acknowledgement(attempt, standing, holder, elsewhere, evidence));
        }
    }
}

fn wrong_acknowledgement(
    attempt: &Attempt,
    told: &Standing,
    holder: &Standing,
    elsewhere: &Read,
    evidence: &Evidence,
) -> Found {
    let names = &evidence.names;
    let sentence = format!(
        "event {} was acknowledged at offset {} of {} (line {}), where event {} stands; it is read elsewhere (line {})",
        names.events[told.event],
        told.offset,
        names.partitions[told.partition],
        attempt.line(),
        names.events[holder.event],
        elsewhere.line,
    );
    let mut lines = vec![
        explain::send(attempt, evidence),
        explain::standing(holder, evidence),
        explain::read(elsewhere, evidence),
    ];
    lines.sort_by_key(|line| line.line);
    Found::new(Anomaly::InvalidOffset, sentence, lines)
        .at(told.partition, Some(told.offset))
        .event(told.event)
}
