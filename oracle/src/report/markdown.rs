//! A run as Markdown, for the summary of a CI job or a comment: a table of the inputs, and each root cause with its proof.

use std::fmt::Write;

use super::escape::markdown as escaped;
use super::{Judged, headline, line_of, proof_lines, required, why_inconclusive};
use crate::{Finding, Outcome, Severity, Verdict, explain};

/// How many root causes of one input are told in full; a summary is read, and CI systems cut long ones.
const FINDINGS_TOLD: usize = 12;

/// The run as Markdown that ends with a line break.
pub fn markdown(run: &[Judged]) -> String {
    let mut out = String::from(
        "# Lawspeaker\n\n| verdict | history | profile | ops | broken |\n|---|---|---|---|---|\n",
    );
    run.iter().for_each(|judged| row(&mut out, judged));
    for judged in run {
        if let Ok(verdict) = &judged.result {
            one(&mut out, judged, verdict);
        }
    }
    out
}

/// A mark that is told apart without its colour.
fn mark(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Violated => "❌",
        Outcome::Conforms => "✅",
        Outcome::Inconclusive => "❔",
    }
}

fn row(out: &mut String, judged: &Judged) {
    let source = escaped(&judged.source);
    let _ = match &judged.result {
        Ok(verdict) => {
            let mut broken: Vec<_> =
                super::root_violations(verdict).map(|finding| finding.guarantee.name()).collect();
            broken.sort_unstable();
            broken.dedup();
            let (mark, word) = (mark(verdict.outcome), headline(verdict.outcome));
            let (ops, broken) = (explain::count(verdict.op_count), broken.join(", "));
            let profile = escaped(&verdict.profile);
            writeln!(out, "| {mark} {word} | {source} | {profile} | {ops} | {broken} |")
        }
        Err(unread) => writeln!(out, "| ⛔ UNREADABLE | {source} | | | {} |", escaped(&unread.message)),
    };
}

fn one(out: &mut String, judged: &Judged, verdict: &Verdict) {
    let _ = writeln!(out, "\n## {}", escaped(&judged.source));
    if verdict.outcome == Outcome::Inconclusive {
        let _ = writeln!(out, "\nInconclusive: {}.", escaped(&why_inconclusive(verdict)));
        for (place, (witness, told)) in required(verdict).enumerate() {
            let gap = if place == 0 { "\n" } else { "" };
            let _ = writeln!(out, "{gap}- required: {witness}: {}", escaped(&told));
        }
    }
    let roots: Vec<&Finding> = verdict.roots().collect();
    for finding in roots.iter().take(FINDINGS_TOLD) {
        root(out, finding, verdict);
    }
    if let Some(more) = roots.len().checked_sub(FINDINGS_TOLD).filter(|more| *more > 0) {
        let _ = writeln!(out, "\nAnd {}.", explain::counted(more, "more finding"));
    }
    let _ = writeln!(out, "\n<details><summary>What was checked</summary>\n");
    out.push_str("| guarantee | rests on | looked for |\n|---|---|---|\n");
    for checked in &verdict.checked {
        let observations = explain::counted(checked.observations, checked.unit);
        let _ = writeln!(out, "| {} | {observations} | {} |", checked.guarantee, checked.anomaly);
    }
    for undecided in &verdict.undecided {
        let _ = writeln!(out, "| {} | *undecided* | {} |", undecided.guarantee, escaped(&undecided.reason));
    }
    out.push_str("\n</details>\n");
    for doubt in &verdict.doubts {
        let _ = writeln!(out, "\nRecording: {}.", escaped(&doubt.sentence));
    }
}

fn root(out: &mut String, finding: &Finding, verdict: &Verdict) {
    let note = if finding.severity == Severity::Note { " (a note)" } else { "" };
    let (anomaly, line) = (finding.anomaly, line_of(finding));
    let _ = writeln!(out, "\n### {anomaly}{note}, line {line}\n\n{}\n", escaped(&finding.summary));
    for step in proof_lines(finding, verdict) {
        let _ = writeln!(out, "- {}", escaped(&step));
    }
}
