//! A saga whose commands and replies travel through a partitioned log: what one layer guarantees is what the next assumes.
//!
//! The saga is the one of [`crate::saga`], its orchestrator and its participants step for step; only the link between them
//! is another. The orchestrator is a producer of commands and a consumer of replies, each participant the other way
//! round, each with a partition of its own in either direction. A producer sends until it is acknowledged; the broker
//! syncs before it acknowledges and recognises a repeat; a consumer processes in order and then commits; who crashes
//! begins again at the committed offset. The saga trusts the log: it sends a command once, and again only if it crashed
//! before the log had it.
//!
//! What the saga assumes of its link, and what gives it that:
//! * What was sent arrives: `retry`, `fsync-before-ack`, `commit-after-process`.
//! * A compensation does not overtake its command: `partition-by-participant`. So participants keep no tombstones here.
//! * *Not* that it arrives once: who crashes between the effect and the commit processes again, whatever the producer does.
//!   The saga's own `idempotent-participant` covers for it, and for a producer without `idempotence` as well.
//!
//! Reference: Saltzer, Reed and Clark, *End-to-end arguments in system design*, 1984; for the layers, see
//! [`crate::partition_log`], [`crate::consumer_group`] and [`crate::saga`].
//!
//! Left out, and why that is safe:
//! * What is inside the layers: fencing, rebalances, gaps, pivots that are given up. Their own models show it; of each layer
//!   only what it promises to the next stands here.
//! * Several requests in flight: one at a time is what keeps their order, and [`crate::partition_log`] shows how else.
//! * Compensations that fail: they are asked for again as any command is.
//!
//! Faults are budgeted; recovery is not.

mod bounds;
mod channel;
mod guards;
mod laws;
mod words;

pub use bounds::Bounds;
pub use channel::{Channel, Packet};
pub use guards::*;

use stateright::{Model, Property};

use crate::engine::{self, FairGroup, Law, System, Witness};
use crate::few::Few;
use crate::guard::Guards;
use crate::saga::{self, Command, Reply, Saga};

/// The model: its bounds and the guards in place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SagaOverLog {
    /// How much there is of everything.
    pub bounds: Bounds,
    /// The guards in place.
    pub guards: Guards,
}

/// The most steps that a state can hold.
const MAX_STEPS: usize = 3;

/// The most partitions: commands, replies, and compensations where they have partitions of their own.
const MAX_CHANNELS: usize = 3 * MAX_STEPS;

/// How many faults of the layers below may still happen. How many of all kinds together, the saga's budget says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Budget {
    losses: u8,
    crashes: u8,
}

impl State {
    /// Takes one fault of a kind of the layers below.
    fn spend(&mut self, kind: fn(&mut Budget) -> &mut u8) {
        self.saga.budget.faults -= 1;
        *kind(&mut self.budget) -= 1;
    }

    /// How many faults of a kind may still happen.
    fn left(&self, count: u8) -> u8 {
        count.min(self.saga.budget.faults)
    }
}

/// The truth, kept for the laws; no guard and no action reads it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ghost {
    /// Whether the log lost what it had acknowledged.
    pub has_lost_acked: bool,
    /// Whether a message was appended a second time.
    pub is_duplicated: bool,
}

/// A state of the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// The saga. Its links hold what it believes to be under way, no message twice.
    pub saga: saga::State,
    /// The partitions.
    pub channels: Few<Channel, MAX_CHANNELS>,
    /// Faults to come, of the layers below.
    pub budget: Budget,
    /// The truth.
    pub ghost: Ghost,
}

/// A step of the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// The orchestrator does something that is the saga's own business.
    Saga(saga::Action),
    /// The broker appends the next message of a partition's producer, and acknowledges it.
    Append(u8),
    /// The broker syncs a partition to disk.
    Sync(u8),
    /// The consumer of a partition processes the next message.
    Process(u8),
    /// The participant that is the consumer of a partition refuses the step that the next message asks for.
    Refuse(u8),
    /// The consumer of a partition commits its position.
    Commit(u8),
    /// The request for the next message of a partition is lost.
    LoseRequest(u8),
    /// The next message of a partition is appended, and its acknowledgement is lost.
    LoseAck(u8),
    /// The broker of a partition loses what is not synced.
    LosePower(u8),
    /// A participant crashes, and starts again.
    CrashParticipant(u8),
}

