//! Threads: producers, and members that crash with work in hand and join again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use lawspeaker_bus::bus::{Bus, Consumer};
use lawspeaker_bus::member::Polled;
use lawspeaker_bus::message::Message;
use lawspeaker_bus::store::{MemoryStore, Store};
use lawspeaker_history::History;

use crate::recording::{
    AtLeast, CONFIG, GROUP, PARTITION_COUNT, Recording, TOPIC, assert_conforms, is_all_committed,
};

const PRODUCER_COUNT: u64 = 3;
const EVENT_COUNT: u64 = 400;
const MEMBER_COUNT: u64 = 3;
/// A member crashes before every commit whose number this divides.
const CRASH_EVERY: u64 = 13;
/// The handler fails at every event whose number this divides, counting those processed.
const FAIL_EVERY: u64 = 29;

/// What the threads of one life of the bus share.
pub(crate) struct Life<'a> {
    pub(crate) bus: &'a Bus,
    /// Events get ids from here.
    pub(crate) next_event: &'a AtomicU64,
    pub(crate) event_count: u64,
    pub(crate) commit_count: &'a AtomicU64,
    processed_count: AtomicU64,
    is_sending_over: AtomicBool,
}

impl<'a> Life<'a> {
    pub(crate) fn new(
        bus: &'a Bus,
        next_event: &'a AtomicU64,
        event_count: u64,
        commit_count: &'a AtomicU64,
    ) -> Self {
        let (processed_count, is_sending_over) = (AtomicU64::new(0), AtomicBool::new(false));
        Life { bus, next_event, event_count, commit_count, processed_count, is_sending_over }
    }

    /// Runs until everything is published and committed, or the store fails.
    pub(crate) fn run(&self) {
        thread::scope(|scope| {
            for _ in 0..MEMBER_COUNT {
                scope.spawn(|| self.consume());
            }
            let producers: Vec<_> =
                (0..PRODUCER_COUNT).map(|number| scope.spawn(move || self.publish(number))).collect();
            producers.into_iter().for_each(|producer| producer.join().unwrap());
            self.is_sending_over.store(true, Ordering::SeqCst);
            self.close_if_done();
        });
    }

    /// Publishes until there are enough events; an error ends it: the store is down.
    fn publish(&self, number: u64) {
        let Ok(mut producer) = self.bus.producer(TOPIC, &format!("producer-{number}")) else { return };
        loop {
            let event = self.next_event.fetch_add(1, Ordering::Relaxed);
            let message = Message::new(event.cast_signed(), *b"payload").key(format!("key-{}", event % 7));
            if event >= self.event_count || producer.publish(message).is_err() {
                return;
            }
        }
    }

    /// Joins again after each crash, until the bus is closed or its store is down.
    fn consume(&self) {
        while let Ok(consumer) = self.bus.consumer(GROUP, TOPIC) {
            if !self.consume_until_crash(consumer) {
                return;
            }
        }
    }

    /// Returns whether the member crashed, with work in hand; otherwise the bus is closed.
    fn consume_until_crash(&self, mut consumer: Consumer) -> bool {
        while let Ok(polled) = consumer.poll_blocking(5) {
            if self.commit_count.fetch_add(1, Ordering::Relaxed) % CRASH_EVERY == CRASH_EVERY - 1 {
                return true;
            }
            for of_partition in polled.chunk_by(|one, other| one.partition == other.partition) {
                self.process(&mut consumer, of_partition);
            }
            if consumer.commit().is_err() {
                return false;
            }
            self.close_if_done();
        }
        false
    }

    /// Processes events of one partition up to the first failure.
    fn process(&self, consumer: &mut Consumer, polled: &[Polled]) {
        for polled in polled {
            let number = self.processed_count.fetch_add(1, Ordering::Relaxed) + 1;
            if number.is_multiple_of(FAIL_EVERY) {
                return consumer.put_back(polled.partition);
            }
            assert!(
                consumer.handled(polled.partition, polled.entry.offset),
                "it is the next of what was polled"
            );
        }
    }

    /// Whoever sees that all is done wakes everybody by closing the bus.
    fn close_if_done(&self) {
        if self.is_sending_over.load(Ordering::SeqCst) && is_all_committed(self.bus) {
            self.bus.close();
        }
    }
}

/// A whole run of threads, recorded.
pub(crate) fn run() -> History {
    let recording = Recording::new();
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let open = || Bus::open_in(Arc::clone(&store), CONFIG, recording.clone()).unwrap();
    let bus = open();
    bus.create_topic(TOPIC, PARTITION_COUNT).unwrap();
    Life::new(&bus, &AtomicU64::new(0), EVENT_COUNT, &AtomicU64::new(0)).run();
    drop(bus);
    recording.finish(&open())
}

#[test]
fn threads_that_publish_consume_and_crash_keep_the_law() {
    let at_least = AtLeast { sends: 400, commits: 40, crashes: 2, put_backs: 2 };
    assert_conforms("threads", &run(), &at_least);
}
