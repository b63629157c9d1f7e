//! What keeps the log in order, and what each piece is for.

use lawspeaker_history::Guarantee;

use crate::guard::{Guard, Mask};

/// Every guard of the model, in the order of the docs.
pub(super) const ALL: &[&Guard] = &[
    &IDEMPOTENCE,
    &GAP_CHECK,
    &IN_ORDER_RETRY,
    &RETRY,
    &FSYNC_BEFORE_ACK,
    &KEEP_PRODUCER_STATE,
    &EPOCH_FENCE,
    &RESUME_FROM_LOG,
    &STABLE_PARTITIONER,
    &CHECKSUM,
];

/// The broker knows what it has appended.
pub static IDEMPOTENCE: Guard = Guard {
    bit: 0,
    name: "idempotence",
    upholds: Guarantee::NoDuplication,
    does: "the broker remembers the sequence number of each producer's last append and does not append a repeat",
    without: "A request arrives twice: duplicated by the link, or sent again because the acknowledgement was lost. \
              Without sequence numbers the broker cannot tell a repeat from a new event.",
    seen_in: "every at-least-once producer before KIP-98; Redpanda #3039 (duplicates after a leader was killed)",
    mask: None,
};

/// The broker notices what is missing.
pub static GAP_CHECK: Guard = Guard {
    bit: 1,
    name: "gap-check",
    upholds: Guarantee::Durability,
    does: "the broker refuses an append whose sequence number is not the next one",
    without: "The broker accepted a later event first; when the earlier one arrives its sequence number is below the \
              last one, so it is taken for a repeat: acknowledged, and never appended.",
    seen_in: "KIP-98, which demands the check (OUT_OF_ORDER_SEQUENCE_NUMBER); Sarama #3826 shows the error path",
    mask: None,
};

/// The producer does not overtake itself.
pub static IN_ORDER_RETRY: Guard = Guard {
    bit: 2,
    name: "in-order-retry",
    upholds: Guarantee::ProducerOrder,
    does: "a producer sends nothing to a partition while an earlier event for it waits to be sent again",
    without: "The first event was lost and went to the back of the queue; the second was sent before the first was \
              sent again.",
    seen_in: "librdkafka #1092 (order lost even with one request in flight); sarama #2619, #2860",
    mask: Some(Mask { guards: &[&IDEMPOTENCE], settings: &[("in-flight", 1), ("restarts", 0)] }),
};

/// The producer does not give up.
pub static RETRY: Guard = Guard {
    bit: 3,
    name: "retry",
    upholds: Guarantee::NoDeadlock,
    does: "a producer sends an event again until it is acknowledged",
    without: "The request is lost, and nobody is left who would do anything about it.",
    seen_in: "Kafka producers with `retries=0`, and every send whose error callback only logs",
    mask: None,
};

/// The disk comes before the promise.
pub static FSYNC_BEFORE_ACK: Guard = Guard {
    bit: 4,
    name: "fsync-before-ack",
    upholds: Guarantee::Durability,
    does: "the broker acknowledges an event only once it is synced to disk",
    without: "The acknowledgement was sent while the event was in memory only, and the power went before the sync.",
    seen_in: "NATS JetStream 2.12.1 by default (Jepsen 2025, nats-server #7564): it syncs every two minutes",
    mask: None,
};

/// The broker's memory of producers survives.
pub static KEEP_PRODUCER_STATE: Guard = Guard {
    bit: 5,
    name: "keep-producer-state",
    upholds: Guarantee::NoDuplication,
    does: "a broker that starts again rebuilds from the log what it knew of each producer",
    without: "After the restart the broker knew nothing of the producer, so the repeat looked like a first event.",
    seen_in: "KIP-360 (UNKNOWN_PRODUCER_ID: producer state forgotten while the producer lives on)",
    mask: None,
};

/// Former incarnations are shut out.
pub static EPOCH_FENCE: Guard = Guard {
    bit: 6,
    name: "epoch-fence",
    upholds: Guarantee::NoDuplication,
    does: "the broker refuses requests of an incarnation of a producer that has a successor",
    without: "The restarted producer sent the event anew, and then the request of its former incarnation arrived.",
    seen_in: "KIP-98 (producer epochs); zombie producers in every system that restarts clients",
    mask: None,
};

/// A successor picks up where its predecessor was.
pub static RESUME_FROM_LOG: Guard = Guard {
    bit: 9,
    name: "resume-from-log",
    upholds: Guarantee::NoDuplication,
    does: "a restarted producer finds out which of its events stand in the log before it sends any again",
    without: "The event was appended, the acknowledgement never reached the producer, and its next incarnation sends it \
              as new: in a new epoch, sequence numbers begin anew, and no broker can tell.",
    seen_in: "idempotent producers without transactions (KIP-98: exactly once holds within one session of a producer)",
    mask: None,
};

/// A key has one home.
pub static STABLE_PARTITIONER: Guard = Guard {
    bit: 7,
    name: "stable-partitioner",
    upholds: Guarantee::KeyOrder,
    does: "a key keeps its partition when the topic gets more of them",
    without: "The partition is the key's hash modulo the number of partitions; one more partition, and the key's next \
              event went elsewhere, where nothing orders it after the first.",
    seen_in: "Kafka's default partitioner when a topic grows (documented, and a classic surprise)",
    mask: None,
};

/// What arrives is what was sent.
pub static CHECKSUM: Guard = Guard {
    bit: 8,
    name: "checksum",
    upholds: Guarantee::NoCreation,
    does: "the broker refuses a request whose checksum does not fit",
    without: "The link flipped bits, TCP's 16-bit sum did not notice, and the broker appended what nobody had sent.",
    seen_in: "Stone and Partridge, *When the CRC and TCP checksum disagree*, SIGCOMM 2000; the CRC of Kafka's batches",
    mask: None,
};
