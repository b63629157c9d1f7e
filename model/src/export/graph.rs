//! The reachable states of a model as a graph, in the order in which the checker numbers them.
//!
//! Each state is kept whole, and of each transition only where it leads and by which of the state's actions: words are
//! found again when they are written. O(transitions) time; a state and twelve bytes a transition of memory.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use super::{Unfinished, Watch};
use crate::engine::{Progress, Signal, Step, System, Trace, When, way_on};

/// The number of a state, from 0, in breadth-first order.
pub(super) type Node = u32;

/// A transition of the graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edge {
    pub(super) from: Node,
    pub(super) to: Node,
    /// The place of the action among those of the state.
    ordinal: u32,
}

/// Every state that was found, and every transition between them.
#[derive(Debug)]
pub(super) struct Graph<S: System> {
    states: Vec<Arc<S::State>>,
    /// By state: the state and action that first led there; an initial state has none.
    origins: Vec<Option<Edge>>,
    /// In the order of the states they leave.
    pub(super) edges: Vec<Edge>,
    /// How many of the first states are initial.
    pub(super) initial_count: usize,
}

/// What is to be said of one state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    /// Whether nothing but faults can go on.
    pub(super) is_quiescent: bool,
    /// Whether the system may stop here.
    pub(super) is_done: bool,
    /// The laws on states that it breaks, by their places.
    pub(super) broken: Vec<usize>,
}

impl Standing {
    /// Whether the work is done and nothing goes on.
    pub(super) fn is_accepted_end(&self) -> bool {
        self.is_quiescent && self.is_done
    }
}

impl<S: System> Graph<S> {
    /// Walks through everything that is reachable.
    ///
    /// # Errors
    /// [`Unfinished`] where a limit ends the walk: a part of a graph is not handed out.
    pub(super) fn of(system: &S, watch: Watch<'_>) -> Result<Self, Unfinished> {
        let mut walk = Walk::begin(system, watch);
        while walk.has_next() {
            // Nobody asks it to end early.
            let _ = walk.expand(&mut |_, _, _| ControlFlow::Continue(()))?;
        }
        Ok(walk.graph)
    }

    /// The states, by number.
    pub(super) fn states(&self) -> impl ExactSizeIterator<Item = &S::State> {
        self.states.iter().map(Arc::as_ref)
    }

    /// The state of this number.
    pub(super) fn state(&self, node: Node) -> &S::State {
        &self.states[node as usize]
    }

    /// The action of a transition.
    pub(super) fn action(&self, system: &S, edge: Edge) -> S::Action {
        let mut actions = Vec::new();
        system.actions(self.state(edge.from), &mut actions);
        actions.swap_remove(edge.ordinal as usize)
    }

    /// What is to be said of a state.
    pub(super) fn standing(system: &S, state: &S::State) -> Standing {
        let is_quiescent = way_on(system, state).is_none();
        let is_broken = |when: &When<S>, holds: fn(&S, &S::State) -> bool| match when {
            When::Always => !holds(system, state),
            When::Quiescent => is_quiescent && !holds(system, state),
            When::Eventually | When::LeadsTo(_) => false,
        };
        let laws = system.laws();
        let broken = laws.iter().enumerate().filter(|(_, law)| is_broken(&law.when, law.holds));
        Standing {
            is_quiescent,
            is_done: system.is_done(state),
            broken: broken.map(|(place, _)| place).collect(),
        }
    }

    /// A shortest path to a state, and from there by one more step.
    fn trace(&self, system: &S, last: Edge, target: S::State) -> Trace<S> {
        let mut edges = vec![last];
        let mut node = last.from;
        while let Some(edge) = self.origins[node as usize] {
            edges.push(edge);
            node = edge.from;
        }
        let mut steps: Vec<_> = edges
            .iter()
            .rev()
            .map(|edge| Step { action: self.action(system, *edge), state: self.state(edge.to).clone() })
            .collect();
        // The last state may not have been numbered when it was found.
        if let Some(step) = steps.last_mut() {
            step.state = target;
        }
        Trace { start: self.state(node).clone(), steps }
    }
}

/// A shortest trace to a transition that `is_met` accepts; `None` if none is reachable.
pub(super) fn shortest_to<S: System>(
    system: &S,
    watch: Watch<'_>,
    is_met: fn(&S, &S::State, &S::Action, &S::State) -> bool,
) -> Result<Option<Trace<S>>, Unfinished> {
    let mut walk = Walk::begin(system, watch);
    while walk.has_next() {
        let seen = walk.expand(&mut |before, action, after| {
            if is_met(system, before, action, after) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })?;
        if let ControlFlow::Break((edge, target)) = seen {
            return Ok(Some(walk.graph.trace(system, edge, target)));
        }
    }
    Ok(None)
}

