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
        "an event, acknowledged or read before, that a reader of everything passed by and did not find",
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
    StuckConsumer, "stuck-consumer", AtLeastOnce,
        "a reader that asks for one place again and again, to its end and with no fault to blame, and is not given the event there",
        "ours; the lag of a consumer that does not fall";
    DlqLoss, "dlq-loss", AtLeastOnce,
        "an event that was rejected, and neither delivered again nor dead-lettered when the recording ended",
        "ours; Hohpe and Woolf, Enterprise Integration Patterns, 2003: Dead Letter Channel";
    DlqEarly, "dlq-early", AtLeastOnce,
        "an event that was dead-lettered though it might have been delivered more often, and nobody had rejected it",
        "ours; the delivery limit of RabbitMQ's quorum queues, MaxDeliver of JetStream";
    CommitRegression, "commit-regression", CommitMonotonicity,
        "a group's committed position that falls although a higher one had been acknowledged or told before",
        "ours; Jepsen's histories hold no commits";
    CommitLost, "commit-lost", CommitMonotonicity,
        "a group's committed position that is gone although one had been acknowledged or told before",
        "ours; Kafka, KIP-211 and KAFKA-4682: offsets that expired under a live group";
    DualOwner, "dual-owner", SingleOwner,
        "two members of one group that hold a partition at once, the stale one not refused",
        "ours; Kafka's generation fencing, KIP-345";
    StaleGeneration, "stale-generation", SingleOwner,
        "a commit or acknowledgement that was accepted from a generation before the one that its group was in",
        "ours; Kafka's generation fencing, ILLEGAL_GENERATION";
    EarlyRedelivery, "early-redelivery", SingleOwner,
        "an event given to another member of a group before the time to acknowledge it was over, for no reason that is recorded",
        "ours; the visibility timeout of SQS, the ack wait of JetStream";
    ZombieWrite, "zombie-write", SingleOwner,
        "an event of a producer's epoch that was accepted although a later epoch had been fenced in before it was sent",
        "ours; Kafka, KIP-98 and KIP-360: INVALID_PRODUCER_EPOCH";
    ForeignDelivery, "foreign-delivery", SingleOwner,
        "an event delivered to a member from a partition that its group had not given it, or had taken from it",
        "ours; Kafka's ConsumerRebalanceListener contract";
    OffsetRegression, "offset-regression", TotalLog,
        "an event that stands below another one which was acknowledged before it was sent",
        "Redpanda, chaos testing: an offset at or below one known before the write began; Herlihy and Wing, 1990, for the order";
    ReplicaDivergence, "replica-divergence", TotalLog,
        "an event that the final read of one replica holds, and that of another passes by and does not",
        "Jepsen, NATS 2.12.1, 2025: acknowledged messages visible on some nodes only";
    RetentionViolation, "retention-violation", TotalLog,
        "an event that was read below the position that its log had been trimmed to",
        "ours; Kafka, KIP-107: DeleteRecords";
    CompactionViolation, "compaction-violation", TotalLog,
        "the last event of a key that is gone from where its log was compacted",
        "ours; Kafka, Log Compaction: the last known value of each key stays; etcd #18089, a delete that a compaction dropped";
    InconsistentOffsets, "inconsistent-offsets", TotalLog,
        "one offset at which two different events stand",
        "Jepsen, kafka: inconsistent-offsets";
    InvalidOffset, "invalid-offset", TotalLog,
        "an offset below zero, or one named in an acknowledgement at which the log holds another event",
        "ours; spurious zero offsets of Bufstream 0.1.0, as Jepsen reported them";
    Duplicate, "duplicate", NoDuplication,
        "one event that stands at two offsets of a partition",
        "Jepsen, kafka: duplicate";
    SeqDuplicate, "seq-duplicate", NoDuplication,
        "one sequence number of a producer's epoch under which two offsets of a partition were acknowledged",
        "ours; Kafka, KIP-98: DUPLICATE_SEQUENCE_NUMBER";
    DupDelivery, "dup-delivery", NoDuplication,
        "an event delivered again to a group, for no reason that is recorded: no crash, refusal, rebalance, fault or time-out",
        "Jepsen, total-queue: duplicated; Cachin, Guerraoui and Rodrigues, 2011: no duplication of perfect links";
    OverDelivery, "over-delivery", NoDuplication,
        "an event delivered to a group more often than it may be",
        "ours; the delivery limit of RabbitMQ's quorum queues, MaxDeliver of JetStream";
    Phantom, "phantom", NoCreation,
        "a delivered event that nobody sent",
        "ours; Jepsen's checker throws";
    FutureRead, "future-read", NoCreation,
        "an event that was read before its send was invoked",
        "ours; Jepsen, kafka, sees it as a cycle: G1c-realtime";
    Corrupt, "corrupt", NoCreation,
        "an event that was delivered with another content than it was sent with",
        "ours; integrity of broadcast: Hadzilacos and Toueg, 1994";
    Misrouted, "misrouted", NoCreation,
        "an event delivered from a partition that it was not sent to, or acknowledged in one",
        "ours; Jepsen's checker throws";
    NonmonotonicSend, "nonmonotonic-send", ProducerOrder,
        "an event that stands before an earlier one of the same producer, in the same partition",
        "Jepsen, kafka: nonmonotonic-send and int-nonmonotonic-send";
    SeqGap, "seq-gap", ProducerOrder,
        "an event that was accepted although the one of the sequence number before it surely was not",
        "ours; Kafka, KIP-98: OUT_OF_ORDER_SEQUENCE_NUMBER";
    KeyOrder, "key-order", KeyOrder,
        "an event that stands in another partition than the one of its key which the same producer had sent before",
        "ours; Kafka's default partitioner when a topic grows";
    PollSkip, "poll-skip", PartitionOrder,
        "a reader that steps over an offset at which an event stands",
        "Jepsen, kafka: poll-skip and int-poll-skip";
    NonmonotonicPoll, "nonmonotonic-poll", PartitionOrder,
        "a reader that steps back in a partition",
        "Jepsen, kafka: nonmonotonic-poll and int-nonmonotonic-poll";
    FetchGap, "fetch-gap", PartitionOrder,
        "a poll that was given a later offset than the one it asked for, at which an event stands",
        "ours; Kafka's fetch: the records from the fetch offset on";
    ResumeViolation, "resume-violation", PartitionOrder,
        "a poll that was given an earlier offset than the one it asked for",
        "etcd, API guarantees: resumable; Kafka's fetch: the records from the fetch offset on";
    EmptyBelowHw, "empty-below-hw", PartitionOrder,
        "a poll that was given nothing below the offset up to which, as it was told, everything can be read",
        "ours; Kafka's high watermark and last stable offset";
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
    G0, "G0", TransactionAtomicity,
        "committed transactions whose events stand before one another's in a circle, each in another partition",
        "Adya, Weak Consistency, 1999, section 3.1: write cycle; Jepsen, kafka: G0";
    G1b, "G1b", TransactionAtomicity,
        "an event that was read before its transaction began to commit",
        "Adya, Weak Consistency, 1999, section 3.1: intermediate read; Kafka, KIP-98: a read beyond the last stable offset";
    G1c, "G1c", TransactionAtomicity,
        "committed transactions of which each read what another one sent, or stands behind it, in a circle that holds a read",
        "Adya, Weak Consistency, 1999, section 3.1: circular information flow; Jepsen, kafka: G1c";
    TornTransaction, "torn-transaction", TransactionAtomicity,
        "a committed transaction of which one event can be read and another is lost",
        "ours; Kafka, KIP-890: a late commit or abort that hits another transaction";
    CommitHitsLaterTransaction, "commit-hits-later-transaction", TransactionAtomicity,
        "an aborted transaction that can be read, and the next one of its producer, committed and lost",
        "ours; Kafka, KIP-890: the end of one transaction is applied to the next";
    OffsetsNotAtomic, "offsets-not-atomic", TransactionAtomicity,
        "a position of a group that was committed in a transaction which was aborted, and is in force all the same",
        "ours; Kafka, KIP-98: sendOffsetsToTransaction";
    PrecommittedRead, "precommitted-read", TransactionAtomicity,
        "a transaction that read what it had sent itself",
        "Jepsen, kafka: precommitted-read";
    EosDuplicate, "eos-duplicate", TransactionAtomicity,
        "one event that two committed transactions of a group took as their input, and that both sent something for",
        "ours; Redpanda #10669; Kafka, KIP-129 and KIP-447: exactly once from read to write";
    EffectDuplicated, "effect-duplicated", EffectOnce,
        "an event whose effect happened twice in one group, or at one process that is in none",
        "ours; Hohpe and Woolf, Enterprise Integration Patterns, 2003: Idempotent Receiver";
    DoubleStep, "double-step", EffectOnce,
        "a step of a saga whose effect happened twice",
        "ours; Garcia-Molina and Salem, Sagas, 1987: each transaction runs once";
    DoubleCompensation, "double-compensation", EffectOnce,
        "a step of a saga whose compensation happened twice",
        "ours; Garcia-Molina and Salem, Sagas, 1987: each compensation runs once";
    EffectWithoutChange, "effect-without-change", OutboxAtomicity,
        "an effect of an event whose change of state surely did not happen",
        "ours; the dual write, told before its transaction commits: Richardson, Microservices Patterns, 2018, section 3.3.7";
    ChangeWithoutEffect, "change-without-effect", OutboxAtomicity,
        "a change of state whose event had no effect when nothing was under way any more",
        "ours; the dual write, not told after its transaction committed: Richardson, Microservices Patterns, 2018, section 3.3.7";
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
    DirtyRead, "dirty-read", SagaIsolation,
        "a step that read what a saga had written which went back afterwards",
        "Richardson, Microservices Patterns, 2018, section 4.3.1; Berenson et al., A Critique of ANSI SQL Isolation Levels, 1995: P1";
    LostUpdate, "lost-update", SagaIsolation,
        "a compensation that put an older value back over what a committed saga had written",
        "Richardson, Microservices Patterns, 2018, section 4.3.1; Berenson et al., A Critique of ANSI SQL Isolation Levels, 1995: P4";
    LostConcurrencyCheck, "lost-concurrency-check", StreamConsistency,
        "an append that was accepted at another version than the one that it expected",
        "ours; Kung and Robinson, On Optimistic Methods for Concurrency Control, 1981; Young, CQRS Documents, 2010";
    VersionConflict, "version-conflict", StreamConsistency,
        "one version of a stream at which two different events stand",
        "ours; inconsistent-offsets, of streams";
    VersionGap, "version-gap", StreamConsistency,
        "a reader of a stream that steps over a version within one read",
        "ours; int-poll-skip, of streams";
    GlobalOrderViolation, "global-order-violation", StreamConsistency,
        "two events of a stream that stand the other way round in the order of all events",
        "ours; sequence numbers that are drawn before their transactions commit, or on several nodes";
    ProjectionSkip, "projection-skip", StreamConsistency,
        "an event that a projection went past and never took",
        "ours; readers that go by the highest number they saw, while a lower one is still to be committed";
    ProjectionDuplicate, "projection-duplicate", StreamConsistency,
        "an event that a projection took twice",
        "ours; effect-duplicated, of projections";
    SnapshotDivergence, "snapshot-divergence", StreamConsistency,
        "two snapshots of one stream at one version, of one projection, that are not equal",
        "ours; Young, CQRS Documents, 2010: a snapshot is a fold of its stream, and a fold is a function";
    Deadlock, "deadlock", NoDeadlock,
        "processes that wait for answers which never come, when nothing is under way any more",
        "Coffman, Elphick and Shoshani, System Deadlocks, 1971";
}

