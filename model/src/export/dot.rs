//! The state graph for Graphviz.

use std::io::Write;

use super::graph::Graph;
use super::head::Head;
use super::{DomainModel, ExportError};

/// A node a state and an edge a transition: faults dashed, initial states bold, accepted ends with two borders, states
/// that break a law red.
pub(super) fn write<M: DomainModel>(
    model: &M,
    head: &Head,
    graph: &Graph<M>,
    out: &mut dyn Write,
) -> Result<(), ExportError> {
    let title = quoted(&head.title());
    writeln!(out, "// {}, {}: {}", head.title(), head.preset, head.bounds())?;
    writeln!(out, "digraph {title} {{")?;
    writeln!(out, "  label={title};")?;
    writeln!(out, "  node [shape=box, fontname=\"monospace\", fontsize=10];")?;
    writeln!(out, "  edge [fontname=\"sans-serif\", fontsize=9];")?;
    let laws = model.laws();
    for (node, state) in graph.states().enumerate() {
        let standing = Graph::standing(model, state);
        let mut lines = vec![node.to_string()];
        lines.extend(model.picture(state));
        lines.extend(standing.broken.iter().map(|law| format!("BREAKS {}", laws[*law].guarantee)));
        let mut attributes = format!("label={}", left_aligned(&lines));
        if node < graph.initial_count {
            attributes += ", style=bold";
        }
        if standing.is_accepted_end() {
            attributes += ", peripheries=2";
        }
        if !standing.broken.is_empty() {
            attributes += ", color=red, fontcolor=red";
        }
        writeln!(out, "  {node} [{attributes}];")?;
    }
    for edge in &graph.edges {
        let action = graph.action(model, *edge);
        let told = model.tell(graph.state(edge.from), &action, graph.state(edge.to));
        let label = quoted(&format!("{} {}", told.who, told.what));
        let fault = if model.is_fault(&action) { ", style=dashed" } else { "" };
        let class = model.kind(&action);
        writeln!(out, "  {} -> {} [label={label}, class={}{fault}];", edge.from, edge.to, quoted(class))?;
    }
    writeln!(out, "}}")?;
    Ok(())
}

/// A quoted string of the DOT language.
fn quoted(text: &str) -> String {
    format!("\"{}\"", inside_quotes(text))
}

/// The lines as one label, each flush left.
fn left_aligned(lines: &[String]) -> String {
    let lines: String = lines.iter().map(|line| inside_quotes(line) + "\\l").collect();
    format!("\"{lines}\"")
}

/// A backslash would begin an escape sequence of labels, such as `\N` for the node's name.
fn inside_quotes(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::{left_aligned, quoted};

    #[test]
    fn quotes_backslashes_and_line_ends_are_escaped() {
        assert_eq!(quoted("say \"hi\"\\N\nthere"), r#""say \"hi\"\\N there""#);
        assert_eq!(left_aligned(&["0".to_owned(), "a\"b".to_owned()]), r#""0\la\"b\l""#);
    }
}
