//! Our explorer beside others on the same models, in one run: states a second, bytes a state.
//!
//! ```text
//! cargo bench -p lawspeaker-model --bench engine
//! cargo bench -p lawspeaker-model --bench engine -- two-phase-commit bounded-queues
//! ```
//! stateright's explores the very model; SPIN and TLC explore a twin of it, if they are here, and are left out if not.
//! All have to come to the same counts.
//!
//! Each row runs in a process of its own, whose peak memory and processor time, all threads together, are read at the
//! end (Linux only; elsewhere they are 0); of SPIN's memory its own words are believed, and TLC has none. All check the
//! laws that hold in every state, and explore everything; `with liveness` also finds lassos, which stateright cannot.
//! Compare ratios within one run: machines are noisy. `times` is by the clock; where others use the machine, the ratio of
//! two processor times says more, though TLC's has Java's start in it, and what collects its garbage.

#![expect(clippy::print_stdout, reason = "a bench prints its table")]

mod peer;
mod row;
mod spin;
mod tlc;
mod two_phase_commit;
mod usage;

use std::process::{Command, ExitCode};
use std::time::Instant;

use lawspeaker_model::bounded_queues::{self, BoundedQueues};
use lawspeaker_model::catalogue::{DomainModel, Preset};
use lawspeaker_model::causal_delivery::CausalDelivery;
use lawspeaker_model::consumer_group::ConsumerGroup;
use lawspeaker_model::engine::{Options, Signal, System, explore};
use lawspeaker_model::guard::Guards;
use lawspeaker_model::partition_log::PartitionLog;
use stateright::Checker;

use crate::peer::Twin;
use crate::row::Row;
use crate::two_phase_commit::TwoPhaseCommit;
use crate::usage::{peak_bytes, processor_seconds};

/// The models with their twins, within the bounds of [`run`].
const SUBJECTS: [(&str, Twin); 5] = [
    ("two-phase-commit", Twin::Promela("model/benches/engine/two-phase-commit.pml", &[])),
    (
        "bounded-queues",
        Twin::Promela("specs/bounded-queues.pml", &["ORDERS=5", "HANDLERS=3", "CAPACITY=2", "STRAYS=1"]),
    ),
    (
        "partition-log",
        Twin::Tla(
            "PartitionLog",
            "partition-log/small.cfg",
            &[("ProducerCount", 2), ("EventCount", 2), ("Faults", 2)],
        ),
    ),
    (
        "consumer-group",
        Twin::Tla("ConsumerGroup", "consumer-group/small.cfg", &[("MemberCount", 3), ("EventCount", 3)]),
    ),
    ("causal-delivery", Twin::Tla("CausalDelivery", "causal-delivery/medium.cfg", &[])),
];

/// The one that others are compared with.
const OURS: &str = "ours, 1 thread";

/// The one that also decides what happens in the end, as `lawspeaker check` does.
const WITH_LIVENESS: &str = "ours, with liveness";

const CHECKERS: [&str; 6] =
    ["stateright, 1 thread", "stateright, 2 threads", OURS, "ours, 2 threads", "ours, exact", WITH_LIVENESS];

fn main() -> ExitCode {
    if let Ok(row) = std::env::var("LAWSPEAKER_BENCH_ROW") {
        let (subject, checker) = row.split_once('/').expect("a row is a subject and a checker");
        run(subject, checker);
        return ExitCode::SUCCESS;
    }
    // Cargo adds an option.
    let wanted: Vec<String> = std::env::args().skip(1).filter(|name| !name.starts_with('-')).collect();
    let is_known = |name: &&String| SUBJECTS.iter().any(|(subject, _)| subject == *name);
    if let Some(name) = wanted.iter().find(|name| !is_known(name)) {
        eprintln!("there is no model `{name}` here; there are {:?}", SUBJECTS.map(|(subject, _)| subject));
        return ExitCode::from(2);
    }
    println!("{:17} {:22} {} {:>6}", "model", "checker", row::HEAD, "times");
    for (subject, twin) in &SUBJECTS {
        if wanted.is_empty() || wanted.iter().any(|name| name == subject) {
            table(subject, twin);
        }
    }
    ExitCode::SUCCESS
}

/// The rows of a model, each printed as soon as it is there; and how many times as fast as its peers ours is.
fn table(subject: &str, twin: &Twin) {
    let mut rows: Vec<(&str, Row)> = Vec::new();
    let mut add = |checker, row: Row| {
        rows.push((checker, row));
        let first = rows[0].1;
        let times = row.rate() / first.rate();
        println!("{subject:17} {checker:22} {row} {times:>6.2}");
        let counts = (row.states, row.generated);
        assert_eq!(counts, (first.states, first.generated), "{checker} explores something else");
    };
    // Two-phase commit as everybody checks it promises nothing in the end.
    let is_empty = |checker: &&str| subject == "two-phase-commit" && *checker == WITH_LIVENESS;
    for checker in CHECKERS.into_iter().filter(|checker| !is_empty(checker)) {
        add(checker, row_of(subject, checker));
    }
    match twin.explore() {
        Ok(peers) => peers.into_iter().for_each(|(checker, row)| add(checker, row)),
        Err(needs) => println!("{subject:17} {:22} is left out: {needs}", twin.checker()),
    }
    let found = |wanted: &str| rows.iter().find(|(checker, _)| *checker == wanted).map(|(_, row)| row);
    for (ours, peer) in [(OURS, CHECKERS[0]), (WITH_LIVENESS, CHECKERS[0]), (OURS, twin.checker())] {
        if let (Some(our_row), Some(peer_row)) = (found(ours), found(peer)) {
            let times = our_row.rate() / peer_row.rate();
            let by_processor = peer_row.processor_seconds / our_row.processor_seconds;
            println!(
                "{subject:17} {ours}, is {times:.1} times as fast as {peer}; by processor time {by_processor:.1}"
            );
        }
    }
}

/// A row, made by a process of its own.
fn row_of(subject: &str, checker: &str) -> Row {
    let this = std::env::current_exe().expect("a process has an executable");
    let row = format!("{subject}/{checker}");
    let text = peer::said(Command::new(this).env("LAWSPEAKER_BENCH_ROW", row));
    Row::parse(&text).unwrap_or_else(|| panic!("{checker} failed: {text}"))
}

fn run(subject: &str, checker: &str) {
    match subject {
        "two-phase-commit" => measure(TwoPhaseCommit { participants: 8 }, checker),
        "partition-log" => measure(PartitionLog::preset(Preset::Medium), checker),
        "consumer-group" => measure(ConsumerGroup::preset(Preset::Medium), checker),
        "causal-delivery" => measure(CausalDelivery::preset(Preset::Medium), checker),
        _ => {
            let bounds = bounded_queues::Bounds { orders: 5, handlers: 3, capacity: 2, strays: 1 };
            measure(BoundedQueues { bounds, guards: Guards::ALL }, checker);
        }
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
