//! The log around a finding as a table: a column an offset, a row for what happened to what stands there.

use super::line;
use crate::report::escape::markup;
use crate::{Cell, Entry, Mark, Strip, explain};

/// What a row shows of an event.
type Row = (&'static str, fn(&Entry) -> &[Mark]);

const ROWS: [Row; 5] = [
    ("sent by", |entry| &entry.sent),
    ("acknowledged to", |entry| &entry.acknowledged),
    ("seen by", |entry| &entry.seen),
    ("applied by", |entry| &entry.applied),
    ("done by", |entry| &entry.done),
];

pub(super) fn grid(out: &mut String, strip: &Strip) {
    let partition = markup(strip.partition.as_str());
    line!(out, "<h3>The log of {partition} around it</h3>");
    line!(
        out,
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"The log of {partition} by offset\">"
    );
    line!(out, "<table class=\"grid\"><thead><tr><th scope=\"row\">offset</th>");
    for cell in &strip.cells {
        line!(out, "<th scope=\"col\"{}>{}</th>", accused(cell), cell.offset);
    }
    line!(out, "</tr></thead><tbody><tr><th scope=\"row\">holds</th>");
    for cell in &strip.cells {
        let more = match cell.more {
            0 => String::new(),
            more => format!("<span class=\"empty\">and {}</span>", explain::counted(more, "more event")),
        };
        let events = cell.entries.iter().map(holds).collect::<String>() + &more;
        let events = match events.is_empty() {
            true => "<span class=\"empty\">nothing known</span>".to_owned(),
            false => events,
        };
        line!(out, "<td{}>{events}</td>", accused(cell));
    }
    line!(out, "</tr>");
    for (name, of) in ROWS {
        if strip.cells.iter().flat_map(|cell| &cell.entries).any(|entry| !of(entry).is_empty()) {
            row(out, name, strip, |cell| {
                cell.entries.iter().map(|entry| told(entry, of(entry), cell)).collect()
            });
        }
    }
    if strip.cells.iter().any(|cell| !cell.committed.is_empty()) {
        row(out, "committed up to here by", strip, |cell| cell.committed.iter().map(mark).collect());
    }
    line!(out, "</tbody></table></div>");
}

fn row(out: &mut String, name: &str, strip: &Strip, told: impl Fn(&Cell) -> String) {
    line!(out, "<tr><th scope=\"row\">{name}</th>");
    for cell in &strip.cells {
        let told = told(cell);
        let told = if told.is_empty() { "<span class=\"empty\">–</span>".to_owned() } else { told };
        line!(out, "<td{}>{told}</td>", accused(cell));
    }
    line!(out, "</tr>");
}

fn accused(cell: &Cell) -> &'static str {
    if cell.is_accused { " class=\"accused\"" } else { "" }
}

fn holds(entry: &Entry) -> String {
    let class = if entry.is_accused { "who victim" } else { "who" };
    format!("<span class=\"{class} mono\">{}</span>", markup(&entry.event.to_string()))
}

/// Marks of one event; its name stands before them where the cell holds several.
fn told(entry: &Entry, marks: &[Mark], cell: &Cell) -> String {
    let marks: String = marks.iter().map(mark).collect();
    if cell.entries.len() < 2 || marks.is_empty() {
        return marks;
    }
    format!("<span class=\"who mono\">{}:</span>{marks}", markup(&entry.event.to_string()))
}

fn mark(mark: &Mark) -> String {
    format!(
        "<span class=\"who\" data-line=\"{0}\">{1} <small>line {0}</small></span>",
        mark.line,
        markup(&mark.who)
    )
}
