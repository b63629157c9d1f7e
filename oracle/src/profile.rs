//! What a system promises: which anomaly is a violation, which a note, and which is out of scope.

use lawspeaker_history::Guarantee;

use crate::Anomaly;
use crate::evidence::Evidence;

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

/// What one kind of system promises. All of them stand in [`Profile::ALL`].
#[derive(Debug, PartialEq, Eq)]
pub struct Profile {
    /// The name on the command line and in headers, such as `kafka`.
    pub name: &'static str,
    /// What such a system promises, as one sentence.
    pub promises: &'static str,
    /// Whether the members of a group compete for single events, so that each sees only some of a partition.
    pub has_competing_consumers: bool,
    /// Whether events stay where they are after they were delivered, so that they can be read again.
    pub keeps_delivered: bool,
    /// Whether the system can be excused, such as for a copy that its producer asked for.
    pub(crate) accepts_excuses: bool,
    /// Whether effects never come before their causes, whichever way they come. A log of several partitions, read each
    /// for itself, promises nothing of the kind, so that causal delivery is out of its scope.
    pub has_causal_order: bool,
    /// Whether it runs sagas. Whatever promises nothing of them is judged by them all the same where they are recorded,
    /// and where they are not they are out of its scope.
    pub has_sagas: bool,
    /// What is not a violation; everything else is.
    exceptions: &'static [(Anomaly, Severity)],
}

use Severity::{Note, OutOfScope};

/// What a queue does not promise, whose events are acknowledged singly.
const QUEUE: &[(Anomaly, Severity)] = &[
    (Anomaly::RedeliveryAfterAck, Note),
    (Anomaly::CommitAhead, Note),
    (Anomaly::CommitRegression, Note),
    (Anomaly::DualOwner, OutOfScope),
    (Anomaly::InconsistentOffsets, Note),
    (Anomaly::InvalidOffset, Note),
    (Anomaly::Duplicate, Note),
    (Anomaly::Misrouted, Note),
    (Anomaly::NonmonotonicSend, OutOfScope),
    (Anomaly::PollSkip, OutOfScope),
    (Anomaly::NonmonotonicPoll, OutOfScope),
];

impl Profile {
    /// Every profile, in the order of the docs.
    pub const ALL: &'static [Profile] = &[
        Profile {
            name: "kafka",
            promises: "a partition is an ordered log that keeps what it acknowledged; each group reads it in order, \
                       its members own partitions, and its committed positions only rise",
            has_competing_consumers: false,
            keeps_delivered: true,
            accepts_excuses: true,
            has_causal_order: false,
            has_sagas: false,
            exceptions: &[(Anomaly::RedeliveryAfterAck, Note)],
        },
        Profile {
            name: "jetstream",
            promises: "a stream is an ordered log that keeps what it acknowledged; consumers of a group compete for \
                       its events, and a confirmed acknowledgement is remembered",
            has_competing_consumers: true,
            keeps_delivered: true,
            accepts_excuses: true,
            has_causal_order: false,
            has_sagas: false,
            exceptions: &[
                (Anomaly::CommitAhead, Note),
                (Anomaly::CommitRegression, Note),
                (Anomaly::DualOwner, OutOfScope),
            ],
        },
        Profile {
            name: "redis-streams",
            promises: "a stream is an ordered log that keeps what it acknowledged; consumers of a group compete for \
                       its events and each event is delivered at least once",
            has_competing_consumers: true,
            keeps_delivered: true,
            accepts_excuses: true,
            has_causal_order: false,
            has_sagas: false,
            exceptions: &[
                (Anomaly::RedeliveryAfterAck, Note),
                (Anomaly::CommitAhead, Note),
                (Anomaly::CommitRegression, Note),
                (Anomaly::DualOwner, OutOfScope),
            ],
        },
        Profile {
            name: "work-queue",
            promises: "what is confirmed is delivered at least once to one of the consumers, in no promised order",
            has_competing_consumers: true,
            keeps_delivered: false,
            accepts_excuses: true,
            has_causal_order: false,
            has_sagas: false,
            exceptions: QUEUE,
        },
        Profile {
            name: "causal-broadcast",
            promises: "what a process sends comes to everybody who reads where it was sent to, nothing else does, and \
                       never before what caused it",
            has_competing_consumers: false,
            keeps_delivered: true,
            accepts_excuses: true,
            has_causal_order: true,
            has_sagas: false,
            exceptions: &[
                (Anomaly::LostWrite, Note),
                (Anomaly::RedeliveryAfterAck, Note),
                (Anomaly::Unseen, Note),
                (Anomaly::GroupLoss, Note),
                (Anomaly::CommitAhead, OutOfScope),
                (Anomaly::CommitRegression, OutOfScope),
                (Anomaly::DualOwner, OutOfScope),
                (Anomaly::NonmonotonicSend, OutOfScope),
                (Anomaly::PollSkip, OutOfScope),
                (Anomaly::NonmonotonicPoll, OutOfScope),
            ],
        },
        Profile {
            name: "saga",
            promises: "a saga ends, with all of its steps done or with every done step compensated in reverse order, each \
                       effect once; what carries its messages delivers them at least once, in no promised order",
            has_competing_consumers: true,
            keeps_delivered: false,
            accepts_excuses: true,
            has_causal_order: false,
            has_sagas: true,
            exceptions: QUEUE,
        },
        Profile {
            name: "log-strict",
            promises: "every guarantee of a partitioned log that this oracle can check; its partitions have no causal order \
                       among them",
            has_competing_consumers: false,
            keeps_delivered: true,
            accepts_excuses: false,
            has_causal_order: false,
            has_sagas: false,
            exceptions: &[],
        },
    ];

    /// The profile of this name.
    ///
    /// # Errors
    /// [`UnknownProfileError`], which lists the names there are.
    pub fn named(name: &str) -> Result<&'static Profile, UnknownProfileError> {
        Self::ALL
            .iter()
            .find(|profile| profile.name == name)
            .ok_or_else(|| UnknownProfileError { name: name.to_owned() })
    }

    /// The names of all profiles, in the order of the docs.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::ALL.iter().map(|profile| profile.name)
    }

    /// How `anomaly` weighs.
    pub fn severity(&self, anomaly: Anomaly) -> Severity {
        if anomaly.guarantee() == Guarantee::CausalDelivery && !self.has_causal_order {
            return OutOfScope;
        }
        let exception = self.exceptions.iter().find(|(of, _)| *of == anomaly);
        exception.map_or(Severity::Violation, |(_, severity)| *severity)
    }

    /// A profile that fits what was recorded, and why it was taken.
    pub(crate) fn guess(evidence: &Evidence) -> (&'static Profile, &'static str) {
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
        assert_eq!(
            error.to_string(),
            "profile `kafak` is unknown; there are kafka, jetstream, redis-streams, work-queue, causal-broadcast, saga, log-strict"
        );
    }

    #[test]
    fn log_strict_makes_a_violation_of_every_anomaly_of_a_log() {
        let strict = Profile::named("log-strict").unwrap();
        let mut of_a_log =
            Anomaly::ALL.iter().filter(|anomaly| anomaly.guarantee() != Guarantee::CausalDelivery);
        assert!(of_a_log.all(|anomaly| strict.severity(*anomaly) == Severity::Violation));
    }

    #[test]
    fn saga_makes_a_violation_of_every_anomaly_of_sagas() {
        let saga = Profile::named("saga").unwrap();
        for anomaly in Anomaly::ALL.iter().filter(|of| of.is_of_sagas()) {
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
