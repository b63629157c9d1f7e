//! The coordinator's decisions, without IO, clocks or threads.

use std::collections::BTreeSet;

use lawspeaker_history::{Generation, Offset};

use crate::id::{MemberId, PartitionNumber};
use crate::mutant::{Mutant, is_seeded};

use super::record::GroupRecord;

/// The state of a group: its generation, its members, and for each partition its owner and committed offset.
///
/// All of it is the fold of the records that the shell writes, so that a crash of the coordinator is invisible to
/// its members. It refines `lawspeaker_spec::consumer_group` (obligation O1).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ConsumerGroupCore {
    generation: Generation,
    members: BTreeSet<MemberId>,
    partitions: Vec<PartitionState>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct PartitionState {
    // INVARIANT: a member, if any.
    owner: Option<MemberId>,
    committed: Offset,
}

/// Where a member stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Assignment {
    /// The current generation: what the member must say when it commits or releases.
    pub generation: Generation,
    /// What it owns now, in order.
    pub owned: Vec<Owned>,
}

/// A partition that a member owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Owned {
    /// Which.
    pub partition: PartitionNumber,
    /// The committed offset: where to start.
    pub committed: Offset,
    /// Whether the member must release it, because another one is to have it.
    pub is_to_release: bool,
}

/// Why a call of a member is refused. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// The caller never joined, has left, or was expired.
    #[error("not a member of the group; join it again and start from the committed offsets")]
    UnknownMember,
    /// The caller has not heard of the current generation.
    #[error("generation `{current}` has begun; sync before anything else")]
    StaleGeneration {
        /// The current generation.
        current: Generation,
    },
    /// The caller does not own the partition.
    #[error("the partition belongs to somebody else")]
    NotOwner,
    /// The commit lies below what is committed.
    #[error("offset `{committed}` is committed already; a committed offset never falls")]
    Regression {
        /// What is committed.
        committed: Offset,
    },
}

/// A record that cannot stand where it stands: the journal is not one that this group has written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the record contradicts those before it: {0:?}")]
pub struct Unlawful(pub GroupRecord);

impl ConsumerGroupCore {
    /// A group without members over `partition_count` partitions, in generation 0.
    pub fn new(partition_count: usize) -> Self {
        let fresh = PartitionState { owner: None, committed: Offset::of(0) };
        ConsumerGroupCore {
            generation: Generation(0),
            members: BTreeSet::new(),
            partitions: vec![fresh; partition_count],
        }
    }

    /// The group that wrote these records. O(n) calls.
    ///
    /// # Errors
    /// The first record that contradicts those before it.
    pub fn recover(
        partition_count: usize,
        records: impl IntoIterator<Item = GroupRecord>,
    ) -> Result<Self, Unlawful> {
        let mut core = ConsumerGroupCore::new(partition_count);
        for record in records {
            core.replay(record)?;
        }
        Ok(core)
    }

    /// Takes up a record: the call that wrote it is granted again.
    ///
    /// # Errors
    /// [`Unlawful`] if that call would be refused; then nothing has changed.
    pub fn replay(&mut self, record: GroupRecord) -> Result<(), Unlawful> {
        let granted = match record {
            GroupRecord::Joined { member } => {
                self.join(member);
                Ok(())
            }
            GroupRecord::Left { member } => self.leave(member).map(drop),
            GroupRecord::Released { member, generation, partition } => {
                self.release(member, generation, partition)
            }
            GroupRecord::Committed { member, generation, partition, next } => {
                self.commit(member, generation, partition, next)
            }
        };
        granted.map_err(|_| Unlawful(record))
    }

    /// A member joins; joining again changes nothing. Returns the generation.
    pub fn join(&mut self, member: MemberId) -> Generation {
        if self.members.insert(member) {
            self.rebalance();
        }
        self.generation
    }

    /// A member leaves, or is expired: what it owned is free at once. Returns the generation.
    ///
    /// # Errors
    /// [`Refusal::UnknownMember`].
    pub fn leave(&mut self, member: MemberId) -> Result<Generation, Refusal> {
        if !self.members.remove(&member) {
            return Err(Refusal::UnknownMember);
        }
        for partition in self.partitions.iter_mut().filter(|partition| partition.owner == Some(member)) {
            partition.owner = None;
        }
        self.rebalance();
        Ok(self.generation)
    }

