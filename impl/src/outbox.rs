//! The transactional outbox and inbox: a service's state, the events it has handled and the events it owes, all in
//! one journal, so that one record changes all three or nothing.
//!
//! A service that stores its change and then publishes may die in between, and one that publishes first may fail to
//! store: the *dual write*. So a transaction appends what it owes to the outbox in the same record as the change, and
//! a [`Relay`] publishes it later, marks it after that, and publishes again what it cannot know to be published. The
//! *inbox* makes up for that: an event that was handled is known by its id, in the same record as its effect, and does
//! nothing when it comes again. See Richardson, *Microservices Patterns*, 2018, sections 3.3.7 and 3.4.
//!
//! Guarantees: `outbox-atomicity`, and `effect-once` as long as the inbox remembers the event ([`Retention`]).
//! Specification: `lawspeaker_spec::outbox`. The guards, by the model's names:
//!
//! | guard | here |
//! |---|---|
//! | `atomic-outbox`, `atomic-publish` | change, inbox mark and owed events are one record |
//! | `mark-after-publish` | [`Relay::step`] marks what the publisher has acknowledged |
//! | `single-relay` | [`ServiceStore::open_relay`] fences the relays before it, and so do the logs it publishes to |
//! | `inbox`, `dedup` | [`Handled::Duplicate`] |
//! | `inbox-atomic` | the check and the mark are one critical section and one record with the effect |
//! | `inbox-keep` | [`Retention`] |
//! | `ack-after-effect` | [`ServiceStore::handle`] answers when the effect is durable; the offset is committed then |
//! | `remember-refusal` | a refusal is an [`Outcome`] too |
//! | `tombstone` | [`Decision::void`]: an event that a cancellation overtook does nothing when it comes |
//!
//! * [`OutboxCore`]: the decisions, pure.
//! * [`ServiceStore`]: the state that threads share.
//! * [`Relay`]: publishes what is owed.
//! * [`Handler`] and [`RetryPolicy`]: what a service does with an event, and how often it tries.
//!
//! [`bus::Service`](crate::bus::Service) puts them together on the bus.
//!
//! Cost: a transaction is one record and a share of a sync; a lookup in the inbox is O(log remembered). The journal
//! is read once when the store is opened and is never shortened, so that opening costs O(transactions).

mod core;
mod dead_letter;
mod decision;
mod error;
mod handler;
mod record;
mod relay;
mod retry;
mod shell;
mod state;

pub use self::core::{
    Fact, InboxEntry, OutboxCore, Outcome, Refusal, RelayEpoch, Retention, Slot, Transaction, Unlawful,
};
pub use dead_letter::DeadLetter;
pub use decision::Decision;
pub use error::{CommitError, RecoverError, StoreError};
pub use handler::{Failure, Handler};
pub use record::OutboxRecord;
pub use relay::{Publish, Relay, RelayError};
pub use retry::{RetryPolicy, Verdict};
pub use shell::{Arrival, Handled, Owed, ServiceStore};
pub use state::{Entry, State};
