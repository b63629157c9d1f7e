//! What keeps a saga honest, and what each piece is for.

use lawspeaker_history::Guarantee;

use crate::guard::Guard;

/// Every guard of the model, in the order of the docs.
pub(super) const ALL: &[&Guard] = &[
    &IDEMPOTENT_FORWARD,
    &IDEMPOTENT_COMPENSATION,
    &TOMBSTONE,
    &PERSIST_FIRST,
    &COMPENSATION_RETRY,
    &COMPENSATE_UNKNOWN,
    &CORRELATE_REPLIES,
    &REVERSE_ORDER,
    &PIVOT_DISCIPLINE,
    &RECOVER,
];

/// A step is done once, and decided once.
pub static IDEMPOTENT_FORWARD: Guard = Guard {
    bit: 0,
    name: "idempotent-forward",
    upholds: Guarantee::EffectOnce,
    does: "a participant that is asked for a step again answers as it did the first time, and does nothing",
    without: "The network delivered the command twice, and the participant, which keeps no record of what it was asked, \
              did the step twice; one compensation will undo one of them.",
    seen_in: "every command channel that delivers at least once; Seata 1.5.1, whose TCC fence was added for it",
    mask: None,
};

/// A compensation is done once.
pub static IDEMPOTENT_COMPENSATION: Guard = Guard {
    bit: 1,
    name: "idempotent-compensation",
    upholds: Guarantee::EffectOnce,
    does: "a participant that is asked to compensate a step again answers that it has, and does nothing",
    without: "The compensation was delivered twice and happened twice: the customer has the money back, and once more.",
    seen_in: "refunds sent again after a lost reply; Seata 1.5.1, whose TCC fence was added for it",
    mask: None,
};

/// What was cancelled stays cancelled.
pub static TOMBSTONE: Guard = Guard {
    bit: 2,
    name: "tombstone",
    upholds: Guarantee::SagaAtomicity,
    does: "a participant that was asked to compensate a step, done or not, refuses to do it from then on",
    without: "The compensation overtook the command: there was nothing to undo yet (an empty rollback). Then the command \
              arrived, the participant saw no reason against it, and nobody will undo it any more.",
    seen_in: "Seata 1.5.1, TCC fence: empty rollback and suspension",
    mask: None,
};

/// The log knows before the world does.
pub static PERSIST_FIRST: Guard = Guard {
    bit: 3,
    name: "persist-first",
    upholds: Guarantee::SagaAtomicity,
    does: "the orchestrator writes each decision to the durable log before it acts on it",
    without: "The command went out first, and the log was to be written when its reply was there; the crash came in between, \
              and what was done belongs to a saga that nobody has heard of.",
    seen_in: "orchestrators that send in the request handler and save afterwards; NServiceBus, *Outbox* (zombie records)",
    mask: None,
};

/// To fail at undoing is not to have undone.
pub static COMPENSATION_RETRY: Guard = Guard {
    bit: 4,
    name: "compensation-retry",
    upholds: Guarantee::SagaAtomicity,
    does: "the orchestrator asks for a compensation that failed until it is done",
    without: "The compensation failed, the failure was logged, and the saga went on as if it had been done.",
    seen_in: "Seata #2861; eventuate-tram-sagas #75; forge-loop #301",
    mask: None,
};

/// Not to know is not to know that it did not happen.
pub static COMPENSATE_UNKNOWN: Guard = Guard {
    bit: 5,
    name: "compensate-unknown",
    upholds: Guarantee::SagaAtomicity,
    does: "the orchestrator compensates a step of unknown outcome too",
    without: "The time-out was taken for a failure, and only the steps before it were compensated; but the command was \
              only slow, or its reply lost.",
    seen_in: "every `catch (TimeoutException)` that ends in \"the step was not done\"",
    mask: None,
};

/// An answer belongs to a question.
pub static CORRELATE_REPLIES: Guard = Guard {
    bit: 6,
    name: "correlate-replies",
    upholds: Guarantee::SagaAtomicity,
    does: "the orchestrator takes a reply only for the answer to the command that it names, and drops it otherwise",
    without: "A second copy of an earlier step's reply came late and was taken for the answer to the current one, \
              which nobody had answered yet; the saga went on past it.",
    seen_in: "replies matched by the saga's id alone; Hohpe and Woolf, *Enterprise Integration Patterns*, 2003 \
              (correlation identifier)",
    mask: None,
};

/// Last in, first out.
pub static REVERSE_ORDER: Guard = Guard {
    bit: 7,
    name: "reverse-order",
    upholds: Guarantee::CompensationOrder,
    does: "the orchestrator compensates the last step first",
    without: "The steps were compensated in the order in which they had been done, so that a step was undone under a \
              later one that still rested on it.",
    seen_in: "Garcia-Molina and Salem, *Sagas*, 1987, who demand the reverse order; loops over a list of compensations",
    mask: None,
};

/// After the point of no return there is no way back.
pub static PIVOT_DISCIPLINE: Guard = Guard {
    bit: 8,
    name: "pivot-discipline",
    upholds: Guarantee::SagaAtomicity,
    does: "the orchestrator asks for the pivot, and for what follows it, until it knows the outcome",
    without: "The reply of the pivot was late, and the saga turned back as if the pivot had failed; but it was done, and \
              nothing undoes a pivot.",
    seen_in: "Richardson, *Microservices Patterns*, 2018, section 4.3: what follows the pivot is retriable; sagas with one \
              time-out for all steps",
    mask: None,
};

/// What was begun is ended.
pub static RECOVER: Guard = Guard {
    bit: 9,
    name: "recover",
    upholds: Guarantee::SagaTermination,
    does: "an orchestrator that starts again reads its log and goes on with every saga that has not ended",
    without: "The orchestrator came back with nothing in memory and waits for new sagas; the old one stands in its log, \
              where nobody looks.",
    seen_in: "agentmux #636; forge-loop #301",
    mask: None,
};
