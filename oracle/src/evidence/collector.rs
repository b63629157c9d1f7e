//! Takes ops one by one, and pairs invocations with completions.

use std::collections::HashSet;
use std::mem::{Discriminant, discriminant};
use std::ops::Range;
use std::sync::Arc;

use lawspeaker_history::{
    Batch, Call, Delivery, Header, LOCAL, MicroOp, Op, OpType, Phase, Position, Process, Sent,
};

use serde_json::Value;

use super::seek::Seeks;
use super::skips::{self, Skips, Sought};
use super::tries::first_tries;
use super::{
    Acknowledgement, Attempt, Causal, Claim, Commit, EventKey, Evidence, Extent, Fault, Fence, Fetch, Hints,
    Key, Labels, Log, Move, MoveKind, Names, Notes, OutboxCollector, PartitionKey, ProcessKey, Queue, Read,
    SagaCollector, Starts, StreamCollector, TransactionCollector, TransactionKey, Trims, Waiting,
};

/// An invocation that waits for its completion.
#[derive(Clone, Debug)]
struct Open {
    line: u64,
    call: Discriminant<Call>,
    attempts: Range<usize>,
    /// Whether its caller waits for the system, and not for events to come.
    waits: bool,
}

/// What a process is doing.
#[derive(Clone, Debug, Default)]
struct Session {
    open: Option<Open>,
    /// The invocation of the read that just completed: one read may complete in several lines.
    reading_since: Option<u64>,
}

/// Takes ops one by one. Seal it to get the evidence.
#[derive(Debug, Default)]
pub(crate) struct Collector {
    pub(super) names: Names,
    sessions: Vec<Session>,
    attempts: Vec<Attempt>,
    reads: Vec<Read>,
    acknowledgements: Vec<Acknowledgement>,
    commits: Vec<Commit>,
    moves: Vec<Move>,
    fences: Vec<Fence>,
    sought: Vec<Sought>,
    faults: Vec<Fault>,
    causal: Causal,
    queue: Queue,
    outbox: OutboxCollector,
    sagas: SagaCollector,
    streams: StreamCollector,
    transactions: TransactionCollector,
    claims: Vec<Claim>,
    pub(super) fetches: Vec<Fetch>,
    trims: Trims,
    pub(super) seeks: Seeks,
    /// The transaction that the op which was taken last is part of.
    transaction: Option<TransactionKey>,
    transactional: HashSet<ProcessKey>,
    /// The last line on which a call was answered.
    last_answer: Option<u64>,
    extent: Extent,
    hints: Hints,
    op_count: usize,
    /// The line of the op that was taken last.
    pub(super) line: u64,
    /// What was named last: the next is often the one after it.
    latest_event: Option<EventKey>,
    latest_partition: Option<PartitionKey>,
}

impl Collector {
    pub(crate) fn header(&mut self, header: &Header) {
        self.extent.complete = header.complete;
    }

    /// Says that there is nothing more up to `line`.
    pub(crate) fn goes_on_to(&mut self, line: u64) {
        self.line = line.max(self.line);
    }

    /// Takes one op. Amortized O(size of the op).
    pub(crate) fn observe(&mut self, op: &Op) {
        self.op_count += 1;
        // Ops that nobody numbered still come one after the other.
        self.line = op.line.max(self.line + 1);
        let process = self.names.processes.key(&op.process);
        if self.sessions.len() <= process.place() {
            self.sessions.resize(process.place() + 1, Session::default());
        }
        if op.is_final() && matches!(op.call, Call::Poll(_)) {
            self.extent.final_since.get_or_insert(self.line);
            self.extent.has_final_read |= op.op_type == OpType::Ok;
            self.extent.is_final_read_uncertain |= op.op_type == OpType::Info;
        }
        if op.x.phase == Some(Phase::Drain) {
            self.extent.last_drain_line = Some(self.line);
        } else if op.is_final() {
            self.extent.last_final_line = Some(self.line);
        }
        self.extent.has_transactions |= matches!(op.call, Call::Txn(_) | Call::Begin);
        self.transaction = self.transactions.observe(op, process, self.line);
        self.hints.has_sagas |= op.call.is_of_saga();
        self.hints.has_clocks |= op.x.clock.is_some();
        self.causal.observe(op, process, self.line, &mut self.names);
        self.queue.observe(op, process, self.line, &mut self.names);
        self.outbox.observe(op, process, self.line, &mut self.names);
        self.streams.observe(op, process, self.line, &mut self.names);
        self.sagas.observe(op, process, self.line, &mut self.names);
        self.trims.observe(op, self.line, &mut self.names);
        if op.op_type == OpType::Invoke { self.invoke(op, process) } else { self.complete(op, process) }
    }

