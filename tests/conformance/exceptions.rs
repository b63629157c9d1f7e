//! Where a model's laws and the oracle say different things of one history, and why that is right.
//!
//! Each of these is met by [`agreement`](crate::agreement), which fails for one that is not, and for what is not here.

use lawspeaker_history::Guarantee;
use lawspeaker_history::Guarantee::{
    AtLeastOnce, CommitMonotonicity, CompensationOrder, Durability, KeyOrder, NoCreation, NoDeadlock,
    NoDuplication, PartitionOrder, ProducerOrder, SagaAtomicity, SingleOwner,
};

/// What no history shows, or not every one: a law is broken, and the oracle does not say so.
#[derive(Debug)]
pub(crate) struct Unseen {
    /// The model.
    pub(crate) model: &'static str,
    /// What is broken.
    pub(crate) guarantee: Guarantee,
    /// The guards without which it is.
    pub(crate) without: &'static [&'static str],
    /// Why it is not seen.
    pub(crate) why: &'static str,
}

impl Unseen {
    /// Whether this is why `guarantee` is not seen there.
    pub(crate) fn is_of(&self, model: &str, without: Option<&str>, guarantee: Guarantee) -> bool {
        self.model == model
            && self.guarantee == guarantee
            && without.is_some_and(|guard| self.without.contains(&guard))
    }

    /// The guards for which it is not met.
    pub(crate) fn idle(&self, is_met: impl Fn(&str) -> bool) -> impl Iterator<Item = String> {
        let Unseen { model, guarantee, without, .. } = self;
        let idle = without.iter().filter(move |guard| !is_met(guard));
        idle.map(move |guard| format!("{model} without {guard}: {guarantee}"))
    }
}

/// What a profile holds against a model that has no such law, or whose law says less.
#[derive(Debug)]
pub(crate) struct Beside {
    /// The model.
    pub(crate) model: &'static str,
    /// What is held against it.
    pub(crate) guarantee: Guarantee,
    /// The guard without which it is; `None` if whichever.
    pub(crate) without: Option<&'static str>,
    /// The profile.
    pub(crate) under: &'static str,
    /// Why it is.
    pub(crate) why: &'static str,
}

impl Beside {
    /// Whether this is why `under` holds `guarantee` against it.
    pub(crate) fn is_of(
        &self,
        model: &str,
        without: Option<&str>,
        guarantee: Guarantee,
        under: &str,
    ) -> bool {
        (self.model, self.guarantee, self.under) == (model, guarantee, under)
            && (self.without.is_none() || self.without == without)
    }
}

/// Whether it is known why a broken guarantee of the model may not be seen, whichever guard is removed.
pub(crate) fn may_be_unseen(model: &str, guarantee: Guarantee) -> bool {
    UNSEEN.iter().any(|unseen| unseen.model == model && unseen.guarantee == guarantee)
}

/// What the model's profile may hold against it with every guard in place.
pub(crate) fn is_beside(model: &str, guarantee: Guarantee) -> bool {
    BESIDE
        .iter()
        .any(|beside| beside.model == model && beside.guarantee == guarantee && beside.without.is_none())
}

/// Why nobody sees who waits for whom.
const WAITS: &str =
    "that somebody waits in vain is nothing that happens; what it keeps from happening is told as such";

const fn unseen(
    model: &'static str,
    guarantee: Guarantee,
    without: &'static [&'static str],
    why: &'static str,
) -> Unseen {
    Unseen { model, guarantee, without, why }
}

