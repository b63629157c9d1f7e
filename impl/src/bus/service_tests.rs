use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use lawspeaker_history::{EventId, NoRecorder, Offset};

use super::*;
use crate::message::Message;
use crate::outbox::{DeadLetter, Decision, Failure, Handled, Outcome, RetryPolicy, StoreError};
use crate::store::MemoryStore;

type Texts = BTreeMap<String, String>;

fn open(store: &Arc<MemoryStore>) -> Arc<Bus> {
    let bus = Bus::open_in(store.clone(), Config::default(), Arc::new(NoRecorder)).unwrap();
    bus.create_topic("in", 2).unwrap();
    bus.create_topic("out", 1).unwrap();
    Arc::new(bus)
}

fn new_bus() -> Arc<Bus> {
    open(&Arc::new(MemoryStore::new()))
}

/// A key of each partition of `in`.
fn keys() -> [String; 2] {
    [0, 1].map(|number| {
        let mut keys = (0..).map(|key: u32| key.to_string());
        keys.find(|key| crate::partitioner::partition_of(key, 2) == PartitionNumber(number)).unwrap()
    })
}

fn ids(bus: &Bus, topic: &str) -> Vec<String> {
    let entries = bus.read(topic, PartitionNumber(0), Offset::of(0), usize::MAX).unwrap();
    entries.into_iter().map(|entry| entry.message.id.to_string()).collect()
}

#[test]
fn a_failing_event_is_tried_again_when_its_time_has_come_and_then_goes_to_the_dead_letters() {
    let bus = new_bus();
    let retry =
        RetryPolicy { max_attempts: NonZeroU32::new(3).unwrap(), first_backoff_ms: 10, max_backoff_ms: 100 };
    let service = bus.service::<Texts>("s", ServiceConfig { retry, ..ServiceConfig::default() }).unwrap();
    let [one, other] = keys();
    let mut producer = bus.producer("in", "p").unwrap();
    for (id, key, payload) in [("bad", &one, "bad"), ("behind", &one, ""), ("beside", &other, "")] {
        producer.publish(Message::new(id, payload).key(key)).unwrap();
    }
    let handle = |_: &Texts, event: &Message| match event.payload.as_slice() {
        b"bad" => panic!("it is bad"),
        _ => Ok(Decision::put(event.id.to_string(), String::new())),
    };
    let mut handler = service.handler("in", handle).unwrap();
    let step = |handler: &mut TopicHandler<Texts>, now_ms| {
        let Step { done_count, dead_letter_count, retry_at_ms } = handler.step(now_ms).unwrap();
        (done_count, dead_letter_count, retry_at_ms)
    };
    assert_eq!(step(&mut handler, 0), (1, 0, Some(10)), "the other partition goes on");
    assert_eq!(step(&mut handler, 9), (0, 0, Some(10)), "its time has not come");
    assert_eq!(step(&mut handler, 10), (0, 0, Some(30)));
    assert_eq!(bus.committed("s", "in").unwrap(), [Offset::of(0), Offset::of(1)], "nothing is passed over");
    assert_eq!(step(&mut handler, 30), (2, 1, None), "what is behind it goes on too");
    service.relay().unwrap().step().unwrap();
    let topic = service.dead_letter_topic();
    let letter = bus.read(&topic, PartitionNumber(0), Offset::of(0), 9).unwrap().remove(0);
    let letter = DeadLetter::read(&letter.message).unwrap();
    assert_eq!((letter.attempt_count, letter.failure.as_str()), (3, "the handler panicked: it is bad"));
    assert_eq!((letter.message.id, letter.message.payload), ("bad".into(), b"bad".to_vec()));
    assert_eq!(service.store().outcome(&"bad".into()), Ok(Some(Outcome::DeadLettered)));
}

#[test]
fn what_is_owed_to_nowhere_changes_nothing() {
    let bus = new_bus();
    let service = bus.service::<Texts>("s", ServiceConfig::default()).unwrap();
    let owe = |topic: &str, payload: Vec<u8>| {
        let event = Message::new(1, payload);
        service.transact(0, |_| Decision::put("a", String::new()).emit(topic, event)).unwrap_err()
    };
    assert!(matches!(owe("nowhere", Vec::new()), TransactError::Topic(_)));
    assert!(matches!(owe("out", vec![0; 2 << 20]), TransactError::Event(PublishError::TooLong { .. })));
    assert!(service.view(Texts::is_empty).unwrap());
    assert_eq!(service.store().owed_count(), 0);
}

#[test]
fn a_service_is_found_again_as_it_was_and_its_conversation_goes_on() {
    let store = Arc::new(MemoryStore::new());
    let cause = Message::new("cause", "").key("k");
    {
        let bus = open(&store);
        let service = bus.service::<Texts>("s", ServiceConfig::default()).unwrap();
        assert!(matches!(
            bus.service::<Texts>("s", ServiceConfig::default()),
            Err(OpenServiceError::Open(name)) if name == "s"
        ));
        bus.producer("in", "p").unwrap().publish(cause.clone()).unwrap();
        let handle = |_: &Texts, _: &Message| {
            Ok(Decision::put("a", "1".to_owned()).emit("out", Message::new("effect", "")).void("late"))
        };
        let mut handler = service.handler("in", handle).unwrap();
        assert_eq!(handler.step(0).unwrap().done_count, 1);
    }
    let bus = open(&store);
    let service = bus.service::<Texts>("s", ServiceConfig::default()).unwrap();
    assert_eq!(service.view(|texts| texts["a"].clone()).unwrap(), "1");
    service.relay().unwrap().step().unwrap();
    let effect = bus.read("out", PartitionNumber(0), Offset::of(0), 9).unwrap().remove(0).message;
    assert_eq!(effect.metadata.causation_id, Some(cause.id.clone()));
    assert_eq!(effect.metadata.correlation_id, Some(cause.id));

    bus.producer("in", "p").unwrap().publish(Message::new("late", "")).unwrap();
    let handle = |_: &Texts, _: &Message| -> Result<_, Failure> { panic!("it was called off") };
    assert_eq!(service.handler("in", handle).unwrap().step(0).unwrap().done_count, 1);
    assert_eq!(ids(&bus, "out"), ["effect"]);
}

#[test]
fn a_command_and_its_refusal_happen_once() {
    let bus = new_bus();
    let service = bus.service::<Texts>("s", ServiceConfig::default()).unwrap();
    let put = |id: &str| service.command(id, 0, |_| Decision::put("a", String::new())).unwrap();
    assert_eq!(put("c1"), Handled::Applied);
    assert_eq!(put("c1"), Handled::Duplicate(Outcome::Applied));
    let refused = service.command("c2", 0, |_| Decision::refuse("no")).unwrap();
    assert_eq!(refused, Handled::Refused("no".to_owned()));
    assert_eq!(put("c2"), Handled::Duplicate(Outcome::Refused));
    assert_eq!(service.store().outcome(&EventId::from("c3")), Ok(None));
}

#[test]
fn a_closed_bus_takes_no_transaction_and_opens_no_service() {
    let bus = new_bus();
    let service = bus.service::<Texts>("s", ServiceConfig::default()).unwrap();
    bus.close();
    let closed = service.transact(0, |_| Decision::nothing());
    assert!(matches!(closed, Err(TransactError::Store(StoreError::Closed))));
    assert!(bus.service::<Texts>("t", ServiceConfig::default()).is_err());
}
