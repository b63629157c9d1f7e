use std::sync::mpsc;
use std::thread;

use lawspeaker_history::{EventId, MemoryRecorder};

use super::*;
use crate::consumer_group::GroupError;
use crate::id::MemberId;
use crate::member::{PollError, Polled};
use crate::message::Message;
use crate::store::MemoryStore;

const CONFIG: Config = Config { segment_bytes: 500, max_message_bytes: 100, max_partition_count: 8 };

fn open(store: &MemoryStore) -> Bus {
    Bus::open_in(Arc::new(store.clone()), CONFIG, Arc::new(NoRecorder)).unwrap()
}

/// A bus with the topic `orders` of two partitions.
fn bus() -> Bus {
    let bus = open(&MemoryStore::new());
    bus.create_topic("orders", 2).unwrap();
    bus
}

/// Publishes events 0, 1, and so on, to the partitions in turn.
fn publish(producer: &mut TopicProducer, event_count: i64) {
    for id in 0..event_count {
        producer.publish(Message::new(id, [7; 50])).unwrap();
    }
}

fn ids(polled: &[Polled]) -> Vec<EventId> {
    polled.iter().map(|polled| polled.entry.message.id.clone()).collect()
}

#[test]
fn everything_acknowledged_is_there_after_reopening() {
    let store = MemoryStore::new();
    let bus = open(&store);
    bus.create_topic("orders", 2).unwrap();
    let mut producer = bus.producer("orders", "shop").unwrap();
    publish(&mut producer, 20);
    let mut consumer = bus.consumer("billing", "orders").unwrap();
    for polled in consumer.poll(3).unwrap() {
        assert!(consumer.handled(polled.partition, polled.entry.offset));
    }
    consumer.commit().unwrap();
    drop((bus, producer, consumer));
    let bus = open(&store);
    assert_eq!(bus.topics(), BTreeMap::from([("orders".to_owned(), 2)]));
    assert_eq!(bus.read("orders", PartitionNumber(1), Offset::of(0), 100).unwrap().len(), 10);
    assert_eq!(bus.committed("billing", "orders").unwrap(), [Offset::of(3), Offset::of(3)]);
    assert_eq!(bus.end_offsets("orders").unwrap(), [Offset::of(10), Offset::of(10)]);
    let mut consumer = bus.consumer("billing", "orders").unwrap();
    assert_eq!(consumer.id(), MemberId(1));
    assert_eq!(ids(&consumer.poll(1).unwrap()), [6.into(), 7.into()]);
}

#[test]
fn a_mistake_is_answered_with_its_remedy() {
    let bus = bus();
    let check = |error: &dyn std::error::Error, expected: &str| assert_eq!(error.to_string(), expected);
    check(
        &bus.create_topic("orders", 3).unwrap_err(),
        "topic `orders` has 2 partitions and 3 were asked for: the number is fixed, because with another one keys \
         would move; ask for 2, or create a topic of another name",
    );
    check(&bus.create_topic("many", 9).unwrap_err(), "topic `many` cannot have 9 partitions: ask for 1 to 8");
    check(
        &bus.producer("order", "shop").unwrap_err(),
        "topic `order` does not exist: create it first; there are orders",
    );
    check(
        &bus.read("orders", PartitionNumber(2), Offset::of(0), 1).unwrap_err(),
        "topic `orders` has partitions 0 to 1, and not `2`",
    );
    let mut producer = bus.producer("orders", "shop").unwrap();
    check(
        &producer.publish(Message::new("long", [0; 97])).unwrap_err(),
        "a message of 101 bytes is longer than the limit of 100: split it, or raise `max_message_bytes`",
    );
    producer.publish(Message::new("good", [0; 96])).unwrap();
}

#[test]
fn creating_a_topic_again_changes_nothing() {
    let bus = bus();
    bus.producer("orders", "shop").unwrap().publish(Message::new(1, "")).unwrap();
    bus.create_topic("orders", 2).unwrap();
    assert_eq!(bus.read("orders", PartitionNumber(0), Offset::of(0), 9).unwrap().len(), 1);
}

#[test]
fn a_producer_that_is_opened_again_fences_the_one_before() {
    let bus = bus();
    let mut old = bus.producer("orders", "shop").unwrap();
    let mut new = bus.producer("orders", "shop").unwrap();
    let fenced = old.publish(Message::new(1, "")).unwrap_err();
    assert_eq!(fenced.to_string(), "the producer was opened again, in epoch `1`; this incarnation must stop");
    new.publish(Message::new(2, "")).unwrap();
}

