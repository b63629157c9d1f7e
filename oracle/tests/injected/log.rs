//! One partition of a log with whoever writes and reads it, correct except where a fault is asked for.

use std::collections::{BTreeMap, BTreeSet};

use lawspeaker_history::{
    Batch, Call, Delivery, EventId, Generation, MicroOp, Offset, Op, OpType, Partition, Phase, Position,
    Record, Sent,
};
use serde_json::{Value, json};

use super::random::Random;

/// A send under way.
pub(super) struct Open {
    pub event: EventId,
    producer: usize,
    epoch: u64,
    seq: u64,
    key: Option<String>,
}

/// What a transaction takes and what it sends, each with where it stands.
type Exchange = (Option<(Partition, Record)>, Vec<(Partition, Record)>);

/// Two producers, a group of one member at a time, a reader of no group, and a second partition that nobody reads
/// before the end.
pub(super) struct LogLane {
    number: i64,
    pub ops: Vec<Op>,
    pub random: Random,
    /// What stands where; `None` where nothing does.
    pub main: Vec<Option<EventId>>,
    pub side: Vec<Option<EventId>>,
    /// What the second replica holds of `main` instead.
    pub replica: BTreeMap<usize, Option<EventId>>,
    /// Events that are delivered with another content than they were sent with.
    pub corrupted: BTreeSet<EventId>,
    applied: BTreeSet<EventId>,
    event_count: i64,
    seqs: [u64; 2],
    epochs: [u64; 2],
    pub member: i64,
    member_count: i64,
    pub generation: u64,
    /// Where the group's member stands, and what the group has committed.
    pub position: usize,
    pub committed: usize,
    pub reader_position: usize,
    newcomer_count: i64,
}

impl LogLane {
    const PROCESSES: i64 = 1_000_000;
    const READER: i64 = 2;
    const SIDE_PRODUCER: i64 = 3;
    const TRANSACTIONAL: i64 = 4;
    const FIRST_MEMBER: i64 = 10;
    const FIRST_NEWCOMER: i64 = 500_000;

    pub(super) fn new(number: i64, random: Random) -> Self {
        let mut lane = LogLane {
            number,
            ops: Vec::new(),
            random,
            main: Vec::new(),
            side: Vec::new(),
            replica: BTreeMap::new(),
            corrupted: BTreeSet::new(),
            applied: BTreeSet::new(),
            event_count: 0,
            seqs: [0; 2],
            epochs: [0; 2],
            member: 0,
            member_count: 0,
            generation: 0,
            position: 0,
            committed: 0,
            reader_position: 0,
            newcomer_count: 0,
        };
        lane.join(1);
        // Everybody has begun before the first fault.
        lane.send(0);
        lane.send(1);
        lane.consume();
        lane.read_on();
        lane
    }

    fn process(&self, number: i64) -> i64 {
        (self.number + 1) * Self::PROCESSES + number
    }

    pub(super) fn partition(&self, is_side: bool) -> Partition {
        Partition::new(&format!("orders-{}", self.number), u32::from(is_side))
    }

    fn payments(&self) -> Partition {
        Partition::new(&format!("payments-{}", self.number), 0)
    }

    /// A partition that nobody of a group reads.
    fn new_ledger(&self) -> Partition {
        Partition::new(&format!("ledger-{}-{}", self.number, self.event_count), 0)
    }

    fn group(&self) -> String {
        format!("billing-{}", self.number)
    }

    pub(super) fn new_event(&mut self) -> EventId {
        self.event_count += 1;
        EventId::from(format!("e{}-{}", self.number, self.event_count).as_str())
    }

    /// What the next new event will be called.
    pub(super) fn next_event(&self) -> EventId {
        EventId::from(format!("e{}-{}", self.number, self.event_count + 1).as_str())
    }

    // Producers

