//! Scenarios of a service: two relays, a handler and a crash, two handlers and one event. One guarantee each.

use lawspeaker_bus::id::ProducerId;
use lawspeaker_bus::memory_journal::MemoryJournal;
use lawspeaker_bus::message::Message;
use lawspeaker_bus::outbox::{
    Handled, Outcome, Publish, Refusal, Relay, RelayError, ServiceStore, StoreError,
};
use lawspeaker_bus::partition_log::PartitionLog;
use lawspeaker_bus::producer::{Producer, SendError};
use lawspeaker_bus::sync::{Arc, thread};
use lawspeaker_history::{MemoryRecorder, NoRecorder};

use crate::kernels::log_law::read;
use crate::kernels::outbox_law::{Effects, handle, id};
use crate::kernels::outbox_programs::open_store;
use crate::kernels::programs::open_log;
use crate::scenarios::scenario;

fn new_store() -> (Arc<MemoryJournal>, Arc<ServiceStore<Effects>>) {
    let journal = Arc::new(MemoryJournal::new());
    let store = open_store(&journal, Arc::new(MemoryRecorder::new()));
    (journal, store)
}

/// Publishes to one log, whatever the topic.
struct ToLog(Producer);

impl Publish for ToLog {
    type Error = SendError;

    fn publish(&mut self, _topic: &str, message: &Message) -> Result<(), SendError> {
        self.0.send(message.clone()).map(drop)
    }
}

fn open_relay(store: &Arc<ServiceStore<Effects>>, log: &Arc<PartitionLog>) -> Relay<Effects, ToLog> {
    let publisher = || ToLog(Producer::open(ProducerId(9), log.clone()).unwrap());
    Relay::open(store.clone(), publisher).unwrap()
}

#[test]
fn an_event_that_two_handlers_are_given_has_one_effect_and_both_answers_are_durable() {
    scenario("two handlers and one event", || {
        let (journal, store) = new_store();
        let (other_journal, other) = (journal.clone(), store.clone());
        let handle_one = |store: &ServiceStore<Effects>, journal: &MemoryJournal, process| {
            let handled = handle(store, process, 1, false).unwrap();
            let survivor = open_store(&Arc::new(journal.crash()), Arc::new(NoRecorder));
            assert_eq!(survivor.outcome(&id(1)), Ok(Some(Outcome::Applied)), "what is answered is durable");
            handled == Handled::Applied
        };
        let other = thread::spawn(move || handle_one(&other, &other_journal, 1));
        let is_first = handle_one(&store, &journal, 2);
        assert!(other.join().unwrap() != is_first, "one of them had the effect");
        assert_eq!(store.view(|effects| effects[&1]), Ok(1));
        assert_eq!(store.owed_count(), 1);
    });
}

#[test]
fn a_relay_that_another_one_took_over_from_is_fenced_and_order_is_kept() {
    scenario("two relays", || {
        let (_, store) = new_store();
        let log = open_log(&Arc::new(MemoryJournal::new()), &Arc::new(MemoryRecorder::new()));
        (1..=2).for_each(|event| drop(handle(&store, 0, event, false).unwrap()));
        let mut old = open_relay(&store, &log);
        let (of_new, log_of_new) = (store.clone(), log.clone());
        let new = thread::spawn(move || open_relay(&of_new, &log_of_new).step().unwrap());
        // It publishes everything, something or nothing, according to when the other one takes over.
        let first = old.step();
        let published = new.join().unwrap();
        assert!(first.is_err() || published == 0 || published == 2);
        let fenced = old.step();
        assert!(
            matches!(fenced, Err(RelayError::Store(StoreError::Refused(Refusal::Fenced { .. })))),
            "{fenced:?}"
        );
        let mut firsts = Vec::new();
        for event in read(&log) {
            if !firsts.contains(&event) {
                firsts.push(event);
            }
        }
        assert_eq!(firsts, [101, 102], "first copies stand in order");
        assert_eq!(store.owed_count(), 0);
    });
}

#[test]
fn what_a_relay_publishes_survives_a_crash_of_the_service() {
    scenario("handler against relay and a crash", || {
        let (journal, store) = new_store();
        let log = open_log(&Arc::new(MemoryJournal::new()), &Arc::new(MemoryRecorder::new()));
        let mut relay = open_relay(&store, &log);
        let handler = store.clone();
        let handler = thread::spawn(move || drop(handle(&handler, 1, 1, false).unwrap()));
        let published = relay.step().unwrap();
        let survivor = open_store(&Arc::new(journal.crash()), Arc::new(NoRecorder));
        assert_eq!(read(&log).len(), published);
        if published > 0 {
            assert_eq!(survivor.outcome(&id(1)), Ok(Some(Outcome::Applied)), "no event without its change");
        }
        handler.join().unwrap();
        relay.step().unwrap();
        assert_eq!(read(&log), [101], "no change without its event");
    });
}

#[test]
fn a_waiting_relay_is_told_of_what_is_owed() {
    scenario("handler against a waiting relay", || {
        let (_, store) = new_store();
        let epoch = store.open_relay().unwrap();
        let handler = store.clone();
        let handler = thread::spawn(move || drop(handle(&handler, 1, 1, false).unwrap()));
        store.wait_owed(epoch).unwrap();
        assert_eq!(store.owed(epoch, 9).unwrap().len(), 1);
        handler.join().unwrap();
    });
}

#[test]
fn a_close_wakes_a_waiting_relay() {
    scenario("close against a waiting relay", || {
        let (_, store) = new_store();
        let epoch = store.open_relay().unwrap();
        let waiter = store.clone();
        let waiter = thread::spawn(move || waiter.wait_owed(epoch));
        store.close();
        assert_eq!(waiter.join().unwrap(), Err(StoreError::Closed));
    });
}
