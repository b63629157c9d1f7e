//! Breadth-first search.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use super::expand::{Expander, Expansion, Placed, Tally};
use super::graph::{Edge, Graph, Node};
use super::liveness::{Question, lasso};
use super::visited::{Fingerprint, Visited, collision_odds, fingerprint};
use super::{System, Trace, When};

/// How far an exploration may go. What is beyond is reported, never passed over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// About the most states to visit; the last ones may bring a few more.
    pub max_states: Option<usize>,
    /// The most steps from an initial state.
    pub max_depth: Option<usize>,
    /// The longest time to run.
    pub timeout: Option<Duration>,
}

/// How to explore; none of it changes what is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// How far to go.
    pub limits: Limits,
    /// How many threads expand states, from 1.
    pub threads: usize,
    /// Whether to keep whole states instead of fingerprints: more memory, and no odds of a mistake.
    pub is_exact: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options { limits: Limits::default(), threads: 1, is_exact: false }
    }
}

/// Why an exploration ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Every reachable state was visited.
    Complete,
    /// Every state within the boundary that the model itself draws was visited, and some steps lead out of it.
    Boundary,
    /// [`Limits::max_states`] was hit.
    MaxStates,
    /// [`Limits::max_depth`] was hit.
    MaxDepth,
    /// [`Limits::timeout`] was hit.
    Timeout,
    /// The observer saw that memory runs out.
    MaxMemory,
    /// The observer was told to stop.
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
    /// Stop here, for lack of memory: [`Stop::MaxMemory`].
    OutOfMemory,
    /// Stop here, because somebody said so: [`Stop::Interrupted`].
    Interrupt,
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
    /// Distinct states by their distance from the initial ones; the last is the depth.
    pub levels: Vec<usize>,
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
    /// An upper bound on the chance that a state was missed because two fingerprints were equal; 0 if exact.
    pub collision_odds: f64,
}

impl<S: System> Exploration<S> {
    /// Steps to the farthest state.
    pub fn depth(&self) -> usize {
        self.levels.len().saturating_sub(1)
    }
}

/// Explores `system` and tells `observe` how far it is, many times a second.
///
/// Counts, verdicts and traces are the same for any number of threads.
///
/// # Panics
/// Beyond 2^32 states, beyond 64 laws, and where the model panics.
pub fn explore<S: System>(
    system: &S,
    options: Options,
    observe: &mut dyn FnMut(Progress) -> Signal,
) -> Exploration<S> {
    explore_with_hash(system, options, fingerprint, observe)
}

/// The same with another hash than the engine's own, to show what a weak one loses.
#[doc(hidden)]
pub fn explore_with_hash<S: System>(
    system: &S,
    options: Options,
    hash: fn(&S::State) -> u128,
    observe: &mut dyn FnMut(Progress) -> Signal,
) -> Exploration<S> {
    let mut search = Search::new(system, options, hash);
    search.add_initial_states();
    let stop = search.run(observe);
    search.finish(stop)
}

/// How a state was reached: from which state, by which of its actions; an initial state has no parent.
#[derive(Clone, Copy)]
struct Origin {
    parent: Node,
    ordinal: u32,
}

const NO_PARENT: Node = Node::MAX;

/// The most states that are expanded between two looks at the clock and the observer: so few that their successors
/// stay in a core's cache until they are merged, so many that handing them to threads does not matter.
const BLOCK: usize = 2048;

struct Search<'a, S: System> {
    expander: Expander<'a, S>,
    options: Options,
    started: Instant,
    visited: Visited<S::State>,
    origins: Vec<Origin>,
    /// The states of this level that are not expanded yet, and those of the next.
    frontier: VecDeque<Placed<S>>,
    next_frontier: VecDeque<Placed<S>>,
    levels: Vec<usize>,
    generated_count: usize,
    broken_at: Vec<Option<Node>>,
    checked_counts: Vec<usize>,
    tally: Tally,
    promises: Option<Promises>,
}

/// What laws on infinite behaviours need of every state, by law as bits.
#[derive(Default)]
struct Promises {
    graph: Graph,
    owed: Vec<u64>,
    met: Vec<u64>,
}

