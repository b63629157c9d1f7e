//! A report as text for a terminal: the verdict first, then what it rests on.

use std::fmt::Write;

use super::{BlameInWords, CheckedIn, Counterexample, LawFinding, Outcome, Report};

/// The whole report. With `all`, every counterexample is told in full, else the first.
pub fn text(report: &Report, all: bool) -> String {
    let mut out = String::new();
    headline(&mut out, report);
    masks(&mut out, report);
    let full_count = if all { report.counterexamples.len() } else { 1 };
    for counterexample in report.counterexamples.iter().take(full_count) {
        out += "\n";
        out += &counterexample_text(counterexample);
    }
    others(&mut out, report, full_count);
    if report.outcome != Outcome::Violated {
        laws(&mut out, report);
    }
    witnesses(&mut out, report);
    bounds(&mut out, report);
    out
}

macro_rules! line {
    ($out:expr, $($argument:tt)*) => {{ let _ = writeln!($out, $($argument)*); }};
}

fn headline(out: &mut String, report: &Report) {
    let without: String = report.without.iter().map(|name| format!(" without {name}")).collect();
    let verdict = match report.outcome {
        Outcome::Holds => "HOLDS",
        Outcome::Violated => "VIOLATED",
        Outcome::Inconclusive => "INCONCLUSIVE",
    };
    let explored = &report.explored;
    let extent = match explored.stopped_by {
        None => "complete".to_owned(),
        Some(limit) => format!("stopped by {limit}"),
    };
    line!(
        out,
        "{verdict}  {}{without}  {} {}, {} generated, depth {}, {extent}",
        report.model,
        grouped(explored.states),
        if explored.states == 1 { "state" } else { "states" },
        grouped(explored.generated),
        explored.depth
    );
    if let Some(parts) = report.explored.reduced_by {
        line!(out, "  one state was visited for all that differ only by the names of the {parts}");
    }
    if report.outcome == Outcome::Inconclusive {
        why_inconclusive(out, report);
    }
}

fn why_inconclusive(out: &mut String, report: &Report) {
    if let Some(limit) = report.explored.stopped_by {
        line!(out, "  nothing is broken in what was explored, and {limit} ended it before everything was.");
    } else if report.witnesses.iter().all(|witness| witness.is_met) {
        line!(
            out,
            "  nothing is broken in any state; what must happen in the end was left undecided, as asked for."
        );
    } else {
        line!(out, "  nothing is broken, but within these bounds some of what should happen never does:");
        for witness in report.witnesses.iter().filter(|witness| !witness.is_met) {
            line!(out, "    not met: {}", witness.says);
        }
    }
}

fn masks(out: &mut String, report: &Report) {
    for unmasked in &report.unmasked {
        let set: String =
            unmasked.settings.iter().map(|(name, value)| format!(", with {name} {value}")).collect();
        let masks = unmasked.masks.join(" and ");
        line!(
            out,
            "  {} is masked: {masks} prevents what it prevents. It is shown with the mask off:",
            unmasked.guard
        );
        line!(out, "  without {masks} too{set}, where {} alone makes the difference.", unmasked.guard);
    }
}

/// One counterexample: what is broken, the steps, the blame.
pub fn counterexample_text(counterexample: &Counterexample) -> String {
    let mut out = String::new();
    let count = counterexample.steps.len();
    line!(
        out,
        "{}  broken in {count} {}",
        counterexample.guarantee,
        if count == 1 { "step" } else { "steps" }
    );
    line!(out, "  must hold: {}", counterexample.says);
    line!(out, "");
    let width = counterexample.steps.iter().map(|step| step.who.chars().count()).max().unwrap_or(0);
    let blamed = counterexample.blame.as_ref().map(|blame| blame.step);
    for (place, step) in counterexample.steps.iter().enumerate() {
        let mark = if blamed == Some(place + 1) { "  ◀" } else { "" };
        line!(out, "  {:>2}  {:width$}  {}{mark}", place + 1, step.who, step.what);
    }
    match counterexample.repeats_after {
        Some(stem) if stem == count => line!(out, "      and there it rests for ever"),
        Some(stem) => line!(out, "      and so on for ever: steps {} to {count} repeat", stem + 1),
        None => {}
    }
    line!(out, "");
    listed(&mut out, "ends in", &counterexample.ends_in);
    listed(&mut out, "waiting", &counterexample.waits);
    line!(out, "");
    if let Some(blame) = &counterexample.blame {
        blame_text(&mut out, blame, count);
    }
    line!(out, "  reproduce  {}", counterexample.reproduce);
    line!(out, "  explain    lawspeaker explain {}", counterexample.guarantee);
    out
}

fn listed(out: &mut String, label: &str, lines: &[String]) {
    for (place, line) in lines.iter().enumerate() {
        line!(out, "  {:8}  {line}", if place == 0 { label } else { "" });
    }
}

