//! Histories that nobody thought of: any ops at all, and the runs of a small correct log.

use lawspeaker_history::{
    Append, Batch, Call, Delivery, EventId, Generation, History, Offset, Op, OpType, Partition, Phase,
    Position, Project, Record, Sent, Slice, Snapshot, StreamName, VectorClock,
};
use lawspeaker_oracle::{Anomaly, Outcome, Profile, judge, report};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

fn partition(number: u32) -> Partition {
    Partition::new("orders", number)
}

fn any_partition() -> impl Strategy<Value = Partition> {
    prop_oneof![Just(Partition::named("orders")), (0..2u32).prop_map(partition)]
}

fn any_event() -> impl Strategy<Value = EventId> {
    (0..6i64).prop_map(EventId::from)
}

fn any_offset() -> impl Strategy<Value = Option<Offset>> {
    let stream_id = Just("5-1".parse().expect("a stream id"));
    option::of(prop_oneof![
        9 => (-1..6i64).prop_map(|number| Offset::new(number).expect("small enough")),
        1 => stream_id,
    ])
}

fn any_batches() -> impl Strategy<Value = Vec<Batch>> {
    let record = (any_offset(), any_event()).prop_map(|(offset, event)| Record { offset, event });
    vec(
        (any_partition(), vec(record, 0..3)).prop_map(|(partition, records)| Batch { partition, records }),
        0..3,
    )
}

fn any_deliveries() -> impl Strategy<Value = Vec<Delivery>> {
    let delivery = (any_partition(), any_offset(), option::of(any_event()))
        .prop_map(|(partition, offset, event)| Delivery { partition, offset, event });
    vec(delivery, 0..3)
}

fn any_positions() -> impl Strategy<Value = Vec<Position>> {
    vec((any_partition(), any_offset()).prop_map(|(partition, next)| Position { partition, next }), 0..3)
}

fn any_stream_call() -> impl Strategy<Value = Call> {
    let stream = || prop_oneof![Just("cart"), Just(StreamName::ALL)].prop_map(StreamName::from);
    let events = || vec((0..4u64, any_event()), 0..3);
    prop_oneof![
        (stream(), option::of(0..3u64), vec(any_event(), 0..3), option::of(0..3u64)).prop_map(
            |(stream, expected, ids, version)| Call::Append(Append { stream, expected, ids, version })
        ),
        (stream(), events()).prop_map(|(stream, events)| Call::ReadStream(vec![Slice { stream, events }])),
        (stream(), events()).prop_map(|(stream, events)| {
            Call::Project(Project { projection: "totals".into(), stream, events })
        }),
        (stream(), 0..2u64, "[xy]").prop_map(|(stream, version, state)| {
            Call::Snapshot(Snapshot { stream, projection: None, version, state })
        }),
    ]
}

fn any_call() -> impl Strategy<Value = Call> {
    let sent = (any_partition(), any_offset(), any_event()).prop_map(|(partition, offset, event)| Sent {
        partition,
        offset,
        event,
    });
    prop_oneof![
        vec(sent, 0..3).prop_map(Call::Send),
        any_batches().prop_map(Call::Poll),
        any_batches().prop_map(Call::Receive),
        vec(any_partition(), 0..3).prop_map(Call::Assign),
        vec(any_partition(), 0..3).prop_map(Call::Revoke),
        vec(any_partition(), 0..3).prop_map(Call::Subscribe),
        any_positions().prop_map(Call::Commit),
        any_positions().prop_map(Call::Committed),
        any_positions().prop_map(Call::Trim),
        any_positions().prop_map(Call::Compact),
        any_deliveries().prop_map(Call::Ack),
        any_deliveries().prop_map(Call::Nack),
        any_deliveries().prop_map(Call::Apply),
        any_deliveries().prop_map(Call::DeadLetter),
        vec(any_event(), 0..3).prop_map(Call::Change),
        any_stream_call(),
        Just(Call::Fence),
        prop_oneof![Just(Call::Begin), Just(Call::CommitTxn), Just(Call::AbortTxn)],
        Just(Call::Crash),
        crate::sagas::calls(),
    ]
}

