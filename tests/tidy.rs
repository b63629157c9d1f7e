//! The house is in order: layers, names, docs that equal what the code says.
//!
//! `LAWSPEAKER_BLESS=1 cargo test --test tidy` writes the generated parts of the docs anew.

mod generated;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use lawspeaker_history::Guarantee;
use lawspeaker_model::catalogue::{MODELS, Preset, Request};
use lawspeaker_model::engine::{Limits, Options, Signal};
use lawspeaker_model::matrix::Matrix;
use lawspeaker_oracle::{Anomaly, Exercise, Need, Profile, Severity};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every file below `folder` that git would track, by the look of it.
fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the folder can be read") {
            let path = entry.expect("the entry can be read").path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

// Layers

/// For each package, the workspace packages and the notable crates it depends on, in any kind of dependency.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo can be run");
    let metadata: serde_json::Value =
        serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON");
    let name = |value: &serde_json::Value| value["name"].as_str().unwrap_or_default().to_owned();
    let packages = metadata["packages"].as_array().expect("there are packages");
    packages
        .iter()
        .map(|package| {
            (name(package), package["dependencies"].as_array().into_iter().flatten().map(name).collect())
        })
        .collect()
}

#[test]
fn layers_only_point_down() {
    let dependencies = dependencies();
    let halves = ["lawspeaker-oracle", "lawspeaker-model", "lawspeaker-bus"];
    for half in halves {
        let of = &dependencies[half];
        assert!(of.contains("lawspeaker-history"), "{half} speaks in histories");
        for other in halves.iter().filter(|other| **other != half) {
            assert!(!of.contains(*other), "{half} must not depend on {other}");
        }
    }
    let of_history = &dependencies["lawspeaker-history"];
    assert!(of_history.iter().all(|name| !name.starts_with("lawspeaker")), "history is the lowest layer");
    assert!(
        dependencies["lawspeaker-spec"].is_empty(),
        "a specification shares nothing with what it specifies"
    );
    let only_in = |name: &str, allowed: &[&str]| {
        for (package, of) in &dependencies {
            assert!(
                !of.contains(name) || allowed.contains(&package.as_str()),
                "{package} must not use {name}"
            );
        }
    };
    only_in("stateright", &["lawspeaker-model", "lawspeaker"]);
    only_in("tokio", &["lawspeaker-bus", "lawspeaker"]);
    only_in("loom", &["lawspeaker-bus", "lawspeaker-nested"]);
}

#[test]
fn the_oracle_brings_few_crates_into_other_peoples_builds() {
    // `toml` without serde and `strsim` bring six small crates, `indexmap` two, `foldhash` none.
    let normal =
        ["foldhash", "indexmap", "lawspeaker-history", "serde", "serde_json", "strsim", "thiserror", "toml"];
    let manifest = read("oracle/Cargo.toml");
    let section =
        manifest.split("[dependencies]").nth(1).and_then(|rest| rest.split("\n[").next()).unwrap_or_default();
    for line in section.lines().filter(|line| !line.trim().is_empty()) {
        let name = line.split(['.', ' ', '=']).next().unwrap_or_default();
        assert!(normal.contains(&name), "the oracle must not depend on {name}");
    }
}

// Names

#[test]
fn each_guarantee_of_a_model_or_check_is_named_the_same_everywhere() {
    let normative = read("docs/guarantees.md");
    for guarantee in Guarantee::ALL {
        assert!(normative.contains(&format!("`{guarantee}`")), "docs/guarantees.md lacks {guarantee}");
    }
    for guarantee in judged() {
        let file = format!("oracle/src/guarantee/{}.rs", guarantee.snake());
        assert!(root().join(&file).is_file(), "{file} is missing");
        for verdict in ["conforms", "violates"] {
            let folder = format!("tests/data/histories/{guarantee}/{verdict}");
            let count = fs::read_dir(root().join(&folder)).map_or(0, Iterator::count);
            assert!(count > 0, "{folder} holds no history");
        }
    }
    for entry in MODELS {
        let snake = entry.name.replace('-', "_");
        let laws = read(format!("model/src/{snake}/laws.rs"));
        for law in entry.laws() {
            let (pascal, lower) = (law.guarantee.pascal(), law.guarantee.snake());
            let is_named = laws.contains(&pascal) || laws.contains(&format!("Law::{lower}("));
            assert!(is_named, "model/src/{snake}/laws.rs names neither {pascal} nor Law::{lower}");
        }
    }
}

