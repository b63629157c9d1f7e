//! `lawspeaker export`: its arguments.

use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;
use lawspeaker_model::export::Format;

use super::{Bounds, duration, setting, size};

/// In which format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// The state graph for Graphviz; of 2,000 states at most, unless --max-states says otherwise.
    Dot,
    /// The state graph in the Aldebaran format of CADP and mCRL2.
    Aut,
    /// The state graph as JSON, schema lawspeaker.graph/1.
    Json,
    /// A trace in the Informal Trace Format, which Apalache, Quint and the ITF viewers read.
    Itf,
    /// A trace as a Mermaid sequence diagram.
    Mermaid,
    /// A trace as an observer would have recorded it, for `judge` and `trace` to read.
    History,
}

impl ExportFormat {
    /// The most states of a graph, unless the caller says otherwise; traces need no limit.
    pub(crate) fn max_states(self) -> Option<usize> {
        match self {
            // Nobody sees anything in a larger drawing, and Graphviz would take hours.
            ExportFormat::Dot => Some(2_000),
            // A state is a line of some hundred bytes: a file of half a gigabyte.
            ExportFormat::Aut | ExportFormat::Json => Some(500_000),
            ExportFormat::Itf | ExportFormat::Mermaid | ExportFormat::History => None,
        }
    }

    /// Whether the format holds a trace, and not a graph.
    pub(crate) fn is_trace(self) -> bool {
        matches!(self, ExportFormat::Itf | ExportFormat::Mermaid | ExportFormat::History)
    }
}

impl From<ExportFormat> for Format {
    fn from(format: ExportFormat) -> Self {
        match format {
            ExportFormat::Dot => Format::Dot,
            ExportFormat::Aut => Format::Aut,
            ExportFormat::Json => Format::Json,
            ExportFormat::Itf => Format::Itf,
            ExportFormat::Mermaid => Format::Mermaid,
            ExportFormat::History => Format::History,
        }
    }
}

#[derive(Debug, clap::Args)]
#[command(
    before_help = "\
Examples:
  lawspeaker export consumer-group --set crashes=0 --set timeouts=0 --set rebalances=0 --format dot | dot -Tsvg -o g.svg
  lawspeaker export partition-log --format aut -o partition-log.aut
  lawspeaker export partition-log --without fsync-before-ack --format itf -o power-loss.itf.json
  lawspeaker export consumer-group --without dedup --guarantee effect-once --format mermaid
  lawspeaker export consumer-group --witness 2 --format history | lawspeaker judge -",
    after_help = "\
dot, aut and json hold the state graph. itf, mermaid and history hold one trace: with --without, the shortest
counterexample to what the guard is named for, or to --guarantee; without it, or with --witness, the shortest trace to
a witness.

Exit codes: 0 written, a counterexample too; 2 usage; 3 a limit was hit or there is no such trace, and nothing was
written; 4 it could not be written."
)]
pub(crate) struct ExportArgs {
    /// The model
    pub(crate) model: String,
    /// In which format
    #[arg(long, value_enum)]
    pub(crate) format: ExportFormat,
    /// Remove a guard; may be given several times
    #[arg(long, value_name = "GUARD")]
    pub(crate) without: Vec<String>,
    /// The counterexample to this guarantee
    #[arg(long, value_name = "NAME", conflicts_with = "witness")]
    pub(crate) guarantee: Option<String>,
    /// A shortest trace to a witness, by its number from 1 or a part of its words; by default 1
    #[arg(long, value_name = "WHICH")]
    pub(crate) witness: Option<String>,
    /// Write to this file, whole or not at all, instead of stdout
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// How much of everything there is
    #[arg(long, value_enum, default_value_t = Bounds::Small)]
    pub(crate) bounds: Bounds,
    /// Change one bound, such as crashes=2; `lawspeaker explain MODEL` lists them
    #[arg(long, value_name = "NAME=VALUE", value_parser = setting)]
    pub(crate) set: Vec<(String, u8)>,
    /// Write nothing if there are more states than this; by default 2000 for dot, 500000 for aut and json
    #[arg(long, value_name = "COUNT")]
    pub(crate) max_states: Option<usize>,
    /// Write nothing if it takes longer than this, such as 30s
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) timeout: Option<Duration>,
    /// Write nothing if the process holds this much memory before all states are seen, such as 2GiB
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(crate) max_memory: Option<u64>,
}
