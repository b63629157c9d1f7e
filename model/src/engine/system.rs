//! What the checker asks of a model beyond stateright's `Model`.

use std::fmt::Debug;
use std::hash::Hash;

use lawspeaker_history::{Guarantee, Op};
use stateright::{Model, Property};

/// A model that can be checked and explained.
///
/// `Model::actions` and `Model::next_state` are the transition relation; they must be deterministic, and may
/// depend on nothing but the state. Faults are actions like any other, budgeted in the state.
pub trait System: Model<State: Clone + Debug + Eq + Hash, Action: Clone + Debug + PartialEq> + Sized {
    /// Whether the environment does this, and not the system: nothing may rely on its happening.
    fn is_fault(&self, action: &Self::Action) -> bool;

    /// Whether the system may stop here: its work is done.
    fn is_done(&self, state: &Self::State) -> bool;

    /// What must hold.
    fn laws(&self) -> Vec<Law<Self>>;

    /// What must happen somewhere, lest the laws hold for want of anything happening.
    fn witnesses(&self) -> Vec<Witness<Self>>;

    /// The name of an action's kind, for coverage: one of [`System::action_kinds`].
    fn kind(&self, action: &Self::Action) -> &'static str;

    /// Every kind of action this model has.
    fn action_kinds(&self) -> &'static [&'static str];

    /// One step in words.
    fn tell(&self, before: &Self::State, action: &Self::Action, after: &Self::State) -> Telling;

    /// What a reader should see of a state, a line each.
    fn picture(&self, state: &Self::State) -> Vec<String>;

    /// What an observer records before the first step: what the model takes for granted.
    fn opening_ops(&self, state: &Self::State) -> Vec<Op>;

    /// One step as an observer of the running system would record it.
    fn ops(&self, before: &Self::State, action: &Self::Action, after: &Self::State) -> Vec<Op>;

    /// What an observer records at the end, when it reads everything that is there.
    fn closing_ops(&self, state: &Self::State) -> Vec<Op>;
}

/// A step in words: who did what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Telling {
    /// Who, such as `producer 0`.
    pub who: String,
    /// What, from the verb on.
    pub what: String,
}

impl Telling {
    /// `who` does `what`.
    pub fn new(who: impl Into<String>, what: impl Into<String>) -> Self {
        Telling { who: who.into(), what: what.into() }
    }
}

/// In which states a law is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum When {
    /// In every state.
    Always,
    /// In every state in which only faults can go on.
    Quiescent,
}

/// A property that must hold, and the guarantee that it makes precise.
#[derive(Debug)]
pub struct Law<S: System> {
    /// The promise.
    pub guarantee: Guarantee,
    /// Where it is checked.
    pub when: When,
    /// What exactly it says of this model.
    pub says: &'static str,
    /// Whether a state keeps it.
    pub holds: fn(&S, &S::State) -> bool,
}

/// A transition that must be reachable.
#[derive(Debug)]
pub struct Witness<S: System> {
    /// What happens there.
    pub says: &'static str,
    /// Whether a transition is one: state, action, next state.
    pub is_met: fn(&S, &S::State, &S::Action, &S::State) -> bool,
}

/// The laws that hold in every state, as stateright's own checkers and Explorer read them.
pub fn properties<S: System>(system: &S) -> Vec<Property<S>> {
    let always = system.laws().into_iter().filter(|law| law.when == When::Always);
    always.map(|law| Property::always(law.guarantee.title(), law.holds)).collect()
}
