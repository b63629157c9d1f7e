//! What all services share, and the tasks beside them.

use std::future::Future;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use lawspeaker_bus::bus::ServiceConfig;
use lawspeaker_bus::message::Message;
use lawspeaker_bus::outbox::{RetryPolicy, State};
use lawspeaker_bus::tokio_bus::{TokioConsumer, TokioService};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::error;

use crate::fault::Faults;
use crate::guard::Guards;
use crate::metrics::Metrics;
use crate::shop::Settings;

/// Any error, on its way to whoever started the program.
pub(crate) type Anything = Box<dyn std::error::Error + Send + Sync>;

/// What all services share.
#[derive(Debug)]
pub(crate) struct Parts {
    pub faults: Faults,
    pub metrics: Arc<Metrics>,
    pub guards: Guards,
    pub in_stock: u64,
    /// Whether orders may say what is to go wrong with them.
    pub allow_faults: bool,
    under_way: Arc<AtomicUsize>,
    tasks: Mutex<JoinSet<()>>,
    is_stopping: watch::Sender<bool>,
    failure: watch::Sender<Option<String>>,
}

/// Something that is under way outside of the bus, until it is dropped.
#[derive(Debug)]
pub(crate) struct UnderWay(Arc<AtomicUsize>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Parts {
    pub(crate) fn new(settings: &Settings, metrics: Arc<Metrics>) -> Self {
        Parts {
            faults: Faults::default(),
            metrics,
            guards: settings.guards,
            in_stock: settings.in_stock,
            allow_faults: settings.allow_faults,
            under_way: Arc::default(),
            tasks: Mutex::default(),
            is_stopping: watch::Sender::new(false),
            failure: watch::Sender::new(None),
        }
    }

    /// How patient a service is: where messages may be late on purpose, it waits for them.
    pub(crate) fn service_config(&self) -> ServiceConfig {
        if !self.allow_faults {
            return ServiceConfig::default();
        }
        let max_attempts = NonZeroU32::MIN.saturating_add(999);
        let retry = RetryPolicy { max_attempts, first_backoff_ms: 2, max_backoff_ms: 20 };
        ServiceConfig { retry, ..ServiceConfig::default() }
    }

    /// Something is under way.
    pub(crate) fn under_way(&self) -> UnderWay {
        self.under_way.fetch_add(1, Ordering::SeqCst);
        UnderWay(Arc::clone(&self.under_way))
    }

    /// Runs a task until the program stops, which drops it; if it fails the program does.
    pub(crate) fn spawn(
        &self,
        name: &'static str,
        work: impl Future<Output = Result<(), Anything>> + Send + 'static,
    ) {
        let mut is_stopping = self.is_stopping.subscribe();
        self.run(name, async move {
            tokio::select! {
                biased;
                _ = is_stopping.wait_for(|is_stopping| *is_stopping) => Ok(()),
                worked = work => worked,
            }
        });
    }

    /// Has `handle` process the events of a consumer, each of which it commits after that, until the program stops.
    pub(crate) fn listen<F>(
        &self,
        name: &'static str,
        mut consumer: TokioConsumer,
        mut handle: impl FnMut(Message) -> F + Send + 'static,
    ) where
        F: Future<Output = Result<(), Anything>> + Send,
    {
        let mut is_stopping = self.is_stopping.subscribe();
        self.run(name, async move {
            loop {
                let polled = tokio::select! {
                    biased;
                    _ = is_stopping.wait_for(|is_stopping| *is_stopping) => break,
                    polled = consumer.next() => polled?,
                };
                handle(polled.entry.message.clone()).await?;
                consumer.handled(&polled).await;
                consumer.commit().await?;
            }
            Ok(consumer.leave().await?)
        });
    }

    fn run(&self, name: &'static str, work: impl Future<Output = Result<(), Anything>> + Send + 'static) {
        let failure = self.failure.clone();
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(async move {
            if let Err(why) = work.await {
                error!(task = name, %why, "failed");
                failure.send_replace(Some(format!("{name}: {why}")));
            }
        });
    }

    /// If a handler or the relay of a service fails, so does the program.
    pub(crate) fn watch<S: State>(&self, name: &'static str, service: &TokioService<S>) {
        let service = service.clone();
        self.spawn(name, async move { Err(service.failure().await.to_string().into()) });
    }

    /// Waits until something that must not fail has failed, and says why.
    pub(crate) async fn failure(&self) -> String {
        let mut failure = self.failure.subscribe();
        match failure.wait_for(Option::is_some).await {
            Ok(why) => why.clone().unwrap_or_default(),
            Err(_) => "the program has stopped".to_owned(),
        }
    }

    /// How much is under way outside of the bus.
    pub(crate) fn under_way_count(&self) -> usize {
        self.under_way.load(Ordering::SeqCst)
    }

    /// Ends all tasks, and waits for them.
    pub(crate) async fn stop(&self) {
        self.is_stopping.send_replace(true);
        let mut tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        while tasks.join_next().await.is_some() {}
    }
}
