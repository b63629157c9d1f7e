//! One observed fact: a call, its completion, or a fault.
//!
//! The shape is Jepsen's (`jepsen.history`): `invoke` opens a call of a process; `ok` says that it happened,
//! `fail` that it did not, `info` that nobody knows. What Jepsen has no word for stands in [`Extra`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    Append, EventId, Generation, GroupId, Offset, Partition, Process, Project, SagaEnd, SagaId, SagaStart,
    SagaStep, Slice, Snapshot, VectorClock,
};

/// What is known of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OpType {
    /// The call began.
    Invoke,
    /// It happened.
    Ok,
    /// It surely did not happen.
    Fail,
    /// It may or may not have happened: a time-out, a crash.
    Info,
}

/// One event sent, with the offset it got if the caller learnt it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Where to.
    pub partition: Partition,
    /// Where in the log, once acknowledged and if the system tells.
    pub offset: Option<Offset>,
    /// What.
    pub event: EventId,
}

/// One event read. Queues have no offsets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Where in the log, if the system tells.
    pub offset: Option<Offset>,
    /// What.
    pub event: EventId,
}

/// The events that one call read from one partition, in the order of reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Where from.
    pub partition: Partition,
    /// What was read.
    pub records: Vec<Record>,
}

/// A committed position: `next` is the next offset to read, as in Kafka.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// Of which partition.
    pub partition: Partition,
    /// The next offset to read; `None` where nothing is committed.
    pub next: Option<Offset>,
}

/// One delivered event, by which a consumer acknowledges or refuses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// From which partition or queue.
    pub partition: Partition,
    /// At which offset, if the system tells.
    pub offset: Option<Offset>,
    /// Which event, if the caller knows.
    pub event: Option<EventId>,
}

/// A part of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MicroOp {
    /// `["send", partition, id]`, or `["send", partition, [offset, id]]` once acknowledged.
    Send(Sent),
    /// `["poll", {partition: [[offset, id], …]}]`.
    Poll(Vec<Batch>),
}

/// The `f` of what concerns nobody but the process itself: a step that only a clock counts.
pub const LOCAL: &str = "local";

/// What was called: `f` and `value` of the format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// `send`: append events.
    Send(Vec<Sent>),
    /// `poll`: read on from the caller's position.
    Poll(Vec<Batch>),
    /// `txn`: sends and polls that are one transaction.
    Txn(Vec<MicroOp>),
    /// `receive`: the system hands out events one consumer each, to be acknowledged singly.
    Receive(Vec<Batch>),
    /// `assign`: the caller now reads these partitions; with a group in [`Extra`], the group gave them to it.
    Assign(Vec<Partition>),
    /// `revoke`: the caller gave these partitions up.
    Revoke(Vec<Partition>),
    /// `subscribe`: the caller joins its group for these topics.
    Subscribe(Vec<Partition>),
    /// `commit`: the group's positions.
    Commit(Vec<Position>),
    /// `committed`: what the system says the group's positions are.
    Committed(Vec<Position>),
    /// `trim`: what stands before these positions may be gone from here on, by age, by size or by order.
    Trim(Vec<Position>),
    /// `compact`: of what stands before these positions, only the last event of each key has to be there from here on.
    Compact(Vec<Position>),
    /// `ack`: done with these deliveries.
    Ack(Vec<Delivery>),
    /// `nack`: not done, deliver again.
    Nack(Vec<Delivery>),
    /// `reject`: will never be done, drop or dead-letter.
    Reject(Vec<Delivery>),
    /// `dead-letter`: the system put these deliveries aside, to be looked at by somebody else.
    DeadLetter(Vec<Delivery>),
    /// `apply`: the effect of these deliveries happened.
    Apply(Vec<Delivery>),
    /// `change`: the state of a service changed in a transaction that owes exactly these events.
    Change(Vec<EventId>),
    /// `fence`: the producer `pid` of [`Extra`] is at its `epoch` from now on, and what it was before is refused.
    Fence,
    /// `begin`: what the caller sends, reads and commits from here on is part of one transaction.
    Begin,
    /// `commit-txn`: the caller's transaction happened.
    CommitTxn,
    /// `abort-txn`: the caller's transaction surely did not happen.
    AbortTxn,
    /// `crash`: the caller is gone, with the work it had in hand.
    Crash,
    /// `saga.start`: a saga begins.
    SagaStart(SagaStart),
    /// `saga.step`: the effect of a step of a saga.
    SagaStep(SagaStep),
    /// `saga.compensate`: the effect of a step is undone.
    SagaCompensate(SagaStep),
    /// `saga.end`: a saga is over.
    SagaEnd(SagaEnd),
    /// `append`: events are put at the end of a stream.
    Append(Append),
    /// `read-stream`: events of streams, as they were read.
    ReadStream(Vec<Slice>),
    /// `snapshot`: what a stream comes to.
    Snapshot(Snapshot),
    /// `project`: a projection takes events of a stream.
    Project(Project),
    /// `quiescent`: faults are over, and nothing is under way any more.
    Quiescent,
    /// Every other `f`, value kept: `nemesis`, `restart`, `kill`, and what is yet to come.
    Other {
        /// The `f`.
        f: String,
        /// Its value.
        value: Value,
    },
}

