//! A partition: a durable log of events, each taken once and in its producer's order.
//!
//! Guarantees: `no-duplication` and `producer-order` (the deduplication window, KIP-98), `durability` (an event is
//! acknowledged and readable only when it is synced), `total-log` (an offset holds one event for ever).
//! Specification: `lawspeaker_spec::partition_log`. An append costs O(log p) for p producers and no sync; an
//! acknowledgement shares its sync with everybody who waits (group commit); a read takes no lock.
//!
//! * [`PartitionLogCore`]: the decisions, pure.
//! * [`PartitionLog`]: the shell that threads share.

mod core;
mod dedup;
mod index;
mod record;
mod shell;

pub use self::core::{Accepted, DEFAULT_WINDOW_LENGTH, Fact, PartitionLogCore, Refusal, Unlawful};
pub use record::LogRecord;
pub(crate) use record::{decode_message, encode_message};
pub use shell::{AppendError, LogEntry, PartitionLog, ReadError, RecoverError, WaitError};
