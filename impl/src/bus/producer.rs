//! A producer of a whole topic.

use std::sync::Arc;

use lawspeaker_history::{EventId, Offset};

use super::error::PublishError;
use super::topic::Topic;
use crate::causality::encoded_length;
use crate::id::PartitionNumber;
use crate::message::Message;
use crate::producer::Producer;

/// An idempotent producer of a topic: one [`Producer`] a partition. One thread at a time.
///
/// Events of one key go to one partition, in send order; events without a key take the partitions in turn.
#[derive(Debug)]
pub struct TopicProducer {
    topic: Arc<Topic>,
    producers: Vec<Producer>,
    max_message_bytes: u32,
    turn: u32,
}

/// Where an acknowledged event stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Published {
    /// In which partition of the topic.
    pub partition: PartitionNumber,
    /// At which offset.
    pub offset: Offset,
}

impl TopicProducer {
    pub(super) fn new(topic: Arc<Topic>, producers: Vec<Producer>, max_message_bytes: u32) -> Self {
        TopicProducer { topic, producers, max_message_bytes, turn: 0 }
    }

    /// Sends an event and returns where it stands, once it is durable. It shares its sync with whoever publishes to
    /// the partition at the same time.
    ///
    /// # Errors
    /// [`PublishError::TooLong`]: it was not sent. [`PublishError::Send`]: its fate is unknown, and it goes first
    /// with the next event to its partition.
    pub fn publish(&mut self, message: Message) -> Result<Published, PublishError> {
        check_length(&message, self.max_message_bytes)?;
        let partition = self.topic.partition_for(&message, self.turn);
        self.turn = self.turn.wrapping_add(u32::from(message.key.is_none()));
        let offset = self.producers[partition.place()].send(message)?;
        Ok(Published { partition, offset })
    }
}

/// Whether the bus takes so long a message.
pub(crate) fn check_length(message: &Message, limit: u32) -> Result<(), PublishError> {
    let byte_count = byte_count(message);
    match byte_count > limit as usize {
        true => Err(PublishError::TooLong { byte_count, limit }),
        false => Ok(()),
    }
}

/// The length of everything in a message that has one.
fn byte_count(message: &Message) -> usize {
    let id_bytes = |id: &EventId| match id {
        EventId::Number(_) => 0,
        EventId::Name(name) => name.len(),
    };
    let metadata = [&message.metadata.correlation_id, &message.metadata.causation_id];
    let ids = metadata.into_iter().flatten().chain([&message.id]).map(id_bytes).sum::<usize>();
    let context = message.context.as_ref().map_or(0, encoded_length);
    ids + context + message.key.as_ref().map_or(0, String::len) + message.kind.len() + message.payload.len()
}
