//! What a service writes into its journal.

use lawspeaker_history::EventId;

use super::core::{Fact, Outcome, RelayEpoch, Slot, Transaction};
use crate::causality::{decode_context, encode_context};
use crate::codec::{DecodeError, Decoder, Encoder};
use crate::message::Message;
use crate::partition_log::{decode_message, encode_message};

const COMMITTED: u8 = 1;
const RELAY_OPENED: u8 = 2;
const PUBLISHED: u8 = 3;

/// A record of a service's journal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum OutboxRecord {
    /// A transaction: all of it, or it did not happen.
    Committed {
        /// The event that it handles, if any, and what becomes of it.
        handled: Option<(EventId, Outcome)>,
        /// Events that are to do nothing should they still come.
        voided: Vec<EventId>,
        /// When, in milliseconds.
        time_ms: u64,
        /// What happens to the state: one text of JSON a change.
        changes: Vec<String>,
        /// What is owed, with the topics, in order.
        owed: Vec<(String, Message)>,
    },
    /// A relay took over.
    RelayOpened(RelayEpoch),
    /// The relay has published every event below `next`.
    Published {
        /// Which relay.
        epoch: RelayEpoch,
        /// The first one that it has not.
        next: Slot,
    },
}

impl OutboxRecord {
    /// The bytes. O(length).
    pub fn encode(&self) -> Vec<u8> {
        match self {
            OutboxRecord::Committed { handled, voided, time_ms, changes, owed } => {
                let mut encoder = Encoder::new(COMMITTED);
                encoder.number(*time_ms);
                encoder.optional(handled.as_ref(), |encoder, (event, outcome)| {
                    encoder.event_id(event);
                    encoder.tag(tag_of(*outcome));
                });
                encode_list(&mut encoder, voided, Encoder::event_id);
                encode_list(&mut encoder, changes, |encoder, change| encoder.byte_string(change.as_bytes()));
                encode_list(&mut encoder, owed, |encoder, (topic, message)| {
                    encoder.byte_string(topic.as_bytes());
                    encode_message(encoder, message);
                    encoder.optional(message.context.as_ref(), encode_context);
                });
                encoder.finish()
            }
            OutboxRecord::RelayOpened(epoch) => {
                let mut encoder = Encoder::new(RELAY_OPENED);
                encoder.number(epoch.0);
                encoder.finish()
            }
            OutboxRecord::Published { epoch, next } => {
                let mut encoder = Encoder::new(PUBLISHED);
                encoder.number(epoch.0);
                encoder.number(next.0);
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
            COMMITTED => OutboxRecord::Committed {
                time_ms: decoder.number()?,
                handled: decoder.optional(|decoder| Ok((decoder.event_id()?, outcome(decoder.tag()?)?)))?,
                voided: decode_list(&mut decoder, Decoder::event_id)?,
                changes: decode_list(&mut decoder, |decoder| Ok(decoder.text()?.to_owned()))?,
                owed: decode_list(&mut decoder, |decoder| {
                    let (topic, message) = (decoder.text()?.to_owned(), decode_message(decoder)?);
                    Ok((topic, Message { context: decoder.optional(decode_context)?, ..message }))
                })?,
            },
            RELAY_OPENED => OutboxRecord::RelayOpened(RelayEpoch(decoder.number()?)),
            PUBLISHED => {
                let epoch = RelayEpoch(decoder.number()?);
                OutboxRecord::Published { epoch, next: Slot(decoder.number()?) }
            }
            tag => return Err(DecodeError::UnknownTag(tag)),
        };
        decoder.finish()?;
        Ok(record)
    }

    /// What the record says to the core.
    pub fn fact(&self) -> Fact {
        match self {
            OutboxRecord::Committed { handled, voided, time_ms, owed, .. } => Fact::Committed(Transaction {
                handled: handled.clone(),
                voided: voided.clone(),
                owed_count: owed.len() as u64,
                time_ms: *time_ms,
            }),
            OutboxRecord::RelayOpened(epoch) => Fact::RelayOpened(*epoch),
            OutboxRecord::Published { epoch, next } => Fact::Published { epoch: *epoch, next: *next },
        }
    }
}

fn encode_list<T>(encoder: &mut Encoder, items: &[T], encode: impl Fn(&mut Encoder, &T)) {
    encoder.number(items.len() as u64);
    items.iter().for_each(|item| encode(encoder, item));
}

fn decode_list<'a, T>(
    decoder: &mut Decoder<'a>,
    decode: impl Fn(&mut Decoder<'a>) -> Result<T, DecodeError>,
) -> Result<Vec<T>, DecodeError> {
    // No allocation by a count that nobody has checked.
    let count: u64 = decoder.number()?;
    (0..count).map(|_| decode(decoder)).collect()
}

fn tag_of(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Applied => 0,
        Outcome::Refused => 1,
        Outcome::Voided => 2,
        Outcome::DeadLettered => 3,
    }
}

fn outcome(tag: u8) -> Result<Outcome, DecodeError> {
    [Outcome::Applied, Outcome::Refused, Outcome::Voided, Outcome::DeadLettered]
        .into_iter()
        .find(|outcome| tag_of(*outcome) == tag)
        .ok_or(DecodeError::UnknownTag(tag))
}

#[cfg(test)]
mod tests {
    use quickcheck::{Arbitrary, Gen, quickcheck};

    use super::*;

    fn event_id(g: &mut Gen) -> EventId {
        if bool::arbitrary(g) {
            i64::arbitrary(g).into()
        } else {
            EventId::from(String::arbitrary(g).as_str())
        }
    }

    fn list<T>(g: &mut Gen, item: impl Fn(&mut Gen) -> T) -> Vec<T> {
        (0..u8::arbitrary(g) % 3).map(|_| item(g)).collect()
    }

    impl Arbitrary for OutboxRecord {
        fn arbitrary(g: &mut Gen) -> Self {
            match u8::arbitrary(g) % 4 {
                0 => OutboxRecord::RelayOpened(RelayEpoch(u64::arbitrary(g))),
                1 => OutboxRecord::Published { epoch: RelayEpoch(1), next: Slot(u64::arbitrary(g)) },
                _ => OutboxRecord::Committed {
                    handled: bool::arbitrary(g)
                        .then(|| (event_id(g), outcome(u8::arbitrary(g) % 4).expect("there are four"))),
                    voided: list(g, event_id),
                    time_ms: u64::arbitrary(g),
                    changes: list(g, String::arbitrary),
                    owed: list(g, |g| {
                        let message = Message::new(event_id(g), Vec::<u8>::arbitrary(g));
                        (String::arbitrary(g), message.key(String::arbitrary(g)))
                    }),
                },
            }
        }
    }

    quickcheck! {
        fn what_is_encoded_reads_back(record: OutboxRecord) -> bool {
            OutboxRecord::decode(&record.encode()) == Ok(record)
        }

        fn arbitrary_bytes_are_refused_or_read_but_never_panic(bytes: Vec<u8>) -> bool {
            OutboxRecord::decode(&bytes).map_or(true, |record| record.encode() == bytes)
        }
    }
}