impl SagaOverLog {
    /// The saga that this one is, but for its link.
    pub(crate) fn saga(&self) -> Saga {
        let Bounds { steps, pivot, faults, timeouts, crashes, refusals, .. } = self.bounds;
        let bounds = saga::Bounds {
            steps,
            pivot,
            faults,
            losses: 0,
            duplicates: 0,
            timeouts,
            crashes,
            refusals,
            compensation_failures: 0,
        };
        let mut guards = Guards::ALL.without(&saga::TOMBSTONE);
        if !self.guards.has(&IDEMPOTENT_PARTICIPANT) {
            guards = guards.without(&saga::IDEMPOTENT_FORWARD).without(&saga::IDEMPOTENT_COMPENSATION);
        }
        Saga { bounds, guards }
    }

    /// A step of the saga; what it sends goes to the producers.
    fn saga_step(&self, state: &mut State, action: saga::Action) {
        let before = state.saga;
        let is_crash = action == saga::Action::Crash;
        let Some(after) = self.saga().next_state(&before, action) else { return };
        state.saga = after;
        let is_sent = |command: &Command| after.commands.count(*command) > before.commands.count(*command);
        after.commands.iter().filter(is_sent).for_each(|command| self.post(state, Packet::Command(command)));
        let is_sent = |reply: &Reply| after.replies.count(*reply) > before.replies.count(*reply);
        after.replies.iter().filter(is_sent).for_each(|reply| self.post(state, Packet::Reply(reply)));
        if is_crash {
            self.forget(state, None);
        }
    }

    fn saga_work(&self, state: &State, actions: &mut Vec<Action>) {
        let mut of_saga = Vec::new();
        self.saga().actions(&state.saga, &mut of_saga);
        let is_own = |action: &saga::Action| {
            use saga::Action::{Accept, Crash, Restart, Send, Timeout};
            matches!(action, Accept | Send | Restart | Timeout | Crash)
        };
        actions.extend(of_saga.into_iter().filter(is_own).map(Action::Saga));
    }
}

impl Model for SagaOverLog {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let Bounds { losses, participant_crashes, .. } = self.bounds;
        let saga = self.saga().init_states().swap_remove(0);
        vec![State {
            saga,
            channels: (0..self.channel_count()).map(|_| Channel::default()).collect(),
            budget: Budget { losses, crashes: participant_crashes },
            ghost: Ghost::default(),
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        self.saga_work(state, actions);
        (0..self.channel_count()).for_each(|channel| self.channel_work(state, channel, actions));
        if state.left(state.budget.crashes) > 0 {
            let participants =
                (0..self.bounds.steps).filter(|participant| self.is_at_work(state, *participant));
            actions.extend(participants.map(Action::CrashParticipant));
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = *last;
        match action {
            Action::Saga(action) => self.saga_step(&mut state, action),
            Action::Append(channel) => self.append(&mut state, channel),
            Action::Sync(channel) => state.channels[channel as usize].sync(),
            Action::Process(channel) => self.process(&mut state, channel),
            Action::Refuse(channel) => self.refuse(&mut state, channel),
            Action::Commit(channel) => self.commit(&mut state, channel),
            Action::LoseRequest(channel) => self.lose_request(&mut state, channel),
            Action::LoseAck(channel) => self.lose_ack(&mut state, channel),
            Action::LosePower(channel) => Self::lose_power(&mut state, channel),
            Action::CrashParticipant(participant) => {
                state.spend(|budget| &mut budget.crashes);
                self.forget(&mut state, Some(participant));
            }
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        engine::properties(self)
    }
}

impl System for SagaOverLog {
    fn is_fault(&self, action: &Action) -> bool {
        match action {
            Action::Saga(action) => self.saga().is_fault(action),
            Action::Append(_) | Action::Sync(_) | Action::Process(_) | Action::Commit(_) => false,
            Action::Refuse(_)
            | Action::LoseRequest(_)
            | Action::LoseAck(_)
            | Action::LosePower(_)
            | Action::CrashParticipant(_) => true,
        }
    }

    /// The orchestrator, and each partition's producer, broker and consumer, go on.
    fn fair_group(&self, action: &Action) -> Option<FairGroup> {
        const CHANNELS: u8 = MAX_CHANNELS as u8;
        const OF_SAGA: u8 = 3;
        match action {
            Action::Saga(action) => self.saga().fair_group(action),
            Action::Append(channel) => Some(FairGroup::new(OF_SAGA + channel)),
            Action::Sync(channel) => Some(FairGroup::new(OF_SAGA + CHANNELS + channel)),
            Action::Process(channel) => Some(FairGroup::new(OF_SAGA + 2 * CHANNELS + channel)),
            Action::Commit(channel) => Some(FairGroup::new(OF_SAGA + 3 * CHANNELS + channel)),
            _ => None,
        }
    }

    fn is_done(&self, state: &State) -> bool {
        self.saga().is_done(&state.saga)
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
