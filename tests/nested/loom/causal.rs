//! Scenarios of the causal inbox and of causal producers, one guarantee each.

use lawspeaker_bus::causal_inbox::{Arrived, CausalDelivery, CausalInbox, InboxClosed};
use lawspeaker_bus::causal_producer::{Barrier, CausalProducer};
use lawspeaker_bus::causality::Representation;
use lawspeaker_bus::id::ProducerId;
use lawspeaker_bus::memory_journal::MemoryJournal;
use lawspeaker_bus::partition_log::PartitionLog;
use lawspeaker_bus::sync::{Arc, thread};
use lawspeaker_history::{MemoryRecorder, NoRecorder, Offset};

use crate::kernels::causal_world::{Form, World, partition};
use crate::kernels::inbox_programs::{applied, open_inbox, shared_world};
use crate::kernels::log_law::{event, message};
use crate::scenarios::scenario;

const FORM: Form = Form::NearestDependencies;
const QUESTION: usize = 0;
const ANSWER: usize = 2;

fn new_inbox() -> (Arc<MemoryRecorder>, Arc<CausalInbox>) {
    let recorder = Arc::new(MemoryRecorder::new());
    let inbox = open_inbox(2, &recorder);
    (recorder, inbox)
}

fn offer(world: &World, inbox: &CausalInbox, number: usize) {
    assert_eq!(inbox.offer(world.arrival(number, FORM), 0), Ok(Arrived::Taken));
}

#[test]
fn whoever_waits_is_told_of_an_arrival_and_gets_the_cause_first() {
    scenario("two arrivals in any order against a receiver", || {
        let world = shared_world();
        let (_, inbox) = new_inbox();
        let [causes, effects] = [(inbox.clone(), world.clone()), (inbox.clone(), world.clone())];
        let causes = thread::spawn(move || offer(&causes.1, &causes.0, QUESTION));
        let effects = thread::spawn(move || offer(&effects.1, &effects.0, ANSWER));
        let received = [inbox.receive().unwrap(), inbox.receive().unwrap()];
        assert_eq!(received.map(|event| world.number(&event.dot())), [QUESTION, ANSWER]);
        causes.join().unwrap();
        effects.join().unwrap();
    });
}

#[test]
fn a_delivery_wakes_whoever_waits_for_what_it_makes_ready() {
    scenario("an arrival that makes two events ready against two receivers", || {
        let world = shared_world();
        let (recorder, inbox) = new_inbox();
        offer(&world, &inbox, ANSWER);
        let receivers = [inbox.clone(), inbox.clone()];
        let receivers = receivers.map(|inbox| thread::spawn(move || inbox.receive().unwrap()));
        offer(&world, &inbox, QUESTION);
        receivers.into_iter().for_each(|receiver| drop(receiver.join().unwrap()));
        assert_eq!(applied(&recorder.history()), [QUESTION, ANSWER]);
    });
}

#[test]
fn a_close_wakes_whoever_waits_and_hands_back_what_was_held() {
    scenario("close of an inbox against a receiver and an arrival", || {
        let world = shared_world();
        let (recorder, inbox) = new_inbox();
        offer(&world, &inbox, ANSWER);
        let (waiting, arriving) = (inbox.clone(), (inbox.clone(), world.clone()));
        let waiting = thread::spawn(move || waiting.receive());
        let arriving = thread::spawn(move || arriving.0.offer(arriving.1.arrival(QUESTION, FORM), 0).is_ok());
        let handed_back = inbox.close().len();
        let (received, is_taken) = (waiting.join().unwrap(), arriving.join().unwrap());
        let delivered = applied(&recorder.history()).len();
        assert_eq!(delivered, usize::from(received.is_ok()));
        assert_eq!(delivered + handed_back, 1 + usize::from(is_taken), "nothing is lost");
        assert_eq!(inbox.try_receive(), Err(InboxClosed));
    });
}

#[test]
fn a_cause_that_is_given_up_is_waited_for_no_more() {
    scenario("give up against a receiver", || {
        let world = shared_world();
        let (_, inbox) = new_inbox();
        offer(&world, &inbox, ANSWER);
        let waiting = inbox.clone();
        let waiting = thread::spawn(move || waiting.receive().unwrap());
        let stuck = inbox.stuck(5, 5);
        assert_eq!(stuck[0].missing, [world.events[QUESTION].dot.span()]);
        inbox.give_up(&stuck[0].missing[0]);
        assert_eq!(world.number(&waiting.join().unwrap().dot()), ANSWER);
    });
}

fn open_log(number: usize) -> Arc<PartitionLog> {
    let journal = Arc::new(MemoryJournal::new());
    Arc::new(PartitionLog::recover(partition(number), journal, Arc::new(NoRecorder)).unwrap())
}

fn open_producer(id: u64, log: &Arc<PartitionLog>) -> CausalProducer {
    let mut producer = CausalProducer::new(Representation::NearestDependencies, Barrier::default());
    producer.open(ProducerId(id), log.clone()).unwrap();
    producer
}

fn await_first(log: &PartitionLog) -> CausalDelivery {
    log.wait_for(Offset::of(0)).unwrap();
    CausalDelivery { partition: log.name().clone(), entry: log.read(Offset::of(0), 1).unwrap().remove(0) }
}

fn send(producer: &mut CausalProducer, log: &PartitionLog, number: u64) {
    producer.send(log.name(), message(number)).unwrap();
    producer.acknowledge_all().unwrap();
}

#[test]
fn what_follows_from_an_answer_nobody_reads_waits_for_the_question() {
    scenario("question, answer elsewhere, and what follows from it", || {
        let [asked, answered, told] = [0, 2, 1].map(open_log);
        send(&mut open_producer(1, &asked), &asked, 17);
        let (from, through, to) = (asked.clone(), answered.clone(), told.clone());
        let chain = thread::spawn(move || {
            let [mut answering, mut telling] = [open_producer(2, &through), open_producer(3, &to)];
            answering.observe(&await_first(&from));
            send(&mut answering, &through, 18);
            telling.observe(&await_first(&through));
            send(&mut telling, &to, 19);
        });
        let (_, inbox) = new_inbox();
        inbox.offer(await_first(&told), 0).unwrap();
        assert_eq!(inbox.try_receive(), Ok(None), "the question has not come");
        inbox.offer(await_first(&asked), 0).unwrap();
        let received = [inbox.receive().unwrap(), inbox.receive().unwrap()];
        assert_eq!(received.map(|received| event(&received.entry.message)), [17, 19]);
        chain.join().unwrap();
    });
}
