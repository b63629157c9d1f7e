//! `lawspeaker judge`: read histories, say which guarantee was broken and where.

mod folder;
mod progress;
mod results;

use std::path::Path;
use std::time::{Duration, Instant};

use lawspeaker_history::{Header, History, LogFormat, Op, ReadError, Reader};
use lawspeaker_oracle::report::{self, Judged, Unread};
use lawspeaker_oracle::witness::{Limits, Witness, witness};
use lawspeaker_oracle::{Finding, Judge, Outcome, Profile, Verdict};

use crate::args::{From, JudgeArgs, Shape};
use crate::exit::Exit;
use crate::input;
use crate::output::{complain, print};
use crate::progress::{is_interrupted, stop_on_interrupt};
use crate::suggest::hint;
use crate::trace::drawing;
use folder::Folder;
use progress::ReadingLine;
use results::Results;

/// How long the search for one witness may take.
const WITNESS_TIME: Duration = Duration::from_secs(10);
/// How many findings of one history a page shows in pictures and by their witnesses.
const MAX_DRAWINGS: usize = 24;

/// Why a file could not be judged.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JudgeError {
    #[error("{0}")]
    Open(#[from] std::io::Error),
    #[error("{0}")]
    Read(#[from] ReadError),
    #[error("line 1: {0}{1}; name one with --profile")]
    Profile(lawspeaker_oracle::UnknownProfileError, String),
    #[error("interrupted")]
    Interrupted,
}

impl JudgeError {
    /// The same for reports, which keep the line apart.
    fn unread(self) -> Unread {
        match self {
            JudgeError::Read(error) => Unread { line: Some(error.line), message: error.kind.to_string() },
            JudgeError::Profile(error, hint) => {
                Unread { line: Some(1), message: format!("{error}{hint}; name one with --profile") }
            }
            other => Unread { line: None, message: other.to_string() },
        }
    }
}

pub(crate) fn run(args: &JudgeArgs) -> Exit {
    let profile = match args.profile.as_deref().map(Profile::named).transpose() {
        Ok(profile) => profile,
        Err(error) => {
            complain(&format!("{error}{}", profile_hint(args.profile.as_deref().unwrap_or_default())));
            return Exit::Usage;
        }
    };
    let results = match Results::asked(&args.results) {
        Ok(results) => results,
        Err(message) => {
            complain(&message);
            return Exit::Usage;
        }
    };
    // Before anything is written: what is there when Ctrl-C comes is whole.
    if args.results.witness.is_some() || results.are_kept() {
        stop_on_interrupt();
    }
    let mut folder = match args.results.witness.as_deref().map(Folder::open).transpose() {
        Ok(folder) => folder,
        Err(error) => {
            complain(&error.to_string());
            return Exit::Input;
        }
    };
    let mut exit = Exit::Holds;
    let mut run: Vec<Judged> = Vec::new();
    let mut line = ReadingLine::new();
    for path in &args.files {
        let judged = one(path, args, profile, &results, folder.is_some(), &mut line);
        exit = exit.and(told(&judged, run.is_empty(), &results));
        if let (Some(folder), Ok(verdict)) = (&mut folder, &judged.result) {
            exit = exit.and(kept(folder, &judged, verdict));
        }
        if is_interrupted() {
            complain("interrupted: what was written before is whole");
            return exit.and(Exit::Interrupted);
        }
        run.push(judged);
    }
    exit.and(results.write(&run))
}

/// Judges one input, and looks for what the results show of it.
fn one(
    path: &Path,
    args: &JudgeArgs,
    profile: Option<&'static Profile>,
    results: &Results,
    has_folder: bool,
    line: &mut ReadingLine,
) -> Judged {
    let name = input::name(path);
    let needs_ops = has_folder || results.show_history();
    let mut ops: Vec<Op> = Vec::new();
    let read = judge(path, args.from, profile, &mut |op| {
        line.op();
        if needs_ops {
            ops.push(op);
        }
    });
    line.clear();
    let (header, verdict) = match read {
        Ok(read) => read,
        Err(error) => return Judged::new(name, Err(error.unread())),
    };
    let mut judged = Judged::new(name, Ok(verdict.clone()));
    judged.history = History { header, ops };
    let profile = profile.or_else(|| Profile::named(verdict.profile).ok());
    if let (true, Some(profile)) = (needs_ops, profile) {
        let most = if has_folder { usize::MAX } else { MAX_DRAWINGS };
        for finding in verdict.roots().take(most) {
            line.working(&format!("looking for the smallest history that shows finding {}", finding.id));
            judged.witnesses.extend(smallest(&judged.history, finding, profile));
        }
    }
    if results.show_history() {
        let drawn = verdict.findings.iter().take(MAX_DRAWINGS);
        judged.drawings = drawn.filter_map(|finding| drawing(finding, &judged.history.ops)).collect();
    }
    line.judged(verdict.findings.len());
    judged
}

/// The witness of a finding; none once Ctrl-C was pressed.
fn smallest(history: &History, finding: &Finding, profile: &'static Profile) -> Option<Witness> {
    let started = Instant::now();
    let go_on = || started.elapsed() < WITNESS_TIME && !is_interrupted();
    let again = |part: &History| lawspeaker_oracle::judge(part, profile);
    let found = witness(history, finding, &again, Limits::default(), &go_on);
    (!is_interrupted()).then_some(found)
}

/// Says at once what became of an input, as far as stdout or stderr are to hear of it.
fn told(judged: &Judged, is_first: bool, results: &Results) -> Exit {
    match &judged.result {
        Ok(verdict) => {
            if results.stdout == Shape::Text {
                let gap = if is_first { "" } else { "\n" };
                print(&format!("{gap}{}", report::text(verdict, &judged.source)));
            }
            exit_of(verdict)
        }
        Err(unread) => {
            let at = unread.line.map_or_else(String::new, |line| format!("line {line}: "));
            complain(&format!("{}: {at}{}", judged.source, unread.message));
            Exit::Input
        }
    }
}

/// Writes the witnesses of an input.
fn kept(folder: &mut Folder, judged: &Judged, verdict: &Verdict) -> Exit {
    for witness in &judged.witnesses {
        if let Err(error) = folder.add(witness, verdict, &judged.source) {
            complain(&error.to_string());
            return Exit::Input;
        }
    }
    Exit::Holds
}

/// Judges a history, and hands out each op of it, and in the end the header and the verdict.
pub(crate) fn judge(
    path: &Path,
    from: Option<From>,
    profile: Option<&'static Profile>,
    each: &mut dyn FnMut(Op),
) -> Result<(Header, Verdict), JudgeError> {
    let mut input = input::open(path)?;
    let format = match from {
        Some(From::History) => None,
        Some(From::Shiviz) => Some(LogFormat::Shiviz),
        Some(From::Clocks) => Some(LogFormat::Clocks),
        None => LogFormat::of(input.fill_buf()?),
    };
    match format {
        Some(format) => {
            let History { header, ops } = format.read(input)?;
            judge_ops(&header, ops.into_iter().map(Ok), profile, each)
        }
        None => {
            let mut reader = Reader::new(input)?;
            let header = reader.header().clone();
            judge_ops(&header, &mut reader, profile, each)
        }
    }
}

fn judge_ops(
    header: &Header,
    ops: impl Iterator<Item = Result<Op, ReadError>>,
    profile: Option<&'static Profile>,
    each: &mut dyn FnMut(Op),
) -> Result<(Header, Verdict), JudgeError> {
    let mut judge = match profile {
        Some(profile) => Judge::new(profile),
        None => {
            // A header that asks for what does not exist must not be judged by a guess.
            if let Some(Err(error)) = header.profile.as_deref().map(Profile::named) {
                let hint = profile_hint(header.profile.as_deref().unwrap_or_default());
                return Err(JudgeError::Profile(error, hint));
            }
            Judge::guessing()
        }
    };
    judge.header(header);
    for op in ops {
        let op = op?;
        judge.observe(&op);
        each(op);
        if is_interrupted() {
            return Err(JudgeError::Interrupted);
        }
    }
    Ok((header.clone(), judge.finish()))
}

fn exit_of(verdict: &Verdict) -> Exit {
    match verdict.outcome {
        Outcome::Conforms => Exit::Holds,
        Outcome::Violated => Exit::Violated,
        Outcome::Inconclusive => Exit::Inconclusive,
    }
}

pub(crate) fn profile_hint(name: &str) -> String {
    hint(name, Profile::names())
}