    /// Begins to send a new event; its sequence number is taken.
    pub(super) fn begin(&mut self, producer: usize) -> Open {
        let event = self.new_event();
        let seq = self.seqs[producer];
        self.seqs[producer] += 1;
        let open = Open { event, producer, epoch: self.epochs[producer], seq, key: None };
        self.begin_again(&open);
        open
    }

    /// Begins to send the same once more, under the same sequence number.
    pub(super) fn begin_again(&mut self, open: &Open) {
        self.push_send(open, OpType::Invoke, false, None);
    }

    pub(super) fn acknowledge(&mut self, open: &Open, offset: i64) {
        self.push_send(open, OpType::Ok, false, Some(offset));
    }

    pub(super) fn acknowledge_at_end(&mut self, open: &Open) -> usize {
        let place = self.append(&open.event);
        self.acknowledge(open, place as i64);
        place
    }

    /// The call ends without an answer, or with one that says that nothing was sent.
    pub(super) fn end(&mut self, open: &Open, outcome: OpType) {
        self.push_send(open, outcome, false, None);
    }

    /// A sequence number that was taken for nothing is used again.
    pub(super) fn give_back(&mut self, open: &Open) {
        self.seqs[open.producer] = open.seq;
    }

    fn push_send(&mut self, open: &Open, op_type: OpType, is_side: bool, offset: Option<i64>) {
        let offset = offset.map(|offset| Offset::new(offset).expect("the offset is small"));
        let sent = Sent { partition: self.partition(is_side), offset, event: open.event.clone() };
        let mut op = Op::new(self.process(open.producer as i64), op_type, Call::Send(vec![sent]));
        op.x.pid = Some(self.process(open.producer as i64) as u64);
        (op.x.epoch, op.x.seq) = (Some(open.epoch), Some(open.seq));
        op.x.key = open.key.clone();
        op.x.rest.insert("hash".to_owned(), Value::String(hash(&open.event)));
        self.ops.push(op);
    }

    pub(super) fn append(&mut self, event: &EventId) -> usize {
        self.main.push(Some(event.clone()));
        self.main.len() - 1
    }

    /// Sends an event as it should be, and says where it stands.
    pub(super) fn send(&mut self, producer: usize) -> (EventId, usize) {
        let open = self.begin(producer);
        let place = self.acknowledge_at_end(&open);
        (open.event, place)
    }

    /// Sends two events of a key of their own, the second to another partition.
    pub(super) fn send_torn_key(&mut self) -> EventId {
        let key = Some(format!("customer {}", self.event_count));
        let event = self.new_event();
        let first = Open { event, producer: 0, epoch: self.epochs[0], seq: self.seqs[0], key };
        self.seqs[0] += 1;
        self.begin_again(&first);
        self.acknowledge_at_end(&first);
        // It has a count of its own in each partition.
        let event = self.new_event();
        let (epoch, seq) = (self.epochs[0], self.side.len() as u64);
        let second = Open { event, producer: 0, epoch, seq, key: first.key };
        self.push_send(&second, OpType::Invoke, true, None);
        self.side.push(Some(second.event.clone()));
        self.push_send(&second, OpType::Ok, true, Some(self.side.len() as i64 - 1));
        second.event
    }

    /// Sends to the second partition, and learns where it stands if `is_told`.
    pub(super) fn send_aside(&mut self, is_kept: bool) -> EventId {
        let event = self.new_event();
        let process = self.process(Self::SIDE_PRODUCER);
        if is_kept {
            self.side.push(Some(event.clone()));
        }
        let offset = is_kept.then(|| Offset::of(self.side.len() - 1));
        for (op_type, offset) in [(OpType::Invoke, None), (OpType::Ok, offset)] {
            let sent = Sent { partition: self.partition(true), offset, event: event.clone() };
            self.ops.push(Op::new(process, op_type, Call::Send(vec![sent])));
        }
        event
    }

