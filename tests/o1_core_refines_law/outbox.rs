//! The outbox's core and its specification, in lock-step, through crashes.

use lawspeaker_bus::outbox::{Fact, OutboxCore, Outcome, RelayEpoch, Slot, Transaction};
use lawspeaker_spec::outbox as spec;
use stateright::{Model, Property};

use crate::kernels::outbox_law::{OutboxAnswer, id, outcome, refusal, retention, slots};

// Bounds: two events, of which one is remembered, or a time at which one is just remembered and one at which it is just
// not; as many as are taken up when one is forgotten and handled again, and another one behind it; two owed; two relays.
const EVENTS: [u64; 2] = [0, 1];
const RELAY_COUNT: u64 = 2;
/// Every state within the bounds.
pub(crate) const LAST_ONE_STATE_COUNT: usize = 48432;
pub(crate) const BY_TIME_STATE_COUNT: usize = 18402;

/// The search.
#[derive(Clone, Debug)]
pub(crate) struct LockStep {
    retention: spec::Retention,
    /// At which times transactions come.
    times: &'static [u64],
    /// How many events are ever taken up.
    taken_count: usize,
    /// How many events are ever owed.
    owed_count: u64,
}

impl LockStep {
    pub(crate) const LAST_ONE: Self =
        LockStep { retention: spec::Retention::Last(1), times: &[0], taken_count: 4, owed_count: 2 };
    pub(crate) const BY_TIME: Self =
        LockStep { retention: spec::Retention::For(1), times: &[0, 1, 2], taken_count: 3, owed_count: 1 };
}

/// The core, the one that a crash would leave, and the specification. That the records of the core's calls make the same
/// core again is checked at every step, so by induction the one that is left is the one that recovery would make.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    core: OutboxCore,
    durable: OutboxCore,
    law: spec::Outbox,
    is_answer_equal: bool,
    is_replay_equal: bool,
    is_duplicate_refused: bool,
    is_relay_fenced: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Commit(Transaction),
    OpenRelay,
    Mark { epoch: u64, next: u64 },
    Flush,
    Crash,
}

impl LockStep {
    fn transactions(&self) -> Vec<Transaction> {
        let mut all = Vec::new();
        for time_ms in self.times.iter().copied() {
            let transaction =
                |handled, voided, owed_count| Transaction { handled, voided, owed_count, time_ms };
            for event in EVENTS {
                for (outcome, owed_count) in [(Outcome::Applied, 1), (Outcome::Refused, 0)] {
                    all.push(transaction(Some((id(event), outcome)), Vec::new(), owed_count));
                }
            }
            let called_off = vec![id(1), id(0)];
            all.push(transaction(Some((id(0), Outcome::Applied)), called_off.clone(), 0));
            all.push(transaction(None, called_off, 1));
        }
        all
    }
}

fn number(event: &lawspeaker_history::EventId) -> u64 {
    EVENTS.into_iter().find(|number| id(*number) == *event).unwrap()
}

fn in_law(transaction: &Transaction) -> spec::Transaction {
    spec::Transaction {
        handled: transaction.handled.as_ref().map(|(event, bus)| (number(event), outcome(*bus))),
        voided: transaction.voided.iter().map(number).collect(),
        owed_count: transaction.owed_count,
        time: transaction.time_ms,
    }
}

