//! `lawspeaker judge --compat jepsen`: what Jepsen's checker would say.

use lawspeaker_history::{Op, ReadError};
use lawspeaker_oracle::compat::jepsen::{ErrorType, Policy, Results, Tally, check};
use serde::Serialize;

use crate::args::{JudgeArgs, Shape};
use crate::exit::Exit;
use crate::input;
use crate::output::{complain, print, print_json};

use super::JudgeError;
use super::results::NotRead;

#[derive(Serialize)]
struct Run {
    schema: &'static str,
    results: Vec<Told>,
    errors: Vec<NotRead>,
}

/// Jepsen's words for its results.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Told {
    file: String,
    valid: bool,
    error_types: Vec<&'static str>,
    bad_error_types: Vec<&'static str>,
    errors: Vec<ToldError>,
}

#[derive(Serialize)]
struct ToldError {
    r#type: &'static str,
    count: usize,
    line: Option<u64>,
}

pub(super) fn run(args: &JudgeArgs) -> Exit {
    let is_json = match args.results.format {
        None | Some(Shape::Text) => false,
        Some(Shape::Json) => true,
        Some(_) => {
            complain("with --compat, --format is text or json");
            return Exit::Usage;
        }
    };
    let policy = Policy { sub_via: args.sub_via.into(), ww_deps: args.ww_deps };
    let mut exit = Exit::Holds;
    let (mut told, mut errors) = (Vec::new(), Vec::new());
    for path in &args.files {
        let name = input::name(path);
        let ops = input::read(path, args.from)
            .and_then(|read| Ok(read.ops.collect::<Result<Vec<Op>, ReadError>>()?));
        match ops {
            Ok(ops) => {
                let results = check(&ops, policy);
                exit = exit.and(if results.is_valid() { Exit::Holds } else { Exit::Violated });
                if is_json {
                    told.push(tell(&results, name));
                } else {
                    print(&text(&results, &name));
                }
            }
            Err(error) => {
                complain(&format!("{name}: {error}"));
                errors.push(NotRead::of(&name, &JudgeError::from(error).unread()));
                exit = exit.and(Exit::Input);
            }
        }
    }
    if is_json {
        print_json(&Run { schema: "lawspeaker.jepsen-run/1", results: told, errors });
    }
    exit
}

fn text(results: &Results, name: &str) -> String {
    let head = if results.is_valid() { "VALID" } else { "INVALID" };
    let mut text = format!("{head}  {name}  by Jepsen's rules\n");
    for (error, Tally { count, line }) in &results.errors {
        let allowed = if results.bad.contains(error) { "" } else { "  (allowed)" };
        let first = line.map_or_else(String::new, |line| format!(", first at line {line}"));
        text += &format!("  {error:<32}  {count}{first}{allowed}\n");
    }
    text
}

fn tell(results: &Results, file: String) -> Told {
    let errors = results.errors.iter();
    Told {
        file,
        valid: results.is_valid(),
        error_types: results.errors.keys().map(|error: &ErrorType| error.name()).collect(),
        bad_error_types: results.bad.iter().map(|error| error.name()).collect(),
        errors: errors
            .map(|(error, tally)| ToldError { r#type: error.name(), count: tally.count, line: tally.line })
            .collect(),
    }
}
