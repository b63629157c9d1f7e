//! A service on the bus: its state, what it does with events, and the relay of what it owes.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use lawspeaker_history::EventId;

use super::error::{
    ClosedError, CreateTopicError, OpenGroupError, OpenProducerError, PublishError, UnknownTopicError,
};
use super::name::{NameError, check_name};
use super::producer::TopicProducer;
use super::topic_handler::TopicHandler;
use super::{Bus, check_length, lock};
use crate::journal_error::OpenJournalError;
use crate::message::Message;
use crate::outbox::{
    CommitError, Decision, Handled, Handler, Publish, RecoverError, Relay, Retention, RetryPolicy,
    ServiceStore, State, StoreError,
};
use crate::segment_journal::{JournalLimits, SegmentJournal};

/// How many messages of the greatest length a transaction can owe.
const OWED_LENGTH: u32 = 16;

/// How a service works. It may differ from one opening to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServiceConfig {
    /// How long it remembers which events it has handled.
    pub retention: Retention,
    /// How often it tries an event that it cannot handle.
    pub retry: RetryPolicy,
}

/// A service: its [`State`], durable on the bus, with an inbox and an outbox. Clones share it.
///
/// ```
/// use std::collections::BTreeMap;
/// use std::sync::Arc;
///
/// use lawspeaker_bus::bus::{Bus, Config, ServiceConfig};
/// use lawspeaker_bus::message::Message;
/// use lawspeaker_bus::outbox::Decision;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// # let now_ms = 0;
/// type Stock = BTreeMap<String, u32>;
///
/// let bus = Arc::new(Bus::open(directory.path(), Config::default())?);
/// bus.create_topic("orders", 4)?;
/// bus.create_topic("stock", 4)?;
/// let stock = bus.service::<Stock>("stock", ServiceConfig::default())?;
/// stock.transact(now_ms, |_| Decision::put("apples", 3))?;
///
/// let mut orders = stock.handler("orders", |stock: &Stock, order: &Message| {
///     Ok(match stock["apples"].checked_sub(2) {
///         Some(left) => Decision::put("apples", left).emit("stock", Message::new("order-17/reserved", "")),
///         None => Decision::refuse("out of apples").emit("stock", Message::new("order-17/out-of-stock", "")),
///     })
/// })?;
/// bus.producer("orders", "shop")?.publish(Message::new("order-17", "two apples"))?;
/// orders.step(now_ms)?; // polls, handles in one transaction an event, and commits after that
/// assert_eq!(stock.view(|stock| stock["apples"])?, 1);
///
/// stock.relay()?.step()?; // publishes what the service owes
/// assert_eq!(bus.consumer("shop", "stock")?.poll(1)?[0].entry.message.id, "order-17/reserved".into());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Service<S: State> {
    pub(super) bus: Arc<Bus>,
    pub(super) store: Arc<ServiceStore<S>>,
    pub(super) config: ServiceConfig,
}

impl<S: State> Clone for Service<S> {
    fn clone(&self) -> Self {
        Service { bus: Arc::clone(&self.bus), store: Arc::clone(&self.store), config: self.config }
    }
}

