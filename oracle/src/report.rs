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

use lawspeaker_history::History;

use crate::witness::Witness;
use crate::{Finding, Outcome, Severity, Verdict};

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