    fn invoke(&mut self, op: &Op, process: ProcessKey) {
        let first = self.attempts.len();
        for (place, sent) in sends(&op.call).enumerate() {
            let event = self.names.events.key_of_new(&sent.event);
            let attempt = self.attempt(op, process, place, sent, event);
            self.attempts.push(Attempt {
                is_invoked: true,
                end: None,
                outcome: OpType::Info,
                offset: None,
                ..attempt
            });
        }
        let attempts = first..self.attempts.len();
        let is_reading = matches!(op.call, Call::Poll(_) | Call::Receive(_) | Call::ReadStream(_));
        let open = Open {
            line: self.line,
            call: discriminant(&op.call),
            attempts,
            waits: is_answered(&op.call) && !is_reading,
        };
        self.sessions[process.place()] = Session { open: Some(open), reading_since: None };
    }

    fn complete(&mut self, op: &Op, process: ProcessKey) {
        if is_answered(&op.call) {
            self.last_answer = Some(self.line);
        }
        let session = &mut self.sessions[process.place()];
        let open = session.open.take_if(|open| open.call == discriminant(&op.call));
        let is_reading = matches!(op.call, Call::Poll(_) | Call::Receive(_));
        let since = open.as_ref().map(|open| open.line);
        session.reading_since = if is_reading { since.or(session.reading_since) } else { None };
        let reading_since = since.or(session.reading_since);
        self.sends_of(op, process, open.map(|open| open.attempts).unwrap_or_default());
        self.reads_of(op, process, reading_since);
        self.seeks.observe(op, process, self.line, &mut self.names);
        match &op.call {
            Call::Ack(deliveries) if op.op_type == OpType::Ok => {
                self.acknowledge(op, process, since, deliveries);
            }
            Call::Commit(positions) => self.commit(op, process, since, positions, false),
            Call::Committed(positions) => self.commit(op, process, since, positions, true),
            Call::Poll(batches) => self.fetch(op, process, reading_since, batches),
            Call::Quiescent if matches!(op.op_type, OpType::Ok | OpType::Info) => {
                self.extent.last_quiescence = Some(self.line);
                self.extent.last_answer = self.last_answer;
            }
            _ => self.move_of(op, process),
        }
    }

    fn attempt(
        &mut self,
        op: &Op,
        process: ProcessKey,
        place_in_call: usize,
        sent: &Sent,
        event: EventKey,
    ) -> Attempt {
        self.latest_event = Some(event);
        let partition = self.names.partitions.key_near(&sent.partition, self.latest_partition);
        self.latest_partition = Some(partition);
        Attempt {
            event,
            process,
            place_in_call: u32::try_from(place_in_call).expect("a line holds fewer"),
            address: partition,
            begin: self.line,
            is_invoked: false,
            end: Some(self.line),
            outcome: op.op_type,
            partition,
            offset: sent.offset,
            transaction: self.transaction,
            labels: labels(op, place_in_call),
        }
    }

    /// Completes the attempts that are open; those that a completion names and nobody invoked are new ones.
    fn sends_of(&mut self, op: &Op, process: ProcessKey, open: Range<usize>) {
        for place in open.clone() {
            self.attempts[place].outcome = op.op_type;
            self.attempts[place].end = Some(self.line);
        }
        for (place, sent) in sends(&op.call).enumerate() {
            self.see_offset(sent.offset);
            // Most completions name what was invoked, in the same order.
            let invoked = open.clone().nth(place);
            let guess = invoked.map(|invoked| self.attempts[invoked].event);
            let event = self.names.events.key_near(&sent.event, guess);
            let is_same = |attempt: &usize| self.attempts[*attempt].event == event;
            match invoked.filter(is_same).or_else(|| open.clone().find(is_same)) {
                Some(attempt) => self.place(attempt, op, place, sent),
                None => {
                    let completed = self.attempt(op, process, place, sent, event);
                    self.attempts.push(completed);
                }
            }
        }
    }

