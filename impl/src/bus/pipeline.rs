//! A producer that has many events under way at once.

use std::sync::Arc;

use lawspeaker_history::Offset;

use crate::id::{Epoch, ProducerId, Sequence, Stamp};
use crate::message::Message;
use crate::partition_log::{AppendError, PartitionLog};
use crate::producer::SendError;

/// An idempotent producer of one partition that writes batches: all events are appended, in order, and share one
/// sync.
///
/// It never sends an event again: a log of this process either answers or has failed for good, and after reopening
/// the bus a new incarnation takes over.
#[derive(Debug)]
pub(crate) struct Pipeline {
    log: Arc<PartitionLog>,
    id: ProducerId,
    epoch: Epoch,
    next: Sequence,
}

impl Pipeline {
    /// Opens a new incarnation of the producer `id`: those before it are fenced.
    pub(super) fn open(id: ProducerId, log: Arc<PartitionLog>) -> Result<Self, AppendError> {
        let epoch = log.open_producer(id)?;
        Ok(Pipeline { log, id, epoch, next: Sequence(0) })
    }

    /// Sends events and says for each where it stands, once all of them are durable, or why it is not acknowledged:
    /// refused, and then it is not in the log, or of unknown outcome.
    pub(crate) fn send_all(&mut self, messages: &[Message]) -> Vec<Result<Offset, SendError>> {
        let appended: Vec<_> = messages.iter().map(|message| self.append(message)).collect();
        let last = appended.iter().rev().find_map(|outcome| outcome.as_ref().ok());
        let synced = last.map_or(Ok(()), |last| self.log.wait_durable(*last));
        let acknowledge = |outcome: Result<Offset, AppendError>| {
            let offset = outcome?;
            synced.clone()?;
            Ok(offset)
        };
        appended.into_iter().map(acknowledge).collect()
    }

    fn append(&mut self, message: &Message) -> Result<Offset, AppendError> {
        let stamp = Stamp { producer: self.id, epoch: self.epoch, sequence: self.next };
        let accepted = self.log.append(stamp, message)?;
        self.next = self.next.next();
        Ok(accepted.offset())
    }
}
