//! Breadth-first search.

use std::collections::BTreeMap;
use std::collections::hash_map::Entry;
use std::time::{Duration, Instant};

use super::fingerprint::{Fingerprint, Table, collision_odds, fingerprint};
use super::graph::{Edge, Graph};
use super::liveness::{Question, lasso};
use super::{System, Trace, When};

/// How far an exploration may go. What is beyond is reported, never passed over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// The most states to visit.
    pub max_states: Option<usize>,
    /// The most steps from an initial state.
    pub max_depth: Option<usize>,
    /// The longest time to run.
    pub timeout: Option<Duration>,
}

/// Why an exploration ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Every reachable state was visited.
    Complete,
    /// [`Limits::max_states`] was hit.
    MaxStates,
    /// [`Limits::max_depth`] was hit.
    MaxDepth,
    /// [`Limits::timeout`] was hit.
    Timeout,
    /// The observer asked to stop.
    Interrupted,
}

/// How far an exploration is, for those who wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// States found.
    pub state_count: usize,
    /// States found and not yet expanded.
    pub frontier_count: usize,
    /// Steps from the initial states.
    pub depth: usize,
    /// Since the start.
    pub elapsed: Duration,
}

/// What the observer of an exploration answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Go on.
    Continue,
    /// Stop here; the exploration is reported as [`Stop::Interrupted`].
    Stop,
}

/// A law that does not hold, and a shortest trace to a state that breaks it.
#[derive(Debug, PartialEq)]
pub struct Violation<S: System> {
    /// The place of the law in [`System::laws`].
    pub law: usize,
    /// How to get there.
    pub trace: Trace<S>,
    /// For a law on infinite behaviours: how many steps lead to the cycle, which are all the others, over and over.
    /// Where there are no others, the system rests there for ever.
    pub cycle_start: Option<usize>,
}

/// What was explored, and what was found.
#[derive(Debug, PartialEq)]
pub struct Exploration<S: System> {
    /// Distinct states visited.
    pub state_count: usize,
    /// States generated: the initial ones and one a transition, as TLC counts them.
    pub generated_count: usize,
    /// Steps to the farthest state.
    pub depth: usize,
    /// Why it ended.
    pub stop: Stop,
    /// The laws that do not hold, in the order of [`System::laws`].
    pub violations: Vec<Violation<S>>,
    /// For each of [`System::witnesses`], whether it was met.
    pub witnesses_met: Vec<bool>,
    /// For each of the laws, in how many states it was checked; none for a law on infinite behaviours if the
    /// exploration is not complete, since nothing can be said of it then.
    pub checked_counts: Vec<usize>,
    /// How often each kind of action was taken.
    pub coverage: BTreeMap<&'static str, u64>,
}

impl<S: System> Exploration<S> {
    /// An upper bound on the chance that a state was missed because two fingerprints were equal.
    pub fn collision_odds(&self) -> f64 {
        collision_odds(self.state_count)
    }
}

/// How many states are expanded between two looks at the clock and the observer.
const STATES_PER_LOOK: usize = 512;

/// Explores `system` and tells `observe` how far it is, every few hundred states.
///
/// # Panics
/// Beyond 2^32 states.
pub fn explore<S: System>(
    system: &S,
    limits: Limits,
    observe: &mut dyn FnMut(Progress) -> Signal,
) -> Exploration<S> {
    let mut search = Search::new(system, limits);
    search.add_initial_states();
    let stop = search.run(observe);
    search.finish(stop)
}

/// How a state was reached: from which state, by which of its actions; an initial state has no parent.
#[derive(Clone, Copy)]
struct Origin {
    parent: u32,
    ordinal: u32,
}

const NO_PARENT: u32 = u32::MAX;

/// What laws on infinite behaviours need of every state.
struct Memory {
    graph: Graph,
    fingerprints: Vec<Fingerprint>,
    /// For each such law, its place, and for each state whether the goal is owed from it, and whether it is met.
    promises: Vec<(usize, Vec<bool>, Vec<bool>)>,
}

