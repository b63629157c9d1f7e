//! The ways in which a broken guarantee shows in a history.

use std::fmt;
use std::str::FromStr;

use lawspeaker_history::Guarantee;

macro_rules! anomalies {
    ($($variant:ident, $name:literal, $guarantee:ident, $is:literal, $source:literal;)*) => {
        /// How a broken guarantee shows. The order of the variants is the order of reports.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Anomaly {
            $(#[doc = $is] $variant,)*
        }

        impl Anomaly {
            /// Every anomaly that this crate looks for.
            pub const ALL: &'static [Anomaly] = &[$(Anomaly::$variant,)*];

            /// The name in reports, in JSON and in file names, such as `lost-write`.
            pub const fn name(self) -> &'static str {
                match self { $(Anomaly::$variant => $name,)* }
            }

            /// The guarantee that it breaks.
            pub const fn guarantee(self) -> Guarantee {
                match self { $(Anomaly::$variant => Guarantee::$guarantee,)* }
            }

            /// Whether only sagas can show it.
            pub fn is_of_sagas(self) -> bool {
                matches!(
                    self.guarantee(),
                    Guarantee::EffectOnce
                        | Guarantee::SagaAtomicity
                        | Guarantee::CompensationOrder
                        | Guarantee::SagaTermination
                )
            }

            /// What it is, as one clause.
            pub const fn definition(self) -> &'static str {
                match self { $(Anomaly::$variant => $is,)* }
            }

            /// Whose notion it is.
            pub const fn source(self) -> &'static str {
                match self { $(Anomaly::$variant => $source,)* }
            }
        }
    };
}

