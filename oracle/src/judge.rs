//! From ops to a verdict.

use std::collections::BTreeSet;

use lawspeaker_history::{Guarantee, Header, History, Limits, Op};

use crate::assumption::Watch;
use crate::evidence::{Collector, Evidence};
use crate::results::Results;
use crate::{
    Anomaly, ChosenBy, Exercise, Need, Outcome, Profile, SCHEMA, Severity, Subject, Verdict, cause, exercise,
    guarantee,
};

/// Judges a whole history under `profile`. O(n log n).
pub fn judge(history: &History, profile: Profile) -> Verdict {
    let mut judge = Judge::new(profile);
    judge.header(&history.header);
    history.ops.iter().for_each(|op| judge.observe(op));
    judge.finish()
}

/// Takes a history op by op and judges it at the end.
///
/// ```
/// use lawspeaker_history::Reader;
/// use lawspeaker_oracle::{Judge, Outcome};
///
/// let mut reader = Reader::new(std::io::empty())?;
/// let mut judge = Judge::guessing();
/// judge.header(reader.header());
/// for op in &mut reader {
///     judge.observe(&op?);
/// }
/// assert_eq!(judge.finish().outcome, Outcome::Inconclusive);
/// # Ok::<(), lawspeaker_history::ReadError>(())
/// ```
#[derive(Debug, Default)]
pub struct Judge {
    profile: Option<(Profile, ChosenBy)>,
    collector: Collector,
    watch: Watch,
    disabled: Vec<Anomaly>,
    waived: Vec<Exercise>,
    /// What the header says that the system was set up to.
    limits: Limits,
    /// What the header names and nobody knows.
    unknown_profile: Option<String>,
}

impl Judge {
    /// A judge under `profile`, whatever the header says.
    pub fn new(profile: Profile) -> Self {
        Judge { profile: Some((profile, ChosenBy::Caller)), ..Judge::default() }
    }

    /// A judge under the profile that the header names, or else under one that fits what the history holds; the
    /// verdict says which and why.
    pub fn guessing() -> Self {
        Judge::default()
    }

    /// The same judge, content without `witness` whatever the profile requires; the verdict says so.
    #[must_use]
    pub fn waiving(mut self, witness: Exercise) -> Self {
        self.waived.push(witness);
        self
    }

    /// A judge that does not look for `anomaly`: for tests of the oracle itself.
    #[doc(hidden)]
    #[must_use]
    pub fn without(mut self, anomaly: Anomaly) -> Self {
        self.disabled.push(anomaly);
        self
    }

    /// Takes what the first line said of the recording. Under a profile that it names and nobody knows, one is
    /// guessed, and the verdict says so; a caller who wants an error asks [`Profile::named`] first.
    pub fn header(&mut self, header: &Header) {
        self.collector.header(header);
        self.limits = header.limits;
        let (None, Some(name)) = (&self.profile, &header.profile) else { return };
        match Profile::named(name) {
            Ok(profile) => self.profile = Some((profile, ChosenBy::Header)),
            Err(_) => self.unknown_profile = Some(name.clone()),
        }
    }

    /// Takes the next op. Amortized O(size of the op).
    pub fn observe(&mut self, op: &Op) {
        self.collector.observe(op);
        self.watch.observe(op);
    }

    /// Judges what was taken. O(n log n).
    pub fn finish(self) -> Verdict {
        let Judge { profile, collector, mut watch, disabled, waived, limits, unknown_profile } = self;
        let evidence = collector.seal();
        for event in evidence.names.events.keys() {
            for again in evidence.attempts_of(event).iter().skip(1) {
                watch.sent_again(again.begin, &evidence.names.events[event].to_string());
            }
        }
        let (mut profile, chosen_by) = profile.unwrap_or_else(|| {
            let (profile, because) = Profile::guess(&evidence);
            let unknown = unknown_profile
                .map_or_else(String::new, |name| format!("the header's `{name}` is unknown; "));
            (profile, ChosenBy::Guess(format!("{unknown}{because}")))
        });
        profile.limits = limits.or(profile.limits);
        let mut results = Results::new(profile.clone(), evidence.subjects(), disabled);
        guarantee::check(&evidence, &profile, &mut results);
        undecided_guarantees(&mut results);
        for found in results.found.iter().filter(|found| found.is_ordered_by_line) {
            watch.ordered_by_line(found.first_line());
        }
        let mut findings = cause::group(std::mem::take(&mut results.found), &profile, &evidence);
        let hole = watch.first_hole();
        if let Some(line) = hole {
            distrust_absences(&mut findings, &mut results, line);
        }
        let exercised = exercise::witnessed(&evidence, &profile, &waived);
        let is_wanting = exercised.iter().any(|witnessed| witnessed.is_missing(Need::Required));
        let outcome = match outcome(&findings, &results, &evidence) {
            Outcome::Conforms if hole.is_some() || is_wanting => Outcome::Inconclusive,
            outcome => outcome,
        };
        Verdict {
            schema: SCHEMA,
            outcome,
            profile: profile.name,
            profile_chosen_by: chosen_by,
            profile_promises: profile.promises,
            op_count: evidence.op_count,
            findings,
            out_of_scope: Anomaly::ALL
                .iter()
                .copied()
                .filter(|anomaly| results.is_out_of_scope(*anomaly))
                .collect(),
            checked: results.checked,
            undecided: results.undecided,
            evidence: exercised,
            doubts: watch.doubts(),
        }
    }
}

/// The anomalies that are seen by what is not there.
const ABSENCES: [Anomaly; 29] = [
    Anomaly::LostWrite,
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
    Anomaly::StuckConsumer,
    Anomaly::Deadlock,
    Anomaly::LostConcurrencyCheck,
    Anomaly::ProjectionSkip,
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

/// Where lines are missing, nothing follows from what is not there.
fn distrust_absences(findings: &mut [crate::Finding], results: &mut Results, line: u64) {
    for finding in findings.iter_mut().filter(|finding| ABSENCES.contains(&finding.anomaly)) {
        finding.severity = finding.severity.max(Severity::Note);
    }
    let asked = ABSENCES.iter().filter(|anomaly| !results.is_out_of_scope(**anomaly));
    let guarantees: BTreeSet<Guarantee> = asked.map(|anomaly| anomaly.guarantee()).collect();
    for guarantee in guarantees {
        let reason = format!("lines are missing before line {line}: what is not there may stand in them");
        results.undecided(guarantee, reason);
    }
}

fn outcome(findings: &[crate::Finding], results: &Results, evidence: &Evidence) -> Outcome {
    if findings.iter().any(|finding| finding.severity == Severity::Violation) {
        Outcome::Violated
    } else if results.checked.is_empty() || !is_anything_seen(evidence) {
        Outcome::Inconclusive
    } else {
        Outcome::Conforms
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
