//! The log around a fault: what stands at a few offsets, and who sent, saw, acknowledged and committed it.
//!
//! Cost: O(n) in the commits and acknowledgements of a history for one strip; so only the first few findings have one.

use lawspeaker_history::{EventId, Offset, Partition};

use crate::case::Found;
use crate::evidence::{EventKey, Evidence, GroupKey, PartitionKey, ProcessKey, Standing};

/// How many offsets at which something stands are shown before the fault, and after it.
const REACH: usize = 3;
/// How many events a cell keeps; a broken log may hold any number at one offset.
const ENTRIES_KEPT: usize = 4;
/// How many marks of one kind a cell keeps; the rest is counted.
const MARKS_KEPT: usize = 4;

/// A few offsets of one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strip {
    /// Whose log it is.
    pub partition: Partition,
    /// By offset; between two of them nothing is known to stand.
    pub cells: Vec<Cell>,
}

/// One offset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Where.
    pub offset: Offset,
    /// Whether it is the place that the finding speaks of.
    pub is_accused: bool,
    /// What stands there: nothing, or one event, or more if something is wrong.
    pub entries: Vec<Entry>,
    /// How many events more stand there.
    pub more: usize,
    /// The groups that committed up to here: the next they want is the one after.
    pub committed: Vec<Mark>,
}

/// One event at one offset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Which.
    pub event: EventId,
    /// Whether it is one that suffered.
    pub is_accused: bool,
    /// Who sent it here; the line is where the send began.
    pub sent: Vec<Mark>,
    /// To whom it was acknowledged that it stands here.
    pub acknowledged: Vec<Mark>,
    /// Who read it here.
    pub seen: Vec<Mark>,
    /// Who was done with it.
    pub done: Vec<Mark>,
    /// Where its effect happened.
    pub applied: Vec<Mark>,
}

/// Somebody, on a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// A process or a group, as it is called in the history; `and 7 more` for those that are not kept.
    pub who: String,
    /// On which line.
    pub line: u64,
}

/// The log around a case; `None` where it has no offset in one partition.
pub(crate) fn strip(case: &Found, evidence: &Evidence) -> Option<Strip> {
    let ([partition], Some(offset)) = (case.partitions.as_slice(), case.offset) else { return None };
    let before = evidence.log.between(*partition, None, offset).iter().rev();
    let mut offsets = nearest(before);
    offsets.reverse();
    offsets.push(offset);
    offsets.extend(nearest(evidence.log.after(*partition, offset).iter()));
    let cells = offsets.into_iter().map(|at| cell(at, *partition, case, evidence)).collect();
    Some(Strip { partition: evidence.names.partitions[*partition].clone(), cells })
}

/// The first few offsets among standings.
fn nearest<'a>(standings: impl Iterator<Item = &'a Standing>) -> Vec<Offset> {
    let mut offsets: Vec<Offset> = Vec::with_capacity(REACH);
    for standing in standings {
        if offsets.last() == Some(&standing.offset) {
            continue;
        }
        if offsets.len() == REACH {
            break;
        }
        offsets.push(standing.offset);
    }
    offsets
}

fn cell(offset: Offset, partition: PartitionKey, case: &Found, evidence: &Evidence) -> Cell {
    let standings = evidence.log.at(partition, offset);
    let is_accused = |standing: &&Standing| case.events.contains(&standing.event);
    let accused = standings.iter().find(is_accused);
    let others = standings.iter().filter(|standing| accused != Some(*standing));
    let kept: Vec<&Standing> = accused.into_iter().chain(others).take(ENTRIES_KEPT).collect();
    let committed = evidence.commits.iter().filter(|commit| {
        commit.partition == partition && !commit.is_fetched && commit.next == Some(offset.next())
    });
    let by = |process: ProcessKey, group: Option<GroupKey>| who(process, group, evidence);
    Cell {
        offset,
        is_accused: case.offset == Some(offset),
        entries: kept.iter().map(|standing| entry(standing, case, evidence)).collect(),
        more: standings.len() - kept.len(),
        committed: marks(committed.map(|commit| (by(commit.process, commit.group), commit.line))),
    }
}

fn entry(standing: &Standing, case: &Found, evidence: &Evidence) -> Entry {
    let Standing { partition, offset, event, .. } = *standing;
    let process = |process: ProcessKey| who(process, None, evidence);
    let attempts = evidence.attempts_of(event);
    let acknowledged =
        attempts.iter().filter(|attempt| attempt.is_acknowledged() && attempt.offset == Some(offset));
    let seen =
        evidence.reads_of(event).filter(|read| read.partition == partition && read.offset == Some(offset));
    let is_it = |row: &(PartitionKey, Option<EventKey>, Option<Offset>)| {
        row.0 == partition
            && row.1.is_none_or(|of| of == event)
            && row.2.is_none_or(|at| at == offset)
            && (row.1.is_some() || row.2.is_some())
    };
    let done = evidence.acknowledgements.iter().filter(|row| is_it(&(row.partition, row.event, row.offset)));
    let applied =
        evidence.causal.applied.iter().filter(|row| row.partition == partition && row.event == event);
    Entry {
        event: evidence.names.events[event].clone(),
        is_accused: case.events.contains(&event),
        sent: marks(attempts.iter().map(|attempt| (process(attempt.process), attempt.begin))),
        acknowledged: marks(acknowledged.map(|attempt| (process(attempt.process), attempt.line()))),
        seen: marks(seen.map(|read| (who(read.process, read.group, evidence), read.line))),
        done: marks(done.map(|row| (who(row.process, row.group, evidence), row.line))),
        applied: marks(applied.map(|row| (who(row.process, row.group, evidence), row.line))),
    }
}

fn who(process: ProcessKey, group: Option<GroupKey>, evidence: &Evidence) -> String {
    let process = &evidence.names.processes[process];
    match group {
        Some(group) => format!("{process} of {}", evidence.names.groups[group]),
        None => process.to_string(),
    }
}

fn marks(all: impl Iterator<Item = (String, u64)>) -> Vec<Mark> {
    let mut marks: Vec<Mark> = Vec::new();
    let mut more = 0;
    for (who, line) in all {
        if marks.len() < MARKS_KEPT {
            marks.push(Mark { who, line });
        } else {
            more += 1;
        }
    }
    if let (1.., Some(last)) = (more, marks.last().map(|mark| mark.line)) {
        marks.push(Mark { who: format!("and {more} more"), line: last });
    }
    marks
}