#[test]
fn what_a_crashed_member_had_in_hand_goes_to_another() {
    let bus = bus();
    let mut producer = bus.producer("orders", "shop").unwrap();
    publish(&mut producer, 4);
    let mut first = bus.consumer("billing", "orders").unwrap();
    assert_eq!(first.poll(9).unwrap().len(), 4);
    let mut second = bus.consumer("billing", "orders").unwrap();
    assert_eq!(second.poll(9).unwrap(), []);
    drop(first);
    assert_eq!(ids(&second.poll(9).unwrap()), [0.into(), 2.into(), 1.into(), 3.into()]);
}

#[test]
fn a_commit_that_meets_a_rebalance_takes_it_up_and_commits_what_it_still_owns() {
    let bus = bus();
    let mut producer = bus.producer("orders", "shop").unwrap();
    publish(&mut producer, 2);
    let mut first = bus.consumer("billing", "orders").unwrap();
    for polled in first.poll(9).unwrap() {
        assert!(first.handled(polled.partition, polled.entry.offset));
    }
    let mut second = bus.consumer("billing", "orders").unwrap();
    first.commit().unwrap();
    assert_eq!(bus.committed("billing", "orders").unwrap(), [Offset::of(1), Offset::of(1)]);
    assert_eq!(second.poll(9).unwrap(), []);
}

#[test]
fn a_blocked_poll_wakes_for_an_event_and_for_the_close() {
    let bus = bus();
    let mut consumer = bus.consumer("billing", "orders").unwrap();
    let mut producer = bus.producer("orders", "shop").unwrap();
    let (tell, told) = mpsc::channel();
    thread::scope(|scope| {
        let blocked = scope.spawn(move || {
            tell.send(ids(&consumer.poll_blocking(1).unwrap())).unwrap();
            consumer.poll_blocking(1).unwrap_err()
        });
        producer.publish(Message::new(5, "")).unwrap();
        assert_eq!(told.recv().unwrap(), [5.into()]);
        bus.close();
        let closed = blocked.join().unwrap();
        assert!(matches!(closed, PollError::Group(GroupError::Closed)), "{closed}");
    });
}

#[test]
fn a_closed_bus_takes_nothing_new() {
    let store = MemoryStore::new();
    let bus = open(&store);
    bus.create_topic("orders", 2).unwrap();
    let mut producer = bus.producer("orders", "shop").unwrap();
    publish(&mut producer, 2);
    let before = store.list().unwrap();
    bus.close();
    let check = |error: &dyn std::error::Error| {
        assert_eq!(error.to_string(), "the bus is closed: open it again to go on");
    };
    check(&bus.create_topic("parcels", 1).unwrap_err());
    check(&bus.producer("orders", "till").unwrap_err());
    check(&bus.consumer("billing", "orders").unwrap_err());
    check(&bus.committed("billing", "orders").unwrap_err());
    let refused = producer.publish(Message::new(2, "")).unwrap_err();
    assert_eq!(refused.to_string(), "the log is closed");
    assert_eq!(bus.read("orders", PartitionNumber(0), Offset::of(0), 9).unwrap().len(), 1);
    assert_eq!(store.list().unwrap(), before);
}

#[test]
fn a_topic_whose_catalogue_is_gone_is_not_taken_for_an_empty_bus() {
    let store = MemoryStore::new();
    open(&store).create_topic("orders", 1).unwrap();
    store.remove("catalogue~00000000000000000000.log").unwrap();
    let refused = Bus::open_in(Arc::new(store), CONFIG, Arc::new(NoRecorder)).unwrap_err();
    assert!(refused.to_string().contains("there is no such file"), "{refused}");
}

#[test]
fn a_directory_is_open_once() {
    let directory = tempfile::tempdir().unwrap();
    let bus = Bus::open(directory.path(), CONFIG).unwrap();
    let refused = Bus::open(directory.path(), CONFIG).unwrap_err();
    assert!(refused.to_string().ends_with("is open in another bus: close that one first"), "{refused}");
    drop(bus);
    Bus::open(directory.path(), CONFIG).unwrap();
}

#[test]
fn what_happens_is_recorded() {
    let recorder = Arc::new(MemoryRecorder::new());
    let bus = Bus::open_in(Arc::new(MemoryStore::new()), CONFIG, recorder.clone()).unwrap();
    bus.create_topic("orders", 1).unwrap();
    bus.producer("orders", "shop").unwrap().publish(Message::new(1, "")).unwrap();
    let mut consumer = bus.consumer("billing", "orders").unwrap();
    consumer.poll(1).unwrap();
    drop(consumer);
    let said: Vec<_> = recorder.history().ops.iter().map(|op| op.call.f().to_owned()).collect();
    assert_eq!(said, ["send", "send", "assign", "poll", "crash", "revoke"]);
}
