//! The bytes of a causal context: varints, grouped by partition and origin, in strict order.
//!
//! ```text
//! context      = form:u8 count:varint partition*            form 0 dependencies, 1 clock
//! partition    = length:varint name count:varint origin*
//! origin       = producer:varint epoch:varint entries
//! entries      = next:varint                                of a clock
//!              | count:varint (sequence:varint id)*          of dependencies
//! id           = 0 | 1 zigzag:varint | 2 length:varint name
//! ```
//! A clock entry of a young system takes three bytes. There is one way to write a context: numbers in their shortest
//! form, everything in ascending order and nothing empty or twice, so that bytes that are read back are the same.

use std::collections::BTreeMap;

use lawspeaker_history::{EventId, Partition};

use super::{CausalContext, Dot, Lane, Origin, VectorClock};
use crate::codec::{DecodeError, Decoder, Encoder};
use crate::id::{Epoch, ProducerId, Sequence};

const DEPENDENCIES: u8 = 0;
const CLOCK: u8 = 1;

const NO_ID: u8 = 0;
const NUMBER: u8 = 1;
const NAME: u8 = 2;

/// What stands behind an origin.
type Groups<T> = BTreeMap<Partition, BTreeMap<Origin, T>>;

/// Writes `context`. O(n log n).
pub(crate) fn encode(encoder: &mut Encoder, context: &CausalContext) {
    match context {
        CausalContext::Clock(clock) => {
            let mut groups: Groups<Sequence> = Groups::new();
            for span in clock.spans() {
                groups.entry(span.lane.partition).or_default().insert(span.lane.origin, span.end);
            }
            encoder.tag(CLOCK);
            encode_groups(encoder, &groups, |encoder, next| encoder.varint(next.0));
        }
        CausalContext::Dependencies(dependencies) => {
            let mut groups: Groups<Vec<(Sequence, &Option<EventId>)>> = Groups::new();
            for (Dot { lane, sequence }, id) in dependencies {
                let origins = groups.entry(lane.partition.clone()).or_default();
                origins.entry(lane.origin).or_default().push((*sequence, id));
            }
            encoder.tag(DEPENDENCIES);
            encode_groups(encoder, &groups, |encoder, entries| {
                encoder.varint(entries.len() as u64);
                for (sequence, id) in entries {
                    encoder.varint(sequence.0);
                    encode_id(encoder, id.as_ref());
                }
            });
        }
    }
}

/// How many bytes `context` takes. O(n log n).
pub(crate) fn encoded_length(context: &CausalContext) -> usize {
    let mut encoder = Encoder::default();
    encode(&mut encoder, context);
    encoder.finish().len()
}

fn encode_groups<T>(encoder: &mut Encoder, groups: &Groups<T>, write: impl Fn(&mut Encoder, &T)) {
    encoder.varint(groups.len() as u64);
    for (partition, origins) in groups {
        encoder.short_byte_string(partition.as_str().as_bytes());
        encoder.varint(origins.len() as u64);
        for (origin, entries) in origins {
            encoder.varint(origin.producer.0);
            encoder.varint(origin.epoch.0);
            write(encoder, entries);
        }
    }
}

fn encode_id(encoder: &mut Encoder, id: Option<&EventId>) {
    match id {
        None => encoder.tag(NO_ID),
        Some(EventId::Number(number)) => {
            encoder.tag(NUMBER);
            encoder.varint(((number << 1) ^ (number >> 63)).cast_unsigned());
        }
        Some(EventId::Name(name)) => {
            encoder.tag(NAME);
            encoder.short_byte_string(name.as_bytes());
        }
    }
}

/// Reads a context back. O(length): nothing is reserved for what was only announced.
pub(crate) fn context(decoder: &mut Decoder<'_>) -> Result<CausalContext, DecodeError> {
    match decoder.tag()? {
        DEPENDENCIES => {
            let mut dependencies = BTreeMap::new();
            lanes(decoder, |decoder, lane| {
                ascending(decoder, sequence, |decoder, sequence| {
                    let dot = Dot { lane: lane.clone(), sequence };
                    dependencies.insert(dot, id(decoder)?);
                    Ok(())
                })
            })?;
            Ok(CausalContext::Dependencies(dependencies))
        }
        CLOCK => {
            let mut clock = VectorClock::new();
            lanes(decoder, |decoder, lane| {
                let next = Sequence(decoder.varint()?);
                clock.raise(lane, next);
                if next == Sequence(0) { Err(DecodeError::OutOfRange(0)) } else { Ok(()) }
            })?;
            Ok(CausalContext::Clock(clock))
        }
        tag => Err(DecodeError::UnknownTag(tag)),
    }
}

/// Calls `each` with every lane of the groups, in their order.
fn lanes(
    decoder: &mut Decoder<'_>,
    mut each: impl FnMut(&mut Decoder<'_>, &Lane) -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    let name = |decoder: &mut Decoder<'_>| decoder.short_text().map(str::to_owned);
    let origin = |decoder: &mut Decoder<'_>| {
        Ok(Origin { producer: ProducerId(decoder.varint()?), epoch: Epoch(decoder.varint()?) })
    };
    let mut last = None;
    for _ in 0..decoder.varint()? {
        let name = above(&mut last, name(decoder)?)?;
        let partition = Partition::named(&name);
        ascending(decoder, origin, |decoder, origin| {
            each(decoder, &Lane { partition: partition.clone(), origin })
        })?;
    }
    Ok(())
}

/// Reads a list that is not empty, whose keys rise.
fn ascending<K: Ord + Clone>(
    decoder: &mut Decoder<'_>,
    key: impl Fn(&mut Decoder<'_>) -> Result<K, DecodeError>,
    mut rest: impl FnMut(&mut Decoder<'_>, K) -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    let count = decoder.varint()?;
    let mut last = None;
    for _ in 0..count {
        let key = above(&mut last, key(decoder)?)?;
        rest(decoder, key)?;
    }
    if count == 0 { Err(DecodeError::OutOfRange(0)) } else { Ok(()) }
}

fn above<K: Ord + Clone>(last: &mut Option<K>, key: K) -> Result<K, DecodeError> {
    if last.as_ref().is_some_and(|last| *last >= key) {
        return Err(DecodeError::Unordered);
    }
    *last = Some(key.clone());
    Ok(key)
}

/// A sequence number that has one after it.
fn sequence(decoder: &mut Decoder<'_>) -> Result<Sequence, DecodeError> {
    match decoder.varint()? {
        u64::MAX => Err(DecodeError::OutOfRange(u64::MAX)),
        number => Ok(Sequence(number)),
    }
}

fn id(decoder: &mut Decoder<'_>) -> Result<Option<EventId>, DecodeError> {
    match decoder.tag()? {
        NO_ID => Ok(None),
        NUMBER => {
            let zigzag = decoder.varint()?;
            Ok(Some(EventId::Number((zigzag >> 1).cast_signed() ^ -((zigzag & 1).cast_signed()))))
        }
        NAME => Ok(Some(EventId::from(decoder.short_text()?))),
        tag => Err(DecodeError::UnknownTag(tag)),
    }
}
