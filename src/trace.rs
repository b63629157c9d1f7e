//! `lawspeaker trace`: a recorded history as a space-time diagram, with what the oracle found drawn red.

mod layout;
mod mermaid;
mod select;
mod svg;
mod text;
mod words;

use std::collections::BTreeSet;
use std::io::Write;

use lawspeaker_history::{Op, Process};
use lawspeaker_oracle::report::Drawing;
use lawspeaker_oracle::{Finding, Verdict};

use crate::args::{TraceArgs, TraceFormat};
use crate::exit::Exit;
use crate::input;
use crate::judge::{Terms, judge};
use crate::output::{Sink, complain};
use crate::profile::chosen;
use crate::suggest::hint;
use select::{Selection, select};

pub(crate) fn run(args: &TraceArgs) -> Exit {
    let terms = match chosen(args.profile.as_deref()) {
        Ok(profile) => Terms { profile, ..Terms::default() },
        Err(error) => {
            complain(&error.to_string());
            return error.exit();
        }
    };
    let name = input::name(&args.file);
    let mut ops: Vec<Op> = Vec::new();
    let verdict = match judge(&args.file, None, &terms, &mut |op, _| ops.push(op.clone())) {
        Ok((_, verdict)) => verdict,
        Err(error) => {
            complain(&format!("{name}: {error}"));
            return Exit::Input;
        }
    };
    let (findings, selection) = match asked(args, &verdict, &ops) {
        Ok(asked) => asked,
        Err(message) => {
            complain(&format!("{name}: {message}"));
            return Exit::Usage;
        }
    };
    let selected = select(&ops, &selection, &focus(&findings));
    if selected.ops.is_empty() {
        complain(&format!("{name}: there is nothing to draw: none of {} ops was chosen", ops.len()));
        return Exit::Inconclusive;
    }
    let diagram = layout::layout(&selected, &findings);
    let mut notes = told(&findings);
    if diagram.arrows_left_out > 0 {
        let count = diagram.arrows_left_out;
        notes.push(format!("{count} messages are not drawn, as too many arrive at once"));
    }
    selected.left_out.iter().for_each(|left_out| complain(&format!("{name}: {left_out}")));
    notes.extend(selected.left_out);
    let title = title(&name, &verdict);
    let drawing = match args.format {
        TraceFormat::Svg => svg::svg(&diagram, &title, &notes),
        TraceFormat::Mermaid => mermaid::mermaid(&diagram, &title, &notes),
        TraceFormat::Text => text::text(&diagram, &title, &notes),
    };
    write(args, &drawing)
}

/// A picture, for a page, of what happened around the first case of a finding.
pub(crate) fn drawing(finding: &Finding, ops: &[Op]) -> Option<Drawing> {
    const MAX_OPS: usize = 60;
    let lines = focus(&[finding]);
    // Those that the finding names, and whoever injects faults: more lanes than that are hard to follow.
    let is_involved = |op: &&Op| lines.contains(&op.line) || matches!(op.process, Process::Name(_));
    let processes: BTreeSet<String> =
        ops.iter().filter(is_involved).map(|op| op.process.to_string()).collect();
    let processes = processes.into_iter().collect();
    let selection = Selection { finding: Some(lines), max_ops: MAX_OPS, processes, ..Selection::default() };
    let selected = select(ops, &selection, &BTreeSet::new());
    let is_empty = selected.ops.is_empty();
    let svg = || svg::fragment(&layout::layout(&selected, &[finding]));
    (!is_empty).then(|| Drawing { finding: finding.id, svg: svg() })
}

/// What is marked and what is drawn: the finding asked for, or everything that is violated.
fn asked<'a>(
    args: &TraceArgs,
    verdict: &'a Verdict,
    ops: &[Op],
) -> Result<(Vec<&'a Finding>, Selection), String> {
    let findings: Vec<&Finding> = match args.finding {
        None => verdict.violations().collect(),
        Some(number) => vec![verdict.finding(number).ok_or_else(|| {
            format!("there is no finding {number}; the oracle has {}", verdict.findings.len())
        })?],
    };
    let processes: BTreeSet<String> = match args.process.is_empty() {
        true => BTreeSet::new(),
        false => ops.iter().map(|op| op.process.to_string()).collect(),
    };
    if let Some(unknown) = args.process.iter().find(|process| !processes.contains(*process)) {
        let hint = hint(unknown, processes.iter().map(String::as_str));
        return Err(format!("there is no process `{unknown}`{hint}"));
    }
    let selection = Selection {
        from: args.from,
        to: args.to,
        around: args.around,
        processes: args.process.clone(),
        finding: args.finding.map(|_| layout::lines_of(&findings)),
        max_ops: args.max_ops,
    };
    Ok((findings, selection))
}

/// A line a finding, as far as there is room.
fn told(findings: &[&Finding]) -> Vec<String> {
    const MAX_FINDINGS: usize = 12;
    let told = |finding: &&Finding| format!("{}  {}", finding.anomaly.name(), finding.summary);
    let mut notes: Vec<String> = findings.iter().take(MAX_FINDINGS).map(told).collect();
    if let Some(count) = findings.len().checked_sub(MAX_FINDINGS).filter(|count| *count > 0) {
        notes.push(format!("and {count} more findings: `lawspeaker judge` tells them"));
    }
    notes
}

/// The lines of the first case of the first finding: what to look at first in a long history.
fn focus(findings: &[&Finding]) -> BTreeSet<u64> {
    let first = findings.first().and_then(|finding| finding.cases.first());
    first.into_iter().flat_map(|case| &case.lines).map(|line| line.line).collect()
}

fn title(name: &str, verdict: &Verdict) -> String {
    let broken: BTreeSet<_> = verdict.violations().map(|finding| finding.guarantee).collect();
    let broken: Vec<_> = broken.iter().map(|guarantee| guarantee.name()).collect();
    match broken.as_slice() {
        [] => format!("{name}  (profile {}: nothing is violated)", verdict.profile),
        broken => format!("{name}  (profile {}: violates {})", verdict.profile, broken.join(", ")),
    }
}

fn write(args: &TraceArgs, drawing: &str) -> Exit {
    let mut sink = Sink::new(args.output.as_deref());
    match sink.write_all(drawing.as_bytes()).and_then(|()| sink.finish()) {
        Ok(()) => Exit::Holds,
        Err(error) => crate::export::unwritten(args.output.as_deref(), &error),
    }
}

/// What must not reach a terminal or an XML reader: control characters, what turns the direction of text, and what is no
/// character at all.
fn is_unprintable(c: char) -> bool {
    let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || turns || matches!(c, '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}')
}
