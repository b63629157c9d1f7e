//! The promises an event-driven system can make, each under one name.
//!
//! A guarantee is called the same in the specification, the model, the oracle, the bus, the tests, the docs
//! and on the command line; `tests/tidy.rs` checks that it is. `docs/guarantees.md` is the normative text.

use std::fmt;
use std::str::FromStr;

/// Whether a guarantee forbids something bad (safety) or demands something good (liveness); see Lamport,
/// *Proving the Correctness of Multiprocess Programs*, 1977.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Nothing bad happens: a finite history can show that it is broken.
    Safety,
    /// Something good happens in the end: only a complete history can show that it is broken.
    Liveness,
    /// Both: one half of the promise is safety, the other liveness.
    SafetyAndLiveness,
}

macro_rules! guarantees {
    ($($variant:ident, $name:literal, $title:literal, $kind:ident, $says:literal;)*) => {
        /// A promise of an event-driven system. The order of the variants is the order of the docs.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Guarantee {
            $(#[doc = $says] $variant,)*
        }

        impl Guarantee {
            /// Every guarantee, in the order of the docs.
            pub const ALL: &'static [Guarantee] = &[$(Guarantee::$variant,)*];

            /// The name on the command line, in JSON and in file names, such as `at-least-once`.
            pub const fn name(self) -> &'static str {
                match self { $(Guarantee::$variant => $name,)* }
            }

            /// The name in prose and as a property of a model, such as `at least once`.
            pub const fn title(self) -> &'static str {
                match self { $(Guarantee::$variant => $title,)* }
            }

            /// What it promises, as one clause.
            pub const fn says(self) -> &'static str {
                match self { $(Guarantee::$variant => $says,)* }
            }

            /// Safety, liveness or both.
            pub const fn kind(self) -> Kind {
                match self { $(Guarantee::$variant => Kind::$kind,)* }
            }
        }
    };
}

guarantees! {
    NoCreation, "no-creation", "no creation", Safety, "what is delivered was sent, where it was sent to";
    NoDuplication, "no-duplication", "no duplication", Safety, "an event stands once in the log";
    ProducerOrder, "producer-order", "producer order", Safety, "a producer's events stand in a partition in send order";
    KeyOrder, "key-order", "key order", Safety, "events of one key are delivered in send order";
    PartitionOrder, "partition-order", "partition order", Safety, "a consumer sees a partition in offset order, without gaps";
    TotalLog, "total-log", "total log", Safety, "an offset holds one event, for everybody, for ever";
    Durability, "durability", "durability", Safety, "what was acknowledged is in the log, through every crash";
    AtLeastOnce, "at-least-once", "at least once", SafetyAndLiveness,
        "what was acknowledged is processed by every group, and what is committed was processed";
    CommitMonotonicity, "commit-monotonicity", "commit monotonicity", Safety, "a group's committed offset never falls";
    EffectOnce, "effect-once", "effect once", Safety, "an event's effect happens at most once";
    SingleOwner, "single-owner", "single owner", Safety,
        "a partition has one owner a generation, and stale owners are refused";
    CausalDelivery, "causal-delivery", "causal delivery", Safety, "no effect is delivered before its cause";
    TransactionAtomicity, "transaction-atomicity", "transaction atomicity", Safety,
        "all of a committed transaction is seen, nothing of an aborted one";
    OutboxAtomicity, "outbox-atomicity", "outbox atomicity", Safety,
        "a change of state and its event are one: both happen, or neither";
    SagaAtomicity, "saga-atomicity", "saga atomicity", Safety,
        "a saga ends with all of its steps done, or with every done step compensated";
    CompensationOrder, "compensation-order", "compensation order", Safety, "compensations run in reverse order of their steps";
    SagaTermination, "saga-termination", "saga termination", Liveness, "every saga ends";
    SagaIsolation, "saga-isolation", "saga isolation", Safety,
        "no saga builds on, or wipes out, what another may yet undo or has finished";
    StreamConsistency, "stream-consistency", "stream consistency", Safety,
        "a stream is one gapless sequence of events that appends extend at the version they expect";
    NoDeadlock, "no-deadlock", "no deadlock", Safety, "there is no state in which only faults can go on, unless work is done";
}

impl Guarantee {
    /// The name of modules, functions and files, such as `at_least_once`.
    pub fn snake(self) -> String {
        self.name().replace('-', "_")
    }

    /// The name of types and TLA+ operators, such as `AtLeastOnce`.
    pub fn pascal(self) -> String {
        format!("{self:?}")
    }
}

impl fmt::Display for Guarantee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Guarantee {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Self::ALL.iter().copied().find(|g| g.name() == name).ok_or(())
    }
}

impl serde::Serialize for Guarantee {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_back_as_its_guarantee() {
        for guarantee in Guarantee::ALL {
            assert_eq!(guarantee.name().parse(), Ok(*guarantee));
        }
    }

    #[test]
    fn the_four_casings_are_one_name() {
        for guarantee in Guarantee::ALL {
            let words: String =
                guarantee.title().split(' ').map(|word| word[..1].to_uppercase() + &word[1..]).collect();
            assert_eq!(words, guarantee.pascal());
            assert_eq!(guarantee.title(), guarantee.name().replace('-', " "));
            assert_eq!(guarantee.snake(), guarantee.name().replace('-', "_"));
        }
    }
}
