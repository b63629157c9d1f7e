//! Services that answer one another through their outboxes, with handlers that crash and relays that are replaced.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use lawspeaker_bus::bus::{Bus, Service, ServiceConfig, StepError};
use lawspeaker_bus::message::Message;
use lawspeaker_bus::outbox::{Decision, Entry, Failure};
use lawspeaker_bus::store::{MemoryStore, Store};
use lawspeaker_history::{Call, Delivery, EventId, History, OpType};

use crate::recording::{AtLeast, CONFIG, GROUP, PARTITION_COUNT, Recording, TOPIC, assert_conforms};

const COMMAND_COUNT: u64 = 150;
/// A handler crashes after so many steps that did something, a relay is replaced after as many.
const CRASH_EVERY: u64 = 7;

/// How often each event had its effect.
type Effects = BTreeMap<String, u32>;

/// What an event is of, and how often it had its effect now.
fn count(effects: &Effects, event: &str) -> Decision<Entry<String, u32>> {
    Decision::put(event, effects.get(event).copied().unwrap_or(0) + 1)
}

fn hear(effects: &Effects, event: &Message) -> Result<Decision<Entry<String, u32>>, Failure> {
    Ok(count(effects, &event.id.to_string()))
}

/// Gives commands to the service, some of them twice.
fn command(service: &Service<Effects>, from: u64) {
    for number in (from..COMMAND_COUNT).step_by(2) {
        let id = format!("order-{number}");
        for _ in 0..1 + number % 3 / 2 {
            let event = Message::new(format!("{id}/placed").as_str(), "").key(format!("key-{}", number % 5));
            let decide = |effects: &Effects| count(effects, &id).emit(TOPIC, event);
            service.command(format!("command-{number}").as_str(), number, decide).unwrap();
        }
    }
}

/// Handles until `is_over`; crashes now and then, which loses nothing but the work in hand.
fn handle(service: &Service<Effects>, is_over: impl Fn() -> bool, crash_count: &AtomicU64) {
    while !is_over() {
        let mut handler = service.handler(TOPIC, hear).unwrap();
        for _ in 0..CRASH_EVERY {
            match handler.step(0) {
                Ok(_) => thread::yield_now(),
                Err(StepError::Group(_) | StepError::Poll(_)) => break,
                Err(error) => panic!("{error}"),
            }
        }
        crash_count.fetch_add(1, Ordering::Relaxed);
    }
}

/// Publishes until `is_over`; is replaced now and then.
fn relay(service: &Service<Effects>, is_over: impl Fn() -> bool) {
    while !is_over() {
        let mut relay = service.relay().unwrap();
        for _ in 0..CRASH_EVERY {
            relay.step().unwrap();
            thread::yield_now();
        }
    }
}

pub(crate) fn run() -> (History, Effects) {
    let recording = Recording::new();
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let bus = Arc::new(Bus::open_in(Arc::clone(&store), CONFIG, recording.clone()).unwrap());
    bus.create_topic(TOPIC, PARTITION_COUNT).unwrap();
    let orders = bus.service::<Effects>("orders", ServiceConfig::default()).unwrap();
    let billing = bus.service::<Effects>(GROUP, ServiceConfig::default()).unwrap();
    let crash_count = AtomicU64::new(0);
    let is_over = || billing.view(Effects::len).unwrap() as u64 == COMMAND_COUNT;
    thread::scope(|scope| {
        (0..2).for_each(|from| {
            drop(scope.spawn({
                let orders = &orders;
                move || command(orders, from)
            }));
        });
        scope.spawn(|| relay(&orders, is_over));
        (0..2).for_each(|_| drop(scope.spawn(|| handle(&billing, is_over, &crash_count))));
    });
    // What the last crash left uncommitted is delivered again, and known.
    let mut last = billing.handler(TOPIC, hear).unwrap();
    while last.step(0).unwrap().done_count > 0 {}
    last.leave().unwrap();
    let mut relay = orders.relay().unwrap();
    while relay.step().unwrap() > 0 {}
    let effects = billing.view(Effects::clone).unwrap();
    (recording.finish(&bus), effects)
}

fn events(history: &History, pick: impl Fn(&Call) -> Vec<EventId>) -> BTreeMap<EventId, usize> {
    let mut counts = BTreeMap::new();
    for op in history.ops.iter().filter(|op| op.op_type == OpType::Ok) {
        pick(&op.call).into_iter().for_each(|event| *counts.entry(event).or_insert(0) += 1);
    }
    counts
}

#[test]
fn services_that_answer_one_another_keep_the_law() {
    let (history, effects) = run();
    assert_eq!(effects.len() as u64, COMMAND_COUNT);
    assert!(effects.values().all(|count| *count == 1), "an event had its effect twice: {effects:?}");
    let changes =
        events(&history, |call| if let Call::Change(events) = call { events.clone() } else { Vec::new() });
    let applied = events(&history, |call| match call {
        Call::Apply(all) => all.iter().filter_map(|delivery: &Delivery| delivery.event.clone()).collect(),
        _ => Vec::new(),
    });
    assert_eq!(changes.len() as u64, COMMAND_COUNT);
    assert_eq!(changes, applied, "each change has its effect and each effect its change, once");
    let at_least = AtLeast { sends: 150, commits: 2, crashes: 1, put_backs: 0 };
    assert_conforms("services", &history, &at_least);
}