fn blame_text(out: &mut String, blame: &BlameInWords, count: usize) {
    let instead = match &blame.instead {
        Some(instead) if blame.step > count => format!("here it would go on: {instead}"),
        Some(instead) => format!("step {} would be: {instead}", blame.step),
        None => format!("step {} would not happen", blame.step),
    };
    prose(out, "  why        ", blame.without);
    prose(out, "  guard      ", &format!("{}: {}", blame.guard, blame.does));
    prose(out, "             ", &format!("with it, {instead}"));
    prose(out, "  seen in    ", blame.seen_in);
}

fn others(out: &mut String, report: &Report, full_count: usize) {
    let others: Vec<_> = report.counterexamples.iter().skip(full_count).collect();
    if !others.is_empty() {
        line!(out, "\nalso broken (--all tells how)");
    }
    for counterexample in others {
        let label = format!("  {:19}  ", counterexample.guarantee);
        prose(out, &label, &format!("in {}: {}", steps(counterexample.steps.len()), counterexample.says));
    }
}

fn steps(count: usize) -> String {
    format!("{count} {}", if count == 1 { "step" } else { "steps" })
}

fn laws(out: &mut String, report: &Report) {
    line!(out, "");
    let verdict = if report.explored.is_complete { "holds" } else { "not broken so far" };
    for LawFinding { guarantee, says, checked_in, checked, .. } in &report.laws {
        let label = format!("  {guarantee:19}  ");
        let (count, states) = (grouped(*checked), if *checked == 1 { "state" } else { "states" });
        let found = match checked_in {
            CheckedIn::States => format!("{verdict} in {count} {states}"),
            CheckedIn::RestingStates => format!("{verdict} in {count} resting {states}"),
            CheckedIn::FairBehaviours if *checked == 0 && report.explored.is_complete => {
                "undecided, as asked for".to_owned()
            }
            CheckedIn::FairBehaviours if *checked == 0 => {
                "undecided, as not everything was explored".to_owned()
            }
            CheckedIn::FairBehaviours => {
                format!("{verdict} on every fair behaviour through {count} {states}")
            }
        };
        prose(out, &label, &format!("{found}: {says}"));
    }
}

fn witnesses(out: &mut String, report: &Report) {
    let met = report.witnesses.iter().filter(|witness| witness.is_met).count();
    line!(out, "");
    line!(out, "witnesses  {met} of {} met", report.witnesses.len());
    if report.outcome == Outcome::Holds {
        report.witnesses.iter().for_each(|witness| line!(out, "  met: {}", witness.says));
    }
    let idle: Vec<_> =
        report.explored.coverage.iter().filter(|(_, count)| **count == 0).map(|(kind, _)| *kind).collect();
    if !idle.is_empty() {
        line!(out, "never taken: {}", idle.join(", "));
    }
}

/// What was done how often, and where: for `--coverage`.
pub fn coverage_text(report: &Report) -> String {
    let mut out = String::new();
    let explored = &report.explored;
    line!(out, "taken");
    let mut kinds: Vec<_> = explored.coverage.iter().collect();
    kinds.sort_by_key(|(kind, count)| (std::cmp::Reverse(**count), **kind));
    for (kind, count) in kinds {
        line!(out, "  {:>13}  {kind}", grouped(*count as usize));
    }
    line!(out, "states by depth; no more than {} waited at a time", grouped(explored.longest_queue));
    for (depth, count) in explored.levels.iter().enumerate() {
        line!(out, "  {:>13}  after {depth}", grouped(*count));
    }
    out
}

fn bounds(out: &mut String, report: &Report) {
    let bounds: Vec<_> =
        report.bounds.iter().map(|bound| format!("{} {}", bound.name, bound.value)).collect();
    prose(out, "bounds     ", &format!("{}: {}", report.preset, bounds.join(", ")));
    let odds = match report.explored.collision_odds {
        0.0 => "whole states were compared".to_owned(),
        odds => format!("a state was mistaken for another with odds below {}", rounded_up(odds)),
    };
    line!(out, "           nothing is claimed beyond them; {odds}");
}

/// A bound to one digit, which must not be printed as less than it is.
fn rounded_up(bound: f64) -> String {
    let magnitude = bound.log10().floor();
    match (bound / 10f64.powf(magnitude)).ceil() {
        10.0 => format!("1e{}", magnitude + 1.0),
        digit => format!("{digit}e{magnitude}"),
    }
}

/// The widest line of prose; steps are never broken, so that they can be searched for.
const WIDTH: usize = 110;

/// Writes `text` after `label`, continued under itself where it is too long for a line.
fn prose(out: &mut String, label: &str, text: &str) {
    let mut line = label.to_owned();
    let indent = label.chars().count();
    for word in text.split(' ') {
        if line.chars().count() + 1 + word.chars().count() > WIDTH {
            line!(out, "{}", line.trim_end());
            line = " ".repeat(indent);
        } else if line.chars().count() > indent {
            line.push(' ');
        }
        line += word;
    }
    line!(out, "{line}");
}

/// A number with its thousands set apart.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::rounded_up;

    #[test]
    fn a_bound_is_rounded_up_and_keeps_one_digit() {
        let printed = [3.2e-17, 9.7e-24, 2e-9, 1e-5].map(rounded_up);
        assert_eq!(printed, ["4e-17", "1e-23", "2e-9", "1e-5"]);
    }
}
