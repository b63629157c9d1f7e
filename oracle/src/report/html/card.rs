//! The verdict card: the answer, what it rests on, and what it leaves open.

use lawspeaker_history::Guarantee;

use super::{line, overview};
use crate::report::escape::markup;
use crate::report::{Judged, headline, root_violations, why_inconclusive};
use crate::{Checked, ChosenBy, Outcome, Verdict, explain};

pub(super) fn card(out: &mut String, judged: &Judged, verdict: &Verdict, id: &str) {
    let (class, mark) = match verdict.outcome {
        Outcome::Violated => ("violated", "✗"),
        Outcome::Conforms => ("conforms", "✓"),
        Outcome::Inconclusive => ("inconclusive", "?"),
    };
    let mut broken: Vec<_> = root_violations(verdict).map(|finding| finding.guarantee).collect();
    broken.sort_unstable();
    broken.dedup();
    let names: Vec<_> = broken.iter().map(|guarantee| guarantee.name()).collect();
    line!(out, "<section class=\"card verdict {class}\">");
    line!(
        out,
        "<h1 id=\"{id}\"><span class=\"word\">{mark} {}</span> {}</h1>",
        headline(verdict.outcome),
        names.join(", ")
    );
    line!(out, "<p class=\"source mono\">{}</p>", markup(&judged.source));
    if verdict.outcome == Outcome::Inconclusive {
        line!(out, "<p>{}.</p>", markup(&why_inconclusive(verdict)));
    }
    facts(out, verdict);
    promise(out, verdict);
    overview::overview(out, judged, verdict);
    line!(out, "<details{}><summary>What was checked, and what was not</summary>", open(verdict));
    checked(out, verdict, &broken);
    line!(out, "</details>");
    if !verdict.doubts.is_empty() {
        line!(
            out,
            "<details><summary>What is odd about the recording ({})</summary><ul>",
            verdict.doubts.len()
        );
        verdict.doubts.iter().for_each(|doubt| line!(out, "<li>{}</li>", markup(&doubt.sentence)));
        line!(out, "</ul></details>");
    }
    line!(out, "</section>");
}

/// What the history was measured by, and who chose that.
fn promise(out: &mut String, verdict: &Verdict) {
    let chosen = match &verdict.profile_chosen_by {
        ChosenBy::Caller => "asked for".to_owned(),
        ChosenBy::Header => "named by the header".to_owned(),
        ChosenBy::Guess(because) => format!("guessed: {because}"),
    };
    let (name, chosen) = (markup(&verdict.profile), markup(&chosen));
    let promises = markup(&verdict.profile_promises);
    line!(out, "<p class=\"promise\">Judged by what <b>{name}</b> promises ({chosen}): {promises}.</p>");
}

/// Where nothing is found, what was looked for is what there is to read.
fn open(verdict: &Verdict) -> &'static str {
    if verdict.findings.is_empty() { " open=\"\"" } else { "" }
}

fn facts(out: &mut String, verdict: &Verdict) {
    let roots = verdict.roots().count();
    let guarantees = verdict.checked.chunk_by(|one, next| one.guarantee == next.guarantee).count();
    let observations: usize = verdict.checked.iter().map(|checked| checked.observations).sum();
    let facts = [
        ("Profile", verdict.profile.to_string()),
        ("Ops read", explain::count(verdict.op_count)),
        (
            "Checked",
            format!("{}, {}", counted(guarantees, "guarantee"), counted(observations, "observation")),
        ),
        ("Left undecided", counted(verdict.undecided.len(), "guarantee")),
        (
            "Root causes",
            format!("{} of {}", explain::count(roots), counted(verdict.findings.len(), "finding")),
        ),
    ];
    line!(out, "<dl class=\"facts\">");
    for (name, value) in facts {
        line!(out, "<div><dt>{name}</dt><dd>{}</dd></div>", markup(&value));
    }
    line!(out, "</dl>");
}

fn counted(number: usize, noun: &str) -> String {
    explain::counted(number, noun)
}

fn checked(out: &mut String, verdict: &Verdict, broken: &[Guarantee]) {
    line!(
        out,
        "<table><thead><tr><th scope=\"col\">guarantee</th><th scope=\"col\">came to</th><th scope=\"col\">rests on</th></tr></thead><tbody>"
    );
    for group in verdict.checked.chunk_by(|one, next| one.guarantee == next.guarantee) {
        let guarantee = group[0].guarantee;
        let came = if broken.contains(&guarantee) {
            "<span class=\"chip broken\">✗ broken</span>"
        } else if verdict.violations().any(|finding| finding.guarantee == guarantee) {
            "<span class=\"chip broken\">✗ broken, as a consequence</span>"
        } else {
            "<span class=\"chip held\">✓ held</span>"
        };
        let tell = |checked: &Checked| {
            let basis =
                checked.basis.as_ref().map_or_else(String::new, |basis| format!(", going by {basis}"));
            format!("{} ({}){basis}", counted(checked.observations, checked.unit), checked.anomaly)
        };
        let told: Vec<_> = group.iter().map(tell).collect();
        row(out, guarantee, came, &told.join(" · "));
    }
    for undecided in &verdict.undecided {
        row(out, undecided.guarantee, "<span class=\"chip open\">? undecided</span>", &undecided.reason);
    }
    line!(out, "</tbody></table>");
    if !verdict.out_of_scope.is_empty() {
        let names: Vec<_> = verdict.out_of_scope.iter().map(|anomaly| anomaly.name()).collect();
        line!(
            out,
            "<p class=\"legend\">Out of the profile's scope, and not looked for: {}.</p>",
            names.join(", ")
        );
    }
}

fn row(out: &mut String, guarantee: Guarantee, came: &str, rests_on: &str) {
    let (name, says) = (guarantee.name(), markup(guarantee.says()));
    line!(
        out,
        "<tr><th scope=\"row\"><span title=\"{says}\">{name}</span></th><td>{came}</td><td>{}</td></tr>",
        markup(rests_on)
    );
}
