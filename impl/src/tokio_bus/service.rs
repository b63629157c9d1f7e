//! A service for tasks: its handlers and its relay run by themselves.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lawspeaker_history::EventId;
use tokio::sync::watch;
use tokio::time;

use super::{StoppedError, TokioBus, TokioOpenError, Writers, blocking, opening};
use crate::bus::{
    BusPublisher, News, OpenGroupError, OpenServiceError, RelayPublishError, Service, ServiceConfig,
    StepError, TopicHandler, TransactError,
};
use crate::outbox::{Decision, Handled, Handler, Relay, RelayError, State, StoreError};

/// A [`Service`] for tasks. Clones share it.
///
/// The relay runs from the beginning, and each handler from when it is given with [`on`](Self::on); they end with
/// [`TokioBus::shutdown`], or with an error that [`failure`](Self::failure) tells. Time is the system's clock, and the
/// runtime must have its timer enabled.
///
/// A dropped `transact` or `command` has happened or not.
///
/// ```
/// use std::collections::BTreeMap;
///
/// use lawspeaker_bus::bus::{Config, ServiceConfig};
/// use lawspeaker_bus::message::Message;
/// use lawspeaker_bus::outbox::Decision;
/// use lawspeaker_bus::tokio_bus::TokioBus;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// type Orders = BTreeMap<String, String>;
/// type Payments = BTreeMap<String, u32>;
///
/// let bus = TokioBus::open(directory.path(), Config::default()).await?;
/// bus.create_topic("orders", 4).await?;
/// bus.create_topic("payments", 4).await?;
/// let orders = bus.service::<Orders>("orders", ServiceConfig::default()).await?;
/// let payments = bus.service::<Payments>("payments", ServiceConfig::default()).await?;
///
/// payments
///     .on("orders", |_: &Payments, order: &Message| {
///         let (key, amount) = (order.key.clone().unwrap_or_default(), str::from_utf8(&order.payload)?.parse()?);
///         let paid = Message::new(format!("{key}/paid").as_str(), "").key(&key);
///         Ok(Decision::put(key, amount).emit("payments", paid))
///     })
///     .await?;
/// orders
///     .on("payments", |_: &Orders, paid: &Message| {
///         Ok(Decision::put(paid.key.clone().unwrap_or_default(), "paid".to_owned()))
///     })
///     .await?;
///
/// let placed = |_: &Orders| {
///     let event = Message::new("17/placed", "250").key("17");
///     Decision::put("17", "placed".to_owned()).emit("orders", event)
/// };
/// orders.command("request-1", placed).await?; // sent again it does nothing
/// orders.wait_for(|orders| orders.get("17").filter(|state| *state == "paid").cloned()).await?;
/// bus.shutdown().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct TokioService<S: State> {
    service: Service<S>,
    news: Arc<News>,
    writers: Arc<Writers>,
    failure: watch::Sender<Option<Arc<ServiceError>>>,
}

impl<S: State> Clone for TokioService<S> {
    fn clone(&self) -> Self {
        TokioService {
            service: self.service.clone(),
            news: Arc::clone(&self.news),
            writers: Arc::clone(&self.writers),
            failure: self.failure.clone(),
        }
    }
}

/// Why a handler or the relay of a service has ended.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The relay ended: what is owed stays owed.
    #[error("the relay has ended: {0}")]
    Relay(RelayError<RelayPublishError>),
    /// A handler ended: what it did not do stays to be done.
    #[error("the handler of topic `{topic}` has ended: {source}")]
    Handler {
        /// Of which topic.
        topic: String,
        /// Why.
        source: StepError,
    },
    /// The runtime was shut down first.
    #[error(transparent)]
    Stopped(#[from] StoppedError),
}

