//! A verdict for people: the answer, the root causes with their lines, what was checked, what could not be.

use std::fmt::Write;

use lawspeaker_history::Guarantee;

use super::why_inconclusive;
use crate::judge::absent;
use crate::{
    Case, Cell, Checked, ChosenBy, Entry, Exercised, Finding, Mark, Need, Outcome, Severity, Strip, Subject,
    Verdict, explain,
};

/// How many lines of a case are told.
const LINES_TOLD: usize = 6;
/// How many of them are the last ones, where not all are told.
const LAST_TOLD: usize = 2;

/// The verdict on the history that came from `source`, as plain text that ends with a line break.
pub fn text(verdict: &Verdict, source: &str) -> String {
    let mut out = String::new();
    head(&mut out, verdict, source);
    for finding in verdict.roots() {
        root(&mut out, finding, verdict);
    }
    if !verdict.findings.is_empty() {
        out.push('\n');
    }
    if !verdict.checked.is_empty() {
        let _ = writeln!(out, "checked:   {}", checked(&verdict.checked));
    }
    evidence(&mut out, verdict);
    undecided(&mut out, verdict);
    for doubt in &verdict.doubts {
        let _ = writeln!(out, "recording: {}", doubt.sentence);
    }
    harmless(&out)
}

/// Without what a history could make a terminal do: control characters, and those that turn the direction of writing.
fn harmless(text: &str) -> String {
    let is_harmful = |c: char| {
        (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_harmful(c) { out.extend(c.escape_unicode()) } else { out.push(c) }
    }
    out
}

fn head(out: &mut String, verdict: &Verdict, source: &str) {
    let mut broken: Vec<Guarantee> = verdict
        .violations()
        .filter(|finding| finding.caused_by.is_none())
        .map(|finding| finding.guarantee)
        .collect();
    broken.sort_unstable();
    broken.dedup();
    let word = match verdict.outcome {
        Outcome::Violated => "VIOLATED",
        Outcome::Conforms => "CONFORMS",
        Outcome::Inconclusive => "INCONCLUSIVE",
    };
    let _ = write!(out, "{word}");
    if !broken.is_empty() {
        let names: Vec<_> = broken.iter().map(|guarantee| guarantee.name()).collect();
        let _ = write!(out, "  {}", names.join(", "));
    }
    let chosen = match &verdict.profile_chosen_by {
        ChosenBy::Caller => String::new(),
        ChosenBy::Header => " (named by the header)".to_owned(),
        ChosenBy::Guess(because) => format!(" (guessed: {because})"),
    };
    let _ = writeln!(out, "  {source}  profile {}{chosen}", verdict.profile);
    if verdict.outcome == Outcome::Inconclusive {
        let _ = writeln!(out, "  {}", why_inconclusive(verdict));
    }
}

fn root(out: &mut String, finding: &Finding, verdict: &Verdict) {
    let note = if finding.severity == Severity::Note { "note: " } else { "" };
    let _ = writeln!(out, "\n  {note}{}  {}", finding.anomaly, finding.summary);
    let told = told(finding);
    for (place, case) in told.iter().enumerate() {
        if place > 0 {
            let _ = writeln!(out, "    and");
            lines(out, case);
        } else {
            proof(out, finding);
        }
    }
    if let Some(more) = finding.count.checked_sub(told.len()).filter(|more| *more > 0) {
        let these = if told.len() == 1 { "this" } else { "these" };
        let _ = writeln!(out, "    and {} more like {these}", explain::count(more));
    }
    if let Some(strip) = &finding.strip {
        log(out, strip);
    }
    follows(out, finding, verdict, 4);
}

/// The first case as a proof: what each line said, what follows from it, and what that comes to.
fn proof(out: &mut String, finding: &Finding) {
    some_of(out, &finding.proof, |step| {
        let so = step.so.as_ref().map_or_else(String::new, |so| format!(", so {so}"));
        format!("line {:<7} {}{so}", step.line, step.said)
    });
    let _ = writeln!(out, "    therefore    {}", finding.conclusion());
}

/// Each of `lines`, or the first and the last of many.
fn some_of<T>(out: &mut String, lines: &[T], told: impl Fn(&T) -> String) {
    // To say that one is left out takes as much room as the line.
    let left_out = lines.len().checked_sub(LINES_TOLD).filter(|count| *count > 1).unwrap_or_default();
    let first = if left_out == 0 { lines.len() } else { LINES_TOLD - LAST_TOLD };
    for line in &lines[..first] {
        let _ = writeln!(out, "    {}", told(line));
    }
    if left_out > 0 {
        let _ = writeln!(out, "    and {}", explain::counted(left_out, "more line"));
    }
    for line in &lines[first + left_out..] {
        let _ = writeln!(out, "    {}", told(line));
    }
}

/// The log around the first case, an offset a line.
fn log(out: &mut String, strip: &Strip) {
    let _ = writeln!(out, "    the log of {}", strip.partition);
    for cell in &strip.cells {
        let mark = if cell.is_accused { '>' } else { ' ' };
        let told = told_of(cell);
        let _ = writeln!(out, "    {mark} {:<10} {}", cell.offset, told.join(&format!("\n{:17}", "")));
    }
}

/// A line for each event at an offset, and one for who committed up to here.
fn told_of(cell: &Cell) -> Vec<String> {
    let mut told: Vec<String> = cell.entries.iter().map(entry).collect();
    if told.is_empty() {
        told.push("nothing".to_owned());
    }
    if cell.more > 0 {
        told.push(format!("and {}", explain::counted(cell.more, "more event")));
    }
    told.extend(by("committed", &cell.committed));
    told
}

/// `seen by 5 on 9, 6 on 12`; the second numbers are lines.
fn by(verb: &str, marks: &[Mark]) -> Option<String> {
    let all: Vec<_> = marks.iter().map(|mark| format!("{} on {}", mark.who, mark.line)).collect();
    (!all.is_empty()).then(|| format!("{verb} by {}", all.join(", ")))
}

/// `event a: sent on 1, acknowledged on 2, seen by 5 on 9`; the numbers are lines.
fn entry(entry: &Entry) -> String {
    let own = |verb: &str, marks: &[Mark]| marks.first().map(|mark| format!("{verb} on {}", mark.line));
    let told = [
        own("sent", &entry.sent),
        own("acknowledged", &entry.acknowledged),
        by("seen", &entry.seen),
        by("done", &entry.done),
        by("applied", &entry.applied),
    ];
    let told: Vec<_> = told.into_iter().flatten().collect();
    format!("event {}: {}", entry.event, told.join(", "))
}

/// The first case, and the first that shows somewhere else, or else the second.
fn told(finding: &Finding) -> Vec<&Case> {
    let mut told: Vec<&Case> = Vec::new();
    let is_elsewhere =
        |case: &&Case| finding.cases.first().is_some_and(|first| first.partition != case.partition);
    told.extend(finding.cases.first());
    told.extend(finding.cases.iter().find(is_elsewhere).or(finding.cases.get(1)));
    told
}

fn lines(out: &mut String, case: &Case) {
    some_of(out, &case.lines, |line| format!("line {:<7} {}", line.line, line.said));
}

fn follows(out: &mut String, finding: &Finding, verdict: &Verdict, indent: usize) {
    for effect in finding.causes.iter().filter_map(|id| verdict.finding(*id)) {
        let _ = writeln!(out, "{:indent$}so also {}  {}", "", effect.anomaly, effect.summary);
        follows(out, effect, verdict, indent + 2);
    }
}

/// One line a guarantee: on how many observations it rests, and what was looked for in them.
fn checked(all: &[Checked]) -> String {
    let mut told: Vec<String> = Vec::new();
    for group in all.chunk_by(|first, next| first.guarantee == next.guarantee) {
        let is_alike = |first: &Checked, next: &Checked| {
            (first.observations, first.unit, &first.basis) == (next.observations, next.unit, &next.basis)
        };
        let tell = |alike: &[Checked]| {
            let anomalies: Vec<_> = alike.iter().map(|one| one.anomaly.name()).collect();
            let counted = explain::counted(alike[0].observations, alike[0].unit);
            let basis =
                alike[0].basis.as_ref().map_or_else(String::new, |basis| format!(", going by {basis}"));
            format!("{counted} ({}){basis}", anomalies.join(", "))
        };
        let parts: Vec<_> = group.chunk_by(is_alike).map(tell).collect();
        told.push(format!("{:<21} {}", group[0].guarantee, parts.join(" · ")));
    }
    told.join("\n           ")
}

/// What a better recording would hold, and what the caller was content without.
fn evidence(out: &mut String, verdict: &Verdict) {
    for need in [Need::Required, Need::Wanted] {
        // What is broken is broken, whatever else might have been.
        let is_told = verdict.outcome != Outcome::Violated;
        for witnessed in verdict.evidence.iter().filter(|of| is_told && of.is_missing(need)) {
            let Exercised { witness, .. } = witnessed;
            let _ = writeln!(
                out,
                "{:<10} {witness:<21} {}; {}",
                format!("{}:", need.name()),
                witness.says(),
                witness.remedy()
            );
        }
    }
    for witnessed in verdict.evidence.iter().filter(|witnessed| witnessed.is_waived && witnessed.count == 0) {
        let _ = writeln!(out, "waived:    {:<21} {}", witnessed.witness, witnessed.witness.says());
    }
}

fn undecided(out: &mut String, verdict: &Verdict) {
    // What is said once of all guarantees that it is said of.
    let shared: Vec<&str> = Subject::RUN.into_iter().filter_map(absent).collect();
    for undecided in verdict.undecided.iter().filter(|undecided| !shared.contains(&&*undecided.reason)) {
        let _ = writeln!(out, "undecided: {:<21} {}", undecided.guarantee, undecided.reason);
    }
    for reason in shared {
        let of: Vec<_> = verdict
            .undecided
            .iter()
            .filter(|undecided| undecided.reason == reason)
            .map(|undecided| undecided.guarantee.name())
            .collect();
        if !of.is_empty() {
            let _ = writeln!(out, "undecided: {reason}: {}", of.join(", "));
        }
    }
}
