//! What a partition log writes into its journal.

use lawspeaker_history::Metadata;

use crate::codec::{DecodeError, Decoder, Encoder};
use crate::id::{Epoch, ProducerId, Sequence, Stamp};
use crate::message::Message;

use super::core::Fact;

const APPENDED: u8 = 1;
const OPENED: u8 = 2;

/// A record of a partition's journal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LogRecord {
    /// An event was appended.
    Appended {
        /// Who sent it, as which of its events.
        stamp: Stamp,
        /// What was sent.
        message: Message,
    },
    /// An incarnation of a producer took over. Takes no offset.
    Opened {
        /// Of which producer.
        producer: ProducerId,
        /// Which incarnation.
        epoch: Epoch,
    },
}

impl LogRecord {
    /// The bytes. O(length).
    pub fn encode(&self) -> Vec<u8> {
        match self {
            LogRecord::Appended { stamp, message } => encode_appended(*stamp, message),
            LogRecord::Opened { producer, epoch } => {
                let mut encoder = Encoder::new(OPENED);
                encoder.number(producer.0);
                encoder.number(epoch.0);
                encoder.finish()
            }
        }
    }

    /// The record of these bytes. O(length).
    ///
    /// # Errors
    /// [`DecodeError`] if no record is encoded so.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut decoder = Decoder::new(bytes);
        let record = match decoder.tag()? {
            APPENDED => LogRecord::Appended { stamp: stamp(&mut decoder)?, message: message(&mut decoder)? },
            OPENED => {
                LogRecord::Opened { producer: ProducerId(decoder.number()?), epoch: Epoch(decoder.number()?) }
            }
            tag => return Err(DecodeError::UnknownTag(tag)),
        };
        decoder.finish()?;
        Ok(record)
    }

    /// What the record says to the core.
    pub fn fact(&self) -> Fact {
        match self {
            LogRecord::Appended { stamp, .. } => Fact::Appended(*stamp),
            LogRecord::Opened { producer, epoch } => Fact::Opened(*producer, *epoch),
        }
    }
}

/// The bytes of [`LogRecord::Appended`], without a copy of the message.
pub(super) fn encode_appended(stamp: Stamp, message: &Message) -> Vec<u8> {
    let mut encoder = Encoder::new(APPENDED);
    encoder.number(stamp.producer.0);
    encoder.number(stamp.epoch.0);
    encoder.number(stamp.sequence.0);
    encoder.event_id(&message.id);
    encoder.optional(message.key.as_ref(), |encoder, key| encoder.byte_string(key.as_bytes()));
    encoder.byte_string(message.kind.as_bytes());
    encoder.number(message.time_ms);
    encoder.optional(message.metadata.correlation_id.as_ref(), Encoder::event_id);
    encoder.optional(message.metadata.causation_id.as_ref(), Encoder::event_id);
    encoder.optional(message.metadata.version, |encoder, version| encoder.number(u64::from(version)));
    encoder.byte_string(&message.payload);
    encoder.finish()
}

fn stamp(decoder: &mut Decoder<'_>) -> Result<Stamp, DecodeError> {
    Ok(Stamp {
        producer: ProducerId(decoder.number()?),
        epoch: Epoch(decoder.number()?),
        sequence: Sequence(decoder.number()?),
    })
}

fn message(decoder: &mut Decoder<'_>) -> Result<Message, DecodeError> {
    Ok(Message {
        id: decoder.event_id()?,
        key: decoder.optional(|decoder| decoder.text().map(str::to_owned))?,
        kind: decoder.text()?.to_owned(),
        time_ms: decoder.number()?,
        metadata: Metadata {
            correlation_id: decoder.optional(Decoder::event_id)?,
            causation_id: decoder.optional(Decoder::event_id)?,
            version: decoder.optional(Decoder::narrow)?,
        },
        payload: decoder.byte_string()?.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use lawspeaker_history::EventId;
    use quickcheck::{Arbitrary, Gen, quickcheck};

    use super::*;

    fn event_id(g: &mut Gen) -> EventId {
        if bool::arbitrary(g) {
            EventId::Number(i64::arbitrary(g))
        } else {
            EventId::from(String::arbitrary(g).as_str())
        }
    }

    impl Arbitrary for LogRecord {
        fn arbitrary(g: &mut Gen) -> Self {
            let (producer, epoch) = (ProducerId(u64::arbitrary(g)), Epoch(u64::arbitrary(g)));
            if u8::arbitrary(g).is_multiple_of(4) {
                return LogRecord::Opened { producer, epoch };
            }
            let metadata = Metadata {
                correlation_id: bool::arbitrary(g).then(|| event_id(g)),
                causation_id: bool::arbitrary(g).then(|| event_id(g)),
                version: Option::arbitrary(g),
            };
            let message = Message {
                id: event_id(g),
                key: Option::arbitrary(g),
                kind: String::arbitrary(g),
                time_ms: u64::arbitrary(g),
                metadata,
                payload: Vec::arbitrary(g),
            };
            LogRecord::Appended {
                stamp: Stamp { producer, epoch, sequence: Sequence(u64::arbitrary(g)) },
                message,
            }
        }
    }

    quickcheck! {
        fn what_is_encoded_reads_back(record: LogRecord) -> bool {
            LogRecord::decode(&record.encode()) == Ok(record)
        }

        fn no_proper_prefix_of_a_record_is_one(record: LogRecord) -> bool {
            let bytes = record.encode();
            (0..bytes.len()).all(|length| LogRecord::decode(&bytes[..length]).is_err())
        }

        fn arbitrary_bytes_are_refused_or_read_but_never_panic(bytes: Vec<u8>) -> bool {
            LogRecord::decode(&bytes).map_or(true, |record| record.encode() == bytes)
        }
    }

    #[test]
    fn bytes_after_the_last_field_are_refused() {
        let mut bytes = LogRecord::Opened { producer: ProducerId(1), epoch: Epoch(0) }.encode();
        bytes.push(0);
        assert_eq!(LogRecord::decode(&bytes), Err(DecodeError::Trailing { count: 1 }));
    }
}
