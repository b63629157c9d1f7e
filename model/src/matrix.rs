//! Which guard upholds which guarantee, computed by removing each guard in turn.

use std::collections::{BTreeMap, BTreeSet};

use lawspeaker_history::Guarantee;
use serde::Serialize;

use crate::catalogue::{Entry, Preset};
use crate::report::{CheckedIn, LawFinding, Outcome, Report};

/// The matrix of one model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Matrix {
    /// The schema of the JSON form.
    pub schema: &'static str,
    /// The model.
    pub model: &'static str,
    /// The preset of the bounds.
    pub preset: &'static str,
    /// The guarantees of the model, in order: the columns.
    pub guarantees: Vec<Guarantee>,
    /// A row for each guard, in order.
    pub rows: Vec<Row>,
    /// What breaks each law, in order.
    pub laws: Vec<Fall>,
}

/// What falls when one guard is removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The guard.
    pub guard: &'static str,
    /// The guarantee it is named for.
    pub upholds: Guarantee,
    /// The guards that mask it, removed with it.
    pub masked_by: Vec<&'static str>,
    /// Steps to the nearest violation of each guarantee that falls.
    pub broken_in: BTreeMap<Guarantee, usize>,
    /// Guarantees that did not fall, and of which not everything was looked at.
    pub undecided: BTreeSet<Guarantee>,
    /// Whether everything within the bounds was explored.
    pub is_complete: bool,
}

/// What breaks one law.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fall {
    /// The guarantee that the law makes precise.
    pub guarantee: Guarantee,
    /// What it says.
    pub says: &'static str,
    /// The guards whose removal breaks it.
    pub broken_by: Vec<&'static str>,
    /// Whether the removal of others may break it too, as not everything was looked at.
    pub is_undecided: bool,
}

impl Matrix {
    /// What reports come to: one of `model` for each of its guards, in order, with that one removed.
    pub fn of_reports(model: &Entry, preset: Preset, reports: &[Report]) -> Self {
        let mut guarantees: Vec<Guarantee> = model.laws().iter().map(|law| law.guarantee).collect();
        guarantees.sort_unstable();
        guarantees.dedup();
        let rows = model.guards.iter().zip(reports).map(|(guard, report)| Row {
            guard: guard.name,
            upholds: guard.upholds,
            masked_by: report.unmasked.iter().flat_map(|unmasked| unmasked.masks.clone()).collect(),
            broken_in: broken_in(report),
            undecided: undecided(report),
            is_complete: report.explored.is_complete,
        });
        Matrix {
            schema: "lawspeaker.guards/1",
            model: model.name,
            preset: preset.name(),
            guarantees,
            rows: rows.collect(),
            laws: falls(model, reports),
        }
    }

    /// What the matrix comes to: it holds if every guard breaks what it is named for and every law falls.
    pub fn outcome(&self) -> Outcome {
        let is_adequate = self.rows.iter().all(|row| row.broken_in.contains_key(&row.upholds))
            && self.laws.iter().all(|law| !law.broken_by.is_empty());
        if is_adequate { Outcome::Holds } else { Outcome::Inconclusive }
    }

    /// The guards whose removal does not break what they are named for.
    pub fn idle_guards(&self) -> impl Iterator<Item = &Row> {
        let holds =
            |row: &&Row| !row.broken_in.contains_key(&row.upholds) && !row.undecided.contains(&row.upholds);
        self.rows.iter().filter(holds)
    }

    /// The laws that fall with no guard: perhaps they hold for want of anything happening.
    pub fn unbroken_laws(&self) -> impl Iterator<Item = &Fall> {
        self.laws.iter().filter(|law| law.broken_by.is_empty() && !law.is_undecided)
    }

    /// The matrix as text: a row a guard, a column a guarantee, the number of steps where it falls.
    pub fn text(&self) -> String {
        let guard_width = self.rows.iter().map(|row| row.guard.len()).max().unwrap_or(0);
        let mut out = format!(
            "{} ({}): steps to the shortest violation; [n] is what the guard is named for\n",
            self.model, self.preset
        );
        let heads: Vec<_> = self.guarantees.iter().map(|guarantee| guarantee.name()).collect();
        out += &format!("  {:guard_width$}  {}\n", "without", heads.join("  "));
        for row in &self.rows {
            let cell = |guarantee: &Guarantee| {
                let steps = match row.broken_in.get(guarantee) {
                    Some(steps) if *guarantee == row.upholds => format!("[{steps}]"),
                    Some(steps) => steps.to_string(),
                    None if row.undecided.contains(guarantee) => "?".to_owned(),
                    None => "·".to_owned(),
                };
                format!("{steps:>width$}", width = guarantee.name().len())
            };
            let cells: Vec<_> = self.guarantees.iter().map(cell).collect();
            let mask = if row.masked_by.is_empty() {
                String::new()
            } else {
                format!("  (mask off: {})", row.masked_by.join(", "))
            };
            out += &format!("  {:guard_width$}  {}{mask}\n", row.guard, cells.join("  "));
        }
        for row in self.idle_guards() {
            out += &format!("  {}: removing it does not break {}\n", row.guard, row.upholds);
        }
        for row in self.rows.iter().filter(|row| row.undecided.contains(&row.upholds)) {
            out += &format!(
                "  {}: undecided whether removing it breaks {}, as not everything was looked at\n",
                row.guard, row.upholds
            );
        }
        for law in self.unbroken_laws() {
            out += &format!("  {}, {}: no guard's removal breaks it\n", law.guarantee, law.says);
        }
        out
    }
}

fn falls(model: &Entry, reports: &[Report]) -> Vec<Fall> {
    let fall = |place: usize, guarantee, says| {
        let removed =
            model.guards.iter().zip(reports).map(|(guard, report)| (guard, &report.laws[place], report));
        let broken_by = removed.clone().filter(|(_, law, _)| law.broken_in.is_some());
        Fall {
            guarantee,
            says,
            broken_by: broken_by.map(|(guard, ..)| guard.name).collect(),
            is_undecided: removed.clone().any(|(_, law, report)| is_undecided(law, report)),
        }
    };
    model.laws().iter().enumerate().map(|(place, law)| fall(place, law.guarantee, law.says)).collect()
}

/// Whether a law was not seen to fall and not checked as far as there is something to check.
fn is_undecided(law: &LawFinding, report: &Report) -> bool {
    let is_skipped = law.checked_in == CheckedIn::FairBehaviours && law.checked == 0;
    law.broken_in.is_none() && (!report.explored.is_complete || is_skipped)
}

/// The guarantees that did not fall and of which a law is undecided.
fn undecided(report: &Report) -> BTreeSet<Guarantee> {
    let falls = |guarantee: &Guarantee| {
        report.laws.iter().any(|law| law.guarantee == *guarantee && law.broken_in.is_some())
    };
    let left_out = report.laws.iter().filter(|law| is_undecided(law, report)).map(|law| law.guarantee);
    left_out.filter(|guarantee| !falls(guarantee)).collect()
}

fn broken_in(report: &Report) -> BTreeMap<Guarantee, usize> {
    let mut nearest = BTreeMap::new();
    for law in &report.laws {
        if let Some(steps) = law.broken_in {
            let slot = nearest.entry(law.guarantee).or_insert(steps);
            *slot = steps.min(*slot);
        }
    }
    nearest
}
