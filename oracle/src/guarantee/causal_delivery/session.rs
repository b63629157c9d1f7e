//! What a reader of a log must find again: its own writes, and what it has read before.
//!
//! A reader passes an offset over if it reads a lower one and then a higher one and nothing can have moved it between:
//! no assignment, no seek, no call of unknown outcome. Consumers that compete for single events pass nothing over.
//! Source: Terry, Demers, Petersen, Spreitzer, Theimer and Welch, *Session Guarantees for Weakly Consistent Replicated
//! Data*, 1994. Cost: O(n log n) in reads and sends; a step names at most [`TOLD`] events.

use std::collections::{BTreeMap, HashMap, HashSet};

use lawspeaker_history::Offset;

use crate::case::Found;
use crate::evidence::{Attempt, EventKey, Evidence, MoveKind, PartitionKey, ProcessKey, Read};
use crate::results::Results;
use crate::{Anomaly, Profile, explain};

/// How many events one step names.
const TOLD: usize = 1_000;

type Place = (ProcessKey, PartitionKey);

/// Goes through the reads of a history.
struct Readers<'a> {
    evidence: &'a Evidence,
    /// The latest read of each reader, and how often the reader had been moved then.
    latest: HashMap<Place, (&'a Read, u32)>,
    moved: HashMap<ProcessKey, u32>,
    assigned: HashSet<ProcessKey>,
    subscribed: HashSet<ProcessKey>,
    /// What each reader has read where, first.
    seen: HashMap<Place, BTreeMap<Offset, &'a Read>>,
    /// The acknowledged writes of each process, by offset.
    written: HashMap<Place, BTreeMap<Offset, &'a Attempt>>,
}

/// Looks for both.
pub(super) fn check(evidence: &Evidence, profile: &Profile, results: &mut Results) {
    if !results.wants(Anomaly::ReadYourWrites) && !results.wants(Anomaly::MonotonicReads) {
        return;
    }
    let mut readers = Readers {
        evidence,
        latest: HashMap::new(),
        moved: HashMap::new(),
        assigned: HashSet::new(),
        subscribed: HashSet::new(),
        seen: HashMap::new(),
        written: written(evidence),
    };
    let is_reader =
        |read: &&Read| !(read.is_handed_out || profile.has_competing_consumers && read.group.is_some());
    let mut moves = evidence.moves.iter().peekable();
    let mut unknown = evidence.causal.unknown_deliveries.iter().peekable();
    let (mut own_count, mut again_count) = (0, 0);
    for read in evidence.reads.iter().filter(is_reader) {
        while let Some(change) = moves.next_if(|change| change.line < read.line) {
            readers.change(change);
        }
        while let Some((_, process)) = unknown.next_if(|(line, _)| *line <= read.line) {
            *readers.moved.entry(*process).or_default() += 1;
        }
        let (passed_count, is_again) = readers.read(read, results);
        own_count += passed_count + usize::from(readers.is_own(read));
        again_count += usize::from(is_again);
    }
    results.checked(Anomaly::ReadYourWrites, own_count, "own write");
    results.checked(Anomaly::MonotonicReads, again_count, "rereading step");
}

/// The acknowledged writes of each process that no transaction can have undone, by where they stand.
fn written(evidence: &Evidence) -> HashMap<Place, BTreeMap<Offset, &Attempt>> {
    let mut written: HashMap<Place, BTreeMap<Offset, &Attempt>> = HashMap::new();
    for (event, attempt) in evidence.acknowledged().filter(|(event, _)| !evidence.may_be_aborted(*event)) {
        let is_sole = evidence.attempts_of(event).len() == 1;
        if let Some(offset) = attempt.offset.filter(|offset| offset.is_valid() && is_sole) {
            written.entry((attempt.process, attempt.partition)).or_default().insert(offset, attempt);
        }
    }
    written
}

impl<'a> Readers<'a> {
    fn change(&mut self, change: &crate::evidence::Move) {
        *self.moved.entry(change.process).or_default() += 1;
        match &change.kind {
            MoveKind::Assign(_) => {
                self.assigned.insert(change.process);
                self.subscribed.remove(&change.process);
            }
            MoveKind::Subscribe(_) => {
                self.subscribed.insert(change.process);
            }
            MoveKind::Revoke(_) | MoveKind::Seek | MoveKind::Crash => {}
        }
    }

    fn is_own(&self, read: &Read) -> bool {
        self.evidence.acknowledgement_of(read.event).is_some_and(|attempt| attempt.process == read.process)
    }

