//! The bus for tasks: the same bus, and nothing that blocks a runtime.
//!
//! Everything that touches the disk runs on tokio's blocking threads; tasks wait for messages, never in a loop.
//!
//! **What a dropped future means.** A publish that is dropped before it was queued did not happen; after that its
//! outcome is unknown, as after a crash: the event is written or not, and never twice. A dropped `next` loses nothing:
//! what was polled is handed out by the following one. A dropped `commit` has happened or not; commit again.
//!
//! ```
//! use lawspeaker_bus::bus::Config;
//! use lawspeaker_bus::message::Message;
//! use lawspeaker_bus::tokio_bus::TokioBus;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! let bus = TokioBus::open(directory.path(), Config::default()).await?;
//! bus.create_topic("orders", 4).await?;
//! let producer = bus.producer("orders", "shop").await?;
//! producer.publish(Message::new("order-17", "two apples")).await?; // durable when it returns
//!
//! let mut consumer = bus.consumer("billing", "orders").await?;
//! let delivery = consumer.next().await?;
//! assert_eq!(delivery.entry.message.payload, b"two apples");
//! consumer.handled(&delivery).await;
//! consumer.commit().await?; // after processing: at least once
//! bus.shutdown().await?;
//! # Ok(())
//! # }
//! ```

mod causal;
mod consumer;
mod producer;
mod saga;
mod service;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use lawspeaker_history::{NoRecorder, Recorder};
use tokio::sync::watch;
use tokio::task::{self, JoinSet};

pub use causal::{TokioCausalPublishError, TokioCausalSession, TokioNextEventError};
pub use consumer::{CommitError, NextError, TokioConsumer};
pub use producer::{TokioProducer, TokioPublishError};
pub use saga::{SagaHandle, Task, TokioParticipant, TokioSagaDefinition, TokioSagaError, TokioSagas};
pub use service::{ServiceError, TokioService, TokioStoreError, TokioTransactError};

use crate::bus::{Bus, Config, CreateTopicError, OpenBusError, OpenGroupError, OpenProducerError};

/// The bus or its runtime was shut down first: whether the work was done is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the bus or its runtime was shut down first")]
pub struct StoppedError;

/// Why a call that opens something fails.
#[derive(Debug, thiserror::Error)]
pub enum TokioOpenError<E: std::error::Error + 'static> {
    /// The bus refused.
    #[error(transparent)]
    Bus(E),
    /// The runtime was shut down first.
    #[error(transparent)]
    Stopped(#[from] StoppedError),
}

/// An open bus for tasks. Clones share it; when the last one is dropped, the bus closes without writing what is
/// queued, so call [`shutdown`](Self::shutdown) before.
///
/// Every call must be made within a tokio runtime.
#[derive(Clone, Debug)]
pub struct TokioBus {
    bus: Arc<Bus>,
    writers: Arc<Writers>,
}

/// The tasks that write, and how to end them.
#[derive(Debug, Default)]
struct Writers {
    tasks: Mutex<JoinSet<()>>,
    is_closing: watch::Sender<bool>,
}

impl Writers {
    /// Runs a writer. Those that have ended are forgotten.
    fn spawn(&self, writer: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(writer);
    }

    /// Tells all writers to finish what they have, and waits until they have.
    async fn finish(&self) {
        self.is_closing.send_replace(true);
        let mut tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        while tasks.join_next().await.is_some() {}
    }
}

/// Runs `work` on a blocking thread. A panic of it goes on here.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, StoppedError> {
    match task::spawn_blocking(work).await {
        Ok(done) => Ok(done),
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(StoppedError),
        },
    }
}

async fn opening<T, E>(open: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, TokioOpenError<E>>
where
    T: Send + 'static,
    E: std::error::Error + Send + 'static,
{
    blocking(open).await?.map_err(TokioOpenError::Bus)
}

impl TokioBus {
    /// Opens the bus in `directory`; creates it if there is none.
    ///
    /// # Errors
    /// [`OpenBusError`].
    pub async fn open(
        directory: impl Into<PathBuf>,
        config: Config,
    ) -> Result<Self, TokioOpenError<OpenBusError>> {
        Self::open_recorded(directory, config, Arc::new(NoRecorder)).await
    }

    /// As [`open`](Self::open), and records what happens, for the oracle to judge.
    ///
    /// # Errors
    /// [`OpenBusError`].
    pub async fn open_recorded(
        directory: impl Into<PathBuf>,
        config: Config,
        recorder: Arc<dyn Recorder>,
    ) -> Result<Self, TokioOpenError<OpenBusError>> {
        let directory = directory.into();
        let bus = opening(move || Bus::open_recorded(directory, config, recorder)).await?;
        Ok(Self::over(Arc::new(bus)))
    }

    /// The same bus for tasks and for threads.
    pub fn over(bus: Arc<Bus>) -> Self {
        TokioBus { bus, writers: Arc::default() }
    }

    /// The bus itself, for threads. Its calls block.
    pub fn bus(&self) -> &Arc<Bus> {
        &self.bus
    }

    /// Creates a topic, as [`Bus::create_topic`].
    ///
    /// # Errors
    /// [`CreateTopicError`].
    pub async fn create_topic(
        &self,
        topic: impl Into<String>,
        partition_count: u32,
    ) -> Result<(), TokioOpenError<CreateTopicError>> {
        let (bus, topic) = (Arc::clone(&self.bus), topic.into());
        opening(move || bus.create_topic(&topic, partition_count)).await
    }

    /// Opens the producer `name` of a topic, as [`Bus::producer`].
    ///
    /// # Errors
    /// [`OpenProducerError`].
    pub async fn producer(
        &self,
        topic: impl Into<String>,
        name: impl Into<String>,
    ) -> Result<TokioProducer, TokioOpenError<OpenProducerError>> {
        let (bus, topic, name) = (Arc::clone(&self.bus), topic.into(), name.into());
        let limit = bus.config().max_message_bytes;
        let (topic, pipelines) = opening(move || bus.pipelines(&topic, &name)).await?;
        Ok(TokioProducer::start(topic, pipelines, limit, &self.writers))
    }

    /// A new member joins `group`, as [`Bus::consumer`].
    ///
    /// # Errors
    /// [`OpenGroupError`].
    pub async fn consumer(
        &self,
        group: impl Into<String>,
        topic: impl Into<String>,
    ) -> Result<TokioConsumer, TokioOpenError<OpenGroupError>> {
        let (bus, group, topic) = (Arc::clone(&self.bus), group.into(), topic.into());
        Ok(TokioConsumer::new(opening(move || bus.consumer(&group, &topic)).await?))
    }

    /// Takes no more events, writes and acknowledges those that were queued, and closes the bus. Whoever waits on it
    /// is told. Dropping this future half-way closes the bus when the last clone is dropped.
    ///
    /// # Errors
    /// [`StoppedError`] if the runtime shut down first.
    pub async fn shutdown(self) -> Result<(), StoppedError> {
        self.writers.finish().await;
        let bus = Arc::clone(&self.bus);
        blocking(move || bus.close()).await
    }
}

#[cfg(test)]
#[cfg(not(any(lawspeaker_loom, lawspeaker_shuttle)))]
mod tests;
