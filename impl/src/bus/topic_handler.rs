//! A service's handler of a topic: a member of a group that polls, decides, and commits after the effect.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use lawspeaker_history::{GroupId, Offset, Partition};

use super::consumer::Consumer;
use super::error::PublishError;
use super::service::Service;
use super::{News, check_length};
use crate::consumer_group::GroupError;
use crate::id::PartitionNumber;
use crate::member::{PollError, Polled};
use crate::message::Message;
use crate::mutant::{Mutant, is_seeded};
use crate::outbox::{
    Arrival, CommitError, DeadLetter, Decision, Failure, Handled, Handler, State, StoreError, Verdict,
};

/// How many events of each partition are polled at once.
const POLL_COUNT: usize = 64;

/// Handles the events of a topic for a service, as a member of the group that is called as the service. One thread at
/// a time.
///
/// Each event is one transaction, and its offset is committed after that: at least once, and through the inbox once.
/// An event that fails holds its partition, and no other, until its time has come again; when it was tried often
/// enough it goes to the dead letters, and the partition goes on.
pub struct TopicHandler<S: State> {
    service: Service<S>,
    topic: String,
    consumer: Consumer,
    handler: Box<dyn Handler<S>>,
    failing: BTreeMap<PartitionNumber, Failing>,
}

/// An event that could not be handled so far.
#[derive(Clone, Copy, Debug)]
struct Failing {
    offset: Offset,
    attempt_count: u32,
    retry_at_ms: u64,
}

/// What a step did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// How many events are done with: handled, refused, known already, or dead letters.
    pub done_count: usize,
    /// How many of them went to the dead letters.
    pub dead_letter_count: usize,
    /// When, in milliseconds, the first of those that failed is to be tried again.
    pub retry_at_ms: Option<u64>,
}

/// Why a step fails. What was done is not lost: open another handler.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// The poll failed; [`GroupError::Closed`] once the bus is closed.
    #[error(transparent)]
    Poll(#[from] PollError),
    /// The commit failed.
    #[error(transparent)]
    Group(#[from] GroupError),
    /// The store said no.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An event that cannot be handled is too long, together with what is known of it, for a dead letter.
    #[error("no dead letter can be made of an event: {0}")]
    DeadLetter(PublishError),
}

/// What became of an attempt.
enum Attempt {
    Done,
    DeadLetter,
    Failed,
}

impl<S: State> fmt::Debug for TopicHandler<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TopicHandler")
            .field("topic", &self.topic)
            .field("consumer", &self.consumer)
            .field("failing", &self.failing)
            .finish_non_exhaustive()
    }
}

impl<S: State> TopicHandler<S> {
    pub(super) fn new(
        service: Service<S>,
        topic: &str,
        consumer: Consumer,
        handler: Box<dyn Handler<S>>,
    ) -> Self {
        TopicHandler { service, topic: topic.to_owned(), consumer, handler, failing: BTreeMap::new() }
    }

    /// Handles what there is at `now_ms`, at most 64 events a partition, and commits; may be nothing. It takes part in
    /// rebalances here and nowhere else.
    ///
    /// # Errors
    /// [`StepError`].
    pub fn step(&mut self, now_ms: u64) -> Result<Step, StepError> {
        let failing = &self.failing;
        let is_due = |partition| failing.get(&partition).is_none_or(|failing| failing.retry_at_ms <= now_ms);
        let polled = self.consumer.poll_of(POLL_COUNT, is_due)?;
        let mut step = Step::default();
        for of_partition in polled.chunk_by(|one, other| one.partition == other.partition) {
            self.handle_all(of_partition, now_ms, &mut step)?;
        }
        self.consumer.commit()?;
        step.retry_at_ms = self.failing.values().map(|failing| failing.retry_at_ms).min();
        Ok(step)
    }

    /// Handles events of one partition up to the first failure.
    fn handle_all(&mut self, polled: &[Polled], now_ms: u64, step: &mut Step) -> Result<(), StepError> {
        for polled in polled {
            if is_seeded(Mutant::AckBeforeEffect) {
                self.consumer.handled(polled.partition, polled.entry.offset);
                self.consumer.commit()?;
            }
            match self.attempt(polled, now_ms)? {
                Attempt::Failed => {
                    self.consumer.put_back(polled.partition);
                    return Ok(());
                }
                Attempt::DeadLetter => step.dead_letter_count += 1,
                Attempt::Done => {}
            }
            step.done_count += 1;
            self.failing.remove(&polled.partition);
            self.consumer.handled(polled.partition, polled.entry.offset);
        }
        Ok(())
    }

