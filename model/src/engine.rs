//! An explicit-state checker for any [`System`].
//!
//! What it guarantees, within the limits given:
//! * every reachable state is visited once, breadth-first, in an order that depends on nothing but the model, so
//!   two runs give the same counts and the same traces, whatever the number of threads;
//! * the trace to each violated law is a shortest one, whatever else is violated in the same run;
//! * a state in which only faults can go on is *quiescent*: goals are checked there, and where [`Law::no_deadlock`] is one
//!   of the laws, a quiescent state that is no accepted end is a deadlock, even where faults could still happen;
//! * a law on infinite behaviours holds exactly if no weakly fair one breaks it; its counterexample is a *lasso*: a
//!   shortest stem at whose end the goal is owed, and then a cycle that goes on for ever, the shortest for that stem
//!   unless it is very far to seek;
//! * a limit that was hit is reported: an exploration that is not complete never counts as success.
//!
//! States are told apart by keyed 128-bit hashes, of which 88 bits are kept, or exactly where
//! [`Options::is_exact`] says so; [`Exploration::collision_odds`] bounds the chance that two of them were mixed up
//! (Holzmann, *The Model Checker SPIN*, 1997, on hash compaction). Time is O(transitions); memory is some 18 bytes a
//! state for its fingerprint, little more than one for how it was reached, and the states of one level. With laws on
//! infinite behaviours the graph is kept too, five bytes a transition and some twenty a state, and the search for lassos
//! takes about as much again; with symmetry, seven bytes a state.
//!
//! How it is done:
//! * `expand` asks the model what states say, in runs of two thousand, on as many `threads` as there are; `successors`
//!   drops those that the same run has just had, which are a third to two thirds of them;
//! * `visited` finds out which of the others are new, in `table`s of fingerprints;
//! * `findings` puts the runs together in their order, one after the other and on one thread, so that nothing depends
//!   on the number of threads; more than three of them make it faster only where the model itself is slow;
//! * `explore` walks from level to level, and looks at the clock and the limits between blocks of runs;
//! * `liveness` looks for fair lassos in the `graph`: strongly connected `components` (Tarjan 1972) in which every weakly
//!   fair group (Manna and Pnueli 1992) is disabled somewhere or taken;
//! * symmetry, where a model offers it, visits one state for all that differ by names (Ip and Dill 1996); its traces are
//!   behaviours of the model all the same. Laws on infinite behaviours are then left undecided, as fairness is to parts by
//!   name.
//!
//! A timeout, an interrupt or a limit on memory is noticed between blocks of states and before each law on infinite
//! behaviours.
//!
//! `model/examples/dining_philosophers.rs` checks a model that knows nothing of events.

mod blame;
mod components;
mod expand;
mod explore;
mod findings;
mod fingerprint;
mod frontier;
mod graph;
mod liveness;
mod origins;
mod parents;
mod successors;
mod system;
mod table;
mod threads;
mod trace;
mod visited;

pub use blame::{Blame, blame};
#[doc(hidden)]
pub use explore::explore_with_hash;
pub use explore::{Exploration, Limits, Options, Progress, Signal, Stop, Violation, explore};
pub(crate) use system::names;
pub use system::{FairGroup, Law, System, Telling, Variables, When, Witness, Words, properties, way_on};
pub use trace::{Step, Trace};
