//! `fetch-gap`, `resume-violation` and `empty-below-hw`: polls that say from which offset they asked, and were given something
//! else. The first poll after a reader of no group, which was assigned its partitions, sought an offset says so too.
//!
//! What was missed is held against a poll only if it surely stood there before the poll began: what a send was told before,
//! or another had read.
//!
//! Source: ours; Kafka's fetch, its high watermark and last stable offset; etcd's watches, which go on where they are asked to.
//! Cost: O(polls that say so, times log n).
//!
//! ```text
//! send a ok at 0 · poll p from 0: 1 b
//! send a ok at 0 · poll p from 0, below 1: nothing
//! poll p from 1: 0 a
//! ```

use lawspeaker_history::Offset;

use crate::case::Found;
use crate::evidence::{Evidence, Fetch, Read, Standing};
use crate::results::Results;
use crate::{Anomaly, explain};

pub(super) fn check(evidence: &Evidence, results: &mut Results) {
    let (mut placed_count, mut empty_count) = (0, 0);
    for fetch in &evidence.fetches {
        if let Some(first) = fetch.first {
            placed_count += 1;
            if let Some(read) = before(fetch, evidence) {
                results.add(again(fetch, read, evidence));
            } else if let Some(standing) = there(fetch, first, evidence) {
                let what = format!("got offset {first} first");
                results.add(missed(Anomaly::FetchGap, fetch, standing, &what, evidence));
            }
        } else if let Some(limit) = fetch.limit.filter(|_| fetch.is_empty) {
            empty_count += 1;
            if let Some(standing) = there(fetch, limit, evidence) {
                let what = format!("got nothing, though everything below {limit} could be read");
                results.add(missed(Anomaly::EmptyBelowHw, fetch, standing, &what, evidence));
            }
        }
    }
    results.checked(Anomaly::FetchGap, placed_count, "placed poll");
    results.checked(Anomaly::ResumeViolation, placed_count, "placed poll");
    results.checked(Anomaly::EmptyBelowHw, empty_count, "empty poll");
}

/// What surely stood from where the poll asked on, and before `end`.
fn there<'a>(fetch: &Fetch, end: Offset, evidence: &'a Evidence) -> Option<&'a Standing> {
    let standings = evidence.log.from(fetch.partition, fetch.from).iter();
    let mut below = standings.take_while(|standing| standing.offset < end);
    below.find(|standing| standing.line < fetch.begin && evidence.is_to_be_found(standing))
}

/// The first event that the poll was given, if it stands before where the poll asked.
fn before<'a>(fetch: &Fetch, evidence: &'a Evidence) -> Option<&'a Read> {
    let first = fetch.first.filter(|first| *first < fetch.from)?;
    let begin = evidence.reads.partition_point(|read| read.line < fetch.line);
    let mut given = evidence.reads[begin..].iter().take_while(|read| read.line == fetch.line);
    given.find(|read| (read.partition, read.offset) == (fetch.partition, Some(first)))
}

fn again(fetch: &Fetch, read: &Read, evidence: &Evidence) -> Found {
    let names = &evidence.names;
    let process = &names.processes[fetch.process];
    let sentence = format!(
        "process {process} asked for {} from offset {} on, and was given event {} at an earlier one first (line {})",
        names.partitions[fetch.partition], fetch.from, names.events[read.event], fetch.line,
    );
    let mut lines: Vec<_> = explain::sought(fetch, evidence).into_iter().collect();
    lines.push(explain::fetch(fetch, evidence));
    Found::new(Anomaly::ResumeViolation, sentence, lines)
        .at(fetch.partition, read.offset)
        .group(fetch.group)
        .event(read.event)
        .process(process)
}

fn missed(anomaly: Anomaly, fetch: &Fetch, standing: &Standing, what: &str, evidence: &Evidence) -> Found {
    let names = &evidence.names;
    let process = &names.processes[fetch.process];
    let sentence = format!(
        "process {process} asked for {} from offset {} on (line {}), and {what}: event {} stands at offset {} (line {})",
        names.partitions[fetch.partition],
        fetch.from,
        fetch.line,
        names.events[standing.event],
        standing.offset,
        standing.line,
    );
    let mut lines = vec![explain::standing(standing, evidence), explain::fetch(fetch, evidence)];
    lines.extend(explain::sought(fetch, evidence));
    lines.sort_by_key(|line| line.line);
    Found::new(anomaly, sentence, lines)
        .at(fetch.partition, Some(standing.offset))
        .group(fetch.group)
        .event(standing.event)
        .process(process)
        .excused_if(evidence.may_be_aborted(standing.event))
}
