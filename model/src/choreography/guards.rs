//! What keeps a choreography honest, and what each piece is for.

use lawspeaker_history::Guarantee;

use crate::guard::Guard;

/// Every guard of the model, in the order of the docs.
pub(super) const ALL: &[&Guard] = &[
    &TOMBSTONE,
    &DEDUP,
    &REMEMBER_REFUSAL,
    &CANCEL_GATE,
    &ATOMIC_PUBLISH,
    &REFUND_ON_CANCEL,
    &RELEASE_ON_PAYMENT_FAILURE,
];

/// What was cancelled stays cancelled.
pub static TOMBSTONE: Guard = Guard {
    bit: 0,
    name: "tombstone",
    upholds: Guarantee::SagaAtomicity,
    does: "a service that hears of a cancellation does not do its step from then on, even if it had not done it yet",
    without: "The cancellation came on another topic and overtook the event that asks for the step; there was nothing to \
              undo, and the service did the step afterwards, for an order that is no more.",
    seen_in: "Seata 1.5.1, TCC fence: empty rollback and suspension; services that subscribe to several topics",
    mask: None,
};

/// A repeat is no news.
pub static DEDUP: Guard = Guard {
    bit: 1,
    name: "dedup",
    upholds: Guarantee::EffectOnce,
    does: "a service that is delivered an event again does not do again what it did",
    without: "The service had acted on the event and its position was not stored yet; it read the event again, and acted \
              again.",
    seen_in: "at-least-once delivery as such; Richardson, *Microservices Patterns*, 2018, section 3.3 (idempotent consumers)",
    mask: None,
};

/// No means no.
pub static REMEMBER_REFUSAL: Guard = Guard {
    bit: 2,
    name: "remember-refusal",
    upholds: Guarantee::SagaAtomicity,
    does: "a service that refused its step refuses it for good",
    without: "The service remembers what it did and not what it refused; the event came again, meanwhile the step was \
              possible, and it did what it had told everybody it would not.",
    seen_in: "idempotence by `INSERT … ON CONFLICT DO NOTHING`, which keeps no record of a refusal",
    mask: None,
};

/// One decides.
pub static CANCEL_GATE: Guard = Guard {
    bit: 3,
    name: "cancel-gate",
    upholds: Guarantee::SagaAtomicity,
    does: "a cancellation is a request that shipping, the pivot, decides: it stops the order or has shipped it already",
    without: "The order was cancelled at once, and each service undid its step; but shipping had shipped already, or did not \
              know of it and shipped later.",
    seen_in: "shops whose *cancel* button sets a status; Richardson, *Microservices Patterns*, 2018, section 4.3 (the pivot)",
    mask: None,
};

/// What is done is said.
pub static ATOMIC_PUBLISH: Guard = Guard {
    bit: 4,
    name: "atomic-publish",
    upholds: Guarantee::SagaTermination,
    does: "a service writes its change and the event that tells of it in one transaction (an outbox)",
    without: "The service had done its step and crashed before it could say so; when it came back, the step was done, and \
              nobody will ever hear of it.",
    seen_in: "the dual-write problem: NServiceBus, *Outbox*; Debezium, *Reliable microservices data exchange*, 2019",
    mask: None,
};

/// What was paid for nothing is paid back.
pub static REFUND_ON_CANCEL: Guard = Guard {
    bit: 5,
    name: "refund-on-cancel",
    upholds: Guarantee::SagaAtomicity,
    does: "payments listens for cancellations, and refunds what it has charged",
    without: "The order was stopped after it was paid for, and nobody had told payments that this is its business.",
    seen_in: "a compensation that was forgotten: in a choreography, no one place lists them all",
    mask: None,
};

/// What is not paid for is given back.
pub static RELEASE_ON_PAYMENT_FAILURE: Guard = Guard {
    bit: 6,
    name: "release-on-payment-failure",
    upholds: Guarantee::SagaAtomicity,
    does: "inventory listens for declined payments, and releases what it has reserved",
    without: "The payment was declined, the order ended, and what was set aside for it stays set aside for ever.",
    seen_in: "stock that leaks with every declined card; a compensation that was forgotten",
    mask: None,
};
