//! A path through a model.

use super::graph::Node;
use super::{FairGroup, System, way_on};

/// One transition.
#[derive(Clone, Debug, PartialEq)]
pub struct Step<A, S> {
    /// What was done.
    pub action: A,
    /// Where it led.
    pub state: S,
}

/// A path from an initial state; every step is a transition of the model.
#[derive(Debug, PartialEq)]
pub struct Trace<S: System> {
    /// Where it starts.
    pub start: S::State,
    /// What happens.
    pub steps: Vec<Step<S::Action, S::State>>,
}

impl<S: System> Trace<S> {
    /// Walks from the `start`-th initial state, taking at each state the action of the given ordinal.
    ///
    /// # Panics
    /// If `ordinals` is not a path of `system`; the explorer's own paths always are.
    pub(super) fn replay(system: &S, start: usize, ordinals: &[u32]) -> Self {
        let start = system.init_states().swap_remove(start);
        let mut trace = Trace { start, steps: Vec::with_capacity(ordinals.len()) };
        for ordinal in ordinals {
            let mut actions = Vec::new();
            system.actions(trace.last(), &mut actions);
            let action = actions.swap_remove(*ordinal as usize);
            let state =
                system.next_state(trace.last(), action.clone()).expect("the explorer took this action");
            trace.steps.push(Step { action, state });
        }
        trace
    }

    /// Walks from the `start`-th initial state by the states of the given places, each by an action of the given fair
    /// group, where one is given: two actions may lead to the same state, and only one of them be fair.
    ///
    /// # Panics
    /// If there is no such path; the explorer's own lassos are paths.
    pub(super) fn follow(
        system: &S,
        start: usize,
        path: impl IntoIterator<Item = (Node, Option<Option<FairGroup>>)>,
        place_of: &mut dyn FnMut(&S::State) -> Option<Node>,
    ) -> Self {
        let start = system.init_states().swap_remove(start);
        let mut trace = Trace { start, steps: Vec::new() };
        for (wanted, group) in path {
            let before = trace.last();
            let mut actions = Vec::new();
            system.actions(before, &mut actions);
            let step = actions.into_iter().find_map(|action| {
                let is_of_group = group.is_none_or(|group| system.fair_group(&action) == group);
                let state = system.next_state(before, action.clone()).filter(|_| is_of_group)?;
                (place_of(&state) == Some(wanted)).then_some(Step { action, state })
            });
            trace.steps.push(step.expect("the explorer took this step"));
        }
        trace
    }

    /// The same, and then what the system does by itself until it rests, or `max` steps of that: nobody stops a running
    /// system at the first broken promise, and some show only in what comes after.
    #[must_use]
    pub fn to_rest(&self, system: &S, max: usize) -> Self {
        let mut whole = Trace { start: self.start.clone(), steps: self.steps.clone() };
        for _ in 0..max {
            let Some((action, state)) = way_on(system, whole.last()) else { break };
            whole.steps.push(Step { action, state });
        }
        whole
    }

    /// Where it ends.
    pub fn last(&self) -> &S::State {
        self.steps.last().map_or(&self.start, |step| &step.state)
    }

    /// Each step with the state before it.
    pub fn transitions(&self) -> impl Iterator<Item = (&S::State, &S::Action, &S::State)> {
        let before = std::iter::once(&self.start).chain(self.steps.iter().map(|step| &step.state));
        before.zip(&self.steps).map(|(before, step)| (before, &step.action, &step.state))
    }
}
