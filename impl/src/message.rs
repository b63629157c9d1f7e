//! What a producer sends: an event and its payload.

use lawspeaker_history::{Event, EventId, Metadata, PayloadHash};

/// An event with its payload, as it is given to the bus.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Message {
    /// Unique within the system.
    pub id: EventId,
    /// Events of one key go to one partition and keep their order; without a key there is no such promise.
    pub key: Option<String>,
    /// What kind of fact, such as `OrderPlaced`.
    pub kind: String,
    /// When it happened, in milliseconds since the Unix epoch, by the producer's clock.
    pub time_ms: u64,
    /// Correlation, causation, version.
    pub metadata: Metadata,
    /// The bytes that the bus carries and never looks into.
    pub payload: Vec<u8>,
}

impl Message {
    /// A message without key, kind, time and metadata.
    pub fn new(id: impl Into<EventId>, payload: impl Into<Vec<u8>>) -> Self {
        Message {
            id: id.into(),
            key: None,
            kind: String::new(),
            time_ms: 0,
            metadata: Metadata::default(),
            payload: payload.into(),
        }
    }

    /// The same message under `key`.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// The same message as a fact of the kind `kind`.
    #[must_use]
    pub fn kind(mut self, kind: impl Into<String>) -> Self {
        self.kind = kind.into();
        self
    }

    /// The event that a history may hold: the hash stands for the payload. O(length of the payload).
    pub fn event(&self) -> Event {
        Event {
            id: self.id.clone(),
            kind: self.kind.clone(),
            time_ms: self.time_ms,
            payload_hash: PayloadHash::of(&self.payload),
            metadata: self.metadata.clone(),
        }
    }
}
