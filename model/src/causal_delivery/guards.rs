//! What keeps delivery causal and alive, and what each piece is for.

use lawspeaker_history::Guarantee;

use crate::guard::Guard;

/// Every guard of the model, in the order of the docs.
pub(super) const ALL: &[&Guard] = &[
    &CHECK_DEPS,
    &FULL_DEPS,
    &SKIP_UNSUBSCRIBED,
    &ACK_BARRIER,
    &SEND_ORDER,
    &HEAD_OF_LINE,
    &WAIT_FOR_CAUSE,
    &IDEMPOTENCE,
    &CHECK_PARTITION,
];

/// The effect waits for its cause.
pub static CHECK_DEPS: Guard = Guard {
    bit: 0,
    name: "check-deps",
    upholds: Guarantee::CausalDelivery,
    does: "a service delivers an event only when it has delivered the events that this one depends on",
    without: "Two partitions are read at two speeds; what was read first was delivered first, although its cause stood in \
              the other partition, unread.",
    seen_in: "every consumer of two topics of which one answers the other (a payment before its order)",
    mask: None,
};

/// All that was seen is a cause.
pub static FULL_DEPS: Guard = Guard {
    bit: 1,
    name: "full-deps",
    upholds: Guarantee::CausalDelivery,
    does: "an event carries everything that its service had emitted or delivered before, and the causes of that",
    without: "The event named one cause, the one that it answers. Its service had seen more than that when it spoke, and \
              the reader was told nothing of it.",
    seen_in: "a single causation id, as message-bus libraries and the metadata of event stores carry it",
    mask: None,
};

/// What will never come is not waited for.
pub static SKIP_UNSUBSCRIBED: Guard = Guard {
    bit: 2,
    name: "skip-unsubscribed",
    upholds: Guarantee::NoDeadlock,
    does: "a service does not wait for causes in partitions that it does not read",
    without: "The event depends on one in a partition that the service does not read. It waits for what nobody will ever \
              send it.",
    seen_in: "vector clocks that count senders one does not listen to; overlapping groups in Birman, Schiper and Stephenson 1991",
    mask: None,
};

/// Nothing is sent on before what it rests on is there.
pub static ACK_BARRIER: Guard = Guard {
    bit: 3,
    name: "ack-barrier",
    upholds: Guarantee::NoDeadlock,
    does: "a service sends to another partition only when all that it sent before is acknowledged",
    without: "Two services sent to two partitions without waiting. Each partition kept each sender's order, and yet in \
              both logs an effect stands ahead of what the cause in the other log is waiting behind.",
    seen_in: "asynchronous producers to several partitions, idempotent ones too; found by this model",
    mask: None,
};

/// One after the other.
pub static SEND_ORDER: Guard = Guard {
    bit: 4,
    name: "send-order",
    upholds: Guarantee::NoDeadlock,
    does: "a service's events reach a partition in the order in which it sent them",
    without: "The second event overtook the first on the way to the log. Whoever reads the log in order meets the effect \
              first, and will not come past it to the cause behind.",
    seen_in: "several requests in flight without idempotence (sarama #2619, #2860; apache/kafka PR 10690)",
    mask: None,
};

/// No overtaking within a partition.
pub static HEAD_OF_LINE: Guard = Guard {
    bit: 5,
    name: "head-of-line",
    upholds: Guarantee::PartitionOrder,
    does: "a service delivers a partition in the order of its log, and waits where an event has to wait",
    without: "The event had to wait for its cause and was held back, and the one after it was not: a hold-back queue never \
              gets stuck, and delivers a partition out of order.",
    seen_in: "the hold-back queue of Birman, Schiper and Stephenson 1991, which knows no partitions to keep in order",
    mask: None,
};

/// Patience.
pub static WAIT_FOR_CAUSE: Guard = Guard {
    bit: 6,
    name: "wait-for-cause",
    upholds: Guarantee::AtLeastOnce,
    does: "a service waits for the causes of an event for as long as it takes",
    without: "The cause did not come in time, and the event was put aside so that the partition could go on; now it is \
              acknowledged and was never processed.",
    seen_in: "handlers that discard what refers to something unknown; queues that expire messages while they wait",
    mask: None,
};

/// Sent twice, stored once.
pub static IDEMPOTENCE: Guard = Guard {
    bit: 7,
    name: "idempotence",
    upholds: Guarantee::NoDuplication,
    does: "a log ignores an event that stands in it already",
    without: "The acknowledgement was late, the service sent again, and the log had no way to know that it was the same \
              event.",
    seen_in: "every at-least-once producer before KIP-98; Redpanda #3039 (duplicates after a leader was killed)",
    mask: None,
};

/// The right log.
pub static CHECK_PARTITION: Guard = Guard {
    bit: 8,
    name: "check-partition",
    upholds: Guarantee::NoCreation,
    does: "a log takes only what is addressed to its partition",
    without: "The event was sent to one partition and stored in another: some who should read it do not, and others who \
              were never meant to do.",
    seen_in: "clients with an old map of the cluster; Kafka's brokers refuse them (NOT_LEADER_OR_FOLLOWER)",
    mask: None,
};
