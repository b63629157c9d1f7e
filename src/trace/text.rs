//! A diagram as text for a terminal: a column a process, a line an op.

use std::fmt::Write;

use super::layout::{Diagram, Shape};

/// Draws `diagram` under `title`, with `notes` beneath it; `!` marks what a finding names.
pub(super) fn text(diagram: &Diagram, title: &str, notes: &[String]) -> String {
    let mut out = printable(title) + "\n\n";
    let numbers = diagram.rows.iter().map(|row| row.line.to_string().len()).max().unwrap_or(1);
    let width = diagram.lanes.iter().map(|name| name.chars().count().min(12)).max().unwrap_or(1) + 2;
    let heads: String = diagram.lanes.iter().map(|name| format!("{:width$.12}", printable(name))).collect();
    let _ = writeln!(out, "  {:numbers$}  {heads}", "");
    for (place, row) in diagram.rows.iter().enumerate() {
        if row.follows_a_gap {
            let _ = writeln!(out, "  {:>numbers$}", "⋮");
        }
        let lane = |lane: usize| {
            let spans = |spans: &[super::layout::Span]| {
                spans.iter().any(|span| span.lane == lane && span.from < place && place < span.to)
            };
            let cell = if lane == row.lane {
                glyph(row.shape)
            } else if spans(&diagram.gaps) {
                ' '
            } else if spans(&diagram.calls) {
                '┃'
            } else {
                '│'
            };
            format!("{cell:width$}")
        };
        let lanes: String = (0..diagram.lanes.len()).map(lane).collect();
        let mark = if row.is_named { '!' } else { ' ' };
        let _ = writeln!(out, "{mark} {:>numbers$}  {lanes}{}", row.line, printable(&row.words));
    }
    out += "\n● send  ○ read  ◆ commit  ▲ effect  ✕ crash  ┃ call under way  ! named by a finding\n";
    notes.iter().for_each(|note| out += &(printable(note) + "\n"));
    out
}

fn glyph(shape: Shape) -> char {
    match shape {
        Shape::Send => '●',
        Shape::Read => '○',
        Shape::Commit => '◆',
        Shape::Apply => '▲',
        Shape::Crash => '✕',
        Shape::Other => '■',
    }
}

/// A terminal must not obey what stands in a history.
fn printable(text: &str) -> String {
    text.chars().map(|c| if super::is_unprintable(c) { '\u{fffd}' } else { c }).collect()
}