    /// Takes what a completion says of an attempt that was invoked.
    fn place(&mut self, attempt: usize, op: &Op, place_in_call: usize, sent: &Sent) {
        let partition = self.names.partitions.key_near(&sent.partition, self.latest_partition);
        self.latest_partition = Some(partition);
        let attempt = &mut self.attempts[attempt];
        self.latest_event = Some(attempt.event);
        attempt.partition = partition;
        attempt.offset = sent.offset;
        attempt.label(labels(op, place_in_call));
    }

    fn reads_of(&mut self, op: &Op, process: ProcessKey, since: Option<u64>) {
        if op.op_type == OpType::Fail && !matches!(op.call, Call::Txn(_)) {
            // It surely did not happen, so nothing was read. What a failed transaction polled was read all the same.
            return;
        }
        let is_handed_out = matches!(op.call, Call::Receive(_));
        let group = op.x.group.as_ref().map(|group| self.names.groups.key(group));
        let is_noted = is_handed_out || op.x.delivery.is_some() || !op.x.rest.is_empty();
        let mut place = 0;
        for batch in batches(&op.call) {
            let partition = self.names.partitions.key_near(&batch.partition, self.latest_partition);
            self.latest_partition = Some(partition);
            for record in &batch.records {
                self.see_offset(record.offset);
                let event = self.names.events.key_near(&record.event, self.latest_event);
                self.latest_event = Some(event);
                self.hints.has_delivery_counts |= op.x.delivery.is_some();
                self.reads.push(Read {
                    line: self.line,
                    begin: since.unwrap_or(self.line),
                    is_invoked: since.is_some(),
                    process,
                    group,
                    partition,
                    offset: record.offset,
                    event,
                    is_ok: op.op_type == OpType::Ok,
                    has_failed: op.op_type == OpType::Fail,
                    phase: op.x.phase.unwrap_or(Phase::Main),
                    is_handed_out,
                    transaction: self.transaction,
                    notes: if is_noted { notes(op, place, is_handed_out) } else { None },
                });
                place += 1;
            }
        }
    }

    fn acknowledge(&mut self, op: &Op, process: ProcessKey, since: Option<u64>, deliveries: &[Delivery]) {
        self.hints.has_acks = true;
        let took_none = op.x.rest.get("acked").is_some_and(|acked| *acked == 0);
        for delivery in deliveries {
            self.acknowledgements.push(Acknowledgement {
                line: self.line,
                process,
                group: op.x.group.as_ref().map(|group| self.names.groups.key(group)),
                partition: self.names.partitions.key(&delivery.partition),
                offset: delivery.offset,
                event: delivery.event.as_ref().map(|event| self.names.events.key(event)),
                is_confirmed: op.x.confirmed != Some(false) && !took_none,
                is_sent_only: op.x.confirmed == Some(false),
                begin: since.unwrap_or(self.line),
                generation: op.x.generation,
            });
        }
    }

    fn commit(
        &mut self,
        op: &Op,
        process: ProcessKey,
        since: Option<u64>,
        positions: &[Position],
        is_fetched: bool,
    ) {
        self.hints.has_positions = true;
        let group = op.x.group.as_ref().map(|group| self.names.groups.key(group));
        if !is_fetched && op.op_type != OpType::Fail {
            for position in positions {
                let (Some(next), transaction) = (position.next, self.transaction) else { continue };
                let partition = self.names.partitions.key(&position.partition);
                self.claims.push(Claim { line: self.line, process, group, partition, next, transaction });
            }
        }
        if op.op_type != OpType::Ok {
            return;
        }
        for position in positions {
            self.commits.push(Commit {
                line: self.line,
                begin: since.unwrap_or(self.line),
                is_invoked: since.is_some(),
                process,
                group,
                partition: self.names.partitions.key(&position.partition),
                next: position.next,
                is_fetched,
                generation: op.x.generation,
                transaction: self.transaction,
            });
        }
    }

