//! What a partition log writes into its journal.

use lawspeaker_history::Metadata;

use crate::causality::{decode_context, encode_context};
use crate::codec::{DecodeError, Decoder, Encoder};
use crate::id::{Epoch, ProducerId, Sequence, Stamp};
use crate::message::Message;

use super::core::Fact;

const APPENDED: u8 = 1;
const OPENED: u8 = 2;
/// As [`APPENDED`], with a causal context behind the payload.
const APPENDED_WITH_CONTEXT: u8 = 3;

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
            APPENDED => {
                LogRecord::Appended { stamp: stamp(&mut decoder)?, message: decode_message(&mut decoder)? }
            }
            APPENDED_WITH_CONTEXT => {
                let (stamp, message) = (stamp(&mut decoder)?, decode_message(&mut decoder)?);
                let context = Some(decode_context(&mut decoder)?);
                LogRecord::Appended { stamp, message: Message { context, ..message } }
            }
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
    let mut encoder = Encoder::new(if message.context.is_some() { APPENDED_WITH_CONTEXT } else { APPENDED });
    encoder.number(stamp.producer.0);
    encoder.number(stamp.epoch.0);
    encoder.number(stamp.sequence.0);
    encode_message(&mut encoder, message);
    if let Some(context) = &message.context {
        encode_context(&mut encoder, context);
    }
    encoder.finish()
}

/// Writes a message without its causal context.
pub(crate) fn encode_message(encoder: &mut Encoder, message: &Message) {
    encoder.event_id(&message.id);
    encoder.optional(message.key.as_ref(), |encoder, key| encoder.byte_string(key.as_bytes()));
    encoder.byte_string(message.kind.as_bytes());
    encoder.number(message.time_ms);
    encoder.optional(message.metadata.correlation_id.as_ref(), Encoder::event_id);
    encoder.optional(message.metadata.causation_id.as_ref(), Encoder::event_id);
    encoder.optional(message.metadata.version, |encoder, version| encoder.number(u64::from(version)));
    encoder.byte_string(&message.payload);
}

fn stamp(decoder: &mut Decoder<'_>) -> Result<Stamp, DecodeError> {
    Ok(Stamp {
        producer: ProducerId(decoder.number()?),
        epoch: Epoch(decoder.number()?),
        sequence: Sequence(decoder.number()?),
    })
}

