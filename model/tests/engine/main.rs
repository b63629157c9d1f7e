//! The explorer against naive ones, on random graphs, and on graphs with known answers.

mod graph;
mod liveness;
mod safety;
mod tangle;