/// What histories do not show, by model.
pub(crate) const UNSEEN: &[Unseen] = &[
    unseen(
        "partition-log",
        NoCreation,
        &["checksum"],
        "the damaged event was lost with the power before anybody read it",
    ),
    unseen(
        "partition-log",
        NoDuplication,
        &["idempotence", "in-order-retry", "checksum"],
        "the copy was lost with the power before anybody read it",
    ),
    unseen(
        "partition-log",
        NoDuplication,
        &["keep-producer-state", "epoch-fence", "resume-from-log"],
        "the copies stand in two partitions, and the producer sent the event to both",
    ),
    unseen(
        "partition-log",
        ProducerOrder,
        &["idempotence", "in-order-retry", "stable-partitioner"],
        "the acknowledgement of one of the two was lost, came to the next incarnation, or named a copy: \
         nothing says which was sent first and where it stood",
    ),
    unseen(
        "partition-log",
        KeyOrder,
        &["keep-producer-state", "epoch-fence", "resume-from-log", "stable-partitioner"],
        "the sends overlap in time, or one of them was never acknowledged: they have no order to be broken",
    ),
    unseen(
        "partition-log",
        Durability,
        &["fsync-before-ack"],
        "the event is lost from one partition, and stands in another to which its producer sent it too",
    ),
    unseen(
        "partition-log",
        AtLeastOnce,
        &["retry"],
        "what was never acknowledged may be lost: that the producer gave it up is its own affair",
    ),
    unseen("partition-log", NoDeadlock, &["retry"], WAITS),
    unseen(
        "consumer-group",
        AtLeastOnce,
        &["commit-after-process", "stop-on-failure", "reset-to-committed"],
        "the group was given the event, which is what the oracle asks for; one whose effect comes after the commit, \
         or never, may be one that its consumer passes over",
    ),
    unseen(
        "consumer-group",
        AtLeastOnce,
        &["session-timeout"],
        "the group was given every event, and only the last commit is missing",
    ),
    unseen(
        "consumer-group",
        PartitionOrder,
        &["commit-after-process", "stop-on-failure", "reset-to-committed"],
        "the events were given to the group in order; that one of them has no effect may be what its consumer wants",
    ),
    unseen(
        "consumer-group",
        CommitMonotonicity,
        &["keep-offsets"],
        "nobody asked for the position while it was gone",
    ),
    unseen(
        "consumer-group",
        SingleOwner,
        &["fence-commit", "fence-effect"],
        "no member of the next generation had been heard of when something of the stale one was accepted",
    ),
    unseen("consumer-group", NoDeadlock, &["revoke-drop", "session-timeout"], WAITS),
    unseen(
        "causal-delivery",
        AtLeastOnce,
        &["skip-unsubscribed", "ack-barrier", "send-order", "wait-for-cause", "check-partition"],
        "a reader of no group that never came to an event may yet come to it, as far as a history says",
    ),
    unseen(
        "causal-delivery",
        NoDeadlock,
        &["skip-unsubscribed", "ack-barrier", "send-order", "check-partition"],
        WAITS,
    ),
    unseen(
        "saga",
        SagaAtomicity,
        &["persist-first", "recover"],
        "the saga never ends: what stands may yet be undone, and `saga-termination` is what is broken",
    ),
    unseen(
        "saga",
        CompensationOrder,
        &["idempotent-forward", "tombstone", "persist-first", "compensate-unknown", "correlate-replies"],
        "the later step was done after the compensation, or never compensated: that is held against \
         `saga-atomicity`, and only compensations have an order among them",
    ),
    unseen(
        "saga",
        Durability,
        &["persist-first"],
        "what an orchestrator has in its memory or in its log is not recorded; that the saga never ends is",
    ),
    unseen("saga", NoDeadlock, &["persist-first", "recover"], WAITS),
    unseen(
        "choreography",
        SagaAtomicity,
        &["tombstone", "remember-refusal"],
        "what was done though it had been refused or cancelled was undone in the end; that a service had heard of \
         it is not recorded, and a refused step may be tried again",
    ),
    unseen(
        "choreography",
        SagaAtomicity,
        &["atomic-publish"],
        "the order never ends: what stands may yet be undone, and `saga-termination` is what is broken",
    ),
    unseen("choreography", NoDeadlock, &["atomic-publish"], WAITS),
    unseen(
        "isolation",
        SagaAtomicity,
        &["delta-undo"],
        "what a record holds is not recorded; whose write was wiped out is, as `saga-isolation`",
    ),
    unseen("isolation", NoDeadlock, &["lock-order"], WAITS),
    unseen(
        "outbox",
        AtLeastOnce,
        &["atomic-outbox", "mark-after-publish", "lock-release"],
        "the event was never sent: that its change has no effect is held against `outbox-atomicity`",
    ),
    unseen(
        "outbox",
        AtLeastOnce,
        &["ack-after-effect"],
        "the effect came after the acknowledgement, or never: the first harms nobody, and the second is held \
         against `outbox-atomicity`",
    ),
    unseen(
        "outbox",
        KeyOrder,
        &["single-relay", "single-active-consumer"],
        "a queue promises no order, and the events have no offsets by which to see one",
    ),
    unseen("outbox", NoDeadlock, &["lock-release"], WAITS),
    unseen(
        "bounded-queues",
        AtLeastOnce,
        &["route-by-key"],
        "everything was taken and acknowledged; that it was set aside by whom it did not concern is not recorded",
    ),
    unseen("bounded-queues", NoDeadlock, &["defer", "dead-letter", "route-by-key", "credit"], WAITS),
    unseen(
        "saga-over-log",
        NoDuplication,
        &["idempotence"],
        "an observer of the saga does not see its log, only what comes of it",
    ),
    unseen(
        "saga-over-log",
        Durability,
        &["fsync-before-ack"],
        "an observer of the saga does not see its log, only what comes of it",
    ),
    unseen(
        "saga-over-log",
        AtLeastOnce,
        &["commit-after-process"],
        "an observer of the saga does not see its log, only what comes of it",
    ),
    unseen("saga-over-log", NoDeadlock, &["retry", "fsync-before-ack", "commit-after-process"], WAITS),
];

/// What profiles hold against models beside their laws.
pub(crate) const BESIDE: &[Beside] = &[
    Beside {
        model: "consumer-group",
        guarantee: SingleOwner,
        without: None,
        under: "log-strict",
        why: "this profile excuses nothing, not even that a member that was thrown out holds its partition until it \
              hears of it; under `kafka` that is a note",
    },
    Beside {
        model: "choreography",
        guarantee: CompensationOrder,
        without: None,
        under: "saga",
        why: "each service undoes its step when it hears of the cancellation, in no order; the profile promises the \
              order of the steps",
    },
    Beside {
        model: "saga-over-log",
        guarantee: SagaAtomicity,
        without: Some("idempotent-participant"),
        under: "saga",
        why: "a step that is done again after its compensation, and compensated again, is one that was done after \
              the saga had turned back, too; `effect-once`, which the law names, is listed under it",
    },
    Beside {
        model: "bounded-queues",
        guarantee: AtLeastOnce,
        without: Some("dead-letter"),
        under: "work-queue",
        why: "the law asks that orders are handled; to the oracle, what nobody knows and nobody takes was sent like \
              any other",
    },
];
