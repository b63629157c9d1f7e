use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use lawspeaker_history::{Call, EventId, MemoryRecorder, NoRecorder, OpType};

use super::*;
use crate::bus::Config;
use crate::causality::{CausalContext, Dot, Lane, Origin, Representation};
use crate::id::{Epoch, Sequence};
use crate::store::MemoryStore;

const CONFIG: Config = Config { segment_bytes: 4_000, max_message_bytes: 1_000, max_partition_count: 8 };
const REPRESENTATIONS: [Representation; 3] =
    [Representation::NearestDependencies, Representation::AllDependencies, Representation::VectorClock];

fn open(store: &MemoryStore, recorder: Arc<dyn Recorder>) -> Bus {
    let bus = Bus::open_in(Arc::new(store.clone()), CONFIG, recorder).unwrap();
    bus.create_topic("questions", 2).unwrap();
    bus.create_topic("answers", 1).unwrap();
    bus
}

fn bus() -> Bus {
    open(&MemoryStore::new(), Arc::new(NoRecorder))
}

fn config(representation: Representation) -> CausalConfig {
    CausalConfig { representation, ..CausalConfig::default() }
}

fn session(bus: &Bus, service: &str, hears: &[&str], says: &[&str]) -> CausalSession {
    bus.causal_session(service, hears, says, CausalConfig::default()).unwrap()
}

/// Everything that the session delivers now, handled.
fn deliver(session: &mut CausalSession) -> Vec<EventId> {
    let mut ids = Vec::new();
    while let Some(event) = session.poll().unwrap() {
        session.handled(&event);
        ids.push(event.entry.message.id.clone());
    }
    ids
}

fn ids(names: &[&str]) -> Vec<EventId> {
    names.iter().map(|name| EventId::from(*name)).collect()
}

#[test]
fn an_answer_is_delivered_after_its_question_whichever_is_read_first() {
    for representation in REPRESENTATIONS {
        let bus = bus();
        let open = |service, hears: &[&str], says: &[&str]| {
            bus.causal_session(service, hears, says, config(representation)).unwrap()
        };
        let mut asking = open("asking", &[], &["questions"]);
        let mut answering = open("answering", &["questions"], &["answers"]);
        let mut reading = open("reading", &["answers", "questions"], &[]);
        for number in 0..3 {
            asking.publish("questions", Message::new(format!("q{number}").as_str(), "?")).unwrap();
            assert_eq!(deliver(&mut answering).len(), 1);
            answering.publish("answers", Message::new(format!("a{number}").as_str(), "!")).unwrap();
        }
        let expected = ids(&["q0", "a0", "q1", "a1", "q2", "a2"]);
        let delivered = deliver(&mut reading);
        let place = |id| delivered.iter().position(|other| other == id);
        assert_eq!(delivered.len(), 6, "{representation:?}");
        assert!(expected.chunks(2).all(|pair| place(&pair[0]) < place(&pair[1])), "{delivered:?}");
    }
}

#[test]
fn a_service_that_hears_what_it_says_waits_for_nothing() {
    for representation in REPRESENTATIONS {
        let bus = bus();
        let mut talking =
            bus.causal_session("talking", &["answers"], &["answers"], config(representation)).unwrap();
        talking.publish("answers", Message::new("first", "")).unwrap();
        talking.publish("answers", Message::new("second", "")).unwrap();
        assert_eq!(deliver(&mut talking), ids(&["first", "second"]));
    }
}

