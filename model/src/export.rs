//! A model's state graph, counterexamples and witnesses, in the formats of other tools.
//!
//! `docs/export-formats.md` is the normative text.
//! Graphs are written whole or not at all: where a limit is hit, nothing is written and the error says so.
//! Two exports of one request are equal, byte by byte.

mod aut;
mod choice;
mod dot;
mod graph;
mod head;
mod itf;
mod json;
mod mermaid;
mod shrink;
mod variables;

pub use mermaid::escaped as escaped_for_mermaid;
pub use variables::{bag, set, variables_of};

use std::io::{self, Write};

use lawspeaker_history::{Guarantee, write_jsonl};

use crate::catalogue::{DomainModel, Observer, Request, RequestError};
use crate::engine::Limits;
use choice::Chosen;
use graph::Graph;
use head::Head;

/// What an export looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The state graph for Graphviz.
    Dot,
    /// The state graph in the Aldebaran format of CADP and mCRL2.
    Aut,
    /// The state graph as JSON, schema [`GRAPH_SCHEMA`].
    Json,
    /// A trace in the Informal Trace Format.
    Itf,
    /// A trace as a Mermaid sequence diagram.
    Mermaid,
    /// A trace as an observer would have recorded it, in the history format.
    History,
}

/// The name and version of the JSON form of a graph.
pub const GRAPH_SCHEMA: &str = "lawspeaker.graph/1";

/// What to export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// In which form.
    pub format: Format,
    /// Which trace; without meaning for graphs.
    pub trace: TraceChoice,
}

/// Which trace to export.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum TraceChoice {
    /// With a guard removed, what the removal breaks, the guarantee that the guard is named for first; else the first
    /// witness.
    #[default]
    Telling,
    /// A shortest counterexample to this guarantee.
    Guarantee(Guarantee),
    /// A shortest trace to a witness, given by its number from 1 or by a part of its words.
    Witness(String),
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// What it is, as one sentence for those who wait.
    pub says: String,
    /// What else could have been chosen, a line each.
    pub others: Vec<String>,
}

/// Why a walk ended before everything was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfinished {
    /// There are more states than the limit allows.
    #[error("there are more than {0} states")]
    MaxStates(usize),
    /// The limit on steps was hit.
    #[error("the limit of {0} steps was hit")]
    MaxDepth(usize),
    /// The time limit was hit.
    #[error("the time limit was hit")]
    Timeout,
    /// The observer saw that memory runs out.
    #[error("the limit on memory was hit")]
    MaxMemory,
    /// Steps lead out of the boundary that the model itself draws.
    #[error("steps lead out of the model's own boundary")]
    Boundary,
    /// The observer was told to stop.
    #[error("interrupted")]
    Interrupted,
}

/// Why nothing was exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The request names what the model does not have.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The model has no law of this guarantee.
    #[error("model `{model}` has no law of `{guarantee}`")]
    UnknownGuarantee {
        /// The model asked.
        model: &'static str,
        /// The guarantee asked for.
        guarantee: Guarantee,
        /// The guarantees there are.
        known: Vec<Guarantee>,
    },
    /// The model has no such witness, or several.
    #[error("`{asked}` names {count} witnesses of model `{model}`, not one")]
    UnknownWitness {
        /// The model asked.
        model: &'static str,
        /// What was given.
        asked: String,
        /// How many witnesses it fits.
        count: usize,
        /// The witnesses there are.
        known: Vec<&'static str>,
    },
    /// Not everything could be seen.
    #[error("{why}{remedy}")]
    Unfinished {
        /// Why.
        why: Unfinished,
        /// What helps, as the continuation of the sentence.
        remedy: String,
    },
    /// There is no such trace.
    #[error("{0}")]
    NoTrace(String),
    /// The format cannot hold it.
    #[error("{0}")]
    Unfit(&'static str),
    /// It cannot be written.
    #[error("{0}")]
    Write(#[from] io::Error),
}

/// How far a walk may go, and who watches it.
pub(crate) struct Watch<'a> {
    limits: Limits,
    observe: Observer<'a>,
}

/// Writes what `plan` says of `model`, which was built from `request`.
///
/// # Errors
/// [`ExportError`]; where it is no [`ExportError::Write`], nothing was written.
pub fn export<M: DomainModel>(
    model: &M,
    request: &Request,
    plan: &Plan,
    observe: Observer<'_>,
    out: &mut dyn Write,
) -> Result<Exported, ExportError> {
    let head = Head::of(model, request);
    match plan.format {
        Format::Dot => graph(model, &head, request, dot::write, observe, out),
        Format::Aut => graph(model, &head, request, aut::write, observe, out),
        Format::Json => graph(model, &head, request, json::write, observe, out),
        Format::Itf => trace(model, &head, request, plan, observe, out, itf::write),
        Format::Mermaid => trace(model, &head, request, plan, observe, out, mermaid::write),
        Format::History => trace(model, &head, request, plan, observe, out, |model, head, chosen, out| {
            Ok(write_jsonl(&mut &mut *out, &head.history(model, chosen))?)
        }),
    }
}

type WriteGraph<M> = fn(&M, &Head, &Graph<M>, &mut dyn Write) -> Result<(), ExportError>;
type WriteTrace<M> = fn(&M, &Head, &Chosen<M>, &mut dyn Write) -> Result<(), ExportError>;

fn graph<M: DomainModel>(
    model: &M,
    head: &Head,
    request: &Request,
    write: WriteGraph<M>,
    observe: Observer<'_>,
    out: &mut dyn Write,
) -> Result<Exported, ExportError> {
    let limits = request.options.limits;
    let graph = Graph::of(model, Watch { limits, observe }).map_err(|why| {
        let remedy = match why {
            Unfinished::MaxStates(max) => shrink::remedy(model, max, observe),
            _ => String::new(),
        };
        ExportError::Unfinished { why, remedy }
    })?;
    write(model, head, &graph, out)?;
    let (states, transitions) = (graph.states().len(), graph.edges.len());
    Ok(Exported { says: format!("{states} states, {transitions} transitions"), others: Vec::new() })
}

fn trace<M: DomainModel>(
    model: &M,
    head: &Head,
    request: &Request,
    plan: &Plan,
    observe: Observer<'_>,
    out: &mut dyn Write,
    write: WriteTrace<M>,
) -> Result<Exported, ExportError> {
    let chosen = choice::choose(model, request, &plan.trace, observe)?;
    write(model, head, &chosen, out)?;
    Ok(Exported { says: chosen.title.clone(), others: chosen.others.clone() })
}
