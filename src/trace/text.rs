//! A diagram as text for a terminal: a column a process, a line an op.

use std::collections::HashMap;
use std::fmt::Write;

use super::layout::{Diagram, Shape, Span};

/// Draws `diagram` under `title`, with `notes` beneath it; `!` marks what a finding names.
pub(super) fn text(diagram: &Diagram, title: &str, notes: &[String]) -> String {
    let mut out = printable(title) + "\n\n";
    let numbers = diagram.rows.iter().map(|row| row.line.to_string().len()).max().unwrap_or(1);
    let width = diagram.lanes.iter().map(|name| name.chars().count().min(12)).max().unwrap_or(1) + 2;
    let heads: String = diagram.lanes.iter().map(|name| format!("{:width$.12}", printable(name))).collect();
    let _ = writeln!(out, "  {:numbers$}  {}", "", heads.trim_end());
    let mut lanes = Lanes::of(diagram);
    for (place, row) in diagram.rows.iter().enumerate() {
        if row.follows_a_gap {
            let _ = writeln!(out, "  {:>numbers$}", "⋮");
        }
        let mark = if row.is_named { '!' } else { ' ' };
        let cells: String = lanes.at(place).map(|cell| format!("{cell:width$}")).collect();
        let _ = writeln!(out, "{mark} {:>numbers$}  {cells}{}", row.line, printable(&row.words));
    }
    out += "\n● send  ○ read  ◆ commit  ▲ effect  ✕ crash  ┃ call under way  ! named by a finding\n";
    notes.iter().for_each(|note| out += &(printable(note) + "\n"));
    out
}

/// What each process is doing, row by row.
struct Lanes<'a> {
    diagram: &'a Diagram,
    /// Where the spans end that begin at a row.
    gaps: HashMap<usize, usize>,
    calls: HashMap<usize, usize>,
    /// By lane: up to which row it is down, or a call of it is under way.
    down_until: Vec<usize>,
    busy_until: Vec<usize>,
}

impl<'a> Lanes<'a> {
    fn of(diagram: &'a Diagram) -> Self {
        let ends = |spans: &[Span]| spans.iter().map(|span| (span.from, span.to)).collect();
        Lanes {
            diagram,
            gaps: ends(&diagram.gaps),
            calls: ends(&diagram.calls),
            down_until: vec![0; diagram.lanes.len()],
            busy_until: vec![0; diagram.lanes.len()],
        }
    }

    /// A cell a lane; rows are asked for in order.
    fn at(&mut self, place: usize) -> impl Iterator<Item = char> {
        let row = &self.diagram.rows[place];
        self.down_until[row.lane] = self.gaps.get(&place).copied().unwrap_or(0);
        self.busy_until[row.lane] = self.calls.get(&place).copied().unwrap_or(0);
        (0..self.diagram.lanes.len()).map(move |lane| match lane {
            lane if lane == row.lane => glyph(row.shape),
            lane if self.down_until[lane] > place => ' ',
            lane if self.busy_until[lane] > place => '┃',
            _ => '│',
        })
    }
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