    fn move_of(&mut self, op: &Op, process: ProcessKey) {
        let is_ok = op.op_type == OpType::Ok;
        let kind = match &op.call {
            Call::Assign(partitions) if is_ok => MoveKind::Assign(self.partition_keys(partitions)),
            Call::Revoke(partitions) if is_ok => MoveKind::Revoke(self.partition_keys(partitions)),
            Call::Subscribe(topics) if is_ok => MoveKind::Subscribe(self.partition_keys(topics)),
            Call::Subscribe(_) => MoveKind::Subscribe(Vec::new()),
            Call::Crash => MoveKind::Crash,
            Call::Fence if is_ok => {
                let producer = op.x.pid.zip(op.x.epoch);
                let fence = |(producer, epoch)| Fence { line: self.line, process, producer, epoch };
                return self.fences.extend(producer.map(fence));
            }
            Call::Other { f, .. } if f.starts_with("seek") => MoveKind::Seek,
            Call::Other { f, .. } if f.contains("txn") => {
                self.extent.has_transactions = true;
                self.transactional.insert(process);
                return;
            }
            Call::Other { f, .. } if f == LOCAL => return,
            Call::Other { f, .. } if matches!(op.process, Process::Name(_)) => {
                return self.faults.push(Fault { line: self.line, name: f.clone() });
            }
            _ => return,
        };
        if matches!(kind, MoveKind::Crash) {
            self.sessions[process.place()] = Session::default();
        }
        let group = op.x.group.as_ref().map(|group| self.names.groups.key(group));
        skips::seek(op, self.line, group, &mut self.names, &mut self.sought);
        let has_rewound = ["seek-to-beginning?", "seek-to-beginning"]
            .iter()
            .any(|field| op.unknown.contains_key(*field) || op.x.rest.contains_key(*field));
        let row = Move { line: self.line, process, group, generation: op.x.generation, kind };
        if has_rewound {
            self.moves.push(Move { kind: MoveKind::Seek, ..row.clone() });
        }
        self.moves.push(row);
    }

    fn partition_keys(&mut self, partitions: &[lawspeaker_history::Partition]) -> Vec<PartitionKey> {
        partitions.iter().map(|partition| self.names.partitions.key(partition)).collect()
    }

    fn see_offset(&mut self, offset: Option<lawspeaker_history::Offset>) {
        if let Some(offset) = offset {
            self.hints.has_offsets = true;
            self.hints.has_stream_ids |= offset.number().is_none();
        }
    }

    /// Sorts what was taken. O(n log n).
    pub(crate) fn seal(mut self) -> Evidence {
        // A final read that may have ended early makes the recording less than its header says.
        if self.extent.is_final_read_uncertain {
            self.extent.complete = self.extent.complete.filter(|is_complete| !is_complete);
        }
        let transactions = self.transactions.seal();
        let began_final = self.extent.final_since;
        for attempt in &mut self.attempts {
            if let Some(place) = attempt.transaction {
                attempt.outcome = transactions[place].settle(attempt.outcome, began_final);
            }
        }
        self.commits.retain(|commit| commit.transaction.is_none_or(|place| transactions.is_committed(place)));
        let waiting = (0..).map(ProcessKey::of).zip(&self.sessions);
        let mut waiting: Vec<Waiting> = waiting
            .filter_map(|(process, session)| {
                let open = session.open.as_ref().filter(|open| open.waits)?;
                Some(Waiting { line: open.line, process })
            })
            .collect();
        waiting.sort_by_key(|call| call.line);
        let outbox = self.outbox.seal();
        let event_count = self.names.events.len();
        self.attempts.sort_by_key(|attempt| (attempt.event, attempt.begin));
        let attempt_starts = Starts::of_rows(event_count, self.attempts.iter().map(|attempt| attempt.event));
        let first_tries = first_tries(event_count, &self.attempts);
        let read_starts = Starts::of_rows(event_count, self.reads.iter().map(|read| read.event));
        let reads_by_event = read_starts.by_event(self.reads.iter().map(|read| read.event));
        let log = Log::of(&self.attempts, &self.reads, &self.names);
        let trims = self.trims.seal(&self.attempts, &self.reads, &log, &self.names);
        let skips = Skips::of(&self.sought, &self.reads);
        let sagas = self.sagas.seal(&mut self.names);
        Evidence {
            names: self.names,
            attempts: self.attempts,
            attempt_starts,
            first_tries,
            reads: self.reads,
            reads_by_event,
            read_starts,
            log,
            acknowledgements: self.acknowledgements,
            commits: self.commits,
            moves: self.moves,
            fences: self.fences,
            skips,
            faults: self.faults,
            causal: self.causal,
            queue: self.queue.seal(),
            outbox,
            sagas,
            streams: self.streams.seal(),
            transactions,
            claims: self.claims,
            fetches: self.fetches,
            trims,
            waiting,
            transactional: self.transactional,
            extent: self.extent,
            hints: self.hints,
            op_count: self.op_count,
            last_line: self.line,
        }
    }
}

