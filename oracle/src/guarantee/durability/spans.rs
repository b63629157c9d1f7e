//! How far readers came, and from where.
//!
//! Who says where it reads on (`x.from`, a `seek`) is held to what stands between there and where it came, each by itself.
//! All other readers of no group are held together to everything below where they came: that is Jepsen's rule.
//!
//! Cost: O(n log n) in reads.

use std::collections::BTreeMap;

use lawspeaker_history::Offset;

use crate::evidence::{Attempt, Evidence, GroupKey, Log, Move, MoveKind, PartitionKey, ProcessKey, Read};
use crate::hash::HashMap;

/// Who reads.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reader {
    /// Whoever is of no group and said nothing of where it reads on.
    Anybody,
    /// A process of no group that did.
    Process(ProcessKey),
    Group(GroupKey),
}

/// How far the readers of one kind came in one partition.
struct Span<'a> {
    began: u64,
    low: Offset,
    high: Offset,
    furthest: &'a Read,
    latest_line: u64,
}

/// Every reader in every partition.
pub(super) struct Spans<'a>(BTreeMap<(PartitionKey, Reader), Span<'a>>);

impl<'a> Spans<'a> {
    /// Of what surely was read by those who read everything that they come by; `is_whole` says who does.
    pub(super) fn of(evidence: &'a Evidence, is_whole: impl Fn(&Read) -> bool) -> Self {
        let courses = Courses::of(evidence);
        let mut spans = Spans(BTreeMap::new());
        for batch in evidence.batches().filter(|batch| batch[0].is_ok && is_whole(&batch[0])) {
            let mut placed: Vec<(Offset, &Read)> =
                batch.iter().filter_map(|read| Some((read.offset?, read))).collect();
            placed.sort_by_key(|(offset, _)| *offset);
            let (Some((first, _)), Some(last)) = (placed.first(), placed.last()) else { continue };
            match batch[0].group {
                Some(group) => spans.extend(Reader::Group(group), *first, *last),
                None => spans.take(&courses, *first, *last, &evidence.log),
            }
        }
        spans
    }

    /// Takes what a reader of no group was given in one call.
    fn take(&mut self, courses: &Courses, first: Offset, last: (Offset, &'a Read), log: &Log) {
        let (high, read) = last;
        let reader = Reader::Process(read.process);
        let known = self.0.get(&(read.partition, reader));
        let change = courses.latest_change(read);
        let from = match (courses.from.get(&(read.line, read.partition)), known, change) {
            (Some(from), ..) => (*from).min(first),
            (None, Some(known), change) if change.is_none_or(|change| change.line < known.latest_line) => {
                known.high.next().min(first)
            }
            (None, Some(_), _) => first,
            (None, None, _) if courses.has_sought(read) => first,
            (None, None, _) => return self.extend(Reader::Anybody, first, last),
        };
        // What nothing stands in, such as the marker of a transaction, is no place to jump over.
        let has_jumped = |known: &&Span<'_>| {
            !log.between(read.partition, Some(known.high), from).is_empty() || high.next() < known.low
        };
        match known.filter(has_jumped) {
            Some(_) => drop(self.0.insert((read.partition, reader), Span::new(from, last))),
            None => self.extend(reader, from, last),
        }
    }

    fn extend(&mut self, reader: Reader, from: Offset, (high, read): (Offset, &'a Read)) {
        let span = self.0.entry((read.partition, reader)).or_insert_with(|| Span::new(from, (high, read)));
        span.low = span.low.min(from);
        span.latest_line = read.line;
        if span.high <= high {
            (span.high, span.furthest) = (high, read);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The read that shows that readers passed `offset`, where `attempt` put an event. O(readers of the partition).
    pub(super) fn passed(&self, attempt: &Attempt, offset: Offset, evidence: &Evidence) -> Option<&'a Read> {
        let here = self.0.range((attempt.partition, Reader::Anybody)..);
        let mut here = here.take_while(|((partition, _), _)| *partition == attempt.partition);
        let owes = |reader: &Reader, span: &Span<'_>| match reader {
            Reader::Anybody => true,
            Reader::Process(_) => span.low <= offset,
            Reader::Group(group) if evidence.skips.cover(*group, attempt.partition, offset) => false,
            // It may have begun at the end of the log.
            Reader::Group(_) => span.low <= offset || !evidence.may_precede(attempt.event, span.began),
        };
        let came_by = |span: &Span<'_>| offset <= span.high && span.furthest.begin > attempt.line();
        here.find(|((_, reader), span)| came_by(span) && owes(reader, span)).map(|(_, span)| span.furthest)
    }
}

impl<'a> Span<'a> {
    fn new(low: Offset, (high, read): (Offset, &'a Read)) -> Self {
        Span { began: read.begin, low, high, furthest: read, latest_line: read.line }
    }
}

/// What readers of no group say of where they read on.
struct Courses<'a> {
    /// By the line of a poll: from where it asked.
    from: HashMap<(u64, PartitionKey), Offset>,
    /// By process: what may have moved it, by line.
    changes: HashMap<ProcessKey, Vec<&'a Move>>,
    /// By process: the first line on which it sought a place, and said no more than that.
    sought: HashMap<ProcessKey, u64>,
}

impl<'a> Courses<'a> {
    fn of(evidence: &'a Evidence) -> Self {
        let mut courses =
            Courses { from: HashMap::default(), changes: HashMap::default(), sought: HashMap::default() };
        for fetch in evidence.fetches.iter().filter(|fetch| fetch.group.is_none()) {
            courses.from.insert((fetch.line, fetch.partition), fetch.from);
        }
        // Who goes back to the beginning by an assignment is moved by that.
        for moves in evidence.moves.chunk_by(|one, next| one.line == next.line) {
            let change = &moves[0];
            if change.group.is_some() {
                continue;
            }
            courses.changes.entry(change.process).or_default().push(change);
            if moves.len() == 1 && matches!(change.kind, MoveKind::Seek) {
                courses.sought.entry(change.process).or_insert(change.line);
            }
        }
        courses
    }

    /// What may have moved the reader last, before it read.
    fn latest_change(&self, read: &Read) -> Option<&'a Move> {
        let changes = self.changes.get(&read.process)?;
        changes[..changes.partition_point(|change| change.line < read.line)].last().copied()
    }

    fn has_sought(&self, read: &Read) -> bool {
        self.sought.get(&read.process).is_some_and(|line| *line < read.line)
    }
}
