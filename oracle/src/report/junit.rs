//! A run as JUnit XML: a suite an input, a test a guarantee.
//!
//! A guarantee that a violation shows broken fails, with the anomaly as the type; one that was checked and held passes;
//! one that the history could not decide is skipped, with the reason. An input that could not be read, or that
//! decides nothing, is an error: it must not pass for green. No times are written, so that two runs print the same.

use std::fmt::Write;

use lawspeaker_history::Guarantee;

use super::escape::markup;
use super::{Judged, line_of, proof_lines, required, root_violations, why_inconclusive};
use crate::{Outcome, Severity, Verdict, explain};

/// What one test came to.
enum Came {
    Passed { told: String },
    Failed { kind: String, message: String, told: String, line: u64 },
    Skipped { reason: String },
    Error { kind: &'static str, message: String, line: Option<u64> },
}

struct Test {
    name: String,
    class: String,
    came: Came,
}

/// The run as a JUnit document, in the shape that CI systems read.
pub fn junit(run: &[Judged]) -> String {
    let suites: Vec<(&Judged, Vec<Test>)> = run.iter().map(|judged| (judged, tests(judged))).collect();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let all = suites.iter().flat_map(|(_, tests)| tests);
    let _ = writeln!(out, "<testsuites name=\"lawspeaker judge\" {}>", counts(all));
    for (judged, tests) in &suites {
        let source = markup(&judged.source);
        let _ = writeln!(out, "  <testsuite name=\"{source}\" {}>", counts(tests.iter()));
        if let Ok(verdict) = &judged.result {
            out += "    <properties>\n";
            for (name, value) in
                [("profile", verdict.profile.to_string()), ("ops", verdict.op_count.to_string())]
            {
                let _ = writeln!(out, "      <property name=\"{name}\" value=\"{}\"/>", markup(&value));
            }
            out += "    </properties>\n";
        }
        tests.iter().for_each(|test| element(&mut out, test, &source));
        out += "  </testsuite>\n";
    }
    out + "</testsuites>\n"
}

fn counts<'a>(tests: impl Iterator<Item = &'a Test>) -> String {
    let (mut all, mut failures, mut errors, mut skipped) = (0, 0, 0, 0);
    for test in tests {
        all += 1;
        match test.came {
            Came::Passed { .. } => {}
            Came::Failed { .. } => failures += 1,
            Came::Skipped { .. } => skipped += 1,
            Came::Error { .. } => errors += 1,
        }
    }
    format!("tests=\"{all}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\"")
}

fn tests(judged: &Judged) -> Vec<Test> {
    let error = |kind, message, line| Test {
        name: "judgement".to_owned(),
        class: "lawspeaker".to_owned(),
        came: Came::Error { kind, message, line },
    };
    let verdict = match &judged.result {
        Ok(verdict) => verdict,
        Err(unread) => return vec![error("unreadable", unread.message.clone(), unread.line)],
    };
    let mut tests: Vec<Test> = Guarantee::ALL
        .iter()
        .filter_map(|guarantee| {
            let class = format!("lawspeaker.{}", verdict.profile);
            Some(Test { name: guarantee.name().to_owned(), class, came: came(*guarantee, verdict)? })
        })
        .collect();
    if verdict.outcome == Outcome::Inconclusive {
        let required = required(verdict).map(|(witness, told)| format!(". Required: {witness}: {told}"));
        let message = required.fold(why_inconclusive(verdict), |message, told| message + &told);
        tests.push(error("inconclusive", message, None));
    }
    tests
}

fn came(guarantee: Guarantee, verdict: &Verdict) -> Option<Came> {
    let of = |finding: &&crate::Finding| finding.guarantee == guarantee;
    let broken: Vec<_> = root_violations(verdict).filter(of).collect();
    if let Some(first) = broken.first() {
        let mut kinds: Vec<_> = broken.iter().map(|finding| finding.anomaly.name()).collect();
        kinds.dedup();
        let summaries: Vec<_> = broken.iter().map(|finding| finding.summary.clone()).collect();
        let proofs: Vec<_> = broken
            .iter()
            .map(|finding| {
                format!(
                    "{}: {}\n{}",
                    finding.anomaly,
                    finding.summary,
                    proof_lines(finding, verdict).join("\n")
                )
            })
            .collect();
        return Some(Came::Failed {
            kind: kinds.join(" "),
            message: summaries.join("; "),
            told: proofs.join("\n\n"),
            line: line_of(first),
        });
    }
    let checked: Vec<_> = verdict.checked.iter().filter(|checked| checked.guarantee == guarantee).collect();
    if !checked.is_empty() {
        let told = |checked: &&crate::Checked| {
            format!("{}: {}", checked.anomaly, explain::counted(checked.observations, checked.unit))
        };
        let mut lines: Vec<String> = checked.iter().map(told).collect();
        let is_noted = |finding: &&crate::Finding| of(finding) && finding.severity == Severity::Note;
        lines.extend(
            verdict.findings.iter().filter(is_noted).map(|finding| format!("note: {}", finding.summary)),
        );
        let follows = verdict.violations().filter(|finding| of(finding));
        lines.extend(
            follows.map(|finding| format!("follows from another guarantee's violation: {}", finding.summary)),
        );
        return Some(Came::Passed { told: lines.join("\n") });
    }
    let undecided = verdict.undecided.iter().find(|undecided| undecided.guarantee == guarantee)?;
    Some(Came::Skipped { reason: undecided.reason.clone() })
}

fn element(out: &mut String, test: &Test, source: &str) {
    let (name, class) = (markup(&test.name), markup(&test.class));
    let line = match test.came {
        Came::Failed { line, .. } | Came::Error { line: Some(line), .. } => format!(" line=\"{line}\""),
        _ => String::new(),
    };
    let _ = writeln!(out, "    <testcase name=\"{name}\" classname=\"{class}\" file=\"{source}\"{line}>");
    let _ = match &test.came {
        Came::Passed { told } => writeln!(out, "      <system-out>{}</system-out>", text(told)),
        Came::Failed { kind, message, told, .. } => writeln!(
            out,
            "      <failure type=\"{}\" message=\"{}\">{}</failure>",
            markup(kind),
            markup(message),
            text(told)
        ),
        Came::Skipped { reason } => writeln!(out, "      <skipped message=\"{}\"/>", markup(reason)),
        Came::Error { kind, message, .. } => {
            writeln!(out, "      <error type=\"{kind}\" message=\"{}\"/>", markup(message))
        }
    };
    out.push_str("    </testcase>\n");
}

/// Text of several lines, which stay.
fn text(told: &str) -> String {
    told.split('\n').map(markup).collect::<Vec<_>>().join("\n")
}
