//! The coordinator that threads share: the core behind a lock, and its journal.

use std::collections::BTreeMap;
use std::io;

use lawspeaker_history::{Call, Generation, GroupId, Offset, Op, OpType, Partition, Position, Recorder};

use crate::codec::DecodeError;
use crate::group_commit::{GroupCommit, Guard, JournalFailure, Settle, WriteError};
use crate::id::{MemberId, PartitionNumber};
use crate::journal::Journal;
use crate::mutant::{Mutant, is_seeded};
use crate::sync::Arc;

use super::core::{Assignment, ConsumerGroupCore, Refusal, Unlawful};
use super::record::GroupRecord;

/// A group's coordinator, shared by reference between threads.
///
/// No answer leaves before everything that it tells is durable: neither a generation nor a committed offset that
/// somebody has seen is ever taken back by a crash. Members survive a crash of the coordinator; whoever knows that
/// some of them did not must [`expire`](Self::expire) them.
///
/// The linearization point of a call lies inside the critical section, where it is recorded: `assign` when a member
/// learns what it owns, `revoke` when it lets go, `commit` invoked when it is granted and `ok` when it is durable.
#[derive(Debug)]
pub struct ConsumerGroup {
    group: GroupId,
    partitions: Vec<Partition>,
    commit: GroupCommit<Coordinator>,
}

#[derive(Debug)]
struct Coordinator {
    core: ConsumerGroupCore,
    /// What the history says that each member knows.
    told: BTreeMap<MemberId, (Generation, Vec<PartitionNumber>)>,
    is_closed: bool,
}

impl Settle for Coordinator {
    type Mark = ();

    fn mark(&self) {}

    fn settle(&mut self, (): ()) {}
}

/// Why a call of the group fails.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GroupError {
    /// The group refused, and nothing has changed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The group was closed, and changes no more.
    #[error("the group is closed")]
    Closed,
    /// The journal refused the record, and nothing has changed; or it failed: after recovery the call may have
    /// happened or not.
    #[error(transparent)]
    Journal(#[from] WriteError),
}

impl From<JournalFailure> for GroupError {
    fn from(failure: JournalFailure) -> Self {
        GroupError::Journal(failure.into())
    }
}

