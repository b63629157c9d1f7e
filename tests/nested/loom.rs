//! O2, the shell linearizes the core: *every* small program under *every* interleaving.
//!
//! Run by `tests/o2_shell_linearizes_core.rs`, which builds it with `--cfg lawspeaker_loom` in a target folder of
//! its own. Each test says how many preemptions its interleavings have at most; loom does not model load buffering.
#![cfg(lawspeaker_loom)]
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test panics to fail, and prints its figures"
)]

#[path = "loom/causal.rs"]
mod causal;
#[path = "../kernels/mod.rs"]
mod kernels;
#[path = "loom/outbox.rs"]
mod outbox;
#[path = "loom/programs.rs"]
mod programs;
#[path = "loom/saga.rs"]
mod saga;
#[path = "loom/scenarios.rs"]
mod scenarios;
