//! A consumer group: who of its members owns which partition, and how far each partition is processed.
//!
//! Guarantees: `single-owner` (a partition goes to its next owner only when the last one has let go, KIP-429),
//! `commit-monotonicity`, and the fencing that `at-least-once` rests on (a commit of an old generation changes
//! nothing). Specification: `lawspeaker_spec::consumer_group`. Every call costs O(partitions), and a change is
//! answered when it is durable (group commit).
//!
//! * [`ConsumerGroupCore`]: the decisions, pure.
//! * [`ConsumerGroup`]: the coordinator that threads share.

mod core;
mod record;
mod shell;

pub use self::core::{Assignment, ConsumerGroupCore, Owned, Refusal, Unlawful};
pub use record::GroupRecord;
pub use shell::{ConsumerGroup, GroupError, RecoverError};
