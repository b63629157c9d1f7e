//! What Jepsen's checker would say: our own histories for each of its error types, and its own ones where they are.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use lawspeaker_history::History;
use lawspeaker_oracle::compat::jepsen::{ErrorType, Policy, Results, SubVia, check};
use lawspeaker_oracle::{Outcome, report};
use serde_json::Value;

use crate::{judge_without, read};

fn names<'a>(errors: impl IntoIterator<Item = &'a ErrorType>) -> BTreeSet<String> {
    errors.into_iter().map(|error| error.name().to_owned()).collect()
}

/// The texts of a list, in a header or in a line of verdicts.
fn listed(value: Option<&Value>) -> BTreeSet<String> {
    let items = value.and_then(Value::as_array).into_iter().flatten();
    items.map(|item| item.as_str().expect("error types are text").to_owned()).collect()
}

fn results(history: &History, sub_via: SubVia, ww_deps: bool) -> Results {
    check(&history.ops, Policy { sub_via, ww_deps })
}

/// `tests/data/jepsen/<error type>[.<variant>].edn`, in order.
fn ours() -> Vec<(PathBuf, History)> {
    histories("../tests/data/jepsen")
}

fn histories(folder: &str) -> Vec<(PathBuf, History)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files = std::fs::read_dir(folder).expect("the folder can be read");
    let mut paths: Vec<_> = files.map(|file| file.expect("the folder can be listed").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "edn"));
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), read(&path))).collect()
}

#[test]
fn our_histories_show_the_error_types_that_their_headers_name_under_either_policy() {
    for (path, history) in ours() {
        let header = &history.header.unknown;
        let ww_deps = header.get("ww-deps") == Some(&Value::Bool(true));
        for (sub_via, field) in [(SubVia::Assign, "bad-assign"), (SubVia::Subscribe, "bad-subscribe")] {
            let found = results(&history, sub_via, ww_deps);
            let path = path.display();
            assert_eq!(names(found.errors.keys()), listed(header.get("errors")), "{path}");
            assert_eq!(names(&found.bad), listed(header.get(field)), "{path}: {field}");
            assert_eq!(found.is_valid(), found.bad.is_empty());
        }
    }
}

#[test]
fn every_error_type_has_a_history_and_there_are_some_without_any() {
    let mut shown = BTreeSet::new();
    let mut valid_count = 0;
    for (path, history) in ours() {
        let errors = listed(history.header.unknown.get("errors"));
        let name = path.file_name().and_then(|name| name.to_str()).expect("names are text");
        let of = name.split('.').next().expect("a name has a beginning");
        assert!(of == "valid" || errors.contains(of), "{name} does not show {of}");
        valid_count += usize::from(errors.is_empty());
        shown.extend(errors);
    }
    assert_eq!(shown, names(ErrorType::ALL));
    assert!(valid_count >= 3, "{valid_count}");
}

/// `docs/jepsen.md` lists them.
#[test]
fn what_jepsens_checker_cannot_see_is_seen_here() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/jepsen.md");
    let page = std::fs::read_to_string(page).expect("the page can be read");
    let all = histories("../tests/data/jepsen/blind-spots");
    assert_eq!(all.len(), page.matches(".edn`: ").count(), "docs/jepsen.md lists each, and no other");
    for (path, history) in all {
        let name = path.file_name().and_then(|name| name.to_str()).expect("names are text");
        assert!(page.contains(&format!("`{name}`: ")), "docs/jepsen.md lacks {name}");
        let header = &history.header.unknown;
        let sub_via = if header["sub-via"] == "subscribe" { SubVia::Subscribe } else { SubVia::Assign };
        assert_eq!(names(&results(&history, sub_via, false).bad), listed(header.get("bad")), "{name}");
        let verdict = judge_without(&history, &[]);
        let roots = verdict.violations().filter(|finding| finding.caused_by.is_none());
        let roots: BTreeSet<_> = roots.map(|finding| finding.anomaly.name().to_owned()).collect();
        assert_eq!(roots, listed(header.get("anomalies")), "{}", report::text(&verdict, name));
        let expected = if roots.is_empty() { Outcome::Conforms } else { Outcome::Violated };
        assert_eq!(verdict.outcome, expected, "{}", report::text(&verdict, name));
    }
}

/// Jepsen's own histories are not ours to copy. Whoever has them names their folder: `*.edn`, and `verdicts.jsonl` with
/// the fields `name`, `opts`, `error-types` and `bad-assign`.
#[test]
fn the_histories_of_jepsens_own_tests_get_its_verdicts() {
    let Some(folder) = std::env::var_os("LAWSPEAKER_JEPSEN_HISTORIES").map(PathBuf::from) else {
        println!("skipped: LAWSPEAKER_JEPSEN_HISTORIES names no folder with Jepsen's histories");
        return;
    };
    let verdicts = std::fs::read_to_string(folder.join("verdicts.jsonl")).expect("there are verdicts");
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in verdicts.lines() {
        let verdict: Value = serde_json::from_str(line).expect("a verdict is JSON");
        let name = verdict["name"].as_str().expect("a verdict has a name");
        let ww_deps = verdict["opts"]["ww-deps"] == Value::Bool(true);
        for extension in ["edn", "jsonl"] {
            let history = read(&folder.join(format!("{name}.{extension}")));
            let found = results(&history, SubVia::Assign, ww_deps);
            let (errors, bad) = (names(found.errors.keys()), names(&found.bad));
            let (their_errors, their_bad) =
                (listed(verdict.get("error-types")), listed(verdict.get("bad-assign")));
            if (&errors, &bad) != (&their_errors, &their_bad) {
                wrong.push(format!(
                    "{name}.{extension}: {errors:?} {bad:?}, Jepsen {their_errors:?} {their_bad:?}"
                ));
            }
        }
        count += 1;
    }
    println!("{count} histories of Jepsen, {} differences", wrong.len());
    assert!(wrong.is_empty() && count > 0, "{}", wrong.join("\n"));
}