fn judged() -> BTreeSet<Guarantee> {
    Anomaly::ALL.iter().map(|anomaly| anomaly.guarantee()).collect()
}

#[test]
fn each_guarantee_that_stands_in_a_model_is_one_that_the_oracle_judges_or_the_docs_say_it_does_not() {
    let judged = judged();
    let modelled: BTreeSet<_> =
        MODELS.iter().flat_map(|entry| entry.laws()).map(|law| law.guarantee).collect();
    let unjudged: Vec<_> = modelled.difference(&judged).map(|guarantee| guarantee.name()).collect();
    assert!(unjudged.is_empty(), "nobody judges {unjudged:?}");
}

// Docs

/// What writes pages anew.
const WRITES: &str = "cargo test --test tidy";

fn generated(page: &str, name: &str, expected: &str) {
    generated::generated(&root().join(page), name, expected, WRITES);
}

macro_rules! line {
    ($out:expr, $($argument:tt)*) => {{ let _ = writeln!($out, $($argument)*); }};
}

#[test]
fn the_tables_of_guarantees_equal_the_code() {
    let mut guarantees = String::from("| guarantee | says | kind |\n|---|---|---|\n");
    for guarantee in Guarantee::ALL {
        line!(guarantees, "| `{guarantee}` | {} | {:?} |", guarantee.says(), guarantee.kind());
    }
    generated(
        "docs/guarantees.md",
        "guarantees",
        &guarantees.replace("SafetyAndLiveness", "Safety and liveness"),
    );

    let mut anomalies = String::from("| anomaly | breaks | is | source |\n|---|---|---|---|\n");
    for anomaly in Anomaly::ALL {
        let (name, breaks) = (anomaly.name(), anomaly.guarantee());
        line!(anomalies, "| `{name}` | `{breaks}` | {} | {} |", anomaly.definition(), anomaly.source());
    }
    generated("docs/guarantees.md", "anomalies", &anomalies);

    let mut guards =
        String::from("| model | guard | upholds | does | seen missing in |\n|---|---|---|---|---|\n");
    for entry in MODELS {
        for guard in entry.guards {
            let (name, upholds) = (guard.name, guard.upholds);
            line!(
                guards,
                "| `{}` | `{name}` | `{upholds}` | {} | {} |",
                entry.name,
                guard.does,
                guard.seen_in
            );
        }
    }
    generated("docs/guarantees.md", "guards", &guards);
}

#[test]
fn the_tables_of_profiles_equal_the_files() {
    let mut weights = String::from("| anomaly |");
    Profile::names().for_each(|name| weights += &format!(" {name} |"));
    weights += &format!("\n|---|{}\n", "---|".repeat(Profile::all().len()));
    for anomaly in Anomaly::ALL {
        weights += &format!("| `{anomaly}` |");
        for profile in Profile::all() {
            weights += match profile.severity(*anomaly) {
                Severity::Violation => " V |",
                Severity::Note => " n |",
                Severity::OutOfScope => " |",
            };
        }
        weights += "\n";
    }
    generated("docs/profiles.md", "weights", &weights);

    let mut evidence = String::from(
        "| evidence | without it | what to do | required by | wanted by |\n|---|---|---|---|---|\n",
    );
    for witness in Exercise::ALL {
        let by = |need: Need| {
            let of = Profile::all().iter().filter(|profile| profile.needs().any(|of| of == (*witness, need)));
            of.map(|profile| profile.name.clone()).collect::<Vec<_>>().join(", ")
        };
        let (required, wanted) = (by(Need::Required), by(Need::Wanted));
        line!(
            evidence,
            "| `{witness}` | {} | {} | {required} | {wanted} |",
            witness.says(),
            witness.remedy()
        );
    }
    generated("docs/profiles.md", "evidence", &evidence);
}

#[test]
fn the_sizes_of_the_models_equal_a_run() {
    let mut sizes = String::from("| model | bounds | states | generated | depth |\n|---|---|---|---|---|\n");
    for entry in MODELS {
        let report =
            entry.check(&Request::default(), &mut |_| Signal::Continue).expect("an empty request is sound");
        let bounds: Vec<_> =
            report.bounds.iter().map(|bound| format!("{} {}", bound.name, bound.value)).collect();
        let explored = &report.explored;
        let (states, generated, depth) = (explored.states, explored.generated, explored.depth);
        line!(sizes, "| `{}` | {} | {states} | {generated} | {depth} |", entry.name, bounds.join(", "));
    }
    generated("docs/models.md", "sizes", &sizes);
}

