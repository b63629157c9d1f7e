//! A service: each event has one effect, each change its event, and what cannot be handled a dead letter.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::sync::Arc;

use lawspeaker_bus::bus::{Bus, Config, Service, ServiceConfig};
use lawspeaker_bus::id::PartitionNumber;
use lawspeaker_bus::message::Message;
use lawspeaker_bus::outbox::{DeadLetter, Decision, Entry, Failure, RetryPolicy};
use lawspeaker_bus::store::CrashStore;
use lawspeaker_history::{EventId, NoRecorder, Offset};

use crate::everywhere::{Subject, crash_the_run_everywhere};

const CONFIG: Config = Config { segment_bytes: 100_000, max_message_bytes: 400, max_partition_count: 1 };
const ORDERS: &str = "orders";
const RESERVED: &str = "reserved";
const POISON: &[u8] = b"poison";

/// How often each event had its effect, in the order of the first time.
type Effects = BTreeMap<String, u32>;

/// A service handles orders, one of which it cannot, and hears what it has said of them.
struct Script;

#[derive(Clone, Default)]
struct Told {
    /// The next order's number; all below were given to the bus.
    next: i64,
    acknowledged: BTreeSet<i64>,
    is_command_acknowledged: bool,
}

fn open(store: &CrashStore) -> Option<(Arc<Bus>, Service<Effects>)> {
    let bus = match Bus::open_in(Arc::new(store.clone()), CONFIG, Arc::new(NoRecorder)) {
        Ok(bus) => Arc::new(bus),
        Err(_) if store.is_down() => return None,
        Err(error) => panic!("a crash was taken for damage: {error}"),
    };
    bus.create_topic(ORDERS, 1).ok()?;
    bus.create_topic(RESERVED, 1).ok()?;
    let retry = RetryPolicy { max_attempts: NonZeroU32::MIN, ..RetryPolicy::default() };
    match bus.service("stock", ServiceConfig { retry, ..ServiceConfig::default() }) {
        Ok(service) => Some((bus, service)),
        Err(_) if store.is_down() => None,
        Err(error) => panic!("a crash was taken for damage: {error}"),
    }
}

/// An event has its effect: once more than before.
fn count(effects: &Effects, event: &str) -> Decision<Entry<String, u32>> {
    Decision::put(event, effects.get(event).copied().unwrap_or(0) + 1)
}

fn reserve(effects: &Effects, order: &Message) -> Result<Decision<Entry<String, u32>>, Failure> {
    if order.payload == POISON {
        return Err(Failure::new("poison"));
    }
    let id = order.id.to_string();
    Ok(count(effects, &id).emit(RESERVED, Message::new(format!("{id}/reserved").as_str(), "").key("all")))
}

fn hear(effects: &Effects, reserved: &Message) -> Result<Decision<Entry<String, u32>>, Failure> {
    Ok(count(effects, &reserved.id.to_string()))
}

/// Handles and publishes all that there is.
fn work(service: &Service<Effects>) -> Option<()> {
    let mut orders = service.handler(ORDERS, reserve).ok()?;
    while orders.step(0).ok()?.done_count > 0 {}
    orders.leave().ok()?;
    let mut relay = service.relay().ok()?;
    while relay.step().ok()? > 0 {}
    let mut reserved = service.handler(RESERVED, hear).ok()?;
    while reserved.step(0).ok()?.done_count > 0 {}
    reserved.leave().ok()
}

fn read(bus: &Bus, topic: &str) -> Option<Vec<Message>> {
    let entries = bus.read(topic, PartitionNumber(0), Offset::of(0), usize::MAX).ok()?;
    Some(entries.into_iter().map(|entry| entry.message).collect())
}

impl Told {
    fn publish(&mut self, bus: &Bus, payload: &[u8]) -> Option<()> {
        let number = self.next;
        self.next += 1;
        bus.producer(ORDERS, "shop").ok()?.publish(Message::new(number, payload)).ok()?;
        self.acknowledged.insert(number);
        Some(())
    }

    /// A command that changes the state and owes an event; sent again after each crash.
    fn command(&mut self, service: &Service<Effects>) -> Option<()> {
        let decide = |effects: &Effects| {
            count(effects, "command").emit(RESERVED, Message::new("command/reserved", "").key("all"))
        };
        service.command("command", 0, decide).ok()?;
        self.is_command_acknowledged = true;
        Some(())
    }

    /// Everything that was acknowledged has come to its end, once.
    fn check(&self, bus: &Bus, service: &Service<Effects>) -> Option<()> {
        let effects = service.view(Effects::clone).ok()?;
        assert!(effects.values().all(|count| *count == 1), "an event had its effect twice: {effects:?}");
        let orders = read(bus, ORDERS)?;
        let mut letters = BTreeSet::new();
        for letter in read(bus, &service.dead_letter_topic())? {
            letters.insert(DeadLetter::read(&letter).unwrap().message.id);
        }
        for number in &self.acknowledged {
            let order = orders.iter().find(|order| order.id == EventId::Number(*number)).unwrap();
            match order.payload == POISON {
                true => assert!(letters.contains(&order.id), "event {number} was dropped"),
                false => assert!(effects.contains_key(&number.to_string()), "event {number} had no effect"),
            }
        }
        assert!(!self.is_command_acknowledged || effects.contains_key("command"), "a command was lost");
        let said = effects.keys().filter(|event| !event.ends_with("/reserved"));
        for event in said.clone() {
            assert!(effects.contains_key(&format!("{event}/reserved")), "change {event} owes an event");
        }
        assert_eq!(effects.len(), 2 * said.count(), "an event without its change: {effects:?}");
        Some(())
    }
}

impl Subject for Script {
    type Told = Told;

    fn run(&self, store: &CrashStore, told: &mut Told) -> Option<()> {
        let (bus, service) = open(store)?;
        told.publish(&bus, b"apples")?;
        told.publish(&bus, POISON)?;
        told.command(&service)?;
        work(&service)?;
        drop((bus, service));
        let (bus, service) = open(store)?;
        told.publish(&bus, b"pears")?;
        told.command(&service)?;
        work(&service)?;
        told.check(&bus, &service)
    }

    fn recover(&self, store: &CrashStore, told: &mut Told) -> Option<()> {
        let (bus, service) = open(store)?;
        told.command(&service)?;
        work(&service)?;
        told.check(&bus, &service)
    }
}

#[test]
fn a_service_loses_no_event_and_has_no_effect_twice_wherever_the_power_fails() {
    let count = crash_the_run_everywhere(&Script);
    println!("O3 outbox: {} boundaries, {} crashes", count.boundaries, count.first);
    assert!(count.boundaries > 100, "too little was tried: {count:?}");
}
