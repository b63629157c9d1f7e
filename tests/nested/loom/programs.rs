//! All small programs, by the number of their threads and of the operations of each.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::kernels::inbox_programs::{InboxStep, run_inbox_program};
use crate::kernels::outbox_programs::{OutboxStep, run_outbox_program};
use crate::kernels::programs::{GroupStep, LogStep, run_group_program, run_log_program};
use crate::kernels::saga_programs::{LogDeed, StepDeed, run_participant_program, run_saga_log_program};

/// How often a thread that could go on is made to wait, at most, in one interleaving.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Preemptions {
    /// As often as can be: every interleaving there is.
    Unbounded,
    /// So often. One is too few to notice a missing `Release` (`relaxed-publish`).
    AtMost(usize),
}

/// Runs `body` under every interleaving, returns how many there were, and says so.
pub(crate) fn every_interleaving(preemptions: Preemptions, body: impl Fn() + Send + Sync + 'static) -> u64 {
    let count = Arc::new(AtomicU64::new(0));
    let counted = count.clone();
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = match preemptions {
        Preemptions::Unbounded => None,
        Preemptions::AtMost(bound) => Some(bound),
    };
    builder.check(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        body();
    });
    count.load(Ordering::Relaxed)
}

/// Every sequence of one to `length` steps.
fn sequences<S: Copy>(alphabet: &[S], length: usize) -> Vec<Vec<S>> {
    let mut all: Vec<Vec<S>> = Vec::new();
    let mut longest: Vec<Vec<S>> = vec![Vec::new()];
    for _ in 0..length {
        let extend = |sequence: &Vec<S>| {
            let sequence = sequence.clone();
            alphabet.iter().map(move |step| [&sequence[..], &[*step]].concat()).collect::<Vec<_>>()
        };
        longest = longest.iter().flat_map(extend).collect();
        all.extend_from_slice(&longest);
    }
    all
}

/// Every way to give `thread_count` threads one of the sequences each. Threads that are alike may be swapped, so
/// of such programs only the one with its threads in order is taken.
fn programs<S: Clone>(sequences: &[Vec<S>], thread_count: usize, are_alike: bool) -> Vec<Vec<Vec<S>>> {
    let mut all: Vec<Vec<usize>> = vec![Vec::new()];
    for _ in 0..thread_count {
        let first = |program: &Vec<usize>| program.last().copied().filter(|_| are_alike).unwrap_or(0);
        let extend = |program: &Vec<usize>| {
            let with = |next| [&program[..], &[next]].concat();
            (first(program)..sequences.len()).map(with).collect::<Vec<_>>()
        };
        all = all.iter().flat_map(extend).collect();
    }
    let spell = |program: Vec<usize>| program.into_iter().map(|place| sequences[place].clone()).collect();
    all.into_iter().map(spell).collect()
}

fn run_all<S: Send + Sync + 'static>(
    name: &str,
    programs: Vec<Vec<Vec<S>>>,
    preemptions: Preemptions,
    run: fn(&[Vec<S>]),
    expected_count: usize,
) {
    let started = Instant::now();
    assert_eq!(programs.len(), expected_count, "every program is run");
    let counts = programs.into_iter().map(|program| every_interleaving(preemptions, move || run(&program)));
    let interleaving_count: u64 = counts.sum();
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "O2 loom {name}: {expected_count} programs, {interleaving_count} interleavings, preemptions \
         {preemptions:?}, {seconds:.1} s"
    );
}

#[test]
fn every_program_of_two_threads_and_two_log_operations_is_lawful() {
    let programs = programs(&sequences(&LogStep::ALL, 2), 2, true);
    run_all("log, 2 threads, 2 operations", programs, Preemptions::Unbounded, run_log_program, 42 * 43 / 2);
}

#[test]
fn every_program_of_three_threads_and_one_log_operation_is_lawful() {
    let programs = programs(&sequences(&LogStep::ALL, 1), 3, true);
    run_all("log, 3 threads, 1 operation", programs, Preemptions::Unbounded, run_log_program, 6 * 7 * 8 / 6);
}

