//! Two-phase commit (Gray and Lamport, *Consensus on transaction commit*, 2006) in a compact state: the model that
//! checkers are commonly measured on.

use lawspeaker_history::Guarantee;
use lawspeaker_model::engine::{FairGroup, Law, System, When, Witness, properties};
use stateright::{Model, Property};

pub(crate) struct TwoPhaseCommit {
    pub(crate) participants: u8,
}

/// Sets of participants are bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct State {
    prepared: u16,
    committed: u16,
    aborted: u16,
    prepared_sent: u16,
    heard: u16,
    /// 0 undecided, 1 committed, 2 aborted; the decision is also the message.
    decision: u8,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Action {
    Hear(u8),
    Commit,
    Abort,
    Prepare(u8),
    Refuse(u8),
    LearnCommit(u8),
    LearnAbort(u8),
}

impl Model for TwoPhaseCommit {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::default()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let all = (1 << self.participants) - 1;
        if state.decision == 0 {
            if state.heard == all {
                actions.push(Action::Commit);
            }
            actions.push(Action::Abort);
        }
        for participant in 0..self.participants {
            let bit = 1 << participant;
            let is_working = (state.prepared | state.committed | state.aborted) & bit == 0;
            if state.decision == 0 && state.prepared_sent & bit != 0 && state.heard & bit == 0 {
                actions.push(Action::Hear(participant));
            }
            if is_working {
                actions.push(Action::Prepare(participant));
                actions.push(Action::Refuse(participant));
            }
            if state.decision == 1 && state.committed & bit == 0 {
                actions.push(Action::LearnCommit(participant));
            }
            if state.decision == 2 && state.aborted & bit == 0 {
                actions.push(Action::LearnAbort(participant));
            }
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = *state;
        match action {
            Action::Hear(participant) => next.heard |= 1 << participant,
            Action::Commit => next.decision = 1,
            Action::Abort => next.decision = 2,
            Action::Prepare(participant) => {
                next.prepared |= 1 << participant;
                next.prepared_sent |= 1 << participant;
            }
            Action::Refuse(participant) => next.aborted |= 1 << participant,
            Action::LearnCommit(participant) => {
                next.prepared &= !(1 << participant);
                next.committed |= 1 << participant;
            }
            Action::LearnAbort(participant) => {
                next.prepared &= !(1 << participant);
                next.aborted |= 1 << participant;
            }
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties(self)
    }
}

#[rustfmt::skip]
impl System for TwoPhaseCommit {
    fn is_fault(&self, action: &Action) -> bool { matches!(action, Action::Refuse(_)) }
    fn fair_group(&self, _: &Action) -> Option<FairGroup> { None }
    fn is_done(&self, state: &State) -> bool { (state.committed | state.aborted).count_ones() == u32::from(self.participants) }
    fn witnesses(&self) -> Vec<Witness<Self>> { Vec::new() }

    fn laws(&self) -> Vec<Law<Self>> {
        vec![Law {
            guarantee: Guarantee::TransactionAtomicity,
            when: When::Always,
            says: "nobody commits what another aborts",
            holds: |_, state| state.committed == 0 || state.aborted == 0,
        }]
    }
}
