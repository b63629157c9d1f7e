//! The command as its users meet it: exit codes, messages, hostile input.

mod command;
mod interrupt;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;

use command::{code, err, lawspeaker, out};

/// Judges a history that is given as text.
fn judge(text: impl AsRef<[u8]>) -> Output {
    let folder = tempfile::tempdir().expect("there is room for a file");
    let path = folder.path().join("history.jsonl");
    std::fs::write(&path, text).expect("the file can be written");
    lawspeaker(&["judge", path.to_str().expect("the path is text")])
}

#[test]
fn a_baseline_holds_with_exit_0_and_the_same_bytes_every_time() {
    let first = lawspeaker(&["check", "consumer-group"]);
    assert_eq!(code(&first), 0, "{}", err(&first));
    assert!(out(&first).starts_with("HOLDS  consumer-group  42,762 states"));
    assert_eq!(first, lawspeaker(&["check", "consumer-group"]));
}

#[test]
fn a_removed_guard_is_exit_1_and_two_runs_print_the_same() {
    let arguments = ["check", "consumer-group", "--without", "commit-after-process"];
    let first = lawspeaker(&arguments);
    assert_eq!(code(&first), 1);
    insta::assert_snapshot!(out(&first));
    assert_eq!(first, lawspeaker(&arguments));
    let threaded = [arguments.as_slice(), &["--threads", "3"]].concat();
    assert_eq!(out(&first), out(&lawspeaker(&threaded)));
    let json = ["check", "consumer-group", "--without", "commit-after-process", "--format", "json"];
    assert_eq!(lawspeaker(&json), lawspeaker(&json));
}

#[test]
fn a_counterexample_written_as_a_history_is_judged_for_what_it_breaks() {
    let folder = tempfile::tempdir().expect("there is room for a file");
    let path = folder.path().join("zombie.jsonl");
    let path = path.to_str().expect("the path is text");
    let checked = lawspeaker(&["check", "consumer-group", "--without", "fence-commit", "--history", path]);
    assert_eq!(code(&checked), 1);
    let judged = lawspeaker(&["judge", path]);
    assert_eq!(code(&judged), 1);
    insta::assert_snapshot!(out(&judged).replace(path, "zombie.jsonl"));
}

#[test]
fn a_counterexample_in_which_an_observer_sees_nothing_is_written_with_a_warning() {
    let folder = tempfile::tempdir().expect("there is room for a file");
    let path = folder.path().join("counterexample.jsonl");
    let path = path.to_str().expect("the path is text");
    for (guard, is_seen) in [("commit-after-process", false), ("fence-commit", true)] {
        let checked = lawspeaker(&["check", "consumer-group", "--without", guard, "--history", path]);
        assert_eq!(code(&checked), 1);
        let is_warned = err(&checked).contains("`judge` finds nothing in it: an observer does not see");
        assert_eq!(is_warned, !is_seen, "{guard}: {}", err(&checked));
        assert_eq!(code(&lawspeaker(&["judge", path])) == 1, is_seen, "{guard}");
    }
}

#[test]
fn a_history_that_cannot_be_written_loses_no_result() {
    let unwritable =
        ["check", "--without", "fence-effect", "--format", "json", "--history", "/no/such/folder/h.jsonl"];
    let output = lawspeaker(&unwritable);
    assert_eq!(code(&output), 1);
    assert!(err(&output).contains("/no/such/folder/h.jsonl"), "{}", err(&output));
    let run: serde_json::Value = serde_json::from_str(out(&output)).expect("the result is JSON all the same");
    assert_eq!(run["reports"][0]["outcome"], "violated");
}

#[test]
fn a_limit_that_is_hit_is_exit_3_and_a_violation_outranks_it() {
    for limit in
        [["--timeout", "0s"], ["--max-states", "100"], ["--max-depth", "2"], ["--max-memory", "1KiB"]]
    {
        let held = lawspeaker(&["check", "partition-log", limit[0], limit[1]]);
        assert_eq!(code(&held), 3, "{limit:?}: {}", out(&held));
        assert!(out(&held).starts_with("INCONCLUSIVE") && out(&held).contains("stopped by"));
    }
    let broken = ["check", "consumer-group", "--without", "commit-after-process", "--max-depth", "3"];
    assert_eq!(code(&lawspeaker(&broken)), 1);
}