    pub(super) fn fence(&mut self, producer: usize) {
        self.epochs[producer] += 1;
        self.seqs[producer] = 0;
        let mut op = Op::new(self.process(producer as i64), OpType::Ok, Call::Fence);
        op.x.pid = Some(self.process(producer as i64) as u64);
        op.x.epoch = Some(self.epochs[producer]);
        self.ops.push(op);
    }

    /// The same as [`Self::begin`] would be in the epoch before.
    pub(super) fn begin_as_zombie(&mut self, producer: usize, seq: u64) -> Open {
        let event = self.new_event();
        let open = Open { event, producer, epoch: self.epochs[producer] - 1, seq, key: None };
        self.begin_again(&open);
        open
    }

    pub(super) fn next_seq(&self, producer: usize) -> u64 {
        self.seqs[producer]
    }

    // The group

    fn push_of_group(&mut self, member: i64, op_type: OpType, call: Call, generation: u64) {
        let op = Op::new(self.process(member), op_type, call).group(self.group().as_str());
        self.ops.push(op.generation(Generation(generation)));
    }

    /// A new member is given the partition in this generation, and begins where the group has committed.
    pub(super) fn join(&mut self, generation: u64) {
        self.member = Self::FIRST_MEMBER + self.member_count;
        self.member_count += 1;
        self.generation = generation;
        self.position = self.committed;
        let call = Call::Assign(vec![self.partition(false)]);
        self.push_of_group(self.member, OpType::Ok, call, generation);
    }

    pub(super) fn revoke(&mut self) {
        let call = Call::Revoke(vec![self.partition(false)]);
        self.push_of_group(self.member, OpType::Ok, call, self.generation);
    }

    pub(super) fn crash(&mut self, member: i64) {
        self.push_of_group(member, OpType::Info, Call::Crash, self.generation);
    }

    /// A rebalance: the member crashes or gives up, and another one comes.
    pub(super) fn rebalance(&mut self) {
        if self.random.one_in(2) {
            self.crash(self.member);
        } else {
            self.revoke();
        }
        self.join(self.generation + 1);
    }

    fn records(&self, from: usize, to: usize, is_second: bool) -> Vec<Record> {
        let place = |offset: usize| {
            let other = self.replica.get(&offset).filter(|_| is_second);
            let event = other.unwrap_or(&self.main[offset]).clone()?;
            Some(Record { offset: Some(Offset::of(offset)), event })
        };
        (from..to.min(self.main.len())).filter_map(place).collect()
    }

    /// A poll that asked for the main partition from an offset, or for whatever partition.
    fn poll_op(
        &self,
        process: i64,
        partition: Partition,
        records: Vec<Record>,
        from: Option<usize>,
    ) -> [Op; 2] {
        let hashes = records.iter().map(|record| {
            let is_corrupted = self.corrupted.contains(&record.event);
            Value::String(if is_corrupted { "0000".to_owned() } else { hash(&record.event) })
        });
        let hashes: Vec<Value> = hashes.collect();
        let mut op = Op::new(
            self.process(process),
            OpType::Ok,
            Call::Poll(vec![Batch { partition: partition.clone(), records }]),
        );
        if let Some(from) = from {
            op.x.from.insert(partition.clone(), Offset::of(from));
            op.x.hw.insert(partition, Offset::of(self.main.len()));
        }
        op.x.rest.insert("hash".to_owned(), json!(hashes));
        [Op::new(self.process(process), OpType::Invoke, Call::Poll(Vec::new())), op]
    }

    /// A member of the group reads what stands from one offset up to another.
    pub(super) fn poll_as(&mut self, member: i64, from: usize, to: usize) -> Vec<EventId> {
        let records = self.records(from, to, false);
        let events = records.iter().map(|record| record.event.clone()).collect();
        let generation = Generation(self.generation);
        for op in self.poll_op(member, self.partition(false), records, Some(from)) {
            self.ops.push(op.group(self.group().as_str()).generation(generation));
        }
        events
    }

