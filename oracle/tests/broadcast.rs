//! Readers of a correct broadcast, which change what they read, crash and read again, and are never accused.

use std::collections::{BTreeMap, BTreeSet};

use lawspeaker_history::{Batch, Call, EventId, History, Op, OpType, Partition, Record, Sent};
use lawspeaker_oracle::{Profile, judge, report};
use proptest::collection::vec;
use proptest::prelude::*;

const PROCESSES: i64 = 4;

fn partition(number: u8) -> Partition {
    Partition::new("orders", u32::from(number))
}

/// What one reader of a broadcast in one total order does.
#[derive(Clone, Copy, Debug)]
enum Reading {
    Next,
    Again,
    Assign(u8),
    SeekToEnd,
    Unknown,
    Crash,
}

fn readings() -> impl Strategy<Value = Vec<(i64, Option<Reading>, u8)>> {
    let reading = prop_oneof![
        8 => Just(Reading::Next),
        1 => Just(Reading::Again),
        2 => (0..4u8).prop_map(Reading::Assign),
        1 => Just(Reading::SeekToEnd),
        1 => Just(Reading::Unknown),
        1 => Just(Reading::Crash),
    ];
    vec((0..PROCESSES, proptest::option::weighted(0.7, reading), 0..2u8), 0..60)
}

/// Readers that are handed, each time, the first event in the order of sending of the partitions that they read, that
/// they were not handed before. Two of them are members of one group, which hold a partition each.
#[derive(Default)]
struct Broadcast {
    ops: Vec<Op>,
    log: Vec<u8>,
    assigned: BTreeMap<i64, BTreeSet<u8>>,
    handed: BTreeMap<i64, BTreeSet<usize>>,
    /// What each process was in fact given.
    given: BTreeMap<i64, BTreeSet<usize>>,
    gone: BTreeSet<i64>,
}

impl Broadcast {
    const MEMBERS: [i64; 2] = [2, 3];

    fn of(readings: &[(i64, Option<Reading>, u8)]) -> History {
        let mut run = Broadcast::default();
        for (process, reading, number) in readings {
            if run.gone.contains(process) {
                continue;
            }
            match reading {
                None => run.send(*process, *number),
                Some(reading) => run.read(*process, *reading),
            }
        }
        let mut history = History::of(run.ops);
        history.header.complete = Some(true);
        history
    }

    /// Whose position it reads from: a member reads from its group's.
    fn position(process: i64) -> i64 {
        if Self::MEMBERS.contains(&process) { Self::MEMBERS[0] } else { process }
    }

    fn op(&mut self, process: i64, op_type: OpType, call: Call) {
        let op = Op::new(process, op_type, call);
        self.ops.push(if Self::MEMBERS.contains(&process) { op.group("g") } else { op });
    }

    fn send(&mut self, process: i64, number: u8) {
        let event = EventId::from(self.log.len() as i64);
        let sent = Call::Send(vec![Sent { partition: partition(number), offset: None, event }]);
        self.log.push(number);
        self.ops.push(Op::new(process, OpType::Invoke, sent.clone()));
        self.ops.push(Op::new(process, OpType::Ok, sent));
    }

    fn receive(&mut self, process: i64, event: usize) {
        let record = Record { offset: None, event: EventId::from(event as i64) };
        self.given.entry(process).or_default().insert(event);
        let batch = Batch { partition: partition(self.log[event]), records: vec![record] };
        self.op(process, OpType::Ok, Call::Receive(vec![batch]));
    }

    fn read(&mut self, process: i64, reading: Reading) {
        let assigned = self.assigned.get(&process).cloned().unwrap_or_default();
        let handed = self.handed.entry(Self::position(process)).or_default();
        let mut next = (0..self.log.len())
            .filter(|event| assigned.contains(&self.log[*event]) && !handed.contains(event));
        match reading {
            Reading::Next => {
                if let Some(event) = next.next() {
                    handed.insert(event);
                    self.receive(process, event);
                }
            }
            Reading::Again => {
                let given = self.given.get(&process).into_iter().flatten().copied();
                let last = given.filter(|event| assigned.contains(&self.log[*event])).max();
                if let Some(event) = last {
                    self.receive(process, event);
                }
            }
            Reading::Assign(bits) => self.assign(process, bits),
            Reading::SeekToEnd => {
                let skipped: Vec<usize> = next.collect();
                handed.extend(skipped);
                let seek = Call::Other { f: "seek".to_owned(), value: serde_json::Value::Null };
                self.op(process, OpType::Ok, seek);
            }
            Reading::Unknown => {
                let event = next.next();
                handed.extend(event);
                self.op(process, OpType::Info, Call::Receive(Vec::new()));
            }
            Reading::Crash => {
                self.assigned.remove(&process);
                self.gone.insert(process);
                self.op(process, OpType::Info, Call::Crash);
            }
        }
    }

    /// What one member is given, the other gives up first.
    fn assign(&mut self, process: i64, bits: u8) {
        let mut given: BTreeSet<u8> = (0..2).filter(|number| bits & (1 << number) != 0).collect();
        if let Some(other) =
            Self::MEMBERS.iter().find(|member| Self::MEMBERS.contains(&process) && **member != process)
        {
            let held = self.assigned.get(other).cloned().unwrap_or_default();
            given.retain(|number| !held.contains(number));
        }
        self.op(process, OpType::Ok, Call::Assign(given.iter().map(|number| partition(*number)).collect()));
        self.assigned.insert(process, given);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_broadcast_in_one_order_is_never_accused_whatever_its_readers_do(readings in readings()) {
        let history = Broadcast::of(&readings);
        let verdict = judge(&history, Profile::named("causal-broadcast").expect("it is a profile"));
        let accused: Vec<_> = verdict.violations().map(|finding| &finding.summary).collect();
        prop_assert!(accused.is_empty(), "{}", report::text(&verdict, "random"));
    }
}
