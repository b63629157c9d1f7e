//! The command line. Help starts with examples.

mod compat;
mod convert;
mod explore;
mod export;
mod results;
mod trace;

pub(crate) use compat::{Compat, SubVia};
pub(crate) use convert::ConvertArgs;
pub(crate) use explore::ExploreArgs;
pub(crate) use export::ExportArgs;
pub(crate) use results::{ResultArgs, Shape};
pub(crate) use trace::{TraceArgs, TraceFormat};

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};
use lawspeaker_model::catalogue::Preset;

const EXAMPLES: &str = "\
Examples:
  lawspeaker check                                                  check every model
  lawspeaker check consumer-group --without commit-after-process    remove a guard, see how it breaks
  lawspeaker guards consumer-group                                  which guard upholds which guarantee
  lawspeaker judge history.jsonl --profile kafka                    judge a recorded history
  lawspeaker export partition-log --without retry --format mermaid  a counterexample for another tool
  lawspeaker explore consumer-group                                 step through a model in a browser
  lawspeaker trace history.jsonl --format svg -o history.svg        draw a history
  lawspeaker convert history.edn --to jsonl                         from Jepsen's form, or to it
  lawspeaker explain at-least-once                                  a guarantee, guard, anomaly or model in words

Exit codes:
  0 holds   1 violated   2 usage   3 inconclusive
  4 unreadable input or unwritable output   70 our bug   130 interrupted";

/// Model-checked law for event-driven systems: recite it, break it, judge by it.
#[derive(Debug, Parser)]
#[command(version, before_help = EXAMPLES, max_term_width = 110)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check a model exhaustively within its bounds, or show the shortest way it breaks without a guard.
    Check(CheckArgs),
    /// Judge recorded histories: which guarantee was broken, where.
    Judge(JudgeArgs),
    /// Print which guard upholds which guarantee, computed by removing each guard in turn.
    Guards(GuardsArgs),
    /// Write a model's state graph, a counterexample or a witness in the format of another tool.
    Export(ExportArgs),
    /// Serve stateright's Explorer of a model on this machine, to step through it in a browser.
    Explore(ExploreArgs),
    /// Draw a recorded history as a space-time diagram, with what the oracle found in red.
    Trace(TraceArgs),
    /// Write a history down in the other way: JSON Lines or Jepsen's EDN.
    Convert(ConvertArgs),
    /// Say in words what a guarantee, guard, anomaly, profile or model is.
    Explain(ExplainArgs),
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs: one JSON object.
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Bounds {
    /// A second or so for each model.
    Small,
    /// Tens of seconds.
    Medium,
    /// Minutes.
    Large,
}

impl std::convert::From<Bounds> for Preset {
    fn from(bounds: Bounds) -> Self {
        match bounds {
            Bounds::Small => Preset::Small,
            Bounds::Medium => Preset::Medium,
            Bounds::Large => Preset::Large,
        }
    }
}