/// The complete runs of the specifications that have a twin among the models.
#[test]
fn the_table_of_the_twins_equals_the_manifest_of_the_specifications() {
    let manifest: serde_json::Value =
        serde_json::from_str(&read("specs/manifest.json")).expect("the manifest is JSON");
    let mut table = String::from(
        "| model | configuration | without | states | states (TLC) | depth | seconds (TLC) |\n|---|---|---|---|---|---|---|\n",
    );
    let runs = manifest["runs"].as_array().expect("the manifest lists runs").iter();
    for run in runs.filter(|run| run["ours"]["states"].is_number() && run["exit"] == 0) {
        let ours = &run["ours"];
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let without: Vec<_> = ours["without"].as_array().into_iter().flatten().map(text).collect();
        let of =
            MODELS.iter().find(|entry| entry.name == text(&ours["model"])).expect("there is such a model");
        let without = match without.len() {
            0 => String::new(),
            count if count == of.guards.len() => "every guard".to_owned(),
            _ => format!("`{}`", without.join("`, `")),
        };
        let (model, name, depth) = (text(&ours["model"]), text(&run["name"]), &ours["depth"]);
        let (states, distinct, seconds) = (&ours["states"], &run["distinct"], &run["seconds"]);
        line!(table, "| `{model}` | {name} | {without} | {states} | {distinct} | {depth} | {seconds} |");
    }
    generated("docs/models.md", "twins", &table);
}

#[test]
fn the_matrix_in_the_docs_equals_its_snapshot() {
    // The snapshot is compared with a full run in model/tests/gallery.rs; running it twice would gain nothing.
    let mut matrix = String::new();
    for entry in MODELS {
        let snapshot = read(format!("model/tests/snapshots/gallery__{}-guards.snap", entry.name));
        let text = snapshot.splitn(3, "---\n").nth(2).expect("a snapshot has a head");
        line!(matrix, "```text\n{}```", text);
    }
    generated("docs/models.md", "matrix", &matrix);
}

#[test]
fn a_matrix_of_few_states_is_incomplete_and_says_so() {
    let limits = Limits { max_states: Some(10), ..Limits::default() };
    let options = Options { limits, ..Options::default() };
    let without = |guard: &str| Request { without: vec![guard.to_owned()], options, ..Request::default() };
    let check = |guard: &str| MODELS[0].check(&without(guard), &mut |_| Signal::Continue);
    let reports: Result<Vec<_>, _> = MODELS[0].guards.iter().map(|guard| check(guard.name)).collect();
    let text = Matrix::of_reports(&MODELS[0], Preset::Small, &reports.expect("the limits are sound")).text();
    assert!(text.contains('?') && text.contains("undecided") && !text.contains("does not break"), "{text}");
}

/// Every ```` ```console ```` block of a page that runs `lawspeaker` shows what `lawspeaker` prints.
fn shows_real_output(page: &str, block_count: usize) {
    let text = read(page);
    let mut expected = String::new();
    let mut rest = text.as_str();
    assert_eq!(text.matches("```console\n$ lawspeaker ").count(), block_count, "{page}");
    while let Some(start) = rest.find("```console\n$ lawspeaker ") {
        let end = start + 3 + rest[start + 3..].find("\n```").expect("a block ends");
        let block = &rest[start..end];
        let command = block.lines().nth(1).expect("a block has a command");
        let arguments = command.trim_start_matches("$ lawspeaker ").split(' ');
        let output =
            Command::new(env!("CARGO_BIN_EXE_lawspeaker")).args(arguments).current_dir(root()).output();
        let output = output.expect("lawspeaker can be run");
        let shown = String::from_utf8(output.stdout).expect("lawspeaker prints text");
        let _ = write!(expected, "{}```console\n{command}\n{}", &rest[..start], shown.trim_end());
        rest = &rest[end..];
    }
    expected += rest;
    if expected != text {
        generated::bless(&root().join(page), &expected, "a console block", WRITES);
    }
}

#[test]
fn the_readme_shows_a_real_counterexample_and_a_real_verdict() {
    shows_real_output("README.md", 3);
}

