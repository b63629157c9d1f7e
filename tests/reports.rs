//! What `judge` writes for CI systems and browsers, read back by readers that know nothing of it.

mod command;
#[cfg(unix)]
mod interrupt;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use roxmltree::{Document, Node};
use serde_json::Value;

use command::{code, err, lawspeaker, out};

const LOST: &str = "tests/data/histories/durability/violates/lost-write.jsonl";
const POWER_LOSS: &str = "tests/data/histories/recorded/nats-2.15.1-r1-default-powerloss.jsonl.gz";
/// What a history should not be able to do to who looks at it.
const HOSTILE: &str = "</script><img src=x onerror=alert(1)>]]>|`*\u{202e}\u{7}\"'&{{script}}";

fn text(path: &Path) -> &str {
    path.to_str().expect("the path is text")
}

/// Judges with these arguments, and hands out the output; what it wrote is in the folder.
fn judged(arguments: &[&str], expected: i32) -> String {
    let output = lawspeaker(&[&["judge"], arguments].concat());
    assert_eq!(code(&output), expected, "{arguments:?}: {}", err(&output));
    out(&output).to_owned()
}

/// A history in which everything that can be named is named with malice, and an event is lost.
fn hostile(folder: &Path) -> PathBuf {
    let path = folder.join("hostile <b>&.jsonl");
    let name = |what: &str| Value::from(format!("{what}{HOSTILE}"));
    let (p, a, b, group) = (name("p"), name("a"), name("b"), name("g"));
    let lines = [
        format!(r#"{{"process":{},"type":"info","f":{},"value":{a}}}"#, name("nemesis"), name("f")),
        format!(r#"{{"process":0,"type":"ok","f":"send","value":[["send",{p},[0,{a}]]]}}"#),
        format!(r#"{{"process":0,"type":"ok","f":"send","value":[["send",{p},[1,{b}]]]}}"#),
        format!(
            r#"{{"process":{},"type":"ok","f":"poll","value":[["poll",{{{p}:[[1,{b}]]}}]],"x":{{"group":{group}}}}}"#,
            name("c")
        ),
        format!(
            r#"{{"process":"r","type":"ok","f":"poll","value":[["poll",{{{p}:[[1,{b}]]}}]],"x":{{"note":{a}}}}}"#
        ),
    ];
    fs::write(&path, lines.join("\n")).expect("the file can be written");
    path
}

fn tests<'a>(suite: Node<'a, 'a>) -> BTreeMap<&'a str, Node<'a, 'a>> {
    let cases = suite.children().filter(|node| node.has_tag_name("testcase"));
    cases.map(|case| (case.attribute("name").expect("a test has a name"), case)).collect()
}

/// The shape that CI systems read: counts that are true, and at most one outcome a test.
fn check_shape(document: &Document<'_>) {
    let root = document.root_element();
    assert_eq!(root.tag_name().name(), "testsuites");
    let of =
        |node: Node<'_, '_>, tag: &str| node.descendants().filter(|child| child.has_tag_name(tag)).count();
    let suites: Vec<_> = root.children().filter(Node::is_element).collect();
    for node in suites.iter().copied().chain([root]) {
        for (attribute, tag) in
            [("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")]
        {
            assert_eq!(node.attribute(attribute), Some(of(node, tag).to_string().as_str()), "{tag}");
        }
    }
    for suite in suites {
        assert!(suite.has_tag_name("testsuite") && suite.attribute("name").is_some());
        for case in suite.children().filter(|node| node.has_tag_name("testcase")) {
            assert!(case.attribute("classname").is_some_and(|class| class.starts_with("lawspeaker")));
            let outcomes = case.children().filter(Node::is_element).map(|node| node.tag_name().name());
            let outcomes: Vec<_> = outcomes.collect();
            let is_known = ["system-out", "failure", "error", "skipped"].contains(&outcomes[0]);
            assert!(outcomes.len() == 1 && is_known, "{outcomes:?}");
        }
    }
}

#[test]
fn junit_fails_what_is_broken_and_errs_on_what_cannot_be_judged() {
    let folder = tempfile::tempdir().expect("there is room for files");
    let empty = folder.path().join("empty.jsonl");
    fs::write(&empty, "").expect("the file can be written");
    let (xml, hostile) = (folder.path().join("junit.xml"), hostile(folder.path()));
    let files = [LOST, text(&empty), "no/such/file.jsonl", text(&hostile)];
    let printed = judged(&[&files[..], &["--junit", text(&xml)]].concat(), 1);
    assert!(printed.starts_with("VIOLATED  durability"), "the text is printed all the same");
    let written = fs::read_to_string(&xml).expect("the file is there");
    let document = Document::parse(&written).expect("it is XML");
    check_shape(&document);
    let suites: Vec<_> = document.root_element().children().filter(Node::is_element).collect();
    assert_eq!(
        suites.iter().map(|suite| suite.attribute("name").unwrap_or_default()).collect::<Vec<_>>(),
        files
    );
    let lost = tests(suites[0]);
    let failure = lost["durability"].first_element_child().expect("it has an outcome");
    assert_eq!((failure.tag_name().name(), failure.attribute("type")), ("failure", Some("lost-write")));
    assert_eq!(lost["durability"].attribute("file"), Some(LOST));
    assert!(
        lost["durability"]
            .attribute("line")
            .is_some_and(|line| line.parse::<u64>().is_ok_and(|line| line > 0))
    );
    assert!(failure.text().is_some_and(|text| text.contains("therefore durability does not hold")));
    assert!(
        lost["no-creation"].first_element_child().is_some_and(|passed| passed.has_tag_name("system-out"))
    );
    assert!(lost["causal-delivery"].first_element_child().is_some_and(|node| node.has_tag_name("skipped")));
    for (suite, kind) in [(1, "inconclusive"), (2, "unreadable")] {
        let error = tests(suites[suite])["judgement"].first_element_child().expect("it has an outcome");
        assert_eq!((error.tag_name().name(), error.attribute("type")), ("error", Some(kind)));
    }
    let failed = tests(suites[3])["durability"].first_element_child().expect("it has an outcome");
    assert!(failed.text().is_some_and(|text| text.contains("</script><img src=x onerror=alert(1)>]]>")));
}

/// A history that conforms, of which line 2 says that lines before it are missing.
fn with_a_hole(folder: &Path) -> PathBuf {
    let path = folder.join("hole.jsonl");
    let lines = [
        r#"{"index":0,"process":0,"type":"ok","f":"send","value":[["send","orders/0",[0,"a"]]]}"#,
        r#"{"index":5,"process":1,"type":"ok","f":"poll","value":[["poll",{"orders/0":[[0,"a"]]}]]}"#,
    ];
    fs::write(&path, lines.join("\n")).expect("the file can be written");
    path
}

/// A history that conforms, and a profile that requires a crash, of which it has none.
fn without_evidence(folder: &Path) -> [PathBuf; 2] {
    let [history, profile] = ["calm.jsonl", "mine.toml"].map(|name| folder.join(name));
    let lines = fs::read_to_string(with_a_hole(folder)).expect("the file can be read");
    fs::write(&history, lines.replace("\"index\":5", "\"index\":1")).expect("the file can be written");
    let demanding = "name = \"mine\"\nextends = \"kafka\"\n[evidence]\nrequired = [\"crash\"]\n";
    fs::write(&profile, demanding).expect("the file can be written");
    [history, profile]
}

const HOLE: &str =
    "nothing is broken, and nothing shows that it would have been: lines are missing before line 2";
const CALM: &str = "nothing is broken, and nothing shows that it would have been: no consumer crashed";

#[test]
fn every_form_says_why_a_history_decides_nothing() {
    let folder = tempfile::tempdir().expect("there is room for files");
    let hole = with_a_hole(folder.path());
    let [calm, profile] = without_evidence(folder.path());
    let told = |format: &str| {
        let of_hole = judged(&[text(&hole), "--format", format], 3);
        (of_hole, judged(&[text(&calm), "--profile", text(&profile), "--format", format], 3))
    };
    let (of_hole, of_calm) = told("text");
    assert_eq!(of_hole.lines().nth(1), Some(format!("  {HOLE}").as_str()));
    assert_eq!(of_calm.lines().nth(1), Some(format!("  {CALM}").as_str()));
    let (of_hole, of_calm) = told("markdown");
    assert!(of_hole.contains(&format!("\nInconclusive: {HOLE}.\n")), "{of_hole}");
    let required = "- required: crash: no consumer crashed; kill a consumer and record its \\`crash\\`\n";
    assert!(of_calm.contains(&format!("\nInconclusive: {CALM}.\n\n{required}")), "{of_calm}");
    let (of_hole, of_calm) = told("html");
    assert!(of_hole.contains(&format!("<p>{HOLE}.</p>")) && of_calm.contains(&format!("<p>{CALM}.</p>")));
    let (of_hole, of_calm) = told("junit");
    assert!(of_hole.contains(&format!("<error type=\"inconclusive\" message=\"{HOLE}\"/>")), "{of_hole}");
    let required = "Required: crash: no consumer crashed; kill a consumer and record its `crash`";
    assert!(of_calm.contains(&format!("message=\"{CALM}. {required}\"/>")), "{of_calm}");
    let (of_hole, of_calm) = told("sarif");
    let told = |log: &str| {
        let log: Value = serde_json::from_str(log).expect("it is JSON");
        check_sarif(&log);
        let invocation = &log["runs"][0]["invocations"][0];
        assert_eq!(invocation["executionSuccessful"], false);
        let notifications = invocation["toolExecutionNotifications"].as_array().expect("there are some");
        notifications.iter().map(|told| told["message"]["text"].to_string()).collect::<Vec<_>>().join("\n")
    };
    assert!(told(&of_hole).contains(HOLE));
    assert!(told(&of_calm).contains(CALM) && told(&of_calm).contains("required: crash: "));
}

#[test]
fn a_window_that_is_too_small_is_no_want_of_reads() {
    let folder = tempfile::tempdir().expect("there is room for files");
    let path = folder.path().join("again.jsonl");
    let op = |partition: &str, offset: usize| {
        format!(
            r#"{{"process":0,"type":"ok","f":"send","value":[["send","{partition}",[{offset},"{partition}{offset}"]]]}}
{{"process":1,"type":"ok","f":"poll","value":[["poll",{{"{partition}":[[{offset},"{partition}{offset}"]]}}]]}}"#
        )
    };
    let between = (0..5).map(|offset| op("b", offset));
    let lines: Vec<_> = [op("a", 0)].into_iter().chain(between).chain([op("a", 1)]).collect();
    fs::write(&path, lines.join("\n")).expect("the file can be written");
    let told = judged(&[text(&path), "--profile", "kafka", "--window", "5"], 3);
    let expected = "  nothing is broken, and nothing shows that it would have been: see what is undecided";
    assert_eq!(told.lines().nth(1), Some(expected), "{told}");
    assert!(told.contains("a larger --window would tell"), "{told}");
}

#[test]
fn json_names_what_could_not_be_read_and_what_the_run_comes_to() {
    let folder = tempfile::tempdir().expect("there is room for files");
    let malformed = folder.path().join("malformed.jsonl");
    fs::write(&malformed, "{\"process\":0}\n").expect("the file can be written");
    let hole = with_a_hole(folder.path());
    let run = |files: &[&str], expected: i32| -> Value {
        let arguments = [files, &["--format", "json"]].concat();
        serde_json::from_str(&judged(&arguments, expected)).expect("it is JSON")
    };
    let mixed = run(&[CONFORMS_ONE, "no/such/file.jsonl", text(&malformed)], 4);
    assert_eq!((&mixed["outcome"], &mixed["exit_code"]), (&"unreadable".into(), &4.into()));
    assert_eq!(mixed["verdicts"].as_array().map(Vec::len), Some(1));
    let errors = mixed["errors"].as_array().expect("it is a list");
    assert_eq!(errors.len(), 2);
    assert_eq!((&errors[0]["source"], &errors[0]["line"]), (&"no/such/file.jsonl".into(), &Value::Null));
    assert!(errors[0]["message"].as_str().is_some_and(|message| !message.is_empty()));
    assert_eq!((&errors[1]["source"], &errors[1]["line"]), (&text(&malformed).into(), &1.into()));
    for (files, outcome, exit) in [
        (&[CONFORMS_ONE][..], "conforms", 0),
        (&[CONFORMS_ONE, text(&hole)], "inconclusive", 3),
        (&[LOST, "no/such/file.jsonl"], "violated", 1),
    ] {
        let run = run(files, exit);
        assert_eq!((&run["outcome"], &run["exit_code"]), (&outcome.into(), &exit.into()), "{files:?}");
    }
    let jepsens: Value =
        serde_json::from_str(&judged(&["no/such.edn", "--compat", "jepsen", "--format", "json"], 4))
            .expect("it is JSON");
    assert_eq!(jepsens["errors"][0]["source"], "no/such.edn");
}

/// Goes through a SARIF log by what its schema requires.
fn check_sarif(log: &Value) {
    assert_eq!(log["version"], "2.1.0");
    assert!(log["$schema"].as_str().is_some_and(|schema| schema.ends_with("sarif-schema-2.1.0.json")));
    for run in log["runs"].as_array().expect("there are runs") {
        let driver = &run["tool"]["driver"];
        assert_eq!(driver["name"], "lawspeaker");
        let rules = driver["rules"].as_array().expect("there are rules");
        let mut ids = BTreeSet::new();
        for rule in rules {
            assert!(ids.insert(rule["id"].as_str().expect("a rule has an id")), "ids are unique");
            let texts = ["shortDescription", "fullDescription", "help"];
            assert!(
                texts.iter().all(|field| rule[field]["text"].as_str().is_some_and(|text| !text.is_empty()))
            );
        }
        for result in run["results"].as_array().expect("there are results") {
            let index =
                usize::try_from(result["ruleIndex"].as_u64().expect("it is a number")).expect("it is small");
            assert_eq!(rules[index]["id"], result["ruleId"]);
            assert!(["error", "note"].contains(&result["level"].as_str().unwrap_or_default()));
            assert!(result["message"]["text"].as_str().is_some_and(|text| !text.is_empty()));
            let related = result["relatedLocations"].as_array().expect("it is a list");
            for location in result["locations"].as_array().expect("it is a list").iter().chain(related) {
                let physical = &location["physicalLocation"];
                assert!(physical["region"]["startLine"].as_u64().is_some_and(|line| line > 0));
                let uri = physical["artifactLocation"]["uri"].as_str().expect("it has a URI");
                assert!(!uri.contains([' ', '<', '"']), "{uri}");
            }
        }
        let invocation = &run["invocations"][0];
        assert!(invocation["executionSuccessful"].is_boolean());
    }
}

#[test]
fn sarif_has_what_its_schema_requires_and_a_run_an_input() {
    let folder = tempfile::tempdir().expect("there is room for files");
    let hostile = hostile(folder.path());
    let log = judged(&["--format", "sarif", LOST, POWER_LOSS, "no/such/file.jsonl", text(&hostile)], 1);
    let log: Value = serde_json::from_str(&log).expect("it is JSON");
    check_sarif(&log);
    let runs = log["runs"].as_array().expect("there are runs");
    assert_eq!(runs.len(), 4);
    let first = &runs[0]["results"][0];
    assert_eq!((&first["ruleId"], &first["level"]), (&"lost-write".into(), &"error".into()));
    assert_eq!(first["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], LOST);
    assert_eq!(runs[1]["results"].as_array().map(Vec::len), Some(1), "root causes only");
    let failed = &runs[2]["invocations"][0];
    assert_eq!(failed["executionSuccessful"], false);
    assert!(failed["toolExecutionNotifications"][0]["message"]["text"].is_string());
    let malformed = folder.path().join("malformed.jsonl");
    fs::write(&malformed, "{\"process\":0}\n").expect("the file can be written");
    let log: Value =
        serde_json::from_str(&judged(&["--sarif", "-", text(&malformed)], 4)).expect("it is JSON");
    check_sarif(&log);
    let location = &log["runs"][0]["invocations"][0]["toolExecutionNotifications"][0]["locations"][0];
    assert_eq!(location["physicalLocation"]["region"]["startLine"], 1);
}

#[test]
fn markdown_is_a_summary_that_nothing_breaks_out_of() {
    let folder = tempfile::tempdir().expect("there is room for files");
    let summary = judged(&["--markdown", "-", LOST, POWER_LOSS], 1);
    insta::assert_snapshot!("markdown", summary);
    let hostile = hostile(folder.path());
    let summary = judged(&["--markdown", "-", text(&hostile)], 1);
    assert!(!summary.contains("<img") && !summary.contains("</script>") && !summary.contains('\u{202e}'));
    let table: Vec<_> = summary.lines().filter(|line| line.starts_with("| ❌")).collect();
    let cells = |line: &str| line.replace("\\|", "").matches('|').count();
    assert!(table.len() == 1 && cells(table[0]) == 6, "{table:?}");
}

#[test]
fn every_history_of_the_corpus_makes_sound_reports() {
    let mut count = 0;
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/histories")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("the folder can be read").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().contains(".jsonl")
                && !path.to_string_lossy().contains("recorded")
            {
                files.push(path);
            }
        }
    }
    files.sort();
    let names: Vec<&str> = files.iter().map(|path| text(path)).collect();
    let folder = tempfile::tempdir().expect("there is room for files");
    let [xml, sarif, page] = ["a.xml", "a.sarif", "a.html"].map(|name| folder.path().join(name));
    let flags = ["--junit", text(&xml), "--sarif", text(&sarif), "--report", text(&page)];
    judged(&[names.as_slice(), &flags].concat(), 1);
    let written = fs::read_to_string(&xml).expect("the file is there");
    let document = Document::parse(&written).expect("it is XML");
    check_shape(&document);
    let log: Value =
        serde_json::from_slice(&fs::read(&sarif).expect("the file is there")).expect("it is JSON");
    check_sarif(&log);
    for run in log["runs"].as_array().expect("there are runs") {
        let violates =
            run["artifacts"][0]["location"]["uri"].as_str().is_some_and(|uri| uri.contains("/violates/"));
        let errors =
            run["results"].as_array().expect("it is a list").iter().any(|result| result["level"] == "error");
        assert_eq!(violates, errors, "{}", run["artifacts"]);
        count += usize::from(violates);
    }
    assert!(count > 40, "{count} violate");
    check_page(&fs::read_to_string(&page).expect("the file is there"), files.len());
}

/// A page is well-formed but for its void elements and its doctype, every fragment leads somewhere, and nothing is loaded.
fn check_page(page: &str, articles: usize) {
    let start = page.find("<main").expect("there is a main part");
    let end = page.find("</main>").expect("it ends") + "</main>".len();
    let main = Document::parse(&page[start..end]).expect("the main part is well-formed");
    assert_eq!(main.descendants().filter(|node| node.has_tag_name("article")).count(), articles);
    let mut ids = BTreeSet::new();
    for id in main.descendants().filter_map(|node| node.attribute("id")) {
        assert!(ids.insert(id), "{id} stands twice");
    }
    for href in main.descendants().filter_map(|node| node.attribute("href")) {
        assert!(href.strip_prefix('#').is_some_and(|id| ids.contains(id)), "{href} leads nowhere");
    }
    for node in main.descendants().filter(Node::is_element) {
        let is_active =
            ["script", "img", "iframe", "object", "style", "link"].contains(&node.tag_name().name());
        let handles = node
            .attributes()
            .any(|attribute| attribute.name().starts_with("on") || attribute.name() == "src");
        assert!(!is_active && !handles, "{:?}", node.tag_name());
    }
}

#[test]
fn a_page_shows_the_proof_the_log_the_timeline_and_the_witness() {
    let page = judged(&["--report", "-", POWER_LOSS], 1);
    check_page(&page, 1);
    for expected in [
        "VIOLATED</span> durability",
        "so</b> nothing else can stand there",
        "durability does not hold",
        "The log of orders around it",
        "class=\"trace\"",
        "The smallest history that shows it",
        "fault was injected",
    ] {
        assert!(page.contains(expected), "{expected}");
    }
    let saga = "tests/data/histories/saga-atomicity/violates/step-after-abort.and-so-it-is-done-twice.jsonl";
    assert!(judged(&["--format", "html", saga], 1).contains("Saga s1"));
    assert_eq!(page, judged(&["--report", "-", POWER_LOSS], 1), "two runs write the same");
}

#[test]
fn a_hostile_history_stays_text_in_a_page() {
    let folder = tempfile::tempdir().expect("there is room for files");
    let page = judged(&["--report", "-", text(&hostile(folder.path()))], 1);
    check_page(&page, 1);
    assert!(page.contains("onerror=alert(1)"), "it is shown");
    assert!(!page.contains("<img") && !page.contains('\u{202e}') && !page.contains('\u{7}'));
    assert_eq!(page.matches("<script").count(), 1);
}

#[test]
fn a_page_of_a_long_history_is_small() {
    let folder = tempfile::tempdir().expect("there is room for files");
    let (path, page) = (folder.path().join("long.jsonl"), folder.path().join("long.html"));
    let mut lines = String::new();
    for n in 0..50_000 {
        lines += &format!(
            "{{\"process\":{},\"type\":\"ok\",\"f\":\"send\",\"value\":[[\"send\",\"p\",[{n},{n}]]]}}\n",
            n % 7
        );
        if n % 1_000 != 500 {
            lines += &format!(
                "{{\"process\":9,\"type\":\"ok\",\"f\":\"poll\",\"value\":[[\"poll\",{{\"p\":[[{n},{n}]]}}]]}}\n"
            );
        }
    }
    fs::write(&path, lines).expect("the file can be written");
    judged(&[text(&path), "--report", text(&page)], 1);
    let bytes = fs::metadata(&page).expect("the file is there").len();
    assert!(bytes < 1 << 20, "{bytes} bytes");
}

#[test]
fn stdout_and_each_file_get_one_result() {
    for (arguments, expected) in [
        (["--junit", "-", "--sarif", "-"], "stdout cannot get two results, of --junit and of --sarif -"),
        (["--junit", "a", "--markdown", "a"], "a cannot hold two results"),
        (
            ["--format", "json", "--report", "-"],
            "stdout cannot get two results, of --format and of --report -",
        ),
    ] {
        let output = lawspeaker(&[&["judge", LOST], &arguments[..]].concat());
        assert_eq!(code(&output), 2);
        assert!(err(&output).contains(expected), "{}", err(&output));
    }
    let folder = tempfile::tempdir().expect("there is room for files");
    let [one, two] = ["1.xml", "2.xml"].map(|name| folder.path().join(name));
    judged(&[LOST, "--junit", text(&one), "--junit", text(&two)], 1);
    assert_eq!(fs::read(&one).expect("it is there"), fs::read(&two).expect("it is there"));
    let unwritable = lawspeaker(&["judge", CONFORMS_ONE, "--sarif", "/no/such/folder/a.sarif"]);
    assert_eq!(code(&unwritable), 4, "{}", err(&unwritable));
    assert!(out(&unwritable).starts_with("CONFORMS") && err(&unwritable).contains("/no/such/folder/a.sarif"));
}

const CONFORMS_ONE: &str = "tests/data/histories/recorded/tansu-0.6.0-memory-group.jsonl.gz";

#[test]
fn witnesses_are_histories_that_judge_finds_the_same_in() {
    let folder = tempfile::tempdir().expect("there is room for files");
    let witnesses = folder.path().join("witnesses");
    judged(&[POWER_LOSS, LOST, "--witness", text(&witnesses)], 1);
    let index: Value =
        serde_json::from_slice(&fs::read(witnesses.join("index.json")).expect("there is an index"))
            .expect("it is JSON");
    let entries = index["witnesses"].as_array().expect("it is a list");
    assert_eq!(
        entries.iter().map(|entry| &entry["file"]).collect::<Vec<_>>(),
        ["01-lost-write.jsonl", "02-lost-write.jsonl"]
    );
    for entry in entries {
        assert_eq!(entry["minimal"], true);
        let path = witnesses.join(entry["file"].as_str().expect("it is a name"));
        let verdict: Value =
            serde_json::from_str(&judged(&["--format", "json", text(&path)], 1)).expect("it is JSON");
        assert_eq!(verdict["verdicts"][0]["findings"][0]["anomaly"], entry["anomaly"]);
        assert_eq!(verdict["verdicts"][0]["profile_chosen_by"], "header");
        let lines: Vec<Value> = fs::read_to_string(&path)
            .expect("it is there")
            .lines()
            .skip(1)
            .map(|line| serde_json::from_str::<Value>(line).expect("it is JSON")["x"]["source_line"].clone())
            .collect();
        assert_eq!(entry["source_lines"].as_array(), Some(&lines));
    }
    // A run anew replaces what is ours, and leaves nothing of before.
    judged(&[CONFORMS_ONE, "--witness", text(&witnesses)], 0);
    assert_eq!(fs::read_dir(&witnesses).expect("it is there").count(), 1, "only the index is left");
}

#[test]
fn a_directory_that_is_not_ours_is_left_alone() {
    let folder = tempfile::tempdir().expect("there is room for files");
    fs::write(folder.path().join("01-thesis.jsonl"), "years of work").expect("the file can be written");
    let output = lawspeaker(&["judge", LOST, "--witness", text(folder.path())]);
    assert_eq!(code(&output), 4);
    assert!(
        err(&output).contains("is not empty and holds no witnesses: name another directory"),
        "{}",
        err(&output)
    );
    assert_eq!(fs::read_dir(folder.path()).expect("it is there").count(), 1);
    assert!(out(&output).is_empty());
}

/// Ctrl-C comes while the history is still being written: the index is there and whole, and nothing else is.
#[cfg(unix)]
#[test]
fn an_interrupt_leaves_whole_files_and_is_exit_130() {
    use std::io::Write;
    use std::process::{Command, Stdio};

    let folder = tempfile::tempdir().expect("there is room for files");
    let (witnesses, xml) = (folder.path().join("witnesses"), folder.path().join("junit.xml"));
    let mut judge = Command::new(env!("CARGO_BIN_EXE_lawspeaker"))
        .args(["judge", "-", "--witness", text(&witnesses), "--junit", text(&xml)])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("lawspeaker can be run");
    // It listens to Ctrl-C before it writes the index.
    while !witnesses.join("index.json").exists() {
        std::thread::yield_now();
    }
    interrupt::interrupt(&judge);
    let mut stdin = judge.stdin.take().expect("it is piped");
    while stdin.write_all(b"{\"process\":0,\"type\":\"info\",\"f\":\"x\"}\n").is_ok() {}
    assert_eq!(judge.wait().expect("it ends").code(), Some(130));
    let left: Vec<_> =
        fs::read_dir(&witnesses).expect("it is there").flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(left, ["index.json"], "no part of a file is left");
    assert!(
        serde_json::from_slice::<Value>(&fs::read(witnesses.join("index.json")).expect("it is there"))
            .is_ok()
    );
    assert!(!xml.exists());
}
