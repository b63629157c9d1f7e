//! A verdict told to people and to programs.
//!
//! [`text`] and [`json`] tell one verdict. The others tell a whole run, of one input or many: [`junit`], [`sarif`] and
//! [`markdown`] for continuous integration, [`html`] for people who want to look.
//! Whatever a history holds is somebody else's text: each of them escapes all of it.

mod escape;
mod html;
mod json;
mod junit;
mod markdown;
mod sarif;
mod text;

pub use html::html;
pub use json::json;
pub use junit::junit;
pub use markdown::markdown;
pub use sarif::sarif;
pub use text::text;

use lawspeaker_history::{Guarantee, History};

use crate::witness::Witness;
use crate::{Assumption, Exercise, Finding, Outcome, Severity, Verdict, explain};

/// One input of a run, and what became of it.
#[derive(Debug)]
pub struct Judged {
    /// Where the history came from: a path, or a name.
    pub source: String,
    /// What the oracle says of it, or why it could not be read.
    pub result: Result<Verdict, Unread>,
    /// The history itself, for the views of [`html`]; empty where nobody kept it.
    pub history: History,
    /// The smallest parts that still violate, where they were looked for.
    pub witnesses: Vec<Witness>,
    /// Pictures of findings, for [`html`].
    pub drawings: Vec<Drawing>,
}

impl Judged {
    /// A verdict alone, as [`junit`], [`sarif`] and [`markdown`] need it.
    pub fn new(source: impl Into<String>, result: Result<Verdict, Unread>) -> Self {
        let (history, witnesses, drawings) = (History::default(), Vec::new(), Vec::new());
        Judged { source: source.into(), result, history, witnesses, drawings }
    }
}

/// Why an input could not be judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// The line that could not be read, from 1, if it is one's fault.
    pub line: Option<u64>,
    /// What is wrong, as a clause.
    pub message: String,
}

/// A picture of what a finding speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawing {
    /// The number of the finding.
    pub finding: usize,
    /// An `svg` element, of classes that the page styles. It goes into the page as it is: whoever draws it has escaped
    /// what the history holds.
    pub svg: String,
}

/// An outcome as a headline.
fn headline(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Violated => "VIOLATED",
        Outcome::Conforms => "CONFORMS",
        Outcome::Inconclusive => "INCONCLUSIVE",
    }
}

/// Why a verdict is inconclusive, in one sentence without full stop.
fn why_inconclusive(verdict: &Verdict) -> String {
    let holes = verdict.doubts.iter().find(|doubt| doubt.assumption == Assumption::LinesAreWhole);
    let mut reasons: Vec<String> = Vec::new();
    reasons.extend(holes.map(|doubt| format!("lines are missing before line {}", doubt.first_line)));
    // Without any read there is nothing to judge, whatever else is missing.
    if !verdict.missing().any(|witnessed| witnessed.witness == Exercise::Read) {
        reasons.extend(verdict.missing().map(|witnessed| witnessed.witness.says().to_owned()));
    }
    // A window says of each guarantee what it could not decide.
    if reasons.is_empty() && verdict.checked.iter().any(|checked| checked.guarantee == Guarantee::NoCreation)
    {
        reasons.push("see what is undecided".to_owned());
    }
    if reasons.is_empty() {
        let ops = explain::counted(verdict.op_count, "op");
        return format!("nothing to judge: {ops}, and no completed read to compare anything with");
    }
    format!("nothing is broken, and nothing shows that it would have been: {}", reasons.join("; "))
}

/// What the profile requires of a recording, this one lacks and nobody waived: the name, what that means, what helps.
fn required(verdict: &Verdict) -> impl Iterator<Item = (Exercise, String)> {
    let told = |witness: Exercise| format!("{}; {}", witness.says(), witness.remedy());
    verdict.missing().map(move |witnessed| (witnessed.witness, told(witnessed.witness)))
}

/// The line on which a finding shows first, from 1.
fn line_of(finding: &Finding) -> u64 {
    let lines = finding.cases.first().map(|case| case.lines.as_slice()).unwrap_or_default();
    lines.first().map_or(1, |line| line.line.max(1))
}

/// The violations that are root causes.
fn root_violations(verdict: &Verdict) -> impl Iterator<Item = &Finding> {
    verdict.roots().filter(|finding| finding.severity == Severity::Violation)
}

/// The proof of a finding, a sentence a line, and what follows from it.
fn proof_lines(finding: &Finding, verdict: &Verdict) -> Vec<String> {
    let step = |step: &crate::Step| {
        let so = step.so.as_ref().map_or_else(String::new, |so| format!(", so {so}"));
        format!("line {}: {}{so}", step.line, step.said)
    };
    let mut lines: Vec<String> = finding.proof.iter().map(step).collect();
    lines.push(format!("therefore {}", finding.conclusion()));
    let effects = finding.causes.iter().filter_map(|id| verdict.finding(*id));
    lines.extend(effects.map(|effect| format!("so also {}: {}", effect.anomaly, effect.summary)));
    lines
}