    /// Records the effect of an event.
    pub(super) fn apply(&mut self, event: &EventId) {
        self.applied.insert(event.clone());
        let delivery =
            Delivery { partition: self.partition(false), offset: None, event: Some(event.clone()) };
        self.push_of_group(self.member, OpType::Ok, Call::Apply(vec![delivery]), self.generation);
    }

    /// The member reads up to `to` and does what it has not done yet.
    pub(super) fn process_to(&mut self, to: usize) {
        let events = self.poll_as(self.member, self.position, to);
        self.position = to;
        for event in events {
            if !self.applied.contains(&event) {
                self.apply(&event);
            }
        }
    }

    pub(super) fn commit_as(&mut self, member: i64, next: usize, generation: u64) {
        let next = Some(Offset::of(next));
        let call = Call::Commit(vec![Position { partition: self.partition(false), next }]);
        self.push_of_group(member, OpType::Invoke, call.clone(), generation);
        self.push_of_group(member, OpType::Ok, call, generation);
    }

    pub(super) fn commit(&mut self) {
        self.committed = self.position;
        self.commit_as(self.member, self.committed, self.generation);
    }

    /// What the system says that the group has committed.
    pub(super) fn ask_committed(&mut self, next: Option<usize>) {
        let position = |next| vec![Position { partition: self.partition(false), next }];
        let (asked, told) = (position(None), position(next.map(Offset::of)));
        self.push_of_group(self.member, OpType::Invoke, Call::Committed(asked), self.generation);
        self.push_of_group(self.member, OpType::Ok, Call::Committed(told), self.generation);
    }

    /// The group reads, does and commits all there is.
    pub(super) fn consume(&mut self) {
        while self.position < self.main.len() {
            let step = 1 + self.random.below(4) as usize;
            self.process_to(self.main.len().min(self.position + step));
            self.commit();
        }
    }

    // Whoever reads everything

    pub(super) fn read(&mut self, from: usize, to: usize) {
        let records = self.records(from, to, false);
        let ops = self.poll_op(Self::READER, self.partition(false), records, Some(from));
        self.ops.extend(ops);
        self.reader_position = to;
    }

    pub(super) fn read_on(&mut self) {
        self.read(self.reader_position, self.main.len());
    }

    /// A reader that nobody saw before asks from an offset on, and is given what stands from another one up to a third.
    pub(super) fn read_anew(&mut self, asked: usize, given: std::ops::Range<usize>, times: usize) {
        let records = self.records(given.start, given.end, false);
        let reader = self.newcomer();
        for _ in 0..times {
            self.ops.extend(self.poll_op(reader, self.partition(false), records.clone(), Some(asked)));
        }
    }

    /// The same, in vain and without being told that there is anything to read.
    pub(super) fn read_in_vain(&mut self, asked: usize, times: usize) {
        let first = self.ops.len();
        self.read_anew(asked, 0..0, times);
        self.ops[first..].iter_mut().for_each(|op| op.x.hw.clear());
    }

    /// Sends an event to a log that is trimmed behind it, and reads it all the same.
    pub(super) fn read_trimmed(&mut self) -> EventId {
        let (event, process) = (self.new_event(), self.newcomer());
        let partition = Partition::new(&format!("archive-{}", self.number), 0);
        let offset = Offset::of(self.event_count as usize);
        for (op_type, offset) in [(OpType::Invoke, None), (OpType::Ok, Some(offset))] {
            let sent = Sent { partition: partition.clone(), offset, event: event.clone() };
            self.ops.push(Op::new(self.process(process), op_type, Call::Send(vec![sent])));
        }
        let trim = Call::Trim(vec![Position { partition: partition.clone(), next: Some(offset.next()) }]);
        self.ops.push(Op::new(self.process(process), OpType::Ok, trim));
        let records = vec![Record { offset: Some(offset), event: event.clone() }];
        self.ops.extend(self.poll_op(process, partition, records, None));
        event
    }