/// Why a transaction was not committed.
#[derive(Debug, thiserror::Error)]
pub enum TokioTransactError {
    /// The service did not commit it.
    #[error(transparent)]
    Transact(#[from] TransactError),
    /// The runtime was shut down first: the outcome is unknown.
    #[error(transparent)]
    Stopped(#[from] StoppedError),
}

/// Why the state cannot be looked at.
#[derive(Debug, thiserror::Error)]
pub enum TokioStoreError {
    /// The store said no.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The runtime was shut down first.
    #[error(transparent)]
    Stopped(#[from] StoppedError),
}

/// Milliseconds since the Unix epoch.
fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

impl TokioBus {
    /// Opens the service `name`, as [`Bus::service`](crate::bus::Bus::service), and starts its relay.
    ///
    /// # Errors
    /// [`OpenServiceError`].
    pub async fn service<S: State>(
        &self,
        name: impl Into<String>,
        config: ServiceConfig,
    ) -> Result<TokioService<S>, TokioOpenError<OpenServiceError>> {
        let (bus, name) = (Arc::clone(self.bus()), name.into());
        let open = move || {
            let service = bus.service::<S>(&name, config)?;
            let relay = service.relay().map_err(OpenServiceError::Relay)?;
            Ok((service, relay))
        };
        let (service, relay) = opening(open).await?;
        let news = Arc::new(News::default());
        let bell = Arc::clone(&news);
        service.store().on_news(move || bell.ring());
        let (failure, _) = watch::channel(None);
        let service = TokioService { service, news, writers: Arc::clone(&self.writers), failure };
        let ends = Ends { failure: service.failure.clone(), is_closing: self.writers.is_closing.subscribe() };
        self.writers.spawn(relay_until_closing(relay, Arc::clone(&service.news), ends));
        Ok(service)
    }
}

impl<S: State> TokioService<S> {
    /// Has `handler` decide on the events of a topic, from now until the bus is shut down. Called again for the same
    /// topic it starts another member of the group, which takes a share of the partitions.
    ///
    /// A closure must name the types of what it is given: `|state: &Orders, event: &Message|`.
    ///
    /// # Errors
    /// [`OpenGroupError`].
    pub async fn on(
        &self,
        topic: impl Into<String>,
        handler: impl Handler<S>,
    ) -> Result<(), TokioOpenError<OpenGroupError>> {
        let (service, topic) = (self.service.clone(), topic.into());
        let name = topic.clone();
        let handler = opening(move || service.handler(&name, handler)).await?;
        let is_closing = self.writers.is_closing.subscribe();
        let ends = Ends { failure: self.failure.clone(), is_closing };
        self.writers.spawn(handle_until_closing(topic, handler, ends));
        Ok(())
    }

    /// A transaction that no event asks for, as [`Service::transact`].
    ///
    /// # Errors
    /// [`TokioTransactError`].
    pub async fn transact(
        &self,
        decide: impl FnOnce(&S) -> Decision<S::Change> + Send + 'static,
    ) -> Result<Handled, TokioTransactError> {
        let service = self.service.clone();
        Ok(blocking(move || service.transact(now_ms(), decide)).await??)
    }

    /// The same for a command that may be sent again, as [`Service::command`].
    ///
    /// # Errors
    /// [`TokioTransactError`].
    pub async fn command(
        &self,
        id: impl Into<EventId>,
        decide: impl FnOnce(&S) -> Decision<S::Change> + Send + 'static,
    ) -> Result<Handled, TokioTransactError> {
        let (service, id) = (self.service.clone(), id.into());
        Ok(blocking(move || service.command(id, now_ms(), decide)).await??)
    }

    /// Looks at the state. What it sees is durable when this returns.
    ///
    /// # Errors
    /// [`TokioStoreError`].
    pub async fn view<R: Send + 'static>(
        &self,
        look: impl FnOnce(&S) -> R + Send + 'static,
    ) -> Result<R, TokioStoreError> {
        let service = self.service.clone();
        Ok(blocking(move || service.view(look)).await??)
    }

    /// Waits until `look` sees in the state what it looks for, and returns it.
    ///
    /// # Errors
    /// [`TokioStoreError`]; [`StoreError::Closed`] once the bus is closed.
    pub async fn wait_for<R: Send + 'static>(
        &self,
        look: impl Fn(&S) -> Option<R> + Send + Sync + 'static,
    ) -> Result<R, TokioStoreError> {
        let look = Arc::new(look);
        loop {
            let (known, look) = (self.news.count(), Arc::clone(&look));
            if let Some(seen) = self.view(move |state| look(state)).await? {
                return Ok(seen);
            }
            self.news.more_than(known).await;
        }
    }

    /// Waits until a handler or the relay has ended with an error, and returns the first one.
    pub async fn failure(&self) -> Arc<ServiceError> {
        let mut failure = self.failure.subscribe();
        loop {
            if let Some(failure) = &*failure.borrow_and_update() {
                return Arc::clone(failure);
            }
            // An error would mean that the sender is gone, and it is part of `self`.
            drop(failure.changed().await);
        }
    }

    /// The service for threads. Its calls block.
    pub fn service(&self) -> &Service<S> {
        &self.service
    }
}

/// How a task of a service ends.
struct Ends {
    failure: watch::Sender<Option<Arc<ServiceError>>>,
    is_closing: watch::Receiver<bool>,
}

impl Ends {
    fn fail(&self, error: ServiceError) {
        self.failure.send_if_modified(|failure| {
            let is_first = failure.is_none();
            failure.get_or_insert_with(|| Arc::new(error));
            is_first
        });
    }

    /// Waits for more than `known` news, or until the time has come. Returns whether the bus is closing.
    async fn wait(&mut self, news: &News, known: u64, retry_at_ms: Option<u64>) -> bool {
        let retry = async {
            match retry_at_ms {
                Some(at_ms) => time::sleep(Duration::from_millis(at_ms.saturating_sub(now_ms()))).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            _ = self.is_closing.wait_for(|is_closing| *is_closing) => true,
            () = news.more_than(known) => false,
            () = retry => false,
        }
    }
}

/// Publishes what is owed until the bus is closing and nothing is owed any more.
async fn relay_until_closing<S: State>(mut relay: Relay<S, BusPublisher>, news: Arc<News>, mut ends: Ends) {
    let mut is_closing = false;
    loop {
        let known = news.count();
        let step = move || {
            let published = relay.step();
            (relay, published)
        };
        let published = match blocking(step).await {
            Ok((back, published)) => {
                relay = back;
                published
            }
            Err(stopped) => return ends.fail(stopped.into()),
        };
        match published {
            Ok(0) if is_closing => return,
            Ok(0) => is_closing = ends.wait(&news, known, None).await,
            Ok(_) => {}
            Err(error) => return ends.fail(ServiceError::Relay(error)),
        }
    }
}

/// Handles events until the bus is closing.
async fn handle_until_closing<S: State>(topic: String, mut handler: TopicHandler<S>, mut ends: Ends) {
    let news = Arc::clone(handler.news());
    loop {
        let known = news.count();
        let step = move || {
            let step = handler.step(now_ms());
            (handler, step)
        };
        let step = match blocking(step).await {
            Ok((back, step)) => {
                handler = back;
                step
            }
            Err(stopped) => return ends.fail(stopped.into()),
        };
        let is_closing = match step {
            Ok(step) if step.done_count > 0 => *ends.is_closing.borrow(),
            Ok(step) => ends.wait(&news, known, step.retry_at_ms).await,
            Err(source) => return ends.fail(ServiceError::Handler { topic, source }),
        };
        if is_closing {
            // What it has done is committed already.
            return drop(blocking(move || handler.leave()).await);
        }
    }
}
