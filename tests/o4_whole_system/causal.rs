//! Threads that talk: services that answer what they hear over two topics, and one that hears everything. What each
//! delivers is recorded, judged, and checked against what truly happened before what.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::thread;

use lawspeaker_bus::bus::{Bus, CausalConfig, CausalSession};
use lawspeaker_bus::causality::Representation;
use lawspeaker_bus::id::PartitionNumber;
use lawspeaker_bus::message::Message;
use lawspeaker_bus::store::MemoryStore;
use lawspeaker_history::{
    Batch, Call, EventId, Guarantee, Header, History, MemoryRecorder, Offset, Op, OpType, Partition, Phase,
    Process, Record, Recorder, write_jsonl,
};
use lawspeaker_oracle::{Finding, Outcome, Profile, Verdict, judge};

use crate::recording::CONFIG;

/// Both in the order in which the readers look: answers first.
const TOPICS: [(&str, u32); 2] = [("answers", 2), ("questions", 3)];
const TALKER_COUNT: usize = 3;
/// Events of each talker.
const EVENT_COUNT: usize = 60;

fn names() -> [&'static str; 2] {
    TOPICS.map(|(name, _)| name)
}

/// What a talker knows, as plain sets of ids: nothing of the bus decides it.
type Causes = BTreeMap<EventId, BTreeSet<EventId>>;

/// Hears what there is, says something, and so on; then hears all the rest. Returns what it said and what that truly
/// depends on.
fn talk(bus: &Bus, talker: usize, config: CausalConfig) -> Causes {
    let mut session = bus.causal_session(&format!("talker-{talker}"), &names(), &names(), config).unwrap();
    let mut known = BTreeSet::new();
    let mut said = Causes::new();
    let mut heard_count = 0;
    for number in 0..EVENT_COUNT {
        heard_count += hear(&mut session, 2, &mut known);
        let id = EventId::from(format!("{talker}-{number}").as_str());
        let key = format!("key-{}", number % 5);
        session.publish(names()[number % 2], Message::new(id.to_string().as_str(), "").key(key)).unwrap();
        said.insert(id.clone(), known.clone());
        known.insert(id);
    }
    hear_all(session, heard_count);
    said
}

/// Delivers at most `max_count` events, and returns how many there were.
fn hear(session: &mut CausalSession, max_count: usize, known: &mut BTreeSet<EventId>) -> usize {
    for count in 0..max_count {
        let Some(event) = session.poll().unwrap() else { return count };
        session.handled(&event);
        known.insert(event.entry.message.id);
    }
    max_count
}

/// Delivers until everything that will ever be said is delivered.
fn hear_all(mut session: CausalSession, heard_count: usize) {
    for _ in heard_count..TALKER_COUNT * EVENT_COUNT {
        let event = session.poll_blocking().unwrap();
        session.handled(&event);
    }
    assert!(session.leave().unwrap().is_empty());
}

/// A whole run, recorded, and what truly happened before what, closed under transitivity.
fn run(representation: Representation, capacity: usize) -> (History, Causes) {
    let recorder = Arc::new(MemoryRecorder::new());
    let bus = Bus::open_in(Arc::new(MemoryStore::new()), CONFIG, recorder.clone()).unwrap();
    TOPICS.iter().for_each(|(name, count)| bus.create_topic(name, *count).unwrap());
    let capacity = capacity.try_into().unwrap();
    let config = CausalConfig { representation, capacity, ..CausalConfig::default() };
    let said = thread::scope(|scope| {
        let bus = &bus;
        let talkers = [0, 1, 2].map(|talker| scope.spawn(move || talk(bus, talker, config)));
        talkers.map(|talker| talker.join().unwrap()).into_iter().flatten().collect::<Causes>()
    });
    // It finds everything there, and reads the answers first: without an inbox it would deliver them first.
    hear_all(bus.causal_session("reader", &names(), &[], config).unwrap(), 0);
    read_everything(&bus, &recorder);
    let header = Header { profile: Some("kafka".into()), complete: Some(true), ..Header::default() };
    (History { header, ..recorder.history() }, closed(&said))
}

fn read_everything(bus: &Bus, recorder: &MemoryRecorder) {
    for (topic, count) in TOPICS {
        for number in 0..count {
            let entries = bus.read(topic, PartitionNumber(number), Offset::of(0), usize::MAX).unwrap();
            let records = entries.into_iter();
            let records = records.map(|entry| Record { offset: Some(entry.offset), event: entry.message.id });
            let batch = Batch { partition: Partition::new(topic, number), records: records.collect() };
            recorder.record(Op::new("final", OpType::Ok, Call::Poll(vec![batch])).phase(Phase::Final));
        }
    }
}