#[test]
fn every_program_of_two_threads_and_three_log_operations_of_one_producer_is_lawful() {
    // With the second producer they are 33,411 programs and 697,349 interleavings, in three times the time.
    let programs = programs(&sequences(&LogStep::OF_ONE_PRODUCER, 3), 2, true);
    run_all("log, 2 threads, 3 operations", programs, Preemptions::AtMost(2), run_log_program, 155 * 156 / 2);
}

#[test]
fn every_program_of_two_members_and_two_group_operations_is_lawful() {
    let programs = programs(&sequences(&GroupStep::ALL, 2), 2, false);
    run_all("group, 2 members, 2 operations", programs, Preemptions::Unbounded, run_group_program, 42 * 42);
}

#[test]
fn every_program_of_three_members_and_one_group_operation_is_lawful() {
    let programs = programs(&sequences(&GroupStep::ALL, 1), 3, false);
    run_all("group, 3 members, 1 operation", programs, Preemptions::AtMost(2), run_group_program, 6 * 6 * 6);
}

#[test]
fn every_program_of_two_threads_and_two_inbox_operations_is_lawful() {
    let programs = programs(&sequences(&InboxStep::ALL, 2), 2, true);
    run_all(
        "inbox, 2 threads, 2 operations",
        programs,
        Preemptions::Unbounded,
        run_inbox_program,
        42 * 43 / 2,
    );
}

#[test]
fn every_program_of_three_threads_and_one_inbox_operation_is_lawful() {
    let programs = programs(&sequences(&InboxStep::ALL, 1), 3, true);
    run_all(
        "inbox, 3 threads, 1 operation",
        programs,
        Preemptions::Unbounded,
        run_inbox_program,
        6 * 7 * 8 / 6,
    );
}

#[test]
fn every_program_of_two_threads_and_three_inbox_operations_of_one_effect_is_lawful() {
    let programs = programs(&sequences(&InboxStep::OF_ONE_EFFECT, 3), 2, true);
    run_all(
        "inbox, 2 threads, 3 operations",
        programs,
        Preemptions::AtMost(2),
        run_inbox_program,
        84 * 85 / 2,
    );
}

#[test]
fn every_program_of_two_threads_and_two_saga_log_operations_is_lawful() {
    let programs = programs(&sequences(&LogDeed::ALL, 2), 2, true);
    run_all(
        "saga log, 2 threads, 2 operations",
        programs,
        Preemptions::Unbounded,
        run_saga_log_program,
        20 * 21 / 2,
    );
}

#[test]
fn every_program_of_three_threads_and_one_saga_log_operation_is_lawful() {
    let programs = programs(&sequences(&LogDeed::ALL, 1), 3, true);
    run_all(
        "saga log, 3 threads, 1 operation",
        programs,
        Preemptions::AtMost(2),
        run_saga_log_program,
        4 * 5 * 6 / 6,
    );
}

#[test]
fn every_program_of_two_threads_and_two_operations_of_a_participant_is_lawful() {
    let programs = programs(&sequences(&StepDeed::ALL, 2), 2, true);
    run_all(
        "participant, 2 threads, 2 operations",
        programs,
        Preemptions::Unbounded,
        run_participant_program,
        20 * 21 / 2,
    );
}

#[test]
fn every_program_of_three_threads_and_one_operation_of_a_participant_is_lawful() {
    let programs = programs(&sequences(&StepDeed::ALL, 1), 3, true);
    run_all(
        "participant, 3 threads, 1 operation",
        programs,
        Preemptions::AtMost(2),
        run_participant_program,
        4 * 5 * 6 / 6,
    );
}

#[test]
fn every_program_of_two_threads_and_two_outbox_operations_is_lawful() {
    let programs = programs(&sequences(&OutboxStep::ALL, 2), 2, true);
    run_all(
        "outbox, 2 threads, 2 operations",
        programs,
        Preemptions::Unbounded,
        run_outbox_program,
        30 * 31 / 2,
    );
}

#[test]
fn every_program_of_three_threads_and_one_outbox_operation_is_lawful() {
    let programs = programs(&sequences(&OutboxStep::ALL, 1), 3, true);
    run_all(
        "outbox, 3 threads, 1 operation",
        programs,
        Preemptions::AtMost(2),
        run_outbox_program,
        5 * 6 * 7 / 6,
    );
}
