//! From ops to a verdict.

mod part;

use lawspeaker_history::{Header, History, Limits, Op};

use crate::assumption::Watch;
use crate::evidence::Collector;
use crate::{Anomaly, ChosenBy, Exercise, Profile, Verdict};

pub(crate) use part::{Part, absent};

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
        let (mut profile, chosen_by) = profile.unwrap_or_else(|| {
            let (profile, because) = Profile::guess(&evidence);
            let unknown = unknown_profile
                .map_or_else(String::new, |name| format!("the header's `{name}` is unknown; "));
            (profile, ChosenBy::Guess(format!("{unknown}{because}")))
        });
        profile.limits = limits.or(profile.limits);
        let part = Part::judged(&evidence, &profile, disabled, &waived, &mut watch);
        let lack = watch.lack();
        part.verdict(profile, chosen_by, evidence.op_count, lack.as_deref(), watch.doubts())
    }
}