impl<'a, S: System> Search<'a, S> {
    fn new(system: &'a S, options: Options, hash: fn(&S::State) -> Fingerprint) -> Self {
        let (laws, witnesses, kinds) = (system.laws(), system.witnesses(), system.action_kinds());
        assert!(laws.len() <= 64, "laws are bits of a word");
        let expander = Expander { system, laws, witnesses, kinds, hash };
        Search {
            options,
            started: Instant::now(),
            visited: Visited::new(options.is_exact),
            origins: Vec::new(),
            frontier: VecDeque::new(),
            next_frontier: VecDeque::new(),
            levels: Vec::new(),
            generated_count: 0,
            broken_at: vec![None; expander.laws.len()],
            checked_counts: vec![0; expander.laws.len()],
            tally: expander.empty_tally(),
            promises: expander.laws.iter().any(|law| law.when.is_liveness()).then(Promises::default),
            expander,
        }
    }

    fn add_initial_states(&mut self) {
        for (ordinal, state) in self.expander.system.init_states().into_iter().enumerate() {
            if !self.expander.system.within_boundary(&state) {
                self.tally.cut_count += 1;
                continue;
            }
            let fingerprint = (self.expander.hash)(&state);
            self.visit(Origin { parent: NO_PARENT, ordinal: ordinal as u32 }, fingerprint, state);
        }
    }

    fn run(&mut self, observe: &mut dyn FnMut(Progress) -> Signal) -> Stop {
        while !self.next_frontier.is_empty() {
            self.frontier = std::mem::take(&mut self.next_frontier);
            self.levels.push(self.frontier.len());
            if self.options.limits.max_depth.is_some_and(|max| self.levels.len() > max) {
                return Stop::MaxDepth;
            }
            while !self.frontier.is_empty() {
                if let Some(stop) = self.look_up(observe) {
                    return stop;
                }
                self.expand_block();
            }
        }
        match self.tally.cut_count {
            // The search for lassos takes time too, and nobody is asked while it runs: ask once more before it.
            0 if self.promises.is_some() => self.look_up_at_end(observe).unwrap_or(Stop::Complete),
            0 => Stop::Complete,
            _ => Stop::Boundary,
        }
    }

    /// As [`Self::look_up`], where everything is visited and a limit on states no longer matters.
    fn look_up_at_end(&self, observe: &mut dyn FnMut(Progress) -> Signal) -> Option<Stop> {
        self.look_up(observe).filter(|stop| *stop != Stop::MaxStates)
    }

    /// Whether a limit or the observer says to stop.
    fn look_up(&self, observe: &mut dyn FnMut(Progress) -> Signal) -> Option<Stop> {
        let Limits { max_states, timeout, .. } = self.options.limits;
        let elapsed = self.started.elapsed();
        if max_states.is_some_and(|max| self.origins.len() >= max) {
            return Some(Stop::MaxStates);
        }
        if timeout.is_some_and(|timeout| elapsed >= timeout) {
            return Some(Stop::Timeout);
        }
        let signal = observe(Progress {
            state_count: self.origins.len(),
            frontier_count: self.frontier.len() + self.next_frontier.len(),
            depth: self.levels.len().saturating_sub(1),
            elapsed,
        });
        match signal {
            Signal::Continue => None,
            Signal::OutOfMemory => Some(Stop::MaxMemory),
            Signal::Interrupt => Some(Stop::Interrupted),
        }
    }

    /// Expands the first states of the frontier, few where the limit on states is near.
    fn expand_block(&mut self) {
        let left =
            self.options.limits.max_states.map_or(usize::MAX, |max| max.saturating_sub(self.origins.len()));
        let count = (left / 16).clamp(1, BLOCK).min(self.frontier.len());
        let block: Vec<_> = self.frontier.drain(..count).collect();
        let (expansions, tally) = self.expander.expand_all(&block, self.options.threads.max(1));
        self.tally.add(&tally);
        for ((node, _), expansion) in block.iter().zip(expansions) {
            self.merge(*node, expansion);
        }
    }

    fn merge(&mut self, node: Node, expansion: Expansion<S::State>) {
        self.note(node, &expansion);
        let keeps_edges = self.promises.is_some();
        let mut edges = Vec::new();
        for successor in expansion.successors {
            let origin = Origin { parent: node, ordinal: successor.ordinal };
            let to = self.visit(origin, successor.fingerprint, successor.state);
            if keeps_edges && successor.is_change {
                edges.push(Edge { to, group: successor.group });
            }
        }
        if let Some(promises) = &mut self.promises {
            promises.graph.expand(edges);
            promises.owed.push(expansion.owed);
            promises.met.push(expansion.met);
        }
    }

