//! A causal session for one task.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::{CommitError, StoppedError, TokioBus, TokioOpenError, blocking, opening};
use crate::bus::{
    CausalConfig, CausalPublishError, CausalSession, News, NextEventError, OpenCausalError, Published,
};
use crate::causal_inbox::{CausalDelivery, Stuck};
use crate::causality::Span;
use crate::message::Message;

/// A [`CausalSession`] for one task: what it delivers comes after its causes, and what it sends carries its past.
///
/// A dropped `publish` has happened or not; then, and only then, it is in the past of the session. A dropped `next`
/// may have delivered an event that nobody got: it is handed out by the following one. Dropped without
/// [`leave`](Self::leave) the session counts as crashed.
#[derive(Debug)]
pub struct TokioCausalSession {
    news: Arc<News>,
    /// Behind a lock, because the work of a dropped future still goes on.
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    /// `None` once it has left.
    session: Option<CausalSession>,
    /// What was delivered and not handed out.
    delivered: Option<CausalDelivery>,
}

/// Why a session delivers no event.
#[derive(Debug, thiserror::Error)]
pub enum TokioNextEventError {
    /// The session delivers none.
    #[error(transparent)]
    Next(#[from] NextEventError),
    /// The bus or its runtime was shut down first.
    #[error(transparent)]
    Stopped(#[from] StoppedError),
}

/// Why an event of a session is not acknowledged.
#[derive(Debug, thiserror::Error)]
pub enum TokioCausalPublishError {
    /// The session did not acknowledge it.
    #[error(transparent)]
    Publish(#[from] CausalPublishError),
    /// The bus or its runtime was shut down first: the outcome is unknown.
    #[error(transparent)]
    Stopped(#[from] StoppedError),
}

impl State {
    fn session(&mut self) -> &mut CausalSession {
        self.session.as_mut().expect("only `leave` and `drop` take the session, and nothing comes after them")
    }
}

fn borrowed(topics: &[String]) -> Vec<&str> {
    topics.iter().map(String::as_str).collect()
}

impl TokioBus {
    /// Opens a session of `service`, as [`Bus::causal_session`](crate::bus::Bus::causal_session).
    ///
    /// # Errors
    /// [`OpenCausalError`].
    pub async fn causal_session(
        &self,
        service: impl Into<String>,
        hears: &[&str],
        says: &[&str],
        config: CausalConfig,
    ) -> Result<TokioCausalSession, TokioOpenError<OpenCausalError>> {
        let owned = |topics: &[&str]| topics.iter().map(|topic| (*topic).to_owned()).collect::<Vec<_>>();
        let (bus, service, hears, says) = (Arc::clone(self.bus()), service.into(), owned(hears), owned(says));
        let session =
            opening(move || bus.causal_session(&service, &borrowed(&hears), &borrowed(&says), config));
        Ok(TokioCausalSession::new(session.await?))
    }
}

impl TokioCausalSession {
    fn new(session: CausalSession) -> Self {
        let news = Arc::clone(session.news());
        let state = State { session: Some(session), delivered: None };
        TokioCausalSession { news, state: Arc::new(Mutex::new(state)) }
    }

    async fn lock(&self) -> OwnedMutexGuard<State> {
        Arc::clone(&self.state).lock_owned().await
    }

    /// Sends an event that depends on all that the session has delivered and sent, and returns where it stands once
    /// it is durable.
    ///
    /// # Errors
    /// [`TokioCausalPublishError`].
    pub async fn publish(
        &mut self,
        topic: &str,
        message: Message,
    ) -> Result<Published, TokioCausalPublishError> {
        let (mut state, topic) = (self.lock().await, topic.to_owned());
        Ok(blocking(move || state.session().publish(&topic, message)).await??)
    }

    /// The next event; waits until there is one that can be delivered. Dropping the future loses nothing.
    ///
    /// # Errors
    /// [`TokioNextEventError`].
    pub async fn next(&mut self) -> Result<CausalDelivery, TokioNextEventError> {
        loop {
            let known = self.news.count();
            let mut state = self.lock().await;
            if let Some(event) = state.delivered.take() {
                return Ok(event);
            }
            let has_come = blocking(move || {
                state.delivered = state.session().poll()?;
                Ok::<_, NextEventError>(state.delivered.is_some())
            });
            if !has_come.await?? {
                self.news.more_than(known).await;
            }
        }
    }

    /// The event is processed.
    pub async fn handled(&mut self, event: &CausalDelivery) {
        self.lock().await.session().handled(event);
    }

    /// Commits everything that was handled. Durable when this returns; dropped before, it has happened or not.
    ///
    /// # Errors
    /// [`CommitError`].
    pub async fn commit(&mut self) -> Result<(), CommitError> {
        let mut state = self.lock().await;
        Ok(blocking(move || state.session().commit()).await??)
    }

    /// The events that have waited for causes for at least `timeout`, and which causes.
    pub async fn stuck(&self, timeout: Duration) -> Vec<Stuck> {
        self.lock().await.session().stuck(timeout)
    }

    /// Nobody waits for these causes any more, in this session. It is recorded.
    pub async fn give_up(&mut self, causes: &Span) {
        self.lock().await.session().give_up(causes);
        self.news.ring();
    }

    /// Commits what was handled and leaves. Returns what had come and was not handed out.
    ///
    /// # Errors
    /// [`CommitError`]; the session is gone all the same, as if it had crashed.
    pub async fn leave(self) -> Result<Vec<CausalDelivery>, CommitError> {
        let mut state = self.lock().await;
        let left = blocking(move || {
            let delivered = state.delivered.take();
            let held = state.session.take().map_or(Ok(Vec::new()), CausalSession::leave)?;
            Ok::<_, CommitError>(delivered.into_iter().chain(held).collect())
        });
        left.await?
    }
}

impl Drop for TokioCausalSession {
    /// Leaving takes a sync, so it is done on a blocking thread where there is one.
    fn drop(&mut self) {
        let state = Arc::clone(&self.state);
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn_blocking(move || state.blocking_lock().session.take());
        }
    }
}
