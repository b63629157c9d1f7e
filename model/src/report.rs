//! What a check found, in words and figures: plain data, ready to be printed or serialised.
//!
//! Nothing in a report depends on the clock or the machine, so two equal checks give equal reports, except where a
//! time limit stopped them.

mod text;

pub use text::{counterexample_text, coverage_text, text};

use std::collections::BTreeMap;

use lawspeaker_history::{Call, Guarantee, History, Op};
use serde::Serialize;

use crate::catalogue::{Bound, DomainModel, Observer, Request, bounds_of};
use crate::engine::{Blame, Exploration, Law, Options, Stop, Trace, Violation, When, blame, explore, way_on};
use crate::guard::{Guard, Guards};

/// What a check comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Every law holds in every state within the bounds, and every witness was met.
    Holds,
    /// A law is broken; this outranks everything else.
    Violated,
    /// Nothing was found, and not everything was looked at.
    Inconclusive,
}

/// The result of one check.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The schema of the JSON form.
    pub schema: &'static str,
    /// The model.
    pub model: &'static str,
    /// The preset that the bounds started from.
    pub preset: &'static str,
    /// The bounds in force.
    pub bounds: Vec<Bound>,
    /// The guards that were removed because the request says so.
    pub without: Vec<&'static str>,
    /// The masks that were taken off with them.
    pub unmasked: Vec<Unmasked>,
    /// What it comes to.
    pub outcome: Outcome,
    /// What was explored.
    pub explored: Explored,
    /// Every law, with what was found.
    pub laws: Vec<LawFinding>,
    /// Every witness, with whether it was met.
    pub witnesses: Vec<WitnessFinding>,
    /// The shortest way to break each broken law, the one that the removed guard is named for first.
    pub counterexamples: Vec<Counterexample>,
}

/// A guard that other guards cover for, and what was done to show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unmasked {
    /// The guard asked for.
    pub guard: &'static str,
    /// The guards removed with it.
    pub masks: Vec<&'static str>,
    /// The bounds set with it.
    pub settings: Vec<(&'static str, u8)>,
}

/// What was explored.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explored {
    /// Distinct states.
    pub states: usize,
    /// States generated: the initial ones and one a transition.
    pub generated: usize,
    /// Steps to the farthest state.
    pub depth: usize,
    /// Distinct states by their distance from the initial ones.
    pub levels: Vec<usize>,
    /// The most states that were found and not yet expanded at a time.
    pub longest_queue: usize,
    /// Why there are fewer states than the model has; `None` if every one was visited.
    pub reduced_by: Option<&'static str>,
    /// Whether that is all there is within the bounds.
    pub is_complete: bool,
    /// The limit that was hit, in words; `None` if complete.
    pub stopped_by: Option<&'static str>,
    /// The chance that a state was missed because two fingerprints were equal, at most.
    pub collision_odds: f64,
    /// How often each kind of action was taken.
    pub coverage: BTreeMap<&'static str, u64>,
}

/// A law and what was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LawFinding {
    /// The promise that it makes precise.
    pub guarantee: Guarantee,
    /// What it says.
    pub says: &'static str,
    /// Where it is checked.
    pub checked_in: CheckedIn,
    /// In how many states it was checked; 0 where nothing can be said because the exploration is not complete, or
    /// because it was left out as asked for.
    pub checked: usize,
    /// Steps to the nearest state that breaks it; `None` if none was found.
    pub broken_in: Option<usize>,
}

/// Where a law is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckedIn {
    /// In every state.
    States,
    /// In every state in which nothing but faults can happen any more.
    RestingStates,
    /// On every weakly fair behaviour.
    FairBehaviours,
}

/// A witness and whether it was met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WitnessFinding {
    /// What happens there.
    pub says: &'static str,
    /// Whether it does.
    pub is_met: bool,
}

/// A shortest way to break a law.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Counterexample {
    /// The promise broken.
    pub guarantee: Guarantee,
    /// What exactly does not hold.
    pub says: &'static str,
    /// The steps, in order.
    pub steps: Vec<StepInWords>,
    /// For a broken promise of what happens in the end: how many steps come before those that repeat for ever.
    pub repeats_after: Option<usize>,
    /// The state at the end, a line each.
    pub ends_in: Vec<String>,
    /// Where it ends in a deadlock, or because nothing but faults can happen any more: who waits for what.
    pub waits: Vec<String>,
    /// The removed guard that would have prevented it.
    pub blame: Option<BlameInWords>,
    /// The command that shows it again.
    pub reproduce: String,
    /// What an observer of it would have recorded, up to a complete final read.
    #[serde(skip)]
    pub history: History,
}