/// The results of a run as JSON.
fn results(arguments: &[&str], exit: i32, field: &str) -> Vec<serde_json::Value> {
    let output = lawspeaker(&[arguments, &["--format", "json"]].concat());
    assert_eq!(code(&output), exit, "{arguments:?}: {}", err(&output));
    let run: serde_json::Value = serde_json::from_str(out(&output)).expect("the result is JSON");
    run[field].as_array().expect("there are results").clone()
}

#[test]
fn a_limit_is_told_with_how_far_it_was_and_how_to_go_on() {
    let way_on = "; to explore everything, run it again with a higher limit, or lower a bound with --set";
    let limited = ["partition-log", "--max-states", "100"];
    let checked = lawspeaker(&[&["check"], &limited[..]].concat());
    let expected = "\nunfinished the limit on states ended it after 104 states";
    assert!(out(&checked).contains(&format!("{expected}{way_on}\n")), "{}", out(&checked));
    let guards = lawspeaker(&[&["guards"], &limited[..]].concat());
    let expected = "\n  ?: undecided, as the limit on states ended 10 of 10 explorations after ";
    assert!(
        out(&guards).contains(expected) && out(&guards).ends_with(&format!("{way_on}\n")),
        "{}",
        out(&guards)
    );
    for (command, field) in [("check", "reports"), ("guards", "matrices")] {
        let result = &results(&[&[command], &limited[..]].concat(), 3, field)[0];
        assert!(result["unfinished"].as_str().is_some_and(|says| says.ends_with(way_on)), "{result}");
        let complete = &results(&[command, "isolation"], 0, field)[0];
        assert_eq!(
            (&complete["model"], &complete["unfinished"]),
            (&"isolation".into(), &serde_json::Value::Null)
        );
    }
}

#[test]
fn symmetry_is_for_the_models_that_have_any() {
    let of = |command: &str, field: &str| {
        let found = results(&[command, "--symmetry", "--max-states", "10"], 3, field);
        found.iter().map(|result| result["model"].to_string()).collect::<Vec<_>>()
    };
    assert_eq!(of("check", "reports"), ["\"partition-log\""]);
    assert_eq!(of("guards", "matrices"), of("check", "reports"));
    assert_eq!(code(&lawspeaker(&["guards", "saga", "--symmetry"])), 2);
}

/// Runs `lawspeaker`, and sends it Ctrl-C as soon as it listens: its bounds are such that it explores for long.
#[cfg(target_os = "linux")]
fn interrupted(arguments: &[&str]) -> Output {
    const INTERRUPT: u64 = 1 << 1;
    let mut command = Command::new(env!("CARGO_BIN_EXE_lawspeaker"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().expect("lawspeaker can be run");
    let listens = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).expect("it runs");
        let caught =
            status.lines().find_map(|line| line.strip_prefix("SigCgt:")).expect("it catches signals");
        u64::from_str_radix(caught.trim(), 16).expect("it is a mask") & INTERRUPT != 0
    };
    while !listens() {
        std::thread::yield_now();
    }
    interrupt::interrupt(&child);
    let output = child.wait_with_output().expect("lawspeaker ends");
    assert_eq!(code(&output), 130, "{}{}", out(&output), err(&output));
    output
}

