//! What keeps an outbox honest, and what each piece is for.

use lawspeaker_history::Guarantee;

use crate::guard::Guard;

/// Every guard of the model, in the order of the docs.
pub(super) const ALL: &[&Guard] = &[
    &ATOMIC_OUTBOX,
    &MARK_AFTER_PUBLISH,
    &LOCK_RELEASE,
    &SINGLE_RELAY,
    &SINGLE_ACTIVE_CONSUMER,
    &INBOX,
    &INBOX_ATOMIC,
    &INBOX_KEEP,
    &ACK_AFTER_EFFECT,
];

/// What is changed is said.
pub static ATOMIC_OUTBOX: Guard = Guard {
    bit: 0,
    name: "atomic-outbox",
    upholds: Guarantee::OutboxAtomicity,
    does: "the service writes its change and the row that owes the event in one transaction",
    without: "The state was stored and the event published one after the other (a dual write), and the second half never \
              came: what is changed and was not said, or said and was not changed, stays so.",
    seen_in: "the dual-write problem: NServiceBus, *Outbox* (zombie records, ghost messages); Debezium, *Reliable \
              microservices data exchange*, 2019",
    mask: None,
};

/// Sent is what was sent.
pub static MARK_AFTER_PUBLISH: Guard = Guard {
    bit: 1,
    name: "mark-after-publish",
    upholds: Guarantee::OutboxAtomicity,
    does: "a relay marks a row as sent only when its event is published",
    without: "The row was marked first; the relay crashed before it had published, and the next one passes over the row.",
    seen_in: "relays that delete the rows they read in the transaction in which they read them, and publish afterwards",
    mask: None,
};

/// The dead hold no locks.
pub static LOCK_RELEASE: Guard = Guard {
    bit: 2,
    name: "lock-release",
    upholds: Guarantee::NoDeadlock,
    does: "a row that a relay has locked is free again when that relay is gone",
    without: "The relay crashed with the row in hand. Its lock is a value in a column and not the transaction's, so that \
              nobody lifts it, and the row waits for a relay that is no more.",
    seen_in: "tables of jobs with a `locked_by` column that nobody clears",
    mask: None,
};

/// One publishes at a time.
pub static SINGLE_RELAY: Guard = Guard {
    bit: 3,
    name: "single-relay",
    upholds: Guarantee::KeyOrder,
    does: "a relay locks a row only while no other relay is at work",
    without: "Two relays skipped one another's locked rows, each published its own, and the later change came out first.",
    seen_in: "`FOR UPDATE SKIP LOCKED` with several relays: kgrzybek sample #15; gruelbox/transaction-outbox #198; \
              aws-samples outbox #6; wolverine #722",
    mask: None,
};

/// One consumes at a time.
pub static SINGLE_ACTIVE_CONSUMER: Guard = Guard {
    bit: 4,
    name: "single-active-consumer",
    upholds: Guarantee::KeyOrder,
    does: "the queue hands out a message only while no other message is with a worker",
    without: "The queue kept the order, and two workers took one message each (competing consumers); the one with the \
              later change was faster.",
    seen_in: "several workers on one queue; Pulsar Key_Shared #6554, #7106, #12885, #20179, whose order per key was lost",
    mask: None,
};

/// A repeat is no news.
pub static INBOX: Guard = Guard {
    bit: 5,
    name: "inbox",
    upholds: Guarantee::EffectOnce,
    does: "a worker looks each event up among those that were handled before, and does nothing where it finds it",
    without: "The effect had happened and the worker crashed before it could acknowledge; the message was handed out again, \
              and nobody remembered.",
    seen_in: "at-least-once delivery as such; Richardson, *Microservices Patterns*, 2018, section 3.3 (idempotent consumers)",
    mask: None,
};

/// What is done is noted.
pub static INBOX_ATOMIC: Guard = Guard {
    bit: 6,
    name: "inbox-atomic",
    upholds: Guarantee::EffectOnce,
    does: "a worker looks the event up, lets the effect happen and notes it in one transaction",
    without: "The inbox was asked first, the effect happened, and the note was to follow; the crash came in between, and the \
              inbox knows nothing of it.",
    seen_in: "`if !seen(id) { handle(); remember(id) }`, in Redis or anywhere outside the effect's own transaction",
    mask: None,
};

/// Who may ask again must be remembered.
pub static INBOX_KEEP: Guard = Guard {
    bit: 7,
    name: "inbox-keep",
    upholds: Guarantee::EffectOnce,
    does: "the inbox keeps an event for as long as it may be delivered again",
    without: "The inbox forgot the event while its message was still unacknowledged, and the repeat was news to it.",
    seen_in: "windows of deduplication: five minutes in SQS FIFO queues, an hour or a week in NServiceBus's outboxes",
    mask: None,
};

/// Done is what was done.
pub static ACK_AFTER_EFFECT: Guard = Guard {
    bit: 8,
    name: "ack-after-effect",
    upholds: Guarantee::AtLeastOnce,
    does: "a worker acknowledges a message only when its effect has happened",
    without: "The queue was told that the message is done, and forgot it; if the worker crashes now, it is lost.",
    seen_in: "RabbitMQ's automatic acknowledgement; JetStream's AckNone",
    mask: None,
};
