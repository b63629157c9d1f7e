//! The law of the consumer group: its specification, and how the bus's answers compare with it.

use lawspeaker_bus::consumer_group::{Assignment, ConsumerGroup, GroupError, Refusal};
use lawspeaker_bus::id::{MemberId, PartitionNumber};
use lawspeaker_history::{Generation, Offset};
use lawspeaker_spec::consumer_group as spec;

use super::linearization::Law;

/// A call of the group. Generations are those that the caller has heard of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GroupCall {
    Join { member: u64 },
    Leave { member: u64 },
    Sync { member: u64 },
    Release { member: u64, generation: u64, partition: u32 },
    Commit { member: u64, generation: u64, partition: u32, next: u64 },
    Committed { partition: u32 },
}

/// What it is answered, in the law's words.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum GroupAnswer {
    Done,
    Generation(u64),
    Assignment(spec::Assignment),
    Committed(u64),
    Refused(spec::Refusal),
}

/// An offset as the law counts.
pub fn number(offset: Offset) -> u64 {
    offset.number().unwrap().try_into().unwrap()
}

/// The offset `number`.
pub fn offset(number: u64) -> Offset {
    Offset::of(number.try_into().unwrap())
}

/// A refusal of the bus in the law's words.
pub fn refusal(bus: Refusal) -> spec::Refusal {
    match bus {
        Refusal::UnknownMember => spec::Refusal::UnknownMember,
        Refusal::StaleGeneration { current } => spec::Refusal::StaleGeneration { current: current.0 },
        Refusal::NotOwner => spec::Refusal::NotOwner,
        Refusal::Regression { committed } => spec::Refusal::Regression { committed: number(committed) },
    }
}

/// An assignment of the bus in the law's words.
pub fn assignment(bus: &Assignment) -> spec::Assignment {
    let partition = |number: PartitionNumber| u64::from(number.0);
    let to_release = bus.owned.iter().filter(|owned| owned.is_to_release);
    spec::Assignment {
        generation: bus.generation.0,
        owned: bus.owned.iter().map(|owned| (partition(owned.partition), number(owned.committed))).collect(),
        to_release: to_release.map(|owned| partition(owned.partition)).collect(),
    }
}

/// Makes the call at the bus's group.
pub fn call(group: &ConsumerGroup, call: GroupCall) -> GroupAnswer {
    let answer = match call {
        GroupCall::Join { member } => group.join(MemberId(member)).map(|g| GroupAnswer::Generation(g.0)),
        GroupCall::Leave { member } => group.leave(MemberId(member)).map(|g| GroupAnswer::Generation(g.0)),
        GroupCall::Sync { member } => {
            group.sync(MemberId(member)).map(|bus| GroupAnswer::Assignment(assignment(&bus)))
        }
        GroupCall::Release { member, generation, partition } => group
            .release(MemberId(member), Generation(generation), PartitionNumber(partition))
            .map(|()| GroupAnswer::Done),
        GroupCall::Commit { member, generation, partition, next } => group
            .commit(MemberId(member), Generation(generation), PartitionNumber(partition), offset(next))
            .map(|()| GroupAnswer::Done),
        GroupCall::Committed { partition } => {
            group.committed(PartitionNumber(partition)).map(|next| GroupAnswer::Committed(number(next)))
        }
    };
    answer.unwrap_or_else(|error| match error {
        GroupError::Refused(bus) => GroupAnswer::Refused(refusal(bus)),
        error => panic!("{error}"),
    })
}

/// The specification.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GroupLaw(pub spec::ConsumerGroup);

impl Law for GroupLaw {
    type Call = GroupCall;
    type Answer = GroupAnswer;

    fn answer(&mut self, call: &GroupCall) -> GroupAnswer {
        let GroupLaw(spec) = self;
        let answer = match *call {
            GroupCall::Join { member } => Ok(GroupAnswer::Generation(spec.join(member))),
            GroupCall::Leave { member } => spec.leave(member).map(GroupAnswer::Generation),
            GroupCall::Sync { member } => spec.sync(member).map(GroupAnswer::Assignment),
            GroupCall::Release { member, generation, partition } => {
                spec.release(member, generation, partition.into()).map(|()| GroupAnswer::Done)
            }
            GroupCall::Commit { member, generation, partition, next } => {
                spec.commit(member, generation, partition.into(), next).map(|()| GroupAnswer::Done)
            }
            GroupCall::Committed { partition } => {
                Ok(GroupAnswer::Committed(spec.committed(partition.into())))
            }
        };
        answer.unwrap_or_else(GroupAnswer::Refused)
    }

    fn is_ordered(_call: &GroupCall) -> bool {
        true
    }

    fn lets_change(_call: &GroupCall) -> bool {
        false
    }

    fn changes(&self) -> Vec<Self> {
        Vec::new()
    }
}
