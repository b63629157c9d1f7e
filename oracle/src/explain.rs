//! Sentences: what a line said, and numbers as people read them.

pub(crate) mod outbox;
pub(crate) mod proof;
pub(crate) mod saga;
pub(crate) mod stream;
pub(crate) mod transaction;

use lawspeaker_history::{Offset, OpType, Phase};

use crate::case::Line;
use crate::evidence::{
    Acknowledgement, Attempt, Commit, EventKey, Evidence, Fault, Fetch, GroupKey, Read, Standing,
};

/// 1234567 as `1,234,567`.
pub(crate) fn count(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 event` or `1,234 events`.
pub(crate) fn counted(number: usize, noun: &str) -> String {
    format!("{} {noun}{}", count(number), if number == 1 { "" } else { "s" })
}

/// How many ranges are told before the rest is only counted.
const RANGES_TOLD: usize = 3;

/// Numbers as ranges: `1-5, 9 and 2 more ranges`. `numbers` are sorted. O(n).
pub(crate) fn ranges(numbers: &[i64]) -> String {
    let mut runs: Vec<(i64, i64)> = Vec::new();
    for number in numbers {
        match runs.last_mut() {
            Some((_, last)) if *number == *last => {}
            Some((_, last)) if *number == *last + 1 => *last = *number,
            _ => runs.push((*number, *number)),
        }
    }
    let tell = |(first, last): &(i64, i64)| {
        if first == last { first.to_string() } else { format!("{first}-{last}") }
    };
    let mut told: Vec<_> = runs.iter().take(RANGES_TOLD).map(tell).collect();
    if let Some(more) = runs.len().checked_sub(RANGES_TOLD + 1) {
        told.push(counted(more + 1, "more range"));
    }
    list(&told)
}

/// Offsets as ranges; stream ids by their ends. Sorts `offsets`.
pub(crate) fn offset_ranges(mut offsets: Vec<Offset>) -> String {
    offsets.sort_unstable();
    offsets.dedup();
    let numbers: Option<Vec<i64>> = offsets.iter().map(|offset| offset.number()).collect();
    match (numbers, offsets.as_slice()) {
        (Some(numbers), _) => ranges(&numbers),
        (None, [first, _, .., last]) => format!("between {first} and {last}"),
        (None, few) => list(&few.iter().map(ToString::to_string).collect::<Vec<_>>()),
    }
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

fn at(offset: Option<Offset>) -> String {
    offset.map_or_else(String::new, |offset| format!(" at offset {offset}"))
}

fn for_group(group: Option<GroupKey>, evidence: &Evidence) -> String {
    group.map_or_else(String::new, |group| format!(" for group {}", evidence.names.groups[group]))
}

/// Events by their ids: `event 5`, `events 5, 6 and 3 more`.
pub(crate) fn events(events: &[EventKey], evidence: &Evidence) -> String {
    const TOLD: usize = 3;
    let mut told: Vec<_> =
        events.iter().take(TOLD).map(|event| evidence.names.events[*event].to_string()).collect();
    if events.len() > TOLD {
        told.push(format!("{} more", count(events.len() - TOLD)));
    }
    format!("event{} {}", if events.len() == 1 { "" } else { "s" }, list(&told))
}

/// The events, and that they are lost.
pub(crate) fn lost(lost: &[EventKey], evidence: &Evidence) -> String {
    let verb = if lost.len() == 1 { "is" } else { "are" };
    format!("{} {verb} lost", events(lost, evidence))
}

/// What the completion of a send said.
pub(crate) fn send(attempt: &Attempt, evidence: &Evidence) -> Line {
    let names = &evidence.names;
    let (process, event) = (&names.processes[attempt.process], &names.events[attempt.event]);
    let partition = &names.partitions[attempt.partition];
    let is_aborted = attempt.transaction.is_some_and(|place| evidence.transactions[place].is_aborted());
    let said = match (attempt.outcome, attempt.offset) {
        (OpType::Ok, Some(offset)) => {
            format!("process {process} was told that event {event} stands in {partition} at offset {offset}")
        }
        (OpType::Ok, None) => format!("process {process} was told that {partition} accepted event {event}"),
        (OpType::Fail, _) if is_aborted => {
            format!("process {process} sent event {event} to {partition}, in a transaction that it aborted")
        }
        (OpType::Fail, _) => format!("process {process} was told that its send of event {event} failed"),
        (OpType::Info | OpType::Invoke, _) => {
            format!("process {process} sent event {event} to {partition} and never learnt what became of it")
        }
    };
    Line { line: attempt.line(), said }
}

/// What the invocation of a send said.
pub(crate) fn began(attempt: &Attempt, evidence: &Evidence) -> Line {
    let names = &evidence.names;
    let (process, event) = (&names.processes[attempt.process], &names.events[attempt.event]);
    Line { line: attempt.begin, said: format!("process {process} began to send event {event}") }
}

/// What a read said.
pub(crate) fn read(read: &Read, evidence: &Evidence) -> Line {
    let names = &evidence.names;
    let (process, event) = (&names.processes[read.process], &names.events[read.event]);
    let partition = &names.partitions[read.partition];
    let verb = if read.is_handed_out && read.group.is_some() { "was given" } else { "read" };
    let place = match read.offset {
        Some(offset) => format!("at offset {offset} of {partition}"),
        None => format!("from {partition}"),
    };
    let phase = match read.phase {
        Phase::Main => "",
        Phase::Drain => " while draining",
        Phase::Final => " in the final read",
    };
    let group = for_group(read.group, evidence);
    Line { line: read.line, said: format!("process {process} {verb} event {event} {place}{group}{phase}") }
}

/// What a poll asked for that says from where.
pub(crate) fn fetch(fetch: &Fetch, evidence: &Evidence) -> Line {
    let names = &evidence.names;
    let (process, partition) = (&names.processes[fetch.process], &names.partitions[fetch.partition]);
    let came = match fetch.first {
        Some(first) => format!("got offset {first} first"),
        None if fetch.is_empty => "got nothing".to_owned(),
        None => "got something".to_owned(),
    };
    let said = format!("process {process} asked for {partition} from offset {} on, and {came}", fetch.from);
    Line { line: fetch.line, said }
}

/// What the reader sought before, if only that says from where it asked.
pub(crate) fn sought(fetch: &Fetch, evidence: &Evidence) -> Option<Line> {
    let names = &evidence.names;
    let (process, partition) = (&names.processes[fetch.process], &names.partitions[fetch.partition]);
    fetch.sought.map(|seek| Line {
        line: seek.line,
        said: format!("process {process} sought offset {} of {partition}", seek.to),
    })
}

/// What first said that an event stands somewhere.
pub(crate) fn standing(standing: &Standing, evidence: &Evidence) -> Line {
    let attempt = evidence.attempts_of(standing.event).iter().find(|attempt| attempt.line() == standing.line);
    let reader = evidence.reads_of(standing.event).find(|row| {
        (row.line, row.partition, row.offset) == (standing.line, standing.partition, Some(standing.offset))
    });
    match (attempt, reader) {
        (_, Some(reader)) => read(reader, evidence),
        (Some(attempt), None) => send(attempt, evidence),
        (None, None) => Line { line: standing.line, said: String::new() },
    }
}

/// What an acknowledgement of a delivery said.
pub(crate) fn acknowledgement(acknowledgement: &Acknowledgement, evidence: &Evidence) -> Line {
    let names = &evidence.names;
    let event = acknowledgement
        .event
        .map_or_else(|| "a delivery".to_owned(), |event| format!("event {}", names.events[event]));
    let certainty = if acknowledgement.is_confirmed { ", and was confirmed" } else { "" };
    let said = format!(
        "process {} acknowledged {event}{}{}{certainty}",
        names.processes[acknowledgement.process],
        at(acknowledgement.offset),
        for_group(acknowledgement.group, evidence),
    );
    Line { line: acknowledgement.line, said }
}

/// What a commit, or the answer to a question for it, said.
pub(crate) fn commit(commit: &Commit, evidence: &Evidence) -> Line {
    let names = &evidence.names;
    let (process, partition) = (&names.processes[commit.process], &names.partitions[commit.partition]);
    let group = for_group(commit.group, evidence);
    let said = match (commit.is_fetched, commit.next) {
        (false, Some(next)) => {
            format!("process {process} committed position {next} of {partition}{group}{}", done(next))
        }
        (false, None) => format!("process {process} committed no position of {partition}{group}"),
        (true, Some(next)) => {
            format!("process {process} was told that position {next} of {partition} is committed{group}")
        }
        (true, None) => {
            format!("process {process} was told that no position of {partition} is committed{group}")
        }
    };
    Line { line: commit.line, said }
}

/// What a position says, for who does not know that it is the next offset to read.
fn done(next: Offset) -> String {
    match next.number() {
        Some(number) if number > 0 => format!(", done up to offset {}", number - 1),
        _ => String::new(),
    }
}

/// When nothing was under way any more, if that is after `line`.
pub(crate) fn at_rest_after(line: u64, evidence: &Evidence) -> String {
    match evidence.extent.last_quiescence.filter(|rest| *rest > line) {
        Some(rest) => format!("when nothing was under way any more (line {rest})"),
        None => "at the end of the complete recording".to_owned(),
    }
}

/// What happened to the system.
pub(crate) fn fault(fault: &Fault) -> Line {
    Line { line: fault.line, said: format!("fault: {}", fault.name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_in_groups_of_three_digits() {
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn ranges_join_neighbours_and_count_what_is_too_much_to_tell() {
        let check = |numbers: &[i64], expected| assert_eq!(ranges(numbers), expected);
        check(&[], "");
        check(&[4], "4");
        check(&[1, 2, 3, 3, 7], "1-3 and 7");
        check(&[1, 3, 5, 7], "1, 3, 5 and 1 more range");
    }
}
