//! An embedded, durable, concurrent event bus whose kernels are checked against the model.
//!
//! * [`bus`]: topics, producers and consumer groups in one directory; start here.
//! * [`tokio_bus`]: the same for tasks.
//! * [`store`] and [`segment_journal`]: what stands on the disk, and how it is found again after a crash.
//!
//! Each kernel is a pure *core*, which decides, and a *shell*, which lets threads share it:
//!
//! * [`partition_log`]: a durable log of events, each taken once and in its producer's order;
//! * [`consumer_group`]: who owns which partition, and how far each is processed;
//! * [`causal_inbox`]: events come in any order and go causes first;
//! * [`saga`]: steps of several services, all of them done or every done one compensated;
//! * [`outbox`]: a service's state, what it has handled and what it owes, in one record.
//!
//! Around them stand the [`Producer`](producer::Producer), the
//! [`CausalProducer`](causal_producer::CausalProducer), the [`Member`](member::Member) of a group, the
//! [`partition_of`](partitioner::partition_of) a key, and a [`Journal`](journal::Journal), which is a segment store
//! on disk or a [`MemoryJournal`](memory_journal::MemoryJournal).
//!
//! What it promises, by the names of `docs/guarantees.md`: `no-duplication`, `producer-order`, `key-order`,
//! `total-log`, `durability`, `at-least-once`, `commit-monotonicity` and `single-owner`; and `causal-delivery` to
//! whoever opens a [`CausalSession`](bus::CausalSession); of sagas `saga-atomicity`, `compensation-order` and
//! `saga-termination`. Nothing is lost silently: whoever is acknowledged is
//! durable, and a journal that fails is given up and never tried again.
//!
//! The cores refine the model's sequential specifications (obligation O1) and the shells linearize the cores (O2):
//! see `tests/` of the workspace. This crate knows neither.
//!
//! ```
//! use lawspeaker_bus::consumer_group::ConsumerGroup;
//! use lawspeaker_bus::id::{MemberId, ProducerId};
//! use lawspeaker_bus::member::Member;
//! use lawspeaker_bus::memory_journal::MemoryJournal;
//! use lawspeaker_bus::message::Message;
//! use lawspeaker_bus::partition_log::PartitionLog;
//! use lawspeaker_bus::producer::Producer;
//! use lawspeaker_bus::sync::Arc;
//! use lawspeaker_history::{MemoryRecorder, Partition};
//!
//! let recorder = Arc::new(MemoryRecorder::new());
//! let journal = || Arc::new(MemoryJournal::new());
//! let orders = Partition::new("orders", 0);
//! let log = Arc::new(PartitionLog::recover(orders.clone(), journal(), recorder.clone())?);
//! let group = ConsumerGroup::recover("billing".into(), vec![orders], journal(), recorder.clone())?;
//!
//! let mut producer = Producer::open(ProducerId(1), log.clone())?;
//! producer.send(Message::new("order-17", "two apples"))?; // durable when it returns
//!
//! let mut member = Member::join(MemberId(1), Arc::new(group), vec![log], recorder.clone())?;
//! for polled in member.poll(100)? {
//!     assert_eq!(polled.entry.message.payload, b"two apples");
//!     member.handled(polled.partition, polled.entry.offset);
//! }
//! member.commit()?; // after processing: at least once
//!
//! assert!(recorder.history().ops.len() >= 4); // for the oracle to judge
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod bus;
pub mod causal_inbox;
pub mod causal_producer;
pub mod causality;
mod codec;
pub mod consumer_group;
mod group_commit;
pub mod id;
pub mod journal;
pub mod journal_error;
pub mod member;
pub mod memory_journal;
pub mod message;
pub mod mutant;
pub mod outbox;
pub mod partition_log;
pub mod partitioner;
pub mod producer;
pub mod saga;
mod segment;
pub mod segment_journal;
pub mod store;
pub mod sync;
pub mod tokio_bus;

pub use codec::DecodeError;
pub use group_commit::{JournalFailure, RecordRefused, WriteError};
