//! A producer: it stamps its events, and sends again, in order, those whose fate it does not know.

use std::collections::VecDeque;

use lawspeaker_history::Offset;

use crate::group_commit::WriteError;
use crate::id::{Epoch, ProducerId, Sequence, Stamp};
use crate::message::Message;
use crate::mutant::{Mutant, is_seeded};
use crate::partition_log::{AppendError, PartitionLog, WaitError};
use crate::sync::Arc;

/// An idempotent producer to one partition.
///
/// Every event gets the next sequence number and keeps it however often it is sent (KIP-98), and no event is sent
/// before those ahead of it are acknowledged or sent again. One thread at a time.
#[derive(Debug)]
pub struct Producer {
    log: Arc<PartitionLog>,
    id: ProducerId,
    epoch: Epoch,
    next: Sequence,
    /// Stamped and not known to be durable, in order.
    in_flight: VecDeque<(Stamp, Message)>,
}

/// Why an event is not acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The log took no event.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// The log took the event, and nobody knows whether it is durable.
    #[error(transparent)]
    Wait(#[from] WaitError),
}

impl Producer {
    /// Opens a new incarnation of the producer `id`: those before it are fenced.
    ///
    /// # Errors
    /// [`AppendError`].
    pub fn open(id: ProducerId, log: Arc<PartitionLog>) -> Result<Self, AppendError> {
        let epoch = log.open_producer(id)?;
        Ok(Producer { log, id, epoch, next: Sequence(0), in_flight: VecDeque::new() })
    }

    /// Sends an event, after those whose fate is unknown, and returns its offset once it is durable.
    ///
    /// # Errors
    /// [`SendError`]. The fate of the event is then unknown, it stays in flight, and it goes first with the next
    /// send; [`reattach`](Self::reattach) to a recovered log before that if the journal failed. Only an event whose
    /// record the journal refuses ([`WriteError::Refused`]) was surely not sent, and is given up.
    pub fn send(&mut self, message: Message) -> Result<Offset, SendError> {
        self.enqueue(message);
        let mut last = Offset::of(0);
        while let Some((stamp, message)) = self.in_flight.front() {
            last = match self.log.append(*stamp, message) {
                Err(error @ AppendError::Journal(WriteError::Refused(_))) => {
                    self.in_flight.pop_front();
                    self.restamp();
                    return Err(error.into());
                }
                appended => appended?.offset(),
            };
            self.log.wait_durable(last)?;
            self.in_flight.pop_front();
        }
        Ok(last)
    }

    fn enqueue(&mut self, message: Message) {
        if is_seeded(Mutant::RetryAsNew) {
            self.restamp();
        }
        let stamp = self.stamp();
        self.in_flight.push_back((stamp, message));
    }

    fn stamp(&mut self) -> Stamp {
        let stamp = Stamp { producer: self.id, epoch: self.epoch, sequence: self.next };
        self.next = self.next.next();
        stamp
    }

    /// Stamps what is in flight as new, from where the log stands: right only if nothing of it can be in the log.
    fn restamp(&mut self) {
        let (_, next) = self.log.expected(self.id);
        self.next = next;
        for (_, message) in std::mem::take(&mut self.in_flight) {
            let stamp = self.stamp();
            self.in_flight.push_back((stamp, message));
        }
    }

    /// Goes on with the same partition after it was recovered: same incarnation, same sequence numbers.
    pub fn reattach(&mut self, log: Arc<PartitionLog>) {
        self.log = log;
    }

    /// The incarnation.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// How many events were sent and are not known to be durable.
    pub fn in_flight_count(&self) -> usize {
        self.in_flight.len()
    }
}
