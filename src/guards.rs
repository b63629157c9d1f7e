//! `lawspeaker guards`: which guard upholds which guarantee.

use lawspeaker_model::catalogue::{Entry, Request, RequestError};
use lawspeaker_model::matrix::Matrix;
use lawspeaker_model::report::Report;
use serde::Serialize;

use crate::args::{Format, GuardsArgs};
use crate::exit::Exit;
use crate::output::{complain, print, print_json};
use crate::progress::{ProgressLine, is_interrupted, stop_on_interrupt};
use crate::request::{Asked, explained};
use crate::unfinished::{Told, if_interrupted, unfinished};

#[derive(Serialize)]
struct Run {
    schema: &'static str,
    matrices: Vec<Told<Matrix>>,
}

pub(crate) fn run(args: &GuardsArgs) -> Exit {
    let asked = match Asked::of(args.model.as_deref(), &[], &args.bounds) {
        Ok(asked) => asked,
        Err(message) => {
            complain(&message);
            return Exit::Usage;
        }
    };
    stop_on_interrupt();
    let mut matrices: Vec<Told<Matrix>> = Vec::new();
    for entry in &asked.entries {
        let mut line = ProgressLine::new(args.bounds.max_memory);
        let reports = match without_each(entry, &asked, &mut line) {
            Ok(reports) => reports,
            Err(error) => {
                complain(&explained(&error));
                return Exit::Usage;
            }
        };
        line.finish();
        let matrix = Matrix::of_reports(entry, args.bounds.bounds.into(), &reports);
        let told = Told { result: matrix, unfinished: unfinished(&reports) };
        if args.bounds.format == Format::Text {
            let gap = if matrices.is_empty() { "" } else { "\n" };
            print(&format!("{gap}{}", in_words(&told)));
        }
        matrices.push(told);
        if is_interrupted() {
            break;
        }
    }
    let outcomes = matrices.iter().map(|told| Exit::from(told.result.outcome()));
    let exit = if_interrupted(outcomes.fold(Exit::Holds, Exit::and), &asked.entries[matrices.len()..]);
    if args.bounds.format == Format::Json {
        print_json(&Run { schema: "lawspeaker.guards-run/1", matrices });
    }
    exit
}

/// Checks the model without each of its guards in turn.
fn without_each(entry: &Entry, asked: &Asked, line: &mut ProgressLine) -> Result<Vec<Report>, RequestError> {
    let check = |guard: &str| {
        let request = Request { without: vec![guard.to_owned()], ..asked.next() };
        entry.check(&request, &mut |progress| line.observe(progress))
    };
    entry.guards.iter().map(|guard| guard.name).map(check).collect()
}

fn in_words(told: &Told<Matrix>) -> String {
    let unfinished = told.unfinished.as_ref().map(|says| format!("  ?: undecided, as {says}\n"));
    told.result.text() + &unfinished.unwrap_or_default()
}
