//! What the checks write down.

use std::collections::BTreeSet;

use lawspeaker_history::Guarantee;

use crate::case::Found;
use crate::{Anomaly, Checked, Profile, Severity, Subject, Undecided};

/// Collects what the checks find, for one profile.
#[derive(Debug)]
pub(crate) struct Results {
    profile: Profile,
    /// What anything is recorded of.
    recorded: BTreeSet<Subject>,
    disabled: Vec<Anomaly>,
    pub(crate) found: Vec<Found>,
    pub(crate) checked: Vec<Checked>,
    pub(crate) undecided: Vec<Undecided>,
}

impl Results {
    pub(crate) fn new(profile: Profile, recorded: BTreeSet<Subject>, disabled: Vec<Anomaly>) -> Self {
        Results { profile, recorded, disabled, found: Vec::new(), checked: Vec::new(), undecided: Vec::new() }
    }

    /// Whether the profile promises nothing of `anomaly`, or nothing that shows it is recorded where none is asked for.
    pub(crate) fn is_out_of_scope(&self, anomaly: Anomaly) -> bool {
        let subject = anomaly.subject();
        let is_absent = !self.recorded.contains(&subject) && !self.profile.runs.contains(&subject);
        is_absent || self.profile.severity(anomaly) == Severity::OutOfScope
    }

    /// Whether cases of `anomaly` are wanted at all.
    pub(crate) fn wants(&self, anomaly: Anomaly) -> bool {
        !self.is_out_of_scope(anomaly) && !self.disabled.contains(&anomaly)
    }

    pub(crate) fn add(&mut self, found: Found) {
        if self.wants(found.anomaly) {
            self.found.push(found);
        }
    }

    /// Says that `anomaly` was looked for in this many observations; `unit` is singular, and plural with an `s`.
    pub(crate) fn checked(&mut self, anomaly: Anomaly, observations: usize, unit: &'static str) {
        self.check(anomaly, observations, unit, None);
    }

    /// The same, where the check had a choice what to go by.
    pub(crate) fn checked_on(
        &mut self,
        anomaly: Anomaly,
        observations: usize,
        unit: &'static str,
        basis: String,
    ) {
        self.check(anomaly, observations, unit, Some(basis));
    }

    fn check(&mut self, anomaly: Anomaly, observations: usize, unit: &'static str, basis: Option<String>) {
        if observations > 0 && self.wants(anomaly) {
            let guarantee = anomaly.guarantee();
            self.checked.push(Checked { guarantee, anomaly, observations, unit, basis });
        }
    }

    pub(crate) fn undecided(&mut self, guarantee: Guarantee, reason: impl Into<String>) {
        self.undecided.push(Undecided { guarantee, reason: reason.into() });
    }

    /// Takes what was checked in a later part of the same history. Of reasons that differ in their numbers only, the
    /// first is told; why a part does not show a guarantee at all is no matter where another one does.
    pub(crate) fn join(&mut self, mut later: Results) {
        let is_shown: BTreeSet<Guarantee> =
            self.checked.iter().chain(&later.checked).map(|checked| checked.guarantee).collect();
        let is_told = |part: &Results, of: &Undecided| {
            part.has_checked(of.guarantee) || !is_shown.contains(&of.guarantee)
        };
        for part in [&mut *self, &mut later] {
            let mut undecided = std::mem::take(&mut part.undecided);
            undecided.retain(|of| is_told(part, of));
            part.undecided = undecided;
        }
        for new in later.checked {
            let is_same = |known: &&mut Checked| {
                (known.anomaly, known.unit, &known.basis) == (new.anomaly, new.unit, &new.basis)
            };
            match self.checked.iter_mut().find(is_same) {
                Some(known) => known.observations += new.observations,
                None => self.checked.push(new),
            }
        }
        let words = |of: &Undecided| of.reason.replace(|c: char| c.is_ascii_digit(), "");
        for new in later.undecided {
            let is_same = |known: &Undecided| known.guarantee == new.guarantee && words(known) == words(&new);
            if !self.undecided.iter().any(is_same) {
                self.undecided.push(new);
            }
        }
    }

    pub(crate) fn has_checked(&self, guarantee: Guarantee) -> bool {
        self.checked.iter().any(|checked| checked.guarantee == guarantee)
    }
}