/// Sees a transition, and says whether to go on.
type Visit<'a, S> = &'a mut dyn FnMut(
    &<S as stateright::Model>::State,
    &<S as stateright::Model>::Action,
    &<S as stateright::Model>::State,
) -> ControlFlow<()>;

struct Walk<'s, 'w, S: System> {
    system: &'s S,
    watch: Watch<'w>,
    started: Instant,
    graph: Graph<S>,
    numbers: HashMap<Arc<S::State>, Node>,
    next: usize,
    /// How many steps away the next state is, and the first of those that are farther away.
    depth: usize,
    level_end: usize,
}

impl<'s, 'w, S: System> Walk<'s, 'w, S> {
    /// How many states are expanded between two looks at the clock and the observer.
    const BLOCK: usize = 512;

    fn begin(system: &'s S, watch: Watch<'w>) -> Self {
        let graph = Graph { states: Vec::new(), origins: Vec::new(), edges: Vec::new(), initial_count: 0 };
        let (started, numbers) = (Instant::now(), HashMap::new());
        let mut walk = Walk { system, watch, started, graph, numbers, next: 0, depth: 0, level_end: 0 };
        for state in system.init_states() {
            walk.number(state, None);
        }
        walk.graph.initial_count = walk.graph.states.len();
        walk.level_end = walk.graph.initial_count;
        walk
    }

    fn has_next(&self) -> bool {
        self.next < self.graph.states.len()
    }

    /// The number of a state, and whether it is a new one.
    fn number(&mut self, state: S::State, origin: Option<Edge>) -> Node {
        if let Some(node) = self.numbers.get(&state) {
            return *node;
        }
        let node = self.graph.states.len() as Node;
        let state = Arc::new(state);
        self.graph.states.push(Arc::clone(&state));
        self.graph.origins.push(origin.map(|edge| Edge { to: node, ..edge }));
        self.numbers.insert(state, node);
        node
    }

    /// Follows every action of the next state; ends early where `visit` says so.
    fn expand(&mut self, visit: Visit<'_, S>) -> Result<ControlFlow<(Edge, S::State)>, Unfinished> {
        if self.next == self.level_end {
            self.depth += 1;
            self.level_end = self.graph.states.len();
        }
        if let Some(max) = self.watch.limits.max_depth.filter(|max| self.depth >= *max) {
            return Err(Unfinished::MaxDepth(max));
        }
        if self.next.is_multiple_of(Self::BLOCK) {
            self.look_up()?;
        }
        let from = self.next as Node;
        self.next += 1;
        let before = Arc::clone(&self.graph.states[from as usize]);
        let mut actions = Vec::new();
        self.system.actions(&before, &mut actions);
        for (ordinal, action) in (0..).zip(actions) {
            let Some(after) = self.system.next_state(&before, action.clone()) else { continue };
            if !self.system.within_boundary(&after) {
                return Err(Unfinished::Boundary);
            }
            let edge = Edge { from, to: from, ordinal };
            if visit(&before, &action, &after).is_break() {
                return Ok(ControlFlow::Break((edge, after)));
            }
            let to = self.number(after, Some(edge));
            self.graph.edges.push(Edge { to, ..edge });
        }
        match self.watch.limits.max_states {
            Some(max) if self.graph.states.len() > max => Err(Unfinished::MaxStates(max)),
            _ => Ok(ControlFlow::Continue(())),
        }
    }

    /// Whether the clock or the observer says to stop.
    fn look_up(&mut self) -> Result<(), Unfinished> {
        let elapsed = self.started.elapsed();
        if self.watch.limits.timeout.is_some_and(|timeout| elapsed >= timeout) {
            return Err(Unfinished::Timeout);
        }
        let state_count = self.graph.states.len();
        let (frontier_count, depth) = (state_count - self.next, self.depth);
        let progress = Progress { state_count, frontier_count, depth, elapsed };
        match (self.watch.observe)(progress) {
            Signal::Continue => Ok(()),
            Signal::OutOfMemory => Err(Unfinished::MaxMemory),
            Signal::Interrupt => Err(Unfinished::Interrupted),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{DomainModel, Preset};
    use crate::engine::{Limits, Options, explore};
    use crate::isolation::Isolation;

    #[test]
    fn a_walk_knows_how_deep_it_is_and_goes_no_deeper_than_it_may() {
        let model = Isolation::preset(Preset::Small);
        let depth = explore(&model, Options::default(), &mut |_| Signal::Continue).depth();
        let walk = |max_depth| {
            let limits = Limits { max_depth, ..Limits::default() };
            Graph::of(&model, Watch { limits, observe: &mut |_| Signal::Continue }).map(|_| ())
        };
        assert_eq!(walk(Some(depth + 1)), Ok(()));
        assert_eq!(walk(Some(depth)), Err(Unfinished::MaxDepth(depth)));
    }
}