#[cfg(target_os = "linux")]
#[test]
fn an_interrupt_is_exit_130_and_what_was_explored_is_printed() {
    let way_on = "; to explore everything, run it again\n";
    let checked = interrupted(&["check", "--bounds", "large"]);
    assert!(out(&checked).starts_with("INCONCLUSIVE  partition-log  "), "{}", out(&checked));
    assert!(out(&checked).contains("\nunfinished an interrupt ended it after "), "{}", out(&checked));
    assert!(out(&checked).ends_with(way_on), "{}", out(&checked));
    assert!(
        err(&checked).contains("interrupted before consumer-group, causal-delivery, "),
        "{}",
        err(&checked)
    );
    let guards = interrupted(&["guards", "saga", "--bounds", "large"]);
    let expected = "\n  ?: undecided, as an interrupt ended 10 of 10 explorations after ";
    assert!(out(&guards).contains(expected) && out(&guards).ends_with(way_on), "{}", out(&guards));
    for command in ["check", "guards"] {
        let json = interrupted(&[command, "saga", "--bounds", "large", "--format", "json"]);
        let run: serde_json::Value = serde_json::from_str(out(&json)).expect("the result is JSON");
        let field = if command == "check" { "reports" } else { "matrices" };
        assert!(
            run[field][0]["unfinished"].as_str().is_some_and(|says| says.contains("an interrupt")),
            "{run}"
        );
    }
    for arguments in [&["--format", "itf", "--guarantee", "saga-atomicity"][..], &["--format", "json"]] {
        let many = ["--bounds", "large", "--max-states", "1000000000"];
        let exported = interrupted(&[&["export", "saga"], arguments, &many].concat());
        assert_eq!(out(&exported), "");
        assert!(err(&exported).contains("saga: nothing written: interrupted"), "{}", err(&exported));
        assert!(
            err(&exported).contains("that was after ") && err(&exported).ends_with(way_on),
            "{}",
            err(&exported)
        );
    }
}

#[test]
fn bounds_within_which_nothing_happens_are_exit_3() {
    let output = lawspeaker(&["check", "consumer-group", "--set", "crashes=0"]);
    assert_eq!(code(&output), 3);
    assert!(
        out(&output).contains("not met: a crashed member's partition goes to another"),
        "{}",
        out(&output)
    );
}

#[test]
fn misspelt_names_are_exit_2_with_the_nearest_name() {
    let check = |arguments: &[&str], expected: &str| {
        let output = lawspeaker(arguments);
        assert_eq!(code(&output), 2, "{arguments:?}");
        assert!(err(&output).contains(expected), "{arguments:?}: {}", err(&output));
        assert_eq!(out(&output), "");
    };
    check(&["check", "consumer-gruop"], "did you mean `consumer-group`?");
    check(&["check", "--without", "dedup"], "name one of consumer-group, choreography");
    check(&["check", "consumer-group", "--without", "fence-comit"], "did you mean `fence-commit`?");
    check(&["check", "--without", "fence-comit"], "did you mean `fence-commit`?");
    check(&["check", "consumer-group", "--set", "crshes=1"], "did you mean `crashes`?");
    check(&["check", "consumer-group", "--set", "crashes=200"], "goes from 0 to 8, not to 200");
    check(&["check", "consumer-group", "--set", "crashes"], "NAME=VALUE");
    check(&["check", "--set", "crashes=1"], "a setting `crashes`: name one of partition-log, consumer-group");
    check(
        &["guards", "--set", "crashes=1"],
        "a setting `crashes`: name one of partition-log, consumer-group",
    );
    check(&["guards", "--set", "crshes=1"], "did you mean `crashes`?");
    check(&["check", "--set", "strays=200"], "setting `strays` of model `bounded-queues` goes from");
    check(&["check", "--without", "dedup", "--history", "-"], "stdout gets the report: name a file");
    check(
        &["judge", "history.jsonl", "--waive", "nonsense"],
        "evidence: acknowledged-send, unknown-send, read",
    );
    check(&["explain", "at-least-onze"], "did you mean `at-least-once`?");
    check(&["judge", "history.jsonl", "--profile", "kafak"], "did you mean `kafka`?");
    check(&["chekc"], "check");
    check(&[], "Usage");
}

/// Two sends of one event that both stand, which a system is to blame for unless its profile says otherwise.
const DUPLICATE: &str = r#"{"process":0,"type":"ok","f":"send","value":[["send","orders/0",[0,"a"]]]}
{"process":1,"type":"ok","f":"poll","value":[["poll",{"orders/0":[[0,"a"],[1,"a"]]}]]}"#;

/// Judges [`DUPLICATE`] under a profile that is a file.
fn judge_under(profile: &str, more: &[&str]) -> Output {
    let folder = tempfile::tempdir().expect("there is room for two files");
    let path = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("the file can be written");
        path.to_str().expect("the path is text").to_owned()
    };
    let (history, profile) = (path("history.jsonl", DUPLICATE), path("mine.toml", profile));
    lawspeaker(&[&["judge", history.as_str(), "--profile", profile.as_str()], more].concat())
}