/// A step of a counterexample.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StepInWords {
    /// Who.
    pub who: String,
    /// What, from the verb on.
    pub what: String,
    /// Whether it is the environment's doing.
    pub is_fault: bool,
}

/// What the removed guard would have done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BlameInWords {
    /// The guard.
    pub guard: &'static str,
    /// What it does.
    pub does: &'static str,
    /// What happens without it.
    pub without: &'static str,
    /// Real systems in which it was missing.
    pub seen_in: &'static str,
    /// The step at which it would have acted, from 1; one more than there are steps if it would have gone on.
    pub step: usize,
    /// What happens there with the guard; `None` if the step does not happen.
    pub instead: Option<String>,
}

/// Checks `model`, which was built from `request`.
pub fn check<M: DomainModel>(model: &M, request: &Request, observe: Observer<'_>) -> Report {
    let exploration = explore(model, request.options, observe);
    let removed: Vec<&'static Guard> = M::GUARDS
        .iter()
        .copied()
        .filter(|guard| request.without.iter().any(|name| name == guard.name))
        .collect();
    let laws = model.laws();
    let mut counterexamples: Vec<_> = exploration
        .violations
        .iter()
        .map(|violation| counterexample(model, request, &removed, &laws[violation.law], violation))
        .collect();
    counterexamples.sort_by_key(|found| rank::<M>(request, found.guarantee, found.steps.len()));
    Report {
        schema: "lawspeaker.check/1",
        model: M::NAME,
        preset: request.preset.name(),
        bounds: bounds_of(&mut model.clone()),
        without: removed.iter().map(|guard| guard.name).collect(),
        unmasked: removed.iter().filter_map(|guard| unmasked(guard)).collect(),
        outcome: outcome(&laws, request, &exploration),
        laws: law_findings(&laws, &exploration),
        witnesses: model
            .witnesses()
            .iter()
            .zip(&exploration.witnesses_met)
            .map(|(witness, is_met)| WitnessFinding { says: witness.says, is_met: *is_met })
            .collect(),
        counterexamples,
        explored: explored(request, &exploration),
    }
}

/// The order in which counterexamples are told: what a removed guard is named for first, then the shortest.
pub(crate) fn rank<M: DomainModel>(request: &Request, broken: Guarantee, step_count: usize) -> (bool, usize) {
    let is_removed = |guard: &&&Guard| request.without.iter().any(|name| name == guard.name);
    let is_named_for = M::GUARDS.iter().filter(is_removed).any(|guard| guard.upholds == broken);
    (!is_named_for, step_count)
}

fn outcome<M: DomainModel>(laws: &[Law<M>], request: &Request, exploration: &Exploration<M>) -> Outcome {
    let met_all = exploration.witnesses_met.iter().all(|is_met| *is_met);
    let decides_all = !request.options.skips_liveness() || !laws.iter().any(|law| law.when.is_liveness());
    match (exploration.violations.is_empty(), exploration.stop) {
        (false, _) => Outcome::Violated,
        (true, Stop::Complete) if met_all && decides_all => Outcome::Holds,
        (true, _) => Outcome::Inconclusive,
    }
}

fn explored<M: DomainModel>(request: &Request, exploration: &Exploration<M>) -> Explored {
    let stopped_by = match exploration.stop {
        Stop::Complete => None,
        Stop::Boundary => Some("the model's own boundary"),
        Stop::MaxStates => Some("the limit on states"),
        Stop::MaxDepth => Some("the limit on depth"),
        Stop::Timeout => Some("the time limit"),
        Stop::MaxMemory => Some("the limit on memory"),
        Stop::Interrupted => Some("an interrupt"),
    };
    Explored {
        states: exploration.state_count,
        generated: exploration.generated_count,
        depth: exploration.depth(),
        levels: exploration.levels.clone(),
        longest_queue: exploration.frontier_peak,
        reduced_by: M::INTERCHANGEABLE.filter(|_| request.options.uses_symmetry),
        is_complete: exploration.stop == Stop::Complete,
        stopped_by,
        collision_odds: exploration.collision_odds,
        coverage: exploration.coverage.clone(),
    }
}

fn law_findings<M: DomainModel>(laws: &[Law<M>], exploration: &Exploration<M>) -> Vec<LawFinding> {
    let broken_in = |place| {
        let violation = exploration.violations.iter().find(|violation| violation.law == place);
        violation.map(|violation| violation.trace.steps.len())
    };
    let finding = |(place, law): (usize, &Law<M>)| LawFinding {
        guarantee: law.guarantee,
        says: law.says,
        checked_in: match law.when {
            When::Always => CheckedIn::States,
            When::Quiescent => CheckedIn::RestingStates,
            When::Eventually | When::LeadsTo(_) => CheckedIn::FairBehaviours,
        },
        checked: exploration.checked_counts[place],
        broken_in: broken_in(place),
    };
    laws.iter().enumerate().map(finding).collect()
}