#[test]
fn what_was_committed_before_a_crash_counts_as_delivered_and_stays_in_the_past() {
    let store = MemoryStore::new();
    let bus = open(&store, Arc::new(NoRecorder));
    let mut asking = session(&bus, "asking", &[], &["questions"]);
    let mut answering = session(&bus, "answering", &["questions"], &["answers"]);
    asking.publish("questions", Message::new("q", "?")).unwrap();
    assert_eq!(deliver(&mut answering), ids(&["q"]));
    answering.commit().unwrap();
    let mut reading = session(&bus, "reading", &["questions", "answers"], &[]);
    assert_eq!(deliver(&mut reading), ids(&["q"]));
    reading.commit().unwrap();
    answering.publish("answers", Message::new("a", "!")).unwrap();
    assert_eq!(deliver(&mut reading), ids(&["a"]));
    drop((asking, answering, reading, bus));

    let bus = open(&store, Arc::new(NoRecorder));
    let mut reading = session(&bus, "reading", &["questions", "answers"], &[]);
    assert_eq!(deliver(&mut reading), ids(&["a"]), "it was not committed, and its cause was");
    let mut answering = session(&bus, "answering", &["questions"], &["answers"]);
    assert_eq!(deliver(&mut answering), []);
    let published = answering.publish("answers", Message::new("b", "!")).unwrap();
    let entry = bus.read("answers", published.partition, published.offset, 1).unwrap().remove(0);
    assert_eq!(entry.message.cause_ids(), ids(&["a", "q"]), "what it heard and said in its former life");
}

/// An event that depends on one that will never come.
fn orphan(id: &str) -> Message {
    orphan_of(id, 0)
}

/// The same, of one in the given partition of the questions.
fn orphan_of(id: &str, partition: u32) -> Message {
    let origin = Origin { producer: ProducerId(99), epoch: Epoch(0) };
    let lane = Lane { partition: Partition::new("questions", partition), origin };
    let dependencies = BTreeMap::from([(Dot { lane, sequence: Sequence(3) }, None)]);
    Message { context: Some(CausalContext::Dependencies(dependencies)), ..Message::new(id, "") }
}

#[test]
fn a_missing_cause_is_told_and_waited_for_until_it_is_given_up() {
    let recorder = Arc::new(MemoryRecorder::new());
    let bus = open(&MemoryStore::new(), recorder.clone());
    bus.producer("answers", "strange").unwrap().publish(orphan("o")).unwrap();
    let mut deaf = session(&bus, "deaf", &["answers"], &[]);
    assert_eq!(deliver(&mut deaf), ids(&["o"]), "it will never be sent a question");
    let mut reading = session(&bus, "reading", &["answers", "questions"], &[]);
    assert_eq!(deliver(&mut reading), []);
    assert!(reading.stuck(Duration::from_secs(3600)).is_empty());
    let stuck = reading.stuck(Duration::ZERO);
    assert_eq!(stuck[0].missing[0].to_string(), "event 3 in questions/0 of producer 99.0");
    reading.give_up(&stuck[0].missing[0]);
    assert_eq!(deliver(&mut reading), ids(&["o"]));
    assert!(recorder.history().ops.iter().any(|op| op.call.f() == "give-up"));
}

/// Each waits for a partition of the questions; whoever loses one of them waits for its causes no longer.
#[test]
fn what_waits_for_nothing_any_more_after_a_rebalance_is_delivered_by_the_next_poll() {
    let bus = bus();
    let mut strange = bus.producer("answers", "strange").unwrap();
    strange.publish(orphan_of("o0", 0)).unwrap();
    strange.publish(orphan_of("o1", 1)).unwrap();
    let mut reading = session(&bus, "reading", &["answers", "questions"], &[]);
    assert_eq!(deliver(&mut reading), []);
    let second = session(&bus, "reading", &["questions"], &[]);
    assert!(reading.poll().unwrap().is_some(), "one of the two waits no longer");
    drop(second);
}

#[test]
fn what_was_given_up_stays_so_when_the_group_rebalances() {
    let bus = bus();
    let mut strange = bus.producer("answers", "strange").unwrap();
    strange.publish(orphan("o")).unwrap();
    let mut reading = session(&bus, "reading", &["answers", "questions"], &[]);
    assert_eq!(deliver(&mut reading), []);
    reading.give_up(&reading.stuck(Duration::ZERO)[0].missing[0]);
    assert_eq!(deliver(&mut reading), ids(&["o"]));
    let mut other = session(&bus, "reading", &["answers", "questions"], &[]);
    assert_eq!([deliver(&mut reading), deliver(&mut other)], [[], []]);
    drop(other);
    strange.publish(orphan("p")).unwrap();
    assert_eq!(deliver(&mut reading), ids(&["p"]));
}

