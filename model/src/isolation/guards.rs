//! What keeps sagas apart, and what each piece is for.

use lawspeaker_history::Guarantee;

use crate::guard::{Guard, Mask};

/// Every guard of the model, in the order of the docs.
pub(super) const ALL: &[&Guard] = &[&SEMANTIC_LOCK, &LOCK_ORDER, &DELTA_UNDO];

/// Not final is said to be not final.
pub static SEMANTIC_LOCK: Guard = Guard {
    bit: 0,
    name: "semantic-lock",
    upholds: Guarantee::SagaIsolation,
    does: "a saga marks each record that it updates until it ends or compensates, and others wait for the mark to go",
    without: "The second saga read what the first had written, as any transaction may; then the first one compensated it, \
              and the second stands on what never was.",
    seen_in: "Richardson, *Microservices Patterns*, 2018, section 4.3 (an order in the state APPROVAL_PENDING); what sagas \
              lack by definition (Garcia-Molina and Salem 1987)",
    mask: None,
};

/// All in one order.
pub static LOCK_ORDER: Guard = Guard {
    bit: 1,
    name: "lock-order",
    upholds: Guarantee::NoDeadlock,
    does: "all sagas update the records in the same order",
    without: "Each saga has marked one record and wants the next, which another has marked: a circle, in which everybody \
              waits for everybody.",
    seen_in: "Richardson, *Microservices Patterns*, 2018, section 4.3: semantic locks need a way to deal with deadlocks",
    mask: None,
};

/// To take back is not to put back.
pub static DELTA_UNDO: Guard = Guard {
    bit: 2,
    name: "delta-undo",
    upholds: Guarantee::SagaIsolation,
    does: "a compensation takes back its own update and nothing else (a commutative update)",
    without: "The compensation put back the value from before its step, and with it went what another saga had written in the \
              meantime.",
    seen_in: "undo by before-images (Seata's AT mode, whose global lock is there for it); Richardson, *Microservices Patterns*, \
              2018, section 4.3 (commutative updates)",
    mask: Some(Mask { guards: &[&SEMANTIC_LOCK], settings: &[("readers", 0)] }),
};
