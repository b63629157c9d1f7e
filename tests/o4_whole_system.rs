//! Obligation O4: whole runs of the bus, concurrent and faulty, are judged conforming by the public oracle.
//!
//! Runs are concurrent, faulty, or driven by the models. Every one is recorded by the bus itself, ends with a drained
//! group and a final read of every partition, and is judged as anybody's history would be. The oracle knows nothing of
//! the bus. That it can reject one of these very histories is checked too.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test panics to fail, and prints its figures"
)]

#[path = "o4_whole_system/causal.rs"]
mod causal;
#[path = "o4_whole_system/causal_model.rs"]
mod causal_model;
#[path = "o4_whole_system/faults.rs"]
mod faults;
#[path = "o4_whole_system/model_driven.rs"]
mod model_driven;
#[path = "o4_whole_system/recording.rs"]
mod recording;
#[path = "o4_whole_system/saga.rs"]
mod saga;
#[path = "o4_whole_system/saga_network.rs"]
mod saga_network;
#[path = "o4_whole_system/seeded_violation.rs"]
mod seeded_violation;
#[path = "o4_whole_system/services.rs"]
mod services;
#[path = "o4_whole_system/tasks.rs"]
mod tasks;
#[path = "o4_whole_system/threads.rs"]
mod threads;
mod walk;