fn unmasked(guard: &Guard) -> Option<Unmasked> {
    guard.mask.as_ref().map(|mask| Unmasked {
        guard: guard.name,
        masks: mask.guards.iter().map(|guard| guard.name).collect(),
        settings: mask.settings.to_vec(),
    })
}

fn counterexample<M: DomainModel>(
    model: &M,
    request: &Request,
    removed: &[&'static Guard],
    law: &Law<M>,
    violation: &Violation<M>,
) -> Counterexample {
    let trace = &violation.trace;
    let step = |(before, action, after): (&M::State, &M::Action, &M::State)| {
        let told = model.tell(before, action, after);
        StepInWords { who: told.who, what: told.what, is_fault: model.is_fault(action) }
    };
    let is_stuck = violation.cycle_start == Some(trace.steps.len());
    let is_deadlock = law.guarantee == Guarantee::NoDeadlock;
    let ends_at_rest = matches!(law.when, When::Quiescent) || is_stuck || is_deadlock;
    Counterexample {
        guarantee: law.guarantee,
        says: law.says,
        steps: trace.transitions().map(step).collect(),
        repeats_after: violation.cycle_start,
        ends_in: model.picture(trace.last()),
        waits: if ends_at_rest { model.waits(trace.last()) } else { Vec::new() },
        blame: blamed(model, removed, law.guarantee, trace),
        reproduce: reproduce::<M>(request),
        history: told(model, trace),
    }
}

/// What an observer of `trace` would have recorded, up to a complete final read.
pub fn told<M: DomainModel>(model: &M, trace: &Trace<M>) -> History {
    let trace = &trace.to_rest(model, if M::IS_TOLD_TO_THE_END { LONG_ENOUGH } else { 0 });
    let steps = trace.transitions().flat_map(|(before, action, after)| model.ops(before, action, after));
    let opening = model.opening_ops(&trace.start);
    let mut history = History::of(opening.into_iter().chain(steps).chain(model.closing_ops(trace.last())));
    // The final read is whole; a group is drained, a reader is through, a queue empty, and a saga at rest, only where
    // nothing but faults could go on. Not to say so would let a judge take it for granted.
    let goes_on = |op: &Op| op.x.group.is_some() || matches!(op.call, Call::Apply(_));
    let is_read_whole = history.ops.iter().any(Op::is_final) && !history.ops.iter().any(goes_on);
    let is_settled = is_read_whole || way_on(model, trace.last()).is_none();
    history.header.profile = Some(M::PROFILE.to_owned());
    history.header.complete = Some(is_settled);
    history
}

/// More steps than any model needs to come to rest after a trace.
pub const LONG_ENOUGH: usize = 100;

/// The same history with a header that says where it came from, for whoever reads it later.
#[must_use]
pub fn with_source(mut history: History, source: String) -> History {
    history.header.source = Some(source);
    history
}

/// The removed guard that would have prevented the trace: the one named for the broken guarantee, if it acts.
fn blamed<M: DomainModel>(
    model: &M,
    removed: &[&'static Guard],
    broken: Guarantee,
    trace: &Trace<M>,
) -> Option<BlameInWords> {
    let mut candidates = removed.to_vec();
    candidates.sort_by_key(|guard| guard.upholds != broken);
    candidates.into_iter().find_map(|guard| {
        let mut guarded = model.clone();
        let others = removed.iter().filter(|other| other.bit != guard.bit);
        let masks = guard.mask.iter().flat_map(|mask| mask.guards);
        *guarded.guards() = others.chain(masks).fold(Guards::ALL, |guards, other| guards.without(other));
        blame(&guarded, trace).map(|Blame { step, instead }| BlameInWords {
            guard: guard.name,
            does: guard.does,
            without: guard.without,
            seen_in: guard.seen_in,
            step: step + 1,
            instead: instead.map(|told| format!("{} {}", told.who, told.what)),
        })
    })
}

/// The command line that asks for the same check.
fn reproduce<M: DomainModel>(request: &Request) -> String {
    let mut line = format!("lawspeaker check {}", M::NAME);
    request.without.iter().for_each(|name| line += &format!(" --without {name}"));
    if request.preset != Default::default() {
        line += &format!(" --bounds {}", request.preset.name());
    }
    request.settings.iter().for_each(|(name, value)| line += &format!(" --set {name}={value}"));
    let Options { is_safety_only, uses_symmetry, .. } = request.options;
    line + if is_safety_only { " --safety" } else { "" } + if uses_symmetry { " --symmetry" } else { "" }
}
