//! The ideal consumer group: members, generations, who owns which partition, and what was committed.
//!
//! Guarantees it defines: `single-owner` (a partition goes to its next owner only when the last one has released
//! it, left or expired: KIP-429), fencing (a call in an old generation changes nothing), `commit-monotonicity`
//! (a committed offset never falls).

use std::collections::BTreeMap;

/// Why a call of a member is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The caller is not in the group: it never joined, left or expired.
    UnknownMember,
    /// The caller has not heard of the current generation.
    StaleGeneration {
        /// The current generation.
        current: u64,
    },
    /// The caller does not own the partition.
    NotOwner,
    /// The commit lies below what is committed.
    Regression {
        /// What is committed.
        committed: u64,
    },
}

/// What a member learns when it asks where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Assignment {
    /// The current generation.
    pub generation: u64,
    /// The partitions the member owns now, with the offsets to start from, in order.
    pub owned: Vec<(u64, u64)>,
    /// Those of them that it must release, because another member is to have them, in order.
    pub to_release: Vec<u64>,
}

/// The ideal group over a fixed number of partitions.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ConsumerGroup {
    generation: u64,
    members: Vec<u64>,
    owner: Vec<Option<u64>>,
    committed: BTreeMap<u64, u64>,
}

impl ConsumerGroup {
    /// A group without members, in generation 0.
    pub fn new(partition_count: usize) -> Self {
        ConsumerGroup {
            generation: 0,
            members: Vec::new(),
            owner: vec![None; partition_count],
            committed: BTreeMap::new(),
        }
    }

    /// A member joins; joining again changes nothing. Returns the generation.
    pub fn join(&mut self, member: u64) -> u64 {
        if let Err(place) = self.members.binary_search(&member) {
            self.members.insert(place, member);
            self.rebalance();
        }
        self.generation
    }

    /// A member leaves, or its session ends: what it owned is free at once.
    ///
    /// # Errors
    /// [`Refusal::UnknownMember`].
    pub fn leave(&mut self, member: u64) -> Result<u64, Refusal> {
        let place = self.members.binary_search(&member).map_err(|_| Refusal::UnknownMember)?;
        self.members.remove(place);
        self.owner.iter_mut().filter(|owner| **owner == Some(member)).for_each(|owner| *owner = None);
        self.rebalance();
        Ok(self.generation)
    }

    /// Whom partition `partition` is meant for: members in order, round robin.
    fn target(&self, partition: usize) -> Option<u64> {
        (!self.members.is_empty()).then(|| self.members[partition % self.members.len()])
    }

    /// A new generation begins: free partitions go to those they are meant for.
    fn rebalance(&mut self) {
        self.generation += 1;
        self.hand_out();
    }

    fn hand_out(&mut self) {
        for partition in 0..self.owner.len() {
            if self.owner[partition].is_none() {
                self.owner[partition] = self.target(partition);
            }
        }
    }

    /// Where a member stands. It now knows the current generation.
    ///
    /// # Errors
    /// [`Refusal::UnknownMember`].
    pub fn sync(&self, member: u64) -> Result<Assignment, Refusal> {
        self.members.binary_search(&member).map_err(|_| Refusal::UnknownMember)?;
        let owned = (0..self.owner.len()).filter(|partition| self.owner[*partition] == Some(member));
        Ok(Assignment {
            generation: self.generation,
            owned: owned
                .clone()
                .map(|partition| (partition as u64, self.committed(partition as u64)))
                .collect(),
            to_release: owned.filter(|p| self.target(*p) != Some(member)).map(|p| p as u64).collect(),
        })
    }

    fn check(&self, member: u64, generation: u64, partition: u64) -> Result<(), Refusal> {
        self.members.binary_search(&member).map_err(|_| Refusal::UnknownMember)?;
        if generation != self.generation {
            return Err(Refusal::StaleGeneration { current: self.generation });
        }
        match self.owner.get(partition as usize) {
            Some(Some(owner)) if *owner == member => Ok(()),
            _ => Err(Refusal::NotOwner),
        }
    }

    /// A member gives a partition up; it goes to whom it is meant for.
    ///
    /// # Errors
    /// [`Refusal`], and nothing has changed.
    pub fn release(&mut self, member: u64, generation: u64, partition: u64) -> Result<(), Refusal> {
        self.check(member, generation, partition)?;
        self.owner[partition as usize] = None;
        self.hand_out();
        Ok(())
    }

    /// A member commits: everything of `partition` below `next` is processed.
    ///
    /// # Errors
    /// [`Refusal`], and nothing has changed.
    pub fn commit(&mut self, member: u64, generation: u64, partition: u64, next: u64) -> Result<(), Refusal> {
        self.check(member, generation, partition)?;
        let committed = self.committed(partition);
        if next < committed {
            return Err(Refusal::Regression { committed });
        }
        self.committed.insert(partition, next);
        Ok(())
    }

    /// The next offset of `partition` that is not processed; 0 if nothing was committed.
    pub fn committed(&self, partition: u64) -> u64 {
        self.committed.get(&partition).copied().unwrap_or(0)
    }

    /// The owner of every partition, in order.
    pub fn owners(&self) -> &[Option<u64>] {
        &self.owner
    }

    /// The current generation.
    pub fn generation(&self) -> u64 {
        self.generation
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_moves_only_when_its_owner_lets_go() {
        let mut group = ConsumerGroup::new(2);
        assert_eq!(group.join(1), 1);
        assert_eq!(group.join(2), 2);
        assert_eq!(group.owners(), [Some(1), Some(1)]);
        let assignment = group.sync(1).unwrap();
        assert_eq!(assignment.to_release, [1]);
        assert_eq!(group.sync(2).unwrap().owned, []);
        assert_eq!(group.release(1, 1, 1), Err(Refusal::StaleGeneration { current: 2 }));
        assert_eq!(group.release(1, 2, 1), Ok(()));
        assert_eq!(group.sync(2).unwrap().owned, [(1, 0)]);
    }

    #[test]
    fn a_stale_commit_changes_nothing() {
        let mut group = ConsumerGroup::new(1);
        group.join(1);
        assert_eq!(group.commit(1, 1, 0, 5), Ok(()));
        assert_eq!(group.leave(1), Ok(2));
        group.join(2);
        assert_eq!(group.commit(1, 1, 0, 9), Err(Refusal::UnknownMember));
        assert_eq!(group.commit(2, 2, 0, 9), Err(Refusal::StaleGeneration { current: 3 }));
        assert_eq!(group.commit(2, 3, 0, 4), Err(Refusal::Regression { committed: 5 }));
        assert_eq!(group.committed(0), 5);
    }
}
