//! A consumer group: members share the partitions of a topic, process its events and commit how far they are.
//!
//! The log is given and complete; its own dangers are in [`crate::partition_log`]. The coordinator knows who owns
//! which partition, in which generation, and what was committed. A member reads an event, processes it (its
//! *effect* happens in the world outside), and commits the next offset. Members may crash, be slow until their
//! session ends, fail to process an event, or lose a partition to a rebalance at any moment; a slow member does
//! not know that the group went on without it.
//!
//! Reference: Kafka's group protocol (KIP-429 cooperative rebalancing, KIP-848; KIP-211 offset retention).
//!
//! Left out: heartbeats and time (a session may end at any moment, which covers every timing), batches (a member has one
//! event in hand), and the choice of assignment strategy (a rebalance may move any partition to any live member).
//! Calls to the coordinator are one step each; commits that a client sends asynchronously and that overtake one another
//! are not covered. The effect's fence asks for the current generation, which is stricter than a fencing token that is
//! compared with the highest one seen. At least one member stays alive; a group without members waits for one, which is
//! no deadlock.
//! Faults are budgeted; recovery is not.

mod bounds;
mod guards;
mod laws;
mod observed;
mod words;

pub use bounds::Bounds;
pub use guards::*;

use serde::Serialize;
use stateright::{Model, Property};

use crate::engine::{self, FairGroup, Law, System, Witness};
use crate::few::Few;
use crate::guard::Guards;

/// The model: its bounds and the guards in place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerGroup {
    /// How much there is of everything.
    pub bounds: Bounds,
    /// The guards in place.
    pub guards: Guards,
}

/// The most members that a state can hold.
const MAX_MEMBERS: usize = 4;

/// The most events of a partition that a state can hold.
const MAX_EVENTS: usize = 8;

/// Something of each partition, of which there are up to four.
pub type ByPartition<T> = Few<T, 4>;

/// An event in a member's hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Hand {
    /// Where it came from.
    pub partition: u8,
    /// At which offset it stands.
    pub offset: u8,
    /// Whether the member is through with it.
    pub is_handled: bool,
    /// Whether the member committed it already.
    pub is_committed: bool,
}

/// A member, as it sees itself, and whether the coordinator still counts it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Member {
    /// Whether it runs.
    pub is_up: bool,
    /// Whether the coordinator counts it as a member; a member that was thrown out does not know until it asks.
    pub is_counted: bool,
    /// The generation it last heard of.
    pub generation: u8,
    /// The partitions it believes to own.
    pub owns: ByPartition<bool>,
    /// The offset it reads next, by partition.
    pub positions: ByPartition<u8>,
    /// What it is working on.
    pub hand: Option<Hand>,
}

/// How many faults may still happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Budget {
    rebalances: u8,
    crashes: u8,
    timeouts: u8,
    failures: u8,
    expiries: u8,
}

/// The truth, kept for the laws; no guard and no action reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Ghost {
    /// The highest offset ever committed, by partition.
    pub highest_committed: ByPartition<u8>,
    /// Whether an effect or a commit of a member was accepted for a partition that is no longer its own.
    pub has_accepted_stale: bool,
}

/// A state of the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct State {
    /// The current generation.
    pub generation: u8,
    /// Who owns each partition, as the coordinator sees it.
    pub owners: ByPartition<Option<u8>>,
    /// Who is to own each partition.
    pub targets: ByPartition<u8>,
    /// The next offset to process, by partition, as committed.
    pub committed: ByPartition<u8>,
    /// The members.
    pub members: Few<Member, MAX_MEMBERS>,
    /// How often each event's effect happened, by partition and offset; what a deduplicating effect looks at.
    pub effects: ByPartition<Few<u8, MAX_EVENTS>>,
    /// Faults to come.
    pub budget: Budget,
    /// The truth.
    pub ghost: Ghost,
}

/// A step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// A member asks the coordinator where it stands: it gives up what it lost and takes what it got.
    Sync(u8),
    /// A member reads the next event of a partition.
    Poll(u8, u8),
    /// A member processes the event in its hand.
    Handle(u8),
    /// A member commits the event in its hand.
    Commit(u8),
    /// The coordinator notices that a crashed member is gone.
    EndSession(u8),
    /// A crashed member is started again.
    Restart(u8),
    /// A member fails to process the event in its hand.
    Fail(u8),
    /// A member crashes.
    Crash(u8),
    /// The session of a member ends although it lives: it was slow, or cut off.
    Timeout(u8),
    /// The coordinator decides to move a partition to another member.
    Rebalance(u8, u8),
    /// The retention of committed offsets of a partition runs out.
    Expire(u8),
}

