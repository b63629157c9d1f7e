//! The law: executable models of event-driven systems, and a checker that explains the shortest way they break.
//!
//! * [`engine`] explores every behaviour of a [`System`](engine::System) within its bounds, breadth-first and
//!   deterministically, and finds the shortest counterexample to each of its laws. It stands on stateright's
//!   `Model` trait and knows nothing of events: it checks any model.
//! * [`catalogue`] holds the models of this crate, one file each: [`partition_log`], [`consumer_group`],
//!   [`causal_delivery`], [`saga`], [`choreography`], [`isolation`], [`outbox`], [`bounded_queues`]; and
//!   [`saga_over_log`], which puts some of them on one another.
//! * [`report`] is what a check found, in words: steps, the blamed step, the guard that prevents it.
//! * [`export`] writes a model's state graph, its counterexamples and its witnesses in the formats of other tools.
//! * [`replay`] says whether the states of another tool's trace are a behaviour of a model.
//! * [`explorer`] serves stateright's Explorer of a model.
//!
//! A model's guarantees rest on *guards*, mechanisms that real systems rely on; each can be removed, and the
//! model then shows what the guard was for.

pub mod bounded_queues;
pub mod catalogue;
pub mod causal_delivery;
pub mod choreography;
pub mod consumer_group;
pub mod engine;
pub mod explorer;
pub mod export;
pub mod few;
pub mod guard;
pub mod isolation;
pub mod matrix;
pub mod outbox;
pub mod participant;
pub mod partition_log;
pub mod replay;
pub mod report;
pub mod saga;
pub mod saga_over_log;
