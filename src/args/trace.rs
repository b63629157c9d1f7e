//! `lawspeaker trace`: its arguments.

use std::path::PathBuf;

use clap::ValueEnum;

/// What is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TraceFormat {
    /// For the terminal: a column a process, a line an op.
    Text,
    /// A picture, for light and dark pages.
    Svg,
    /// A Mermaid sequence diagram, for Markdown.
    Mermaid,
}

#[derive(Debug, clap::Args)]
#[command(
    before_help = "\
Examples:
  lawspeaker trace history.jsonl
  lawspeaker trace history.jsonl --format svg -o history.svg
  lawspeaker trace run.jsonl.gz --finding 1 --format mermaid
  lawspeaker trace run.jsonl.gz --around 1512 --process 3 --process 61",
    after_help = "\
Processes are lanes and time goes down. A message is an arrow from its send to each delivery. What the oracle's
violations name is red, or what finding N names. Of a history of more ops than --max-ops, the first finding is drawn.

Exit codes: 0 drawn, whatever the verdict; 2 usage; 3 nothing to draw; 4 unreadable input or unwritable output."
)]
pub(crate) struct TraceArgs {
    /// A history as JSON Lines, plain or gzip; - is standard input
    pub(crate) file: PathBuf,
    /// What to draw
    #[arg(long, value_enum, default_value_t = TraceFormat::Text)]
    pub(crate) format: TraceFormat,
    /// Write to this file, whole or not at all, instead of stdout
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Draw from this line on
    #[arg(long, value_name = "LINE", conflicts_with = "around")]
    pub(crate) from: Option<u64>,
    /// Draw up to this line
    #[arg(long, value_name = "LINE", conflicts_with = "around")]
    pub(crate) to: Option<u64>,
    /// Draw a dozen ops before and after this line
    #[arg(long, value_name = "LINE")]
    pub(crate) around: Option<u64>,
    /// Draw only this process; may be given several times
    #[arg(long, value_name = "PROCESS")]
    pub(crate) process: Vec<String>,
    /// Draw what the finding of this number names, from 1, in the order of `judge --format json`
    #[arg(long, value_name = "NUMBER")]
    pub(crate) finding: Option<usize>,
    /// Draw at most this many ops
    #[arg(long, value_name = "COUNT", default_value_t = 200)]
    pub(crate) max_ops: usize,
    /// What the system promises; by default as `judge` would choose
    #[arg(long)]
    pub(crate) profile: Option<String>,
}
