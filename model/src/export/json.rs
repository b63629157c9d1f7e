//! The state graph as JSON, one state or transition a line; `docs/export-formats.md` says what each field means.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::json;

use super::graph::Graph;
use super::head::Head;
use super::{DomainModel, ExportError, GRAPH_SCHEMA};
use crate::engine::{Variables, When};

#[derive(Serialize)]
struct StateLine {
    id: usize,
    variables: Variables,
    is_initial: bool,
    is_quiescent: bool,
    is_done: bool,
    /// Places in the list of laws.
    broken: Vec<usize>,
}

#[derive(Serialize)]
struct TransitionLine<'a> {
    from: u32,
    to: u32,
    kind: &'a str,
    who: String,
    what: String,
    is_fault: bool,
}

pub(super) fn write<M: DomainModel>(
    model: &M,
    head: &Head,
    graph: &Graph<M>,
    out: &mut dyn Write,
) -> Result<(), ExportError> {
    let laws: Vec<_> = model
        .laws()
        .iter()
        .map(|law| {
            let checked_in = match law.when {
                When::Always => "states",
                When::Quiescent => "resting-states",
                When::Eventually | When::LeadsTo(_) => "fair-behaviours",
            };
            json!({"guarantee": law.guarantee, "says": law.says, "checked_in": checked_in})
        })
        .collect();
    writeln!(out, "{{\"schema\":\"{GRAPH_SCHEMA}\",")?;
    writeln!(out, "\"model\":{},\"preset\":{},", json!(head.model), json!(head.preset))?;
    writeln!(out, "\"bounds\":{},\"without\":{},", json!(head.bounds), json!(head.without))?;
    writeln!(out, "\"laws\":{},", json!(laws))?;
    let (state_count, transition_count) = (graph.states().len(), graph.edges.len());
    writeln!(out, "\"state_count\":{state_count},\"transition_count\":{transition_count},")?;
    let states = graph.states().enumerate().map(|(id, state)| {
        let standing = Graph::standing(model, state);
        StateLine {
            id,
            variables: model.variables(state),
            is_initial: id < graph.initial_count,
            is_quiescent: standing.is_quiescent,
            is_done: standing.is_done,
            broken: standing.broken,
        }
    });
    lines(out, "states", states)?;
    writeln!(out, ",")?;
    let transitions = graph.edges.iter().map(|edge| {
        let action = graph.action(model, *edge);
        let told = model.tell(graph.state(edge.from), &action, graph.state(edge.to));
        TransitionLine {
            from: edge.from,
            to: edge.to,
            kind: model.kind(&action),
            who: told.who,
            what: told.what,
            is_fault: model.is_fault(&action),
        }
    });
    lines(out, "transitions", transitions)?;
    writeln!(out, "}}")?;
    Ok(())
}

/// A field that is a list, an item a line.
fn lines(out: &mut dyn Write, name: &str, items: impl Iterator<Item = impl Serialize>) -> io::Result<()> {
    write!(out, "\"{name}\":[")?;
    for (place, item) in items.enumerate() {
        out.write_all(if place == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut *out, &item)?;
    }
    write!(out, "]")
}