fn any_clock() -> impl Strategy<Value = VectorClock> {
    proptest::collection::btree_map("[0-3a]", 0..4u64, 0..4)
        .prop_map(|counts| VectorClock::try_from(counts).expect("the counts are small"))
}

fn any_op() -> impl Strategy<Value = Op> {
    let op_type = prop_oneof![Just(OpType::Invoke), Just(OpType::Ok), Just(OpType::Fail), Just(OpType::Info)];
    let phase = prop_oneof![Just(None), Just(Some(Phase::Drain)), Just(Some(Phase::Final))];
    let causes = vec(any_event(), 0..3);
    let origin = (option::weighted(0.3, any_clock()), prop_oneof![2 => Just(Vec::new()), 1 => causes]);
    let asked = (option::weighted(0.3, (any_partition(), any_offset())), any_offset());
    (0..4i64, op_type, any_call(), option::of(0..2u64), option::of(0..2u64), phase, origin, asked).prop_map(
        |(process, op_type, call, group, generation, phase, (clock, cause), (from, hw))| {
            let mut op = Op::new(process, op_type, call);
            op.x.group = group.map(|group| format!("g{group}").as_str().into());
            op.x.generation = generation.map(Generation);
            op.x.phase = phase;
            (op.x.clock, op.x.cause) = (clock, cause);
            if let Some((partition, Some(from))) = from {
                op.x.from.insert(partition.clone(), from);
                op.x.hw.extend(hw.map(|hw| (partition, hw)));
            }
            op
        },
    )
}

pub(crate) fn any_history() -> impl Strategy<Value = History> {
    (vec(any_op(), 0..40), option::of(any::<bool>())).prop_map(|(ops, complete)| {
        let mut history = History::of(ops);
        history.header.complete = complete;
        history
    })
}

/// A correct log of two partitions with two producers, a group of one member at a time, and a lone reader.
#[derive(Default)]
struct Run {
    ops: Vec<Op>,
    logs: [Vec<EventId>; 2],
    /// What each producer has under way: the event, its partition, and its offset once it is appended.
    pending: [Option<(EventId, usize, Option<usize>)>; 2],
    event_count: i64,
    member: i64,
    is_assigned: bool,
    position: [usize; 2],
    committed: [usize; 2],
    reader_position: [usize; 2],
}

impl Run {
    const READER: i64 = 10;
    const FINAL_READER: i64 = 11;
    const FIRST_MEMBER: i64 = 50;

    fn of(choices: &[(u8, u8)]) -> Self {
        let mut run = Run { member: Self::FIRST_MEMBER, ..Run::default() };
        for (what, how) in choices {
            match what {
                0 | 1 => run.produce(usize::from(*what), *how),
                2 => run.consume(usize::from(how % 2), usize::from(how / 2)),
                3 => run.commit(usize::from(how % 2), how / 2),
                4 => run.crash(),
                _ => run.read(usize::from(how % 2), usize::from(how / 2)),
            }
        }
        run.finish();
        run
    }

    fn produce(&mut self, producer: usize, how: u8) {
        let process = producer as i64;
        let send = |event: &EventId, log: usize, offset: Option<usize>| {
            let offset = offset.map(Offset::of);
            Call::Send(vec![Sent { partition: partition(log as u32), offset, event: event.clone() }])
        };
        match self.pending[producer].take() {
            None => {
                let (event, log) = (EventId::from(self.event_count), usize::from(how % 2));
                self.event_count += 1;
                self.ops.push(Op::new(process, OpType::Invoke, send(&event, log, None)));
                let offset = (how & 2 == 0).then(|| self.append(log, &event));
                self.pending[producer] = Some((event, log, offset));
            }
            Some((event, log, appended)) => match (how % 4, appended) {
                (0, None) => self.ops.push(Op::new(process, OpType::Fail, send(&event, log, None))),
                (1, _) => self.ops.push(Op::new(process, OpType::Info, send(&event, log, None))),
                (_, appended) => {
                    let offset = appended.unwrap_or_else(|| self.append(log, &event));
                    self.ops.push(Op::new(process, OpType::Ok, send(&event, log, Some(offset))));
                }
            },
        }
    }

