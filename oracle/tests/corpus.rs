//! `tests/data/histories/<guarantee>/{conforms,violates}/<anomaly>[.<variant>].jsonl`.

use std::path::PathBuf;

use lawspeaker_history::Guarantee;
use lawspeaker_oracle::{Anomaly, Outcome, Verdict, report};

use crate::{checked, data, judge_text, judge_without, read};

struct Entry {
    path: PathBuf,
    guarantee: Guarantee,
    anomaly: Anomaly,
}

/// Every file of one kind, in order.
fn corpus(kind: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    for guarantee in Guarantee::ALL {
        let folder = data().join(guarantee.name()).join(kind);
        let Ok(files) = std::fs::read_dir(folder) else { continue };
        for file in files {
            let path = file.expect("the folder can be listed").path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let Ok(anomaly) = name.split('.').next().unwrap_or_default().parse() else { continue };
            entries.push(Entry { path, guarantee: *guarantee, anomaly });
        }
    }
    entries.sort_by(|one, other| one.path.cmp(&other.path));
    entries
}

#[test]
fn every_anomaly_has_a_conforming_and_a_violating_history_in_the_folder_of_its_guarantee() {
    for kind in ["conforms", "violates"] {
        let entries = corpus(kind);
        for anomaly in Anomaly::ALL {
            let is_here = |entry: &Entry| entry.anomaly == *anomaly && entry.guarantee == anomaly.guarantee();
            assert!(entries.iter().any(is_here), "{anomaly} has no {kind} file");
        }
    }
}

#[test]
fn every_violating_history_shows_its_anomaly_as_the_only_root_cause() {
    for Entry { path, anomaly, .. } in corpus("violates") {
        let history = read(&path);
        let verdict = judge_without(&history, &[]);
        let text = report::text(&verdict, &path.display().to_string());
        assert_eq!(verdict.outcome, Outcome::Violated, "{text}");
        let roots: Vec<_> = verdict
            .violations()
            .filter(|finding| finding.caused_by.is_none())
            .map(|finding| finding.anomaly)
            .collect();
        assert_eq!(roots, [anomaly], "{text}");
        if let Some(cases) = history.header.unknown.get("cases") {
            assert_eq!(verdict.count(anomaly) as u64, *cases, "{text}");
        }
    }
}

#[test]
fn every_conforming_history_shows_no_violation() {
    for Entry { path, .. } in corpus("conforms") {
        let verdict = judge_without(&read(&path), &[]);
        assert_eq!(
            verdict.outcome,
            Outcome::Conforms,
            "{}",
            report::text(&verdict, &path.display().to_string())
        );
    }
}

/// What a verdict says, without what the profile leaves open: the findings, and on how much each check rests.
fn told(verdict: &Verdict, guarantee: Guarantee) -> String {
    let text = report::text(verdict, "");
    let findings = text.lines().skip(1).take_while(|line| !line.starts_with("checked:"));
    let mut told: Vec<String> = findings.map(str::to_owned).collect();
    told.pop_if(|line| line.is_empty());
    told.push(format!("  checked: {}", checked(verdict)));
    let undecided = verdict.undecided.iter().filter(|undecided| undecided.guarantee == guarantee);
    told.extend(undecided.map(|undecided| format!("  undecided: {}", undecided.reason)));
    told.extend(verdict.doubts.iter().map(|doubt| format!("  recording: {}", doubt.sentence)));
    told.join("\n")
}

/// What is said was read by somebody, and no word or count of it changes unseen.
#[test]
fn what_is_said_of_each_history_is_what_was_reviewed() {
    for guarantee in Guarantee::ALL {
        let mut verdicts = String::new();
        for Entry { path, .. } in ["violates", "conforms"].into_iter().flat_map(corpus) {
            let Ok(place) = path.strip_prefix(data().join(guarantee.name())) else { continue };
            let verdict = judge_without(&read(&path), &[]);
            verdicts += &format!("{}\n{}\n\n", place.display(), told(&verdict, *guarantee));
        }
        insta::assert_snapshot!(guarantee.name(), verdicts);
    }
}

/// Why each guarantee is not judged, under the profile that promises most.
#[test]
fn a_history_that_shows_next_to_nothing_is_told_what_it_lacks() {
    let text = r#"{"format":"lawspeaker.history","version":1,"profile":"log-strict"}
{"process":0,"type":"ok","f":"send","value":[["send","orders/0",[0,"a"]]]}
{"process":5,"type":"ok","f":"poll","value":[["poll",{"orders/0":[[0,"a"]]}]]}"#;
    insta::assert_snapshot!(report::text(&judge_text(text), "next-to-nothing.jsonl"));
}

#[test]
fn without_its_check_a_violating_history_is_no_longer_caught_and_every_other_check_is_made() {
    for Entry { path, anomaly, .. } in corpus("violates") {
        let history = read(&path);
        let verdict = judge_without(&history, &[anomaly]);
        assert_eq!(verdict.count(anomaly), 0, "{}", path.display());
        let with_all = judge_without(&history, &[]).checked;
        let others: Vec<_> = with_all.into_iter().filter(|checked| checked.anomaly != anomaly).collect();
        assert_eq!(verdict.checked, others, "{} without {anomaly}", path.display());
    }
}

/// Without offsets, a log or a queue that kept nothing would be guessed.
#[test]
fn a_history_of_streams_that_names_no_profile_is_taken_for_one_of_an_event_store() {
    let is_of_streams = |entry: &Entry| entry.guarantee == Guarantee::StreamConsistency;
    for Entry { path, .. } in ["conforms", "violates"].into_iter().flat_map(corpus).filter(is_of_streams) {
        let mut history = read(&path);
        history.header.profile = None;
        assert_eq!(judge_without(&history, &[]).profile, "event-store", "{}", path.display());
    }
}

#[test]
fn every_finding_names_lines_that_exist_in_order() {
    for Entry { path, .. } in corpus("violates") {
        let history = read(&path);
        let last = history.ops.last().map_or(0, |op| op.line);
        for finding in judge_without(&history, &[]).findings {
            assert_eq!(finding.count, finding.cases.len());
            for case in finding.cases {
                let lines: Vec<u64> = case.lines.iter().map(|line| line.line).collect();
                assert!(!lines.is_empty() && lines.is_sorted(), "{}: {lines:?}", path.display());
                assert!(lines.iter().all(|line| (2..=last).contains(line)), "{}: {lines:?}", path.display());
            }
        }
    }
}
