//! A consumer for one task.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::{StoppedError, blocking};
use crate::bus::{Consumer, Topic};
use crate::consumer_group::GroupError;
use crate::id::{MemberId, PartitionNumber};
use crate::member::{PollError, Polled};

/// How many events of each partition are polled at once.
const POLL_COUNT: usize = 64;

/// A member of a consumer group for one task.
///
/// At least once: [`next`](Self::next), process, [`handled`](Self::handled), [`commit`](Self::commit); where
/// processing fails, [`put_back`](Self::put_back). It takes part in rebalances when it commits and when it has handed
/// out what it had polled; what it loses by one it hands out no more. Dropped without [`leave`](Self::leave) it
/// counts as crashed, and its partitions go to the other members.
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
    // INVARIANT: still the consumer's to process; no task can look while a poll or a commit is under way.
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

    /// The model's guard `revoke-drop`: what was lost or put back is somebody else's to hand out, or a later poll's.
    fn drop_lost(&mut self) {
        let consumer = self.consumer.as_ref();
        let is_in_hand = |polled: &Polled| {
            consumer.is_some_and(|consumer| consumer.is_in_hand(polled.partition, polled.entry.offset))
        };
        self.polled.retain(is_in_hand);
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
                let polled = state.consumer().poll(POLL_COUNT);
                state.drop_lost();
                state.polled.extend(polled?);
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

    /// The first event of `partition` that is not handled could not be processed: it is handed out again, and after
    /// it those behind it.
    pub async fn put_back(&mut self, partition: PartitionNumber) {
        let mut state = self.lock().await;
        state.consumer().put_back(partition);
        state.drop_lost();
    }

    /// Commits everything that was handled, as [`Consumer::commit`]. Durable when this returns; dropped before, it
    /// has happened or not.
    ///
    /// # Errors
    /// [`CommitError`].
    pub async fn commit(&mut self) -> Result<(), CommitError> {
        let mut state = self.lock().await;
        let committed = blocking(move || {
            let committed = state.consumer().commit();
            state.drop_lost();
            committed
        });
        Ok(committed.await??)
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
