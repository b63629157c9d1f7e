//! Tasks of tokio: pipelining producers, members that crash, a clean shutdown, real files.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use lawspeaker_bus::bus::Bus;
use lawspeaker_bus::message::Message;
use lawspeaker_bus::tokio_bus::{TokioBus, TokioConsumer, TokioProducer};
use lawspeaker_history::Recorder;
use tokio::task::JoinSet;

use crate::recording::{
    AtLeast, CONFIG, GROUP, PARTITION_COUNT, Recording, TOPIC, assert_conforms, is_all_committed,
};

const PRODUCER_COUNT: u64 = 2;
/// How many publishes each producer has under way at once.
const PIPELINE_LENGTH: u64 = 16;
const EVENT_COUNT: u64 = 1_000;
const MEMBER_COUNT: u64 = 3;
const CRASH_EVERY: u64 = 61;
/// The handler fails at every event whose number this divides, counting those handed out.
const FAIL_EVERY: u64 = 23;

#[derive(Default)]
struct Progress {
    next_event: AtomicU64,
    handled_count: AtomicU64,
    is_sending_over: AtomicBool,
}

async fn publish(producer: TokioProducer, progress: Arc<Progress>) {
    loop {
        let event = progress.next_event.fetch_add(1, Ordering::Relaxed);
        if event >= EVENT_COUNT {
            return;
        }
        let message = Message::new(event.cast_signed(), *b"payload").key(format!("key-{}", event % 7));
        producer.publish(message).await.unwrap();
    }
}

async fn consume(bus: TokioBus, progress: Arc<Progress>) {
    while let Ok(consumer) = bus.consumer(GROUP, TOPIC).await {
        if !consume_until_crash(&bus, consumer, &progress).await {
            return;
        }
    }
}

/// Returns whether the member crashed; otherwise the bus is closed.
async fn consume_until_crash(bus: &TokioBus, mut consumer: TokioConsumer, progress: &Progress) -> bool {
    while let Ok(polled) = consumer.next().await {
        let number = progress.handled_count.fetch_add(1, Ordering::Relaxed) + 1;
        if number.is_multiple_of(CRASH_EVERY) {
            return true;
        }
        match number.is_multiple_of(FAIL_EVERY) {
            true => consumer.put_back(polled.partition).await,
            false => assert!(consumer.handled(&polled).await, "only what is the member's is handed out"),
        }
        if consumer.commit().await.is_err() {
            return false;
        }
        close_if_done(bus, progress).await;
    }
    false
}

async fn close_if_done(bus: &TokioBus, progress: &Progress) {
    let inner = Arc::clone(bus.bus());
    if progress.is_sending_over.load(Ordering::SeqCst)
        && tokio::task::spawn_blocking(move || is_all_committed(&inner)).await.unwrap()
    {
        bus.clone().shutdown().await.unwrap();
    }
}

async fn run(bus: TokioBus) {
    let progress = Arc::new(Progress::default());
    let (mut producers, mut members) = (JoinSet::new(), JoinSet::new());
    for _ in 0..MEMBER_COUNT {
        members.spawn(consume(bus.clone(), progress.clone()));
    }
    for number in 0..PRODUCER_COUNT {
        let producer = bus.producer(TOPIC, format!("producer-{number}")).await.unwrap();
        (0..PIPELINE_LENGTH).for_each(|_| drop(producers.spawn(publish(producer.clone(), progress.clone()))));
    }
    producers.join_all().await;
    progress.is_sending_over.store(true, Ordering::SeqCst);
    close_if_done(&bus, &progress).await;
    members.join_all().await;
}

#[test]
fn tasks_that_publish_consume_and_crash_keep_the_law() {
    let directory = tempfile::tempdir().unwrap();
    let recording = Recording::new();
    let recorder: Arc<dyn Recorder> = recording.clone();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(async {
        let bus = TokioBus::open_recorded(directory.path(), CONFIG, recorder.clone()).await.unwrap();
        bus.create_topic(TOPIC, PARTITION_COUNT).await.unwrap();
        run(bus).await;
    });
    // Waits for the blocking threads, which hold the last of the bus.
    drop(runtime);
    let bus = Bus::open_recorded(directory.path(), CONFIG, recorder).unwrap();
    let at_least = AtLeast { sends: 1_000, commits: 500, crashes: 10, put_backs: 10 };
    assert_conforms("tasks", &recording.finish(&bus), &at_least);
}
