//! The domain's event: what producers send and consumers process.

use serde::{Deserialize, Serialize};

use crate::EventId;

/// A hash of a payload: enough to notice that what arrived is not what was sent.
///
/// FNV-1a, 64 bits: deterministic everywhere, and no defence against an adversary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PayloadHash(u64);

impl PayloadHash {
    /// The hash of `payload`. O(length).
    pub fn of(payload: &[u8]) -> Self {
        let fold = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        PayloadHash(payload.iter().fold(0xcbf2_9ce4_8422_2325, fold))
    }
}

/// What travels with an event beside its payload; the words are those of message-bus practice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Metadata {
    /// The id of the conversation: the same for everything that one request set off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<EventId>,
    /// The id of the event that directly caused this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causation_id: Option<EventId>,
    /// The version of the payload's schema, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
}

/// A fact that a producer announces. The payload itself stays with the bus; a history holds its hash.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Event {
    /// Unique within the system.
    pub id: EventId,
    /// What kind of fact, such as `OrderPlaced`.
    #[serde(rename = "type")]
    pub kind: String,
    /// When it happened, in milliseconds since the Unix epoch, by the producer's clock.
    pub time_ms: u64,
    /// The hash of the payload.
    pub payload_hash: PayloadHash,
    /// Correlation, causation, version.
    #[serde(default)]
    pub metadata: Metadata,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payload_hash_is_fnv_1a() {
        // The published test vector of FNV-1a, 64 bits.
        assert_eq!(PayloadHash::of(b"foobar"), PayloadHash(0x8594_4171_f739_67e8));
    }
}