impl Call {
    /// The `f` of the format.
    pub fn f(&self) -> &str {
        match self {
            Call::Send(_) => "send",
            Call::Poll(_) => "poll",
            Call::Txn(_) => "txn",
            Call::Receive(_) => "receive",
            Call::Assign(_) => "assign",
            Call::Revoke(_) => "revoke",
            Call::Subscribe(_) => "subscribe",
            Call::Commit(_) => "commit",
            Call::Trim(_) => "trim",
            Call::Compact(_) => "compact",
            Call::Committed(_) => "committed",
            Call::Ack(_) => "ack",
            Call::Nack(_) => "nack",
            Call::Reject(_) => "reject",
            Call::DeadLetter(_) => "dead-letter",
            Call::Apply(_) => "apply",
            Call::Change(_) => "change",
            Call::Fence => "fence",
            Call::Begin => "begin",
            Call::CommitTxn => "commit-txn",
            Call::AbortTxn => "abort-txn",
            Call::Crash => "crash",
            Call::SagaStart(_) => "saga.start",
            Call::SagaStep(_) => "saga.step",
            Call::SagaCompensate(_) => "saga.compensate",
            Call::SagaEnd(_) => "saga.end",
            Call::Append(_) => "append",
            Call::ReadStream(_) => "read-stream",
            Call::Snapshot(_) => "snapshot",
            Call::Project(_) => "project",
            Call::Quiescent => "quiescent",
            Call::Other { f, .. } => f,
        }
    }

    /// Whether it says something of a saga.
    pub fn is_of_saga(&self) -> bool {
        matches!(self, Call::SagaStart(_) | Call::SagaStep(_) | Call::SagaCompensate(_) | Call::SagaEnd(_))
    }
}

/// The part of a recording that an op belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Load, with or without faults. The default.
    Main,
    /// Faults are over: a consumer of the group empties what is left.
    Drain,
    /// A fresh reader, of no group, reads everything from the beginning.
    Final,
}

/// What an op says beyond Jepsen's words: the object `x` of the format.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Extra {
    /// The key of the events sent or read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Of a send: whether its events delete their key, so that a compaction may drop them too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tombstone: Option<bool>,
    /// The consumer group on whose behalf the call was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupId>,
    /// The generation that the caller believed in.
    #[serde(default, rename = "gen", skip_serializing_if = "Option::is_none")]
    pub generation: Option<Generation>,
    /// The part of the recording; `None` is [`Phase::Main`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// The direct causes of what was sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cause: Vec<EventId>,
    /// The vector clock of the caller: of a send when it was sent, of a delivery once it was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<VectorClock>,
    /// How many times the system says it has delivered this, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<u64>,
    /// `false` where the caller's acknowledgement is never confirmed: its `ok` means no more than sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<bool>,
    /// Of a step of a saga: for each record that it read, the saga whose write it saw, if it was one's.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub reads: BTreeMap<String, Option<SagaId>>,
    /// Of a compensation: for each record that it put an older value back into, the saga whose write stood there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub restores: BTreeMap<String, Option<SagaId>>,
    /// The producer, as the system names it; its `epoch` and `seq` are counted for it alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u64>,
    /// Which incarnation of the producer sends, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u64>,
    /// The sequence number of the first event that is sent; those after it in one call have the next ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// Of a poll: the offset from which each partition was asked for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub from: BTreeMap<Partition, Offset>,
    /// Of a poll: the offset before which the system says that everything of a partition can be read.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub hw: BTreeMap<Partition, Offset>,
    /// Whatever else stands under `x`.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl Extra {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        *self == Extra::default()
    }
}

/// One line of a history.
#[derive(Clone, Debug, PartialEq)]
pub struct Op {
    /// The line of the input it stands on, from 1; for an op that was never read, one more than its index.
    pub line: u64,
    /// Its place in the history, from 0.
    pub index: u64,
    /// When, in nanoseconds since the recording began; `None` if nobody looked.
    pub time_ns: Option<u64>,
    /// Who.
    pub process: Process,
    /// What is known of the call.
    pub op_type: OpType,
    /// What was called.
    pub call: Call,
    /// What went wrong, as the caller saw it.
    pub error: Option<Value>,
    /// What Jepsen has no word for.
    pub x: Extra,
    /// Fields the format does not know, kept as they were.
    pub unknown: Map<String, Value>,
}

impl Op {
    /// An op without time or extras, for recorders, models and tests; its place is set by whoever collects it.
    pub fn new(process: impl Into<Process>, op_type: OpType, call: Call) -> Self {
        Op {
            line: 0,
            index: 0,
            time_ns: None,
            process: process.into(),
            op_type,
            call,
            error: None,
            x: Extra::default(),
            unknown: Map::new(),
        }
    }

    /// The same op on behalf of `group`.
    #[must_use]
    pub fn group(mut self, group: impl Into<GroupId>) -> Self {
        self.x.group = Some(group.into());
        self
    }

    /// The same op in `generation`.
    #[must_use]
    pub fn generation(mut self, generation: Generation) -> Self {
        self.x.generation = Some(generation);
        self
    }

    /// The same op in `phase`.
    #[must_use]
    pub fn phase(mut self, phase: Phase) -> Self {
        self.x.phase = Some(phase);
        self
    }

    /// The same op about events of `key`.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.x.key = Some(key.into());
        self
    }

    /// Whether the op belongs to the final read of the whole log, by a fresh reader: one of no group.
    pub fn is_final(&self) -> bool {
        self.x.phase == Some(Phase::Final) && self.x.group.is_none()
    }
}
