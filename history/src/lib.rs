//! What an observer of an event-driven system can write down.
//!
//! A *history* is a sequence of *ops*: who called what, when, and what came back.
//! It is the only thing the three halves of Lawspeaker share: the models tell their traces as histories,
//! the bus records them, and the oracle judges them, whoever recorded them.
//!
//! * [`Op`] and [`Call`]: one observed fact, in Jepsen's words where Jepsen has one.
//! * [`Reader`] and [`write_jsonl`]: the versioned JSON Lines format of `docs/history-format.md`;
//!   every error carries its line. [`write_edn`] is the same in EDN, as Jepsen has it, and [`Reader`] reads that too.
//! * [`LogFormat`]: logs of other systems that keep vector clocks, read as histories.
//! * [`VectorClock`]: what an event can have known of.
//! * [`Recorder`]: how a running system writes one.
//! * [`Guarantee`]: the names of what a system may promise, one name everywhere.
//!
//! Reading is streaming: one line is held at a time, and a history of *n* ops costs O(n).

mod causality;
mod clocked;
mod edn;
mod encoding;
mod event;
mod flat;
mod guarantee;
mod history;
mod id;
mod jsonl;
mod name;
mod op;
mod recorder;
mod saga;
mod stream;
mod strict;

pub use causality::{ClockError, VectorClock};
pub use clocked::LogFormat;
pub use encoding::{Encoding, write_edn, write_jsonl};
pub use event::{Event, Metadata, PayloadHash};
pub use guarantee::{Guarantee, Kind};
pub use history::{Header, History, Limits};
pub use id::{EventId, Generation, GroupId, Offset, OffsetError, Partition, Process};
pub use jsonl::{FORMAT, ReadError, ReadErrorKind, Reader, VERSION};
pub use op::{Batch, Call, Delivery, Extra, LOCAL, MicroOp, Op, OpType, Phase, Position, Record, Sent};
pub use recorder::{FileRecorder, MemoryRecorder, NoRecorder, Recorder};
pub use saga::{SagaEnd, SagaId, SagaOutcome, SagaStart, SagaStep, StepName};
pub use stream::{Append, Project, ProjectionName, Slice, Snapshot, StreamName, Versioned};
