//! A consumer for one task.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::{StoppedError, blocking};
use crate::bus::{Consumer, Topic};
use crate::consumer_group::GroupError;
use crate::id::MemberId;
use crate::member::{PollError, Polled};

/// How many events of each partition are polled at once.
const POLL_COUNT: usize = 64;

/// A member of a consumer group for one task.
///
/// At least once: [`next`](Self::next), process, [`handled`](Self::handled), [`commit`](Self::commit). It takes part
/// in rebalances when it has handed out what it had polled. Dropped without [`leave`](Self::leave) it counts as
/// crashed, and its partitions go to the other members.
#[derive(Debug)]
pub struct TokioConsumer {
    id: MemberId,
    topic: Arc<Topic>,
    /// Behind a lock, because the work of a dropped future still goes on.
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    /// `None` once it has left.
    consumer: Option<Consumer>,
    polled: VecDeque<Polled>,
}

/// Why no event is handed out.
#[derive(Debug, thiserror::Error)]
pub enum NextError {
    /// The poll failed; [`GroupError::Closed`] once the bus is closed.
    #[error(transparent)]
    Poll(#[from] PollError),
    /// The bus or its runtime was shut down first.
    #[error(transparent)]
    Stopped(#[from] StoppedError),
}

/// Why a commit is not acknowledged.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// The group refused or failed.
    #[error(transparent)]
    Group(#[from] GroupError),
    /// The bus or its runtime was shut down first: the outcome is unknown.
    #[error(transparent)]
    Stopped(#[from] StoppedError),
}

impl State {
    fn consumer(&mut self) -> &mut Consumer {
        self.consumer.as_mut().expect("only `leave` takes the consumer, and nothing comes after it")
    }
}

impl TokioConsumer {
    pub(super) fn new(consumer: Consumer) -> Self {
        let (id, topic) = (consumer.id(), Arc::clone(&consumer.topic));
        let state = State { consumer: Some(consumer), polled: VecDeque::new() };
        TokioConsumer { id, topic, state: Arc::new(Mutex::new(state)) }
    }

    /// The next event; waits until there is one. Dropping the future loses nothing.
    ///
    /// # Errors
    /// [`NextError`].
    pub async fn next(&mut self) -> Result<Polled, NextError> {
        loop {
            let known = self.topic.news.count();
            let mut state = self.lock().await;
            if let Some(polled) = state.polled.pop_front() {
                return Ok(polled);
            }
            let is_empty = blocking(move || {
                let polled = state.consumer().poll(POLL_COUNT)?;
                state.polled.extend(polled);
                Ok::<_, PollError>(state.polled.is_empty())
            });
            if is_empty.await?? {
                self.topic.news.more_than(known).await;
            }
        }
    }

    async fn lock(&self) -> OwnedMutexGuard<State> {
        Arc::clone(&self.state).lock_owned().await
    }

    /// The event is processed. Returns whether that counts: not if an earlier event of the partition is not handled
    /// yet, and not if the partition was lost since.
    pub async fn handled(&mut self, polled: &Polled) -> bool {
        self.lock().await.consumer().handled(polled.partition, polled.entry.offset)
    }

    /// Commits everything that was handled, as [`Consumer::commit`]. Durable when this returns; dropped before, it
    /// has happened or not.
    ///
    /// # Errors
    /// [`CommitError`].
    pub async fn commit(&mut self) -> Result<(), CommitError> {
        let mut state = self.lock().await;
        Ok(blocking(move || state.consumer().commit()).await??)
    }

    /// Commits what was handled and leaves the group.
    ///
    /// # Errors
    /// [`CommitError`]; the consumer is gone all the same, as if it had crashed.
    pub async fn leave(self) -> Result<(), CommitError> {
        let mut state = self.lock().await;
        let left = blocking(move || state.consumer.take().map_or(Ok(()), Consumer::leave));
        Ok(left.await??)
    }

    /// Who it is.
    pub fn id(&self) -> MemberId {
        self.id
    }
}

impl Drop for TokioConsumer {
    /// Leaving takes a sync, so it is done on a blocking thread where there is one.
    fn drop(&mut self) {
        let state = Arc::clone(&self.state);
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn_blocking(move || state.blocking_lock().consumer.take());
        }
    }
}
