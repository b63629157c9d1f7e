//! What a history says for certain, as rows that the checks read.
//!
//! A [`Collector`] takes ops one by one; [`Collector::seal`] sorts what it took into an [`Evidence`].
//! Time is the number of the line: within one call `begin` is the line of its invocation, where one was recorded,
//! and of its completion otherwise. One thing surely happened before another if it ended on a line before the
//! other's `begin`.
//!
//! Cost: O(n log n) time, O(n) memory in the number of observations.

mod causal;
mod collector;
mod coverage;
mod fetch;
mod log;
mod names;
mod outbox;
mod queue;
mod saga;
mod seek;
mod skips;
mod starts;
mod stream;
mod transaction;
mod tries;
mod trim;

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use lawspeaker_history::{Generation, Offset, OpType, Phase};

use crate::Subject;

pub(crate) use causal::{Causal, Clock, Moment, Stamp, count, happened_before};
pub(crate) use collector::Collector;
use collector::sends;
pub(crate) use coverage::{Coverage, Coverages, coverage, given};
pub(crate) use fetch::{Fetch, Waiting};
pub(crate) use log::{Log, Standing};
pub(crate) use names::{
    EventKey, GroupKey, Key, Names, PartitionKey, ProcessKey, ProjectionKey, SagaKey, ServiceKey, StepKey,
    StreamKey,
};
pub(crate) use outbox::{Change, Effect, Outbox, OutboxCollector};
pub(crate) use queue::{Queue, Redelivery, Settled, Settlement, redeliveries};
pub(crate) use saga::{Act, Deed, Saga, SagaCollector, Sagas, StepRecord};
pub(crate) use seek::Seek;
pub(crate) use skips::Skips;
use starts::Starts;
pub(crate) use stream::{Append, Place, Projected, StreamCollector, StreamRead, StreamSnapshot, Streams};
pub(crate) use transaction::{Transaction, TransactionCollector, TransactionKey, Transactions};
pub(crate) use trim::{Trim, Trims};

/// One send of one event.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub event: EventKey,
    pub process: ProcessKey,
    /// Its place among the sends of one call, from 0.
    pub place_in_call: u32,
    /// Where it was addressed to: a partition, or a topic whose partition the system chooses.
    pub address: PartitionKey,
    /// The line of the invocation, or of the completion if there is none.
    pub begin: u64,
    /// Whether its invocation was recorded.
    pub is_invoked: bool,
    /// The line of the completion; `None` if the history ends before it.
    pub end: Option<u64>,
    /// What is known of it; a send that never completed is `Info`.
    pub outcome: OpType,
    /// Where it stands by its acknowledgement; the address where nothing was said.
    pub partition: PartitionKey,
    /// At which offset, if the acknowledgement told.
    pub offset: Option<Offset>,
    /// The transaction that it is part of; one that was aborted makes its outcome a failure.
    pub transaction: Option<TransactionKey>,
    /// What most recordings do not say, elsewhere: the rows are many, and every check goes through them.
    labels: Option<Box<Labels>>,
}

/// What may be said of a send beside the event and where it goes.
#[derive(Clone, Debug, Default, PartialEq)]
struct Labels {
    producer: Option<(u64, u64)>,
    seq: Option<u64>,
    key: Option<Arc<str>>,
    hash: Option<Arc<str>>,
}

impl Attempt {
    /// The producer as the system names it, and its epoch.
    pub(crate) fn producer(&self) -> Option<(u64, u64)> {
        self.labels.as_ref()?.producer
    }

    /// Its place among what that producer sent to the partition in that epoch.
    pub(crate) fn seq(&self) -> Option<u64> {
        self.labels.as_ref()?.seq
    }

    /// The key of the event.
    pub(crate) fn key(&self) -> Option<&str> {
        self.labels.as_ref()?.key.as_deref()
    }

    /// The hash of its content.
    pub(crate) fn hash(&self) -> Option<&str> {
        self.labels.as_ref()?.hash.as_deref()
    }

    pub(crate) fn is_acknowledged(&self) -> bool {
        self.outcome == OpType::Ok
    }

