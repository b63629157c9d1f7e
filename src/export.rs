//! `lawspeaker export`: a model's graph or one of its traces, in the format of another tool.

use std::io;
use std::path::Path;

use lawspeaker_history::Guarantee;
use lawspeaker_model::catalogue::Request;
use lawspeaker_model::engine::{Limits, Options};
use lawspeaker_model::export::{ExportError, Plan, TraceChoice, Unfinished};

use crate::args::ExportArgs;
use crate::exit::Exit;
use crate::output::{Sink, complain};
use crate::progress::{ProgressLine, is_interrupted, stop_on_interrupt};
use crate::request::{explained, models};
use crate::suggest::hint;
use crate::unfinished::how_far;

pub(crate) fn run(args: &ExportArgs) -> Exit {
    let (entry, plan) = match models(Some(&args.model)).and_then(|entries| Ok((entries, plan(args)?))) {
        Ok((entries, plan)) => (entries[0], plan),
        Err(message) => {
            complain(&message);
            return Exit::Usage;
        }
    };
    let max_states = args.max_states.or(args.format.max_states());
    let limits = Limits { max_states, timeout: args.timeout, max_depth: None };
    let request = Request {
        preset: args.bounds.into(),
        settings: args.set.clone(),
        without: args.without.clone(),
        options: Options { limits, ..Options::default() },
    };
    stop_on_interrupt();
    let mut line = ProgressLine::new(args.max_memory);
    let mut sink = Sink::new(args.output.as_deref());
    let exported = entry.export(&request, &plan, &mut |progress| line.observe(progress), &mut sink);
    let state_count = line.finish();
    match exported.and_then(|exported| Ok(sink.finish().map(|()| exported)?)) {
        Ok(exported) => {
            complain(&format!("{}: {}", entry.name, exported.says));
            exported.others.iter().for_each(|other| complain(&format!("  instead: {other}")));
            Exit::Holds
        }
        Err(error) => failed(args, &error, state_count),
    }
}

/// Which trace; graphs have none to choose.
fn plan(args: &ExportArgs) -> Result<Plan, String> {
    let choice =
        args.guarantee.as_ref().map(|_| "--guarantee").or(args.witness.as_ref().map(|_| "--witness"));
    if let Some(choice) = choice
        && !args.format.is_trace()
    {
        return Err(format!(
            "{choice} chooses a trace, and this format holds the whole graph: use itf, mermaid or history"
        ));
    }
    let trace = match (&args.guarantee, &args.witness) {
        (Some(name), _) => TraceChoice::Guarantee(name.parse().map_err(|()| {
            let names = Guarantee::ALL.iter().map(|guarantee| guarantee.name());
            format!("there is no guarantee `{name}`{}", hint(name, names))
        })?),
        (None, Some(asked)) => TraceChoice::Witness(asked.clone()),
        (None, None) => TraceChoice::Telling,
    };
    Ok(Plan { format: args.format.into(), trace })
}

/// Says why nothing was written; so many states were found by the last look.
fn failed(args: &ExportArgs, error: &ExportError, state_count: usize) -> Exit {
    match error {
        ExportError::Request(error) => {
            complain(&explained(error));
            Exit::Usage
        }
        ExportError::UnknownGuarantee { known, .. } => {
            let known: Vec<_> = known.iter().map(|guarantee| guarantee.name()).collect();
            complain(&format!("{error}\n  it has laws of: {}", known.join(", ")));
            Exit::Usage
        }
        ExportError::UnknownWitness { known, .. } => {
            let known: Vec<_> =
                known.iter().enumerate().map(|(place, says)| format!("\n  {}  {says}", place + 1)).collect();
            complain(&format!("{error}\n  witnesses:{}", known.concat()));
            Exit::Usage
        }
        ExportError::Unfinished { why, .. } => {
            complain(&format!("{}: nothing written: {error}", args.model));
            // A graph that is too large comes with what helps.
            if args.format.is_trace() || !matches!(why, Unfinished::MaxStates(_)) {
                let way_on = how_far(state_count, state_count, is_interrupted());
                complain(&format!("  that was {way_on}"));
            }
            if is_interrupted() { Exit::Interrupted } else { Exit::Inconclusive }
        }
        ExportError::NoTrace(_) | ExportError::Unfit(_) => {
            complain(&format!("{}: nothing written: {error}", args.model));
            Exit::Inconclusive
        }
        ExportError::Write(error) => unwritten(args.output.as_deref(), error),
    }
}

/// A result that could not be written; a reader that went away, such as `head`, is no error.
pub(crate) fn unwritten(output: Option<&Path>, error: &io::Error) -> Exit {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Exit::Holds;
    }
    let name = output.map_or("stdout".to_owned(), |path| path.display().to_string());
    if is_interrupted() {
        complain(&format!("{name}: interrupted before all of it was written"));
        return Exit::Interrupted;
    }
    complain(&format!("{name}: cannot be written: {error}"));
    Exit::Input
}
