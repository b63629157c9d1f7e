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

#[cfg(test)]
#[cfg(not(any(lawspeaker_loom, lawspeaker_shuttle)))]
mod tests {
    use lawspeaker_history::NoRecorder;

    use super::*;
    use crate::memory_journal::MemoryJournal;

    const JOURNALS: usize = 2;

    fn partition(number: u32) -> Partition {
        Partition::new("t", number)
    }

    fn open(barrier: Barrier) -> ([Arc<MemoryJournal>; JOURNALS], CausalProducer) {
        let journals = [(); JOURNALS].map(|()| Arc::new(MemoryJournal::new()));
        let mut producer = CausalProducer::new(Representation::default(), barrier);
        for (number, journal) in (0..).zip(&journals) {
            let log = PartitionLog::recover(partition(number), journal.clone(), Arc::new(NoRecorder));
            producer.open(ProducerId(7), Arc::new(log.unwrap())).unwrap();
        }
        (journals, producer)
    }

    #[test]
    fn each_barrier_waits_for_what_it_says() {
        // Two events to partition 0, then one to partition 1; opening the producer took a record in each.
        let check = |barrier, durable_after_second, durable_after_third| {
            let (journals, mut producer) = open(barrier);
            let durable = || journals.each_ref().map(|journal| journal.durable_count());
            producer.send(&partition(0), Message::new(1, "")).unwrap();
            producer.send(&partition(0), Message::new(2, "")).unwrap();
            assert_eq!(durable(), durable_after_second, "{barrier:?}");
            producer.send(&partition(1), Message::new(3, "")).unwrap();
            assert_eq!(durable(), durable_after_third, "{barrier:?}");
            producer.acknowledge_all().unwrap();
            assert_eq!(durable(), [3, 2]);
        };
        check(Barrier::None, [1, 1], [1, 1]);
        check(Barrier::PerPartition, [2, 1], [2, 1]);
        check(Barrier::AcrossPartitions, [1, 1], [3, 1]);
    }

    #[test]
    fn nothing_is_sent_behind_an_event_of_unknown_outcome() {
        let (journals, mut producer) = open(Barrier::AcrossPartitions);
        producer.send(&partition(0), Message::new(1, "")).unwrap();
        journals[0].fail_next_sync();
        let outcome = producer.send(&partition(1), Message::new(2, ""));
        assert!(matches!(outcome, Err(CausalSendError::Barrier(_))), "{outcome:?}");
        let outcome = producer.send(&partition(0), Message::new(3, ""));
        assert!(matches!(outcome, Err(CausalSendError::Append(_))), "{outcome:?}");
        let outcome = producer.send(&partition(1), Message::new(4, ""));
        assert_eq!(outcome, Err(CausalSendError::InDoubt));
        let elsewhere = partition(9);
        let (_, mut producer) = open(Barrier::None);
        let outcome = producer.send(&elsewhere, Message::new(1, ""));
        assert_eq!(outcome, Err(CausalSendError::UnknownPartition(elsewhere)));
    }
}