impl ConsumerGroup {
    /// Whether the group has gone on without the member, or it has not heard of the current generation.
    fn is_stale(state: &State, member: u8) -> bool {
        let member = &state.members[member as usize];
        !member.is_counted || member.generation != state.generation
    }

    /// Whether the coordinator refuses what a member commits.
    fn refuses_commit(&self, state: &State, member: u8) -> bool {
        Self::is_stale(state, member) && self.guards.has(&FENCE_COMMIT)
    }

    /// Gives up what was lost, takes what was got. Reading starts at the committed offset.
    fn sync(&self, state: &mut State, number: u8) {
        let was_counted = state.members[number as usize].is_counted;
        state.members[number as usize].is_counted = true;
        state.members[number as usize].generation = state.generation;
        for partition in 0..state.owners.len() {
            if self.loses(state, number, partition, was_counted) {
                self.release(state, number, partition);
            }
        }
        for partition in 0..state.owners.len() {
            let member = &mut state.members[number as usize];
            if state.owners[partition] == Some(number)
                && state.targets[partition] == number
                && !member.owns[partition]
            {
                member.owns[partition] = true;
                if self.guards.has(&RESET_TO_COMMITTED) {
                    member.positions[partition] = state.committed[partition];
                }
            }
        }
    }

    fn loses(&self, state: &State, member: u8, partition: usize, was_counted: bool) -> bool {
        let keeps =
            was_counted && state.targets[partition] == member && state.owners[partition] == Some(member);
        let has_to_let_go = state.owners[partition] == Some(member) && state.targets[partition] != member;
        (state.members[member as usize].owns[partition] && !keeps) || has_to_let_go
    }

    fn release(&self, state: &mut State, number: u8, partition: usize) {
        let member = &mut state.members[number as usize];
        member.owns[partition] = false;
        if member.hand.is_some_and(|hand| hand.partition as usize == partition)
            && self.guards.has(&REVOKE_DROP)
        {
            member.hand = None;
        }
        if state.owners[partition] == Some(number) && state.targets[partition] != number {
            state.owners[partition] = Some(state.targets[partition]);
        }
    }

    fn poll(state: &mut State, number: u8, partition: u8) {
        let member = &mut state.members[number as usize];
        let offset = member.positions[partition as usize];
        member.hand = Some(Hand { partition, offset, is_handled: false, is_committed: false });
        member.positions[partition as usize] = offset + 1;
    }

    /// The member lets go of what it has in hand and will read it again.
    fn put_back(state: &mut State, number: u8) {
        let member = &mut state.members[number as usize];
        if let Some(hand) = member.hand.take() {
            member.positions[hand.partition as usize] = hand.offset;
        }
    }

    fn handle(&self, state: &mut State, number: u8) {
        let is_stale = Self::is_stale(state, number);
        if is_stale && self.guards.has(&FENCE_EFFECT) {
            return Self::put_back(state, number);
        }
        let Some(hand) = state.members[number as usize].hand else { return };
        let is_owner = state.owners[hand.partition as usize] == Some(number);
        let effects = &mut state.effects[hand.partition as usize][hand.offset as usize];
        if *effects == 0 || !self.guards.has(&DEDUP) {
            *effects = (*effects + 1).min(2);
            state.ghost.has_accepted_stale |= is_stale && !is_owner;
        }
        let left = Hand { is_handled: true, ..hand };
        state.members[number as usize].hand = (!left.is_committed).then_some(left);
    }

    fn commit(&self, state: &mut State, number: u8) {
        if self.refuses_commit(state, number) {
            return Self::put_back(state, number);
        }
        let Some(hand) = state.members[number as usize].hand else { return };
        let partition = hand.partition as usize;
        state.committed[partition] = hand.offset + 1;
        let is_stale = Self::is_stale(state, number);
        state.ghost.has_accepted_stale |= is_stale && state.owners[partition] != Some(number);
        let highest = &mut state.ghost.highest_committed[partition];
        *highest = (*highest).max(hand.offset + 1);
        let left = Hand { is_committed: true, ..hand };
        state.members[number as usize].hand = (!left.is_handled).then_some(left);
    }