    /// Sends two events of one key and one of another to a log that is compacted, which drops both of the first.
    pub(super) fn compact_badly(&mut self) -> EventId {
        let (number, process) = (self.event_count, self.newcomer());
        let partition = Partition::new(&format!("profiles-{}", self.number), 0);
        let mut records = Vec::new();
        for key in ["first", "first", "second"] {
            let (event, offset) = (self.new_event(), Offset::of(self.event_count as usize));
            for (op_type, offset) in [(OpType::Invoke, None), (OpType::Ok, Some(offset))] {
                let sent = Sent { partition: partition.clone(), offset, event: event.clone() };
                let mut op = Op::new(self.process(process), op_type, Call::Send(vec![sent]));
                op.x.key = Some(format!("{key} of {number}"));
                self.ops.push(op);
            }
            records.push(Record { offset: Some(offset), event });
        }
        let next = Some(Offset::of(self.event_count as usize).next());
        let compact = Call::Compact(vec![Position { partition: partition.clone(), next }]);
        self.ops.push(Op::new(self.process(process), OpType::Ok, compact));
        let kept = records.split_off(2);
        self.ops.extend(self.poll_op(process, partition, kept, None));
        records.remove(1).event
    }

    /// A process that nobody saw before.
    fn newcomer(&mut self) -> i64 {
        self.newcomer_count += 1;
        Self::FIRST_NEWCOMER + self.newcomer_count
    }

    // Transactions

    /// A process that nobody saw before begins a transaction.
    pub(super) fn begin_transaction(&mut self) -> i64 {
        let process = self.newcomer();
        self.begin_transaction_of(process);
        process
    }

    /// A process begins a transaction.
    pub(super) fn begin_transaction_of(&mut self, process: i64) {
        self.ops.push(Op::new(self.process(process), OpType::Ok, Call::Begin));
    }

    /// Ends it with `commit-txn` or `abort-txn`.
    pub(super) fn end_transaction(&mut self, process: i64, call: Call) {
        for op_type in [OpType::Invoke, OpType::Ok] {
            self.ops.push(Op::new(self.process(process), op_type, call.clone()));
        }
    }

    /// Sends in a transaction, to a place that is given to the event if `is_kept`.
    pub(super) fn send_within(&mut self, process: i64, is_side: bool, is_kept: bool) -> EventId {
        let event = self.new_event();
        let log = if is_side { &mut self.side } else { &mut self.main };
        log.push(is_kept.then(|| event.clone()));
        let offset = Offset::of(log.len() - 1);
        for (op_type, offset) in [(OpType::Invoke, None), (OpType::Ok, Some(offset))] {
            let sent = Sent { partition: self.partition(is_side), offset, event: event.clone() };
            self.ops.push(Op::new(self.process(process), op_type, Call::Send(vec![sent])));
        }
        event
    }

    /// A group of its own commits a position in a transaction, and is told after the end of it what is in force.
    pub(super) fn commit_within(&mut self, end: Call, told: Option<i64>) {
        let process = self.begin_transaction();
        let group = format!("payers-{}-{process}", self.number);
        let partition = Partition::new(&format!("inputs-{}", self.number), 0);
        let position = |next: Option<i64>| {
            let next = next.map(|next| Offset::new(next).expect("the offset is small"));
            vec![Position { partition: partition.clone(), next }]
        };
        let commit = Call::Commit(position(Some(1)));
        let (ask, answer) = (Call::Committed(position(None)), Call::Committed(position(told)));
        let push = |lane: &mut Self, calls: [Call; 2]| {
            for (op_type, call) in [OpType::Invoke, OpType::Ok].into_iter().zip(calls) {
                lane.ops.push(Op::new(lane.process(process), op_type, call).group(group.as_str()));
            }
        };
        push(self, [commit.clone(), commit]);
        self.end_transaction(process, end);
        push(self, [ask, answer]);
    }