    fn append(&mut self, log: usize, event: &EventId) -> usize {
        self.logs[log].push(event.clone());
        self.logs[log].len() - 1
    }

    fn records(&self, log: usize, from: usize, count: usize) -> Vec<Batch> {
        let records = (from..self.logs[log].len().min(from + count))
            .map(|offset| Record { offset: Some(Offset::of(offset)), event: self.logs[log][offset].clone() })
            .collect();
        vec![Batch { partition: partition(log as u32), records }]
    }

    fn consume(&mut self, log: usize, count: usize) {
        if !self.is_assigned {
            self.is_assigned = true;
            self.position = self.committed;
            let all = vec![partition(0), partition(1)];
            self.ops.push(Op::new(self.member, OpType::Ok, Call::Assign(all)).group("g"));
        }
        let batches = self.records(log, self.position[log], count);
        self.position[log] += batches[0].records.len();
        self.ops.push(Op::new(self.member, OpType::Invoke, Call::Poll(Vec::new())).group("g"));
        self.ops.push(Op::new(self.member, OpType::Ok, Call::Poll(batches)).group("g"));
    }

    fn commit(&mut self, log: usize, how: u8) {
        if !self.is_assigned {
            return;
        }
        let next = Some(Offset::of(self.position[log]));
        let commit = Call::Commit(vec![Position { partition: partition(log as u32), next }]);
        let outcome = [OpType::Ok, OpType::Fail, OpType::Info][usize::from(how % 3)];
        if outcome != OpType::Fail {
            self.committed[log] = self.position[log];
        }
        self.ops.push(Op::new(self.member, OpType::Invoke, commit.clone()).group("g"));
        self.ops.push(Op::new(self.member, outcome, commit).group("g"));
    }

    fn crash(&mut self) {
        self.ops.push(Op::new(self.member, OpType::Info, Call::Crash).group("g"));
        self.member += 1;
        self.is_assigned = false;
    }

    fn read(&mut self, log: usize, count: usize) {
        let batches = self.records(log, self.reader_position[log], count);
        self.reader_position[log] += batches[0].records.len();
        self.ops.push(Op::new(Self::READER, OpType::Ok, Call::Poll(batches)));
    }

    /// The group is drained, and a fresh reader reads everything.
    fn finish(&mut self) {
        for log in 0..self.logs.len() {
            let first = self.ops.len();
            self.consume(log, usize::MAX / 2);
            self.commit(log, 0);
            self.ops[first..].iter_mut().for_each(|op| op.x.phase = Some(Phase::Drain));
        }
        for log in 0..self.logs.len() {
            let batches = self.records(log, 0, usize::MAX / 2);
            let read = Op::new(Self::FINAL_READER, OpType::Ok, Call::Poll(batches)).phase(Phase::Final);
            self.ops.push(read);
        }
    }

    fn history(&self) -> History {
        History::of(self.ops.clone())
    }

    /// The records of the final read of one log.
    fn final_records(&mut self, log: usize) -> Option<&mut Vec<Record>> {
        let place = self.ops.len() - self.logs.len() + log;
        match &mut self.ops[place].call {
            Call::Poll(batches) => Some(&mut batches.first_mut()?.records),
            _ => None,
        }
    }

    fn is_acknowledged(&self, event: &EventId) -> bool {
        let names =
            |op: &Op| matches!(&op.call, Call::Send(sends) if sends.iter().any(|sent| sent.event == *event));
        self.ops.iter().any(|op| op.op_type == OpType::Ok && names(op))
    }
}

