//! Logs of other systems that keep vector clocks; `tests/data/histories/clocked/README.md` tells where they come from.

use std::io::Read as _;

use lawspeaker_history::{Call, History, LogFormat, OpType};
use lawspeaker_oracle::{Anomaly, Outcome, Profile, Verdict, judge, report};

use crate::data;

/// File, format, steps, sends, receipts, deliveries judged, pairs ordered, clocks checked.
type Expected = (&'static str, LogFormat, [usize; 6]);

const LOGS: [Expected; 4] = [
    ("reliable-broadcast.log", LogFormat::Shiviz, [116, 49, 48, 48, 757, 112]),
    ("simple-reliable-broadcast.log", LogFormat::Shiviz, [39, 16, 16, 16, 81, 38]),
    ("voldemort.log.gz", LogFormat::Shiviz, [864, 0, 0, 0, 0, 844]),
    ("EWD998ChanTrace.ndjson.gz", LogFormat::Clocks, [654, 228, 356, 228, 25_584, 653]),
];

fn log(file: &str) -> String {
    let bytes = std::fs::read(data().join("clocked").join(file)).expect("the log is there");
    let mut text = String::new();
    if file.ends_with(".gz") {
        let mut log = flate2::read::GzDecoder::new(bytes.as_slice());
        log.read_to_string(&mut text).expect("the log is text");
    } else {
        text = String::from_utf8(bytes).expect("the log is text");
    }
    text
}

fn verdict(history: &History) -> Verdict {
    judge(history, Profile::named("causal-broadcast").expect("it is a profile"))
}

fn observed(verdict: &Verdict, anomaly: Anomaly) -> usize {
    verdict
        .checked
        .iter()
        .find(|checked| checked.anomaly == anomaly)
        .map_or(0, |checked| checked.observations)
}

/// The number of ordered pairs that the verdict goes by.
fn pairs(verdict: &Verdict) -> usize {
    let basis = verdict.checked.iter().find_map(|checked| checked.basis.as_deref()).unwrap_or_default();
    let told = basis.rsplit("order ").next().unwrap_or_default();
    told.trim_end_matches(" pairs").replace(',', "").parse().unwrap_or_default()
}

#[test]
fn every_log_keeps_its_clocks_well_and_delivers_in_causal_order() {
    for (file, format, expected) in LOGS {
        let text = log(file);
        assert_eq!(LogFormat::of(text.as_bytes()), Some(format), "{file}");
        let history = format.read(text.as_bytes()).expect("the log can be read");
        let verdict = verdict(&history);
        let count = |f: &str| history.ops.iter().filter(|op| op.call.f() == f).count();
        let found = [
            history.ops.len(),
            count("send"),
            count("receive"),
            observed(&verdict, Anomaly::CausalInversion),
            pairs(&verdict),
            observed(&verdict, Anomaly::ClockMismatch),
        ];
        assert_eq!(found, expected, "{file}");
        assert!(verdict.findings.is_empty(), "{}", report::text(&verdict, file));
        assert!(verdict.doubts.is_empty(), "{}", report::text(&verdict, file));
        assert_eq!(verdict.profile, "causal-broadcast");
    }
}

#[test]
fn the_readme_beside_the_logs_tells_the_same_counts() {
    let readme = std::fs::read_to_string(data().join("clocked/README.md")).expect("there is a README");
    for (file, _, [steps, sends, receipts, deliveries, pairs, clocks]) in LOGS {
        let row = format!(
            "| `{file}` | {steps} | {sends} | {receipts} | {deliveries} | {pairs} | 0 | {clocks} | 0 |"
        );
        assert!(readme.contains(&row), "the README lacks the row\n{row}");
    }
}

#[test]
fn a_log_that_is_shuffled_is_judged_the_same() {
    let text = log("reliable-broadcast.log");
    let mut lines: Vec<&str> = text.lines().collect();
    lines.reverse();
    let history = LogFormat::Shiviz.read(lines.join("\n").as_bytes()).expect("the log can be read");
    let verdict = verdict(&history);
    assert_eq!((verdict.outcome, pairs(&verdict)), (Outcome::Conforms, 757));
}

#[test]
fn a_receipt_that_forgets_its_message_is_found_with_its_lines() {
    let text = log("simple-reliable-broadcast.log");
    let forgetful = text.replacen(
        r#"{"node0" : 12, "node1" : 7, "node2" : 11}"#,
        r#"{"node0" : 9, "node1" : 7, "node2" : 11}"#,
        1,
    );
    assert_ne!(text, forgetful);
    let history = LogFormat::Shiviz.read(forgetful.as_bytes()).expect("the log can be read");
    let verdict = verdict(&history);
    assert_eq!((verdict.outcome, verdict.count(Anomaly::ClockMismatch)), (Outcome::Violated, 1));
    insta::assert_snapshot!(verdict.findings[0].summary, @"process node2 was delivered event node0@12, sent at {node0: 12, node1: 4, node2: 4} (line 35), and then took a delivery at {node0: 9, node1: 7, node2: 11} (line 35), which is not after it");
}

#[test]
fn two_messages_that_overtake_one_another_are_found_in_a_log() {
    let text = r#"[akka://b/user/a] {"a":1} Sending one to c
[akka://b/user/a] {"a":2} Sending two to b
[akka://b/user/b] {"a":2, "b":1} Received two from a
[akka://b/user/b] {"a":2, "b":2} Sending three to c
[akka://b/user/c] {"a":2, "b":2, "c":1} Received three from b
[akka://b/user/c] {"a":2, "b":2, "c":2} Received one from a"#;
    let verdict = verdict(&LogFormat::Shiviz.read(text.as_bytes()).expect("the log can be read"));
    assert_eq!((verdict.outcome, verdict.count(Anomaly::CausalInversion)), (Outcome::Violated, 1));
    insta::assert_snapshot!(verdict.findings[0].summary, @"event a@1 was sent by process a at {a: 1} (line 1), which is before {a: 2, b: 2}, at which process b sent event b@2 (line 4); process c was delivered event b@2 (line 5) before event a@1 (line 6)");
}

#[test]
fn what_nobody_can_match_is_nobodys_message() {
    let text = r#"{"event":"<","node":1,"pkt":{"snd":0,"rcv":1,"msg":"x","vc":{"0":7,"1":1}}}"#;
    let history = LogFormat::Clocks.read(text.as_bytes()).expect("the log can be read");
    let [op] = history.ops.as_slice() else { panic!("one step is one op") };
    assert_eq!((op.op_type, &op.call), (OpType::Ok, &Call::Receive(Vec::new())));
}

#[test]
fn text_without_clocks_is_no_log_of_clocks() {
    assert_eq!(LogFormat::of(b"a line\nanother {one}\n"), None);
    assert_eq!(LogFormat::of(br#"{"process":1,"type":"ok","f":"poll"}"#), None);
    let error = LogFormat::Shiviz.read("a line\n".as_bytes()).expect_err("there is no clock");
    assert_eq!(error.to_string(), "line 1: no record of this log has a host and a vector clock");
}
