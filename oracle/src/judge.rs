//! From ops to a verdict.

use std::collections::BTreeSet;

use lawspeaker_history::{Guarantee, Header, History, Op};

use crate::assumption::Watch;
use crate::evidence::{Collector, Evidence};
use crate::results::Results;
use crate::{Anomaly, ChosenBy, Outcome, Profile, SCHEMA, Severity, Verdict, cause, guarantee};

/// Judges a whole history under `profile`. O(n log n).
pub fn judge(history: &History, profile: &'static Profile) -> Verdict {
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
    profile: Option<(&'static Profile, ChosenBy)>,
    collector: Collector,
    watch: Watch,
    disabled: Vec<Anomaly>,
    /// What the header names and nobody knows.
    unknown_profile: Option<String>,
}

impl Judge {
    /// A judge under `profile`, whatever the header says.
    pub fn new(profile: &'static Profile) -> Self {
        Judge { profile: Some((profile, ChosenBy::Caller)), ..Judge::default() }
    }

    /// A judge under the profile that the header names, or else under one that fits what the history holds; the
    /// verdict says which and why.
    pub fn guessing() -> Self {
        Judge::default()
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
        let Judge { profile, collector, mut watch, disabled, unknown_profile } = self;
        let evidence = collector.seal();
        for event in evidence.names.events.keys() {
            for again in evidence.attempts_of(event).iter().skip(1) {
                watch.sent_again(again.begin, &evidence.names.events[event].to_string());
            }
        }
        let (profile, chosen_by) = profile.unwrap_or_else(|| {
            let (profile, because) = Profile::guess(&evidence);
            let unknown = unknown_profile
                .map_or_else(String::new, |name| format!("the header's `{name}` is unknown; "));
            (profile, ChosenBy::Guess(format!("{unknown}{because}")))
        });
        let mut results = Results::new(profile, evidence.hints.has_sagas, disabled);
        guarantee::check(&evidence, profile, &mut results);
        undecided_guarantees(&mut results);
        for found in results.found.iter().filter(|found| found.is_ordered_by_line) {
            watch.ordered_by_line(found.first_line());
        }
        let mut findings = cause::group(std::mem::take(&mut results.found), profile, &evidence);
        let hole = watch.first_hole();
        if let Some(line) = hole {
            distrust_absences(&mut findings, &mut results, line);
        }
        let outcome = match outcome(&findings, &results, &evidence) {
            Outcome::Conforms if hole.is_some() => Outcome::Inconclusive,
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
            doubts: watch.doubts(),
        }
    }
}

/// The anomalies that are seen by what is not there.
const ABSENCES: [Anomaly; 13] = [
    Anomaly::LostWrite,
    Anomaly::Unseen,
    Anomaly::Phantom,
    Anomaly::PollSkip,
    Anomaly::GroupLoss,
    Anomaly::CommitAhead,
    Anomaly::MissingCause,
    Anomaly::ThinAir,
    Anomaly::UncompensatedStep,
    Anomaly::TornSaga,
    Anomaly::CompensationWithoutStep,
    Anomaly::OrphanReply,
    Anomaly::StuckSaga,
];

/// Why a guarantee is undecided that no check looks at.
pub(crate) const UNJUDGED: &str = "not judged by this version";
/// Why one is undecided that is judged where sagas are recorded.
pub(crate) const SAGALESS: &str = "judged of sagas, and none is recorded";

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

/// Whether anybody saw an effect: a read, or what became of a saga.
fn is_anything_seen(evidence: &Evidence) -> bool {
    evidence.reads.iter().any(|read| read.is_ok) || !evidence.sagas.all.is_empty()
}

/// Every guarantee that rests on no observation is named, so that nobody takes silence for a pass.
fn undecided_guarantees(results: &mut Results) {
    for guarantee in Guarantee::ALL {
        let is_named = results.undecided.iter().any(|undecided| undecided.guarantee == *guarantee);
        if !results.has_checked(*guarantee) && !is_named {
            let mut anomalies =
                Anomaly::ALL.iter().filter(|anomaly| anomaly.guarantee() == *guarantee).peekable();
            let is_of_sagas = anomalies.peek().is_some_and(|anomaly| anomaly.is_of_sagas());
            let is_out_of_scope =
                anomalies.peek().is_some() && !anomalies.any(|anomaly| results.wants(*anomaly));
            let reason = if is_of_sagas && is_out_of_scope {
                SAGALESS
            } else if is_out_of_scope {
                "out of scope of this profile"
            } else if guarantee::JUDGED.contains(guarantee) {
                "nothing in this history rests on it"
            } else {
                UNJUDGED
            };
            results.undecided(*guarantee, reason);
        }
    }
    results.undecided.sort_by_key(|undecided| undecided.guarantee);
    results.checked.sort_by_key(|checked| (checked.guarantee, checked.anomaly));
}