    /// Takes what its completion says beside what its invocation said.
    fn label(&mut self, completed: Option<Box<Labels>>) {
        let Some(mut labels) = completed else { return };
        let invoked = self.labels.take().map(|labels| *labels).unwrap_or_default();
        labels.producer = labels.producer.or(invoked.producer);
        labels.seq = labels.seq.or(invoked.seq);
        labels.key = labels.key.or(invoked.key);
        labels.hash = labels.hash.or(invoked.hash);
        self.labels = Some(labels);
    }

    /// Whether only the order of lines says that it came after a call of `earlier`.
    pub(crate) fn is_later_by_line(&self, earlier: ProcessKey) -> bool {
        !self.is_invoked && self.process != earlier
    }

    /// The line that says most about it.
    pub(crate) fn line(&self) -> u64 {
        self.end.unwrap_or(self.begin)
    }
}

/// One event read.
#[derive(Clone, Debug)]
pub(crate) struct Read {
    pub line: u64,
    pub begin: u64,
    /// Whether its invocation was recorded.
    pub is_invoked: bool,
    pub process: ProcessKey,
    pub group: Option<GroupKey>,
    pub partition: PartitionKey,
    pub offset: Option<Offset>,
    pub event: EventKey,
    pub is_ok: bool,
    /// Whether it surely did not happen; what neither failed nor is ok may have.
    pub has_failed: bool,
    pub phase: Phase,
    /// Whether the system handed it out for single acknowledgement (`receive`).
    pub is_handed_out: bool,
    /// The transaction that it is part of.
    pub transaction: Option<TransactionKey>,
    /// What most recordings do not say, elsewhere.
    notes: Option<Box<Notes>>,
}

/// What may be said of a read beside the event and where it stands.
#[derive(Clone, Debug, Default, PartialEq)]
struct Notes {
    time_ns: Option<u64>,
    delivery: Option<u64>,
    hash: Option<Arc<str>>,
    node: Option<Arc<str>>,
}

impl Read {
    /// When it completed, in nanoseconds since the recording began; only of what was handed out.
    pub(crate) fn time_ns(&self) -> Option<u64> {
        self.notes.as_ref()?.time_ns
    }

    /// How many times the system says it has delivered this, from 1.
    pub(crate) fn delivery(&self) -> Option<u64> {
        self.notes.as_ref()?.delivery
    }

    /// The hash of the content that was delivered.
    pub(crate) fn hash(&self) -> Option<&str> {
        self.notes.as_ref()?.hash.as_deref()
    }

    /// Which node answered.
    pub(crate) fn node(&self) -> Option<&Arc<str>> {
        self.notes.as_ref()?.node.as_ref()
    }

    /// Whether only the order of lines says that it came after a call of `earlier`.
    pub(crate) fn is_later_by_line(&self, earlier: ProcessKey) -> bool {
        !self.is_invoked && self.process != earlier
    }

    /// Whether it is part of the fresh read of everything at the end.
    pub(crate) fn is_final(&self) -> bool {
        self.is_ok && self.phase == Phase::Final && self.group.is_none()
    }
}

/// A confirmed or unconfirmed acknowledgement of one delivery; only those that succeeded.
#[derive(Clone, Debug)]
pub(crate) struct Acknowledgement {
    pub line: u64,
    pub process: ProcessKey,
    pub group: Option<GroupKey>,
    pub partition: PartitionKey,
    pub offset: Option<Offset>,
    pub event: Option<EventKey>,
    /// Whether the system said that it took it.
    pub is_confirmed: bool,
    /// Whether the system says nothing of acknowledgements: success means no more than sent.
    pub is_sent_only: bool,
    /// The line of its invocation, or its own.
    pub begin: u64,
    pub generation: Option<Generation>,
}

/// A position that a group committed, or that the system said it had; only those that succeeded.
#[derive(Clone, Debug)]
pub(crate) struct Commit {
    pub line: u64,
    pub begin: u64,
    /// Whether its invocation was recorded.
    pub is_invoked: bool,
    pub process: ProcessKey,
    pub group: Option<GroupKey>,
    pub partition: PartitionKey,
    pub next: Option<Offset>,
    /// Whether it was asked for (`committed`) and not set (`commit`).
    pub is_fetched: bool,
    pub generation: Option<Generation>,
    /// The transaction that it is part of; only those of committed ones are kept.
    pub transaction: Option<TransactionKey>,
}

