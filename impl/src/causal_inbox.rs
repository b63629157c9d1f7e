//! A causal inbox: events come in any order and are delivered in one that extends happened-before.
//!
//! Guarantee: `causal-delivery` (no effect before its cause). Specification: `lawspeaker_spec::causal_inbox`. This
//! is the hold-back queue of Birman, Schiper and Stephenson (1991), for contexts of either form.
//!
//! * *Bounded*: a full inbox refuses, and whoever feeds it must offer the event again. Only the event that a full
//!   inbox waits for is taken all the same, or it would wait for ever.
//! * *Nothing twice*: what was delivered, or is held, is known by its dot and dropped.
//! * *Nothing silently skipped*: [`stuck`](CausalInbox::stuck) tells which causes are missing and since when; to go
//!   on without one is the caller's choice, [`give_up`](CausalInbox::give_up), and is recorded. Causes in partitions
//!   that the reader is not subscribed to are not waited for: it would never be sent them (`skip-unsubscribed`).
//!
//! What it costs is the order within a partition: an event that is ready overtakes one that waits. Without that,
//! causal delivery over partitioned logs deadlocks, unless producers keep a
//! [`Barrier`](crate::causal_producer::Barrier).
//!
//! An arrival costs O(d log n) for d causes, a delivery O(w d log n) for the w events that wait for its lane, memory
//! O(capacity) and one interval for each hole in what was delivered.
//!
//! * [`CausalInboxCore`]: the decisions, pure; time is an input.
//! * [`CausalInbox`]: the inbox that threads share.
//!
//! An inbox is not durable, and need not be: after a crash it is rebuilt from the logs. What a group has committed
//! was delivered; the rest arrives again.

mod core;
mod shell;

pub use self::core::{Arrived, CausalInboxCore, Refusal, Stuck};
pub use shell::{CausalDelivery, CausalInbox, InboxClosed};
