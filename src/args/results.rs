//! Where the results of `lawspeaker judge` go: one to stdout, any to files.

use std::path::PathBuf;

use clap::ValueEnum;

/// What `--help` says of them.
pub(super) const HELP: &str = "\
Results: --format says what stdout gets. --junit, --sarif, --markdown and --report write files beside it, whole or not
at all; each may be given several times, and - makes it what stdout gets. All inputs of one run come into one result.

Exit codes: 0 conforms; 1 a guarantee is violated; 2 usage; 3 inconclusive: nothing to judge, or the
recording lacks lines, or evidence that the profile requires; 4 unreadable input or unwritable output.";

/// A form that results take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ValueEnum)]
pub(crate) enum Shape {
    /// For people.
    Text,
    /// For programs: one JSON object.
    Json,
    /// JUnit XML: a suite an input, a test a guarantee.
    Junit,
    /// SARIF 2.1.0: a rule an anomaly, a result a root cause with its lines.
    Sarif,
    /// For the summary of a CI job.
    Markdown,
    /// One self-contained page to look at.
    Html,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ResultArgs {
    /// What stdout gets; text by default
    #[arg(long, value_enum)]
    pub(crate) format: Option<Shape>,
    /// Write JUnit XML to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Vec<PathBuf>,
    /// Write SARIF to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) sarif: Vec<PathBuf>,
    /// Write a Markdown summary to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) markdown: Vec<PathBuf>,
    /// Write a page to look at to this file: proofs, logs, timelines; it loads nothing and can be sent about
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Vec<PathBuf>,
    /// Write the smallest history that still shows each root cause into this directory, as NN-anomaly.jsonl, with an
    /// index.json; it must be empty, missing, or of an earlier run, whose files are replaced
    #[arg(long, value_name = "DIR")]
    pub(crate) witness: Option<PathBuf>,
}
