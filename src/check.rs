//! `lawspeaker check`: explore models, tell what holds and how what does not hold breaks.

use std::path::Path;

use lawspeaker_history::write_jsonl;
use lawspeaker_model::catalogue::{Entry, MODELS, Request};
use lawspeaker_model::report::{Report, coverage_text, text, with_source};
use serde::Serialize;

use crate::args::{CheckArgs, Format};
use crate::exit::Exit;
use crate::output::{complain, print, print_json};
use crate::progress::{ProgressLine, is_interrupted, stop_on_interrupt};
use crate::request::{explained, models, options};
use crate::suggest::hint;

#[derive(Serialize)]
struct Run {
    schema: &'static str,
    reports: Vec<Report>,
}

pub(crate) fn run(args: &CheckArgs) -> Exit {
    let entries = match chosen(args) {
        Ok(entries) => entries,
        Err(message) => {
            complain(&message);
            return Exit::Usage;
        }
    };
    stop_on_interrupt();
    let request = Request {
        preset: args.bounds.bounds.into(),
        settings: args.bounds.set.clone(),
        without: args.without.clone(),
        options: options(&args.bounds),
    };
    let mut entries = entries;
    if args.bounds.symmetry && args.model.is_none() {
        // Of all models, those that can be reduced.
        entries.retain(|entry| entry.interchangeable.is_some());
    }
    let mut reports: Vec<Report> = Vec::new();
    let entry_count = entries.len();
    for entry in entries {
        let mut line = ProgressLine::new(args.bounds.max_memory);
        let report = match entry.check(&request, &mut |progress| line.observe(progress)) {
            Ok(report) => report,
            Err(error) => {
                complain(&explained(&error));
                return Exit::Usage;
            }
        };
        line.finish();
        if args.bounds.format == Format::Text {
            let gap = if reports.is_empty() { "" } else { "\n" };
            let coverage = if args.coverage { coverage_text(&report) } else { String::new() };
            print(&format!("{gap}{}{coverage}", text(&report, args.all)));
        }
        reports.push(report);
        if is_interrupted() {
            break;
        }
    }
    let mut exit = exit_of(&reports);
    if is_interrupted() && (reports.len() < entry_count || exit == Exit::Inconclusive) {
        exit = exit.and(Exit::Interrupted);
    }
    if let Some(path) = &args.history
        && let Err(message) = write_history(path, &reports)
    {
        complain(&message);
        exit = exit.and(Exit::Input);
    }
    if args.bounds.format == Format::Json {
        print_json(&Run { schema: "lawspeaker.check-run/1", reports });
    }
    exit
}

/// Writes the first counterexample as a history; it is an error if there is none.
fn write_history(path: &Path, reports: &[Report]) -> Result<(), String> {
    let Some(first) = reports.iter().flat_map(|report| &report.counterexamples).next() else {
        return Err(format!("{}: not written, as nothing is broken", path.display()));
    };
    let source = format!("the shortest way to break {}: {}", first.guarantee, first.reproduce);
    let history = with_source(first.history.clone(), source);
    let mut lines = Vec::new();
    let written = write_jsonl(&mut lines, &history).and_then(|()| std::fs::write(path, lines));
    written.map_err(|error| format!("{}: {error}", path.display()))
}

fn exit_of(reports: &[Report]) -> Exit {
    reports.iter().map(|report| Exit::from(report.outcome)).fold(Exit::Holds, Exit::and)
}

/// The models to check. Guards and settings belong to one model, so with them a model must be named.
fn chosen(args: &CheckArgs) -> Result<Vec<&'static Entry>, String> {
    if args.model.is_some() {
        return models(args.model.as_deref());
    }
    match args.without.first() {
        None => models(None),
        Some(guard) => {
            let owners: Vec<_> =
                MODELS.iter().filter(|entry| entry.guards.iter().any(|known| known.name == guard)).collect();
            match owners.as_slice() {
                [owner] => Ok(vec![owner]),
                [] => {
                    let known = MODELS.iter().flat_map(|entry| entry.guards).map(|known| known.name);
                    Err(format!("no model has a guard `{guard}`{}", hint(guard, known)))
                }
                _ => {
                    let names: Vec<_> = owners.iter().map(|owner| owner.name).collect();
                    Err(format!("several models have a guard `{guard}`: name one of {}", names.join(", ")))
                }
            }
        }
    }
}
