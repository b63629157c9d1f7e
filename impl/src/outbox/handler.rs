//! What a service does with the events of a topic.

use std::fmt;

use super::decision::Decision;
use super::state::State;
use crate::message::Message;

/// Decides what an event does to a service: a function of its state and the event, and of nothing else.
///
/// It may be called again with the same event, after a failure or a crash; what it decided the last time has then not
/// happened. So it does no IO of its own: what others are to do it says in an event. A closure is a handler.
pub trait Handler<S: State>: Send + Sync + 'static {
    /// What to do.
    ///
    /// # Errors
    /// [`Failure`]: it cannot be said now. The event is tried again, after a while, as often as the
    /// [`RetryPolicy`](super::RetryPolicy) says, and then goes to the dead letters. A panic counts as a failure.
    fn handle(&self, state: &S, event: &Message) -> Result<Decision<S::Change>, Failure>;
}

impl<S: State, F> Handler<S> for F
where
    F: Fn(&S, &Message) -> Result<Decision<S::Change>, Failure> + Send + Sync + 'static,
{
    fn handle(&self, state: &S, event: &Message) -> Result<Decision<S::Change>, Failure> {
        self(state, event)
    }
}

/// Why an event could not be handled, in words. Every error becomes one with `?`.
#[derive(Clone, PartialEq, Eq)]
pub struct Failure(String);

impl Failure {
    /// A failure in these words.
    pub fn new(words: impl Into<String>) -> Self {
        Failure(words.into())
    }
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Failure(error.to_string())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}
