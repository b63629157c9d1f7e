//! Power failures in the middle of concurrent runs: the bus is opened again on what survived, and goes on.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use lawspeaker_bus::bus::Bus;
use lawspeaker_bus::store::{CrashStore, Survival};
use lawspeaker_history::History;

use crate::recording::{AtLeast, CONFIG, PARTITION_COUNT, Recording, TOPIC, assert_conforms};
use crate::threads::Life;

/// Each life of the bus ends at this boundary of the store.
const BOUNDARIES: [u64; 6] = [150, 333, 90, 512, 247, 401];
/// Enough that the last life has work left.
const EVENT_COUNT: u64 = 1_500;

/// A run of several lives, each ended by a power failure after which `survival` says what is left.
fn run(survival: Survival) -> History {
    let recording = Recording::new();
    let (next_event, commit_count) = (AtomicU64::new(0), AtomicU64::new(0));
    let mut store = CrashStore::new();
    let open = |store: &CrashStore| Bus::open_in(Arc::new(store.clone()), CONFIG, recording.clone());
    open(&store).unwrap().create_topic(TOPIC, PARTITION_COUNT).unwrap();
    for boundary in BOUNDARIES {
        let bus = open(&store).unwrap();
        store.crash_at(boundary, survival);
        Life::new(&bus, &next_event, EVENT_COUNT, &commit_count).run();
        assert!(store.is_down(), "the run ended before the power failed");
        drop(bus);
        recording.fault("power-loss");
        store = store.reopen();
    }
    recording.finish(&open(&store).unwrap())
}

#[test]
fn power_failures_in_the_middle_of_concurrent_runs_keep_the_law() {
    for survival in Survival::ALL {
        let at_least = AtLeast { sends: 100, commits: 5, crashes: 3, put_backs: 0 };
        assert_conforms(&format!("power failures, {survival:?} survives"), &run(survival), &at_least);
    }
}