struct Search<'a, S: System> {
    system: &'a S,
    laws: Vec<super::Law<S>>,
    witnesses: Vec<super::Witness<S>>,
    limits: Limits,
    started: Instant,
    seen: Table<u32>,
    memory: Option<Memory>,
    origins: Vec<Origin>,
    frontier: Vec<(u32, S::State)>,
    next_frontier: Vec<(u32, S::State)>,
    generated_count: usize,
    depth: usize,
    broken_at: Vec<Option<u32>>,
    witnesses_met: Vec<bool>,
    checked_counts: Vec<usize>,
    coverage: BTreeMap<&'static str, u64>,
}

impl<'a, S: System> Search<'a, S> {
    fn new(system: &'a S, limits: Limits) -> Self {
        let laws = system.laws();
        let witnesses = system.witnesses();
        let live = laws.iter().enumerate().filter(|(_, law)| law.when.is_liveness());
        let promises: Vec<_> = live.map(|(place, _)| (place, Vec::new(), Vec::new())).collect();
        let memory = (!promises.is_empty()).then(|| Memory {
            graph: Graph::default(),
            fingerprints: Vec::new(),
            promises,
        });
        Search {
            memory,
            system,
            limits,
            started: Instant::now(),
            seen: Table::default(),
            origins: Vec::new(),
            frontier: Vec::new(),
            next_frontier: Vec::new(),
            generated_count: 0,
            depth: 0,
            broken_at: vec![None; laws.len()],
            witnesses_met: vec![false; witnesses.len()],
            checked_counts: vec![0; laws.len()],
            coverage: system.action_kinds().iter().map(|kind| (*kind, 0)).collect(),
            laws,
            witnesses,
        }
    }

    fn add_initial_states(&mut self) {
        for (ordinal, state) in self.system.init_states().into_iter().enumerate() {
            self.visit(Origin { parent: NO_PARENT, ordinal: ordinal as u32 }, state);
        }
        std::mem::swap(&mut self.frontier, &mut self.next_frontier);
    }

    fn run(&mut self, observe: &mut dyn FnMut(Progress) -> Signal) -> Stop {
        while !self.frontier.is_empty() {
            if self.limits.max_depth == Some(self.depth) {
                return Stop::MaxDepth;
            }
            let level = std::mem::take(&mut self.frontier);
            for (place, (index, state)) in level.iter().enumerate() {
                if place % STATES_PER_LOOK == 0
                    && let Some(stop) = self.look_up(level.len() - place, observe)
                {
                    return stop;
                }
                if self.limits.max_states.is_some_and(|max| self.origins.len() >= max) {
                    return Stop::MaxStates;
                }
                self.expand(*index, state);
            }
            std::mem::swap(&mut self.frontier, &mut self.next_frontier);
            self.depth += usize::from(!self.frontier.is_empty());
        }
        Stop::Complete
    }

    /// Whether the clock or the observer says to stop.
    fn look_up(&self, left_count: usize, observe: &mut dyn FnMut(Progress) -> Signal) -> Option<Stop> {
        let elapsed = self.started.elapsed();
        if self.limits.timeout.is_some_and(|timeout| elapsed >= timeout) {
            return Some(Stop::Timeout);
        }
        let frontier_count = left_count + self.next_frontier.len();
        let progress =
            Progress { state_count: self.origins.len(), frontier_count, depth: self.depth, elapsed };
        (observe(progress) == Signal::Stop).then_some(Stop::Interrupted)
    }

    fn expand(&mut self, index: u32, state: &S::State) {
        let mut actions = Vec::new();
        self.system.actions(state, &mut actions);
        let mut is_quiescent = true;
        let mut edges = Vec::new();
        for (ordinal, action) in actions.into_iter().enumerate() {
            let kind = self.system.kind(&action);
            let is_fault = self.system.is_fault(&action);
            let Some(next) = self.system.next_state(state, action.clone()) else { continue };
            if !self.system.within_boundary(&next) {
                continue;
            }
            *self.coverage.entry(kind).or_default() += 1;
            for (witness, is_met) in self.witnesses.iter().zip(&mut self.witnesses_met) {
                *is_met = *is_met || (witness.is_met)(self.system, state, &action, &next);
            }
            // A step that changes nothing is no way to go on.
            let changes = next != *state;
            is_quiescent &= is_fault || !changes;
            let to = self.visit(Origin { parent: index, ordinal: ordinal as u32 }, next);
            if changes && self.memory.is_some() {
                edges.push(Edge { to, group: self.system.fair_group(&action) });
            }
        }
        if let Some(memory) = &mut self.memory {
            memory.graph.expand(edges);
        }
        if is_quiescent {
            self.check(|when| matches!(when, When::Quiescent), index, state);
        }
    }

