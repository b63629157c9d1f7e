//! Visiting one state for all that differ by the names of producers changes no verdict, and its traces are real.

use lawspeaker_model::catalogue::{DomainModel, Preset, Request, build};
use lawspeaker_model::engine::{Exploration, Options, Signal, System, Trace, explore};
use lawspeaker_model::partition_log::PartitionLog;
use stateright::{Checker, Model};

/// Two producers, and a fault, which is enough for most guards to matter.
fn two_producers(without: Option<&str>) -> PartitionLog {
    let settings = [("producers", 2), ("events", 2), ("faults", 1)];
    let request = Request {
        settings: settings.map(|(name, value)| (name.to_owned(), value)).to_vec(),
        without: without.map(str::to_owned).into_iter().collect(),
        ..Request::default()
    };
    build(&request).expect("the model has these guards and settings")
}

fn explored(log: &PartitionLog, uses_symmetry: bool) -> Exploration<PartitionLog> {
    let options = Options { uses_symmetry, is_safety_only: true, threads: 2, ..Options::default() };
    explore(log, options, &mut |_| Signal::Continue)
}

fn assert_is_real(log: &PartitionLog, trace: &Trace<PartitionLog>) {
    assert!(log.init_states().contains(&trace.start));
    for (before, action, after) in trace.transitions() {
        let mut actions = Vec::new();
        log.actions(before, &mut actions);
        assert!(actions.contains(action));
        assert_eq!(log.next_state(before, action.clone()).as_ref(), Some(after));
    }
}

#[test]
fn verdicts_are_the_same_with_and_without_reduction() {
    let guards = PartitionLog::GUARDS.iter().map(|guard| Some(guard.name));
    for without in std::iter::once(None).chain(guards) {
        let log = two_producers(without);
        let (whole, reduced) = (explored(&log, false), explored(&log, true));
        assert!(reduced.state_count < whole.state_count);
        assert_eq!(reduced.levels.len(), whole.levels.len(), "without {without:?}");
        assert_eq!(reduced.witnesses_met, whole.witnesses_met, "without {without:?}");
        let broken = |found: &Exploration<PartitionLog>| -> Vec<_> {
            found.violations.iter().map(|broken| (broken.law, broken.trace.steps.len())).collect()
        };
        assert_eq!(broken(&reduced), broken(&whole), "without {without:?}");
        reduced.violations.iter().for_each(|violation| assert_is_real(&log, &violation.trace));
    }
}

#[test]
fn stateright_counts_as_many_states_up_to_renaming() {
    let log = two_producers(None);
    let reduced = explored(&log, true);
    // A function pointer captures nothing, and any log knows how to rename producers.
    let representative = |state: &_| {
        PartitionLog::preset(Preset::Small).representative(state).expect("producers are interchangeable")
    };
    // Its depth-first search is the one that heeds symmetry.
    let theirs = log.checker().symmetry_fn(representative).spawn_dfs().join();
    assert_eq!(theirs.unique_state_count(), reduced.state_count);
}

#[test]
fn one_producer_is_interchangeable_with_nobody() {
    let log = PartitionLog::preset(Preset::Small);
    assert_eq!(explored(&log, true).state_count, explored(&log, false).state_count);
}
