//! What keeps a consumer group honest, and what each piece is for.

use lawspeaker_history::Guarantee;

use crate::guard::Guard;

/// Every guard of the model, in the order of the docs.
pub(super) const ALL: &[&Guard] = &[
    &COMMIT_AFTER_PROCESS,
    &STOP_ON_FAILURE,
    &DEDUP,
    &FENCE_COMMIT,
    &FENCE_EFFECT,
    &REVOKE_DROP,
    &RESET_TO_COMMITTED,
    &REVOKE_BARRIER,
    &KEEP_OFFSETS,
    &SESSION_TIMEOUT,
];

/// The work comes before the promise.
pub static COMMIT_AFTER_PROCESS: Guard = Guard {
    bit: 0,
    name: "commit-after-process",
    upholds: Guarantee::AtLeastOnce,
    does: "a member commits an offset only when it has processed every event below it",
    without: "The commit moved the restart point past work that was not done; if the member dies now, nobody will ever \
              do it.",
    seen_in: "auto-commit on a timer (franz-go #57: committed on an unclean kill); commit-then-process consumers",
    mask: None,
};

/// A failure is not a success.
pub static STOP_ON_FAILURE: Guard = Guard {
    bit: 1,
    name: "stop-on-failure",
    upholds: Guarantee::PartitionOrder,
    does: "a member that cannot process an event reads it again instead of going on to the next",
    without: "The handler failed, the error was logged, and the loop went on to the next event; the commit that follows \
              covers the hole, so nobody will fill it.",
    seen_in: "every `catch (e) { log(e) }` around a handler; alpakka-kafka #750",
    mask: None,
};

/// An effect happens once.
pub static DEDUP: Guard = Guard {
    bit: 2,
    name: "dedup",
    upholds: Guarantee::EffectOnce,
    does: "an effect remembers which events it has seen and ignores a second delivery",
    without: "The event was processed, but its commit never happened; whoever reads it next processes it again.",
    seen_in: "at-least-once delivery as such (ruby-kafka #824); idempotent consumers are the cure",
    mask: None,
};

/// The coordinator knows who is who.
pub static FENCE_COMMIT: Guard = Guard {
    bit: 3,
    name: "fence-commit",
    upholds: Guarantee::CommitMonotonicity,
    does: "the coordinator refuses a commit that does not come from a member of the current generation",
    without: "The session of the first member had ended and another went on; then the first one's late commit arrived \
              and overwrote the newer offset.",
    seen_in: "alpakka-kafka #118 and #1121; Iggy #3668 (a late offset store hits a group that was left)",
    mask: None,
};

/// The world outside knows who is who.
pub static FENCE_EFFECT: Guard = Guard {
    bit: 4,
    name: "fence-effect",
    upholds: Guarantee::SingleOwner,
    does: "an effect is refused when it does not come from a member of the current generation (a fencing token)",
    without: "The member was thrown out while it worked, does not know, and its effect is let through. Where effects \
              do not deduplicate either, the event then has two.",
    seen_in: "the motivation of KIP-447; Kleppmann, *How to do distributed locking*, 2016 (fencing tokens)",
    mask: None,
};

/// What was lost is let go.
pub static REVOKE_DROP: Guard = Guard {
    bit: 5,
    name: "revoke-drop",
    upholds: Guarantee::CommitMonotonicity,
    does: "a member that gives a partition up also lets go of the event it has in hand from it",
    without: "The member kept the event across the rebalance and committed it later, in the new generation: no fence \
              stops a commit whose generation is right.",
    seen_in: "librdkafka #2782 (offsets reset during a rebalance); sentry #10837; snuba #643",
    mask: None,
};

/// The group's memory counts, not the member's.
pub static RESET_TO_COMMITTED: Guard = Guard {
    bit: 6,
    name: "reset-to-committed",
    upholds: Guarantee::PartitionOrder,
    does: "a member that is given a partition starts at the committed offset, whatever it remembers of earlier",
    without: "The member had owned the partition before and went on where it had been, past an event that it had \
              dropped unprocessed.",
    seen_in: "fs2-kafka #1502 and its family",
    mask: None,
};

/// One lets go before the other takes.
pub static REVOKE_BARRIER: Guard = Guard {
    bit: 7,
    name: "revoke-barrier",
    upholds: Guarantee::SingleOwner,
    does: "a partition goes to its next owner only when the last one has let go of it, or is gone",
    without: "The new owner was told at once, and the old one had not heard yet: both hold the partition.",
    seen_in: "KIP-429 and KIP-848, which demand the barrier; Iggy #2734 (partitions moved at once: duplicates)",
    mask: None,
};

/// The group's memory lasts.
pub static KEEP_OFFSETS: Guard = Guard {
    bit: 8,
    name: "keep-offsets",
    upholds: Guarantee::CommitMonotonicity,
    does: "committed offsets are kept for as long as the group is in use",
    without: "The retention of the offset ran out while the group was idle or slow, and the group begins anew.",
    seen_in: "KIP-211, KAFKA-4682 (offsets expired under a live group)",
    mask: None,
};

/// The dead are noticed.
pub static SESSION_TIMEOUT: Guard = Guard {
    bit: 9,
    name: "session-timeout",
    upholds: Guarantee::NoDeadlock,
    does: "the coordinator ends the session of a member that is silent, and gives its partitions to others",
    without: "The member crashed, its partitions stay its own, and nobody else may read them.",
    seen_in: "tansu 0.6.0 (a group that stays stuck after its members were killed); consumers without heartbeats",
    mask: None,
};
