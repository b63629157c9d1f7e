//! `lawspeaker`: recite the law, show how it breaks, judge a history.
//!
//! One file a subcommand. Results go to stdout, everything else to stderr; every exit code is one of [`Exit`].

mod args;
mod check;
mod convert;
mod exit;
mod explain;
mod explore;
mod export;
mod guards;
mod input;
mod judge;
mod output;
mod profile;
mod progress;
mod request;
mod suggest;
mod terminal;
mod trace;
mod unfinished;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Args, Command};
use crate::exit::Exit;

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // Help and version are results; everything else is a usage error, told on stderr.
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Holds };
            let _ = error.print();
            return exit.into();
        }
    };
    let run = || match &args.command {
        Command::Check(check) => check::run(check),
        Command::Judge(judge) => judge::run(judge),
        Command::Guards(guards) => guards::run(guards),
        Command::Export(args) => export::run(args),
        Command::Explore(args) => explore::run(args),
        Command::Trace(args) => trace::run(args),
        Command::Convert(args) => convert::run(args),
        Command::Explain(explain) => explain::run(explain),
    };
    // The panic has told what happened and where; the exit code says that it is our bug.
    let exit = std::panic::catch_unwind(run).unwrap_or(Exit::Bug);
    if output::has_failed() { exit.and(Exit::Input).into() } else { exit.into() }
}
