//! What keeps bounded queues moving, and what each piece is for.

use lawspeaker_history::Guarantee;

use crate::guard::Guard;

/// Every guard of the model, in the order of the docs.
pub(super) const ALL: &[&Guard] = &[&DEFER, &DEAD_LETTER, &ROUTE_BY_KEY, &CREDIT];

/// Not now is not never.
pub static DEFER: Guard = Guard {
    bit: 0,
    name: "defer",
    upholds: Guarantee::NoDeadlock,
    does: "a handler that waits for an answer sets aside what it cannot take now, and takes it afterwards",
    without: "The handler waits for its answer and refuses what stands at the head of its queue; the queue is full of it, so \
              that the answer does not come in.",
    seen_in: "handlers that wait for a reply in the queue that feeds them; Erlang's selective receive and the deferral of \
              Azure Service Bus are there for it",
    mask: None,
};

/// Not known is not waited for.
pub static DEAD_LETTER: Guard = Guard {
    bit: 1,
    name: "dead-letter",
    upholds: Guarantee::NoDeadlock,
    does: "a handler puts aside for good what is of a kind that it does not know",
    without: "Nobody knows what to do with the message, nobody takes it, and everything behind it waits (a poison message).",
    seen_in: "queues without a dead-letter queue; Hohpe and Woolf, *Enterprise Integration Patterns*, 2003 (invalid message \
              channel)",
    mask: None,
};

/// The answer goes to who asked.
pub static ROUTE_BY_KEY: Guard = Guard {
    bit: 2,
    name: "route-by-key",
    upholds: Guarantee::NoDeadlock,
    does: "each handler has a queue of its own, and all messages about an order go to the one that handles it",
    without: "Both handlers take from one queue (competing consumers), and the answer came to the one that had not asked; it \
              has set it aside, and the one that asked waits for it.",
    seen_in: "replies in a shared queue; Hohpe and Woolf, *Enterprise Integration Patterns*, 2003 (competing consumers, return \
              address)",
    mask: None,
};

/// Who asks has room for the answer.
pub static CREDIT: Guard = Guard {
    bit: 3,
    name: "credit",
    upholds: Guarantee::NoDeadlock,
    does: "a handler asks for one order at a time, and for the next when it has its answer",
    without: "The handler went on asking until the queue of questions was full, and waits for room there; payments waits for \
              room in the handler's queue, and each would have to be served first.",
    seen_in: "two services that send to one another through bounded buffers; credit-based flow control (AMQP 1.0 links, \
              Reactive Streams) is there for it",
    mask: None,
};
