//! The laws of the bus's kernels, as the obligations use them, and the search for a lawful order.

#![allow(dead_code, unreachable_pub, reason = "each obligation uses a part of it")]

pub mod causal_world;
pub mod group_law;
pub mod history;
pub mod inbox_law;
pub mod inbox_programs;
pub mod linearization;
pub mod log_law;
pub mod outbox_law;
pub mod outbox_programs;
pub mod programs;
pub mod saga_law;
pub mod saga_programs;
