//! Breadth-first search.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::expand::{Expander, Judged, Run, Tally};
use super::fingerprint::{Fingerprint, Fingerprinter};
use super::frontier::Frontier;
use super::graph::{Edge, Graph, Node};
use super::liveness::{Question, Turn, lasso};
use super::origins::Origins;
use super::threads::on_threads;
use super::visited::{Visited, collision_odds};
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

/// How to explore. None of it changes what is found, except that some of it leaves something undecided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// How far to go.
    pub limits: Limits,
    /// How many threads expand states, from 1.
    pub threads: usize,
    /// Whether to keep whole states instead of fingerprints: more memory, and no odds of a mistake.
    pub is_exact: bool,
    /// Whether to leave laws on infinite behaviours undecided, which saves keeping the graph.
    pub is_safety_only: bool,
    /// Whether to visit one state for all that differ by the names of interchangeable parts, as
    /// [`System::representative`] says. Laws on infinite behaviours are left undecided: fairness is to parts by name.
    pub uses_symmetry: bool,
}

impl Options {
    /// Whether laws on infinite behaviours are left undecided.
    pub fn skips_liveness(&self) -> bool {
        self.is_safety_only || self.uses_symmetry
    }
}

impl Default for Options {
    fn default() -> Self {
        Options {
            limits: Limits::default(),
            threads: 1,
            is_exact: false,
            is_safety_only: false,
            uses_symmetry: false,
        }
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
    /// The most states that were found and not yet expanded at a time.
    pub frontier_peak: usize,
    /// Why it ended.
    pub stop: Stop,
    /// The laws that do not hold, in the order of [`System::laws`].
    pub violations: Vec<Violation<S>>,
    /// For each of [`System::witnesses`], whether it was met.
    pub witnesses_met: Vec<bool>,
    /// For each of the laws, in how many states it was checked; none for a law on infinite behaviours if the
    /// exploration is not complete, since nothing can be said of it then, or if such laws were left out.
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
    explore_with_hash(system, options, |fingerprint| fingerprint, observe)
}

/// The same with fingerprints that are weakened first, to show what a weak hash loses.
#[doc(hidden)]
pub fn explore_with_hash<S: System>(
    system: &S,
    options: Options,
    weaken: fn(u128) -> u128,
    observe: &mut dyn FnMut(Progress) -> Signal,
) -> Exploration<S> {
    let mut search = Search::new(system, options, weaken);
    search.add_initial_states();
    let stop = search.run(observe);
    search.finish(stop)
}

/// How many states are expanded at once: so few that their successors stay in a core's cache until they are merged.
const RUN: usize = 256;

struct Search<'a, S: System> {
    expander: Expander<'a, S>,
    options: Options,
    started: Instant,
    visited: Visited<S::State>,
    origins: Origins,
    /// The states of this level that are not expanded yet, and those of the next. They stand in the order of discovery.
    frontier: Frontier<S::State>,
    next_frontier: Frontier<S::State>,
    /// How many states are expanded: the place of the first state of the frontier.
    expanded_count: Node,
    frontier_peak: usize,
    /// Memory for what a block says, used again and again.
    runs: Vec<Run<S::State>>,
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
    fn new(system: &'a S, options: Options, weaken: fn(Fingerprint) -> Fingerprint) -> Self {
        let (laws, witnesses, kinds) = (system.laws(), system.witnesses(), system.action_kinds());
        assert!(laws.len() <= 64, "laws are bits of a word");
        let uses_symmetry = options.uses_symmetry;
        let expander = Expander { system, laws, witnesses, kinds, uses_symmetry, weaken };
        let has_promises =
            !options.skips_liveness() && expander.laws.iter().any(|law| law.when.is_liveness());
        Search {
            options,
            started: Instant::now(),
            // Traces are found again by places where states were visited by others that stand for them.
            visited: Visited::new(has_promises || uses_symmetry, options.is_exact),
            origins: Origins::default(),
            frontier: Frontier::new(),
            next_frontier: Frontier::new(),
            expanded_count: 0,
            frontier_peak: 0,
            runs: vec![expander.empty_run()],
            levels: Vec::new(),
            generated_count: 0,
            broken_at: vec![None; expander.laws.len()],
            checked_counts: vec![0; expander.laws.len()],
            tally: expander.empty_tally(),
            promises: has_promises.then(Promises::default),
            expander,
        }
    }