/// Why a group could not be recovered.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// The journal could not be read or synced.
    #[error("the journal could not be read: {0}")]
    Journal(#[from] io::Error),
    /// A record is none.
    #[error("record `{index}` of the journal is damaged: {source}")]
    Damaged {
        /// Its index in the journal, from 0.
        index: u64,
        /// What is wrong with it.
        source: DecodeError,
    },
    /// A record contradicts those before it.
    #[error("the journal was not written by this group: {0}")]
    Unlawful(#[from] Unlawful),
}

impl ConsumerGroup {
    /// The group that `journal` holds, over these partitions; an empty journal is a group without members. O(n).
    ///
    /// The journal is synced first: what is read back may so far stand in a cache only.
    ///
    /// # Errors
    /// [`RecoverError`].
    pub fn recover(
        group: GroupId,
        partitions: Vec<Partition>,
        journal: Arc<dyn Journal>,
        recorder: Arc<dyn Recorder>,
    ) -> Result<Self, RecoverError> {
        journal.sync()?;
        let mut records = Vec::new();
        for index in 0..journal.record_count() {
            let record = GroupRecord::decode(&journal.read(index)?);
            records.push(record.map_err(|source| RecoverError::Damaged { index, source })?);
        }
        let core = ConsumerGroupCore::recover(partitions.len(), records)?;
        let coordinator = Coordinator { core, told: BTreeMap::new(), is_closed: false };
        Ok(ConsumerGroup { group, partitions, commit: GroupCommit::new(coordinator, journal, recorder) })
    }

    /// The group's name in histories.
    pub fn id(&self) -> &GroupId {
        &self.group
    }

    /// The name of a partition in histories.
    ///
    /// # Panics
    /// If the group has no such partition.
    pub fn partition(&self, number: PartitionNumber) -> &Partition {
        &self.partitions[number.place()]
    }

    /// A member joins; joining again changes nothing. Returns the generation.
    ///
    /// # Errors
    /// [`GroupError::Closed`], [`GroupError::Journal`].
    pub fn join(&self, member: MemberId) -> Result<Generation, GroupError> {
        let mut guard = self.open()?;
        if guard.state.core.members().all(|other| other != member) {
            self.write(&mut guard, GroupRecord::Joined { member })?;
        }
        let generation = guard.state.core.join(member);
        self.commit.notify(&guard);
        self.answer(guard, generation)
    }

    /// A member leaves: what it owned is free at once. Returns the generation.
    ///
    /// # Errors
    /// [`GroupError`].
    pub fn leave(&self, member: MemberId) -> Result<Generation, GroupError> {
        let mut guard = self.open()?;
        guard.state.core.sync(member)?;
        self.write(&mut guard, GroupRecord::Left { member })?;
        let generation = guard.state.core.leave(member)?;
        let (_, lost) = guard.state.told.remove(&member).unwrap_or((generation, Vec::new()));
        self.record_revoke(&mut guard, member, &lost);
        self.commit.notify(&guard);
        self.answer(guard, generation)
    }

    /// A member is no more, says whoever watches over it: as if it had left.
    ///
    /// # Errors
    /// [`GroupError`].
    pub fn expire(&self, member: MemberId) -> Result<Generation, GroupError> {
        self.leave(member)
    }

    /// Where a member stands.
    ///
    /// # Errors
    /// [`GroupError`].
    pub fn sync(&self, member: MemberId) -> Result<Assignment, GroupError> {
        let mut guard = self.open()?;
        let assignment = guard.state.core.sync(member)?;
        self.tell(&mut guard, member, &assignment);
        self.answer(guard, assignment)
    }

    /// Blocks until where a member stands is no longer `known`.
    ///
    /// # Errors
    /// [`GroupError`]; [`Refusal::UnknownMember`] is news too.
    pub fn wait_for_change(&self, member: MemberId, known: &Assignment) -> Result<Assignment, GroupError> {
        let mut guard = self.open()?;
        loop {
            let assignment = guard.state.core.sync(member)?;
            if assignment != *known {
                self.tell(&mut guard, member, &assignment);
                return self.answer(guard, assignment);
            }
            guard = self.wait(guard)?;
        }
    }

    /// Blocks until the generation is `at_least` this one, and returns it.
    ///
    /// # Errors
    /// [`GroupError::Closed`], [`GroupError::Journal`].
    pub fn wait_for_generation(&self, at_least: Generation) -> Result<Generation, GroupError> {
        let mut guard = self.open()?;
        while guard.state.core.generation() < at_least {
            guard = self.wait(guard)?;
        }
        let generation = guard.state.core.generation();
        self.answer(guard, generation)
    }

    /// A member gives a partition up; it goes to whom it is meant for.
    ///
    /// # Errors
    /// [`GroupError`].
    pub fn release(
        &self,
        member: MemberId,
        generation: Generation,
        partition: PartitionNumber,
    ) -> Result<(), GroupError> {
        let mut guard = self.open()?;
        guard.state.core.check_owner(member, generation, partition)?;
        self.write(&mut guard, GroupRecord::Released { member, generation, partition })?;
        guard.state.core.release(member, generation, partition)?;
        if let Some((_, owned)) = guard.state.told.get_mut(&member) {
            owned.retain(|other| *other != partition);
        }
        self.record_revoke(&mut guard, member, &[partition]);
        self.commit.notify(&guard);
        self.answer(guard, ())
    }

    /// A member commits: everything of `partition` below `next` is processed. Durable when this returns.
    ///
    /// # Errors
    /// [`GroupError`].
    pub fn commit(
        &self,
        member: MemberId,
        generation: Generation,
        partition: PartitionNumber,
        next: Offset,
    ) -> Result<(), GroupError> {
        let mut guard = self.open()?;
        guard.state.core.check_commit(member, generation, partition, next)?;
        if is_seeded(Mutant::CommitCheckThenAct) {
            drop(guard);
            guard = self.open()?;
        }
        let position = Position { partition: self.partition(partition).clone(), next: Some(next) };
        let op = self.op(member, OpType::Ok, Call::Commit(vec![position])).generation(generation);
        let invocation = Op { op_type: OpType::Invoke, ..op.clone() };
        let record = GroupRecord::Committed { member, generation, partition, next }.encode();
        self.commit.write_recorded(&mut guard, &record, &invocation)?;
        guard.state.core.set_committed(partition, next);
        self.commit.record_completion(&mut guard, op);
        self.answer(guard, ())
    }

    /// The next offset of `partition` that is not processed; 0 if nothing was committed.
    ///
    /// # Errors
    /// [`GroupError::Closed`], [`GroupError::Journal`].
    pub fn committed(&self, partition: PartitionNumber) -> Result<Offset, GroupError> {
        let guard = self.open()?;
        let committed = guard.state.core.committed(partition);
        self.answer(guard, committed)
    }

    /// The members, in order.
    pub fn members(&self) -> Vec<MemberId> {
        self.commit.lock().state.core.members().collect()
    }

    /// Answers nothing more and wakes everybody who waits. What was committed stays committed.
    pub fn close(&self) {
        let mut guard = self.commit.lock();
        guard.state.is_closed = true;
        if !is_seeded(Mutant::CloseForgetsWaiters) {
            self.commit.notify(&guard);
        }
    }

    /// Calls `listener` whenever the group may have changed, was closed or has failed.
    ///
    /// It is called inside the critical section: it must be quick and must not call the group.
    pub fn on_news(&self, listener: impl Fn() + Send + Sync + 'static) {
        self.commit.lock().listen(Box::new(listener));
    }

    fn open(&self) -> Result<Guard<'_, Coordinator>, GroupError> {
        check(self.commit.lock())
    }

    fn wait<'a>(&self, guard: Guard<'a, Coordinator>) -> Result<Guard<'a, Coordinator>, GroupError>
    where
        Self: 'a,
    {
        check(self.commit.wait(guard))
    }

    fn write(&self, guard: &mut Guard<'_, Coordinator>, record: GroupRecord) -> Result<(), GroupError> {
        self.commit.write(guard, &record.encode())?;
        Ok(())
    }

    /// Gives an answer once everything that it can tell is durable.
    fn answer<T>(&self, guard: Guard<'_, Coordinator>, answer: T) -> Result<T, GroupError> {
        let written_count = guard.written_count();
        let is_told = |durable_count| durable_count >= written_count || is_seeded(Mutant::CommitBeforeSync);
        drop(self.commit.wait_durable(guard, |shared| is_told(shared.durable_count()))?);
        Ok(answer)
    }

    /// Records what a member learns, if it is new to it.
    fn tell(&self, guard: &mut Guard<'_, Coordinator>, member: MemberId, assignment: &Assignment) {
        let owned: Vec<_> = assignment.owned.iter().map(|owned| owned.partition).collect();
        let knows = (assignment.generation, owned.clone());
        if guard.state.told.insert(member, knows.clone()) == Some(knows) {
            return;
        }
        let op = self.op(member, OpType::Ok, Call::Assign(self.names(&owned)));
        self.commit.record_completion(guard, op.generation(assignment.generation));
    }

    fn record_revoke(
        &self,
        guard: &mut Guard<'_, Coordinator>,
        member: MemberId,
        partitions: &[PartitionNumber],
    ) {
        let generation = guard.state.core.generation();
        let op = self.op(member, OpType::Ok, Call::Revoke(self.names(partitions)));
        self.commit.record_completion(guard, op.generation(generation));
    }

    fn names(&self, partitions: &[PartitionNumber]) -> Vec<Partition> {
        partitions.iter().map(|number| self.partition(*number).clone()).collect()
    }

    fn op(&self, member: MemberId, op_type: OpType, call: Call) -> Op {
        Op::new(member.process(), op_type, call).group(self.group.clone())
    }
}

fn check(guard: Guard<'_, Coordinator>) -> Result<Guard<'_, Coordinator>, GroupError> {
    guard.check()?;
    if guard.state.is_closed { Err(GroupError::Closed) } else { Ok(guard) }
}