    /// Takes a read; how many of its own writes the reader passed over, and whether it had been further before.
    fn read(&mut self, read: &'a Read, results: &mut Results) -> (usize, bool) {
        let Some(offset) = read.offset.filter(|offset| offset.is_valid() && read.is_ok) else {
            return (0, false);
        };
        let place = (read.process, read.partition);
        let moved = self.moved.get(&read.process).copied().unwrap_or_default();
        let latest = self.latest.insert(place, (read, moved));
        let (mut passed_count, mut is_again) = (0, false);
        if let Some((previous, moved_then)) = latest
            && let Some(from) = previous.offset.filter(|from| *from < offset)
            && (previous.line == read.line || moved_then == moved && self.is_settled(read))
        {
            passed_count = self.pass_own(previous, read, (from, offset), results);
            is_again = self.pass_seen(previous, read, (from, offset), results);
        }
        self.seen.entry(place).or_default().entry(offset).or_insert(read);
        (passed_count, is_again)
    }

    /// Whether nobody but the reader itself moves it.
    fn is_settled(&self, read: &Read) -> bool {
        match read.group {
            Some(_) => self.assigned.contains(&read.process),
            None => !self.subscribed.contains(&read.process),
        }
    }

    /// Tells the own writes that a step passes over, and counts them.
    fn pass_own(
        &self,
        previous: &Read,
        read: &Read,
        (from, to): (Offset, Offset),
        results: &mut Results,
    ) -> usize {
        let Some(written) = self.written.get(&(read.process, read.partition)) else { return 0 };
        let mut passed_count = 0;
        for (offset, attempt) in written.range(from.next()..to).take(TOLD) {
            let is_read = self.evidence.reads_of(attempt.event).any(|other| other.process == read.process);
            if attempt.line() >= read.begin || is_read {
                continue;
            }
            passed_count += 1;
            let names = &self.evidence.names;
            let sentence = format!(
                "process {} was told that its event {} stands in {} at offset {offset} (line {}), and then read on from \
                 offset {from} (line {}) to {to} (line {}) without it",
                names.processes[read.process],
                names.events[attempt.event],
                names.partitions[read.partition],
                attempt.line(),
                previous.line,
                read.line,
            );
            let lines = vec![
                explain::send(attempt, self.evidence),
                explain::read(previous, self.evidence),
                explain::read(read, self.evidence),
            ];
            let found = found(Anomaly::ReadYourWrites, sentence, lines, read, self.evidence);
            results.add(found.at(read.partition, Some(*offset)).event(attempt.event));
        }
        passed_count
    }

    /// Tells what a step passes over of what was read before; whether the reader had been further before.
    fn pass_seen(
        &self,
        previous: &Read,
        read: &Read,
        (from, to): (Offset, Offset),
        results: &mut Results,
    ) -> bool {
        let Some(seen) = self.seen.get(&(read.process, read.partition)) else { return false };
        let has_been_beyond = seen.range(to..).next().is_some();
        let is_kept = |(offset, _): &(&Offset, _)| !self.evidence.trims.may_lack(read.partition, **offset);
        let passed = seen.range(from.next()..to).filter(is_kept).take(TOLD);
        let mut gone = passed.map(|(offset, read)| (*offset, *read));
        let Some((offset, first)) = gone.next() else { return has_been_beyond };
        let events: Vec<EventKey> =
            std::iter::once(first.event).chain(gone.map(|(_, read)| read.event)).collect();
        let names = &self.evidence.names;
        let sentence = format!(
            "process {} had read {} of {} (line {}), then read again from offset {from} (line {}) on to {to} (line {}) and \
             no longer found it",
            names.processes[read.process],
            explain::events(&events, self.evidence),
            names.partitions[read.partition],
            first.line,
            previous.line,
            read.line,
        );
        let lines = vec![
            explain::read(first, self.evidence),
            explain::read(previous, self.evidence),
            explain::read(read, self.evidence),
        ];
        let found = found(Anomaly::MonotonicReads, sentence, lines, read, self.evidence);
        results.add(found.at(read.partition, Some(offset)).events(events));
        true
    }
}

fn found(
    anomaly: Anomaly,
    sentence: String,
    mut lines: Vec<crate::case::Line>,
    read: &Read,
    evidence: &Evidence,
) -> Found {
    lines.sort_by_key(|line| line.line);
    lines.dedup();
    Found::new(anomaly, sentence, lines).group(read.group).process(&evidence.names.processes[read.process])
}