/// What bounds a check, whatever is checked.
#[derive(Debug, clap::Args)]
pub(crate) struct BoundsArgs {
    /// How much of everything there is
    #[arg(long, value_enum, default_value_t = Bounds::Small)]
    pub(crate) bounds: Bounds,
    /// Change one bound, such as crashes=2, of the model that is named or that alone has it; `lawspeaker explain MODEL`
    /// lists them
    #[arg(long, value_name = "NAME=VALUE", value_parser = setting)]
    pub(crate) set: Vec<(String, u8)>,
    /// Stop the whole command after this long, such as 30s; the result is then inconclusive unless a violation was found
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) timeout: Option<Duration>,
    /// Stop each exploration after this many states; likewise. `check` makes one a model, `guards` one a guard
    #[arg(long, value_name = "COUNT")]
    pub(crate) max_states: Option<usize>,
    /// Explore no further than this many steps; likewise
    #[arg(long, value_name = "STEPS")]
    pub(crate) max_depth: Option<usize>,
    /// Stop when the process holds this much memory, such as 2GiB; likewise
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(crate) max_memory: Option<u64>,
    /// Threads that expand states; results are the same for any number
    #[arg(long, value_name = "COUNT", default_value_t = NonZeroUsize::MIN)]
    pub(crate) threads: NonZeroUsize,
    /// Keep whole states instead of a hash of each: more memory, no odds of a mistake
    #[arg(long)]
    pub(crate) exact: bool,
    /// Check only what must hold in every state; what must happen in the end stays undecided, and no graph is kept
    #[arg(long)]
    pub(crate) safety: bool,
    /// Visit one state for all that differ only by the names of interchangeable parts, such as producers, in the models
    /// that have any; what must happen in the end stays undecided
    #[arg(long)]
    pub(crate) symmetry: bool,
    /// For people or for programs
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, clap::Args)]
#[command(before_help = "\
Examples:
  lawspeaker check
  lawspeaker check partition-log --without fsync-before-ack
  lawspeaker check consumer-group --without dedup --set crashes=2
  lawspeaker check consumer-group --without fence-commit --history zombie.jsonl
  lawspeaker check --bounds medium --timeout 60s --format json")]
pub(crate) struct CheckArgs {
    /// The model; if none is given, all of them, or the one that alone has what --without or --set names
    pub(crate) model: Option<String>,
    /// Remove a guard; may be given several times
    #[arg(long, value_name = "GUARD")]
    pub(crate) without: Vec<String>,
    /// Tell every counterexample in full, not only the first
    #[arg(long)]
    pub(crate) all: bool,
    /// Tell how often each action was taken, how many states each step count reaches, and the longest queue
    #[arg(long)]
    pub(crate) coverage: bool,
    /// Write the first counterexample as a history, as an observer would have recorded it, for `judge` to read; what an
    /// observer cannot see, such as the order of processing, does not show in it, and stderr then says so
    #[arg(long, value_name = "FILE", requires = "without", value_parser = file_beside_stdout)]
    pub(crate) history: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) bounds: BoundsArgs,
}

#[derive(Debug, clap::Args)]
#[command(before_help = "\
Examples:
  lawspeaker guards
  lawspeaker guards partition-log --format json")]
pub(crate) struct GuardsArgs {
    /// The model; if none is given, all of them, or the one that alone has what --set names
    pub(crate) model: Option<String>,
    #[command(flatten)]
    pub(crate) bounds: BoundsArgs,
}

/// How an explanation is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExplainFormat {
    Text,
    Toml,
}

#[derive(Debug, clap::Args)]
#[command(before_help = "\
Examples:
  lawspeaker judge history.jsonl --profile kafka
  lawspeaker judge history.jsonl --profile ./mine.toml
  lawspeaker judge store/my-test/latest/history.edn
  lawspeaker judge history.edn --compat jepsen --sub-via subscribe
  lawspeaker judge history.jsonl --report report.html --witness witnesses
  lawspeaker judge run-*.jsonl.gz --junit junit.xml --sarif judge.sarif --markdown summary.md
  lawspeaker judge run-*.jsonl.gz --format json
  lawspeaker judge node.log --from shiviz", after_help = results::HELP)]