    fn note(&mut self, node: Node, judged: &Expansion<S::State>) {
        for place in 0..self.broken_at.len() {
            self.checked_counts[place] += usize::from(judged.checked & (1 << place) != 0);
            if judged.broken & (1 << place) != 0 && self.broken_at[place].is_none() {
                self.broken_at[place] = Some(node);
            }
        }
    }

    fn visit(&mut self, origin: Origin, fingerprint: Fingerprint, state: S::State) -> Node {
        self.generated_count += 1;
        let place = Node::try_from(self.origins.len()).expect("fewer than 2^32 states fit into memory");
        let (node, is_new) = self.visited.insert(fingerprint, &state, place);
        if is_new {
            self.origins.push(origin);
            self.next_frontier.push_back((node, state));
        }
        node
    }

    fn trace_to(&self, node: Node) -> Trace<S> {
        let mut ordinals = Vec::new();
        let mut origin = self.origins[node as usize];
        while origin.parent != NO_PARENT {
            ordinals.push(origin.ordinal);
            origin = self.origins[origin.parent as usize];
        }
        ordinals.reverse();
        Trace::replay(self.expander.system, origin.ordinal as usize, &ordinals)
    }

    /// The violations of laws on infinite behaviours; the graph must be complete.
    fn lassos(&mut self) -> Vec<Violation<S>> {
        let Some(promises) = self.promises.take() else { return Vec::new() };
        let is_initial = |node: &Node| self.origins[*node as usize].parent == NO_PARENT;
        let initial: Vec<Node> = (0..self.origins.len() as Node).take_while(is_initial).collect();
        let mut violations = Vec::new();
        for (place, law) in self.expander.laws.iter().enumerate().filter(|(_, law)| law.when.is_liveness()) {
            self.checked_counts[place] = self.origins.len();
            let is_goal: Vec<bool> = promises.met.iter().map(|met| met & (1 << place) != 0).collect();
            let is_from: Vec<bool> = match law.when {
                When::LeadsTo(_) => promises.owed.iter().map(|owed| owed & (1 << place) != 0).collect(),
                _ => (0..self.origins.len() as Node).map(|node| is_initial(&node)).collect(),
            };
            let question = Question { initial: &initial, is_from: &is_from, is_goal: &is_goal };
            if let Some(lasso) = lasso(&promises.graph, &question) {
                let start = self.origins[lasso.stem[0] as usize].ordinal as usize;
                let stem = lasso.stem[1..].iter().map(|node| (*node, None));
                let cycle = lasso.cycle.iter().map(|(node, group)| (*node, Some(*group)));
                let path = stem.chain(cycle);
                let find = |state: &S::State| self.visited.find((self.expander.hash)(state), state);
                let trace = Trace::follow(self.expander.system, start, path, &find);
                violations.push(Violation { law: place, trace, cycle_start: Some(lasso.stem.len() - 1) });
            }
        }
        violations
    }

    fn finish(mut self, stop: Stop) -> Exploration<S> {
        // What was found and never expanded is checked all the same, as far as a state says by itself.
        let left =
            std::mem::take(&mut self.frontier).into_iter().chain(std::mem::take(&mut self.next_frontier));
        for (node, state) in left {
            self.note(node, &self.expander.judge(&state, false));
        }
        let broken = self.broken_at.iter().enumerate().filter_map(|(law, node)| node.map(|node| (law, node)));
        let finite = |(law, node)| Violation { law, trace: self.trace_to(node), cycle_start: None };
        let mut violations: Vec<_> = broken.map(finite).collect();
        if stop == Stop::Complete {
            violations.extend(self.lassos());
        }
        violations.sort_by_key(|violation| violation.law);
        let state_count = self.origins.len();
        Exploration {
            state_count,
            generated_count: self.generated_count,
            levels: self.levels,
            stop,
            violations,
            witnesses_met: self.tally.is_met,
            checked_counts: self.checked_counts,
            coverage: self.expander.kinds.iter().copied().zip(self.tally.taken).collect(),
            collision_odds: if self.options.is_exact { 0.0 } else { collision_odds(state_count) },
        }
    }
}
