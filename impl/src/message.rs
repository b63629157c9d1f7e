//! What a producer sends: an event and its payload.

use lawspeaker_history::{Event, EventId, Metadata, PayloadHash};

use crate::causality::CausalContext;

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
    /// What must be delivered before it; `None` if its sender does not tell.
    pub context: Option<CausalContext>,
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
            context: None,
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

    /// The same message as an answer to `cause`: that is its causation, and the conversation is the same one. A cause
    /// of no conversation begins one.
    #[must_use]
    pub fn caused_by(mut self, cause: &Message) -> Self {
        let correlation_id = cause.metadata.correlation_id.as_ref().unwrap_or(&cause.id);
        self.metadata.correlation_id = Some(correlation_id.clone());
        self.metadata.causation_id = Some(cause.id.clone());
        self
    }

    /// The ids of its causes that it tells: the direct one, then those of its context; none twice.
    pub fn cause_ids(&self) -> Vec<EventId> {
        let direct = self.metadata.causation_id.as_ref();
        let others = self.context.iter().flat_map(CausalContext::event_ids).filter(|id| Some(*id) != direct);
        direct.into_iter().chain(others).cloned().collect()
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