fn choices() -> impl Strategy<Value = Vec<(u8, u8)>> {
    vec((0..6u8, 0..8u8), 0..80)
}

proptest! {
    #[test]
    fn no_history_makes_the_oracle_panic_and_two_verdicts_are_equal(history in any_history()) {
        for profile in Profile::all() {
            let verdict = judge(&history, profile.clone());
            prop_assert_eq!(&verdict, &judge(&history, profile.clone()));
            let text = report::text(&verdict, "random");
            prop_assert!(text.ends_with('\n'));
            prop_assert_eq!(&report::json(&verdict, "random")["schema"], "lawspeaker.verdict/1");
        }
    }

    #[test]
    fn a_violated_verdict_has_a_root_and_every_effect_stands_under_its_cause(history in any_history()) {
        for profile in Profile::all() {
            let verdict = judge(&history, profile.clone());
            let is_violated = verdict.violations().next().is_some();
            prop_assert_eq!(verdict.outcome == Outcome::Violated, is_violated);
            for (place, finding) in verdict.findings.iter().enumerate() {
                prop_assert_eq!(finding.id, place + 1);
                if let Some(cause) = finding.caused_by {
                    prop_assert!(cause < finding.id);
                    prop_assert!(verdict.finding(cause).unwrap().severity <= finding.severity);
                    prop_assert!(verdict.finding(cause).unwrap().causes.contains(&finding.id));
                }
            }
        }
    }

    #[test]
    fn a_correct_log_is_never_accused(choices in choices()) {
        let history = Run::of(&choices).history();
        // Its partitions have no causal order among them.
        for profile in Profile::all().iter().filter(|profile| !profile.has_causal_order) {
            let verdict = judge(&history, profile.clone());
            prop_assert_ne!(verdict.outcome, Outcome::Violated, "{}", report::text(&verdict, &profile.name));
        }
    }

    #[test]
    fn a_correct_log_cut_short_is_never_accused(choices in choices(), kept in 0.0..1.0f64) {
        let mut history = Run::of(&choices).history();
        history.ops.truncate((history.ops.len() as f64 * kept) as usize);
        for profile in Profile::all().iter().filter(|profile| !profile.has_causal_order) {
            let verdict = judge(&history, profile.clone());
            prop_assert_ne!(verdict.outcome, Outcome::Violated, "{}", report::text(&verdict, &profile.name));
        }
    }

    #[test]
    fn an_acknowledged_event_taken_out_of_the_final_read_is_lost(choices in choices(), log in 0..2usize, pick in 0..64usize) {
        let mut run = Run::of(&choices);
        let count = run.final_records(log).map_or(0, |records| records.len());
        prop_assume!(count > 1);
        let gone = run.final_records(log).unwrap().remove(pick % (count - 1)).event;
        prop_assume!(run.is_acknowledged(&gone));
        let verdict = judge(&run.history(), Profile::named("kafka").unwrap());
        let is_named = verdict.of(Anomaly::LostWrite).any(|finding| finding.cases.iter().any(|case| case.events == [gone.clone()]));
        prop_assert!(is_named, "{}", report::text(&verdict, "mutated"));
    }

    #[test]
    fn two_neighbours_exchanged_in_the_final_read_are_inconsistent_offsets(choices in choices(), log in 0..2usize, pick in 0..64usize) {
        let mut run = Run::of(&choices);
        let records = run.final_records(log).unwrap();
        prop_assume!(records.len() > 1);
        let place = pick % (records.len() - 1);
        let event = records[place].event.clone();
        records[place].event = records[place + 1].event.clone();
        records[place + 1].event = event;
        let verdict = judge(&run.history(), Profile::named("kafka").unwrap());
        prop_assert_eq!(verdict.count(Anomaly::InconsistentOffsets), 2, "{}", report::text(&verdict, "mutated"));
    }
}