    /// Two transactions at once: what each polls, and what it sends where.
    fn push_two(&mut self, of: [Exchange; 2]) {
        let processes = [self.newcomer(), self.newcomer()].map(|process| self.process(process));
        for op_type in [OpType::Invoke, OpType::Ok] {
            let is_told = op_type == OpType::Ok;
            for (process, (polled, sent)) in processes.into_iter().zip(&of) {
                let taken = polled.iter().filter(|_| is_told).map(|(partition, record)| Batch {
                    partition: partition.clone(),
                    records: vec![record.clone()],
                });
                let sends = sent.iter().map(|(partition, record)| {
                    let offset = record.offset.filter(|_| is_told);
                    MicroOp::Send(Sent { partition: partition.clone(), offset, event: record.event.clone() })
                });
                let items = std::iter::once(MicroOp::Poll(taken.collect())).chain(sends).collect();
                self.ops.push(Op::new(process, op_type, Call::Txn(items)));
            }
        }
    }

    /// A new event at the end of the second partition, or at an offset of a ledger.
    fn placed(&mut self, entry: Option<(&Partition, usize)>) -> (Partition, Record) {
        let event = self.new_event();
        match entry {
            Some((ledger, offset)) => (ledger.clone(), Record { offset: Some(Offset::of(offset)), event }),
            None => {
                self.side.push(Some(event.clone()));
                let offset = Some(Offset::of(self.side.len() - 1));
                (self.partition(true), Record { offset, event })
            }
        }
    }

    /// Two transactions, of which each stands before the other in one of two partitions.
    pub(super) fn stand_in_circle(&mut self) -> EventId {
        let ledger = self.new_ledger();
        let (first, second) = (self.placed(None), self.placed(None));
        let (third, fourth) = (self.placed(Some((&ledger, 1))), self.placed(Some((&ledger, 0))));
        let event = second.1.event.clone();
        self.push_two([(None, vec![first, third]), (None, vec![second, fourth])]);
        event
    }

    /// Two transactions, of which each reads what the other one sends.
    pub(super) fn read_in_circle(&mut self) -> EventId {
        let ledger = self.new_ledger();
        let (first, second) = (self.placed(None), self.placed(Some((&ledger, 0))));
        let event = first.1.event.clone();
        self.push_two([(Some(second.clone()), vec![first.clone()]), (Some(first), vec![second])]);
        event
    }

    /// Two transactions, of which one reads what the other one sends, and stands before it.
    pub(super) fn read_of_later(&mut self) -> EventId {
        let ledger = self.new_ledger();
        let (first, second, read) = (self.placed(None), self.placed(None), self.placed(Some((&ledger, 0))));
        let event = read.1.event.clone();
        self.push_two([(Some(read.clone()), vec![first]), (None, vec![second, read])]);
        event
    }

    fn push_transaction(&mut self, items: [Vec<MicroOp>; 2]) {
        let (process, group) = (self.process(Self::TRANSACTIONAL), format!("payers-{}", self.number));
        for (op_type, items) in [OpType::Invoke, OpType::Ok].into_iter().zip(items) {
            self.ops.push(Op::new(process, op_type, Call::Txn(items)).group(group.as_str()));
        }
    }

    /// A transaction that takes an input and sends an event for it.
    pub(super) fn transaction(&mut self, input: &EventId, place: usize) {
        let event = self.new_event();
        self.side.push(Some(event.clone()));
        let partition = self.partition(true);
        let sent =
            |offset| MicroOp::Send(Sent { partition: partition.clone(), offset, event: event.clone() });
        let records = vec![Record { offset: Some(Offset::of(place)), event: input.clone() }];
        let taken = MicroOp::Poll(vec![Batch { partition: self.payments(), records }]);
        let offset = Offset::of(self.side.len() - 1);
        self.push_transaction([vec![MicroOp::Poll(Vec::new()), sent(None)], vec![taken, sent(Some(offset))]]);
    }