#[test]
fn the_page_on_causal_delivery_shows_real_counterexamples() {
    shows_real_output("docs/models/causal-delivery.md", 5);
}

#[test]
fn the_pages_on_the_other_models_show_real_counterexamples() {
    const PAGES: [(&str, usize); 6] = [
        ("saga", 4),
        ("choreography", 4),
        ("isolation", 3),
        ("outbox", 5),
        ("bounded-queues", 4),
        ("saga-over-log", 5),
    ];
    for (page, block_count) in PAGES {
        shows_real_output(&format!("docs/models/{page}.md"), block_count);
    }
}

/// What falls in how many steps when producers do not wait, for each way out that a reader has.
#[test]
fn the_table_of_the_trade_equals_a_run() {
    const WAYS: [(&str, &str); 5] = [
        ("producers wait", ""),
        ("a reader waits for ever", "ack-barrier send-order"),
        ("a reader delivers a log out of order", "ack-barrier send-order head-of-line"),
        ("a reader puts the event aside", "ack-barrier send-order wait-for-cause"),
        ("a reader delivers the event before its cause", "ack-barrier send-order check-deps"),
    ];
    let columns =
        [Guarantee::NoDeadlock, Guarantee::PartitionOrder, Guarantee::AtLeastOnce, Guarantee::CausalDelivery];
    let entry = MODELS.iter().find(|entry| entry.name == "causal-delivery").expect("the catalogue has it");
    let heads: Vec<_> = columns.iter().map(|guarantee| format!("`{guarantee}`")).collect();
    let mut table =
        format!("| what is done | without | {} |\n|---|---|---|---|---|---|\n", heads.join(" | "));
    for (way, guards) in WAYS {
        let without: Vec<_> = guards.split(' ').filter(|name| !name.is_empty()).map(str::to_owned).collect();
        let names: Vec<_> = without.iter().map(|name| format!("`{name}`")).collect();
        let report = entry
            .check(&Request { without, ..Request::default() }, &mut |_| Signal::Continue)
            .expect("the model has its guards");
        let steps = |guarantee: &Guarantee| {
            let broken = report.laws.iter().filter(|law| law.guarantee == *guarantee);
            let nearest = broken.filter_map(|law| law.broken_in).min();
            nearest.map_or("holds".to_owned(), |steps| format!("broken in {steps} steps"))
        };
        let cells: Vec<_> = columns.iter().map(steps).collect();
        line!(table, "| {way} | {} | {} |", names.join(", "), cells.join(" | "));
    }
    generated("docs/models/causal-delivery.md", "trade", &table);
}

#[test]
fn links_in_the_docs_lead_somewhere() {
    for page in files(".", "md") {
        let text = fs::read_to_string(&page).expect("the page can be read");
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().unwrap_or_default();
            if file.is_empty() || file.contains("://") {
                continue;
            }
            let path = page.parent().expect("a page is in a folder").join(file);
            assert!(path.exists(), "{}: the link to {target} leads nowhere", page.display());
        }
    }
}

/// A path in backticks that starts with a folder of ours names something that is there.
#[test]
fn paths_in_the_docs_exist() {
    const FOLDERS: [&str; 8] =
        ["docs/", "history/", "impl/", "model/", "oracle/", "specs/", "src/", "tests/"];
    for page in files(".", "md") {
        let text = fs::read_to_string(&page).expect("the page can be read");
        for path in
            text.split('`').skip(1).step_by(2).filter(|path| FOLDERS.iter().any(|f| path.starts_with(f)))
        {
            if !path.contains(['*', '<', '{', '…', ' ']) && !path.starts_with("specs/") {
                assert!(root().join(path).exists(), "{}: there is no `{path}`", page.display());
            }
        }
    }
}

#[test]
fn the_changelog_says_what_is_unreleased() {
    assert!(read("CHANGELOG.md").contains("\n## Unreleased\n"));
}

#[test]
fn no_test_sleeps_or_is_ignored() {
    let ignored = ["#[", "ignore"].concat();
    let slept = ["thread::", "sleep"].concat();
    for folder in ["tests", "model", "oracle", "history", "impl", "src"] {
        for file in files(folder, "rs") {
            let text = fs::read_to_string(&file).expect("the file can be read");
            assert!(!text.contains(&ignored), "{} ignores a test", file.display());
            assert!(!text.contains(&slept), "{} sleeps", file.display());
        }
    }
}
