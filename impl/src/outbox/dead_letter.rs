//! An event that could not be handled, with all that is known of it.

use lawspeaker_history::{Offset, Partition};

use crate::causality::{decode_context, encode_context};
use crate::codec::{DecodeError, Decoder, Encoder};
use crate::id;
use crate::message::Message;
use crate::partition_log::{decode_message, encode_message};

const DEAD_LETTER: u8 = 1;
/// The longest text of a failure that is kept, in bytes.
const MAX_FAILURE_BYTES: usize = 200;

/// An event that a service could not handle: the payload of a message of its dead-letter topic.
///
/// The event itself is whole, so that it can be published again once the service can handle it; under another id, for
/// the service's inbox remembers this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Where the event stands.
    pub partition: Partition,
    /// Where in the partition.
    pub offset: Offset,
    /// How often it was tried.
    pub attempt_count: u32,
    /// What went wrong the last time, at most 200 bytes of it.
    pub failure: String,
    /// The event.
    pub message: Message,
}

impl DeadLetter {
    /// The dead letter of `service` as it is published: its id is the same whenever it is made.
    pub(crate) fn into_message(mut self, service: &str) -> Message {
        while self.failure.len() > MAX_FAILURE_BYTES {
            self.failure.pop();
        }
        let id = format!("{}/dead-letter/{service}", self.message.id);
        let letter = Message::new(id.as_str(), self.encode()).kind("dead-letter").caused_by(&self.message);
        match self.message.key {
            Some(key) => letter.key(key),
            None => letter,
        }
    }

    fn encode(&self) -> Vec<u8> {
        let mut encoder = Encoder::new(DEAD_LETTER);
        encoder.byte_string(self.partition.as_str().as_bytes());
        encoder.number(id::place(self.offset));
        encoder.number(u64::from(self.attempt_count));
        encoder.byte_string(self.failure.as_bytes());
        encode_message(&mut encoder, &self.message);
        encoder.optional(self.message.context.as_ref(), encode_context);
        encoder.finish()
    }

    /// The dead letter that a message of a dead-letter topic holds. O(length).
    ///
    /// # Errors
    /// [`DecodeError`] if it holds none.
    pub fn read(message: &Message) -> Result<Self, DecodeError> {
        let mut decoder = Decoder::new(&message.payload);
        match decoder.tag()? {
            DEAD_LETTER => {}
            tag => return Err(DecodeError::UnknownTag(tag)),
        }
        let partition = Partition::named(decoder.text()?);
        let offset = id::offset(decoder.number()?);
        let (attempt_count, failure) = (decoder.narrow()?, decoder.text()?.to_owned());
        let event = decode_message(&mut decoder)?;
        let message = Message { context: decoder.optional(decode_context)?, ..event };
        decoder.finish()?;
        Ok(DeadLetter { partition, offset, attempt_count, failure, message })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_letter_holds_the_whole_event() {
        let message = Message::new("order-17", "two apples").key("17").kind("OrderPlaced");
        let letter = DeadLetter {
            partition: Partition::new("orders", 3),
            offset: Offset::of(7),
            attempt_count: 5,
            failure: "ä".repeat(101),
            message,
        };
        let published = letter.clone().into_message("stock");
        assert_eq!(published.id, "order-17/dead-letter/stock".into());
        assert_eq!(published.metadata.causation_id, Some("order-17".into()));
        assert_eq!(DeadLetter::read(&published), Ok(DeadLetter { failure: "ä".repeat(100), ..letter }));
        assert!(DeadLetter::read(&Message::new(1, "")).is_err());
    }
}
