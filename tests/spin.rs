//! The Promela specification: SPIN comes to the verdicts and counts of `spin_runs` in `specs/manifest.json`, and so does
//! the model in Rust.
//!
//! SPIN needs `spin` and `gcc`; without them its test says so and passes. Eight seconds on two cores, most of them gcc's.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use lawspeaker_history::Guarantee;
use lawspeaker_model::catalogue::{Request, model};
use lawspeaker_model::engine::Signal;
use serde_json::Value;

const MODEL: &str = "bounded-queues";

fn specs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("specs")
}

/// A run of the manifest.
#[derive(Debug, PartialEq, Eq)]
struct Run {
    set: Vec<(String, u8)>,
    without: Vec<String>,
    found: Found,
}

/// What an exploration comes to.
#[derive(Debug, PartialEq, Eq)]
struct Found {
    is_deadlocked: bool,
    states: usize,
    /// With the initial state, and counting each way into a state.
    generated: usize,
}

fn runs() -> Vec<Run> {
    let text = fs::read_to_string(specs().join("manifest.json")).expect("there is a manifest");
    let manifest: Value = serde_json::from_str(&text).expect("the manifest is JSON");
    let runs = manifest["spin_runs"].as_array().expect("the manifest lists runs of SPIN");
    let count = |value: &Value| value.as_u64().expect("it is a count") as usize;
    let run = |run: &Value| Run {
        set: run["set"]
            .as_object()
            .expect("a run has bounds")
            .iter()
            .map(|(name, value)| (name.clone(), count(value) as u8))
            .collect(),
        without: run["without"]
            .as_array()
            .expect("a run says which guards are gone")
            .iter()
            .filter_map(|guard| guard.as_str().map(str::to_owned))
            .collect(),
        found: Found {
            is_deadlocked: run["is_deadlocked"].as_bool().expect("a run has a verdict"),
            states: count(&run["states"]),
            generated: count(&run["generated"]),
        },
    };
    runs.iter().map(run).collect()
}

fn is_there(tool: &str, version: &str) -> bool {
    Command::new(tool).arg(version).output().is_ok_and(|output| output.status.success())
}

/// What a command says in a folder, where it succeeds.
fn said(folder: &Path, command: &mut Command) -> String {
    let output = command.current_dir(folder).output().expect("the command can be run");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{command:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

/// The number before `words`.
fn figure_before(text: &str, words: &str) -> usize {
    let before = text.split_once(words).unwrap_or_else(|| panic!("pan says nothing of {words}: {text}")).0;
    let number = before.rsplit(char::is_whitespace).find(|part| !part.is_empty());
    number
        .and_then(|number| number.parse().ok())
        .unwrap_or_else(|| panic!("no number before {words}: {text}"))
}

/// A bound or a guard, as the specification calls it.
fn define(name: &str, value: u8) -> String {
    format!("-D{}={value}", name.to_uppercase().replace('-', "_"))
}

/// Explores everything: without partial-order reduction, past errors (`-c0`), with all variables (`-o2`), which else
/// leave the state where nobody reads them. A queue that is not empty makes an end state invalid (`-q`).
fn spin(run: &Run) -> Found {
    let scratch = tempfile::tempdir().expect("there is room for a folder");
    let folder = scratch.path();
    let bounds = run.set.iter().map(|(name, value)| define(name, *value));
    let removed = run.without.iter().map(|guard| define(guard, 0));
    let specification = specs().join("bounded-queues.pml");
    said(folder, Command::new("spin").arg("-o2").args(bounds.chain(removed)).arg("-a").arg(specification));
    said(folder, Command::new("gcc").args(["-w", "-O1", "-DNOREDUCE", "-DSAFETY", "-o", "pan", "pan.c"]));
    let text = said(folder, Command::new(folder.join("pan")).args(["-q", "-c0"]));
    assert!(!text.contains("max search depth too small"), "{text}");
    let error_count = text.split_once("errors: ").and_then(|(_, rest)| rest.split_whitespace().next());
    let is_deadlocked = text.contains("invalid end state (at depth");
    assert_eq!(error_count.expect("pan counts errors") != "0", is_deadlocked, "{text}");
    Found {
        is_deadlocked,
        states: figure_before(&text, " states, stored"),
        generated: figure_before(&text, " transitions (= stored+matched)"),
    }
}

#[test]
fn spin_comes_to_the_results_of_the_manifest() {
    if !is_there("spin", "-V") || !is_there("gcc", "--version") {
        eprintln!("skipped: SPIN needs spin and gcc (`apt-get install spin gcc`)");
        return;
    }
    for run in runs() {
        assert_eq!(spin(&run), run.found, "{run:?}");
    }
}

#[test]
fn the_model_comes_to_the_results_of_the_manifest() {
    let entry = model(MODEL).expect("the catalogue has the model");
    for run in runs() {
        let request =
            Request { settings: run.set.clone(), without: run.without.clone(), ..Request::default() };
        let report = entry.check(&request, &mut |_| Signal::Continue).expect("the request is sound");
        let mut of_deadlocks = report.laws.iter().filter(|law| law.guarantee == Guarantee::NoDeadlock);
        let found = Found {
            is_deadlocked: of_deadlocks.any(|law| law.broken_in.is_some()),
            states: report.explored.states,
            generated: report.explored.generated,
        };
        assert_eq!(found, run.found, "{run:?}");
    }
}

#[test]
fn every_guard_is_removed_by_itself_and_its_absence_deadlocks() {
    let runs = runs();
    for guard in model(MODEL).expect("the catalogue has the model").guards {
        let shows = |run: &Run| run.without == [guard.name] && run.found.is_deadlocked;
        assert!(runs.iter().any(shows), "no run shows what {} is for", guard.name);
    }
    assert!(runs.iter().any(|run| run.without.is_empty() && !run.found.is_deadlocked));
}
