//! O2, the shell linearizes the core: runs `tests/nested/loom.rs` and `tests/nested/shuttle.rs`, which need a build of their own.
//!
//! The first run builds each of them, with all that they depend on, in `target/loom` and `target/shuttle`, in one to
//! three minutes; later runs take about half a minute.

#![expect(clippy::print_stdout, reason = "a test panics to fail, and prints its figures")]

mod nested;

use std::process::Command;

/// Runs a test target and prints the figures that it prints.
fn run(target: nested::Target) {
    let executable = nested::build(target);
    let run = Command::new(&executable).arg("--nocapture").output().expect("the tests can be run");
    let printed = String::from_utf8_lossy(&run.stdout);
    printed
        .lines()
        .filter_map(|line| line.find("O2 ").map(|start| &line[start..]))
        .for_each(|figures| println!("{figures}"));
    assert!(run.status.success(), "{printed}\n{}", String::from_utf8_lossy(&run.stderr));
    assert!(printed.contains("O2 "), "the tests were run");
}

#[test]
fn every_small_program_is_lawful_under_every_interleaving() {
    run(nested::Target::Loom);
}

#[test]
fn generated_programs_are_lawful_under_random_schedules() {
    run(nested::Target::Shuttle);
}
