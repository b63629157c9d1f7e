use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use lawspeaker_history::Offset;

use super::*;
use crate::bus::{CausalConfig, ServiceConfig};
use crate::consumer_group::GroupError;
use crate::id::PartitionNumber;
use crate::member::{PollError, Polled};
use crate::message::Message;
use crate::outbox::{Decision, Failure};
use crate::store::{CrashStore, MemoryStore, Store, Survival};

fn over(store: impl Store + 'static) -> TokioBus {
    let bus = Bus::open_in(Arc::new(store), Config::default(), Arc::new(NoRecorder)).unwrap();
    bus.create_topic("orders", 1).unwrap();
    TokioBus::over(Arc::new(bus))
}

fn stored_count(bus: &TokioBus) -> usize {
    bus.bus().read("orders", PartitionNumber(0), Offset::of(0), usize::MAX).unwrap().len()
}

/// Polls a future once and drops it: what a `select!` does to the branch that loses.
async fn poll_once<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

#[tokio::test]
async fn services_answer_one_another_and_finish_what_they_owe_before_the_bus_is_closed() {
    type Texts = std::collections::BTreeMap<String, String>;
    let store = Arc::new(MemoryStore::new());
    let bus = Bus::open_in(store, Config::default(), Arc::new(NoRecorder)).unwrap();
    bus.create_topic("orders", 1).unwrap();
    let bus = TokioBus::over(Arc::new(bus));
    let [shop, stock] = ["shop", "stock"].map(|name| {
        let bus = bus.clone();
        async move { bus.service::<Texts>(name, ServiceConfig::default()).await.unwrap() }
    });
    let (shop, stock) = (shop.await, stock.await);
    let attempt_count = Arc::new(std::sync::atomic::AtomicU32::new(0));
    let counted = Arc::clone(&attempt_count);
    let hear =
        move |_: &Texts, event: &Message| match counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
            0 => Err(Failure::new("not now")),
            _ => Ok(Decision::put(event.id.to_string(), String::new())),
        };
    stock.on("orders", hear).await.unwrap();
    let place = |id: i64| move |_: &Texts| Decision::nothing().emit("orders", Message::new(id, ""));
    shop.transact(place(1)).await.unwrap();
    stock.wait_for(|texts| texts.contains_key("1").then_some(())).await.unwrap();
    assert_eq!(attempt_count.load(std::sync::atomic::Ordering::Relaxed), 2, "it was tried again");
    shop.transact(place(2)).await.unwrap();
    let threads = Arc::clone(bus.bus());
    bus.shutdown().await.unwrap();
    let sent = threads.read("orders", PartitionNumber(0), Offset::of(0), 9).unwrap();
    assert_eq!(sent.len(), 2, "what is owed is published before the bus closes");
    let closed = shop.transact(place(3)).await;
    assert!(matches!(closed, Err(TokioTransactError::Transact(crate::bus::TransactError::Store(_)))));
}

#[tokio::test]
async fn publishes_under_way_at_once_share_their_syncs() {
    let store = CrashStore::new();
    let bus = over(store.clone());
    let producer = bus.producer("orders", "shop").await.unwrap();
    let before = store.boundary_count();
    let mut publishes = JoinSet::new();
    for id in 0..100 {
        let producer = producer.clone();
        publishes.spawn(async move { producer.publish(Message::new(id, "")).await.unwrap().offset });
    }
    let mut offsets = publishes.join_all().await;
    offsets.sort_unstable();
    assert_eq!(offsets, (0..100).map(Offset::of).collect::<Vec<_>>());
    let sync_count = store.boundary_count() - before - 100;
    assert!((1..=50).contains(&sync_count), "100 publishes took {sync_count} syncs");
}

#[tokio::test]
async fn a_publish_that_is_dropped_after_it_was_queued_is_written_once() {
    let bus = over(MemoryStore::new());
    let producer = bus.producer("orders", "shop").await.unwrap();
    assert!(poll_once(producer.publish(Message::new(0, ""))).await.is_none());
    producer.publish(Message::new(1, "")).await.unwrap();
    assert_eq!(stored_count(&bus), 2);
}

#[tokio::test]
async fn a_next_that_is_dropped_loses_nothing() {
    let bus = over(MemoryStore::new());
    let producer = bus.producer("orders", "shop").await.unwrap();
    let mut consumer = bus.consumer("billing", "orders").await.unwrap();
    assert!(poll_once(consumer.next()).await.is_none());
    for id in 0..10 {
        producer.publish(Message::new(id, "")).await.unwrap();
        let polled = match poll_once(consumer.next()).await {
            Some(polled) => polled.unwrap(),
            None => consumer.next().await.unwrap(),
        };
        assert_eq!(polled.entry.message.id, id.into());
        assert!(consumer.handled(&polled).await);
    }
    consumer.commit().await.unwrap();
    assert_eq!(bus.bus().committed("billing", "orders").unwrap(), [Offset::of(10)]);
}

#[tokio::test]
async fn what_was_queued_before_the_shutdown_is_acknowledged_and_nothing_after_it() {
    let bus = over(MemoryStore::new());
    let producer = bus.producer("orders", "shop").await.unwrap();
    let mut queued = JoinSet::new();
    for id in 0..50 {
        let producer = producer.clone();
        queued.spawn(async move { producer.publish(Message::new(id, "")).await });
    }
    task::yield_now().await;
    bus.clone().shutdown().await.unwrap();
    let acknowledged = queued.join_all().await.into_iter().filter(Result::is_ok).count();
    assert_eq!((acknowledged, stored_count(&bus)), (50, 50));
    let refused = producer.publish(Message::new(99, "")).await.unwrap_err();
    assert_eq!(refused.to_string(), "the bus was shut down, and the event was not sent");
}

