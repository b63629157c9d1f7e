//! What a service decides to do: change its state, owe events, call others off, or refuse.

use lawspeaker_history::EventId;

use super::state::Entry;
use crate::message::Message;

/// What a transaction does, all of it or nothing. Built up from one of the first four functions.
///
/// ```
/// use lawspeaker_bus::message::Message;
/// use lawspeaker_bus::outbox::Decision;
///
/// let paid = Decision::change("order 17 is paid").emit("orders", Message::new("order-17/paid", "").key("17"));
/// let sorry = Decision::<&str>::refuse("no such order").emit("orders", Message::new("order-18/refused", ""));
/// # assert!(sorry.refusal().is_some() && paid.refusal().is_none());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Decision<C> {
    pub(super) changes: Vec<C>,
    pub(super) events: Vec<(String, Message)>,
    pub(super) voided: Vec<EventId>,
    pub(super) refusal: Option<String>,
}

impl<C> Decision<C> {
    /// Nothing changes, and nothing is owed; an event counts as handled.
    pub fn nothing() -> Self {
        Decision { changes: Vec::new(), events: Vec::new(), voided: Vec::new(), refusal: None }
    }

    /// The state changes.
    pub fn change(change: C) -> Self {
        Decision { changes: vec![change], ..Self::nothing() }
    }

    /// The service will not do what it is asked for, now or ever: a redelivery of the event is refused too. It may
    /// still [`emit`](Self::emit) an event that says so.
    pub fn refuse(reason: impl Into<String>) -> Self {
        Decision { refusal: Some(reason.into()), ..Self::nothing() }
    }

    /// The state changes further, after what was decided so far.
    pub fn and_change(mut self, change: C) -> Self {
        self.changes.push(change);
        self
    }

    /// An event is owed to a topic. It carries the handled event as its cause, and its conversation, unless it tells
    /// causes of its own. Its id must be its own; one that is made from the cause's id is the same whenever it is made.
    pub fn emit(mut self, topic: impl Into<String>, message: Message) -> Self {
        self.events.push((topic.into(), message));
        self
    }

    /// The event `id`, which may still be under way, is to do nothing when it comes: the tombstone that a cancellation
    /// leaves where it overtakes what it cancels.
    pub fn void(mut self, id: impl Into<EventId>) -> Self {
        self.voided.push(id.into());
        self
    }

    /// The same, with `cause` as the cause of every event that tells none.
    pub(crate) fn caused_by(mut self, cause: &Message) -> Self {
        let caused = |(topic, message): (String, Message)| match message.metadata.causation_id {
            None => (topic, message.caused_by(cause)),
            Some(_) => (topic, message),
        };
        self.events = self.events.into_iter().map(caused).collect();
        self
    }

    /// Why it refuses, if it does.
    pub fn refusal(&self) -> Option<&str> {
        self.refusal.as_deref()
    }

    /// What it owes, with the topics, in order.
    pub fn events(&self) -> impl ExactSizeIterator<Item = (&str, &Message)> {
        self.events.iter().map(|(topic, message)| (topic.as_str(), message))
    }
}

impl<K, V> Decision<Entry<K, V>> {
    /// In a state that is a map, `key` has `value` from now on.
    pub fn put(key: impl Into<K>, value: V) -> Self {
        Decision::change(Entry::Put(key.into(), value))
    }

    /// In a state that is a map, `key` has no value from now on.
    pub fn remove(key: impl Into<K>) -> Self {
        Decision::change(Entry::Removed(key.into()))
    }
}
