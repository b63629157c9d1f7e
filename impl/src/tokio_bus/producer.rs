//! A producer that many tasks share: one writer task a partition, which writes in batches.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use lawspeaker_history::Offset;
use tokio::sync::{mpsc, oneshot, watch};

use super::{StoppedError, Writers, blocking};
use crate::bus::{Pipeline, PublishError, Published, Topic, check_length};
use crate::message::Message;

/// How many events may wait for the writer of a partition; then publishers wait for a place.
const QUEUE_LENGTH: usize = 1024;

/// A producer of a topic for tasks. Any number of publishes may be under way at once: those to one partition are
/// written in the order in which they were queued, and share their sync.
#[derive(Clone, Debug)]
pub struct TokioProducer {
    topic: Arc<Topic>,
    queues: Arc<[mpsc::Sender<Request>]>,
    max_message_bytes: u32,
    turn: Arc<AtomicU32>,
}

/// Why an event is not acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokioPublishError {
    /// The bus did not acknowledge it.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The bus was shut down before the event was queued: it was not sent.
    #[error("the bus was shut down, and the event was not sent")]
    Closed,
    /// The bus or its runtime was shut down first: the outcome is unknown.
    #[error(transparent)]
    Stopped(#[from] StoppedError),
}

#[derive(Debug)]
struct Request {
    message: Message,
    reply: oneshot::Sender<Result<Offset, PublishError>>,
}

impl TokioProducer {
    pub(super) fn start(
        topic: Arc<Topic>,
        pipelines: Vec<Pipeline>,
        max_message_bytes: u32,
        writers: &Writers,
    ) -> Self {
        let start = |pipeline| {
            let (queue, requests) = mpsc::channel(QUEUE_LENGTH);
            writers.spawn(write(pipeline, requests, writers.is_closing.subscribe()));
            queue
        };
        let queues = pipelines.into_iter().map(start).collect();
        TokioProducer { topic, queues, max_message_bytes, turn: Arc::default() }
    }

    /// Sends an event and returns where it stands, once it is durable. Waits while the partition's queue is full.
    ///
    /// Dropped before it was queued, it did not happen; after that its outcome is unknown.
    ///
    /// # Errors
    /// [`TokioPublishError`].
    pub async fn publish(&self, message: Message) -> Result<Published, TokioPublishError> {
        check_length(&message, self.max_message_bytes)?;
        let turn = if message.key.is_none() { self.turn.fetch_add(1, Ordering::Relaxed) } else { 0 };
        let partition = self.topic.partition_for(&message, turn);
        let (reply, answer) = oneshot::channel();
        let request = Request { message, reply };
        self.queues[partition.place()].send(request).await.map_err(|_| TokioPublishError::Closed)?;
        let offset = answer.await.map_err(|_| StoppedError)??;
        Ok(Published { partition, offset })
    }
}

/// Writes what is requested, in batches, until nobody can request any more or the bus is shut down.
async fn write(
    mut pipeline: Pipeline,
    mut requests: mpsc::Receiver<Request>,
    mut is_closing: watch::Receiver<bool>,
) {
    let mut batch = Vec::new();
    loop {
        tokio::select! {
            biased;
            count = requests.recv_many(&mut batch, QUEUE_LENGTH) => if count == 0 { return },
            // The queue takes no more; what it holds is still received.
            _ = is_closing.wait_for(|is_closing| *is_closing), if !requests.is_closed() => requests.close(),
        }
        let written = std::mem::take(&mut batch);
        match blocking(move || write_batch(pipeline, written)).await {
            Ok(back) => pipeline = back,
            Err(StoppedError) => return,
        }
    }
}

/// Sends a batch, syncs once, and answers. Who dropped the future does not want the answer.
fn write_batch(mut pipeline: Pipeline, batch: Vec<Request>) -> Pipeline {
    let (messages, replies): (Vec<_>, Vec<_>) =
        batch.into_iter().map(|request| (request.message, request.reply)).unzip();
    for (reply, outcome) in replies.into_iter().zip(pipeline.send_all(&messages)) {
        drop(reply.send(outcome.map_err(PublishError::from)));
    }
    pipeline
}