#[test]
fn a_profile_that_is_a_file_decides_what_is_a_violation() {
    assert_eq!(code(&judge(DUPLICATE)), 1);
    let mine = "name = \"mine\"\nextends = \"kafka\"\n[guarantees]\nno-duplication = \"note\"\n";
    let output = judge_under(&format!("{mine}partition-order = \"note\"\n"), &[]);
    assert_eq!(code(&output), 0, "{}{}", out(&output), err(&output));
    assert!(out(&output).contains("profile mine") && out(&output).contains("note: duplicate"));
    let kafka = lawspeaker(&["explain", "kafka", "--format", "toml"]);
    assert_eq!(code(&judge_under(out(&kafka), &[])), 1, "what is printed is read back");
}

#[test]
fn a_profile_that_means_nothing_is_exit_4_with_its_line() {
    let output = judge_under("name = \"mine\"\nextends = \"kafka\"\n[anomalies]\nduplicat = \"note\"\n", &[]);
    assert_eq!(code(&output), 4);
    let expected = "mine.toml: line 4: anomaly `duplicat` is unknown; did you mean `duplicate`?";
    assert!(err(&output).contains(expected), "{}", err(&output));
    let missing = lawspeaker(&["judge", "history.jsonl", "--profile", "./no-such.toml"]);
    assert_eq!(code(&missing), 4);
    assert!(err(&missing).contains("./no-such.toml: "), "{}", err(&missing));
    let no_profile = lawspeaker(&["explain", "lost-write", "--format", "toml"]);
    assert_eq!(code(&no_profile), 2);
}

#[test]
fn what_a_profile_requires_and_a_recording_lacks_is_exit_3_unless_it_is_waived() {
    let demanding = "name = \"mine\"\nextends = \"kafka\"\n[guarantees]\nno-duplication = \"note\"\n\
                     partition-order = \"note\"\n[evidence]\nrequired = [\"crash\"]\n";
    let output = judge_under(demanding, &[]);
    assert_eq!(code(&output), 3, "{}", out(&output));
    assert!(out(&output).contains("no consumer crashed; kill a consumer"), "{}", out(&output));
    let waived = judge_under(demanding, &["--waive", "crash"]);
    assert_eq!(code(&waived), 0, "{}", out(&waived));
    assert!(out(&waived).contains("waived:    crash"), "{}", out(&waived));
    let misspelt = judge_under(demanding, &["--waive", "crahs"]);
    assert_eq!(code(&misspelt), 2);
    assert!(err(&misspelt).contains("did you mean `crash`?"), "{}", err(&misspelt));
}

#[test]
fn a_guard_that_only_one_model_has_names_the_model() {
    let output = lawspeaker(&["check", "--without", "session-timeout"]);
    assert_eq!(code(&output), 1);
    assert!(out(&output).starts_with("VIOLATED  consumer-group without session-timeout"));
    let output = lawspeaker(&["check", "--set", "strays=0"]);
    assert!(
        out(&output).contains("  bounded-queues  ") && !out(&output).contains("\n\n\n"),
        "{}",
        err(&output)
    );
}

#[test]
fn a_history_with_nothing_to_judge_is_exit_3() {
    assert_eq!(code(&judge("")), 3);
    assert_eq!(code(&judge("\n\n")), 3);
    let unknown = r#"{"process":0,"type":"info","f":"send","value":[["send","orders/0",1]]}"#;
    let output = judge(unknown);
    assert_eq!(code(&output), 3, "{}", out(&output));
}

