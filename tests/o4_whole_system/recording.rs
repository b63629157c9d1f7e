//! What all runs share: the topic, the end of a recording, and the verdict.

use std::sync::{Arc, Mutex};

use lawspeaker_bus::bus::{Bus, Config};
use lawspeaker_bus::id::PartitionNumber;
use lawspeaker_history::{
    Batch, Call, Header, History, MemoryRecorder, Offset, Op, OpType, Partition, Phase, Process, Record,
    Recorder, write_jsonl,
};
use lawspeaker_oracle::{Outcome, Profile, judge};

pub(crate) const TOPIC: &str = "orders";
pub(crate) const GROUP: &str = "billing";
pub(crate) const PARTITION_COUNT: u32 = 3;
/// Short segments, so that every run rolls them.
pub(crate) const CONFIG: Config =
    Config { segment_bytes: 4_000, max_message_bytes: 1_000, max_partition_count: 8 };

/// Records in memory, and marks ops with the phase of the recording.
#[derive(Debug, Default)]
pub(crate) struct Recording {
    ops: MemoryRecorder,
    phase: Mutex<Option<Phase>>,
}

impl Recorder for Recording {
    fn record(&self, mut op: Op) {
        op.x.phase = *self.phase.lock().unwrap();
        self.ops.record(op);
    }
}

impl Recording {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Recording::default())
    }

    /// A fault that the test caused.
    pub(crate) fn fault(&self, name: &str) {
        let call = Call::Other { f: name.to_owned(), value: serde_json::Value::Null };
        self.record(Op::new(Process::nemesis(), OpType::Info, call));
    }

    /// Lets a fresh member empty the group, reads every partition from the beginning, and returns the history.
    pub(crate) fn finish(&self, bus: &Bus) -> History {
        *self.phase.lock().unwrap() = Some(Phase::Drain);
        drain(bus);
        *self.phase.lock().unwrap() = Some(Phase::Final);
        let number = |place: u32| (place, bus.read(TOPIC, PartitionNumber(place), Offset::of(0), usize::MAX));
        for (place, entries) in (0..PARTITION_COUNT).map(number) {
            let record = |entry: lawspeaker_bus::partition_log::LogEntry| Record {
                offset: Some(entry.offset),
                event: entry.message.id,
            };
            let records = entries.unwrap().into_iter().map(record).collect();
            let batch = Batch { partition: Partition::new(TOPIC, place), records };
            self.record(Op::new("final-reader", OpType::Ok, Call::Poll(vec![batch])));
        }
        let header = Header { profile: Some("kafka".into()), complete: Some(true), ..Header::default() };
        History { header, ..self.ops.history() }
    }
}

fn drain(bus: &Bus) {
    let mut consumer = bus.consumer(GROUP, TOPIC).unwrap();
    loop {
        let polled = consumer.poll(100).unwrap();
        if polled.is_empty() {
            return consumer.leave().unwrap();
        }
        for polled in polled {
            assert!(consumer.handled(polled.partition, polled.entry.offset));
        }
        consumer.commit().unwrap();
    }
}

/// Whether the group has committed everything that is in the topic.
pub(crate) fn is_all_committed(bus: &Bus) -> bool {
    let Ok(committed) = bus.committed(GROUP, TOPIC) else { return false };
    let is_at_end = |(next, place): (&Offset, u32)| {
        bus.read(TOPIC, PartitionNumber(place), *next, 1).is_ok_and(|rest| rest.is_empty())
    };
    committed.iter().zip(0..).all(is_at_end)
}

/// What a history must hold at least, so that a verdict on it means something; far below what is usual, because a
/// busy machine may run the consumers last.
pub(crate) struct AtLeast {
    pub(crate) sends: usize,
    pub(crate) commits: usize,
    pub(crate) crashes: usize,
    pub(crate) put_backs: usize,
}

/// Judges the history as a file of it is judged, and demands that it conforms and is not empty of what it is about.
pub(crate) fn assert_conforms(name: &str, history: &History, at_least: &AtLeast) {
    let mut file = Vec::new();
    write_jsonl(&mut file, history).unwrap();
    let verdict = judge(&History::read(file.as_slice()).unwrap(), Profile::named("kafka").unwrap());
    let count =
        |f: &str, op_type| history.ops.iter().filter(|op| op.call.f() == f && op.op_type == op_type).count();
    let (sends, commits) = (count("send", OpType::Ok), count("commit", OpType::Ok));
    let (unknown, crashes) = (count("send", OpType::Info), count("crash", OpType::Info));
    let put_backs = count("seek", OpType::Ok);
    println!(
        "O4 {name}: {} ops judged, {sends} sends acknowledged, {unknown} of unknown outcome, {commits} commits, \
         {crashes} members crashed, {put_backs} put back: {:?}",
        history.ops.len(),
        verdict.outcome
    );
    if verdict.outcome != Outcome::Conforms {
        let path =
            std::env::temp_dir().join(format!("lawspeaker-o4-{}.jsonl", name.replace([' ', ','], "-")));
        std::fs::write(&path, file).unwrap();
        let findings: Vec<_> = verdict.findings.iter().map(|finding| &finding.summary).collect();
        panic!("not conforming, see `lawspeaker judge {}`: {findings:#?}", path.display());
    }
    let is_enough = sends >= at_least.sends
        && commits >= at_least.commits
        && crashes >= at_least.crashes
        && put_backs >= at_least.put_backs;
    assert!(is_enough, "too little happened for the verdict to mean anything");
}
