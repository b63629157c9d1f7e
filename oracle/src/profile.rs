//! What a system promises: which anomaly is a violation, which a note, and which is out of scope.
//!
//! A profile is data: one TOML file each in `oracle/profiles/`, built into this crate, and files of the user's own, which
//! may extend one of those. `read` has the format.

mod read;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use lawspeaker_history::{Guarantee, Limits};

use crate::evidence::Evidence;
use crate::{Anomaly, Exercise, Need, Subject};

pub use read::{ProfileError, ProfileErrorKind};

/// How an anomaly weighs under a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The system promised that this does not happen.
    Violation,
    /// The system does not promise it; worth knowing all the same.
    Note,
    /// The system is not of a kind that could promise it; not looked for.
    OutOfScope,
}

impl Severity {
    /// The name in profiles and in JSON, such as `out-of-scope`.
    pub const fn name(self) -> &'static str {
        match self {
            Severity::Violation => "violation",
            Severity::Note => "note",
            Severity::OutOfScope => "out-of-scope",
        }
    }
}

/// What one kind of system promises.
///
/// ```
/// use lawspeaker_oracle::{Anomaly, Profile, Severity};
///
/// let mine = Profile::from_toml(
///     r#"
///     name = "our-broker"
///     extends = "kafka"
///     [anomalies]
///     duplicate = "note"      # producers without idempotence
///     "#,
/// )?;
/// assert_eq!(mine.severity(Anomaly::Duplicate), Severity::Note);
/// assert_eq!(mine.severity(Anomaly::LostWrite), Severity::Violation);
/// # Ok::<(), lawspeaker_oracle::ProfileError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The name on the command line and in headers, such as `kafka`.
    pub name: String,
    /// What such a system promises, as one sentence.
    pub promises: String,
    /// Whether the members of a group compete for single events, so that each sees only some of a partition.
    pub has_competing_consumers: bool,
    /// Whether events stay where they are after they were delivered, so that they can be read again.
    pub keeps_delivered: bool,
    /// Whether effects never come before their causes, whichever way they come. A log of several partitions, read each
    /// for itself, promises nothing of the kind, so that causal delivery is out of its scope.
    pub has_causal_order: bool,
    /// Whether an event that is in hand for too long is delivered again.
    pub times_out: bool,
    /// Whether what is rejected, or was delivered too often, is put aside.
    pub has_dead_letters: bool,
    /// What the system is set up to, where that is known; what the header of a history says counts more.
    pub limits: Limits,
    /// Whether the system is excused from nothing, not even from a copy that its producer asked for.
    pub is_strict: bool,
    /// What it runs beside events. Whatever it does not run is judged all the same where it is recorded, and where it is
    /// not it is out of its scope.
    pub runs: BTreeSet<Subject>,
    /// What is not a violation, by guarantee; what is said of an anomaly counts more.
    guarantees: BTreeMap<Guarantee, Severity>,
    /// What is said of anomalies; everything else is a violation.
    anomalies: BTreeMap<Anomaly, Severity>,
    /// What a recording should hold.
    needs: BTreeMap<Exercise, Need>,
    /// The text it was read from.
    toml: Arc<str>,
}

/// The profiles that are built in, in the order of the docs: what they are called, and their files.
const SHIPPED: [(&str, &str); 13] = [
    ("kafka", include_str!("../profiles/kafka.toml")),
    ("kafka-idempotent", include_str!("../profiles/kafka-idempotent.toml")),
    ("kafka-transactions", include_str!("../profiles/kafka-transactions.toml")),
    ("jetstream", include_str!("../profiles/jetstream.toml")),
    ("redis-streams", include_str!("../profiles/redis-streams.toml")),
    ("work-queue", include_str!("../profiles/work-queue.toml")),
    ("rabbitmq-classic", include_str!("../profiles/rabbitmq-classic.toml")),
    ("rabbitmq-quorum", include_str!("../profiles/rabbitmq-quorum.toml")),
    ("causal-broadcast", include_str!("../profiles/causal-broadcast.toml")),
    ("saga", include_str!("../profiles/saga.toml")),
    ("outbox", include_str!("../profiles/outbox.toml")),
    ("event-store", include_str!("../profiles/event-store.toml")),
    ("log-strict", include_str!("../profiles/log-strict.toml")),
];

static ALL: LazyLock<Vec<Profile>> = LazyLock::new(|| {
    let mut all: Vec<Profile> = Vec::with_capacity(SHIPPED.len());
    for (_, text) in SHIPPED {
        // Each extends only those before it.
        let profile = read::profile(text, &all).expect("a test reads every profile that is built in");
        all.push(profile);
    }
    all
});

