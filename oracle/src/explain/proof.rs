//! A case as a short proof: what a line said, and what follows from it for what is accused.
//!
//! Goes by the evidence on a line and not by the anomaly, so that a new check needs no words of its own here.
//! Cost: O(log n) a line, and the records that stand on it.

use lawspeaker_history::{OpType, SagaOutcome};

use crate::Step;
use crate::case::Found;
use crate::evidence::{Deed, EventKey, Evidence, MoveKind, Read};

/// What follows from an offset that cannot be.
const NOWHERE: &str = "nobody knows where it stands";

/// The lines of a case, in order, each with what follows from it.
pub(crate) fn proof(case: &Found, evidence: &Evidence) -> Vec<Step> {
    let mut before = None;
    let step = |line: &crate::Line| Step {
        line: line.line,
        said: line.said.clone(),
        so: follows(line.line, before.replace(line.line) == Some(line.line), case, evidence),
    };
    case.lines.iter().map(step).collect()
}

/// What follows from a line. Of a transaction that both sends and reads, the send is told first, and the read where the
/// line `is_told_again`.
fn follows(line: u64, is_told_again: bool, case: &Found, evidence: &Evidence) -> Option<String> {
    of_saga(line, case, evidence)
        .or_else(|| is_told_again.then(|| of_read(line, case, evidence)).flatten())
        .or_else(|| of_send(line, case, evidence))
        .or_else(|| of_fetch(line, case, evidence))
        .or_else(|| of_read(line, case, evidence))
        .or_else(|| of_commit(line, case, evidence))
        .or_else(|| of_acknowledgement(line, case, evidence))
        .or_else(|| of_move(line, evidence))
}

fn of_send(line: u64, case: &Found, evidence: &Evidence) -> Option<String> {
    let events = case.events.iter().chain(&case.involved);
    let attempt = events
        .flat_map(|event| evidence.attempts_of(*event))
        .find(|attempt| attempt.line() == line || attempt.begin == line)?;
    let partition = &evidence.names.partitions[attempt.partition];
    let transaction = attempt.transaction.map(|key| &evidence.transactions[key]);
    Some(match (attempt.outcome, attempt.offset) {
        _ if attempt.line() != line => "it may stand in the log from here on".to_owned(),
        (OpType::Ok, _) if transaction.is_some_and(|of| !of.is_one_call) => {
            "it is there for everybody once its transaction is committed".to_owned()
        }
        (OpType::Ok, Some(offset)) if !offset.is_valid() => NOWHERE.to_owned(),
        (OpType::Ok, Some(_)) => "it stands there for everybody".to_owned(),
        (OpType::Ok, None) => format!("{partition} owes it to its readers"),
        (OpType::Fail, _) => "nobody may ever read it".to_owned(),
        (OpType::Info | OpType::Invoke, _) => "it may stand in the log, or not".to_owned(),
    })
}

/// The rows of one line; `rows` are sorted by line.
fn on<T>(rows: &[T], line: u64, line_of: impl Fn(&T) -> u64) -> impl Iterator<Item = &T> {
    let first = rows.partition_point(|row| line_of(row) < line);
    rows[first..].iter().take_while(move |row| line_of(row) == line)
}

fn of_fetch(line: u64, case: &Found, evidence: &Evidence) -> Option<String> {
    let place = case.offset?;
    let mut here = on(&evidence.fetches, line, |fetch| fetch.line)
        .filter(|fetch| case.partitions.contains(&fetch.partition));
    let fetch = here.find(|fetch| fetch.first == Some(place) && place < fetch.from)?;
    Some(format!("what stands before {} was not asked for", fetch.from))
}

fn of_read(line: u64, case: &Found, evidence: &Evidence) -> Option<String> {
    let is_here = |read: &&Read| case.partitions.is_empty() || case.partitions.contains(&read.partition);
    let reads: Vec<&Read> = on(&evidence.reads, line, |read| read.line).filter(is_here).collect();
    let is_accused = |event: &EventKey| case.events.contains(event);
    if let Some(read) = reads.iter().find(|read| is_accused(&read.event)) {
        return Some(match read.group {
            _ if read.offset.is_some_and(|offset| !offset.is_valid()) => NOWHERE.to_owned(),
            Some(group) => format!("group {} had it by then", evidence.names.groups[group]),
            None => "it was there".to_owned(),
        });
    }
    let place = case.offset?;
    if reads.iter().any(|read| read.offset == Some(place)) {
        return Some("nothing else can stand there".to_owned());
    }
    let is_past = reads.iter().any(|read| read.offset > Some(place));
    is_past.then(|| format!("it had come past offset {place}"))
}

fn of_commit(line: u64, case: &Found, evidence: &Evidence) -> Option<String> {
    let commit = on(&evidence.commits, line, |commit| commit.line)
        .find(|commit| case.partitions.contains(&commit.partition))?;
    let group = commit
        .group
        .map_or("the group".to_owned(), |group| format!("group {}", evidence.names.groups[group]));
    Some(match commit.next {
        None => format!("{group} would begin anew"),
        Some(next) => format!("{group} goes on from {next} after a restart"),
    })
}

fn of_acknowledgement(line: u64, case: &Found, evidence: &Evidence) -> Option<String> {
    let accused = |event: Option<EventKey>| event.is_some_and(|event| case.events.contains(&event));
    let acknowledgement = on(&evidence.acknowledgements, line, |row| row.line)
        .find(|row| accused(row.event) || case.partitions.contains(&row.partition))?;
    let group = acknowledgement
        .group
        .map_or("nobody".to_owned(), |group| format!("group {}", evidence.names.groups[group]));
    acknowledgement.is_confirmed.then(|| format!("{group} is owed it no more"))
}

fn of_move(line: u64, evidence: &Evidence) -> Option<String> {
    let change = on(&evidence.moves, line, |change| change.line).next()?;
    match change.kind {
        MoveKind::Assign(_) if change.group.is_some() => {
            Some("nobody else of the group may own it".to_owned())
        }
        MoveKind::Revoke(_) => Some("another may own it from here on".to_owned()),
        _ => None,
    }
}

fn of_saga(line: u64, case: &Found, evidence: &Evidence) -> Option<String> {
    let key = case.saga?;
    let saga = evidence.sagas.all.iter().find(|saga| saga.key == key)?;
    let steps = saga.steps.values().flat_map(|record| record.steps.iter().chain(&record.compensations));
    let act = saga.starts.iter().chain(&saga.ends).chain(steps).find(|act| act.line == line)?;
    let what = match (act.outcome, act.deed) {
        (OpType::Fail, _) => "it did not happen",
        (OpType::Info | OpType::Invoke, _) => "it may have happened, or not",
        (OpType::Ok, Deed::Start) => "it must end, one way or the other",
        (OpType::Ok, Deed::Step(_)) => "its effect stands until it is compensated",
        (OpType::Ok, Deed::Compensate(_)) => "its effect is undone",
        (OpType::Ok, Deed::End(SagaOutcome::Committed)) => "every step must be done, and none undone",
        (OpType::Ok, Deed::End(SagaOutcome::Aborted)) => "no step may stay done",
    };
    Some(what.to_owned())
}
