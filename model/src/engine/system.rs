//! What the checker asks of a model beyond stateright's `Model`.

use std::fmt::{self, Debug};
use std::hash::Hash;

use lawspeaker_history::{Guarantee, Op};
use stateright::{Model, Property};

/// A model that can be checked and explained.
///
/// `Model::actions` and `Model::next_state` are the transition relation; they must be deterministic, and may
/// depend on nothing but the state. Faults are actions like any other, budgeted in the state.
pub trait System:
    Model<State: Clone + Debug + Eq + Hash + Send + Sync, Action: Clone + Debug + PartialEq> + Sized + Sync
{
    /// Whether the environment does this, and not the system: nothing may rely on its happening.
    fn is_fault(&self, action: &Self::Action) -> bool;

    /// The weakly fair group that an action belongs to: if the group stays enabled, one of its actions is taken in the
    /// end. `None` for what may be put off for ever, as every fault may.
    fn fair_group(&self, action: &Self::Action) -> Option<FairGroup>;

    /// Whether the system may stop here: its work is done. Read by [`Law::no_deadlock`].
    fn is_done(&self, state: &Self::State) -> bool;

    /// What must hold.
    fn laws(&self) -> Vec<Law<Self>>;

    /// What must happen somewhere, lest the laws hold for want of anything happening.
    fn witnesses(&self) -> Vec<Witness<Self>>;

    /// The state that stands for all those that differ from `state` only by the names of interchangeable parts: the
    /// same for all of them, and one of them. `None` if the model has no such parts.
    ///
    /// Sound if renaming changes neither what can be done nor what the laws and witnesses say (Ip and Dill, *Better
    /// verification through symmetry*, 1996).
    fn representative(&self, _: &Self::State) -> Option<Self::State> {
        None
    }

    /// The name of an action's kind, for coverage: one of [`System::action_kinds`].
    fn kind(&self, _: &Self::Action) -> &'static str {
        "step"
    }

    /// Every kind of action this model has.
    fn action_kinds(&self) -> &'static [&'static str] {
        &["step"]
    }
}

/// What a model says of itself: its steps and states in words, and as an observer would record them.
///
/// The explorer needs none of it; reports, blame and exports do.
pub trait Words: System {
    /// One step in words.
    fn tell(&self, before: &Self::State, action: &Self::Action, after: &Self::State) -> Telling;

    /// What a reader should see of a state, a line each.
    fn picture(&self, state: &Self::State) -> Vec<String>;

    /// The variables of a state, by the names that the specification gives them; values as JSON. By default the
    /// whole state is one variable.
    fn variables(&self, state: &Self::State) -> Variables {
        Variables::from_iter([("state".to_owned(), format!("{state:?}").into())])
    }

    /// Who waits for what in a state in which nothing but faults can happen any more, a line each.
    fn waits(&self, state: &Self::State) -> Vec<String>;

    /// What an observer records before the first step: what the model takes for granted.
    fn opening_ops(&self, state: &Self::State) -> Vec<Op>;

    /// One step as an observer of the running system would record it.
    fn ops(&self, before: &Self::State, action: &Self::Action, after: &Self::State) -> Vec<Op>;

    /// What an observer records at the end, when it reads everything that is there.
    fn closing_ops(&self, state: &Self::State) -> Vec<Op>;
}

/// Variables by name.
pub type Variables = serde_json::Map<String, serde_json::Value>;

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

/// Where a law is checked.
pub enum When<S: System> {
    /// In every state.
    Always,
    /// In every state in which only faults can go on.
    Quiescent,
    /// On every fair behaviour from an initial state: in the end, some state keeps it.
    Eventually,
    /// On every fair behaviour from a state that satisfies the condition: in the end, some state keeps it.
    LeadsTo(fn(&S, &S::State) -> bool),
}

impl<S: System> When<S> {
    /// Whether it speaks of infinite behaviours.
    pub fn is_liveness(&self) -> bool {
        matches!(self, When::Eventually | When::LeadsTo(_))
    }
}

impl<S: System> Debug for When<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            When::Always => "Always",
            When::Quiescent => "Quiescent",
            When::Eventually => "Eventually",
            When::LeadsTo(_) => "LeadsTo",
        })
    }
}

/// A group of actions that a behaviour is weakly fair to: it is not enabled for ever without being taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FairGroup(u8);

impl FairGroup {
    /// How many groups a model may have.
    pub const COUNT: u8 = 128;

    /// The group `number`.
    ///
    /// # Panics
    /// From [`FairGroup::COUNT`] on.
    pub fn new(number: u8) -> Self {
        assert!(number < Self::COUNT, "a model has at most {} fair groups", Self::COUNT);
        FairGroup(number)
    }

    /// Its number.
    pub fn get(self) -> u8 {
        self.0
    }
}

/// A property that must hold, and the guarantee that it makes precise.
#[derive(Debug)]
pub struct Law<S: System> {
    /// The promise.
    pub guarantee: Guarantee,
    /// Where it is checked.
    pub when: When<S>,
    /// What exactly it says of this model.
    pub says: &'static str,
    /// Whether a state keeps it.
    pub holds: fn(&S, &S::State) -> bool,
}

impl<S: System> Law<S> {
    /// No deadlock: where nothing but faults can happen any more, [`System::is_done`].
    pub fn no_deadlock(says: &'static str) -> Self {
        let holds = |system: &S, state: &S::State| system.is_done(state);
        Law { guarantee: Guarantee::NoDeadlock, when: When::Quiescent, says, holds }
    }
}

/// A transition that must be reachable.
#[derive(Debug)]
pub struct Witness<S: System> {
    /// What happens there.
    pub says: &'static str,
    /// Whether a transition is one: state, action, next state.
    pub is_met: fn(&S, &S::State, &S::Action, &S::State) -> bool,
}

/// The first step that the system itself can take and that changes something; `None` in a quiescent state.
pub fn way_on<S: System>(system: &S, state: &S::State) -> Option<(S::Action, S::State)> {
    let mut actions = Vec::new();
    system.actions(state, &mut actions);
    actions.into_iter().filter(|action| !system.is_fault(action)).find_map(|action| {
        let next = system.next_state(state, action.clone()).filter(|next| next != state)?;
        Some((action, next))
    })
}

/// The laws that hold in every state, as stateright's own checkers read them.
pub fn properties<S: System>(system: &S) -> Vec<Property<S>> {
    let mut laws = system.laws();
    laws.retain(|law| matches!(law.when, When::Always));
    names(&laws).zip(&laws).map(|(name, law)| Property::always(name, law.holds)).collect()
}

/// A name for each of some laws, for those who know laws by name: the title of the guarantee, or what exactly the law says
/// where others have the same title.
pub(crate) fn names<S: System>(laws: &[Law<S>]) -> impl Iterator<Item = &'static str> {
    laws.iter().map(|law| {
        let is_alone = laws.iter().filter(|other| other.guarantee == law.guarantee).count() == 1;
        if is_alone { law.guarantee.title() } else { law.says }
    })
}
