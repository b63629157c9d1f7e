//! Our explorer beside stateright's, on the same models, in one run: states a second, bytes a state.
//!
//! ```text
//! cargo bench -p lawspeaker-model --bench engine
//! ```
//! Each row runs in a process of its own, whose peak memory and processor time, all threads together, are read at the
//! end (Linux only; elsewhere they are 0). Both check the laws that hold in every state, and explore everything;
//! `with liveness` also finds lassos, which stateright cannot. Compare ratios within one run: machines are noisy.
//! `times` is by the clock; where others use the machine, the ratio of two processor times says more.

#![expect(clippy::print_stdout, reason = "a bench prints its table")]

mod two_phase_commit;

use std::process::Command;
use std::time::Instant;

use lawspeaker_model::catalogue::{DomainModel, Preset};
use lawspeaker_model::consumer_group::ConsumerGroup;
use lawspeaker_model::engine::{Options, Signal, System, explore};
use lawspeaker_model::partition_log::PartitionLog;
use stateright::Checker;

use crate::two_phase_commit::TwoPhaseCommit;

const SUBJECTS: [&str; 3] = ["two-phase-commit", "partition-log", "consumer-group"];
const CHECKERS: [&str; 6] = [
    "stateright, 1 thread",
    "stateright, 2 threads",
    "ours, 1 thread",
    "ours, 2 threads",
    "ours, exact",
    "ours, with liveness",
];

fn main() {
    match std::env::var("LAWSPEAKER_BENCH_ROW") {
        Ok(row) => {
            let (subject, checker) = row.split_once('/').expect("a row is a subject and a checker");
            run(subject, checker);
        }
        Err(_) => table(),
    }
}

fn table() {
    println!(
        "model             checker                  states   generated   seconds  processor  states/s  bytes/state  times"
    );
    let this = std::env::current_exe().expect("a process has an executable");
    for subject in SUBJECTS {
        let mut first_rate = None;
        for checker in CHECKERS {
            let row = format!("{subject}/{checker}");
            let output =
                Command::new(&this).env("LAWSPEAKER_BENCH_ROW", row).output().expect("it runs again");
            let text = String::from_utf8(output.stdout).expect("a row is text");
            let fields: Vec<f64> = text.split_whitespace().filter_map(|field| field.parse().ok()).collect();
            let [states, generated, seconds, processor, bytes] = fields[..] else {
                panic!("{checker} failed: {text}")
            };
            let rate = states / seconds;
            let times = rate / *first_rate.get_or_insert(rate);
            let per_state = bytes / states;
            println!(
                "{subject:17} {checker:21} {states:>9} {generated:>11} {seconds:>9.2} {processor:>10.2} {rate:>9.0} {per_state:>12.0} {times:>6.1}"
            );
        }
    }
}

fn run(subject: &str, checker: &str) {
    match subject {
        "two-phase-commit" => measure(TwoPhaseCommit { participants: 8 }, checker),
        "partition-log" => measure(PartitionLog::preset(Preset::Medium), checker),
        _ => measure(ConsumerGroup::preset(Preset::Medium), checker),
    }
}

fn measure<S>(system: S, checker: &str)
where
    S: System + Send + 'static,
{
    let before = peak_bytes();
    let started = Instant::now();
    let threads = if checker.contains('2') { 2 } else { 1 };
    let (states, generated) = if checker.starts_with("stateright") {
        let done = system.checker().threads(threads).spawn_bfs().join();
        (done.unique_state_count(), done.state_count())
    } else {
        let options = Options {
            threads,
            is_exact: checker.contains("exact"),
            is_safety_only: !checker.contains("liveness"),
            ..Options::default()
        };
        let found = explore(&system, options, &mut |_| Signal::Continue);
        (found.state_count, found.generated_count)
    };
    let seconds = started.elapsed().as_secs_f64();
    println!("{states} {generated} {seconds} {} {}", processor_seconds(), peak_bytes() - before);
}

/// The most memory that this process has held.
fn peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).unwrap_or_default() * 1024
}

/// The time that this process has spent on processors, by itself and in the kernel.
fn processor_seconds() -> f64 {
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name of the program, in parentheses, may hold spaces; the two times are the 12th and 13th field after it.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / TICKS_PER_SECOND
}
