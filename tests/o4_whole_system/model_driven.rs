//! The models drive the bus: random walks of the baselines, action by action, on the bus's own kernels. Each append is
//! answered as the model says, each log ends as the model's, and the recorded history conforms.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use lawspeaker_bus::consumer_group::ConsumerGroup as BusGroup;
use lawspeaker_bus::id::{Epoch, MemberId, ProducerId, Sequence, Stamp};
use lawspeaker_bus::member::{Member, Polled};
use lawspeaker_bus::memory_journal::MemoryJournal;
use lawspeaker_bus::message::Message;
use lawspeaker_bus::partition_log::{Accepted, AppendError, PartitionLog as BusLog};
use lawspeaker_bus::producer::Producer;
use lawspeaker_history::{
    Batch, Call, Header, History, MemoryRecorder, Offset, Op, OpType, Partition, Phase, Process, Record,
    Recorder,
};
use lawspeaker_model::catalogue::{DomainModel, Preset};
use lawspeaker_model::consumer_group::{Action as GroupAction, ConsumerGroup};
use lawspeaker_model::partition_log::{Action as LogAction, Event, PartitionLog, Request, State as LogState};
use lawspeaker_oracle::{Outcome, Profile, judge, report};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::recording::{GROUP, TOPIC};
use crate::walk::walk;

const WALKS: u32 = 500;

/// Random choices for walks.
pub(crate) fn run(walk: impl Fn(Vec<u16>)) {
    let config = Config { cases: WALKS, failure_persistence: None, ..Config::default() };
    let choices = prop::collection::vec(any::<u16>(), 0..40);
    let walked = TestRunner::new(config).run(&choices, |choices| {
        walk(choices);
        Ok(())
    });
    walked.unwrap_or_else(|failure| panic!("{failure}"));
}

fn assert_conforms(recorder: &MemoryRecorder) -> usize {
    let header = Header { complete: Some(true), ..Header::default() };
    let history = History { header, ..recorder.history() };
    let verdict = judge(&history, Profile::named("kafka").unwrap());
    assert_eq!(
        verdict.outcome,
        Outcome::Conforms,
        "{}",
        report::text(&verdict, "a walk of the model on the bus")
    );
    history.ops.len()
}

fn partition(number: usize) -> Partition {
    Partition::new(TOPIC, number as u32)
}

fn final_read(recorder: &MemoryRecorder, log: &BusLog) -> Vec<String> {
    let entries = log.read(Offset::of(0), usize::MAX).unwrap();
    let events = entries.iter().map(|entry| entry.message.id.to_string()).collect();
    let record = |entry: lawspeaker_bus::partition_log::LogEntry| Record {
        offset: Some(entry.offset),
        event: entry.message.id,
    };
    let records = entries.into_iter().map(record).collect();
    let batch = Batch { partition: log.name().clone(), records };
    recorder.record(Op::new("final-reader", OpType::Ok, Call::Poll(vec![batch])).phase(Phase::Final));
    events
}

/// The partitions of the model's topic, on the bus.
struct Partitions {
    recorder: Arc<MemoryRecorder>,
    logs: Vec<(Arc<MemoryJournal>, BusLog)>,
}

impl Partitions {
    fn add(&mut self, epoch_of: impl Iterator<Item = u8>) {
        let journal = Arc::new(MemoryJournal::new());
        let log =
            BusLog::recover(partition(self.logs.len()), journal.clone(), self.recorder.clone()).unwrap();
        for (producer, epoch) in epoch_of.enumerate() {
            for _ in 0..=epoch {
                log.open_producer(ProducerId(producer as u64)).unwrap();
            }
        }
        self.logs.push((journal, log));
    }

    /// Whether the bus refused or already had the event, or the offset at which it appended it.
    fn append(&self, request: &Request) -> Option<usize> {
        let stamp = Stamp {
            producer: ProducerId(request.event.producer.into()),
            epoch: Epoch(request.stamp.epoch.into()),
            sequence: Sequence(request.stamp.sequence.into()),
        };
        let message = Message::new(name(request.event).as_str(), "payload");
        match self.logs[request.stamp.partition as usize].1.append(stamp, &message) {
            Ok(Accepted::Appended(offset)) => offset.number().map(|number| number as usize),
            Ok(Accepted::Duplicate(_) | Accepted::DuplicateBelow(_)) | Err(AppendError::Refused(_)) => None,
            Err(error) => panic!("{error}"),
        }
    }

