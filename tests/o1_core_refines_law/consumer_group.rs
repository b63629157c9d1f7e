//! The group's core and its specification, in lock-step; and the core against the records that its shell writes.

use lawspeaker_bus::consumer_group::{ConsumerGroupCore, GroupRecord, Refusal};
use lawspeaker_bus::id::{MemberId, PartitionNumber};
use lawspeaker_history::Generation;
use lawspeaker_spec::consumer_group::ConsumerGroup as Spec;
use stateright::{Model, Property};

use crate::kernels::group_law::{GroupAnswer, GroupCall, GroupLaw, assignment, number, offset, refusal};
use crate::kernels::linearization::Law;

// Bounds: three members over three partitions, so that every round robin occurs; as many generations as three
// joins, a leave and a join make; and an offset below and above the first commit.
const MEMBERS: [u64; 3] = [0, 1, 2];
const PARTITION_COUNT: u32 = 3;
const GENERATION_COUNT: u64 = 5;
const OFFSET_COUNT: u64 = 3;
/// Every state within the bounds.
pub(crate) const STATE_COUNT: usize = 5_313;

/// The search.
#[derive(Clone, Debug)]
pub(crate) struct LockStep;

/// The core and the specification. That the records of its calls make the same core again is checked at every step,
/// so by induction a crash at any time is invisible.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    core: ConsumerGroupCore,
    law: GroupLaw,
    is_answer_equal: bool,
    is_replay_equal: bool,
}

impl Model for LockStep {
    type State = State;
    type Action = GroupCall;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            core: ConsumerGroupCore::new(PARTITION_COUNT as usize),
            law: GroupLaw(Spec::new(PARTITION_COUNT as usize)),
            is_answer_equal: true,
            is_replay_equal: true,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<GroupCall>) {
        let current = state.core.generation().0;
        for member in MEMBERS {
            actions.extend([GroupCall::Join { member }, GroupCall::Leave { member }]);
            for generation in current.saturating_sub(1)..=current {
                for partition in 0..PARTITION_COUNT {
                    actions.push(GroupCall::Release { member, generation, partition });
                    let commit = |next| GroupCall::Commit { member, generation, partition, next };
                    actions.extend((0..OFFSET_COUNT).map(commit));
                }
            }
        }
    }

    fn next_state(&self, state: &State, call: GroupCall) -> Option<State> {
        let mut next = state.clone();
        let answer = answer(&mut next.core, call);
        next.is_answer_equal = answer == next.law.answer(&call);
        if !matches!(answer, GroupAnswer::Refused(_)) && state.core != next.core {
            let mut replayed = state.core.clone();
            next.is_replay_equal = replayed.replay(record(call)).is_ok() && replayed == next.core;
        }
        Some(next)
    }

    fn within_boundary(&self, state: &State) -> bool {
        state.core.generation().0 <= GENERATION_COUNT
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("answers are equal", |_, state: &State| state.is_answer_equal),
            Property::always("abstract states are equal", |_, state: &State| state.is_equal()),
            Property::always("the record of a call replays to the same state", |_, state: &State| {
                state.is_replay_equal
            }),
            Property::sometimes("a partition waits for its owner to let go", |_, state: &State| {
                MEMBERS
                    .iter()
                    .filter_map(|member| state.core.sync(MemberId(*member)).ok())
                    .any(|assignment| assignment.owned.iter().any(|owned| owned.is_to_release))
            }),
            Property::sometimes("a commit is fenced", |_, state: &State| {
                let stale = Generation(state.core.generation().0.saturating_sub(1));
                let answer = state.core.clone().commit(MemberId(0), stale, PartitionNumber(0), offset(2));
                matches!(answer, Err(Refusal::StaleGeneration { .. }))
            }),
            Property::sometimes("every partition is committed by another member", |_, state: &State| {
                let mut owners: Vec<_> = state.core.owners().flatten().collect();
                owners.dedup();
                owners.len() == MEMBERS.len()
                    && (0..PARTITION_COUNT).all(|p| state.core.committed(PartitionNumber(p)) > offset(0))
            }),
        ]
    }
}

fn answer(core: &mut ConsumerGroupCore, call: GroupCall) -> GroupAnswer {
    let done = |()| GroupAnswer::Done;
    let answer = match call {
        GroupCall::Join { member } => Ok(GroupAnswer::Generation(core.join(MemberId(member)).0)),
        GroupCall::Leave { member } => core.leave(MemberId(member)).map(|g| GroupAnswer::Generation(g.0)),
        GroupCall::Sync { member } => {
            core.sync(MemberId(member)).map(|bus| GroupAnswer::Assignment(assignment(&bus)))
        }
        GroupCall::Release { member, generation, partition } => {
            core.release(MemberId(member), Generation(generation), PartitionNumber(partition)).map(done)
        }
        GroupCall::Commit { member, generation, partition, next } => {
            let (member, partition) = (MemberId(member), PartitionNumber(partition));
            core.commit(member, Generation(generation), partition, offset(next)).map(done)
        }
        GroupCall::Committed { partition } => {
            Ok(GroupAnswer::Committed(number(core.committed(PartitionNumber(partition)))))
        }
    };
    answer.unwrap_or_else(|bus| GroupAnswer::Refused(refusal(bus)))
}

/// What the shell writes for a call that is granted.
fn record(call: GroupCall) -> GroupRecord {
    match call {
        GroupCall::Join { member } => GroupRecord::Joined { member: MemberId(member) },
        GroupCall::Leave { member } => GroupRecord::Left { member: MemberId(member) },
        GroupCall::Release { member, generation, partition } => GroupRecord::Released {
            member: MemberId(member),
            generation: Generation(generation),
            partition: PartitionNumber(partition),
        },
        GroupCall::Commit { member, generation, partition, next } => GroupRecord::Committed {
            member: MemberId(member),
            generation: Generation(generation),
            partition: PartitionNumber(partition),
            next: offset(next),
        },
        GroupCall::Sync { .. } | GroupCall::Committed { .. } => unreachable!("they change nothing"),
    }
}

impl State {
    fn is_equal(&self) -> bool {
        let GroupLaw(spec) = &self.law;
        let is_sync_equal = |member: u64| {
            let bus = self.core.sync(MemberId(member));
            bus.map(|bus| assignment(&bus)).map_err(refusal) == spec.sync(member)
        };
        let owners = self.core.owners().map(|owner| owner.map(|member| member.0));
        spec.generation() == self.core.generation().0
            && owners.eq(spec.owners().iter().copied())
            && MEMBERS.into_iter().all(is_sync_equal)
            && (0..PARTITION_COUNT).all(|partition| {
                number(self.core.committed(PartitionNumber(partition))) == spec.committed(partition.into())
            })
    }
}