anomalies! {
    LostWrite, "lost-write", Durability,
        "an acknowledged event that a reader of everything passed by and did not find",
        "Jepsen, kafka: lost-write; extended by final reads";
    RedeliveryAfterAck, "redelivery-after-ack", Durability,
        "an event delivered again to a group although its acknowledgement had been confirmed before",
        "ours; Queue checkers of Jepsen stop at the first delivery";
    Unseen, "unseen", AtLeastOnce,
        "an acknowledged event that nobody had read when the recording ended",
        "Jepsen, kafka: unseen";
    GroupLoss, "group-loss", AtLeastOnce,
        "an acknowledged event that a consumer group went past, or ended without, and never received",
        "ours; Jepsen's checker looks at no group";
    CommitAhead, "commit-ahead", AtLeastOnce,
        "a commit or acknowledgement of what was never delivered to the group",
        "ours; see Kafka, KIP-211 and the consumer's position contract";
    CommitRegression, "commit-regression", CommitMonotonicity,
        "a group's committed position that falls although a higher one had been acknowledged or told before",
        "ours; Jepsen's histories hold no commits";
    DualOwner, "dual-owner", SingleOwner,
        "two members of one group that hold a partition at once, the stale one not refused",
        "ours; Kafka's generation fencing, KIP-345";
    InconsistentOffsets, "inconsistent-offsets", TotalLog,
        "one offset at which two different events stand",
        "Jepsen, kafka: inconsistent-offsets";
    InvalidOffset, "invalid-offset", TotalLog,
        "an offset below zero, or one named in an acknowledgement at which the log holds another event",
        "ours; spurious zero offsets of Bufstream 0.1.0, as Jepsen reported them";
    Duplicate, "duplicate", NoDuplication,
        "one event that stands at two offsets of a partition",
        "Jepsen, kafka: duplicate";
    Phantom, "phantom", NoCreation,
        "a delivered event that nobody sent",
        "ours; Jepsen's checker throws";
    Misrouted, "misrouted", NoCreation,
        "an event delivered from a partition that it was not sent to",
        "ours; Jepsen's checker throws";
    NonmonotonicSend, "nonmonotonic-send", ProducerOrder,
        "an event that stands before an earlier one of the same producer, in the same partition",
        "Jepsen, kafka: nonmonotonic-send and int-nonmonotonic-send";
    PollSkip, "poll-skip", PartitionOrder,
        "a reader that steps over an offset at which an event stands",
        "Jepsen, kafka: poll-skip and int-poll-skip";
    NonmonotonicPoll, "nonmonotonic-poll", PartitionOrder,
        "a reader that steps back in a partition",
        "Jepsen, kafka: nonmonotonic-poll and int-nonmonotonic-poll";
    CausalInversion, "causal-inversion", CausalDelivery,
        "an effect delivered to a consumer before its cause",
        "ours; Bouajjani, Enea, Guerraoui and Hamza, POPL 2017, for causal consistency";
    MissingCause, "missing-cause", CausalDelivery,
        "an effect delivered to a consumer that never received its cause, though it read the cause's partition",
        "ours; the other half of causal-inversion";
    CausalityCycle, "causality-cycle", CausalDelivery,
        "an event that names as its cause what came only after it",
        "Bouajjani et al., POPL 2017: CyclicCO";
    ThinAir, "thin-air", CausalDelivery,
        "an event that names a cause which nobody sent",
        "ours; Bouajjani et al., POPL 2017: ThinAirRead, of recorded causes";
    ClockMismatch, "clock-mismatch", CausalDelivery,
        "a vector clock that is not above that of what its process had sent or been delivered",
        "ours; Schwarz and Mattern, 1994, for what a clock must hold";
    ReadYourWrites, "read-your-writes", CausalDelivery,
        "a reader that passes over what it was told it had written",
        "Terry et al., Session Guarantees, 1994";
    MonotonicReads, "monotonic-reads", CausalDelivery,
        "a reader that reads again and no longer finds what it had read",
        "Terry et al., Session Guarantees, 1994";
    MonotonicWrites, "monotonic-writes", CausalDelivery,
        "a write delivered to a consumer before an earlier one of the same process",
        "Terry et al., Session Guarantees, 1994";
    WritesFollowReads, "writes-follow-reads", CausalDelivery,
        "a write delivered to a consumer before something that its writer had been delivered",
        "Terry et al., Session Guarantees, 1994";
    G1a, "G1a", TransactionAtomicity,
        "an event that can be read although its send failed",
        "Adya, Weak Consistency, 1999, section 3.1: aborted read";
    DoubleStep, "double-step", EffectOnce,
        "a step of a saga whose effect happened twice",
        "ours; Garcia-Molina and Salem, Sagas, 1987: each transaction runs once";
    DoubleCompensation, "double-compensation", EffectOnce,
        "a step of a saga whose compensation happened twice",
        "ours; Garcia-Molina and Salem, Sagas, 1987: each compensation runs once";
    UncompensatedStep, "uncompensated-step", SagaAtomicity,
        "a done step that nothing had compensated when its saga ended aborted, or came to rest after it had turned back",
        "Garcia-Molina and Salem, Sagas, 1987: partial executions are undesirable";
    TornSaga, "torn-saga", SagaAtomicity,
        "a saga that ended committed though a declared step was not done, or a done one was compensated",
        "ours; Garcia-Molina and Salem, Sagas, 1987: neither T1 to Tn nor T1 to Tj and Cj to C1";
    CommitAndAbort, "commit-and-abort", SagaAtomicity,
        "a saga that ended both committed and aborted",
        "ours; Gray, Notes on Data Base Operating Systems, 1978, for the same of two-phase commit";
    CompensationWithoutStep, "compensation-without-step", SagaAtomicity,
        "a compensation of a step that surely was not done before",
        "ours; Garcia-Molina and Salem, Sagas, 1987: Ci only after Ti";
    CompensatedAfterPivot, "compensated-after-pivot", SagaAtomicity,
        "a step that was compensated though the declared pivot had succeeded",
        "ours; Mehrotra et al., ICDCS 1992, for pivot transactions";
    StepAfterAbort, "step-after-abort", SagaAtomicity,
        "a step that was done after its compensation, or after its saga had ended aborted",
        "ours; the late command that a tombstone has a participant refuse";
    OrphanReply, "orphan-reply", SagaAtomicity,
        "an outcome in a saga that nobody started, or of a step that its saga does not declare",
        "ours; phantom, of sagas";
    CompensationOrder, "compensation-order", CompensationOrder,
        "a step compensated before one that was done after it",
        "Garcia-Molina and Salem, Sagas, 1987: Cj to C1";
    StuckSaga, "stuck-saga", SagaTermination,
        "a saga that began, and had not ended when nothing was under way any more",
        "ours; Garcia-Molina and Salem, Sagas, 1987: every saga is completed or rolled back";
}

impl fmt::Display for Anomaly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Anomaly {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Self::ALL.iter().copied().find(|anomaly| anomaly.name() == name).ok_or(())
    }
}

impl serde::Serialize for Anomaly {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_back_as_its_anomaly() {
        for anomaly in Anomaly::ALL {
            assert_eq!(anomaly.name().parse(), Ok(*anomaly));
        }
        assert_eq!("lost-wirte".parse::<Anomaly>(), Err(()));
    }
}