    fn lose_power(&mut self) {
        let power_loss = Call::Other { f: "power-loss".to_owned(), value: serde_json::Value::Null };
        self.recorder.record(Op::new(Process::nemesis(), OpType::Info, power_loss));
        for (number, (journal, log)) in self.logs.iter_mut().enumerate() {
            *journal = Arc::new(journal.crash());
            *log = BusLog::recover(partition(number), journal.clone(), self.recorder.clone()).unwrap();
        }
    }

    fn step(&mut self, before: &LogState, action: &LogAction, after: &LogState) {
        match action {
            LogAction::Handle(request) if !request.is_damaged => {
                let number = request.stamp.partition as usize;
                let (was, is) = (before.partitions[number].log.len(), after.partitions[number].log.len());
                let expected = (is > was).then_some(was);
                assert_eq!(self.append(request), expected, "{request:?}");
            }
            LogAction::Flush(number) => {
                let end = after.partitions[*number as usize].log.len();
                self.logs[*number as usize].1.wait_durable(Offset::of(end - 1)).unwrap();
            }
            LogAction::Crash => self.lose_power(),
            LogAction::Restart(producer) => {
                let producer = ProducerId((*producer).into());
                for (_, log) in &self.logs {
                    log.open_producer(producer).unwrap();
                }
            }
            LogAction::Grow => self.add(after.producers.iter().map(|producer| producer.epoch)),
            // The producers, the link and the clients' side of the rest are the model's own.
            _ => {}
        }
    }
}

fn name(event: Event) -> String {
    format!("p{}e{}", event.producer, event.number)
}

#[test]
fn what_the_model_does_to_the_log_the_bus_answers_alike() {
    let model = PartitionLog::preset(Preset::Small);
    let [op_count, appended_count, refused_count] = [(); 3].map(|()| AtomicUsize::new(0));
    run(|choices| {
        let recorder = Arc::new(MemoryRecorder::new());
        let mut partitions = Partitions { recorder: recorder.clone(), logs: Vec::new() };
        partitions.add((0..model.bounds.producers).map(|_| 0));
        let trace = walk(&model, &choices);
        for (before, action, after) in trace.transitions() {
            partitions.step(before, action, after);
            if matches!(action, LogAction::Handle(_)) {
                let is_appended = before.partitions != after.partitions;
                let count = if is_appended { &appended_count } else { &refused_count };
                count.fetch_add(1, Ordering::Relaxed);
            }
        }
        for ((_, log), expected) in partitions.logs.iter().zip(&trace.last().partitions) {
            let events: Vec<_> = expected.log.iter().map(|record| name(record.event)).collect();
            assert_eq!(final_read(&recorder, log), events);
        }
        op_count.fetch_add(assert_conforms(&recorder), Ordering::Relaxed);
    });
    let [op_count, appended_count, refused_count] =
        [op_count, appended_count, refused_count].map(AtomicUsize::into_inner);
    println!(
        "O4 model-driven log: {WALKS} walks, {appended_count} appends and {refused_count} refusals answered alike, \
         {op_count} ops judged: Conforms"
    );
    assert!(appended_count > 1000 && refused_count > 100, "too little happened to mean anything");
}

/// The members of the model's group, on the bus; what they have in hand is theirs.
struct Members {
    recorder: Arc<MemoryRecorder>,
    group: Arc<BusGroup>,
    logs: Vec<Arc<BusLog>>,
    members: BTreeMap<u8, (Member, Vec<Polled>)>,
    /// A member that starts again is another one to the coordinator.
    next_id: u64,
    failure_count: usize,
}

