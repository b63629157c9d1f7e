//! What the readers of everything saw, and how far they came.

use lawspeaker_history::Offset;

use super::spans::Spans;
use crate::Profile;
use crate::evidence::{Attempt, EventKey, Evidence, Key, PartitionKey, Read, Standing};
use crate::hash::{HashMap, HashSet};

/// The fresh read of one partition at the end.
#[derive(Default)]
pub(super) struct FinalRead<'a> {
    /// By offset.
    reads: Vec<(Offset, &'a Read)>,
    /// Of the first sends of the events that it holds, the one that was invoked last.
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

/// What the readers of everything saw.
pub(super) struct Readers<'a> {
    /// Whether what was delivered should still be there.
    pub(super) keeps_delivered: bool,
    pub(super) finals: HashMap<PartitionKey, FinalRead<'a>>,
    pub(super) in_final: HashSet<EventKey>,
    /// Whether a completed read found an event, by its place.
    is_read: Vec<bool>,
    spans: Spans<'a>,
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
            spans: Spans::of(evidence, |read| {
                !read.is_handed_out && (read.group.is_none() || !profile.has_competing_consumers)
            }),
            latest: HashMap::default(),
        };
        for read in evidence.reads.iter().filter(|read| read.is_ok) {
            readers.is_read[read.event.place()] = true;
            if read.is_final() {
                readers.take_final(read, evidence);
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
    pub(super) fn passed(&self, attempt: &Attempt, offset: Offset, evidence: &Evidence) -> Option<&'a Read> {
        self.spans.passed(attempt, offset, evidence)
    }

    /// The later event that was given the place of an acknowledged one, if that one was not seen since.
    pub(super) fn successor(&self, attempt: &Attempt, evidence: &Evidence) -> Option<&'a Attempt> {
        let next = *self.latest.get(&(attempt.partition, attempt.offset?))?;
        let is_later = !evidence.may_precede(next.event, attempt.line());
        let is_other = next.event != attempt.event && is_later;
        let is_seen_since = || evidence.reads_of(attempt.event).any(|read| read.line > next.begin);
        (is_other && !is_seen_since()).then_some(next)
    }

    fn take_final(&mut self, read: &'a Read, evidence: &'a Evidence) {
        self.in_final.insert(read.event);
        let final_read = self.finals.entry(read.partition).or_default();
        final_read.reads.extend(read.offset.map(|offset| (offset, read)));
        let stands_here = |attempt: &Attempt| {
            attempt.is_acknowledged() && (attempt.partition, attempt.offset) == (read.partition, read.offset)
        };
        let is_told = evidence.attempts_of(read.event).iter().any(stands_here);
        if let Some(attempt) = evidence.first_try(read.event).filter(|_| is_told) {
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
