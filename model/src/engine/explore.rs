//! Breadth-first search.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::expand::{Expander, Run};
use super::findings::Findings;
use super::fingerprint::{Fingerprint, Fingerprinter};
use super::frontier::Frontier;
use super::graph::Node;
use super::liveness::{Question, Turn, lasso};
use super::threads::in_order;
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

/// Explores `system` and tells `observe` how far it is, each time that some 65,000 states were expanded, or a level: many
/// times a second unless the model is slow.
///
/// Counts, verdicts and traces are the same for any number of threads.
///
/// # Panics
/// Beyond 2^32 states, beyond 64 laws, beyond eight laws on infinite behaviours, and where the model panics.
pub fn explore<S: System>(
    system: &S,
    options: Options,
    observe: &mut dyn FnMut(Progress) -> Signal,
) -> Exploration<S> {
    explore_with_hash(system, options, None, observe)
}

/// The same, with fingerprints that are weakened first if that is asked for, to show what a weak hash loses.
#[doc(hidden)]
pub fn explore_with_hash<S: System>(
    system: &S,
    options: Options,
    weaken: Option<fn(u128) -> u128>,
    observe: &mut dyn FnMut(Progress) -> Signal,
) -> Exploration<S> {
    let mut search = Search::new(system, options, weaken);
    search.add_initial_states();
    let stop = search.run(observe);
    search.finish(stop, observe)
}

struct Search<'a, S: System> {
    expander: Expander<'a, S>,
    options: Options,
    started: Instant,
    findings: Findings<S::State>,
    /// The states of this level that are not expanded yet, in the order of discovery.
    frontier: Frontier<S::State>,
    /// Memory for what runs say, used again and again.
    spare_runs: Mutex<Vec<Run<S::State>>>,
    levels: Vec<usize>,
}

impl<'a, S: System> Search<'a, S> {
    fn new(system: &'a S, options: Options, weaken: Option<fn(Fingerprint) -> Fingerprint>) -> Self {
        let (laws, witnesses, kinds) = (system.laws(), system.witnesses(), system.action_kinds());
        assert!(laws.len() <= 64, "laws are bits of a word");
        let uses_symmetry = options.uses_symmetry;
        let promise_count = laws.iter().filter(|law| law.when.is_liveness()).count();
        assert!(promise_count <= 8, "laws on infinite behaviours are bits of a byte");
        let has_promises = !options.skips_liveness() && promise_count > 0;
        let expander = Expander {
            system,
            laws,
            witnesses,
            kinds,
            uses_symmetry,
            is_exact: options.is_exact,
            keeps_changes: has_promises,
            weaken,
        };
        // Traces are found again by places where states were visited by others that stand for them.
        let visited = Visited::new(has_promises || uses_symmetry, options.is_exact);
        Search {
            options,
            started: Instant::now(),
            findings: Findings::new(visited, expander.laws.len(), expander.empty_tally(), has_promises),
            frontier: Frontier::new(),
            spare_runs: Mutex::default(),
            levels: Vec::new(),
            expander,
        }
    }

    fn add_initial_states(&mut self) {
        let mut run = self.expander.initial(self.expander.system.init_states());
        self.findings.add(&mut run);
    }

    fn run(&mut self, observe: &mut dyn FnMut(Progress) -> Signal) -> Stop {
        while self.findings.next_frontier.len() > 0 {
            self.frontier = std::mem::replace(&mut self.findings.next_frontier, Frontier::new());
            self.levels.push(self.frontier.len());
            if self.options.limits.max_depth.is_some_and(|max| self.levels.len() > max) {
                return Stop::MaxDepth;
            }
            while self.frontier.len() > 0 {
                if self.options.limits.max_states.is_some_and(|max| self.findings.origins.len() >= max) {
                    return Stop::MaxStates;
                }
                if let Some(stop) = self.look_up(observe) {
                    return stop;
                }
                self.expand_block();
            }
        }
        if self.findings.tally.cut_count == 0 { Stop::Complete } else { Stop::Boundary }
    }