impl Members {
    fn new(events: u8) -> Self {
        let recorder = Arc::new(MemoryRecorder::new());
        let log = BusLog::recover(partition(0), Arc::new(MemoryJournal::new()), recorder.clone()).unwrap();
        let log = Arc::new(log);
        let mut producer = Producer::open(ProducerId(0), log.clone()).unwrap();
        for number in 0..events {
            producer.send(Message::new(format!("e{number}").as_str(), "payload")).unwrap();
        }
        let journal = Arc::new(MemoryJournal::new());
        let group = BusGroup::recover(GROUP.into(), vec![partition(0)], journal, recorder.clone()).unwrap();
        Members {
            recorder,
            group: Arc::new(group),
            logs: vec![log],
            members: BTreeMap::new(),
            next_id: 0,
            failure_count: 0,
        }
    }

    fn join(&mut self) -> Member {
        self.next_id += 1;
        Member::join(MemberId(self.next_id), self.group.clone(), self.logs.clone(), self.recorder.clone())
            .unwrap()
    }

    fn start(&mut self, number: u8) {
        let member = self.join();
        self.members.insert(number, (member, Vec::new()));
    }

    fn step(&mut self, action: &GroupAction) {
        match action {
            GroupAction::Poll(number, _) => {
                if let Some((member, hand)) = self.members.get_mut(number) {
                    hand.extend(member.poll(1).unwrap());
                }
            }
            GroupAction::Handle(number) => {
                if let Some((member, hand)) = self.members.get_mut(number) {
                    for polled in hand.drain(..) {
                        member.handled(polled.partition, polled.entry.offset);
                    }
                }
            }
            GroupAction::Fail(number) => {
                if let Some((member, hand)) = self.members.get_mut(number) {
                    hand.drain(..).for_each(|polled| member.put_back(polled.partition));
                    self.failure_count += 1;
                }
            }
            GroupAction::Commit(number) => {
                // A member that was thrown out is refused; it hears of it when it polls next.
                if let Some((member, _)) = self.members.get_mut(number) {
                    let _ = member.commit();
                }
            }
            GroupAction::Timeout(number) => {
                if let Some((member, _)) = self.members.get(number) {
                    let _ = self.group.expire(member.id());
                }
            }
            GroupAction::Crash(number) => {
                if let Some((member, _)) = self.members.remove(number) {
                    let crash = Op::new(member.id().process(), OpType::Info, Call::Crash).group(GROUP);
                    self.recorder.record(crash);
                    let _ = self.group.expire(member.id());
                }
            }
            GroupAction::Restart(number) => self.start(*number),
            // Syncing is part of polling; who gets what is the bus's own choice.
            _ => {}
        }
    }

    /// The members leave, and a fresh one empties the group.
    fn finish(&mut self) {
        for (member, _) in std::mem::take(&mut self.members).into_values() {
            let _ = self.group.expire(member.id());
        }
        let mut member = self.join();
        loop {
            let polled = member.poll(10).unwrap();
            if polled.is_empty() {
                break;
            }
            for polled in polled {
                member.handled(polled.partition, polled.entry.offset);
            }
            member.commit().unwrap();
        }
        final_read(&self.recorder, &self.logs[0]);
    }
}

#[test]
fn what_the_model_does_to_the_group_the_bus_survives() {
    let model = ConsumerGroup::preset(Preset::Small);
    let [op_count, failure_count] = [(); 2].map(|()| AtomicUsize::new(0));
    run(|choices| {
        let mut members = Members::new(model.bounds.events);
        (0..model.bounds.members).for_each(|number| members.start(number));
        walk(&model, &choices).transitions().for_each(|(_, action, _)| members.step(action));
        members.finish();
        op_count.fetch_add(assert_conforms(&members.recorder), Ordering::Relaxed);
        failure_count.fetch_add(members.failure_count, Ordering::Relaxed);
    });
    let [op_count, failure_count] = [op_count, failure_count].map(AtomicUsize::into_inner);
    println!(
        "O4 model-driven group: {WALKS} walks, {failure_count} events put back, {op_count} ops judged: Conforms"
    );
    assert!(failure_count > 50, "too little happened to mean anything");
}