    fn fail(&self, state: &mut State, number: u8) {
        state.budget.failures -= 1;
        if self.guards.has(&STOP_ON_FAILURE) {
            Self::put_back(state, number);
        } else if let Some(hand) = state.members[number as usize].hand {
            let left = Hand { is_handled: true, ..hand };
            state.members[number as usize].hand = (!left.is_committed).then_some(left);
        }
    }

    fn crash(state: &mut State, number: u8) {
        state.budget.crashes -= 1;
        let member = &mut state.members[number as usize];
        member.is_up = false;
        member.hand = None;
        member.owns.as_mut_slice().fill(false);
        member.positions.as_mut_slice().fill(0);
    }

    /// The coordinator no longer counts the member: what it owned or was to own goes to the next live one.
    fn end_session(state: &mut State, number: u8) {
        state.generation += 1;
        state.members[number as usize].is_counted = false;
        let counted =
            |member: u8| state.members[member as usize].is_counted && state.members[member as usize].is_up;
        let count = state.members.len() as u8;
        let heir =
            (1..count).map(|step| (number + step) % count).find(|member| counted(*member)).unwrap_or(number);
        for partition in 0..state.owners.len() {
            if state.targets[partition] == number {
                state.targets[partition] = heir;
            }
            if state.owners[partition] == Some(number) {
                state.owners[partition] = Some(state.targets[partition]);
            }
        }
    }

    fn rebalance(&self, state: &mut State, partition: u8, target: u8) {
        state.budget.rebalances -= 1;
        state.generation += 1;
        state.targets[partition as usize] = target;
        if !self.guards.has(&REVOKE_BARRIER) {
            state.owners[partition as usize] = Some(target);
        }
    }

    fn expire(&self, state: &mut State, partition: u8) {
        state.budget.expiries -= 1;
        if !self.guards.has(&KEEP_OFFSETS) {
            state.committed[partition as usize] = 0;
        }
    }

    fn work(&self, state: &State, number: u8, actions: &mut Vec<Action>) {
        let member = &state.members[number as usize];
        if !member.is_up {
            if member.is_counted && self.guards.has(&SESSION_TIMEOUT) {
                actions.push(Action::EndSession(number));
            }
            return;
        }
        if Self::has_news(state, number) {
            actions.push(Action::Sync(number));
        }
        match member.hand {
            None => {
                let readable =
                    |p: &u8| member.owns[*p as usize] && member.positions[*p as usize] < self.bounds.events;
                actions.extend((0..self.bounds.partitions).filter(readable).map(|p| Action::Poll(number, p)));
            }
            Some(hand) => {
                if !hand.is_handled {
                    actions.push(Action::Handle(number));
                }
                if (hand.is_handled || !self.guards.has(&COMMIT_AFTER_PROCESS)) && !hand.is_committed {
                    actions.push(Action::Commit(number));
                }
            }
        }
    }

    /// Whether asking the coordinator would tell the member anything.
    fn has_news(state: &State, number: u8) -> bool {
        let member = &state.members[number as usize];
        let owns = |p: usize| state.owners[p] == Some(number) && state.targets[p] == number;
        let differs = (0..state.owners.len())
            .any(|p| member.owns[p] != owns(p) || Self::must_release(state, number, p));
        Self::is_stale(state, number) || differs
    }

    fn must_release(state: &State, number: u8, partition: usize) -> bool {
        state.owners[partition] == Some(number) && state.targets[partition] != number
    }