/// With the causes of causes, until there are no more.
fn closed(said: &Causes) -> Causes {
    let mut closed = said.clone();
    loop {
        let further = closed.values().map(|causes| {
            let of_causes = causes.iter().filter_map(|cause| closed.get(cause)).flatten();
            causes.iter().chain(of_causes).cloned().collect::<BTreeSet<_>>()
        });
        let next: Causes = closed.keys().cloned().zip(further).collect();
        if next == closed {
            return closed;
        }
        closed = next;
    }
}

/// What each service delivered, in order.
fn deliveries(history: &History) -> BTreeMap<Process, Vec<EventId>> {
    let mut delivered: BTreeMap<Process, Vec<EventId>> = BTreeMap::new();
    for op in &history.ops {
        if let Call::Apply(events) = &op.call {
            let ids = events.iter().filter_map(|event| event.event.clone());
            delivered.entry(op.process.clone()).or_default().extend(ids);
        }
    }
    delivered
}

/// How many pairs of a delivered effect and a cause delivered later there are.
fn inversion_count(delivered: &[EventId], causes: &Causes) -> usize {
    let later = |place: usize| delivered[place + 1..].iter();
    let inverted =
        |(place, id): (usize, &EventId)| later(place).filter(|other| causes[id].contains(other)).count();
    delivered.iter().enumerate().map(inverted).sum()
}

/// What the bus polled, in order: what the readers would have delivered without the inbox.
fn polled(history: &History) -> Vec<EventId> {
    let mut polled = Vec::new();
    for op in history.ops.iter().filter(|op| op.x.group == Some("reader".into())) {
        if let Call::Poll(batches) = &op.call {
            polled.extend(batches.iter().flat_map(|batch| &batch.records).map(|record| record.event.clone()));
        }
    }
    polled
}

/// What the oracle says of a history that was written and read again.
fn judged(history: &History, profile: &str) -> Verdict {
    let mut file = Vec::new();
    write_jsonl(&mut file, history).unwrap();
    judge(&History::read(file.as_slice()).unwrap(), Profile::named(profile).unwrap())
}

/// A check that cannot fail is none: had the reader delivered what it polled, at once, the oracle would say so.
#[test]
fn without_an_inbox_the_oracle_sees_effects_before_their_causes() {
    let (mut history, _) = run(Representation::NearestDependencies, 16);
    history.ops.retain(|op| !matches!(op.call, Call::Apply(_)));
    let verdict = judged(&history, "causal-broadcast");
    let is_causal = |finding: &Finding| finding.guarantee == Guarantee::CausalDelivery;
    assert!(verdict.findings.iter().any(is_causal), "{:?}", verdict.outcome);
}

#[test]
fn threads_that_talk_hear_no_effect_before_its_cause() {
    use Representation::{NearestDependencies, VectorClock};
    // With room for one event, nearly everything waits outside of the inbox.
    for (representation, capacity) in [(NearestDependencies, 16), (VectorClock, 16), (NearestDependencies, 1)]
    {
        let (history, causes) = run(representation, capacity);
        for (service, delivered) in deliveries(&history) {
            let distinct: BTreeSet<_> = delivered.iter().collect();
            assert_eq!(distinct.len(), delivered.len(), "{service} delivered an event twice");
            assert_eq!(delivered.len(), TALKER_COUNT * EVENT_COUNT, "{service} lost an event");
            assert_eq!(inversion_count(&delivered, &causes), 0, "{service} delivered an effect too early");
        }
        for profile in ["kafka", "causal-broadcast"] {
            let verdict = judged(&history, profile);
            let findings: Vec<_> = verdict.findings.iter().map(|finding| &finding.summary).collect();
            assert_eq!(verdict.outcome, Outcome::Conforms, "{profile}: {findings:#?}");
        }
        let held_back = inversion_count(&polled(&history), &causes);
        println!(
            "O4 causal, {representation:?}, room for {capacity}: {} ops judged, {} sends, {held_back} inversions in what the reader \
             polled and none in what it delivered: conforms",
            history.ops.len(),
            causes.len()
        );
        assert!(held_back > 0, "nothing had to be held back, so nothing was tested");
    }
}
