//! What was found in a history, or in a part of one, before anything is said of the whole.

use std::collections::BTreeSet;

use lawspeaker_history::Guarantee;

use crate::assumption::Watch;
use crate::evidence::Evidence;
use crate::results::Results;
use crate::{
    Anomaly, ChosenBy, Doubt, Exercise, Exercised, Finding, Need, Outcome, Profile, SCHEMA, Severity,
    Subject, Verdict, cause, exercise, guarantee,
};

/// What the checks say of one part. Parts of one history, judged under one profile, come together in the order of time.
#[derive(Debug)]
pub(crate) struct Part {
    results: Results,
    findings: Vec<Finding>,
    exercised: Vec<Exercised>,
    /// Whether anybody saw an effect.
    is_anything_seen: bool,
}

impl Part {
    /// Runs every check. O(n log n).
    pub(crate) fn judged(
        evidence: &Evidence,
        profile: &Profile,
        disabled: Vec<Anomaly>,
        waived: &[Exercise],
        watch: &mut Watch,
    ) -> Self {
        for event in evidence.names.events.keys() {
            for again in evidence.attempts_of(event).iter().skip(1) {
                watch.sent_again(again.begin, &evidence.names.events[event].to_string());
            }
        }
        let mut results = Results::new(profile.clone(), evidence.subjects(), disabled);
        guarantee::check(evidence, profile, &mut results);
        for found in results.found.iter().filter(|found| found.is_ordered_by_line) {
            watch.ordered_by_line(found.first_line());
        }
        let findings = cause::group(std::mem::take(&mut results.found), profile, evidence);
        let exercised = exercise::witnessed(evidence, profile, waived);
        Part { results, findings, exercised, is_anything_seen: is_anything_seen(evidence) }
    }

    pub(crate) fn finding_count(&self) -> usize {
        self.findings.len()
    }

    /// Takes what was found in a later part.
    pub(crate) fn join(&mut self, later: Part) {
        self.results.join(later.results);
        let shift = self.findings.len();
        self.findings.extend(later.findings.into_iter().map(|finding| finding.renumbered(|id| id + shift)));
        for (known, new) in self.exercised.iter_mut().zip(later.exercised) {
            known.join(&new);
        }
        self.is_anything_seen |= later.is_anything_seen;
    }

    /// Says that `anomaly` was not looked for, if the profile promises that there is none.
    pub(crate) fn undecided(&mut self, anomaly: Anomaly, reason: &str) {
        if !self.results.is_out_of_scope(anomaly) {
            self.results.undecided(anomaly.guarantee(), reason);
        }
    }

    /// Lets no finding of `anomaly` weigh more than `severity`, be it a note; answers whether there is any.
    pub(crate) fn weigh_at_most(&mut self, anomaly: Anomaly, severity: Severity) -> bool {
        let of_anomaly = self.findings.iter_mut().filter(|finding| finding.anomaly == anomaly);
        of_anomaly
            .map(|finding| finding.severity = finding.severity.max(severity.min(Severity::Note)))
            .count()
            > 0
    }

    /// The verdict on the whole; where something is lacking, nothing follows from what is not there.
    pub(crate) fn verdict(
        self,
        profile: Profile,
        chosen_by: ChosenBy,
        op_count: usize,
        lack: Option<&str>,
        doubts: Vec<Doubt>,
    ) -> Verdict {
        let Part { mut results, findings, exercised, is_anything_seen } = self;
        let mut findings = in_order(findings);
        undecided_guarantees(&mut results);
        if let Some(reason) = lack {
            distrust_absences(&mut findings, &mut results, reason);
        }
        let is_wanting = exercised.iter().any(|witnessed| witnessed.is_missing(Need::Required));
        let is_violated = findings.iter().any(|finding| finding.severity == Severity::Violation);
        let is_judged = !results.checked.is_empty() && is_anything_seen;
        let outcome = match (is_violated, is_judged && lack.is_none() && !is_wanting) {
            (true, _) => Outcome::Violated,
            (false, true) => Outcome::Conforms,
            (false, false) => Outcome::Inconclusive,
        };
        Verdict {
            schema: SCHEMA,
            outcome,
            profile: profile.name,
            profile_chosen_by: chosen_by,
            profile_promises: profile.promises,
            op_count,
            findings,
            out_of_scope: Anomaly::ALL
                .iter()
                .copied()
                .filter(|anomaly| results.is_out_of_scope(*anomaly))
                .collect(),
            checked: results.checked,
            undecided: results.undecided,
            evidence: exercised,
            doubts,
        }
    }
}

