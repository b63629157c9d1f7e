//! A causal producer: what its service has delivered and sent is in the context of what it sends next.
//!
//! Guarantee: its half of `causal-delivery`, the other is the [`CausalInbox`](crate::causal_inbox::CausalInbox).
//! A send costs the copy of the context, O(lanes), and what the [`Barrier`] waits for.

use std::collections::BTreeMap;

use lawspeaker_history::{Offset, Partition};

use crate::causal_inbox::CausalDelivery;
use crate::causality::{CausalContext, CausalPast, Dot, Representation};
use crate::group_commit::WriteError;
use crate::id::{Epoch, ProducerId, Sequence, Stamp};
use crate::message::Message;
use crate::mutant::{Mutant, is_seeded};
use crate::partition_log::{AppendError, PartitionLog, WaitError};
use crate::sync::Arc;

/// What a producer waits for before it sends an event that depends on what it sent before.
///
/// Partitions acknowledge independently. Where the effect may become durable, or be written, before its cause, a
/// crash may leave an effect whose cause nobody will ever see, and readers that keep the order of each partition may
/// wait for one another for ever (the model's guard `ack_barrier`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Barrier {
    /// Nothing. Fastest, and after a crash causes may be missing for ever.
    None,
    /// What it sent to the same partition: one event under way in each. Does not help against the above.
    PerPartition,
    /// What it sent to other partitions. Within one the sequence numbers keep the order.
    #[default]
    AcrossPartitions,
}

/// A producer to several partitions that tells of each event what it depends on. One thread at a time.
///
/// [`send`](Self::send) only appends; [`acknowledge`](Self::acknowledge) waits until it is durable, and so does the
/// next send as far as the [`Barrier`] says.
#[derive(Debug)]
pub struct CausalProducer {
    barrier: Barrier,
    past: CausalPast,
    outlets: BTreeMap<Partition, Outlet>,
    /// An event was written and nobody knows whether it is there.
    is_in_doubt: bool,
}

/// One partition to send to.
#[derive(Debug)]
struct Outlet {
    log: Arc<PartitionLog>,
    id: ProducerId,
    epoch: Epoch,
    next: Sequence,
    /// The last event sent, if it is not known to be durable.
    unacknowledged: Option<Offset>,
}

/// Why an event is not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CausalSendError {
    /// The producer was not opened for the partition.
    #[error("the producer was not opened for partition `{0}`")]
    UnknownPartition(Partition),
    /// What the event depends on could not be acknowledged. The event was not sent.
    #[error("an event that this one depends on is not acknowledged: {0}")]
    Barrier(WaitError),
    /// The partition took no event.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// The outcome of an earlier event is unknown, and nothing can be said to depend on it or not.
    #[error("the outcome of an earlier event is unknown: open the producer again to go on")]
    InDoubt,
}

impl CausalProducer {
    /// A producer of a service with an empty past, to no partitions yet.
    pub fn new(representation: Representation, barrier: Barrier) -> Self {
        let (past, outlets) = (CausalPast::new(representation), BTreeMap::new());
        CausalProducer { barrier, past, outlets, is_in_doubt: false }
    }

    /// Opens a new incarnation of the producer `id` in one more partition: those before it are fenced.
    ///
    /// # Errors
    /// [`AppendError`].
    pub fn open(&mut self, id: ProducerId, log: Arc<PartitionLog>) -> Result<(), AppendError> {
        let epoch = log.open_producer(id)?;
        let outlet = Outlet { log: Arc::clone(&log), id, epoch, next: Sequence(0), unacknowledged: None };
        self.outlets.insert(log.name().clone(), outlet);
        Ok(())
    }

    /// The service has delivered `event`: whatever it sends from now on depends on it.
    pub fn observe(&mut self, event: &CausalDelivery) {
        let message = &event.entry.message;
        self.past.observe(&event.dot(), &message.id, message.context.as_ref());
    }

    /// What the next event depends on.
    pub fn context(&self) -> &CausalContext {
        self.past.context()
    }

    /// Appends an event that depends on everything the service has delivered and sent, and returns where it stands.
    /// A context that `message` has already is replaced.
    ///
    /// # Errors
    /// [`CausalSendError`].
    pub fn send(&mut self, partition: &Partition, mut message: Message) -> Result<Offset, CausalSendError> {
        if self.is_in_doubt {
            return Err(CausalSendError::InDoubt);
        }
        self.await_causes(partition).map_err(CausalSendError::Barrier)?;
        let unknown = || CausalSendError::UnknownPartition(partition.clone());
        let outlet = self.outlets.get_mut(partition).ok_or_else(unknown)?;
        let stamp = Stamp { producer: outlet.id, epoch: outlet.epoch, sequence: outlet.next };
        message.context = Some(self.past.context().clone());
        let offset = match outlet.log.append(stamp, &message) {
            Ok(accepted) => accepted.offset(),
            Err(error) => {
                self.is_in_doubt = matches!(error, AppendError::Journal(WriteError::Failed(_)));
                return Err(error.into());
            }
        };
        outlet.next = outlet.next.next();
        outlet.unacknowledged = Some(offset);
        self.past.observe(&Dot::new(partition, stamp), &message.id, message.context.as_ref());
        Ok(offset)
    }

    /// The barrier before a send to `partition`.
    fn await_causes(&mut self, partition: &Partition) -> Result<(), WaitError> {
        let barrier = if is_seeded(Mutant::BarrierNotAwaited) { Barrier::None } else { self.barrier };
        let is_awaited = |other: &Partition| match barrier {
            Barrier::None => false,
            Barrier::PerPartition => other == partition,
            Barrier::AcrossPartitions => other != partition,
        };
        let mut outlets = self.outlets.iter_mut().filter(|(other, _)| is_awaited(other));
        outlets.try_for_each(|(_, outlet)| outlet.acknowledge())
    }

    /// Returns when everything that was sent to `partition` is durable.
    ///
    /// # Errors
    /// [`WaitError`]: the outcome is unknown.
    pub fn acknowledge(&mut self, partition: &Partition) -> Result<(), WaitError> {
        self.outlets.get_mut(partition).map_or(Ok(()), Outlet::acknowledge)
    }

    /// Returns when everything that was sent is durable.
    ///
    /// # Errors
    /// [`WaitError`]: the outcome is unknown.
    pub fn acknowledge_all(&mut self) -> Result<(), WaitError> {
        self.outlets.values_mut().try_for_each(Outlet::acknowledge)
    }
}

impl Outlet {
    fn acknowledge(&mut self) -> Result<(), WaitError> {
        if let Some(offset) = self.unacknowledged {
            self.log.wait_durable(offset)?;
            self.unacknowledged = None;
        }
        Ok(())
    }
}
