//! Two-phase commit (Gray and Lamport, *Consensus on transaction commit*, 2006) in a compact state: the model that
//! checkers are commonly measured on.

use lawspeaker_history::Guarantee;
use lawspeaker_model::engine::{FairGroup, Law, System, When, Witness, properties};
use stateright::{Model, Property};

pub(crate) struct TwoPhaseCommit {
    /// At most eight.
    pub(crate) participants: u8,
}

/// A state in one word: sets of participants, a byte each, and the decision above them. A core has to wait if a state is
/// changed in pieces and then copied whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct State(u64);

/// The participants that...
#[derive(Clone, Copy)]
enum Set {
    Prepared,
    Committed,
    Aborted,
    /// ... have told the coordinator that they are prepared.
    Told,
    /// ... the coordinator has heard of.
    Heard,
}

impl Set {
    const ALL: [Set; 5] = [Set::Prepared, Set::Committed, Set::Aborted, Set::Told, Set::Heard];
}

/// What the coordinator decided, which is also its message.
#[derive(Clone, Copy, PartialEq)]
enum Decision {
    None,
    Commit,
    Abort,
}

impl State {
    const DECISION: u32 = 40;

    fn of(self, set: Set) -> u8 {
        (self.0 >> (8 * set as u32)) as u8
    }

    fn with(self, set: Set, participant: u8) -> Self {
        State(self.0 | 1 << (8 * set as u32 + u32::from(participant)))
    }

    fn without(self, set: Set, participant: u8) -> Self {
        State(self.0 & !(1 << (8 * set as u32 + u32::from(participant))))
    }

    fn has_decided(self, decision: Decision) -> bool {
        self.0 >> Self::DECISION == decision as u64
    }

    fn decide(self, decision: Decision) -> Self {
        State(self.0 | (decision as u64) << Self::DECISION)
    }
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
        let is_open = state.has_decided(Decision::None);
        if is_open {
            if state.of(Set::Heard).count_ones() == u32::from(self.participants) {
                actions.push(Action::Commit);
            }
            actions.push(Action::Abort);
        }
        let everybody = u8::MAX >> (8 - self.participants);
        let [prepared, committed, aborted, told, heard] = Set::ALL.map(|set| state.of(set));
        let may = |is_so: bool, who: u8| if is_so { who & everybody } else { 0 };
        let working = !(prepared | committed | aborted) & everybody;
        let unheard = may(is_open, told & !heard);
        let committing = may(state.has_decided(Decision::Commit), !committed);
        let aborting = may(state.has_decided(Decision::Abort), !aborted);
        let mut left = working | unheard | committing | aborting;
        while left != 0 {
            let participant = left.trailing_zeros() as u8;
            left &= left - 1;
            let is_in = |set: u8| set >> participant & 1 == 1;
            if is_in(unheard) {
                actions.push(Action::Hear(participant));
            }
            if is_in(working) {
                actions.push(Action::Prepare(participant));
                actions.push(Action::Refuse(participant));
            }
            if is_in(committing) {
                actions.push(Action::LearnCommit(participant));
            }
            if is_in(aborting) {
                actions.push(Action::LearnAbort(participant));
            }
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        Some(match action {
            Action::Hear(participant) => state.with(Set::Heard, participant),
            Action::Commit => state.decide(Decision::Commit),
            Action::Abort => state.decide(Decision::Abort),
            Action::Prepare(participant) => {
                state.with(Set::Prepared, participant).with(Set::Told, participant)
            }
            Action::Refuse(participant) => state.with(Set::Aborted, participant),
            Action::LearnCommit(participant) => {
                state.without(Set::Prepared, participant).with(Set::Committed, participant)
            }
            Action::LearnAbort(participant) => {
                state.without(Set::Prepared, participant).with(Set::Aborted, participant)
            }
        })
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties(self)
    }
}

#[rustfmt::skip]
impl System for TwoPhaseCommit {
    fn is_fault(&self, action: &Action) -> bool { matches!(action, Action::Refuse(_)) }
    fn fair_group(&self, _: &Action) -> Option<FairGroup> { None }
    fn is_done(&self, state: &State) -> bool { (state.of(Set::Committed) | state.of(Set::Aborted)).count_ones() == u32::from(self.participants) }
    fn witnesses(&self) -> Vec<Witness<Self>> { Vec::new() }

    fn laws(&self) -> Vec<Law<Self>> {
        vec![Law {
            guarantee: Guarantee::TransactionAtomicity,
            when: When::Always,
            says: "nobody commits what another aborts",
            holds: |_, state| state.of(Set::Committed) == 0 || state.of(Set::Aborted) == 0,
        }]
    }
}
