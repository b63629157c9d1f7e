//! Sequential specifications: what the ideal log, group, inbox, outbox and saga answer to each call.
//!
//! A specification is what an implementation is compared with, call by call (`tests/`, obligations O1 and O2), so
//! it shares no code with it. It knows no concurrency, no files and no time, and prefers the obvious to the fast:
//! every answer costs O(n). The models say what a *system* may do under faults; a specification says what one
//! *object* must answer when calls reach it one after the other.

pub mod causal_inbox;
pub mod consumer_group;
pub mod outbox;
pub mod partition_log;
pub mod saga;