    fn add_initial_states(&mut self) {
        let run = self.expander.initial(self.expander.system.init_states());
        self.merge(&mut [run], 1);
    }

    fn run(&mut self, observe: &mut dyn FnMut(Progress) -> Signal) -> Stop {
        while self.next_frontier.len() > 0 {
            self.frontier = std::mem::replace(&mut self.next_frontier, Frontier::new());
            self.levels.push(self.frontier.len());
            if self.options.limits.max_depth.is_some_and(|max| self.levels.len() > max) {
                return Stop::MaxDepth;
            }
            while self.frontier.len() > 0 {
                if self.options.limits.max_states.is_some_and(|max| self.origins.len() >= max) {
                    return Stop::MaxStates;
                }
                if let Some(stop) = self.look_up(observe) {
                    return stop;
                }
                self.expand_block();
            }
        }
        match self.tally.cut_count {
            // The search for lassos takes time too, and nobody is asked while it runs: ask once more before it.
            0 if self.promises.is_some() => self.look_up(observe).unwrap_or(Stop::Complete),
            0 => Stop::Complete,
            _ => Stop::Boundary,
        }
    }

    /// Whether the clock or the observer says to stop.
    fn look_up(&self, observe: &mut dyn FnMut(Progress) -> Signal) -> Option<Stop> {
        let elapsed = self.started.elapsed();
        if self.options.limits.timeout.is_some_and(|timeout| elapsed >= timeout) {
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
        let block = self.frontier.take((left / 16).max(1));
        let chunks: Vec<_> = block.chunks(RUN).collect();
        let mut runs = std::mem::take(&mut self.runs);
        let threads = self.options.threads.clamp(1, chunks.len());
        if threads == 1 {
            // One run at a time, in the same memory.
            for chunk in chunks {
                self.expander.expand(chunk, &self.tally.is_met, &mut runs[0]);
                self.merge(&mut runs[..1], 1);
            }
        } else {
            runs.resize_with(runs.len().max(chunks.len()), || self.expander.empty_run());
            let (share, used) = (chunks.len().div_ceil(threads), &mut runs[..chunks.len()]);
            on_threads(chunks.chunks(share).zip(used.chunks_mut(share)), |(chunks, runs)| {
                let work = |(chunk, run): (&&[S::State], &mut Run<S::State>)| {
                    self.expander.expand(chunk, &self.tally.is_met, run);
                };
                chunks.iter().zip(runs).for_each(work);
            });
            self.merge(used, threads);
        }
        self.runs = runs;
    }

    /// Adds what the next states of the frontier say, in their order.
    fn merge(&mut self, runs: &mut [Run<S::State>], threads: usize) {
        let found = self.visited.insert_all(runs, threads);
        for (run, found) in runs.iter_mut().zip(found) {
            self.generated_count += run.states.len();
            self.tally.add(&run.tally);
            self.note_origins(run, &found.new);
            self.note_judged(run, &found.places);
            self.expanded_count += run.ends.len() as Node;
            let mut new = found.new.into_iter().peekable();
            for (position, state) in (0..).zip(run.states.drain(..)) {
                if new.next_if_eq(&position).is_some() {
                    self.next_frontier.push(state);
                }
            }
        }
        self.frontier_peak = self.frontier_peak.max(self.frontier.len() + self.next_frontier.len());
    }

    fn note_origins(&mut self, run: &Run<S::State>, new: &[u32]) {
        let mut parent = 0;
        for position in new {
            while run.ends.get(parent).is_some_and(|end| end <= position) {
                parent += 1;
            }
            let has_parent = parent < run.ends.len();
            let node = has_parent.then_some(self.expanded_count + parent as Node);
            self.origins.push(node, run.taken[*position as usize].ordinal);
        }
    }

    /// Notes what the laws say of the states of a run, and the steps out of them, which lead to `places`.
    fn note_judged(&mut self, run: &Run<S::State>, places: &[Node]) {
        let mut start = 0;
        for ((node, judged), end) in (self.expanded_count..).zip(&run.judged).zip(&run.ends) {
            note(&mut self.broken_at, &mut self.checked_counts, node, judged);
            let successors = std::mem::replace(&mut start, *end as usize)..*end as usize;
            if let Some(promises) = &mut self.promises {
                let steps = run.taken[successors.clone()].iter().zip(&places[successors]);
                let changes = steps.filter(|(taken, _)| taken.is_change);
                promises.graph.expand(changes.map(|(taken, to)| Edge { to: *to, group: taken.group }));
                promises.owed.push(judged.owed);
                promises.met.push(judged.met);
            }
        }
    }

    fn trace_to(&self, node: Node) -> Trace<S> {
        let path = self.origins.path(node);
        if self.options.uses_symmetry {
            return self.follow(&path, &[]);
        }
        let ordinals: Vec<u32> = path[1..].iter().map(|node| self.origins.ordinal(*node)).collect();
        Trace::replay(self.expander.system, self.origins.ordinal(path[0]) as usize, &ordinals)
    }

    /// A trace through the states of the given places, from an initial one on, and then by the turns of a cycle.
    fn follow(&self, path: &[Node], cycle: &[Turn]) -> Trace<S> {
        let mut fingerprinter = Fingerprinter::default();
        let mut place_of = |state: &S::State| {
            let state = self.expander.standing_for(state.clone());
            self.visited.find(self.expander.fingerprint(&mut fingerprinter, &state), &state)
        };
        let start = self.origins.ordinal(path[0]) as usize;
        let stem = path[1..].iter().map(|node| (*node, None));
        let turns = cycle.iter().map(|(node, group)| (*node, Some(*group)));
        Trace::follow(self.expander.system, start, stem.chain(turns), &mut place_of)
    }

    /// The violations of laws on infinite behaviours; the graph must be complete.
    fn lassos(&mut self) -> Vec<Violation<S>> {
        let Some(promises) = self.promises.take() else { return Vec::new() };
        let is_initial = |node: &Node| self.origins.is_initial(*node);
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
                let trace = self.follow(&lasso.stem, &lasso.cycle);
                violations.push(Violation { law: place, trace, cycle_start: Some(lasso.stem.len() - 1) });
            }
        }
        violations
    }

    fn finish(mut self, stop: Stop) -> Exploration<S> {
        // What was found and never expanded is checked all the same, as far as a state says by itself.
        let frontiers = [&mut self.frontier, &mut self.next_frontier];
        let left = frontiers.map(|frontier| std::mem::replace(frontier, Frontier::new()).into_states());
        for (node, state) in (self.expanded_count..).zip(left.into_iter().flatten()) {
            let judged = self.expander.judge(&state, false);
            note(&mut self.broken_at, &mut self.checked_counts, node, &judged);
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
            frontier_peak: self.frontier_peak,
            stop,
            violations,
            witnesses_met: self.tally.is_met,
            checked_counts: self.checked_counts,
            coverage: self.expander.kinds.iter().copied().zip(self.tally.taken).collect(),
            collision_odds: if self.options.is_exact { 0.0 } else { collision_odds(state_count) },
        }
    }
}

/// Adds what the laws say of a state to where they are broken first and how often they were checked.
fn note(broken_at: &mut [Option<Node>], checked_counts: &mut [usize], node: Node, judged: &Judged) {
    for (place, (broken_at, checked_count)) in broken_at.iter_mut().zip(checked_counts).enumerate() {
        *checked_count += usize::from(judged.checked & (1 << place) != 0);
        if judged.broken & (1 << place) != 0 {
            broken_at.get_or_insert(node);
        }
    }
}
