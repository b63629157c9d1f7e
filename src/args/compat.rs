//! `lawspeaker judge --compat`: by whose rules.

use clap::ValueEnum;
use lawspeaker_oracle::compat::jepsen;

/// By whose rules a history is judged instead of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Compat {
    /// Those of Jepsen's Kafka checker.
    Jepsen,
}

/// How consumers came by their partitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SubVia {
    /// They chose them: nobody moves a consumer but itself.
    Assign,
    /// Their group gave them: a poll may skip and go back.
    Subscribe,
}

impl From<SubVia> for jepsen::SubVia {
    fn from(sub_via: SubVia) -> Self {
        match sub_via {
            SubVia::Assign => jepsen::SubVia::Assign,
            SubVia::Subscribe => jepsen::SubVia::Subscribe,
        }
    }
}