#[test]
fn a_line_that_cannot_be_read_is_exit_4_with_its_number() {
    let sound = r#"{"process":0,"type":"ok","f":"send","value":[["send","orders/0",[0,1]]]}"#;
    let check = |second: &[u8], expected: &str| {
        let output = judge([sound.as_bytes(), b"\n", second].concat());
        assert_eq!(code(&output), 4, "{}", out(&output));
        assert!(
            err(&output).contains("history.jsonl: line 2: ") && err(&output).contains(expected),
            "{}",
            err(&output)
        );
    };
    check(&sound.as_bytes()[..30], "was the file cut off?");
    check(b"[1, 2]", "not a JSON object: an object is expected");
    check(br#"{"process":0,"process":1,"type":"ok","f":"poll"}"#, "field `process` stands twice");
    check(b"\xff\xfe\x00", "not a JSON object");
    check(br#"{"process":0,"type":"ok"}"#, "field `f` is missing");
    check(
        br#"{"process":0,"type":"ok","f":"poll","value":[["poll",{"orders/0":[[1000000000000000000,1]]}]]}"#,
        "offset `1000000000000000000` is beyond 2^53",
    );
    let missing = lawspeaker(&["judge", "no/such/file.jsonl"]);
    assert_eq!(code(&missing), 4);
    assert!(err(&missing).contains("no/such/file.jsonl"));
    let future = judge(r#"{"format":"lawspeaker.history","version":9}"#);
    assert_eq!(code(&future), 4);
    assert!(err(&future).contains("version 9"));
}

#[test]
fn a_violation_outranks_a_file_that_cannot_be_read() {
    let violates = "tests/data/histories/total-log/violates/inconsistent-offsets.jsonl";
    let output = lawspeaker(&["judge", violates, "no/such/file.jsonl"]);
    assert_eq!(code(&output), 1);
    assert!(err(&output).contains("no/such/file.jsonl"));
}

#[test]
fn the_largest_offsets_cost_no_more_than_small_ones() {
    let huge = (1_i64 << 53) - 2;
    let output = judge(format!(
        r#"{{"process":0,"type":"ok","f":"send","value":[["send","orders/0",[{huge},1]]]}}
{{"process":1,"type":"ok","f":"poll","value":[["poll",{{"orders/0":[[{huge},1]]}}]]}}"#
    ));
    assert_eq!(code(&output), 0, "{}{}", out(&output), err(&output));
}

fn recorded() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/histories/recorded")
}

#[test]
fn a_history_is_read_the_same_from_a_file_from_gzip_and_from_stdin() {
    let path = recorded().join("postgres-15-outbox-naive.jsonl.gz");
    let from_file = lawspeaker(&["judge", path.to_str().expect("the path is text")]);
    assert_eq!(code(&from_file), 1);
    let mut child = Command::new(env!("CARGO_BIN_EXE_lawspeaker"))
        .args(["judge", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("lawspeaker can be run");
    let bytes = std::fs::read(&path).expect("the recording can be read");
    child.stdin.take().expect("stdin is a pipe").write_all(&bytes).expect("lawspeaker reads");
    let from_stdin = child.wait_with_output().expect("lawspeaker ends");
    let name = path.display().to_string();
    assert_eq!(out(&from_file).replace(&name, "stdin"), out(&from_stdin));
}

#[test]
fn a_window_judges_partition_by_partition_or_says_why_it_cannot() {
    let path = recorded().join("nats-2.15.1-r1-default-powerloss.jsonl.gz");
    let path = path.to_str().expect("the path is text");
    let whole = lawspeaker(&["judge", path, "--profile", "jetstream"]);
    let windowed = |more: &[&str]| lawspeaker(&[&["judge", path, "--window", "1000000"], more].concat());
    // Nothing leaves so large a window.
    assert_eq!(out(&windowed(&["--profile", "jetstream"])), out(&whole));
    for (more, exit, told) in [
        (&["--report", "page.html"][..], 2, "cannot be used with"),
        (&["--format", "html"], 2, "--format html shows the history, which --window forgets"),
        (&["--profile", "saga"], 4, "which no partition shows by itself: judge without a window"),
    ] {
        let refused = windowed(more);
        assert_eq!(code(&refused), exit);
        assert!(err(&refused).contains(told), "{}", err(&refused));
    }
    assert_eq!(code(&lawspeaker(&["judge", path, "--window", "0"])), 2);
}

#[test]
fn gzip_that_is_cut_off_is_exit_4() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    for index in 0..1000 {
        let value = format!(r#"[["send","orders/0",[{index},{index}]]]"#);
        writeln!(encoder, r#"{{"process":0,"type":"ok","f":"send","value":{value}}}"#)
            .expect("memory takes it");
    }
    let whole = encoder.finish().expect("memory takes it");
    assert_eq!(code(&judge(&whole[..whole.len() / 2])), 4);
}

#[test]
fn explain_knows_every_name_it_lists() {
    let all = lawspeaker(&["explain"]);
    assert_eq!(code(&all), 0);
    let names = out(&all).lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    let mut count = 0;
    for name in names.filter(|name| !name.is_empty()) {
        assert_eq!(code(&lawspeaker(&["explain", name])), 0, "{name}");
        count += 1;
    }
    assert!(count > 40, "{count} names");
}

#[test]
fn help_starts_with_examples() {
    let help = lawspeaker(&["--help"]);
    assert_eq!(code(&help), 0);
    assert!(out(&help).starts_with("Examples:"));
    for command in ["check", "judge", "guards", "export", "explore", "trace", "explain"] {
        let help = lawspeaker(&[command, "--help"]);
        assert!(out(&help).starts_with("Examples:"), "{command}");
    }
    // A recorder writes a header and indices: several recordings are several files, and never one stream.
    let help = lawspeaker(&["judge", "--help"]);
    assert!(!out(&help).contains("| lawspeaker judge -"), "{}", out(&help));
}

#[test]
fn every_recording_is_judged_as_its_provenance_says() {
    let mut verdicts = String::new();
    let mut paths: Vec<_> =
        std::fs::read_dir(recorded()).expect("there are recordings").flatten().map(|e| e.path()).collect();
    paths.sort();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|extension| extension == "gz")) {
        let output = lawspeaker(&["judge", "--format", "json", path.to_str().expect("the path is text")]);
        let run: serde_json::Value = serde_json::from_str(out(&output)).expect("the verdict is JSON");
        let verdict = &run["verdicts"][0];
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        verdicts +=
            &format!("{name}  exit {}  {}\n", code(&output), verdict["profile"].as_str().unwrap_or_default());
        for finding in verdict["findings"].as_array().into_iter().flatten() {
            let text = |field: &str| finding[field].as_str().unwrap_or_default().to_owned();
            let follows = if finding["caused_by"].is_null() { "" } else { "  (follows)" };
            verdicts +=
                &format!("  {} {} {}{follows}\n", text("severity"), text("anomaly"), finding["count"]);
        }
    }
    insta::assert_snapshot!(verdicts);
}

#[test]
fn a_log_with_vector_clocks_is_recognised_or_named() {
    let log = "tests/data/histories/clocked/simple-reliable-broadcast.log";
    let recognised = lawspeaker(&["judge", log]);
    assert_eq!(code(&recognised), 0, "{}", err(&recognised));
    assert!(
        out(&recognised).contains("the recorded clocks of 16 sends, which order 81 pairs"),
        "{}",
        out(&recognised)
    );
    assert_eq!(recognised, lawspeaker(&["judge", log, "--from", "shiviz"]));
    let packets = lawspeaker(&["judge", "tests/data/histories/clocked/EWD998ChanTrace.ndjson.gz"]);
    assert_eq!(code(&packets), 0, "{}", err(&packets));
    let misnamed = lawspeaker(&["judge", log, "--from", "history"]);
    assert_eq!(code(&misnamed), 4);
    assert!(err(&misnamed).contains("line 1: not a JSON object"), "{}", err(&misnamed));
}

/// A small history of ours in Jepsen's form.
const EDN: &str = "tests/data/jepsen/lost-write.edn";

#[test]
fn edn_is_judged_by_content_by_name_and_by_request() {
    let whole = lawspeaker(&["judge", EDN, "--format", "json"]);
    assert_eq!(code(&whole), 1, "{}", err(&whole));
    let text = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(EDN)).expect("the history is there");
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(&text).expect("memory can be written");
    let gzip = gzip.finish().expect("memory can be written");
    let folder = tempfile::tempdir().expect("there is room for a file");
    // By its content, by its name though its content might be JSON, and by request.
    for (name, bytes, from) in
        [("history.txt", &text, None), ("history.edn.gz", &gzip, None), ("history", &text, Some("edn"))]
    {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("the file can be written");
        let path = path.to_str().expect("the path is text");
        let mut arguments = vec!["judge", path, "--format", "json"];
        arguments.extend(from.into_iter().flat_map(|from| ["--from", from]));
        let judged = lawspeaker(&arguments);
        assert_eq!(out(&judged).replace(path, EDN), out(&whole), "{name}: {}", err(&judged));
    }
    let path = folder.path().join("broken.edn");
    std::fs::write(&path, "{:process 0\n :type :ok :f [}").expect("the file can be written");
    let broken = lawspeaker(&["judge", path.to_str().expect("the path is text")]);
    assert_eq!(code(&broken), 4);
    let expected =
        "broken.edn: line 2: column 16: not EDN that is read here: `}` stands where `]` is expected\n";
    assert!(err(&broken).ends_with(expected), "{}", err(&broken));
}

#[test]
fn a_history_converted_to_edn_and_back_is_the_same_and_a_broken_one_leaves_no_file() {
    let folder = tempfile::tempdir().expect("there is room for a file");
    let path = |name: &str| folder.path().join(name).to_str().expect("the path is text").to_owned();
    let convert = |from: &str, to: &str, into: &str| lawspeaker(&["convert", from, "--to", to, "-o", into]);
    let (first, edn, second) = (path("first.jsonl"), path("history.edn"), path("second.jsonl"));
    let original = "tests/data/histories/at-least-once/violates/group-loss.jsonl";
    assert_eq!(code(&convert(original, "jsonl", &first)), 0);
    assert_eq!(code(&convert(&first, "edn", &edn)), 0);
    assert_eq!(code(&convert(&edn, "jsonl", &second)), 0);
    assert_eq!(std::fs::read_to_string(&first).unwrap(), std::fs::read_to_string(&second).unwrap());
    assert!(std::fs::read_to_string(&edn).unwrap().starts_with("#_{:format \"lawspeaker.history\""));
    let broken = path("broken.edn");
    std::fs::write(&broken, "{:process 0 :type :ok :f :crash}\n{:process").unwrap();
    let output = convert(&broken, "jsonl", &path("none.jsonl"));
    assert_eq!(code(&output), 4);
    assert!(err(&output).contains("line 2: column 1: "), "{}", err(&output));
    assert!(!Path::new(&path("none.jsonl")).exists());
}

#[test]
fn jepsens_verdict_names_its_error_types_and_which_are_allowed() {
    let history = "tests/data/jepsen/poll-skip.edn";
    let judged = lawspeaker(&["judge", history, "--compat", "jepsen"]);
    assert_eq!(code(&judged), 1);
    let expected = "INVALID  tests/data/jepsen/poll-skip.edn  by Jepsen's rules\n  \
                    poll-skip                         1, first at line 7\n";
    assert_eq!(out(&judged), expected);
    let judged = lawspeaker(&["judge", history, "--compat", "jepsen", "--sub-via", "subscribe"]);
    assert_eq!((code(&judged), out(&judged).starts_with("VALID  ")), (0, true), "{}", out(&judged));
    assert!(out(&judged).ends_with("at line 7  (allowed)\n"), "{}", out(&judged));
    let judged = lawspeaker(&["judge", history, "--compat", "jepsen", "--format", "json"]);
    let told: serde_json::Value = serde_json::from_slice(&judged.stdout).expect("this is JSON");
    assert_eq!(told["results"][0]["bad-error-types"], serde_json::json!(["poll-skip"]));
    assert_eq!(code(&lawspeaker(&["judge", history, "--ww-deps"])), 2);
}

/// What `docs/jepsen.md` says of Jepsen's checker is what the command says, with the policy that the row names.
#[test]
fn jepsens_blind_spots_are_as_the_page_says() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/jepsen.md");
    let page = std::fs::read_to_string(page).expect("the page is there");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once(".edn`: "));
    let mut count = 0;
    for (name, rest) in rows {
        let says = rest.split(" | ").nth(1).expect("a row has three columns");
        let history = format!("tests/data/jepsen/blind-spots/{name}.edn");
        let is_valid = |sub_via| {
            let judged = lawspeaker(&["judge", &history, "--compat", "jepsen", "--sub-via", sub_via]);
            code(&judged) == 0
        };
        let is_subscribed = says.contains("`--sub-via subscribe`");
        // Where Jepsen's checker gives no answer, this command does.
        if says.starts_with("valid") || says.starts_with('`') {
            assert_eq!(is_valid("assign"), says.starts_with("valid") && !is_subscribed, "{name}");
            assert!(!is_subscribed || is_valid("subscribe"), "{name}");
            count += 1;
        }
    }
    assert!(count > 6, "{count} rows");
}
