//! Obligation O3: at every write and sync boundary, reopening loses nothing acknowledged and invents nothing.
//!
//! The store below the bus is told to lose power at each of its boundaries in turn, with each way in which unsynced
//! bytes may survive; the recovery that follows is crashed at each of its own boundaries in turn. Nothing is
//! sampled.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test panics to fail, and prints its figures"
)]

#[path = "o3_crash/bus.rs"]
mod bus;
#[path = "o3_crash/causal.rs"]
mod causal;
#[path = "o3_crash/everywhere.rs"]
mod everywhere;
#[path = "o3_crash/journal.rs"]
mod journal;
#[path = "o3_crash/killed.rs"]
mod killed;
#[path = "o3_crash/outbox.rs"]
mod outbox;
#[path = "o3_crash/saga.rs"]
mod saga;