/// Whether somebody waits for the answer; what a service does by itself takes as long as it likes.
fn is_answered(call: &Call) -> bool {
    matches!(
        call,
        Call::Send(_)
            | Call::Poll(_)
            | Call::Txn(_)
            | Call::Receive(_)
            | Call::Subscribe(_)
            | Call::Commit(_)
            | Call::Committed(_)
            | Call::Ack(_)
            | Call::Nack(_)
            | Call::Reject(_)
            | Call::Begin
            | Call::CommitTxn
            | Call::AbortTxn
            | Call::Append(_)
            | Call::ReadStream(_)
    )
}

/// What a send says of itself beside the event and where it goes.
fn labels(op: &Op, place_in_call: usize) -> Option<Box<Labels>> {
    let x = &op.x;
    if x.pid.is_none() && x.seq.is_none() && x.key.is_none() && x.rest.is_empty() {
        return None;
    }
    boxed(Labels {
        producer: x.pid.map(|pid| (pid, x.epoch.unwrap_or(0))),
        seq: x.seq.map(|first| first.saturating_add(place_in_call as u64)),
        key: x.key.as_deref().map(Arc::from),
        hash: hash_of(op, place_in_call),
    })
}

/// What a read says of itself beside the event and where it stands.
fn notes(op: &Op, place_in_call: usize, is_handed_out: bool) -> Option<Box<Notes>> {
    boxed(Notes {
        time_ns: op.time_ns.filter(|_| is_handed_out),
        delivery: op.x.delivery,
        hash: hash_of(op, place_in_call),
        node: op.x.rest.get("node").and_then(Value::as_str).map(Arc::from),
    })
}

/// What says anything, elsewhere.
fn boxed<T: Default + PartialEq>(said: T) -> Option<Box<T>> {
    (said != T::default()).then(|| Box::new(said))
}

/// The hash of the content of the event at `place` of an op: `x.hash` is one, or a list of them.
fn hash_of(op: &Op, place: usize) -> Option<Arc<str>> {
    match op.x.rest.get("hash")? {
        Value::String(hash) if place == 0 => Some(hash.as_str().into()),
        Value::Array(all) => all.get(place)?.as_str().map(Arc::from),
        _ => None,
    }
}

pub(super) fn sends(call: &Call) -> Box<dyn Iterator<Item = &Sent> + '_> {
    match call {
        Call::Send(sends) => Box::new(sends.iter()),
        Call::Txn(ops) => Box::new(ops.iter().filter_map(|op| match op {
            MicroOp::Send(sent) => Some(sent),
            MicroOp::Poll(_) => None,
        })),
        _ => Box::new(std::iter::empty()),
    }
}

fn batches(call: &Call) -> Box<dyn Iterator<Item = &Batch> + '_> {
    match call {
        Call::Poll(batches) | Call::Receive(batches) => Box::new(batches.iter()),
        Call::Txn(ops) => Box::new(ops.iter().flat_map(|op| match op {
            MicroOp::Poll(batches) => batches.as_slice(),
            MicroOp::Send(_) => &[],
        })),
        _ => Box::new(std::iter::empty()),
    }
}