    /// Whether the clock or the observer says to stop.
    fn look_up(&self, observe: &mut dyn FnMut(Progress) -> Signal) -> Option<Stop> {
        let elapsed = self.started.elapsed();
        if self.options.limits.timeout.is_some_and(|timeout| elapsed >= timeout) {
            return Some(Stop::Timeout);
        }
        let signal = observe(Progress {
            state_count: self.findings.origins.len(),
            frontier_count: self.frontier.len() + self.findings.next_frontier.len(),
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
        let left = (self.options.limits.max_states)
            .map_or(usize::MAX, |max| max.saturating_sub(self.findings.origins.len()));
        let block = self.frontier.take((left / 16).max(1));
        let is_met = self.findings.tally.is_met.clone();
        let spare = || self.spare_runs.lock().unwrap_or_else(PoisonError::into_inner);
        let expand = |states: Vec<S::State>| {
            let mut run = spare().pop().unwrap_or_else(|| self.expander.empty_run());
            self.expander.expand(&states, &is_met, &mut run);
            run
        };
        in_order(block, self.options.threads, expand, |mut run| {
            self.findings.add(&mut run);
            spare().push(run);
        });
    }

    fn trace_to(&self, node: Node) -> Trace<S> {
        let path = self.findings.origins.path(node);
        if self.options.uses_symmetry {
            return self.follow(&path, &[]);
        }
        let ordinals: Vec<u32> = path[1..].iter().map(|node| self.findings.origins.ordinal(*node)).collect();
        Trace::replay(self.expander.system, self.findings.origins.ordinal(path[0]) as usize, &ordinals)
    }

    /// A trace through the states of the given places, from an initial one on, and then by the turns of a cycle.
    fn follow(&self, path: &[Node], cycle: &[Turn]) -> Trace<S> {
        let mut fingerprinter = Fingerprinter::default();
        let mut place_of = |state: &S::State| {
            let state = self.expander.standing_for(state.clone());
            self.findings.place(self.expander.fingerprint(&mut fingerprinter, &state), &state)
        };
        let start = self.findings.origins.ordinal(path[0]) as usize;
        let stem = path[1..].iter().map(|node| (*node, None));
        let turns = cycle.iter().map(|(node, group)| (*node, Some(*group)));
        Trace::follow(self.expander.system, start, stem.chain(turns), &mut place_of)
    }

    /// Adds the violations of laws on infinite behaviours, of which the graph must be complete. Whether to stop is asked
    /// before each; what one takes is linear in the graph, and a budget beside it.
    fn add_lassos(
        &mut self,
        violations: &mut Vec<Violation<S>>,
        observe: &mut dyn FnMut(Progress) -> Signal,
    ) -> Stop {
        let Some(promises) = self.findings.promises.take() else { return Stop::Complete };
        let is_initial = |node: &Node| self.findings.origins.is_initial(*node);
        let initial: Vec<Node> = (0..self.findings.origins.len() as Node).take_while(is_initial).collect();
        let laws = self.expander.laws.iter().enumerate().filter(|(_, law)| law.when.is_liveness());
        for (promise, (place, law)) in laws.enumerate() {
            if let Some(stop) = self.look_up(observe) {
                return stop;
            }
            self.findings.checked_counts[place] = self.findings.origins.len();
            let is_goal: Vec<bool> = promises.met.iter().map(|met| met & (1 << promise) != 0).collect();
            let is_from: Vec<bool> = match law.when {
                When::LeadsTo(_) => promises.owed.iter().map(|owed| owed & (1 << promise) != 0).collect(),
                _ => (0..self.findings.origins.len()).map(|place| place < initial.len()).collect(),
            };
            let question = Question { initial: &initial, is_from: &is_from, is_goal: &is_goal };
            if let Some(lasso) = lasso(&promises.graph, &question) {
                let trace = self.follow(&lasso.stem, &lasso.cycle);
                violations.push(Violation { law: place, trace, cycle_start: Some(lasso.stem.len() - 1) });
            }
        }
        Stop::Complete
    }

    fn finish(mut self, mut stop: Stop, observe: &mut dyn FnMut(Progress) -> Signal) -> Exploration<S> {
        // What was found and never expanded is checked all the same, as far as a state says by itself.
        let frontiers = [&mut self.frontier, &mut self.findings.next_frontier];
        let left = frontiers.map(|frontier| std::mem::replace(frontier, Frontier::new()).into_states());
        for (node, state) in (self.findings.expanded_count..).zip(left.into_iter().flatten()) {
            let judged = self.expander.judge(&state, false);
            self.findings.note(node, &judged);
        }
        let broken =
            self.findings.broken_at.iter().enumerate().filter_map(|(law, node)| node.map(|node| (law, node)));
        let finite = |(law, node)| Violation { law, trace: self.trace_to(node), cycle_start: None };
        let mut violations: Vec<_> = broken.map(finite).collect();
        if stop == Stop::Complete {
            stop = self.add_lassos(&mut violations, observe);
        }
        violations.sort_by_key(|violation| violation.law);
        let state_count = self.findings.origins.len();
        Exploration {
            state_count,
            generated_count: self.findings.tally.generated_count,
            levels: self.levels,
            frontier_peak: self.findings.frontier_peak,
            stop,
            violations,
            witnesses_met: self.findings.tally.is_met,
            checked_counts: self.findings.checked_counts,
            coverage: self.expander.kinds.iter().copied().zip(self.findings.tally.taken).collect(),
            collision_odds: if self.options.is_exact { 0.0 } else { collision_odds(state_count) },
        }
    }
}
