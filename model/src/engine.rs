//! An explicit-state checker for any [`System`].
//!
//! What it guarantees, within the limits given:
//! * every reachable state is visited once, breadth-first, in an order that depends on nothing but the model, so
//!   two runs give the same counts and the same traces, whatever the number of threads;
//! * the trace to each violated law is a shortest one, whatever else is violated in the same run;
//! * a state in which only faults can go on is *quiescent*: goals are checked there, and a quiescent state that is
//!   no accepted end is a deadlock, even where faults could still happen;
//! * a law on infinite behaviours holds exactly if no weakly fair one breaks it; its counterexample is a *lasso*, a
//!   shortest stem and then a cycle that goes on for ever;
//! * a limit that was hit is reported: an exploration that is not complete never counts as success.
//!
//! States are told apart by keyed 128-bit fingerprints, or exactly where [`Options::is_exact`](Options) says so; [`Exploration::collision_odds`](Exploration) bounds the chance that two
//! of them were mixed up (Holzmann, *The Model Checker SPIN*, 1997, on hash compaction).
//! Time is O(transitions), memory is one fingerprint and one parent a state, and the states of two levels; with laws on
//! infinite behaviours, the graph too, eight bytes a transition.

mod blame;
mod components;
mod expand;
mod explore;
mod fingerprint;
mod frontier;
mod graph;
mod liveness;
mod origins;
mod system;
mod table;
mod trace;
mod visited;

pub use blame::{Blame, blame};
#[doc(hidden)]
pub use explore::explore_with_hash;
pub use explore::{Exploration, Limits, Options, Progress, Signal, Stop, Violation, explore};
pub use system::{FairGroup, Law, System, Telling, Variables, When, Witness, Words, properties, way_on};
pub use trace::{Step, Trace};