    fn rebalance(&mut self) {
        self.generation.0 += 1;
        if is_seeded(Mutant::AssignBeforeRelease) {
            self.partitions.iter_mut().for_each(|partition| partition.owner = None);
        }
        self.hand_out();
    }

    /// The revoke barrier: only a partition that nobody owns goes to the member it is meant for.
    fn hand_out(&mut self) {
        let targets = self.members.iter().copied().cycle();
        for (partition, target) in self.partitions.iter_mut().zip(targets) {
            partition.owner.get_or_insert(target);
        }
    }

    /// Whom `partition` is meant for: members in order, round robin.
    fn target(&self, partition: PartitionNumber) -> Option<MemberId> {
        let turn = partition.place().checked_rem(self.members.len())?;
        self.members.iter().nth(turn).copied()
    }

    /// Where a member stands.
    ///
    /// # Errors
    /// [`Refusal::UnknownMember`].
    pub fn sync(&self, member: MemberId) -> Result<Assignment, Refusal> {
        if !self.members.contains(&member) {
            return Err(Refusal::UnknownMember);
        }
        let owned = self.numbered().filter(|(_, state)| state.owner == Some(member));
        let owned = owned.map(|(partition, state)| Owned {
            partition,
            committed: state.committed,
            is_to_release: self.target(partition) != Some(member),
        });
        Ok(Assignment { generation: self.generation, owned: owned.collect() })
    }

    fn numbered(&self) -> impl Iterator<Item = (PartitionNumber, &PartitionState)> {
        (0..).map(PartitionNumber).zip(&self.partitions)
    }

    /// A member gives a partition up; it goes to whom it is meant for.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn release(
        &mut self,
        member: MemberId,
        generation: Generation,
        partition: PartitionNumber,
    ) -> Result<(), Refusal> {
        self.check_owner(member, generation, partition)?;
        self.partitions[partition.place()].owner = None;
        self.hand_out();
        Ok(())
    }

    /// A member commits: everything of `partition` below `next` is processed.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn commit(
        &mut self,
        member: MemberId,
        generation: Generation,
        partition: PartitionNumber,
        next: Offset,
    ) -> Result<(), Refusal> {
        self.check_commit(member, generation, partition, next)?;
        self.set_committed(partition, next);
        Ok(())
    }

    /// Whether [`commit`](Self::commit) would be refused.
    pub(super) fn check_commit(
        &self,
        member: MemberId,
        generation: Generation,
        partition: PartitionNumber,
        next: Offset,
    ) -> Result<(), Refusal> {
        let is_fenced = !is_seeded(Mutant::CommitWithoutFence);
        self.check_owner(member, if is_fenced { generation } else { self.generation }, partition)?;
        let committed = self.partitions[partition.place()].committed;
        if next < committed && !is_seeded(Mutant::CommitRegressionAccepted) {
            return Err(Refusal::Regression { committed });
        }
        Ok(())
    }

    /// Commits what was checked.
    pub(super) fn set_committed(&mut self, partition: PartitionNumber, next: Offset) {
        self.partitions[partition.place()].committed = next;
    }

    /// The fence: a member of the current generation that owns the partition.
    pub(super) fn check_owner(
        &self,
        member: MemberId,
        generation: Generation,
        partition: PartitionNumber,
    ) -> Result<(), Refusal> {
        if !self.members.contains(&member) {
            return Err(Refusal::UnknownMember);
        }
        if generation != self.generation {
            return Err(Refusal::StaleGeneration { current: self.generation });
        }
        match self.partitions.get(partition.place()) {
            Some(state) if state.owner == Some(member) => Ok(()),
            _ => Err(Refusal::NotOwner),
        }
    }

    /// The next offset of `partition` that is not processed; 0 if nothing was committed.
    pub fn committed(&self, partition: PartitionNumber) -> Offset {
        self.partitions.get(partition.place()).map_or(Offset::of(0), |state| state.committed)
    }

    /// The owner of every partition, in order.
    pub fn owners(&self) -> impl Iterator<Item = Option<MemberId>> {
        self.partitions.iter().map(|state| state.owner)
    }

    /// The members, in order.
    pub fn members(&self) -> impl Iterator<Item = MemberId> {
        self.members.iter().copied()
    }

    /// The current generation.
    pub fn generation(&self) -> Generation {
        self.generation
    }
}