#[test]
fn a_full_inbox_loses_nothing_and_finds_what_it_waits_for() {
    let bus = bus();
    let mut asking = session(&bus, "asking", &[], &["questions"]);
    let mut answering = session(&bus, "answering", &["questions"], &["answers"]);
    for number in 0..4 {
        asking.publish("questions", Message::new(number, "?")).unwrap();
        deliver(&mut answering);
        (0..4).for_each(|answer| {
            answering.publish("answers", Message::new(10 * number + answer + 100, "!")).unwrap();
        });
    }
    let capacity = NonZeroUsize::MIN;
    let config = CausalConfig { capacity, ..CausalConfig::default() };
    let mut reading = bus.causal_session("reading", &["answers", "questions"], &[], config).unwrap();
    assert_eq!(deliver(&mut reading).len(), 4 + 16);
    reading.commit().unwrap();
    assert_eq!(bus.committed("reading", "answers").unwrap(), [Offset::of(16)]);
    assert_eq!(bus.committed("reading", "questions").unwrap(), [Offset::of(2), Offset::of(2)]);
}

#[test]
fn sessions_of_one_service_share_its_partitions() {
    let bus = bus();
    let mut asking = session(&bus, "asking", &[], &["questions"]);
    let ask = |asking: &mut CausalSession, numbers: std::ops::Range<i64>| {
        for number in numbers {
            asking.publish("questions", Message::new(number, "?")).unwrap();
        }
    };
    ask(&mut asking, 0..4);
    let mut one = session(&bus, "reading", &["questions"], &[]);
    assert_eq!(deliver(&mut one).len(), 4);
    let mut other = session(&bus, "reading", &["questions"], &[]);
    assert_eq!(deliver(&mut other), []);
    assert_eq!(deliver(&mut one), [], "it lets a partition go, and has committed it");
    ask(&mut asking, 4..8);
    let delivered = [deliver(&mut one), deliver(&mut other)];
    assert_eq!(delivered.map(|ids| ids.len()), [2, 2]);
    one.commit().unwrap();
    drop(one);
    assert_eq!(deliver(&mut other), []);
    other.commit().unwrap();
    assert_eq!(bus.committed("reading", "questions").unwrap(), [Offset::of(4), Offset::of(4)]);
}

#[test]
fn a_history_tells_causes_and_deliveries() {
    let recorder = Arc::new(MemoryRecorder::new());
    let bus = open(&MemoryStore::new(), recorder.clone());
    let mut asking = session(&bus, "asking", &[], &["questions"]);
    let mut answering = session(&bus, "answering", &["questions"], &["answers"]);
    asking.publish("questions", Message::new("q", "?")).unwrap();
    let question = answering.poll().unwrap().unwrap();
    let answer = Message::new("a", "!").caused_by(&question.entry.message);
    assert_eq!(answer.metadata.correlation_id, Some("q".into()));
    answering.publish("answers", answer).unwrap();
    let ops = recorder.history().ops;
    let sent = ops.iter().rfind(|op| op.call.f() == "send" && op.op_type == OpType::Ok).unwrap();
    assert_eq!(sent.x.cause, ids(&["q"]));
    let applied = ops.iter().find_map(|op| if let Call::Apply(all) = &op.call { Some(all) } else { None });
    assert_eq!(applied.unwrap()[0].event, Some("q".into()));
}

#[test]
fn a_mistake_is_answered_with_its_remedy() {
    let bus = bus();
    let mut asking = session(&bus, "asking", &[], &["questions"]);
    let error = asking.publish("answers", Message::new(1, "")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the session does not send to topic `answers`: name it when the session is opened; it was opened for \
         questions"
    );
    assert!(matches!(
        asking.publish("questions", Message::new(1, [0; 1_001])),
        Err(CausalPublishError::Publish(_))
    ));
    drop(session(&bus, "asking", &[], &["questions"]));
    assert!(asking.publish("questions", Message::new(1, "")).is_err(), "a second session has taken over");
    let mut reading = session(&bus, "reading", &["questions"], &[]);
    bus.close();
    assert!(reading.poll_blocking().is_err());
}
