//! `lawspeaker convert`: its arguments.

use std::path::PathBuf;

use clap::ValueEnum;
use lawspeaker_history::Encoding;

use super::From;

/// How the result is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum To {
    /// JSON Lines of docs/history-format.md.
    Jsonl,
    /// EDN, as Jepsen has it.
    Edn,
}

impl std::convert::From<To> for Encoding {
    fn from(to: To) -> Self {
        match to {
            To::Jsonl => Encoding::Jsonl,
            To::Edn => Encoding::Edn,
        }
    }
}

#[derive(Debug, clap::Args)]
#[command(
    before_help = "\
Examples:
  lawspeaker convert history.edn --to jsonl -o history.jsonl
  lawspeaker convert history.jsonl.gz --to edn | gzip > history.edn.gz
  lawspeaker convert node.log --from shiviz --to jsonl",
    after_help = "\
Nothing is lost on the way: what Jepsen has no word for stands under :x, and the header in a form that Jepsen passes
over. What EDN has and JSON has not (keywords, sets, ratios, …) becomes text and lists, by docs/history-format.md.

Exit codes: 0 converted; 2 usage; 4 unreadable input or unwritable output."
)]
pub(crate) struct ConvertArgs {
    /// A history in any format that is read, plain or gzip; - is standard input
    pub(crate) file: PathBuf,
    /// How the result is written
    #[arg(long, value_enum)]
    pub(crate) to: To,
    /// How the file is written; by default its name and its beginning tell
    #[arg(long, value_enum)]
    pub(crate) from: Option<From>,
    /// Write to a file, which is whole or not there at all, instead of stdout
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}
