//! What Jepsen's Kafka checker (`jepsen.tests.kafka`) says of a history: its error types, under its policies.
//!
//! Written from the definitions of its error types alone, with structures of our own. Where that checker gives up with an exception
//! (an event that nobody sent) or runs out of memory (one huge offset), this one answers; `docs/jepsen.md` lists each
//! difference.
//!
//! ```
//! use lawspeaker_history::History;
//! use lawspeaker_oracle::compat::jepsen::{ErrorType, Policy, check};
//!
//! let history = History::read(
//!     br#"{:process 0 :type :ok :f :send :value [[:send 5 [0 :a]] [:send 5 [1 :b]]]}
//! {:process 1 :type :ok :f :poll :value [[:poll {5 [[1 :b]]}]]}"#.as_slice(),
//! )?;
//! let results = check(&history.ops, Policy::default());
//! assert!(results.errors.contains_key(&ErrorType::LostWrite));
//! assert!(!results.is_valid());
//! # Ok::<(), lawspeaker_history::ReadError>(())
//! ```
//!
//! Reference: jepsen-io/jepsen, `jepsen/src/jepsen/tests/kafka.clj`; Adya, *Weak Consistency*, 1999, for `G0`, `G1a` and
//! `G1c`; Kingsbury and Alvaro, *Elle*, 2020, for how cycles are found. Cost: O(n log n) in the observations, whatever the offsets are.

mod completed;
mod cycles;
mod order;
mod reads;
mod sessions;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use lawspeaker_history::Op;

use completed::Completions;
use order::VersionOrder;

/// How consumers came by their partitions: what they may expect of consecutive polls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SubVia {
    /// `assign`: nobody moves a consumer but itself.
    #[default]
    Assign,
    /// `subscribe`: rebalances move consumers at any time, so that polls may skip and go back.
    Subscribe,
}

/// What is looked for, and what invalidates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Policy {
    /// How consumers came by their partitions.
    pub sub_via: SubVia,
    /// Whether the order of a log is taken as an order of its writers (`ww` edges). Kafka's transactions do not isolate
    /// writes, so that cycles found with it do not invalidate.
    pub ww_deps: bool,
}

macro_rules! error_types {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        /// How a history is wrong, by Jepsen's names.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum ErrorType {
            $($(#[$doc])* $name,)*
        }

        impl ErrorType {
            /// Every error type, in the order of the docs.
            pub const ALL: &'static [ErrorType] = &[$(ErrorType::$name,)*];

            /// Jepsen's name, without the colon.
            pub fn name(self) -> &'static str {
                match self {
                    $(ErrorType::$name => $text,)*
                }
            }
        }
    };
}

error_types! {
    /// Two values at one offset.
    InconsistentOffsets = "inconsistent-offsets";
    /// One value at two offsets.
    Duplicate = "duplicate";
    /// A committed value below what was read, that nobody read.
    LostWrite = "lost-write";
    /// An acknowledged value that nobody had read when the history ended.
    Unseen = "unseen";
    /// A value was read whose writer failed.
    G1a = "G1a";
    /// An op read what it sends itself.
    PrecommittedRead = "precommitted-read";
    /// Within one op, a poll left values out.
    IntPollSkip = "int-poll-skip";
    /// Within one op, polls went back.
    IntNonmonotonicPoll = "int-nonmonotonic-poll";
    /// From one op of a process to the next, polls left values out.
    PollSkip = "poll-skip";
    /// From one op of a process to the next, polls went back.
    NonmonotonicPoll = "nonmonotonic-poll";
    /// Within one op, something else stands between consecutive sends.
    IntSendSkip = "int-send-skip";
    /// Within one op, sends stand in another order than they were made.
    IntNonmonotonicSend = "int-nonmonotonic-send";
    /// From one op of a process to the next, sends stand in another order than they were made.
    NonmonotonicSend = "nonmonotonic-send";
    /// A cycle of writers.
    G0 = "G0";
    /// A cycle of writers, with the order of a process.
    G0Process = "G0-process";
    /// A cycle of writers, with the order of real time.
    G0Realtime = "G0-realtime";
    /// A cycle of writers and readers.
    G1c = "G1c";
    /// A cycle of writers and readers, with the order of a process.
    G1cProcess = "G1c-process";
    /// A cycle of writers and readers, with the order of real time.
    G1cRealtime = "G1c-realtime";
    /// There is a [`ErrorType::G0`].
    Pl1 = "PL-1-cycle-exists";
    /// There is a [`ErrorType::G1c`], and no weaker cycle.
    Pl2 = "PL-2-cycle-exists";
    /// There is a [`ErrorType::G0Process`], and no weaker cycle.
    StrongSessionPl1 = "strong-session-PL-1-cycle-exists";
    /// There is a [`ErrorType::G1cProcess`], and no weaker cycle.
    StrongSessionPl2 = "strong-session-PL-2-cycle-exists";
    /// There is a [`ErrorType::G0Realtime`], and no weaker cycle.
    StrongPl1 = "strong-PL-1-cycle-exists";
    /// There is a [`ErrorType::G1cRealtime`], and no weaker cycle.
    StrongPl2 = "strong-PL-2-cycle-exists";
    /// No two ops depend on one another: nothing was tested.
    EmptyTransactionGraph = "empty-transaction-graph";
    /// A value was read that nobody sent there. Jepsen's checker throws an exception of this name.
    NoWriterOfValue = "no-writer-of-value";
}

impl fmt::Display for ErrorType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Policy {
    /// Whether an error of this type is told and does not invalidate.
    pub fn allows(self, error: ErrorType) -> bool {
        use ErrorType as E;
        match error {
            E::IntSendSkip | E::G0 | E::G0Process | E::G0Realtime => true,
            E::Pl1 | E::StrongSessionPl1 | E::StrongPl1 => true,
            E::PollSkip | E::NonmonotonicPoll => self.sub_via == SubVia::Subscribe,
            E::G1c | E::G1cProcess | E::G1cRealtime => self.ww_deps,
            E::Pl2 | E::StrongSessionPl2 | E::StrongPl2 => self.ww_deps,
            _ => false,
        }
    }
}

/// How often an error type was found, and where first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    /// How often; one for `unseen`, cycles and an empty graph, as they are told of the whole history.
    pub count: usize,
    /// The line of the first op that shows it, if it is one's.
    pub line: Option<u64>,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Results {
    /// Every error type that was found.
    pub errors: BTreeMap<ErrorType, Tally>,
    /// Those that invalidate under the policy.
    pub bad: BTreeSet<ErrorType>,
}

impl Results {
    /// Whether nothing invalidates.
    pub fn is_valid(&self) -> bool {
        self.bad.is_empty()
    }

    fn found(&mut self, error: ErrorType, line: impl Into<Option<u64>>) {
        let line = line.into();
        self.errors
            .entry(error)
            .and_modify(|tally| {
                tally.count += 1;
                tally.line = tally.line.min(line).or(tally.line).or(line);
            })
            .or_insert(Tally { count: 1, line });
    }
}

/// What Jepsen's checker would find in `ops`. O(n log n).
pub fn check(ops: &[Op], policy: Policy) -> Results {
    let completions = Completions::of(ops);
    let order = VersionOrder::of(&completions);
    let mut results = Results::default();
    order.check(&completions, &mut results);
    reads::check(&completions, &mut results);
    sessions::check(&completions, &order, &mut results);
    cycles::check(&completions, &order, policy, &mut results);
    results.bad = results.errors.keys().copied().filter(|error| !policy.allows(*error)).collect();
    results
}
