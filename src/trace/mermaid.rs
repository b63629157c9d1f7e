//! A diagram as a Mermaid sequence diagram.

use std::fmt::Write;

use lawspeaker_model::export::escaped_for_mermaid;

use super::layout::{Diagram, Shape};

macro_rules! line {
    ($out:expr, $($argument:tt)*) => {{ let _ = writeln!($out, $($argument)*); }};
}

/// Lanes are participants, messages are arrows at the moment of delivery, everything else is a note; what a finding
/// names stands on red ground.
pub(super) fn mermaid(diagram: &Diagram, title: &str, notes: &[String]) -> String {
    let mut out = String::from("sequenceDiagram\n");
    line!(out, "  accTitle: {}", escaped(title));
    if !notes.is_empty() {
        line!(out, "  accDescr: {}", escaped(&notes.join(". ")));
    }
    for (lane, name) in diagram.lanes.iter().enumerate() {
        line!(out, "  participant p{lane} as {}", escaped(name));
    }
    for (place, row) in diagram.rows.iter().enumerate() {
        if row.follows_a_gap {
            line!(out, "  note over p0: …");
        }
        let indent = if row.is_named { "    " } else { "  " };
        if row.is_named {
            line!(out, "  rect rgba(207, 34, 46, 0.25)");
        }
        let down = if row.shape == Shape::Crash { "✕ " } else { "" };
        line!(out, "{indent}note over p{}: {} {down}{}", row.lane, row.line, escaped(&row.words));
        // Messages stand in the order of their deliveries.
        let first = diagram.arrows.partition_point(|arrow| arrow.to < place);
        for arrow in diagram.arrows[first..].iter().take_while(|arrow| arrow.to == place) {
            let from = diagram.rows[arrow.from].lane;
            let head = if arrow.is_final { "-->>" } else { "->>" };
            line!(out, "{indent}p{from}{head}p{}: {}", row.lane, escaped(&arrow.event));
        }
        if row.is_named {
            line!(out, "  end");
        }
    }
    out
}

fn escaped(text: &str) -> String {
    let text: String = text.chars().map(|c| if super::is_unprintable(c) { '\u{fffd}' } else { c }).collect();
    escaped_for_mermaid(&text)
}
