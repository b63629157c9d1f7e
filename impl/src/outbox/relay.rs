//! The relay: publishes what a service owes.

use super::core::{RelayEpoch, Slot};
use super::error::StoreError;
use super::shell::{Owed, ServiceStore};
use super::state::State;
use crate::message::Message;
use crate::mutant::{Mutant, is_seeded};
use crate::sync::Arc;

/// How many events are published before they are marked.
const BATCH_LENGTH: usize = 64;

/// Where a relay publishes to.
pub trait Publish {
    /// Why an event is not acknowledged.
    type Error;

    /// Publishes an event, durably: after all that was published before.
    ///
    /// # Errors
    /// The event is not acknowledged: it is published or not.
    fn publish(&mut self, topic: &str, message: &Message) -> Result<(), Self::Error>;
}

/// Publishes what a service owes, in order, and marks it after that. One thread at a time.
///
/// It publishes an event again where it cannot know: after a crash, or when it takes over from another relay. Per
/// partition the first copies stand in order. A newer relay fences it.
#[derive(Debug)]
pub struct Relay<S: State, P> {
    store: Arc<ServiceStore<S>>,
    epoch: RelayEpoch,
    publisher: P,
}

/// Why a relay cannot go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RelayError<E> {
    /// The store said no; [`Refusal::Fenced`](super::Refusal::Fenced) once a newer relay has taken over.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An event was not acknowledged; it and those behind it are still owed.
    #[error("event `{event}` is still owed to topic `{topic}`: {source}")]
    Publish {
        /// Which event.
        event: lawspeaker_history::EventId,
        /// To which topic.
        topic: String,
        /// What the publisher said.
        source: E,
    },
}

impl<S: State, P: Publish> Relay<S, P> {
    /// Takes over from every relay before. `publisher` is opened after that, so that it fences the publishers of the
    /// others where the logs can.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(store: Arc<ServiceStore<S>>, publisher: impl FnOnce() -> P) -> Result<Self, StoreError> {
        let epoch = store.open_relay()?;
        Ok(Relay { store, epoch, publisher: publisher() })
    }

    /// Publishes what is owed now, at most 64 events, and returns how many they were.
    ///
    /// # Errors
    /// [`RelayError`]. What was published before is marked.
    pub fn step(&mut self) -> Result<usize, RelayError<P::Error>> {
        let owed = self.store.owed(self.epoch, BATCH_LENGTH)?;
        self.publish_all(&owed)?;
        Ok(owed.len())
    }

    /// As [`step`](Self::step), but blocks until something is owed.
    ///
    /// # Errors
    /// [`RelayError`]; [`StoreError::Closed`] once the store is closed.
    pub fn step_blocking(&mut self) -> Result<usize, RelayError<P::Error>> {
        self.store.wait_owed(self.epoch)?;
        self.step()
    }

    fn publish_all(&mut self, owed: &[Owed]) -> Result<(), RelayError<P::Error>> {
        let Some(last) = owed.last() else { return Ok(()) };
        if is_seeded(Mutant::MarkBeforePublish) {
            self.mark(last)?;
        }
        for (place, one) in owed.iter().enumerate() {
            if let Err(source) = self.publisher.publish(&one.topic, &one.message) {
                if let Some(before) = place.checked_sub(1).map(|place| &owed[place]) {
                    self.mark(before)?;
                }
                let (event, topic) = (one.message.id.clone(), one.topic.clone());
                return Err(RelayError::Publish { event, topic, source });
            }
        }
        Ok(self.mark(last)?)
    }

    fn mark(&self, last: &Owed) -> Result<(), StoreError> {
        self.store.mark_published(self.epoch, Slot(last.slot.0 + 1))
    }

    /// Its turn among the relays of the service.
    pub fn epoch(&self) -> RelayEpoch {
        self.epoch
    }
}
