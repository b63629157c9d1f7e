//! A causal session: no effect survives without its cause, and its inbox is rebuilt from the logs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use lawspeaker_bus::bus::{Bus, CausalConfig, CausalSession, Config};
use lawspeaker_bus::id::PartitionNumber;
use lawspeaker_bus::message::Message;
use lawspeaker_bus::partitioner::partition_of;
use lawspeaker_bus::store::CrashStore;
use lawspeaker_history::{EventId, NoRecorder, Offset};

use crate::everywhere::{Subject, crash_everywhere};

const TOPIC: &str = "talk";
/// In the order in which they are acknowledged and read: effects first.
const ANSWERS: PartitionNumber = PartitionNumber(0);
const QUESTIONS: PartitionNumber = PartitionNumber(1);
const CONFIG: Config = Config { segment_bytes: 4_000, max_message_bytes: 200, max_partition_count: 4 };

/// A service says questions, and answers that depend on them in the other partition, and hears both, answers first.
struct Script;

#[derive(Clone, Default)]
struct Told {
    /// The next event's number; all below were given to the bus.
    next: i64,
    acknowledged: BTreeSet<i64>,
    /// The service's own durable memory: each effect and its deduplication in one step.
    applied: Vec<i64>,
}

fn number(id: &EventId) -> i64 {
    let EventId::Number(number) = id else { panic!("an id was changed") };
    *number
}

/// A key whose events go to the partition.
fn key(partition: PartitionNumber) -> String {
    let keys = (0..).map(|number: u32| number.to_string());
    keys.into_iter().find(|key| partition_of(key, 2) == partition).unwrap()
}

fn open(store: &CrashStore) -> Option<Bus> {
    match Bus::open_in(Arc::new(store.clone()), CONFIG, Arc::new(NoRecorder)) {
        Ok(bus) => Some(bus),
        Err(_) if store.is_down() => None,
        Err(error) => panic!("a crash was taken for damage: {error}"),
    }
}

impl Told {
    /// Sends a question and, before it is acknowledged, what follows from it.
    fn talk(&mut self, talking: &mut CausalSession) -> Option<()> {
        let first = self.next;
        for partition in [QUESTIONS, ANSWERS] {
            self.next += 1;
            talking.send(TOPIC, Message::new(self.next - 1, "").key(key(partition))).ok()?;
        }
        talking.acknowledge().ok()?;
        self.acknowledged.extend(first..self.next);
        Some(())
    }

    fn hear(&mut self, reading: &mut CausalSession) -> Option<()> {
        while let Some(event) = reading.poll().ok()? {
            let message = &event.entry.message;
            if !self.applied.contains(&number(&message.id)) {
                let is_applied = |cause: &EventId| self.applied.contains(&number(cause));
                assert!(message.cause_ids().iter().all(is_applied), "an effect came before its cause");
                self.applied.push(number(&message.id));
            }
            reading.handled(&event);
        }
        reading.commit().ok()
    }

    /// Everything acknowledged or applied is there, and nothing without its causes. Returns what is there.
    fn check_logs(&self, bus: &Bus) -> BTreeSet<i64> {
        let mut causes = BTreeMap::new();
        let partitions = [ANSWERS, QUESTIONS].into_iter().filter(|_| bus.topics().contains_key(TOPIC));
        for partition in partitions {
            for entry in bus.read(TOPIC, partition, Offset::of(0), usize::MAX).unwrap() {
                let of_entry: Vec<_> = entry.message.cause_ids().iter().map(number).collect();
                let is_new = causes.insert(number(&entry.message.id), of_entry).is_none();
                assert!(is_new && number(&entry.message.id) < self.next, "an event was doubled or invented");
            }
        }
        let is_there = |event: &i64| causes.contains_key(event);
        assert!(self.acknowledged.iter().all(is_there), "an acknowledged event is lost");
        assert!(self.applied.iter().all(is_there), "a delivered event is lost");
        assert!(causes.values().flatten().all(is_there), "an effect survived and its cause did not");
        causes.into_keys().collect()
    }
}

impl Script {
    fn open(bus: &Bus) -> Option<CausalSession> {
        bus.create_topic(TOPIC, 2).ok()?;
        bus.causal_session("service", &[TOPIC], &[TOPIC], CausalConfig::default()).ok()
    }
}

impl Subject for Script {
    type Told = Told;

    fn run(&self, store: &CrashStore, told: &mut Told) -> Option<()> {
        let bus = open(store)?;
        let mut session = Self::open(&bus)?;
        told.talk(&mut session)?;
        told.hear(&mut session)
    }

    fn recover(&self, store: &CrashStore, told: &mut Told) -> Option<()> {
        let bus = open(store)?;
        told.check_logs(&bus);
        let mut session = Self::open(&bus)?;
        told.talk(&mut session)?;
        told.hear(&mut session)?;
        let applied: BTreeSet<_> = told.applied.iter().copied().collect();
        assert_eq!(told.check_logs(&bus), applied, "an event was not delivered");
        Some(())
    }
}

#[test]
fn no_effect_survives_without_its_cause_and_an_inbox_is_rebuilt_wherever_the_power_fails() {
    let count = crash_everywhere(&Script);
    println!(
        "O3 causal: {} boundaries, {} crashes, {} crashes of the recovery",
        count.boundaries, count.first, count.second
    );
    assert!(count.boundaries > 30 && count.second > 10_000, "too little was tried: {count:?}");
}
