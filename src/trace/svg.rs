//! A diagram as SVG, for light and dark pages.

use std::fmt::Write;

use super::layout::{Diagram, Row, Shape};

const GUTTER: usize = 64;
const LANE_WIDTH: usize = 250;
const ROW_HEIGHT: usize = 26;
const HEAD_HEIGHT: usize = 84;
/// What a character takes at most, at the size of the text.
const CHAR_WIDTH: usize = 8;
/// The longest label beside a mark, in characters: what fits between two lanes. The whole text is the tooltip.
const LABEL_CHARS: usize = 34;

const STYLE: &str = "\
:root{color-scheme:light dark;--paper:#ffffff;--ink:#1f2328;--faint:#8c959f;--broken:#cf222e}\
@media(prefers-color-scheme:dark){:root{--paper:#0d1117;--ink:#e6edf3;--faint:#6e7681;--broken:#ff7b72}}\
svg{color:var(--ink);background:var(--paper);font:12px ui-monospace,monospace}\
.paper{fill:var(--paper)}text{fill:currentColor}g text{paint-order:stroke;stroke:var(--paper);stroke-width:4px;stroke-linejoin:round}.title{font-size:15px;font-weight:bold}\
.lane{stroke:var(--faint)}.gap{stroke:var(--paper);stroke-width:3}.down{stroke:var(--faint);stroke-dasharray:1 5}\
.call{stroke:currentColor;stroke-width:4;opacity:.35}.message{stroke:currentColor;fill:none;opacity:.6}\
.final{stroke-dasharray:4 3;opacity:.35}.mark{stroke:currentColor;fill:var(--paper);stroke-width:1.5}\
.solid{fill:currentColor}.faint{fill:var(--faint)}.named{color:var(--broken);opacity:1}\
.named text{fill:currentColor;font-weight:bold}.red{fill:var(--broken)}.ink{fill:var(--ink)}";

macro_rules! line {
    ($out:expr, $($argument:tt)*) => {{ let _ = writeln!($out, $($argument)*); }};
}

/// Draws `diagram` under `title`, with `notes` beneath it.
pub(super) fn svg(diagram: &Diagram, title: &str, notes: &[String]) -> String {
    let width = GUTTER + diagram.lanes.len().max(2) * LANE_WIDTH + GUTTER;
    let notes = &wrapped(notes, width / CHAR_WIDTH - 4);
    let foot = y(diagram.rows.len());
    let height = foot + ROW_HEIGHT * (notes.len() + 1);
    let mut out = String::new();
    line!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" role=\"img\" aria-labelledby=\"title desc\">"
    );
    line!(out, "<title id=\"title\">{}</title>", escaped(title));
    line!(out, "<desc id=\"desc\">{}</desc>", escaped(&described(diagram, notes)));
    line!(out, "<style>{STYLE}</style>");
    // A head does not take the colour of its line everywhere: there are two.
    for (id, class) in [("head", "ink"), ("red-head", "red")] {
        line!(
            out,
            "<marker id=\"{id}\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" \
             orient=\"auto\"><path class=\"{class}\" d=\"M0 0 8 4 0 8z\"/></marker>"
        );
    }
    line!(out, "<rect class=\"paper\" width=\"{width}\" height=\"{height}\"/>");
    line!(out, "<text class=\"title\" x=\"16\" y=\"28\">{}</text>", escaped(title));
    lanes(&mut out, diagram);
    arrows(&mut out, diagram);
    diagram.rows.iter().enumerate().for_each(|(place, row)| mark(&mut out, diagram, place, row));
    for (place, note) in notes.iter().enumerate() {
        let y = foot + ROW_HEIGHT * (place + 1) - 8;
        line!(out, "<text class=\"note\" x=\"16\" y=\"{y}\">{}</text>", escaped(note));
    }
    line!(out, "</svg>");
    out
}

/// Draws `diagram` as a part of a page, which styles it and holds the heads of its arrows.
pub(super) fn fragment(diagram: &Diagram) -> String {
    let top = HEAD_HEIGHT - 44;
    let width = GUTTER + diagram.lanes.len().max(2) * LANE_WIDTH + GUTTER;
    let height = y(diagram.rows.len()) - top;
    let label = escaped(&described(diagram, &[]));
    let mut out = String::new();
    line!(
        out,
        "<svg class=\"trace\" viewBox=\"0 {top} {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\" \
         aria-label=\"{label}\">"
    );
    for (place, _) in diagram.rows.iter().enumerate().filter(|(_, row)| row.is_fault) {
        let y = y(place) - ROW_HEIGHT / 2;
        line!(
            out,
            "<rect class=\"band\" x=\"4\" y=\"{y}\" width=\"{}\" height=\"{ROW_HEIGHT}\"/>",
            width - 8
        );
    }
    lanes(&mut out, diagram);
    arrows(&mut out, diagram);
    diagram.rows.iter().enumerate().for_each(|(place, row)| mark(&mut out, diagram, place, row));
    line!(out, "</svg>");
    out
}

fn described(diagram: &Diagram, notes: &[String]) -> String {
    let named: Vec<_> =
        diagram.rows.iter().filter(|row| row.is_named).map(|row| row.line.to_string()).collect();
    let named =
        if named.is_empty() { String::new() } else { format!("Marked red: lines {}. ", named.join(", ")) };
    format!(
        "A space-time diagram: a lane for each of {} processes, time downwards, {} ops, {} messages. {named}{}",
        diagram.lanes.len(),
        diagram.rows.len(),
        diagram.arrows.len(),
        notes.join(". ")
    )
}

fn x(lane: usize) -> usize {
    GUTTER + 24 + lane * LANE_WIDTH
}

