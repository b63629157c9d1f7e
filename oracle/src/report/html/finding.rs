//! Findings: a list to choose from, and for each its proof, the log around it, its pictures and its witness.

use super::{grid, line, saga};
use crate::report::escape::markup;
use crate::report::{Drawing, Judged};
use crate::witness::Witness;
use crate::{Finding, Severity, Verdict, explain};

/// How many findings a page tells.
const FINDINGS_TOLD: usize = 100;
/// How many more cases of a finding are told in a sentence each.
const CASES_TOLD: usize = 20;
/// How many bytes of a witness are shown; the file holds all of it.
const WITNESS_BYTES: usize = 20_000;

pub(super) fn findings(out: &mut String, judged: &Judged, verdict: &Verdict, id: &str) {
    if verdict.findings.is_empty() {
        return;
    }
    let told = &verdict.findings[..verdict.findings.len().min(FINDINGS_TOLD)];
    line!(
        out,
        "<div class=\"columns\"><nav class=\"card index\" aria-label=\"Findings\"><h2>Findings by root cause</h2><ol>"
    );
    told.iter().for_each(|finding| entry(out, finding, id));
    line!(out, "</ol>");
    if let Some(more) = verdict.findings.len().checked_sub(FINDINGS_TOLD).filter(|more| *more > 0) {
        line!(
            out,
            "<p class=\"legend\">and {} that --format json tells</p>",
            explain::counted(more, "more finding")
        );
    }
    line!(out, "</nav><div class=\"findings\">");
    told.iter().for_each(|finding| section(out, finding, judged, verdict, id));
    line!(out, "</div></div>");
}

fn entry(out: &mut String, finding: &Finding, id: &str) {
    let class = if finding.caused_by.is_some() { " class=\"effect\"" } else { "" };
    let (number, anomaly, cases) = (finding.id, finding.anomaly, explain::counted(finding.count, "case"));
    let mark = mark(finding);
    line!(
        out,
        "<li{class}><a href=\"#{id}-f{number}\">{mark} {anomaly}<small>{}, {cases}</small></a></li>",
        finding.guarantee
    );
}

/// Told apart without colour: a violation, a note, and what merely follows.
fn mark(finding: &Finding) -> &'static str {
    match (finding.caused_by, finding.severity) {
        (Some(_), _) => "↳",
        (None, Severity::Violation) => "✗",
        (None, _) => "ⓘ",
    }
}

fn section(out: &mut String, finding: &Finding, judged: &Judged, verdict: &Verdict, id: &str) {
    let own = format!("{id}-f{}", finding.id);
    let (class, chip, word) = match finding.severity {
        Severity::Violation => ("", "broken", "violation"),
        Severity::Note | Severity::OutOfScope => (" note", "open", "note"),
    };
    line!(
        out,
        "<section class=\"card finding{class}\" id=\"{own}\" tabindex=\"-1\" aria-labelledby=\"{own}-h\">"
    );
    line!(
        out,
        "<h2 id=\"{own}-h\">{} {} <span class=\"chip {chip}\">{word}</span> <span class=\"chip none\">{}</span></h2>",
        mark(finding),
        finding.anomaly,
        finding.guarantee
    );
    line!(out, "<p class=\"legend\">{}</p>", markup(finding.anomaly.definition()));
    line!(out, "<p class=\"summary\">{}</p>", markup(&finding.summary));
    if let Some(cause) = finding.caused_by.and_then(|cause| verdict.finding(cause)) {
        line!(out, "<p>It follows from <a href=\"#{id}-f{}\">{}</a>.</p>", cause.id, cause.anomaly);
    }
    proof(out, finding, &own);
    if let Some(strip) = &finding.strip {
        grid::grid(out, strip);
    }
    if let Some(case) = finding.cases.first() {
        saga::saga(out, judged, case);
    }
    judged
        .drawings
        .iter()
        .filter(|drawing| drawing.finding == finding.id)
        .for_each(|drawing| timeline(out, drawing));
    judged
        .witnesses
        .iter()
        .filter(|witness| witness.finding == finding.id)
        .for_each(|found| witness(out, found));
    effects(out, finding, verdict, id);
    more(out, finding);
    line!(out, "</section>");
}