    fn visit(&mut self, origin: Origin, state: S::State) -> u32 {
        self.generated_count += 1;
        let fingerprint = fingerprint(&state);
        let index = u32::try_from(self.origins.len()).expect("fewer than 2^32 states fit into memory");
        match self.seen.entry(fingerprint) {
            Entry::Occupied(seen) => return *seen.get(),
            Entry::Vacant(unseen) => unseen.insert(index),
        };
        self.origins.push(origin);
        self.check(|when| matches!(when, When::Always), index, &state);
        if let Some(memory) = &mut self.memory {
            memory.fingerprints.push(fingerprint);
            for (place, is_from, is_goal) in &mut memory.promises {
                let law = &self.laws[*place];
                is_goal.push((law.holds)(self.system, &state));
                is_from.push(match law.when {
                    When::LeadsTo(from) => from(self.system, &state),
                    _ => origin.parent == NO_PARENT,
                });
            }
        }
        self.next_frontier.push((index, state));
        index
    }

    fn check(&mut self, is_now: fn(&When<S>) -> bool, index: u32, state: &S::State) {
        for (place, law) in self.laws.iter().enumerate().filter(|(_, law)| is_now(&law.when)) {
            self.checked_counts[place] += 1;
            if self.broken_at[place].is_none() && !(law.holds)(self.system, state) {
                self.broken_at[place] = Some(index);
            }
        }
    }

    /// The violations of laws on infinite behaviours; the graph must be complete.
    fn lassos(&mut self) -> Vec<Violation<S>> {
        let Some(memory) = self.memory.take() else { return Vec::new() };
        let is_initial = |index: &u32| self.origins[*index as usize].parent == NO_PARENT;
        let initial: Vec<u32> = (0..self.origins.len() as u32).take_while(is_initial).collect();
        let mut violations = Vec::new();
        for (law, is_from, is_goal) in &memory.promises {
            self.checked_counts[*law] = self.origins.len();
            let question = Question { initial: &initial, is_from, is_goal };
            let Some(lasso) = lasso(&memory.graph, &question) else { continue };
            let start = self.origins[lasso.stem[0] as usize].ordinal as usize;
            let path = lasso.stem[1..].iter().chain(&lasso.cycle);
            let fingerprints = path.map(|node| memory.fingerprints[*node as usize]);
            let trace = Trace::follow(self.system, start, fingerprints);
            violations.push(Violation { law: *law, trace, cycle_start: Some(lasso.stem.len() - 1) });
        }
        violations
    }

    fn trace_to(&self, index: u32) -> Trace<S> {
        let mut ordinals = Vec::new();
        let mut origin = self.origins[index as usize];
        while origin.parent != NO_PARENT {
            ordinals.push(origin.ordinal);
            origin = self.origins[origin.parent as usize];
        }
        ordinals.reverse();
        Trace::replay(self.system, origin.ordinal as usize, &ordinals)
    }

    fn finish(mut self, stop: Stop) -> Exploration<S> {
        let broken =
            self.broken_at.iter().enumerate().filter_map(|(law, index)| index.map(|index| (law, index)));
        let finite = |(law, index)| Violation { law, trace: self.trace_to(index), cycle_start: None };
        let mut violations: Vec<_> = broken.map(finite).collect();
        if stop == Stop::Complete {
            violations.extend(self.lassos());
        }
        violations.sort_by_key(|violation| violation.law);
        Exploration {
            state_count: self.origins.len(),
            generated_count: self.generated_count,
            depth: self.depth,
            stop,
            violations,
            witnesses_met: self.witnesses_met,
            checked_counts: self.checked_counts,
            coverage: self.coverage,
        }
    }
}