#[tokio::test]
async fn a_consumer_that_waits_is_told_of_the_shutdown() {
    let bus = over(MemoryStore::new());
    let mut consumer = bus.consumer("billing", "orders").await.unwrap();
    let waiting = task::spawn(async move { consumer.next().await.unwrap_err() });
    task::yield_now().await;
    bus.shutdown().await.unwrap();
    let told = waiting.await.unwrap();
    assert!(matches!(told, NextError::Poll(PollError::Group(GroupError::Closed))), "{told}");
}

#[tokio::test]
async fn a_producer_that_outlives_its_bus_is_refused() {
    let bus = over(MemoryStore::new());
    let producer = bus.producer("orders", "shop").await.unwrap();
    drop(bus);
    let refused = producer.publish(Message::new(1, "")).await.unwrap_err();
    let is_told = matches!(refused, TokioPublishError::Closed | TokioPublishError::Stopped(_));
    assert!(is_told, "{refused}");
}

#[tokio::test]
async fn a_dropped_consumer_gives_its_work_to_the_next() {
    let bus = over(MemoryStore::new());
    bus.producer("orders", "shop").await.unwrap().publish(Message::new(7, "")).await.unwrap();
    let mut first = bus.consumer("billing", "orders").await.unwrap();
    let mut second = bus.consumer("billing", "orders").await.unwrap();
    assert_eq!(first.next().await.unwrap().entry.message.id, 7.into());
    drop(first);
    assert_eq!(second.next().await.unwrap().entry.message.id, 7.into());
}

#[tokio::test]
async fn what_was_put_back_is_handed_out_again_before_what_stands_behind_it() {
    let bus = over(MemoryStore::new());
    let producer = bus.producer("orders", "shop").await.unwrap();
    for id in 0..3 {
        producer.publish(Message::new(id, "")).await.unwrap();
    }
    let mut consumer = bus.consumer("billing", "orders").await.unwrap();
    let mut handed_out = Vec::new();
    for is_processed in [true, false, true, true] {
        let polled = consumer.next().await.unwrap();
        match is_processed {
            true => assert!(consumer.handled(&polled).await),
            false => consumer.put_back(polled.partition).await,
        }
        handed_out.push(polled.entry.offset);
    }
    assert_eq!(handed_out, [0, 1, 1, 2].map(Offset::of));
    consumer.commit().await.unwrap();
    assert_eq!(bus.bus().committed("billing", "orders").unwrap(), [Offset::of(3)]);
}

#[tokio::test]
async fn what_a_rebalance_took_is_handed_out_no_more() {
    let bus = over(MemoryStore::new());
    bus.create_topic("parcels", 2).await.unwrap();
    let producer = bus.producer("parcels", "shop").await.unwrap();
    for id in 0..4 {
        producer.publish(Message::new(id, "")).await.unwrap();
    }
    let place = |polled: Polled| (polled.partition.0, polled.entry.offset);
    let mut first = bus.consumer("billing", "parcels").await.unwrap();
    let polled = first.next().await.unwrap();
    assert!(first.handled(&polled).await);
    let mut second = bus.consumer("billing", "parcels").await.unwrap();
    first.commit().await.unwrap();
    assert_eq!(place(first.next().await.unwrap()), (0, Offset::of(1)));
    assert_eq!(place(second.next().await.unwrap()), (1, Offset::of(0)));
    assert!(poll_once(first.next()).await.is_none(), "it is the other's");
}

#[tokio::test]
async fn when_the_disk_fails_no_publish_is_acknowledged_and_none_hangs() {
    let store = CrashStore::new();
    let bus = over(store.clone());
    let producer = bus.producer("orders", "shop").await.unwrap();
    store.crash_at(3, Survival::Nothing);
    let mut publishes = JoinSet::new();
    for id in 0..10 {
        let producer = producer.clone();
        publishes.spawn(async move { producer.publish(Message::new(id, "")).await });
    }
    let failed = publishes.join_all().await.into_iter().filter(Result::is_err).count();
    assert!(failed >= 9, "only {failed} of 10 publishes failed");
    bus.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_task_hears_an_answer_after_its_question_and_loses_nothing_by_dropping_a_future() {
    let bus = over(MemoryStore::new());
    bus.create_topic("answers", 1).await.unwrap();
    let config = CausalConfig::default();
    let mut shop = bus.causal_session("shop", &[], &["orders"], config).await.unwrap();
    let mut till = bus.causal_session("till", &["orders"], &["answers"], config).await.unwrap();
    let mut desk = bus.causal_session("desk", &["answers", "orders"], &[], config).await.unwrap();
    shop.publish("orders", Message::new("order", "")).await.unwrap();
    let order = till.next().await.unwrap();
    till.handled(&order).await;
    till.commit().await.unwrap();
    till.publish("answers", Message::new("bill", "").caused_by(&order.entry.message)).await.unwrap();
    for expected in ["order", "bill"] {
        let heard = match poll_once(desk.next()).await {
            Some(heard) => heard,
            None => desk.next().await, // the first was dropped after it had begun
        };
        assert_eq!(heard.unwrap().entry.message.id, expected.into());
    }
    assert!(desk.stuck(std::time::Duration::ZERO).await.is_empty());
    assert!(desk.leave().await.unwrap().is_empty());
    let next = tokio::spawn(async move { till.next().await });
    bus.shutdown().await.unwrap();
    assert!(next.await.unwrap().is_err(), "who waits is told of the end");
}
