//! A run as SARIF 2.1.0: one run an input, a rule an anomaly, a result a root cause, at a line of the history.
//!
//! Source: OASIS, Static Analysis Results Interchange Format (SARIF) Version 2.1.0, 2020.

use std::iter;

use serde_json::{Value, json};

use super::escape::{plain, uri};
use super::{Judged, line_of, proof_lines, required, why_inconclusive};
use crate::{Anomaly, Finding, Outcome, Severity, Verdict};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The run as a SARIF log.
pub fn sarif(run: &[Judged]) -> Value {
    let runs: Vec<Value> = run.iter().map(one).collect();
    json!({"$schema": SCHEMA, "version": "2.1.0", "runs": runs})
}

fn one(judged: &Judged) -> Value {
    let location = uri(&judged.source);
    let results: Vec<Value> = match &judged.result {
        Ok(verdict) => verdict.roots().map(|finding| result(finding, verdict, &location)).collect(),
        Err(_) => Vec::new(),
    };
    let invocation = match notifications(judged, &location) {
        none if none.is_empty() => json!({"executionSuccessful": true}),
        told => json!({"executionSuccessful": false, "toolExecutionNotifications": told}),
    };
    let mut run = json!({
        "tool": {"driver": {
            "name": "lawspeaker",
            "version": env!("CARGO_PKG_VERSION"),
            "semanticVersion": env!("CARGO_PKG_VERSION"),
            "rules": Anomaly::ALL.iter().map(|anomaly| rule(*anomaly)).collect::<Vec<_>>(),
        }},
        "invocations": [invocation],
        "artifacts": [{"location": {"uri": location}}],
        "columnKind": "unicodeCodePoints",
        "results": results,
    });
    if let Ok(verdict) = &judged.result {
        run["properties"] =
            json!({"outcome": verdict.outcome, "profile": verdict.profile, "ops": verdict.op_count});
    }
    run
}

/// Why an input was not judged, or the judgement decides nothing: that there are no results must not pass for green.
fn notifications(judged: &Judged, location: &str) -> Vec<Value> {
    let whole = || json!({"physicalLocation": {"artifactLocation": {"uri": location}}});
    let notification = |text: &str, place: Value| json!({"level": "error", "message": {"text": plain(text)}, "locations": [place]});
    match &judged.result {
        Err(unread) => {
            let line = unread.line.map(|line| json!({"physicalLocation": physical(location, line)}));
            vec![notification(&unread.message, line.unwrap_or_else(whole))]
        }
        Ok(verdict) if verdict.outcome == Outcome::Inconclusive => {
            let required = required(verdict).map(|(witness, told)| format!("required: {witness}: {told}"));
            let reasons = iter::once(why_inconclusive(verdict)).chain(required);
            reasons.map(|reason| notification(&reason, whole())).collect()
        }
        Ok(_) => Vec::new(),
    }
}

fn rule(anomaly: Anomaly) -> Value {
    let guarantee = anomaly.guarantee();
    let help = format!(
        "{} shows {} broken, which says that {}. Source: {}. `lawspeaker explain {}` says more.",
        anomaly.name(),
        guarantee.name(),
        guarantee.says(),
        anomaly.source(),
        anomaly.name(),
    );
    json!({
        "id": anomaly.name(),
        "shortDescription": {"text": anomaly.definition()},
        "fullDescription": {"text": format!("{}: {}", anomaly.name(), anomaly.definition())},
        "help": {"text": help, "markdown": help},
        "defaultConfiguration": {"level": "error"},
        "properties": {"tags": [guarantee.name()]},
    })
}

fn result(finding: &Finding, verdict: &Verdict, location: &str) -> Value {
    let index = Anomaly::ALL.iter().position(|anomaly| *anomaly == finding.anomaly).unwrap_or_default();
    let level = match finding.severity {
        Severity::Violation => "error",
        Severity::Note | Severity::OutOfScope => "note",
    };
    let proof = proof_lines(finding, verdict);
    let text = format!(
        "{}\n{}",
        plain(&finding.summary),
        proof.iter().map(|line| plain(line)).collect::<Vec<_>>().join("\n")
    );
    let related: Vec<Value> = finding
        .proof
        .iter()
        .enumerate()
        .map(|(id, step)| {
            json!({"id": id, "physicalLocation": physical(location, step.line), "message": {"text": plain(&step.said)}})
        })
        .collect();
    json!({
        "ruleId": finding.anomaly.name(),
        "ruleIndex": index,
        "level": level,
        "message": {"text": text},
        "locations": [{"physicalLocation": physical(location, line_of(finding))}],
        "relatedLocations": related,
        "partialFingerprints": {"lawspeakerFinding/v1": fingerprint(finding)},
        "properties": {"guarantee": finding.guarantee.name(), "cases": finding.count},
    })
}

fn physical(location: &str, line: u64) -> Value {
    json!({"artifactLocation": {"uri": location}, "region": {"startLine": line.max(1)}})
}

/// What stays the same when lines move: the anomaly, where it shows, and in which group.
fn fingerprint(finding: &Finding) -> String {
    let partitions: Vec<_> = finding.partitions.iter().map(|partition| partition.as_str()).collect();
    let group = finding.group.as_ref().map(ToString::to_string).unwrap_or_default();
    plain(&format!("{}:{}:{group}", finding.anomaly, partitions.join(",")))
}
