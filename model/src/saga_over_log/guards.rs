//! What each layer gives to the one above, and what each piece is for.

use lawspeaker_history::Guarantee;

use crate::guard::Guard;

/// Every guard of the model, in the order of the docs.
pub(super) const ALL: &[&Guard] = &[
    &RETRY,
    &IDEMPOTENCE,
    &FSYNC_BEFORE_ACK,
    &COMMIT_AFTER_PROCESS,
    &PARTITION_BY_PARTICIPANT,
    &IDEMPOTENT_PARTICIPANT,
];

/// What is sent arrives, or is sent again.
pub static RETRY: Guard = Guard {
    bit: 0,
    name: "retry",
    upholds: Guarantee::SagaTermination,
    does: "a producer sends a message again until it is acknowledged",
    without: "The request was lost and nobody sent it again. The saga takes it for under way, and waits for an answer to what \
              was never asked.",
    seen_in: "Kafka producers with `retries=0`, and every send whose error callback only logs",
    mask: None,
};

/// A repeat is no news to the log.
pub static IDEMPOTENCE: Guard = Guard {
    bit: 1,
    name: "idempotence",
    upholds: Guarantee::NoDuplication,
    does: "the broker recognises a message that its producer sends again, and does not append it again",
    without: "The acknowledgement was lost, the message was sent again, and stands in the log twice. To the saga that is all \
              the same: its participants have to know repeats in any case.",
    seen_in: "every at-least-once producer before KIP-98",
    mask: None,
};

/// Acknowledged is on disk.
pub static FSYNC_BEFORE_ACK: Guard = Guard {
    bit: 2,
    name: "fsync-before-ack",
    upholds: Guarantee::Durability,
    does: "the broker acknowledges a message only once it is synced to disk",
    without: "The broker acknowledged the command, lost power and with it the command. Nobody sends it again, as everybody \
              believes it to be there.",
    seen_in: "NATS JetStream 2.12.1 by default (Jepsen 2025, nats-server #7564): it syncs every two minutes",
    mask: None,
};

/// Committed is done.
pub static COMMIT_AFTER_PROCESS: Guard = Guard {
    bit: 3,
    name: "commit-after-process",
    upholds: Guarantee::AtLeastOnce,
    does: "a consumer commits a message only when it has processed it and its answer is acknowledged",
    without: "The participant committed the command before it had acted on it; if it crashes now, it begins after the command, \
              and the saga waits for an answer for ever.",
    seen_in: "auto-commit on a timer (franz-go #57); commit-then-process consumers",
    mask: None,
};

/// Who is asked to undo was asked to do before.
pub static PARTITION_BY_PARTICIPANT: Guard = Guard {
    bit: 4,
    name: "partition-by-participant",
    upholds: Guarantee::SagaAtomicity,
    does: "a command and its compensation travel in one partition, and so arrive in order",
    without: "The compensation has a topic of its own and overtook the command; there was nothing to undo yet, and the command \
              was done afterwards. The participant keeps no tombstone, as it trusted in the order.",
    seen_in: "a topic for commands and one for compensations; Seata 1.5.1, TCC fence, where no order can be trusted in",
    mask: None,
};

/// A repeat is no news to the participant.
pub static IDEMPOTENT_PARTICIPANT: Guard = Guard {
    bit: 5,
    name: "idempotent-participant",
    upholds: Guarantee::EffectOnce,
    does: "a participant that is asked again answers as it did the first time, and does nothing",
    without: "The participant crashed after the effect and before the commit, read the command again, and did it again: no \
              producer and no broker can prevent that.",
    seen_in: "Saltzer, Reed and Clark, *End-to-end arguments in system design*, 1984 (duplicate suppression)",
    mask: None,
};