/// A position that somebody asked to commit, whatever became of it.
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    pub line: u64,
    pub process: ProcessKey,
    pub group: Option<GroupKey>,
    pub partition: PartitionKey,
    pub next: Offset,
    pub transaction: Option<TransactionKey>,
}

impl Commit {
    /// Whether only the order of lines says that it came after a call of `earlier`.
    pub(crate) fn is_later_by_line(&self, earlier: ProcessKey) -> bool {
        !self.is_invoked && self.process != earlier
    }
}

/// A change of what a process reads.
#[derive(Clone, Debug)]
pub(crate) struct Move {
    pub line: u64,
    pub process: ProcessKey,
    pub group: Option<GroupKey>,
    pub generation: Option<Generation>,
    pub kind: MoveKind,
}

/// How it changes.
#[derive(Clone, Debug)]
pub(crate) enum MoveKind {
    /// These and no others.
    Assign(Vec<PartitionKey>),
    /// No longer these.
    Revoke(Vec<PartitionKey>),
    /// These topics, or, in a group, whatever the group gives it of them.
    Subscribe(Vec<PartitionKey>),
    /// Somewhere else, on its own wish.
    Seek,
    /// Nothing more.
    Crash,
}

/// An op of the process that injects faults.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub line: u64,
    pub name: String,
}

/// A producer that is at an epoch from now on; only those that succeeded.
#[derive(Clone, Debug)]
pub(crate) struct Fence {
    pub line: u64,
    pub process: ProcessKey,
    pub producer: u64,
    pub epoch: u64,
}

/// How much of the run was recorded.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Extent {
    /// What the header says.
    pub complete: Option<bool>,
    /// Whether a fresh reader read everything at the end.
    pub has_final_read: bool,
    /// The line on which it began: what is acknowledged later is not owed by it.
    pub final_since: Option<u64>,
    /// Whether a call of it has an unknown outcome, so that it may have ended early.
    pub is_final_read_uncertain: bool,
    /// The last line of a final read, completed or not.
    pub last_final_line: Option<u64>,
    /// The last line on which a group was drained.
    pub last_drain_line: Option<u64>,
    /// The last line that says that nothing was under way any more.
    pub last_quiescence: Option<u64>,
    /// The last line before it on which a call was answered.
    pub last_answer: Option<u64>,
    /// Whether transactions were recorded: their markers take offsets that nobody reads.
    pub has_transactions: bool,
}

impl Extent {
    /// Whether anything of the end was recorded, so that an event may be missed at all.
    pub(crate) fn has_end(self) -> bool {
        let is_any = self.last_final_line.or(self.last_drain_line).is_some();
        self.complete.unwrap_or(is_any)
    }

    /// Whether nothing was under way any more after `line`: a `quiescent` after it says so, or the header.
    pub(crate) fn is_at_rest_after(self, line: u64) -> bool {
        self.complete == Some(true) || self.last_quiescence > Some(line)
    }

    /// Whether every group was given the time to receive all it is owed: the header says so, or the final read had
    /// begun, which comes after the last drain.
    pub(crate) fn is_drained(self) -> bool {
        self.complete.unwrap_or(self.last_final_line > self.last_drain_line)
    }
}

/// What kind of system a history looks like.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Hints {
    pub has_positions: bool,
    pub has_acks: bool,
    pub has_offsets: bool,
    pub has_stream_ids: bool,
    pub has_delivery_counts: bool,
    /// Whether ops carry vector clocks.
    pub has_clocks: bool,
    pub has_sagas: bool,
}

