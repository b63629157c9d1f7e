//! O1, the core refines the law: every core, in lock-step with its specification, gives equal answers and equal
//! abstract states, for *every* sequence of calls, crashes and recoveries within the stated bounds.
//!
//! A state of the search is (core, what the shell would keep for it, specification); stateright explores all of
//! them. The numbers of unique states are pinned: a search that was cut short would pass otherwise.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test panics to fail, and prints its figures"
)]

#[path = "o1_core_refines_law/causal_inbox.rs"]
mod causal_inbox;
#[path = "o1_core_refines_law/consumer_group.rs"]
mod consumer_group;
mod kernels;
#[path = "o1_core_refines_law/outbox.rs"]
mod outbox;
#[path = "o1_core_refines_law/participant.rs"]
mod participant;
#[path = "o1_core_refines_law/partition_log.rs"]
mod partition_log;
#[path = "o1_core_refines_law/saga.rs"]
mod saga;
#[path = "o1_core_refines_law/saga_log.rs"]
mod saga_log;

use std::fmt::Debug;
use std::hash::Hash;
use std::time::Instant;

use stateright::{Checker, HasDiscoveries, Model};

/// Explores every state and demands that every `always` holds and every `sometimes` is met.
fn explore<M>(name: &str, model: M, expected_state_count: usize)
where
    M: Model + Send + Sync + 'static,
    M::State: Clone + Debug + Hash + Eq + Send + Sync,
    M::Action: Clone + Debug + Eq + Send + Sync,
{
    let started = Instant::now();
    let checker = model.checker().finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    let seconds = started.elapsed().as_secs_f64();
    println!("O1 {name}: {} states, {seconds:.2} s", checker.unique_state_count());
    checker.assert_properties();
    assert_eq!(checker.unique_state_count(), expected_state_count);
}

#[test]
fn partition_log_core_refines_its_specification() {
    explore("partition log", partition_log::LockStep, partition_log::STATE_COUNT);
}

#[test]
fn consumer_group_core_refines_its_specification() {
    explore("consumer group", consumer_group::LockStep, consumer_group::STATE_COUNT);
}

#[test]
fn causal_inbox_core_refines_its_specification() {
    explore("causal inbox", causal_inbox::LockStep::new(), causal_inbox::STATE_COUNT);
}

#[test]
fn saga_core_refines_its_specification() {
    explore("saga", saga::LockStep, saga::STATE_COUNT);
}

#[test]
fn saga_log_core_refines_its_specification() {
    explore("saga log", saga_log::LockStep, saga_log::STATE_COUNT);
}

#[test]
fn participant_core_refines_its_specification() {
    explore("participant", participant::LockStep, participant::STATE_COUNT);
}

#[test]
fn outbox_core_refines_its_specification() {
    explore("outbox, the last event", outbox::LockStep::LAST_ONE, outbox::LAST_ONE_STATE_COUNT);
    explore("outbox, by time", outbox::LockStep::BY_TIME, outbox::BY_TIME_STATE_COUNT);
}
