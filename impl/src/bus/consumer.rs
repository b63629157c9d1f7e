//! A member of a group that reads a topic.

use std::sync::Arc;

use lawspeaker_history::{Call, Generation, Offset, Op, OpType, Recorder};

use super::topic::Topic;
use crate::consumer_group::{ConsumerGroup, GroupError, Refusal};
use crate::id::{MemberId, PartitionNumber};
use crate::member::{Member, PollError, Polled};

/// A member of a consumer group that reads a topic. One thread at a time.
///
/// At least once: poll, process, [`handled`](Self::handled), [`commit`](Self::commit); where processing fails,
/// [`put_back`](Self::put_back), and leave the rest of that partition for the next poll. A consumer that is dropped
/// without [`leave`](Self::leave), be it by a panic, counts as crashed: its partitions go to the other members at
/// once, which start at the committed offsets. That takes a sync of the disk.
#[derive(Debug)]
pub struct Consumer {
    /// `None` once it has left.
    member: Option<Member>,
    id: MemberId,
    group: Arc<ConsumerGroup>,
    pub(crate) topic: Arc<Topic>,
    recorder: Arc<dyn Recorder>,
}

impl Consumer {
    pub(super) fn new(
        member: Member,
        group: Arc<ConsumerGroup>,
        topic: Arc<Topic>,
        recorder: Arc<dyn Recorder>,
    ) -> Self {
        Consumer { id: member.id(), member: Some(member), group, topic, recorder }
    }

    fn member(&mut self) -> &mut Member {
        self.member.as_mut().expect("only `leave` and `drop` take the member, and nothing comes after them")
    }

    /// At most `max_count` events of each partition that the consumer owns; may be none. It takes part in rebalances
    /// here and nowhere else, so a consumer that never polls holds its partitions for ever.
    ///
    /// # Errors
    /// [`PollError`].
    pub fn poll(&mut self, max_count: usize) -> Result<Vec<Polled>, PollError> {
        self.poll_of(max_count, |_| true)
    }

    /// The same of those partitions for which `is_wanted`; in the others the position stays.
    pub(super) fn poll_of(
        &mut self,
        max_count: usize,
        is_wanted: impl Fn(PartitionNumber) -> bool,
    ) -> Result<Vec<Polled>, PollError> {
        loop {
            match self.member().poll_of(max_count, &is_wanted) {
                Err(PollError::Group(error)) if is_rebalance(&error) => {}
                outcome => return outcome,
            }
        }
    }

    /// As [`poll`](Self::poll), but blocks until there is an event.
    ///
    /// # Errors
    /// [`PollError`]; [`GroupError::Closed`] once the bus is closed.
    pub fn poll_blocking(&mut self, max_count: usize) -> Result<Vec<Polled>, PollError> {
        let news = Arc::clone(&self.topic.news);
        loop {
            let known = news.count();
            let polled = self.poll(max_count)?;
            if !polled.is_empty() {
                return Ok(polled);
            }
            news.wait(known);
        }
    }

    /// The event at `offset` is processed. Returns whether that counts: not if an earlier polled event of the
    /// partition is not handled yet, and not if the partition was lost or put back since.
    pub fn handled(&mut self, partition: PartitionNumber, offset: Offset) -> bool {
        self.member().handled(partition, offset)
    }

    /// The first event of `partition` that is not handled could not be processed: the next poll hands it out again,
    /// and those behind it. What is in hand of the partition must not be processed before that.
    pub fn put_back(&mut self, partition: PartitionNumber) {
        self.member().put_back(partition);
    }

    /// Whether the event at `offset` is still the consumer's to process.
    pub(crate) fn is_in_hand(&self, partition: PartitionNumber, offset: Offset) -> bool {
        self.member.as_ref().is_some_and(|member| member.is_in_hand(partition, offset))
    }

    /// Commits everything that was handled. Durable when this returns.
    ///
    /// If the group has rebalanced meanwhile, that is taken up first: what the consumer has lost by it is not
    /// committed, and whoever owns it now gets it again.
    ///
    /// # Errors
    /// [`GroupError`].
    pub fn commit(&mut self) -> Result<(), GroupError> {
        loop {
            match self.member().commit() {
                Err(error) if is_rebalance(&error) => match self.member().take_up() {
                    Err(error) if !is_rebalance(&error) => return Err(error),
                    _ => {}
                },
                outcome => return outcome,
            }
        }
    }

    /// Commits what was handled and leaves the group.
    ///
    /// # Errors
    /// [`GroupError`]; the consumer is gone all the same, as if it had crashed.
    pub fn leave(mut self) -> Result<(), GroupError> {
        self.commit()?;
        self.group.leave(self.id)?;
        self.member = None;
        Ok(())
    }

    /// What it owns, as it has heard, and the first event of each that it has not handled.
    pub(crate) fn positions(&self) -> Vec<(PartitionNumber, Offset)> {
        self.member.as_ref().map_or(Vec::new(), |member| member.positions().collect())
    }

    /// Who it is, in this and every later life of the bus.
    pub fn id(&self) -> MemberId {
        self.id
    }

    /// The generation that it has heard of.
    pub fn generation(&self) -> Generation {
        self.member.as_ref().map_or(Generation(0), Member::generation)
    }
}

/// Whether a call was refused only because the group has rebalanced since the member last asked.
fn is_rebalance(error: &GroupError) -> bool {
    matches!(error, GroupError::Refused(Refusal::StaleGeneration { .. } | Refusal::UnknownMember))
}

impl Drop for Consumer {
    fn drop(&mut self) {
        if self.member.take().is_some() {
            let op = Op::new(self.id.process(), OpType::Info, Call::Crash);
            self.recorder.record(op.group(self.group.id().clone()));
            // Whatever the group answers: if it is closed or has failed, opening the bus again expires the member.
            drop(self.group.expire(self.id));
        }
    }
}
