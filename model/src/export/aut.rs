//! The state graph in the Aldebaran format, which CADP, mCRL2 and LTSmin read.
//!
//! `des (0, TRANSITIONS, STATES)` and then a line `(FROM, "LABEL", TO)` for each transition.

use std::io::Write;

use super::graph::Graph;
use super::head::Head;
use super::{DomainModel, ExportError};

pub(super) fn write<M: DomainModel>(
    model: &M,
    _: &Head,
    graph: &Graph<M>,
    out: &mut dyn Write,
) -> Result<(), ExportError> {
    if graph.initial_count != 1 {
        return Err(ExportError::Unfit("the Aldebaran format has one initial state; this model has several"));
    }
    writeln!(out, "des (0, {}, {})", graph.edges.len(), graph.states().len())?;
    for edge in &graph.edges {
        let action = graph.action(model, *edge);
        let told = model.tell(graph.state(edge.from), &action, graph.state(edge.to));
        let fault = if model.is_fault(&action) { "fault " } else { "" };
        let label = format!("{fault}{}: {} {}", model.kind(&action), told.who, told.what);
        writeln!(out, "({}, \"{}\", {})", edge.from, inside_quotes(&label), edge.to)?;
    }
    Ok(())
}

/// The format has no escapes: a label may hold anything but a double quote and the end of a line.
fn inside_quotes(text: &str) -> String {
    text.replace('"', "'").replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_label_holds_no_double_quote_and_no_line_end() {
        assert_eq!(super::inside_quotes("a \"b\"\r\nc"), "a 'b'  c");
    }
}