/// What has to be recorded for an anomaly to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// Events that are sent and delivered: whatever runs, runs on these.
    Events,
    /// Changes of state that owe events.
    Outbox,
    /// Sagas, their steps and compensations.
    Sagas,
    /// Streams of events with versions.
    Streams,
}

impl Subject {
    /// What a system may run beside events.
    pub const RUN: [Subject; 3] = [Subject::Outbox, Subject::Sagas, Subject::Streams];

    /// The name in profiles, such as `sagas`.
    pub const fn name(self) -> &'static str {
        match self {
            Subject::Events => "events",
            Subject::Outbox => "outbox",
            Subject::Sagas => "sagas",
            Subject::Streams => "streams",
        }
    }
}

impl FromStr for Subject {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Self::RUN.into_iter().find(|subject| subject.name() == name).ok_or(())
    }
}

impl Anomaly {
    /// What has to be recorded for it to show.
    pub fn subject(self) -> Subject {
        match self.guarantee() {
            Guarantee::EffectOnce if self != Anomaly::EffectDuplicated => Subject::Sagas,
            Guarantee::OutboxAtomicity => Subject::Outbox,
            Guarantee::StreamConsistency => Subject::Streams,
            Guarantee::SagaAtomicity
            | Guarantee::CompensationOrder
            | Guarantee::SagaTermination
            | Guarantee::SagaIsolation => Subject::Sagas,
            _ => Subject::Events,
        }
    }

    /// Whether no kind of system promises that it does not happen, so that it is a note where a profile says nothing.
    pub fn is_never_promised(self) -> bool {
        self == Anomaly::G0
    }
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