    fn faults(&self, state: &State, actions: &mut Vec<Action>) {
        let budget = state.budget;
        let all = || 0..state.members.len() as u8;
        let member = |number: u8| &state.members[number as usize];
        let is_live = |number: &u8| member(*number).is_up && member(*number).is_counted;
        let has_live_peer = |number: &u8| all().any(|peer| peer != *number && is_live(&peer));
        actions.extend(all().filter(|m| !member(*m).is_up && !member(*m).is_counted).map(Action::Restart));
        if budget.failures > 0 {
            let at_work = |m: &u8| member(*m).hand.is_some_and(|hand| !hand.is_handled);
            actions.extend(all().filter(at_work).map(Action::Fail));
        }
        if budget.crashes > 0 {
            actions.extend(all().filter(|m| member(*m).is_up && has_live_peer(m)).map(Action::Crash));
        }
        if budget.timeouts > 0 {
            actions.extend(all().filter(|m| is_live(m) && has_live_peer(m)).map(Action::Timeout));
        }
        for partition in 0..self.bounds.partitions {
            if budget.rebalances > 0 {
                let other = |m: &u8| is_live(m) && state.targets[partition as usize] != *m;
                actions.extend(all().filter(other).map(|m| Action::Rebalance(partition, m)));
            }
            if budget.expiries > 0 && state.committed[partition as usize] > 0 {
                actions.push(Action::Expire(partition));
            }
        }
    }
}

impl Model for ConsumerGroup {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let Bounds { members, partitions, events, rebalances, crashes, timeouts, failures, expiries } =
            self.bounds;
        let owner = |partition: u8| partition % members;
        let each_partition = |value: fn(u8) -> u8| (0..partitions).map(value).collect();
        let member = |number: u8| Member {
            is_up: true,
            is_counted: true,
            generation: 1,
            owns: (0..partitions).map(|partition| owner(partition) == number).collect(),
            positions: each_partition(|_| 0),
            hand: None,
        };
        vec![State {
            generation: 1,
            owners: (0..partitions).map(|partition| Some(owner(partition))).collect(),
            targets: (0..partitions).map(owner).collect(),
            committed: each_partition(|_| 0),
            members: (0..members).map(member).collect(),
            effects: (0..partitions).map(|_| (0..events).map(|_| 0).collect()).collect(),
            budget: Budget { rebalances, crashes, timeouts, failures, expiries },
            ghost: Ghost { highest_committed: each_partition(|_| 0), has_accepted_stale: false },
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        (0..state.members.len() as u8).for_each(|member| self.work(state, member, actions));
        self.faults(state, actions);
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = *last;
        match action {
            Action::Sync(member) => self.sync(&mut state, member),
            Action::Poll(member, partition) => Self::poll(&mut state, member, partition),
            Action::Handle(member) => self.handle(&mut state, member),
            Action::Commit(member) => self.commit(&mut state, member),
            Action::EndSession(member) => Self::end_session(&mut state, member),
            Action::Restart(member) => state.members[member as usize].is_up = true,
            Action::Fail(member) => self.fail(&mut state, member),
            Action::Crash(member) => Self::crash(&mut state, member),
            Action::Timeout(member) => {
                state.budget.timeouts -= 1;
                Self::end_session(&mut state, member);
            }
            Action::Rebalance(partition, target) => self.rebalance(&mut state, partition, target),
            Action::Expire(partition) => self.expire(&mut state, partition),
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        engine::properties(self)
    }
}

impl System for ConsumerGroup {
    fn is_fault(&self, action: &Action) -> bool {
        match action {
            Action::Sync(_)
            | Action::Poll(..)
            | Action::Handle(_)
            | Action::Commit(_)
            | Action::EndSession(_) => false,
            Action::Restart(_)
            | Action::Fail(_)
            | Action::Crash(_)
            | Action::Timeout(_)
            | Action::Rebalance(..)
            | Action::Expire(_) => true,
        }
    }

    /// Each member's next step of a kind is fair by itself.
    fn fair_group(&self, action: &Action) -> Option<FairGroup> {
        const STEPS: u8 = 8;
        let of = |member: &u8, step: u8| Some(FairGroup::new(member * STEPS + step));
        match action {
            Action::Sync(member) => of(member, 0),
            Action::Handle(member) => of(member, 1),
            Action::Commit(member) => of(member, 2),
            Action::EndSession(member) => of(member, 3),
            Action::Poll(member, partition) => of(member, 4 + partition),
            _ => None,
        }
    }

    fn is_done(&self, state: &State) -> bool {
        state.committed.iter().all(|committed| *committed == self.bounds.events)
    }

    fn laws(&self) -> Vec<Law<Self>> {
        laws::laws()
    }

    fn witnesses(&self) -> Vec<Witness<Self>> {
        laws::witnesses()
    }

    fn kind(&self, action: &Action) -> &'static str {
        words::kind(action)
    }

    fn action_kinds(&self) -> &'static [&'static str] {
        words::KINDS
    }
}