fn proof(out: &mut String, finding: &Finding, own: &str) {
    line!(
        out,
        "<h3>Proof{}</h3><ol class=\"proof\">",
        if finding.count > 1 { " of the first case" } else { "" }
    );
    for (place, step) in finding.proof.iter().enumerate() {
        let (id, line, said) = (format!("{own}-s{}", place + 1), step.line, markup(&step.said));
        let so = step
            .so
            .as_ref()
            .map_or_else(String::new, |so| format!("<span class=\"so\"><b>so</b> {}</span>", markup(so)));
        line!(
            out,
            "<li id=\"{id}\" data-line=\"{line}\" tabindex=\"-1\"><a class=\"mono\" href=\"#{id}\">line {line}</a><span>{said}{so}</span></li>"
        );
    }
    line!(
        out,
        "<li class=\"therefore\"><span>therefore</span><span>{}</span></li></ol>",
        markup(&finding.conclusion())
    );
}

fn timeline(out: &mut String, drawing: &Drawing) {
    line!(out, "<h3>What happened around it</h3>");
    line!(
        out,
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Timeline of operations, a lane for each process\">"
    );
    out.push_str(&drawing.svg);
    line!(out, "</div>");
    line!(
        out,
        "<p class=\"legend\">A lane for each process, time downwards. ● send ○ read ◆ commit ▲ effect ✕ crash; a band is a fault; bold is what the proof names."
    );
    line!(out, "</p>");
}

fn witness(out: &mut String, witness: &Witness) {
    let mut bytes = Vec::new();
    // Memory can always be written.
    let _ = lawspeaker_history::write_jsonl(&mut bytes, &witness.history);
    let text = String::from_utf8_lossy(&bytes);
    let calls = explain::counted(witness.call_count(), "call");
    let minimal =
        if witness.is_minimal { "without any one of them it is gone" } else { "not minimal: limit reached" };
    line!(
        out,
        "<details open=\"\"><summary>The smallest history that shows it: {calls}; {minimal}</summary>"
    );
    let shown: String = text.chars().take(WITNESS_BYTES).collect();
    let lines: Vec<_> = shown.lines().map(markup).collect();
    line!(out, "<pre tabindex=\"0\"><code>{}</code></pre></details>", lines.join("\n"));
}

fn effects(out: &mut String, finding: &Finding, verdict: &Verdict, id: &str) {
    if finding.causes.is_empty() {
        return;
    }
    line!(out, "<h3>What follows from it</h3><ul class=\"effects\">");
    for effect in finding.causes.iter().filter_map(|effect| verdict.finding(*effect)) {
        let (number, anomaly, summary) = (effect.id, effect.anomaly, markup(&effect.summary));
        if number <= FINDINGS_TOLD {
            line!(out, "<li><a href=\"#{id}-f{number}\">{anomaly}</a>: {summary}</li>");
        } else {
            line!(out, "<li>{anomaly}: {summary}</li>");
        }
    }
    line!(out, "</ul>");
}

fn more(out: &mut String, finding: &Finding) {
    let Some(count) = finding.count.checked_sub(1).filter(|count| *count > 0) else { return };
    line!(out, "<details><summary>{}</summary><ul class=\"effects\">", explain::counted(count, "more case"));
    finding
        .cases
        .iter()
        .skip(1)
        .take(CASES_TOLD)
        .for_each(|case| line!(out, "<li>{}</li>", markup(&case.sentence)));
    if let Some(rest) = count.checked_sub(CASES_TOLD).filter(|rest| *rest > 0) {
        line!(out, "<li>and {}</li>", explain::count(rest));
    }
    line!(out, "</ul></details>");
}
