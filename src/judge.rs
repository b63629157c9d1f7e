//! `lawspeaker judge`: read histories, say which guarantee was broken and where.

mod compat;
mod folder;
mod progress;
mod results;

use std::path::Path;
use std::time::{Duration, Instant};

use lawspeaker_history::{Header, History, Op, ReadError};
use lawspeaker_oracle::report::{self, Judged, Unread};
use lawspeaker_oracle::witness::{Limits, Witness, witness};
use lawspeaker_oracle::{Exercise, Finding, Judge, Outcome, Profile, Verdict, WindowError, Windowed};

use crate::args::{Compat, From, JudgeArgs, Shape};
use crate::exit::Exit;
use crate::input::{self, InputError, Ops};
use crate::output::{complain, print};
use crate::profile::{chosen, profile_hint};
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
    Input(#[from] InputError),
    #[error("{0}")]
    Read(#[from] ReadError),
    #[error("line 1: {0}{1}; name one with --profile")]
    Profile(lawspeaker_oracle::UnknownProfileError, String),
    #[error("{0}")]
    Window(#[from] WindowError),
    #[error("interrupted")]
    Interrupted,
}

impl JudgeError {
    /// The same for reports, which keep the line apart.
    fn unread(self) -> Unread {
        match self {
            JudgeError::Read(error) | JudgeError::Input(InputError::Read(error)) => {
                Unread { line: Some(error.line), message: error.kind.to_string() }
            }
            JudgeError::Profile(error, hint) => {
                Unread { line: Some(1), message: format!("{error}{hint}; name one with --profile") }
            }
            other => Unread { line: None, message: other.to_string() },
        }
    }
}

/// What histories are judged by.
#[derive(Debug, Default)]
pub(crate) struct Terms {
    /// What the system promises; `None` leaves it to the header, or to a guess.
    pub(crate) profile: Option<Profile>,
    /// Evidence that a recording need not hold.
    pub(crate) waived: Vec<Exercise>,
    /// After how many lines that do not name it a partition is judged and forgotten.
    pub(crate) window: Option<u64>,
}

impl Terms {
    /// What the command line asks for; a mistake in it is told, and is the exit.
    fn asked(args: &JudgeArgs) -> Result<Self, Exit> {
        let profile = chosen(args.profile.as_deref()).map_err(|error| {
            complain(&error.to_string());
            error.exit()
        })?;
        let waived: Result<_, String> = args.waive.iter().map(|name| waivable(name)).collect();
        let waived = waived.map_err(|message| {
            complain(&message);
            Exit::Usage
        })?;
        Ok(Terms { profile, waived, window: args.window })
    }
}

pub(crate) fn run(args: &JudgeArgs) -> Exit {
    if let Some(Compat::Jepsen) = args.compat {
        return compat::run(args);
    }
    let terms = match Terms::asked(args) {
        Ok(terms) => terms,
        Err(exit) => return exit,
    };
    if args.window.is_some() && args.results.format == Some(Shape::Html) {
        complain("--format html shows the history, which --window forgets");
        return Exit::Usage;
    }
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
        let judged = one(path, args.from, &terms, &results, folder.is_some(), &mut line);
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
    results.write(&run, exit)
}

/// Judges one input, and looks for what the results show of it.
fn one(
    path: &Path,
    from: Option<From>,
    terms: &Terms,
    results: &Results,
    has_folder: bool,
    line: &mut ReadingLine,
) -> Judged {
    let name = input::name(path);
    let needs_ops = has_folder || results.show_history();
    let mut ops: Vec<Op> = Vec::new();
    let read = judge(path, from, terms, &mut |op, findings| {
        line.op(findings);
        if needs_ops {
            ops.push(op.clone());
        }
    });
    line.clear();
    let (header, verdict) = match read {
        Ok(read) => read,
        Err(error) => return Judged::new(name, Err(error.unread())),
    };
    let mut judged = Judged::new(name, Ok(verdict.clone()));
    judged.history = History { header, ops };
    let profile = terms.profile.clone().or_else(|| Profile::named(&verdict.profile).ok());
    if let (true, Some(profile)) = (needs_ops, &profile) {
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
fn smallest(history: &History, finding: &Finding, profile: &Profile) -> Option<Witness> {
    let started = Instant::now();
    let go_on = || started.elapsed() < WITNESS_TIME && !is_interrupted();
    let again = |part: &History| lawspeaker_oracle::judge(part, profile.clone());
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

/// Judges a history, and hands out each op of it with the number of findings so far, and in the end the header and the
/// verdict.
pub(crate) fn judge(
    path: &Path,
    from: Option<From>,
    terms: &Terms,
    each: &mut dyn FnMut(&Op, usize),
) -> Result<(Header, Verdict), JudgeError> {
    let Ops { header, ops } = input::read(path, from)?;
    match terms.window {
        Some(window) => judge_window(header, ops, terms, window, each),
        None => judge_whole(header, ops, terms, each),
    }
}

fn judge_window(
    header: Header,
    ops: impl Iterator<Item = Result<Op, ReadError>>,
    terms: &Terms,
    window: u64,
    each: &mut dyn FnMut(&Op, usize),
) -> Result<(Header, Verdict), JudgeError> {
    let judge = Windowed::new(&header, terms.profile.clone(), window)?;
    let mut judge = terms.waived.iter().fold(judge, |judge, witness| judge.waiving(*witness));
    for op in until_interrupted(ops) {
        let op = op?;
        each(&op, judge.finding_count());
        judge.observe(op)?;
    }
    Ok((header, judge.finish()))
}

/// The ops, and an error for the next of them once Ctrl-C was pressed.
fn until_interrupted(
    ops: impl Iterator<Item = Result<Op, ReadError>>,
) -> impl Iterator<Item = Result<Op, JudgeError>> {
    ops.map(|op| if is_interrupted() { Err(JudgeError::Interrupted) } else { Ok(op?) })
}

fn judge_whole(
    header: Header,
    ops: impl Iterator<Item = Result<Op, ReadError>>,
    terms: &Terms,
    each: &mut dyn FnMut(&Op, usize),
) -> Result<(Header, Verdict), JudgeError> {
    let mut judge = match &terms.profile {
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
    judge = terms.waived.iter().fold(judge, |judge, witness| judge.waiving(*witness));
    judge.header(&header);
    for op in until_interrupted(ops) {
        let op = op?;
        each(&op, 0);
        judge.observe(&op);
    }
    Ok((header, judge.finish()))
}

fn waivable(name: &str) -> Result<Exercise, String> {
    let names = || Exercise::ALL.iter().map(|witness| witness.name());
    name.parse().map_err(|()| {
        let known: Vec<_> = names().collect();
        format!("no evidence is called `{name}`{}\n  evidence: {}", hint(name, names()), known.join(", "))
    })
}

fn exit_of(verdict: &Verdict) -> Exit {
    match verdict.outcome {
        Outcome::Conforms => Exit::Holds,
        Outcome::Violated => Exit::Violated,
        Outcome::Inconclusive => Exit::Inconclusive,
    }
}