impl Model for LockStep {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            core: OutboxCore::new(retention(self.retention)),
            durable: OutboxCore::new(retention(self.retention)),
            law: spec::Outbox::new(self.retention),
            is_answer_equal: true,
            is_replay_equal: true,
            is_duplicate_refused: false,
            is_relay_fenced: false,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        actions.extend(self.transactions().into_iter().map(Action::Commit));
        actions.extend([Action::OpenRelay, Action::Flush, Action::Crash]);
        let relay = state.core.relay().0;
        for epoch in relay.saturating_sub(1)..=relay {
            actions.extend((0..=state.core.end().0).map(|next| Action::Mark { epoch, next }));
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = state.clone();
        let written = match action {
            Action::Commit(transaction) => {
                let bus = next.core.commit(&transaction);
                let law = next.law.commit(&in_law(&transaction));
                next.is_duplicate_refused = bus.is_err();
                next.is_answer_equal = bus.clone().map(|slots| slots.start.0).map_err(refusal) == law;
                bus.is_ok().then_some(Fact::Committed(transaction))
            }
            Action::OpenRelay => {
                let epoch = next.core.open_relay();
                next.is_answer_equal = next.law.open_relay() == epoch.0;
                Some(Fact::RelayOpened(epoch))
            }
            Action::Mark { epoch, next: slot } => {
                let fact = Fact::Published { epoch: RelayEpoch(epoch), next: Slot(slot) };
                let is_new = slot > next.core.published().0;
                let bus = next.core.mark_published(RelayEpoch(epoch), Slot(slot));
                next.is_relay_fenced = matches!(bus, Err(lawspeaker_bus::outbox::Refusal::Fenced { .. }));
                next.is_answer_equal = bus.map_err(refusal) == next.law.mark_published(epoch, slot);
                (bus.is_ok() && is_new).then_some(fact)
            }
            Action::Flush => {
                next.core.flushed(next.core.end());
                next.durable = next.core.clone();
                next.law.flush();
                None
            }
            Action::Crash => {
                next.core = next.durable.clone();
                next.law.crash();
                None
            }
        };
        if let Some(fact) = written {
            let (mut replayed, mut expected) = (state.core.clone(), next.core.clone());
            replayed.flushed(replayed.end());
            expected.flushed(expected.end());
            next.is_replay_equal = replayed.replay(fact).is_ok() && replayed == expected;
        }
        Some(next)
    }

    fn within_boundary(&self, state: &State) -> bool {
        state.law.taken_count() <= self.taken_count
            && state.core.end().0 <= self.owed_count
            && state.core.relay().0 <= RELAY_COUNT
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("answers are equal", |_, state: &State| state.is_answer_equal),
            Property::always("abstract states are equal", |_, state: &State| state.is_equal()),
            Property::always("the record of a call replays to the same state", |_, state: &State| {
                state.is_replay_equal
            }),
            Property::sometimes("a duplicate is refused", |_, state: &State| state.is_duplicate_refused),
            Property::sometimes("an old relay is fenced", |_, state: &State| state.is_relay_fenced),
            Property::sometimes("an event is forgotten and handled again", |_, state: &State| {
                state.law.taken_count() > EVENTS.len() && state.core.inbox().len() > 0
            }),
            Property::sometimes("a crash would take a mark back", |_, state: &State| {
                state.durable.published() < state.core.published()
            }),
        ]
    }
}

impl State {
    fn is_equal(&self) -> bool {
        let inbox = self.core.inbox().map(|entry| (number(&entry.event), outcome(entry.outcome)));
        let relay = self.core.relay().0;
        let is_pending_equal = |epoch: u64| {
            let bus =
                self.core.pending(RelayEpoch(epoch)).map(|pending| slots(pending.start.0, pending.end.0));
            let law = self.law.pending(epoch).map(|(first, end)| slots(first, end));
            bus.unwrap_or_else(|bus| OutboxAnswer::Refused(refusal(bus)))
                == law.unwrap_or_else(OutboxAnswer::Refused)
        };
        inbox.eq(self.law.remembered())
            && EVENTS
                .into_iter()
                .all(|event| self.core.outcome(&id(event)).map(outcome) == self.law.outcome(event))
            && (relay, self.core.published().0) == (self.law.relay(), self.law.published())
            && (self.core.durable().0, self.core.end().0) == (self.law.durable(), self.law.end())
            && (relay.saturating_sub(1)..=relay).all(is_pending_equal)
    }
}