/// Everything that the checks read.
#[derive(Debug)]
pub(crate) struct Evidence {
    pub names: Names,
    /// By event, then by line.
    pub attempts: Vec<Attempt>,
    attempt_starts: Starts,
    /// Places in `attempts`, by event.
    first_tries: Vec<Option<u32>>,
    /// By line, and in the order of reading within one.
    pub reads: Vec<Read>,
    /// Places in `reads`, by event.
    reads_by_event: Vec<u32>,
    read_starts: Starts,
    /// What stands where.
    pub log: Log,
    /// By line.
    pub acknowledgements: Vec<Acknowledgement>,
    /// By line.
    pub commits: Vec<Commit>,
    /// By line.
    pub moves: Vec<Move>,
    /// By line.
    pub fences: Vec<Fence>,
    pub skips: Skips,
    /// By line.
    pub faults: Vec<Fault>,
    /// What is said of causes.
    pub causal: Causal,
    /// What is said of refusals and dead letters.
    pub queue: Queue,
    /// What is said of changes of state, and of effects.
    pub outbox: Outbox,
    /// What is said of streams.
    pub streams: Streams,
    /// What is said of sagas.
    pub sagas: Sagas,
    /// What is said of transactions.
    pub transactions: Transactions,
    /// By line.
    pub claims: Vec<Claim>,
    /// What may be gone.
    pub trims: Trims,
    /// By line.
    pub fetches: Vec<Fetch>,
    /// Calls that were never answered, by line.
    pub waiting: Vec<Waiting>,
    /// Processes that end transactions by calls of other names, which are not judged: what they were told of their
    /// sends may have been aborted after it.
    transactional: HashSet<ProcessKey>,
    pub extent: Extent,
    pub hints: Hints,
    pub op_count: usize,
    pub last_line: u64,
}

impl Evidence {
    /// What anything is recorded of.
    pub(crate) fn subjects(&self) -> BTreeSet<Subject> {
        let mut subjects = BTreeSet::from([Subject::Events]);
        subjects.extend(self.hints.has_sagas.then_some(Subject::Sagas));
        subjects.extend((!self.streams.is_empty()).then_some(Subject::Streams));
        subjects.extend((!self.outbox.changes.is_empty()).then_some(Subject::Outbox));
        subjects
    }

    /// Every send of `event`.
    pub(crate) fn attempts_of(&self, event: EventKey) -> &[Attempt] {
        &self.attempts[self.attempt_starts.of(event)]
    }

    /// The first acknowledged send of `event`.
    pub(crate) fn acknowledgement_of(&self, event: EventKey) -> Option<&Attempt> {
        self.attempts_of(event).iter().find(|attempt| attempt.is_acknowledged())
    }

    /// Every read of `event`, by line.
    pub(crate) fn reads_of(&self, event: EventKey) -> impl Iterator<Item = &Read> {
        self.reads_by_event[self.read_starts.of(event)].iter().map(|place| &self.reads[*place as usize])
    }

    /// Reads of one call, group and partition, together.
    pub(crate) fn batches(&self) -> impl Iterator<Item = &[Read]> {
        self.reads.chunk_by(|read, next| {
            (read.line, read.group, read.partition) == (next.line, next.group, next.partition)
        })
    }

    /// Whether every send of `event` surely did not happen.
    pub(crate) fn has_failed(&self, event: EventKey) -> bool {
        let attempts = self.attempts_of(event);
        !attempts.is_empty() && attempts.iter().all(|attempt| attempt.outcome == OpType::Fail)
    }

    /// The events that were acknowledged to their producers and have to be there, in the order of first sight.
    pub(crate) fn acknowledged(&self) -> impl Iterator<Item = (EventKey, &Attempt)> {
        let acknowledged = |event| Some((event, self.acknowledgement_of(event)?));
        self.names.events.keys().filter_map(acknowledged).filter(|(_, attempt)| !self.may_be_gone(attempt))
    }

    /// Whether nothing excuses a reader who does not find what stands there.
    pub(crate) fn is_to_be_found(&self, standing: &Standing) -> bool {
        !self.has_failed(standing.event) && !self.trims.may_lack(standing.partition, standing.offset)
    }

    /// Whether an aborted transaction may be why an event is missing.
    pub(crate) fn may_be_aborted(&self, event: EventKey) -> bool {
        self.attempts_of(event).iter().any(|attempt| self.transactional.contains(&attempt.process))
    }

    /// Whether some processes end transactions by calls of their own.
    pub(crate) fn has_open_ended_transactions(&self) -> bool {
        !self.transactional.is_empty()
    }

    /// The first fault after `line`.
    pub(crate) fn fault_after(&self, line: u64) -> Option<&Fault> {
        self.faults.get(self.faults.partition_point(|fault| fault.line <= line))
    }
}
