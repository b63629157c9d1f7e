//! What the readers of everything saw, and how far they came.

use std::collections::{BTreeMap, HashMap, HashSet};

use lawspeaker_history::Offset;

use crate::Profile;
use crate::evidence::{Attempt, EventKey, Evidence, GroupKey, PartitionKey, Read};

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
    /// Events that a completed read found.
    pub(super) read: HashSet<EventKey>,
    /// The reads that count for Jepsen's rule: of nobody's group, and of each group.
    spans: BTreeMap<(PartitionKey, Option<GroupKey>), Span<'a>>,
    /// The acknowledged send that was invoked last, of those that were told this place.
    latest: HashMap<(PartitionKey, Offset), &'a Attempt>,
}

impl<'a> Readers<'a> {
    pub(super) fn of(evidence: &'a Evidence, profile: &Profile) -> Self {
        let mut readers = Readers {
            keeps_delivered: profile.keeps_delivered,
            finals: HashMap::new(),
            in_final: HashSet::new(),
            read: HashSet::new(),
            spans: BTreeMap::new(),
            latest: HashMap::new(),
        };
        for read in evidence.reads.iter().filter(|read| read.is_ok) {
            readers.read.insert(read.event);
            if read.is_final() {
                readers.take_final(read, evidence);
            }
            let is_partial = read.is_handed_out || (profile.has_competing_consumers && read.group.is_some());
            if let (false, Some(offset)) = (is_partial, read.offset) {
                readers.take_span(read, offset);
            }
        }
        evidence.attempts.iter().for_each(|attempt| readers.take_attempt(attempt));
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

    fn take_attempt(&mut self, attempt: &'a Attempt) {
        let Some(offset) = attempt.offset.filter(|_| attempt.is_acknowledged()) else { return };
        let latest = self.latest.entry((attempt.partition, offset)).or_insert(attempt);
        if latest.begin < attempt.begin {
            *latest = attempt;
        }
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
