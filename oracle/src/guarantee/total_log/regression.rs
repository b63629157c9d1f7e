//! `offset-regression`: what was sent later stands earlier.

use std::collections::HashSet;

use lawspeaker_history::Offset;

use crate::case::Found;
use crate::evidence::{Attempt, EventKey, Evidence, Key};
use crate::guarantee::producer_order::place;
use crate::results::Results;
use crate::{Anomaly, explain};

/// An event that stands somewhere since it was sent.
#[derive(Clone, Copy)]
struct Placed<'a> {
    offset: Offset,
    /// The send that says where.
    attempt: &'a Attempt,
    /// The send that may have put it there first.
    first: &'a Attempt,
}

pub(super) fn check(evidence: &Evidence, lost: &HashSet<EventKey>, results: &mut Results) {
    let mut by_partition: Vec<Vec<Placed>> = vec![Vec::new(); evidence.names.partitions.len()];
    for placed in evidence.attempts.iter().filter_map(|attempt| Placed::of(attempt, evidence)) {
        if !lost.contains(&placed.attempt.event) {
            by_partition[placed.attempt.partition.place()].push(placed);
        }
    }
    let mut count = 0;
    for sent in &mut by_partition {
        let mut ended = sent.clone();
        ended.retain(|of| of.attempt.is_acknowledged() && of.attempt.offset.is_some());
        ended.sort_by_key(|of| of.attempt.line());
        sent.sort_by_key(|of| of.first.begin);
        let mut ended = ended.into_iter().peekable();
        let mut highest: Option<Placed> = None;
        for later in sent {
            while let Some(earlier) = ended.next_if(|earlier| earlier.attempt.line() < later.first.begin) {
                highest = highest.filter(|highest| highest.offset >= earlier.offset).or(Some(earlier));
            }
            let is_by_another = |earlier: &Placed| earlier.attempt.process != later.attempt.process;
            let Some(earlier) = highest.filter(is_by_another) else { continue };
            count += 1;
            if earlier.offset > later.offset {
                results.add(regression(&earlier, later, evidence));
                highest = None;
            }
        }
    }
    results.checked(Anomaly::OffsetRegression, count, "send pair");
}

impl<'a> Placed<'a> {
    /// Where the event of a send stands, by its acknowledgement, or, for the first send, by reads; `None` too if nobody
    /// saw when it was first sent.
    fn of(attempt: &'a Attempt, evidence: &'a Evidence) -> Option<Self> {
        let first = evidence.first_try(attempt.event)?;
        let is_told = attempt.is_acknowledged() && attempt.offset.is_some();
        if !is_told && !std::ptr::eq(first, attempt) {
            return None;
        }
        Some(Placed { offset: place(attempt, evidence)?, attempt, first })
    }
}

fn regression(earlier: &Placed<'_>, later: &Placed<'_>, evidence: &Evidence) -> Found {
    let names = &evidence.names;
    let sentence = format!(
        "event {} was sent (line {}) after event {} had been acknowledged (line {}), yet it stands before it in {}: offset \
         {} below {}",
        names.events[later.attempt.event],
        later.first.begin,
        names.events[earlier.attempt.event],
        earlier.attempt.line(),
        names.partitions[later.attempt.partition],
        later.offset,
        earlier.offset,
    );
    let mut lines = vec![explain::send(earlier.attempt, evidence), explain::send(later.attempt, evidence)];
    if !std::ptr::eq(later.first, later.attempt) {
        lines.push(explain::began(later.first, evidence));
        lines.sort_by_key(|line| line.line);
    }
    Found::new(Anomaly::OffsetRegression, sentence, lines)
        .at(later.attempt.partition, Some(later.offset))
        .event(later.attempt.event)
        .involving([earlier.attempt.event])
        .process(&names.processes[later.attempt.process])
        .ordered_by_line_if(later.first.is_later_by_line(earlier.attempt.process))
}