pub(crate) struct JudgeArgs {
    /// Histories as JSON Lines or EDN, plain or gzip; - is standard input
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// What the system promises: a profile by name, or a file such as ./mine.toml; by default what the history's
    /// header says, or what fits what is in it
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) profile: Option<String>,
    /// Evidence that the profile requires and this recording need not hold, such as redelivery; the verdict says so
    #[arg(long, value_name = "NAME")]
    pub(crate) waive: Vec<String>,
    /// How the files are written; by default their names and their beginnings tell
    #[arg(long, value_enum)]
    pub(crate) from: Option<From>,
    /// Judge a partition, and forget it, once this many lines do not name it, so that a recording of any length needs
    /// no more memory than its window; it needs a profile that promises nothing across partitions
    #[arg(long, value_name = "LINES", value_parser = clap::value_parser!(u64).range(1..), conflicts_with_all = ["compat", "report", "witness"])]
    pub(crate) window: Option<u64>,
    /// Say instead what another checker would: its error types by its rules, blind spots included
    #[arg(long, value_enum, conflicts_with_all = ["profile", "waive", "junit", "sarif", "markdown", "report", "witness"])]
    pub(crate) compat: Option<Compat>,
    /// How consumers came by their partitions, for --compat: rebalances excuse skips and repetitions
    #[arg(long, value_enum, default_value_t = SubVia::Assign, requires = "compat")]
    pub(crate) sub_via: SubVia,
    /// For --compat: take the order of a log for an order of its writers, when cycles are sought
    #[arg(long, requires = "compat")]
    pub(crate) ww_deps: bool,
    #[command(flatten)]
    pub(crate) results: ResultArgs,
}

/// How a history is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum From {
    /// JSON Lines of docs/history-format.md, or of the flat recorder format.
    History,
    /// EDN, as Jepsen stores histories.
    Edn,
    /// Text with a host and a vector clock in each record, as ShiViz reads it.
    Shiviz,
    /// JSON Lines of steps with packets that carry vector clocks.
    Clocks,
}

#[derive(Debug, clap::Args)]
#[command(before_help = "\
Examples:
  lawspeaker explain at-least-once
  lawspeaker explain fence-commit
  lawspeaker explain lost-write
  lawspeaker explain kafka --format toml > mine.toml")]
pub(crate) struct ExplainArgs {
    /// The name of a guarantee, guard, anomaly, profile or model; all names if none is given
    pub(crate) name: Option<String>,
    /// For people; or, of a profile, the file that it is read from, to copy and change
    #[arg(long, value_enum, default_value_t = ExplainFormat::Text)]
    pub(crate) format: ExplainFormat,
}

fn setting(text: &str) -> Result<(String, u8), String> {
    let (name, value) = text.split_once('=').ok_or("NAME=VALUE is expected, such as crashes=2")?;
    let value = value.parse().map_err(|_| format!("`{value}` is no number from 0 to 255"))?;
    Ok((name.to_owned(), value))
}

/// A file that is written beside what stdout gets.
fn file_beside_stdout(text: &str) -> Result<PathBuf, String> {
    if text == "-" {
        return Err("stdout gets the report: name a file, or let `lawspeaker export MODEL --without GUARD \
                    --format history` write to stdout"
            .to_owned());
    }
    Ok(text.into())
}

/// A duration: a number with a unit, `ms`, `s`, `m` or `h`; seconds if there is none.
fn duration(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(seconds) => Ok(Duration::from_secs(seconds)),
        Err(_) => humantime::parse_duration(text)
            .map_err(|error| format!("{error}; a time is expected, such as 30s")),
    }
}

/// A size in bytes: a number with an optional unit, `KiB`, `MiB` or `GiB`.
fn size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let shift = match &text[digits.len()..] {
        "" | "B" => 0,
        "KiB" | "K" => 10,
        "MiB" | "M" => 20,
        "GiB" | "G" => 30,
        unit => return Err(format!("`{unit}` is no unit: KiB, MiB or GiB is expected")),
    };
    let number: u64 = digits.trim().parse().map_err(|_| "a size is expected, such as 2GiB".to_owned())?;
    number.checked_mul(1 << shift).ok_or_else(|| "that is more than any machine has".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        super::Args::command().debug_assert();
    }

    #[test]
    fn sizes_have_units() {
        assert_eq!(super::size("2GiB"), Ok(2 << 30));
        assert_eq!(super::size("512"), Ok(512));
        assert!(super::size("2GB").is_err() && super::size("GiB").is_err());
        assert!(super::size("99999999999999GiB").is_err());
    }
}