/// Why a service could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenServiceError {
    /// The bus was closed.
    #[error(transparent)]
    Closed(#[from] ClosedError),
    /// It cannot be called so.
    #[error(transparent)]
    Name(#[from] NameError),
    /// It is open already.
    #[error("service `{0}` is open already: clone it instead, or drop all that belongs to it first")]
    Open(String),
    /// The topic of its dead letters could not be created.
    #[error(transparent)]
    DeadLetters(#[from] CreateTopicError),
    /// Its journal could not be opened.
    #[error(transparent)]
    Journal(#[from] OpenJournalError),
    /// Its relay could not be opened.
    #[error("the relay: {0}")]
    Relay(StoreError),
    /// It could not be recovered.
    #[error("service `{service}`: {source}")]
    Recover {
        /// Which.
        service: String,
        /// Why.
        source: RecoverError,
    },
}

/// Why a transaction was not committed.
#[derive(Debug, thiserror::Error)]
pub enum TransactError {
    /// It owes an event to a topic that does not exist; nothing has changed.
    #[error(transparent)]
    Topic(#[from] UnknownTopicError),
    /// It owes an event that the bus will not take; nothing has changed.
    #[error(transparent)]
    Event(#[from] PublishError),
    /// A change cannot be written as JSON; nothing has changed.
    #[error("a change cannot be written down: {0}")]
    Change(serde_json::Error),
    /// The store said no.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<CommitError<TransactError>> for TransactError {
    fn from(error: CommitError<TransactError>) -> Self {
        match error {
            CommitError::Undecided(error) => error,
            CommitError::Change(error) => TransactError::Change(error),
            CommitError::Store(error) => TransactError::Store(error),
        }
    }
}

impl Bus {
    /// Opens the service `name`, or creates it. Its dead letters go to the topic `name.dead-letters`, which is created
    /// with one partition if it does not exist.
    ///
    /// # Errors
    /// [`OpenServiceError`].
    pub fn service<S: State>(
        self: &Arc<Self>,
        name: &str,
        config: ServiceConfig,
    ) -> Result<Service<S>, OpenServiceError> {
        check_name("service", name)?;
        let letters = dead_letter_topic(name);
        if !self.topics().contains_key(&letters) {
            self.create_topic(&letters, 1)?;
        }
        // With this lock held the bus does not close.
        let _topics = lock(&self.topics);
        self.check_open()?;
        let store = self.services.open(name, || self.open_service(name, config.retention))?;
        let store = store.ok_or_else(|| OpenServiceError::Open(name.to_owned()))?;
        Ok(Service { bus: Arc::clone(self), store, config })
    }

    fn open_service<S: State>(
        &self,
        name: &str,
        retention: Retention,
    ) -> Result<ServiceStore<S>, OpenServiceError> {
        let limits = self.config.journal_limits();
        let limits =
            JournalLimits { record_bytes: limits.record_bytes.saturating_mul(OWED_LENGTH), ..limits };
        let journal =
            SegmentJournal::open_or_create(Arc::clone(&self.store), &format!("service~{name}"), limits)?;
        ServiceStore::recover(name, retention, Arc::new(journal), Arc::clone(&self.recorder))
            .map_err(|source| OpenServiceError::Recover { service: name.to_owned(), source })
    }
}

/// Where a service's dead letters go.
pub(super) fn dead_letter_topic(service: &str) -> String {
    format!("{service}.dead-letters")
}

impl<S: State> Service<S> {
    /// A transaction that no event asks for: `decide` sees the state that all before have left, and what it decides
    /// happens whole or not at all. Durable when this returns. `now_ms` is what the inbox's retention counts by.
    ///
    /// # Errors
    /// [`TransactError`].
    pub fn transact(
        &self,
        now_ms: u64,
        decide: impl FnOnce(&S) -> Decision<S::Change>,
    ) -> Result<Handled, TransactError> {
        self.decide(None, now_ms, decide)
    }

    /// The same for a command that may be sent again: one of an `id` that was committed or refused before does
    /// nothing, as long as the inbox remembers it.
    ///
    /// # Errors
    /// [`TransactError`].
    pub fn command(
        &self,
        id: impl Into<EventId>,
        now_ms: u64,
        decide: impl FnOnce(&S) -> Decision<S::Change>,
    ) -> Result<Handled, TransactError> {
        self.decide(Some(id.into()), now_ms, decide)
    }

    fn decide(
        &self,
        command: Option<EventId>,
        now_ms: u64,
        decide: impl FnOnce(&S) -> Decision<S::Change>,
    ) -> Result<Handled, TransactError> {
        let checked = |state: &S| {
            let decision = decide(state);
            self.check_events(&decision)?;
            Ok(decision)
        };
        Ok(self.store.transact::<TransactError>(command.as_ref(), now_ms, checked)?)
    }

    /// Whether the bus will take what is owed: a relay could do nothing with what it will not.
    pub(super) fn check_events(&self, decision: &Decision<S::Change>) -> Result<(), TransactError> {
        decision.events().try_for_each(|(topic, message)| {
            self.bus.topic(topic)?;
            Ok(check_length(message, self.bus.config.max_message_bytes)?)
        })
    }

    /// Looks at the state. What it sees is durable when this returns.
    ///
    /// # Errors
    /// [`StoreError::Closed`], [`StoreError::Journal`].
    pub fn view<R>(&self, look: impl FnOnce(&S) -> R) -> Result<R, StoreError> {
        self.store.view(look)
    }

    /// A new handler of a topic: a member of the group that is called as the service. Several share the partitions.
    ///
    /// # Errors
    /// [`OpenGroupError`].
    pub fn handler(&self, topic: &str, handler: impl Handler<S>) -> Result<TopicHandler<S>, OpenGroupError> {
        let consumer = self.bus.consumer(self.store.service(), topic)?;
        Ok(TopicHandler::new(self.clone(), topic, consumer, Box::new(handler)))
    }

    /// Takes over as the relay of the service: the relay before is fenced.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn relay(&self) -> Result<Relay<S, BusPublisher>, StoreError> {
        let publisher = || BusPublisher {
            bus: Arc::clone(&self.bus),
            producer: format!("{}.relay", self.store.service()),
            producers: BTreeMap::new(),
        };
        Relay::open(Arc::clone(&self.store), publisher)
    }

    /// The state, inbox and outbox themselves.
    pub fn store(&self) -> &Arc<ServiceStore<S>> {
        &self.store
    }

    /// The topic that its dead letters go to; read them with [`DeadLetter::read`](crate::outbox::DeadLetter::read).
    pub fn dead_letter_topic(&self) -> String {
        dead_letter_topic(self.store.service())
    }
}

/// Publishes what a service owes, with one idempotent producer a topic, opened when it is first needed.
#[derive(Debug)]
pub struct BusPublisher {
    bus: Arc<Bus>,
    producer: String,
    producers: BTreeMap<String, TopicProducer>,
}

/// Why the bus did not acknowledge an event of a relay.
#[derive(Debug, thiserror::Error)]
pub enum RelayPublishError {
    /// The producer could not be opened.
    #[error(transparent)]
    Open(#[from] OpenProducerError),
    /// The event was not acknowledged; open the bus again, and another relay publishes it.
    #[error(transparent)]
    Publish(#[from] PublishError),
}

impl Publish for BusPublisher {
    type Error = RelayPublishError;

    fn publish(&mut self, topic: &str, message: &Message) -> Result<(), RelayPublishError> {
        let producer = match self.producers.entry(topic.to_owned()) {
            Entry::Occupied(open) => open.into_mut(),
            Entry::Vacant(free) => free.insert(self.bus.producer(topic, &self.producer)?),
        };
        producer.publish(message.clone())?;
        Ok(())
    }
}
