//! What the readers of everything saw, and how far they came.

use std::collections::BTreeMap;

use lawspeaker_history::Offset;

use crate::Profile;
use crate::evidence::{Attempt, EventKey, Evidence, GroupKey, Key, PartitionKey, Read, Standing};
use crate::hash::{HashMap, HashSet};

/// The fresh read of one partition at the end.
#[derive(Default)]
pub(super) struct FinalRead<'a> {
    /// By offset.
    reads: Vec<(Offset, &'a Read)>,
    /// Of the sends whose events it holds, the one that was invoked last.
    sent_last: Option<&'a Attempt>,
}

impl<'a> FinalRead<'a> {
    /// The first read at `offset` or after it.
    pub(super) fn at_or_after(&self, offset: Offset) -> Option<&'a Read> {
        let place = self.reads.partition_point(|(found, _)| *found < offset);
        self.reads.get(place).map(|(_, read)| *read)
    }

    /// A send of an event in it that was invoked after `attempt` was acknowledged.
    pub(super) fn sent_after(&self, attempt: &Attempt) -> Option<&'a Attempt> {
        self.sent_last.filter(|next| next.begin > attempt.line())
    }

    pub(super) fn end(&self) -> Option<(Offset, &'a Read)> {
        self.reads.last().copied()
    }
}

/// How far the readers of one kind came in one partition.
struct Span<'a> {
    began: u64,
    low: Offset,
    high: Offset,
    furthest: &'a Read,
}

impl Span<'_> {
    /// Whether these readers should have found an event at `offset`: they came further after it was acknowledged. A
    /// group may have begun at the end of the log, and does not owe what was acknowledged before it was first seen below
    /// where it began.
    fn owes(&self, group: Option<GroupKey>, attempt: &Attempt, offset: Offset) -> bool {
        let has_begun_after = group.is_some() && offset < self.low && attempt.line() < self.began;
        offset <= self.high && self.furthest.begin > attempt.line() && !has_begun_after
    }
}

/// What the readers of everything saw.
pub(super) struct Readers<'a> {
    /// Whether what was delivered should still be there.
    pub(super) keeps_delivered: bool,
    pub(super) finals: HashMap<PartitionKey, FinalRead<'a>>,
    pub(super) in_final: HashSet<EventKey>,
    /// Whether a completed read found an event, by its place.
    is_read: Vec<bool>,
    /// The reads that count for Jepsen's rule: of nobody's group, and of each group.
    spans: BTreeMap<(PartitionKey, Option<GroupKey>), Span<'a>>,
    /// Of the sends that were told one place, the one that was invoked last; only where several events may stand there.
    latest: HashMap<(PartitionKey, Offset), &'a Attempt>,
}

impl<'a> Readers<'a> {
    pub(super) fn of(evidence: &'a Evidence, profile: &Profile) -> Self {
        let mut readers = Readers {
            keeps_delivered: profile.keeps_delivered,
            finals: HashMap::default(),
            in_final: HashSet::default(),
            is_read: vec![false; evidence.names.events.len()],
            spans: BTreeMap::new(),
            latest: HashMap::default(),
        };
        for read in evidence.reads.iter().filter(|read| read.is_ok) {
            readers.is_read[read.event.place()] = true;
            if read.is_final() {
                readers.take_final(read, evidence);
            }
            let is_partial = read.is_handed_out || (profile.has_competing_consumers && read.group.is_some());
            if let (false, Some(offset)) = (is_partial, read.offset) {
                readers.take_span(read, offset);
            }
        }
        let contested = contested(evidence);
        for attempt in evidence.attempts.iter().filter(|attempt| attempt.is_acknowledged()) {
            if let Some(offset) = attempt.offset
                && (!offset.is_valid() || contested.contains(&(attempt.partition, offset)))
            {
                readers.take_attempt(attempt, offset);
            }
        }
        for final_read in readers.finals.values_mut() {
            final_read.reads.sort_by_key(|(offset, _)| *offset);
        }
        readers
    }

    fn take_span(&mut self, read: &'a Read, offset: Offset) {
        let new = Span { began: read.begin, low: offset, high: offset, furthest: read };
        let span = self.spans.entry((read.partition, read.group)).or_insert(new);
        span.low = span.low.min(offset);
        if span.high <= offset {
            (span.high, span.furthest) = (offset, read);
        }
    }

    fn take_attempt(&mut self, attempt: &'a Attempt, offset: Offset) {
        let latest = self.latest.entry((attempt.partition, offset)).or_insert(attempt);
        if latest.begin < attempt.begin {
            *latest = attempt;
        }
    }

    /// Whether a completed read found `event`.
    pub(super) fn has_read(&self, event: EventKey) -> bool {
        self.is_read[event.place()]
    }

    /// Whether there is any reader of everything.
    pub(super) fn is_any(&self) -> bool {
        !self.finals.is_empty() || !self.spans.is_empty()
    }

    /// The read that shows that readers passed `offset`, where `attempt` put an event.
    pub(super) fn passed(&self, attempt: &Attempt, offset: Offset) -> Option<&'a Read> {
        let here = (attempt.partition, None)..;
        let mut spans =
            self.spans.range(here).take_while(|((partition, _), _)| *partition == attempt.partition);
        spans.find(|((_, group), span)| span.owes(*group, attempt, offset)).map(|(_, span)| span.furthest)
    }

    /// The later event that was given the place of an acknowledged one, if that one was not seen since.
    pub(super) fn successor(&self, attempt: &Attempt, evidence: &Evidence) -> Option<&'a Attempt> {
        let next = *self.latest.get(&(attempt.partition, attempt.offset?))?;
        let is_other = next.event != attempt.event && next.begin > attempt.line();
        let is_seen_since = || evidence.reads_of(attempt.event).any(|read| read.line > next.begin);
        (is_other && !is_seen_since()).then_some(next)
    }

    fn take_final(&mut self, read: &'a Read, evidence: &'a Evidence) {
        self.in_final.insert(read.event);
        let final_read = self.finals.entry(read.partition).or_default();
        final_read.reads.extend(read.offset.map(|offset| (offset, read)));
        let stands_here = |attempt: &&Attempt| {
            attempt.is_acknowledged() && (attempt.partition, attempt.offset) == (read.partition, read.offset)
        };
        if let Some(attempt) = evidence.attempts_of(read.event).iter().find(stands_here) {
            let last = final_read.sent_last.get_or_insert(attempt);
            if last.begin < attempt.begin {
                *last = attempt;
            }
        }
    }
}

/// The places at which more than one event is said to stand.
fn contested(evidence: &Evidence) -> HashSet<(PartitionKey, Offset)> {
    let standings = evidence.log.standings();
    let pairs = standings.iter().zip(standings.iter().skip(1));
    let place = |standing: &Standing| (standing.partition, standing.offset);
    pairs.filter(|(one, next)| place(one) == place(next)).map(|(one, _)| place(one)).collect()
}