    fn attempt(&mut self, polled: &Polled, now_ms: u64) -> Result<Attempt, StepError> {
        let event = &polled.entry.message;
        let arrival = self.arrival(polled);
        let handled = self.service.store.handle(&arrival, event, now_ms, |state| self.decide(state, event));
        let failure = match handled {
            Ok(Handled::Applied | Handled::Refused(_) | Handled::Duplicate(_)) => return Ok(Attempt::Done),
            Err(CommitError::Store(error)) => return Err(error.into()),
            Err(CommitError::Undecided(failure)) => failure,
            Err(CommitError::Change(error)) => Failure::from(error),
        };
        let attempt_count = self.attempt_count(polled) + 1;
        match self.service.config.retry.after(attempt_count, now_ms) {
            Verdict::RetryAtMs(retry_at_ms) => {
                let failing = Failing { offset: polled.entry.offset, attempt_count, retry_at_ms };
                self.failing.insert(polled.partition, failing);
                Ok(Attempt::Failed)
            }
            Verdict::GiveUp => {
                let letter = DeadLetter {
                    partition: arrival.partition.clone(),
                    offset: polled.entry.offset,
                    attempt_count,
                    failure: failure.to_string(),
                    message: event.clone(),
                };
                self.give_up(&arrival, event, now_ms, letter)
            }
        }
    }

    /// How often the event has failed here.
    fn attempt_count(&self, polled: &Polled) -> u32 {
        let failing = self.failing.get(&polled.partition);
        failing
            .filter(|failing| failing.offset == polled.entry.offset)
            .map_or(0, |failing| failing.attempt_count)
    }

    /// What the handler decides, if the bus will take what it owes; a panic is a failure.
    fn decide(&self, state: &S, event: &Message) -> Result<Decision<S::Change>, Failure> {
        let decided = catch_unwind(AssertUnwindSafe(|| self.handler.handle(state, event)));
        let decision = decided.unwrap_or_else(|panic| Err(panic_words(&*panic)))?.caused_by(event);
        self.service.check_events(&decision)?;
        Ok(decision)
    }

    fn give_up(
        &self,
        arrival: &Arrival,
        event: &Message,
        now_ms: u64,
        letter: DeadLetter,
    ) -> Result<Attempt, StepError> {
        let letter = letter.into_message(self.service.store.service());
        check_length(&letter, self.service.bus.config.max_message_bytes).map_err(StepError::DeadLetter)?;
        let topic = self.service.dead_letter_topic();
        let store = &self.service.store;
        let given_up = match is_seeded(Mutant::PoisonDropped) {
            true => store.handle(arrival, event, now_ms, |_| Ok(Decision::nothing())),
            false => store.give_up(arrival, event, now_ms, (&topic, letter)),
        };
        match given_up {
            Ok(_) => Ok(Attempt::DeadLetter),
            Err(CommitError::Store(error)) => Err(error.into()),
            Err(CommitError::Undecided(never)) => match never {},
            Err(CommitError::Change(_)) => unreachable!("a dead letter changes no state"),
        }
    }

    fn arrival(&self, polled: &Polled) -> Arrival {
        Arrival {
            process: self.consumer.id().process(),
            group: GroupId::from(self.service.store.service()),
            partition: Partition::new(&self.topic, polled.partition.0),
            offset: polled.entry.offset,
        }
    }

    /// Commits what was done and leaves the group. Dropped without it, the handler counts as crashed.
    ///
    /// # Errors
    /// [`GroupError`].
    pub fn leave(self) -> Result<(), GroupError> {
        self.consumer.leave()
    }

    /// The news of its topic.
    pub(crate) fn news(&self) -> &Arc<News> {
        &self.consumer.topic.news
    }
}

fn panic_words(panic: &(dyn std::any::Any + Send)) -> Failure {
    let words = panic.downcast_ref::<&str>().copied();
    let words = words.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Failure::new(format!("the handler panicked: {}", words.unwrap_or("no words")))
}