impl Profile {
    /// Every profile that is built in, in the order of the docs.
    pub fn all() -> &'static [Profile] {
        &ALL
    }

    /// The profile that is built in under this name.
    ///
    /// # Errors
    /// [`UnknownProfileError`], which lists the names there are.
    pub fn named(name: &str) -> Result<Profile, UnknownProfileError> {
        let found = Self::all().iter().find(|profile| profile.name == name);
        found.cloned().ok_or_else(|| UnknownProfileError { name: name.to_owned() })
    }

    /// Reads a profile as `docs/profiles.md` describes it; it may extend one that is built in.
    ///
    /// # Errors
    /// [`ProfileError`] with the line of the first key or value that means nothing: nothing is passed over.
    pub fn from_toml(text: &str) -> Result<Profile, ProfileError> {
        read::profile(text, Self::all())
    }

    /// The text it was read from: what [`Profile::from_toml`] reads.
    pub fn toml(&self) -> &str {
        &self.toml
    }

    /// The names of all profiles that are built in, in the order of the docs.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::all().iter().map(|profile| profile.name.as_str())
    }

    /// How `anomaly` weighs.
    pub fn severity(&self, anomaly: Anomaly) -> Severity {
        let guarantee = anomaly.guarantee();
        if guarantee == Guarantee::CausalDelivery && !self.has_causal_order {
            return Severity::OutOfScope;
        }
        let said = self.anomalies.get(&anomaly).or_else(|| self.guarantees.get(&guarantee));
        let unsaid = if anomaly.is_never_promised() { Severity::Note } else { Severity::Violation };
        said.copied().unwrap_or(unsaid)
    }

    /// What a recording should hold, so that its verdict means something.
    pub fn needs(&self) -> impl Iterator<Item = (Exercise, Need)> {
        self.needs.iter().map(|(witness, need)| (*witness, *need))
    }

    /// A profile that fits what was recorded, and why it was taken.
    pub(crate) fn guess(evidence: &Evidence) -> (Profile, &'static str) {
        let hints = &evidence.hints;
        let (name, because) = if hints.has_positions {
            ("kafka", "positions are committed")
        } else if hints.has_stream_ids {
            ("redis-streams", "offsets are stream ids")
        } else if hints.has_acks && hints.has_offsets && hints.has_delivery_counts {
            ("jetstream", "single events are acknowledged at their offsets, and deliveries are counted")
        } else if hints.has_clocks && !hints.has_acks && !hints.has_offsets {
            ("causal-broadcast", "events have vector clocks, and neither offsets nor acknowledgements")
        } else if hints.has_sagas && !hints.has_acks && !hints.has_offsets {
            ("saga", "sagas are recorded, and neither offsets nor acknowledgements")
        } else if !evidence.streams.is_empty() && !hints.has_offsets {
            ("event-store", "streams of events are recorded, and no offsets")
        } else if hints.has_acks {
            ("work-queue", "single events are acknowledged, and deliveries are not counted")
        } else if hints.has_offsets {
            ("kafka", "events have offsets and are not acknowledged singly")
        } else {
            ("work-queue", "events have no offsets")
        };
        (Self::named(name).expect("every guess is the name of a profile"), because)
    }
}

/// A profile that is not there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("profile `{name}` is unknown; there are {}", Profile::names().collect::<Vec<_>>().join(", "))]
pub struct UnknownProfileError {
    /// What was asked for.
    pub name: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_profile_is_an_error_that_lists_the_known_ones() {
        let error = Profile::named("kafak").unwrap_err();
        let names: Vec<_> = SHIPPED.map(|(name, _)| name).to_vec();
        let expected = format!("profile `kafak` is unknown; there are {}", names.join(", "));
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn every_file_is_built_in_under_its_own_name() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles");
        let mut files: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap().replace(".toml", ""))
            .collect();
        files.sort();
        let mut names: Vec<_> = SHIPPED.map(|(name, _)| name.to_owned()).to_vec();
        names.sort();
        assert_eq!(files, names);
        for (profile, (name, text)) in Profile::all().iter().zip(SHIPPED) {
            assert_eq!((profile.name.as_str(), profile.toml()), (name, text));
        }
    }

    #[test]
    fn a_profile_that_is_printed_reads_back_the_same() {
        for profile in Profile::all() {
            assert_eq!(Profile::from_toml(profile.toml()).as_ref(), Ok(profile));
        }
    }

    #[test]
    fn log_strict_makes_a_violation_of_every_anomaly_of_a_log() {
        let strict = Profile::named("log-strict").unwrap();
        let is_of_a_log = |anomaly: &&Anomaly| anomaly.guarantee() != Guarantee::CausalDelivery;
        for anomaly in Anomaly::ALL.iter().filter(is_of_a_log) {
            assert_eq!(strict.severity(*anomaly), Severity::Violation, "{anomaly}");
        }
    }

    #[test]
    fn saga_makes_a_violation_of_every_anomaly_of_sagas() {
        let saga = Profile::named("saga").unwrap();
        for anomaly in Anomaly::ALL.iter().filter(|of| of.subject() == Subject::Sagas) {
            assert_eq!(saga.severity(*anomaly), Severity::Violation, "{anomaly}");
        }
    }

    #[test]
    fn causal_broadcast_makes_a_violation_of_every_anomaly_of_causal_delivery() {
        let broadcast = Profile::named("causal-broadcast").unwrap();
        for anomaly in Anomaly::ALL.iter().filter(|of| of.guarantee() == Guarantee::CausalDelivery) {
            assert_eq!(broadcast.severity(*anomaly), Severity::Violation, "{anomaly}");
        }
    }
}
