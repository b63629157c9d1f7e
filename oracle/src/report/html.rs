//! A run as one HTML page: nothing to install, nothing to load, to be looked at, stepped through and sent about.
//!
//! The page is whole without its script, which only moves a mark about. What a history holds reaches it as escaped text
//! and never as script or style. Its size follows the findings, not the history: every view is a window around one.

mod card;
mod finding;
mod grid;
mod overview;
mod saga;

use super::Judged;
use super::escape::markup;

const PAGE: &str = include_str!("html/page.html");
const STYLE: &str = include_str!("html/style.css");
const SCRIPT: &str = include_str!("html/script.js");

macro_rules! line {
    ($out:expr, $($argument:tt)*) => {{
        use std::fmt::Write;
        let _ = writeln!($out, $($argument)*);
    }};
}
use line;

/// The run as a self-contained page.
pub fn html(run: &[Judged]) -> String {
    let mut body = String::new();
    for (place, judged) in run.iter().enumerate() {
        article(&mut body, judged, &format!("r{}", place + 1));
    }
    let names: Vec<_> = run.iter().map(|judged| markup(&judged.source)).collect();
    let title = format!("{} · Lawspeaker", names.join(", "));
    page(&[
        ("title", &title),
        ("style", STYLE),
        ("body", &body),
        ("version", env!("CARGO_PKG_VERSION")),
        ("script", SCRIPT),
    ])
}

fn article(out: &mut String, judged: &Judged, id: &str) {
    line!(out, "<article aria-labelledby=\"{id}\">");
    match &judged.result {
        Ok(verdict) => {
            card::card(out, judged, verdict, id);
            finding::findings(out, judged, verdict, id);
        }
        Err(unread) => {
            line!(out, "<section class=\"card unread\"><h1 id=\"{id}\">⛔ Could not be read</h1>");
            line!(out, "<p class=\"source mono\">{}</p>", markup(&judged.source));
            line!(out, "<p>{}</p></section>", markup(&unread.message));
        }
    }
    line!(out, "</article>");
}

/// The template with its places filled, each once and in one pass: what is filled in is not looked at again.
fn page(fields: &[(&str, &str)]) -> String {
    let mut out =
        String::with_capacity(PAGE.len() + fields.iter().map(|(_, value)| value.len()).sum::<usize>());
    let mut rest = PAGE;
    while let Some((before, after)) = rest.split_once("{{") {
        out += before;
        let (name, after) = after.split_once("}}").unwrap_or((after, ""));
        out += fields.iter().find(|(field, _)| *field == name).map_or("", |(_, value)| value);
        rest = after;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_filled_in_is_no_template() {
        let filled = page(&[("title", "{{script}}{{body}}"), ("script", "SCRIPT"), ("body", "BODY")]);
        assert!(filled.contains("<title>{{script}}{{body}}</title>"));
        assert_eq!(filled.matches("SCRIPT").count(), 1);
    }

    #[test]
    fn the_page_loads_nothing() {
        let all = [PAGE, STYLE, SCRIPT].concat();
        for loader in
            ["http:", "https:", "//cdn", "@import", "url(", "fetch(", "XMLHttpRequest", "innerHTML", "eval("]
        {
            assert!(!all.contains(loader), "{loader}");
        }
    }
}