fn y(row: usize) -> usize {
    HEAD_HEIGHT + row * ROW_HEIGHT
}

fn lanes(out: &mut String, diagram: &Diagram) {
    let (top, bottom) = (HEAD_HEIGHT - 20, y(diagram.rows.len()));
    for (lane, name) in diagram.lanes.iter().enumerate() {
        let x = x(lane);
        let name = escaped(&shortened(name));
        line!(out, "<text x=\"{x}\" y=\"{}\" text-anchor=\"middle\">{name}</text>", top - 6);
        line!(out, "<line class=\"lane\" x1=\"{x}\" y1=\"{top}\" x2=\"{x}\" y2=\"{bottom}\"/>");
    }
    for (class, spans) in [("gap", &diagram.gaps), ("down", &diagram.gaps), ("call", &diagram.calls)] {
        for span in spans {
            let (x, from, to) = (x(span.lane), y(span.from), y(span.to));
            line!(out, "<line class=\"{class}\" x1=\"{x}\" y1=\"{from}\" x2=\"{x}\" y2=\"{to}\"/>");
        }
    }
}

fn arrows(out: &mut String, diagram: &Diagram) {
    for arrow in &diagram.arrows {
        let (from, to) = (&diagram.rows[arrow.from], &diagram.rows[arrow.to]);
        let (x1, y1, x2, y2) = (x(from.lane), y(arrow.from), x(to.lane), y(arrow.to));
        let (named, head) = if arrow.is_named { (" named", "red-head") } else { ("", "head") };
        let is_final = if arrow.is_final { " final" } else { "" };
        let tip = escaped(&format!("{}: line {} to line {}", arrow.event, from.line, to.line));
        let path = if from.lane == to.lane {
            let bend = x1 + LANE_WIDTH / 6;
            format!("M{x1} {y1}C{bend} {y1} {bend} {y2} {} {y2}", x2 + 6)
        } else if x1 < x2 {
            format!("M{x1} {y1}L{} {y2}", x2 - 6)
        } else {
            format!("M{x1} {y1}L{} {y2}", x2 + 6)
        };
        line!(
            out,
            "<path class=\"message{named}{is_final}\" d=\"{path}\" marker-end=\"url(#{head})\"><title>{tip}</title></path>"
        );
    }
}

fn mark(out: &mut String, diagram: &Diagram, place: usize, row: &Row) {
    let (x, y) = (x(row.lane), y(place));
    let named = if row.is_named { " class=\"named\"" } else { "" };
    let words = escaped(&row.words);
    line!(out, "<g{named} data-line=\"{0}\"><title>line {0}: {words}</title>", row.line);
    let line_y = y + 4;
    line!(
        out,
        "<text class=\"faint\" x=\"{}\" y=\"{line_y}\" text-anchor=\"end\">{}</text>",
        GUTTER - 16,
        row.line
    );
    if row.follows_a_gap {
        let (y, end) = (y - ROW_HEIGHT / 2, GUTTER + diagram.lanes.len() * LANE_WIDTH);
        line!(out, "<line class=\"down\" x1=\"16\" y1=\"{y}\" x2=\"{end}\" y2=\"{y}\"/>");
    }
    line!(out, "{}", glyph(row.shape, x, y));
    line!(out, "<text x=\"{}\" y=\"{line_y}\">{}</text></g>", x + 12, escaped(&shortened(&row.words)));
}

fn glyph(shape: Shape, x: usize, y: usize) -> String {
    let (left, right, top, bottom) = (x - 6, x + 6, y - 6, y + 6);
    match shape {
        Shape::Send => format!("<circle class=\"mark solid\" cx=\"{x}\" cy=\"{y}\" r=\"5\"/>"),
        Shape::Read => format!("<circle class=\"mark\" cx=\"{x}\" cy=\"{y}\" r=\"5\"/>"),
        Shape::Commit => {
            format!("<path class=\"mark\" d=\"M{x} {top}L{right} {y} {x} {bottom} {left} {y}z\"/>")
        }
        Shape::Apply => {
            format!("<path class=\"mark solid\" d=\"M{x} {top}L{right} {bottom} {left} {bottom}z\"/>")
        }
        Shape::Crash => {
            format!(
                "<path class=\"mark\" d=\"M{left} {top}L{right} {bottom}M{right} {top}L{left} {bottom}\"/>"
            )
        }
        Shape::Other => format!("<rect class=\"mark\" x=\"{left}\" y=\"{top}\" width=\"12\" height=\"12\"/>"),
    }
}

/// The notes as lines of `chars` characters at most, as far as their words allow.
fn wrapped(notes: &[String], chars: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for note in notes {
        let mut line = String::new();
        for word in note.split(' ') {
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > chars {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line += word;
        }
        lines.push(line);
    }
    lines
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= LABEL_CHARS {
        return text.to_owned();
    }
    text.chars().take(LABEL_CHARS - 1).chain(['…']).collect()
}

/// `text` as XML shows it, whatever it holds. What XML cannot hold, and what would turn the direction of the text that
/// follows, is shown as the replacement character.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\'' => out += "&#39;",
            c if super::is_unprintable(c) => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{escaped, wrapped};

    #[test]
    fn nothing_in_a_text_is_markup() {
        assert_eq!(escaped("<script>&\"'"), "&lt;script&gt;&amp;&quot;&#39;");
        assert_eq!(escaped("a\0b\u{202e}c\u{ffff}d"), "a\u{fffd}b\u{fffd}c\u{fffd}d");
    }

    #[test]
    fn a_long_note_is_wrapped_between_its_words() {
        assert_eq!(wrapped(&["ab cd ef".to_owned(), "g".to_owned()], 5), ["ab cd", "ef", "g"]);
    }
}