    /// A transaction that reads what it sends.
    pub(super) fn transaction_of_itself(&mut self) -> EventId {
        let event = self.new_event();
        let (partition, offset) = (self.payments(), Some(Offset::of(self.event_count as usize)));
        let sent =
            |offset| MicroOp::Send(Sent { partition: partition.clone(), offset, event: event.clone() });
        let records = vec![Record { offset, event: event.clone() }];
        let taken = MicroOp::Poll(vec![Batch { partition: partition.clone(), records }]);
        let items = [vec![sent(None), MicroOp::Poll(Vec::new())], vec![sent(offset), taken]];
        self.push_transaction(items);
        event
    }

    /// Sends an event that transactions may take as their input, and says where it stands.
    pub(super) fn send_input(&mut self) -> (EventId, usize) {
        let event = self.new_event();
        let place = self.event_count as usize;
        for (op_type, offset) in [(OpType::Invoke, None), (OpType::Ok, Some(Offset::of(place)))] {
            let sent = Sent { partition: self.payments(), offset, event: event.clone() };
            self.ops.push(Op::new(self.process(Self::SIDE_PRODUCER), op_type, Call::Send(vec![sent])));
        }
        (event, place)
    }

    /// Some of everything that may happen: overlapping sends, unknown and failed ones, rebalances, batches.
    pub(super) fn run_correctly(&mut self) {
        for _ in 0..3 {
            match self.random.below(8) {
                0 => {
                    let open = self.begin(0);
                    self.end(&open, OpType::Fail);
                    self.give_back(&open);
                }
                1 => {
                    let open = self.begin(1);
                    if self.random.one_in(2) {
                        self.append(&open.event);
                    }
                    self.end(&open, OpType::Info);
                }
                2 => {
                    let (one, other) = (self.begin(0), self.begin(1));
                    self.acknowledge_at_end(&other);
                    self.acknowledge_at_end(&one);
                }
                producer => {
                    self.send(producer as usize % 2);
                }
            }
        }
        if self.random.one_in(4) {
            self.process_to(self.main.len());
            self.rebalance();
            self.ask_committed(Some(self.committed));
        }
        if self.random.one_in(2) {
            let process = self.begin_transaction();
            let is_committed = self.random.one_in(2);
            let end = if is_committed { Call::CommitTxn } else { Call::AbortTxn };
            self.send_within(process, false, is_committed);
            self.send_within(process, true, is_committed);
            self.end_transaction(process, end.clone());
            self.commit_within(end, is_committed.then_some(1));
        }
        let (input, place) = self.send_input();
        self.transaction(&input, place);
        self.read_in_vain(self.main.len(), 3);
        self.consume();
        self.read_on();
    }

    /// The group is drained, and two replicas are read from the beginning; by readers who have the numbers of the first
    /// lane.
    pub(super) fn finish(&mut self) -> Vec<Op> {
        self.consume();
        let mut finals = Vec::new();
        let side = self.side.iter().enumerate();
        let side = side.filter_map(|(offset, event)| {
            Some(Record { offset: Some(Offset::of(offset)), event: event.clone()? })
        });
        let side: Vec<Record> = side.collect();
        for (place, node) in ["n1", "n2"].into_iter().enumerate() {
            let process = 100 + place as i64 - Self::PROCESSES * (self.number + 1);
            let records = self.records(0, self.main.len(), place == 1);
            let ops = [
                self.poll_op(process, self.partition(false), records, Some(0)),
                self.poll_op(process, self.partition(true), side.clone(), None),
            ];
            finals.extend(ops.into_iter().flatten().map(|op| {
                let mut op = op.phase(Phase::Final);
                op.x.rest.insert("node".to_owned(), Value::String(node.to_owned()));
                op
            }));
        }
        finals
    }
}

fn hash(event: &EventId) -> String {
    format!("hash of {event}")
}
