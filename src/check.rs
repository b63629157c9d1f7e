//! `lawspeaker check`: explore models, tell what holds and how what does not hold breaks.

use std::path::Path;
use std::slice::from_ref;

use lawspeaker_history::write_jsonl;
use lawspeaker_model::report::{Counterexample, Report, coverage_text, text, with_source};
use lawspeaker_oracle::{Outcome, Profile, judge};
use serde::Serialize;

use crate::args::{CheckArgs, Format};
use crate::exit::Exit;
use crate::output::{complain, print, print_json, write_file};
use crate::progress::{ProgressLine, is_interrupted, stop_on_interrupt};
use crate::request::{Asked, explained};
use crate::unfinished::{Told, if_interrupted, unfinished};

#[derive(Serialize)]
struct Run {
    schema: &'static str,
    reports: Vec<Told<Report>>,
}

pub(crate) fn run(args: &CheckArgs) -> Exit {
    let asked = match Asked::of(args.model.as_deref(), &args.without, &args.bounds) {
        Ok(asked) => asked,
        Err(message) => {
            complain(&message);
            return Exit::Usage;
        }
    };
    stop_on_interrupt();
    let mut reports: Vec<Told<Report>> = Vec::new();
    for entry in &asked.entries {
        let mut line = ProgressLine::new(args.bounds.max_memory);
        let report = match entry.check(&asked.next(), &mut |progress| line.observe(progress)) {
            Ok(report) => report,
            Err(error) => {
                complain(&explained(&error));
                return Exit::Usage;
            }
        };
        line.finish();
        let told = Told { unfinished: unfinished(from_ref(&report)), result: report };
        if args.bounds.format == Format::Text {
            let gap = if reports.is_empty() { "" } else { "\n" };
            print(&format!("{gap}{}", in_words(args, &told)));
        }
        reports.push(told);
        if is_interrupted() {
            break;
        }
    }
    let outcomes = reports.iter().map(|told| Exit::from(told.result.outcome));
    let mut exit = if_interrupted(outcomes.fold(Exit::Holds, Exit::and), &asked.entries[reports.len()..]);
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

fn in_words(args: &CheckArgs, told: &Told<Report>) -> String {
    let Told { result: report, unfinished } = told;
    let unfinished = unfinished.as_ref().map_or_else(String::new, |says| format!("unfinished {says}\n"));
    let coverage = if args.coverage { coverage_text(report) } else { String::new() };
    format!("{}{unfinished}{coverage}", text(report, args.all))
}

/// Writes the first counterexample as a history; it is an error if there is none.
fn write_history(path: &Path, reports: &[Told<Report>]) -> Result<(), String> {
    let Some(first) = reports.iter().flat_map(|told| &told.result.counterexamples).next() else {
        return Err(format!("{}: not written, as nothing is broken", path.display()));
    };
    let source = format!("the shortest way to break {}: {}", first.guarantee, first.reproduce);
    let history = with_source(first.history.clone(), source);
    let mut lines = Vec::new();
    let written = write_jsonl(&mut lines, &history).and_then(|()| write_file(path, &lines));
    written.map_err(|error| format!("{}: {error}", path.display()))?;
    if !is_seen(first) {
        complain(&format!(
            "{}: `judge` finds nothing in it: an observer does not see that {} is broken here \
             (docs/oracle-accuracy.md says of what, and why)",
            path.display(),
            first.guarantee
        ));
    }
    Ok(())
}

/// Whether an observer of the counterexample sees that something is broken.
fn is_seen(broken: &Counterexample) -> bool {
    let profile = broken.history.header.profile.as_deref().and_then(|name| Profile::named(name).ok());
    profile.is_none_or(|profile| judge(&broken.history, profile).outcome == Outcome::Violated)
}
