//! `lawspeaker judge`: read histories, say which guarantee was broken and where.

mod compat;

use std::path::Path;

use lawspeaker_history::{Header, Op, ReadError};
use lawspeaker_oracle::{Judge, Outcome, Profile, Verdict, Witness, report};
use serde::Serialize;
use serde_json::Value;

use crate::args::{Compat, Format, From, JudgeArgs};
use crate::exit::Exit;
use crate::input::{self, InputError, Ops};
use crate::output::{complain, print, print_json};
use crate::profile::{chosen, profile_hint};
use crate::suggest::hint;

#[derive(Serialize)]
struct Run {
    schema: &'static str,
    verdicts: Vec<Value>,
}

/// Why a file could not be judged.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JudgeError {
    #[error("{0}")]
    Input(#[from] InputError),
    #[error("{0}")]
    Read(#[from] ReadError),
    #[error("line 1: {0}{1}; name one with --profile")]
    Profile(lawspeaker_oracle::UnknownProfileError, String),
}

pub(crate) fn run(args: &JudgeArgs) -> Exit {
    if let Some(Compat::Jepsen) = args.compat {
        return compat::run(args);
    }
    let profile = match chosen(args.profile.as_deref()) {
        Ok(profile) => profile,
        Err(error) => {
            complain(&error.to_string());
            return error.exit();
        }
    };
    let waived = match args.waive.iter().map(|name| waivable(name)).collect::<Result<Vec<_>, _>>() {
        Ok(waived) => waived,
        Err(message) => {
            complain(&message);
            return Exit::Usage;
        }
    };
    let mut exit = Exit::Holds;
    let mut verdicts = Vec::new();
    for (place, path) in args.files.iter().enumerate() {
        let name = input::name(path);
        match judge(path, args.from, profile.as_ref(), &waived, &mut |_| ()) {
            Ok(verdict) => {
                exit = exit.and(exit_of(&verdict));
                match args.format {
                    Format::Text => {
                        let gap = if place == 0 { "" } else { "\n" };
                        print(&format!("{gap}{}", report::text(&verdict, &name)));
                    }
                    Format::Json => verdicts.push(report::json(&verdict, &name)),
                }
            }
            Err(error) => {
                complain(&format!("{name}: {error}"));
                exit = exit.and(Exit::Input);
            }
        }
    }
    if args.format == Format::Json {
        print_json(&Run { schema: "lawspeaker.judge-run/1", verdicts });
    }
    exit
}

/// Judges a history, and hands out each op of it.
pub(crate) fn judge(
    path: &Path,
    from: Option<From>,
    profile: Option<&Profile>,
    waived: &[Witness],
    each: &mut dyn FnMut(Op),
) -> Result<Verdict, JudgeError> {
    let Ops { header, ops } = input::read(path, from)?;
    judge_ops(&header, ops, profile, waived, each)
}

fn judge_ops(
    header: &Header,
    ops: impl Iterator<Item = Result<Op, ReadError>>,
    profile: Option<&Profile>,
    waived: &[Witness],
    each: &mut dyn FnMut(Op),
) -> Result<Verdict, JudgeError> {
    let mut judge = match profile {
        Some(profile) => Judge::new(profile.clone()),
        None => {
            // A header that asks for what does not exist must not be judged by a guess.
            if let Some(Err(error)) = header.profile.as_deref().map(Profile::named) {
                let hint = profile_hint(header.profile.as_deref().unwrap_or_default());
                return Err(JudgeError::Profile(error, hint));
            }
            Judge::guessing()
        }
    };
    judge = waived.iter().fold(judge, |judge, witness| judge.waiving(*witness));
    judge.header(header);
    for op in ops {
        let op = op?;
        judge.observe(&op);
        each(op);
    }
    Ok(judge.finish())
}

fn waivable(name: &str) -> Result<Witness, String> {
    let names = Witness::ALL.iter().map(|witness| witness.name());
    name.parse().map_err(|()| format!("no evidence is called `{name}`{}", hint(name, names)))
}

fn exit_of(verdict: &Verdict) -> Exit {
    match verdict.outcome {
        Outcome::Conforms => Exit::Holds,
        Outcome::Violated => Exit::Violated,
        Outcome::Inconclusive => Exit::Inconclusive,
    }
}