/// Violations before notes, each root followed by what it causes, numbered anew.
fn in_order(findings: Vec<Finding>) -> Vec<Finding> {
    let mut roots: Vec<&Finding> = findings.iter().filter(|finding| finding.caused_by.is_none()).collect();
    roots.sort_by_key(|finding| finding.severity);
    let mut order = Vec::with_capacity(findings.len());
    let mut rest: Vec<usize> = roots.into_iter().rev().map(|finding| finding.id).collect();
    while let Some(id) = rest.pop() {
        order.push(id);
        rest.extend(findings[id - 1].causes.iter().rev());
    }
    let mut place_of = vec![0; findings.len() + 1];
    for (place, id) in (1..).zip(&order) {
        place_of[*id] = place;
    }
    let mut findings: Vec<Finding> =
        findings.into_iter().map(|finding| finding.renumbered(|id| place_of[id])).collect();
    findings.sort_by_key(|finding| finding.id);
    findings
}

/// The anomalies that are seen by what is not there.
const ABSENCES: [Anomaly; 36] = [
    Anomaly::LostWrite,
    Anomaly::CompactionViolation,
    Anomaly::Unseen,
    Anomaly::Phantom,
    Anomaly::PollSkip,
    Anomaly::GroupLoss,
    Anomaly::CommitAhead,
    Anomaly::FutureRead,
    Anomaly::Corrupt,
    Anomaly::SeqGap,
    Anomaly::ReplicaDivergence,
    Anomaly::ForeignDelivery,
    Anomaly::DupDelivery,
    Anomaly::EarlyRedelivery,
    Anomaly::DlqLoss,
    Anomaly::DlqEarly,
    Anomaly::MissingCause,
    Anomaly::ThinAir,
    Anomaly::EffectWithoutChange,
    Anomaly::ChangeWithoutEffect,
    Anomaly::UncompensatedStep,
    Anomaly::TornSaga,
    Anomaly::CompensationWithoutStep,
    Anomaly::OrphanReply,
    Anomaly::StuckSaga,
    Anomaly::TornTransaction,
    Anomaly::CommitHitsLaterTransaction,
    Anomaly::StuckConsumer,
    Anomaly::Deadlock,
    Anomaly::LostConcurrencyCheck,
    Anomaly::ProjectionSkip,
    // Another send of the event would excuse.
    Anomaly::OffsetRegression,
    Anomaly::NonmonotonicSend,
    Anomaly::Duplicate,
    Anomaly::Misrouted,
    Anomaly::G1a,
];

/// Why one is undecided that is judged where something beside events is recorded.
pub(crate) fn absent(subject: Subject) -> Option<&'static str> {
    match subject {
        Subject::Events => None,
        Subject::Outbox => Some("judged of changes, and none is recorded"),
        Subject::Sagas => Some("judged of sagas, and none is recorded"),
        Subject::Streams => Some("judged of streams, and none is recorded"),
    }
}

/// Where something is lacking, nothing follows from what is not there.
fn distrust_absences(findings: &mut [Finding], results: &mut Results, reason: &str) {
    for finding in findings.iter_mut().filter(|finding| ABSENCES.contains(&finding.anomaly)) {
        finding.severity = finding.severity.max(Severity::Note);
    }
    let asked = ABSENCES.iter().filter(|anomaly| !results.is_out_of_scope(**anomaly));
    let guarantees: BTreeSet<Guarantee> = asked.map(|anomaly| anomaly.guarantee()).collect();
    for guarantee in guarantees {
        results.undecided(guarantee, reason);
    }
}

/// Whether anybody saw an effect: a read, what became of a saga or of an event.
fn is_anything_seen(evidence: &Evidence) -> bool {
    evidence.reads.iter().any(|read| read.is_ok)
        || !evidence.sagas.all.is_empty()
        || evidence.outbox.is_any()
        || evidence.streams.is_anything_seen()
}

/// Every guarantee that rests on no observation is named, so that nobody takes silence for a pass.
fn undecided_guarantees(results: &mut Results) {
    for guarantee in Guarantee::ALL {
        let is_named = results.undecided.iter().any(|undecided| undecided.guarantee == *guarantee);
        if !results.has_checked(*guarantee) && !is_named {
            let mut anomalies =
                Anomaly::ALL.iter().filter(|anomaly| anomaly.guarantee() == *guarantee).peekable();
            let subject = anomalies.peek().map_or(Subject::Events, |anomaly| anomaly.subject());
            let is_out_of_scope =
                anomalies.peek().is_some() && !anomalies.any(|anomaly| results.wants(*anomaly));
            let reason = if let Some(absent) = absent(subject).filter(|_| is_out_of_scope) {
                absent
            } else if is_out_of_scope {
                "out of scope of this profile"
            } else {
                "nothing in this history rests on it"
            };
            results.undecided(*guarantee, reason);
        }
    }
    results.undecided.sort_by_key(|undecided| undecided.guarantee);
    results.checked.sort_by_key(|checked| (checked.guarantee, checked.anomaly));
}
