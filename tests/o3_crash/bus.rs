//! The whole bus: catalogue, partitions, group.

use std::collections::BTreeMap;
use std::sync::Arc;

use lawspeaker_bus::bus::{Bus, Config, Consumer, TopicProducer};
use lawspeaker_bus::id::PartitionNumber;
use lawspeaker_bus::message::Message;
use lawspeaker_bus::store::CrashStore;
use lawspeaker_history::{EventId, NoRecorder, Offset};

use crate::everywhere::{Subject, crash_everywhere};

const TOPIC: &str = "orders";
const GROUP: &str = "billing";
const PARTITION_COUNT: u32 = 2;
/// Two events fill a segment, so that rolling is crashed too.
const CONFIG: Config = Config { segment_bytes: 200, max_message_bytes: 100, max_partition_count: 4 };

/// Creates a topic, publishes, consumes, rebalances and commits.
struct Script;

#[derive(Clone, Default)]
struct Told {
    is_topic_acknowledged: bool,
    /// The next event's number; all below were given to the bus.
    next: i64,
    /// Where each acknowledged event stands.
    acknowledged: BTreeMap<(PartitionNumber, Offset), i64>,
    /// What was committed, as far as the group acknowledged it.
    committed: BTreeMap<PartitionNumber, Offset>,
}

fn payload(number: i64) -> Vec<u8> {
    format!("payload of {number}").into_bytes()
}

impl Told {
    fn create_topic(&mut self, bus: &Bus) -> Option<()> {
        bus.create_topic(TOPIC, PARTITION_COUNT).ok()?;
        self.is_topic_acknowledged = true;
        Some(())
    }

    fn publish(&mut self, producer: &mut TopicProducer) -> Option<()> {
        let number = self.next;
        self.next += 1;
        let published = producer.publish(Message::new(number, payload(number))).ok()?;
        self.acknowledged.insert((published.partition, published.offset), number);
        Some(())
    }

    fn poll(&mut self, consumer: &mut Consumer) -> Option<()> {
        for polled in consumer.poll(2).ok()? {
            let EventId::Number(number) = polled.entry.message.id else { panic!("an id was changed") };
            assert!(number < self.next, "event {number} was invented");
            assert!(consumer.handled(polled.partition, polled.entry.offset), "an event came out of turn");
        }
        Some(())
    }

    fn commit(&mut self, bus: &Bus, consumer: &mut Consumer) -> Option<()> {
        consumer.commit().ok()?;
        self.note_committed(bus)
    }

    /// What the group says is committed may never be taken back.
    fn note_committed(&mut self, bus: &Bus) -> Option<()> {
        let offsets = bus.committed(GROUP, TOPIC).ok()?;
        for (partition, offset) in (0..).map(PartitionNumber).zip(offsets) {
            let before = self.committed.insert(partition, offset);
            assert!(before <= Some(offset), "the committed offset of partition {partition} fell");
        }
        Some(())
    }

    fn check_log(&self, bus: &Bus) {
        let mut found = BTreeMap::new();
        for partition in (0..PARTITION_COUNT).map(PartitionNumber) {
            let mut last = -1;
            for entry in bus.read(TOPIC, partition, Offset::of(0), usize::MAX).unwrap() {
                let EventId::Number(number) = entry.message.id else { panic!("an id was changed") };
                assert_eq!(entry.message.payload, payload(number), "a payload was changed");
                assert!(last < number && number < self.next, "event {number} was invented, doubled or moved");
                last = number;
                found.insert((partition, entry.offset), number);
            }
        }
        for (place, number) in &self.acknowledged {
            assert_eq!(found.get(place), Some(number), "acknowledged event {number} is lost");
        }
    }

    /// A consumer that joins now gets everything from the committed offsets on.
    fn check_rest(&self, bus: &Bus, consumer: &mut Consumer) -> Option<()> {
        let committed = bus.committed(GROUP, TOPIC).ok()?;
        let polled = consumer.poll(usize::MAX).ok()?;
        for partition in (0..PARTITION_COUNT).map(PartitionNumber) {
            let expected = bus.read(TOPIC, partition, committed[partition.0 as usize], usize::MAX).unwrap();
            let entries = polled.iter().filter(|polled| polled.partition == partition);
            assert!(entries.map(|polled| &polled.entry).eq(&expected), "a group's event was lost");
        }
        for polled in polled {
            assert!(consumer.handled(polled.partition, polled.entry.offset));
        }
        Some(())
    }
}

fn open(store: &CrashStore) -> Option<Bus> {
    match Bus::open_in(Arc::new(store.clone()), CONFIG, Arc::new(NoRecorder)) {
        Ok(bus) => Some(bus),
        Err(_) if store.is_down() => None,
        Err(error) => panic!("a crash was taken for damage: {error}"),
    }
}

impl Subject for Script {
    type Told = Told;

    fn run(&self, store: &CrashStore, told: &mut Told) -> Option<()> {
        let bus = open(store)?;
        told.create_topic(&bus)?;
        let mut producer = bus.producer(TOPIC, "shop").ok()?;
        (0..5).try_for_each(|_| told.publish(&mut producer))?;
        let mut first = bus.consumer(GROUP, TOPIC).ok()?;
        told.poll(&mut first)?;
        told.commit(&bus, &mut first)?;
        let mut second = bus.consumer(GROUP, TOPIC).ok()?;
        told.poll(&mut first)?;
        told.poll(&mut second)?;
        told.publish(&mut producer)?;
        told.commit(&bus, &mut second)?;
        drop(first);
        told.poll(&mut second)?;
        told.commit(&bus, &mut second)?;
        second.leave().ok()
    }

    fn recover(&self, store: &CrashStore, told: &mut Told) -> Option<()> {
        let bus = open(store)?;
        assert!(
            !told.is_topic_acknowledged || bus.topics().contains_key(TOPIC),
            "an acknowledged topic is lost"
        );
        told.create_topic(&bus)?;
        told.check_log(&bus);
        told.note_committed(&bus)?;
        let mut producer = bus.producer(TOPIC, "shop").ok()?;
        told.publish(&mut producer)?;
        let mut consumer = bus.consumer(GROUP, TOPIC).ok()?;
        told.check_rest(&bus, &mut consumer)?;
        told.commit(&bus, &mut consumer)?;
        told.check_log(&bus);
        Some(())
    }
}

#[test]
fn a_bus_loses_nothing_acknowledged_and_invents_nothing_wherever_the_power_fails() {
    let count = crash_everywhere(&Script);
    println!(
        "O3 bus: {} boundaries, {} crashes, {} crashes of the recovery",
        count.boundaries, count.first, count.second
    );
    assert!(count.boundaries > 70 && count.second > 50_000, "too little was tried: {count:?}");
}
