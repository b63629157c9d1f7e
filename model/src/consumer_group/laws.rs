//! What must hold of the group, and what must happen lest it hold for want of anything happening.

use lawspeaker_history::Guarantee;

use super::{Action, ConsumerGroup, MAX_EVENTS, State};
use crate::engine::{Law, System, When, Witness};
use crate::few::Few;

pub(super) fn laws() -> Vec<Law<ConsumerGroup>> {
    use Guarantee::{AtLeastOnce, CommitMonotonicity, EffectOnce, PartitionOrder, SingleOwner};
    let law = |guarantee, when, says, holds| Law { guarantee, when, says, holds };
    vec![
        law(
            AtLeastOnce,
            When::Always,
            "every event below a committed offset was processed",
            committed_is_processed,
        ),
        law(
            AtLeastOnce,
            When::Quiescent,
            "when nothing but faults can happen any more, every event was processed",
            everything_is_processed,
        ),
        law(
            AtLeastOnce,
            When::Eventually,
            "in the end, every event was processed and committed",
            |model: &ConsumerGroup, state| model.is_done(state) && everything_is_processed(model, state),
        ),
        law(
            PartitionOrder,
            When::Always,
            "no event is processed before the one ahead of it",
            partition_order,
        ),
        law(CommitMonotonicity, When::Always, "no committed offset falls", commit_monotonicity),
        law(EffectOnce, When::Always, "no event's effect happens twice", effect_once),
        law(
            SingleOwner,
            When::Always,
            "no two members of the group hold a partition, and nothing of a stale one that lost it is accepted",
            single_owner,
        ),
        Law::no_deadlock("when nothing but faults can happen any more, everything is committed"),
    ]
}

pub(super) fn witnesses() -> Vec<Witness<ConsumerGroup>> {
    let witness = |says, is_met| Witness { says, is_met };
    vec![
        witness("everything is processed and committed", |model: &ConsumerGroup, _, _, after| {
            model.is_done(after) && everything_is_processed(model, after)
        }),
        witness("an effect of a stale member is refused", |_, before, action, after| {
            let is_refused =
                |member| ConsumerGroup::is_stale(before, member) && before.effects == after.effects;
            matches!(action, Action::Handle(member) if is_refused(*member))
        }),
        witness("a commit of a stale member is refused", |_, before, action, after| {
            let is_refused =
                |member| ConsumerGroup::is_stale(before, member) && before.committed == after.committed;
            matches!(action, Action::Commit(member) if is_refused(*member))
        }),
        witness("an event is processed again and has no second effect", |_, before, action, after| {
            let is_done =
                |member: u8| after.members[member as usize].hand.is_some_and(|hand| hand.is_handled);
            matches!(action, Action::Handle(member) if is_done(*member) && before.effects == after.effects)
        }),
        witness(
            "a member that had been further starts at the committed offset",
            |_, before, action, after| {
                let member = |state: &State, number: u8| state.members[number as usize];
                let rewinds = |number: u8| {
                    let (was, is) = (member(before, number), member(after, number));
                    (0..is.owns.len())
                        .any(|p| is.owns[p] && !was.owns[p] && is.positions[p] < was.positions[p])
                };
                matches!(action, Action::Sync(number) if rewinds(*number))
            },
        ),
        witness("a partition waits for its owner to let go", |_, _, _, after| {
            (0..after.owners.len()).any(|p| after.owners[p] != Some(after.targets[p]))
        }),
        witness("a crashed member's partition goes to another", |_, before, action, after| {
            matches!(action, Action::EndSession(_)) && before.owners != after.owners
        }),
    ]
}

fn committed_is_processed(_: &ConsumerGroup, state: &State) -> bool {
    let processed = |(effects, committed): (&Few<u8, MAX_EVENTS>, &u8)| {
        effects.iter().take(*committed as usize).all(|e| *e > 0)
    };
    state.effects.iter().zip(&state.committed).all(processed)
}

fn everything_is_processed(_: &ConsumerGroup, state: &State) -> bool {
    state.effects.iter().flatten().all(|effects| *effects > 0)
}

/// First effects happen in offset order exactly if no processed event has an unprocessed one before it.
fn partition_order(_: &ConsumerGroup, state: &State) -> bool {
    state.effects.iter().all(|effects| effects.windows(2).all(|pair| pair[0] > 0 || pair[1] == 0))
}

fn commit_monotonicity(_: &ConsumerGroup, state: &State) -> bool {
    state
        .committed
        .iter()
        .zip(&state.ghost.highest_committed)
        .all(|(committed, highest)| committed >= highest)
}

fn effect_once(_: &ConsumerGroup, state: &State) -> bool {
    state.effects.iter().flatten().all(|effects| *effects <= 1)
}

/// Of the members that the coordinator counts, one at most believes to own a partition; the others are refused.
fn single_owner(model: &ConsumerGroup, state: &State) -> bool {
    let owners = |p: usize| state.members.iter().filter(|m| m.is_up && m.is_counted && m.owns[p]).count();
    !state.ghost.has_accepted_stale
        && (0..model.bounds.partitions as usize).all(|partition| owners(partition) <= 1)
}