/// Reads a message without its causal context.
pub(crate) fn decode_message(decoder: &mut Decoder<'_>) -> Result<Message, DecodeError> {
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
        context: None,
        payload: decoder.byte_string()?.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use lawspeaker_history::{EventId, Partition};
    use quickcheck::{Arbitrary, Gen, quickcheck};

    use super::*;
    use crate::causality::{CausalContext, Dot, VectorClock};

    fn event_id(g: &mut Gen) -> EventId {
        if bool::arbitrary(g) {
            EventId::Number(i64::arbitrary(g))
        } else {
            EventId::from(String::arbitrary(g).as_str())
        }
    }

    impl Arbitrary for CausalContext {
        fn arbitrary(g: &mut Gen) -> Self {
            let small = |g: &mut Gen| u64::from(u8::arbitrary(g) % 3);
            let mut clock = VectorClock::new();
            let mut dependencies = BTreeMap::new();
            for _ in 0..small(g) * 3 {
                let stamp = Stamp {
                    producer: ProducerId(if bool::arbitrary(g) { small(g) } else { u64::arbitrary(g) }),
                    epoch: Epoch(small(g)),
                    sequence: Sequence(u64::arbitrary(g) >> (8 * small(g) + 1)),
                };
                let dot = Dot::new(&Partition::new("t", u32::from(bool::arbitrary(g))), stamp);
                clock.advance(&dot);
                dependencies.insert(dot, bool::arbitrary(g).then(|| event_id(g)));
            }
            match bool::arbitrary(g) {
                true => CausalContext::Clock(clock),
                false => CausalContext::Dependencies(dependencies),
            }
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
                context: Option::arbitrary(g),
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

        fn arbitrary_bytes_are_no_context_or_the_one_way_to_write_it(bytes: Vec<u8>) -> bool {
            is_read_as_it_is_written_or_refused(&bytes)
        }

        /// Damage of what was well formed gets further into the decoder than arbitrary bytes do.
        fn a_damaged_context_is_refused_or_the_one_way_to_write_another(
            context: CausalContext,
            place: usize,
            byte: u8
        ) -> bool {
            let mut bytes = encoded(&context);
            let place = place % bytes.len();
            bytes[place] = byte;
            is_read_as_it_is_written_or_refused(&bytes)
        }
    }

    fn encoded(context: &CausalContext) -> Vec<u8> {
        let mut encoder = Encoder::default();
        encode_context(&mut encoder, context);
        encoder.finish()
    }

    fn is_read_as_it_is_written_or_refused(bytes: &[u8]) -> bool {
        let mut decoder = Decoder::new(bytes);
        let read = decode_context(&mut decoder).and_then(|context| decoder.finish().map(|()| context));
        read.map_or(true, |context| encoded(&context) == bytes)
    }

    fn dot(producer: u64, sequence: u64) -> Dot {
        let stamp = Stamp { producer: ProducerId(producer), epoch: Epoch(0), sequence: Sequence(sequence) };
        Dot::new(&Partition::new("t", 0), stamp)
    }

    #[test]
    fn a_clock_takes_three_bytes_a_lane() {
        let mut clock = VectorClock::new();
        (0..10).for_each(|producer| clock.advance(&dot(producer, 100)));
        let head = 1 + 1 + (1 + "t/0".len()) + 1;
        assert_eq!(encoded(&CausalContext::Clock(clock)).len(), head + 10 * 3);
    }

    #[test]
    fn a_record_without_context_is_written_as_it_always_was() {
        let stamp = Stamp { producer: ProducerId(1), epoch: Epoch(0), sequence: Sequence(2) };
        let record = LogRecord::Appended { stamp, message: Message::new(7, "x") };
        let mut old = vec![1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0];
        old.extend([0, 7, 0, 0, 0, 0, 0, 0, 0, 0]); // id, no key
        old.extend([0; 8 + 8 + 3]); // kind, time, metadata
        old.extend([1, 0, 0, 0, 0, 0, 0, 0, b'x']);
        assert_eq!(record.encode(), old);
        assert_eq!(LogRecord::decode(&old), Ok(record));
    }

    #[test]
    fn a_malformed_context_is_refused_for_what_is_wrong() {
        let check = |bytes: &[u8], expected| {
            assert_eq!(decode_context(&mut Decoder::new(bytes)), Err(expected), "{bytes:?}");
        };
        check(&[], DecodeError::Truncated { length: 0 });
        check(&[2, 0], DecodeError::UnknownTag(2));
        check(&[1, 0x80, 0], DecodeError::Overlong);
        check(&[1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2], DecodeError::Overlong);
        check(&[1, 1, 1, b't', 0], DecodeError::OutOfRange(0));
        check(&[1, 1, 1, b't', 1, 0, 0, 0], DecodeError::OutOfRange(0));
        check(&[1, 1, 1, 0xff, 1, 0, 0, 1], DecodeError::NotText);
        check(&[1, 2, 1, b't', 1, 0, 0, 1, 1, b't', 1, 0, 0, 1], DecodeError::Unordered);
        check(&[0, 1, 1, b't', 1, 0, 0, 2, 5, 0, 5, 0], DecodeError::Unordered);
        check(&[0, 1, 1, b't', 1, 0, 0, 1, 5, 3], DecodeError::UnknownTag(3));
        check(&[1, 0xff, 0xff, 0xff, 0xff, 0x0f], DecodeError::Truncated { length: 6 });
    }

    #[test]
    fn bytes_after_the_last_field_are_refused() {
        let mut bytes = LogRecord::Opened { producer: ProducerId(1), epoch: Epoch(0) }.encode();
        bytes.push(0);
        assert_eq!(LogRecord::decode(&bytes), Err(DecodeError::Trailing { count: 1 }));
    }
}
