//! Causal delivery against a naive judge, which compares every pair, over small histories that nobody thought of.

use std::collections::{BTreeMap, BTreeSet};

use lawspeaker_history::{Batch, Call, EventId, History, Op, OpType, Partition, Record, Sent, VectorClock};
use lawspeaker_oracle::{Anomaly, Profile, Verdict, judge, report};
use proptest::collection::vec;
use proptest::prelude::*;

const PROCESSES: i64 = 4;

/// What one process does: it sends the next event to one of two partitions, or is handed one that was sent.
#[derive(Clone, Copy, Debug)]
enum Doing {
    Send(u8, OpType),
    Receive(usize),
}

fn doings() -> impl Strategy<Value = Vec<(i64, Doing)>> {
    let outcome = prop_oneof![6 => Just(OpType::Ok), 1 => Just(OpType::Info), 1 => Just(OpType::Fail)];
    let doing = prop_oneof![
        2 => (0..2u8, outcome).prop_map(|(partition, outcome)| Doing::Send(partition, outcome)),
        3 => (0..16usize).prop_map(Doing::Receive),
    ];
    vec((0..PROCESSES, doing), 0..40)
}

/// How causes are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Basis {
    Sessions,
    Causes,
    Clocks,
}

#[derive(Clone, Debug)]
struct Message {
    sender: i64,
    partition: u8,
    outcome: OpType,
    causes: Vec<usize>,
}

/// A history, and what a naive observer of it remembers.
#[derive(Default)]
struct Run {
    ops: Vec<Op>,
    messages: Vec<Message>,
    /// Sends and first deliveries of each process, in its order: the event, and whether it was sent.
    done: BTreeMap<i64, Vec<(usize, bool)>>,
}

fn partition(number: u8) -> Partition {
    Partition::new("orders", u32::from(number))
}

impl Run {
    /// Every process reads both partitions from the beginning, and all is recorded.
    fn of(doings: &[(i64, Doing)], basis: Basis) -> Self {
        let mut run = Run::default();
        let mut clocks = vec![VectorClock::default(); PROCESSES as usize];
        let mut sent_at = Vec::new();
        for process in 0..PROCESSES {
            let both = vec![partition(0), partition(1)];
            run.ops.push(Op::new(process, OpType::Ok, Call::Assign(both)));
        }
        for (process, doing) in doings {
            let clock = &mut clocks[*process as usize];
            match *doing {
                Doing::Send(number, outcome) => {
                    clock.tick(&process.to_string());
                    sent_at.push(clock.clone());
                    let clock = (basis == Basis::Clocks).then(|| clock.clone());
                    run.send(*process, number, outcome, clock, basis);
                }
                Doing::Receive(_) if run.messages.is_empty() => {}
                Doing::Receive(pick) => {
                    let event = pick % run.messages.len();
                    if run.messages[event].outcome != OpType::Fail && run.receive(*process, event) {
                        clock.join(&sent_at[event]);
                    }
                }
            }
        }
        run
    }

    fn send(&mut self, process: i64, number: u8, outcome: OpType, clock: Option<VectorClock>, basis: Basis) {
        let event = self.messages.len();
        // Every other thing that its sender has seen or sent is named as a cause.
        let seen = self.done.get(&process).into_iter().flatten().map(|(event, _)| *event);
        let causes: Vec<usize> = match basis {
            Basis::Causes => seen.filter(|cause| (cause + event).is_multiple_of(2)).collect(),
            Basis::Sessions | Basis::Clocks => Vec::new(),
        };
        let sent = Sent { partition: partition(number), offset: None, event: EventId::from(event as i64) };
        let mut op = Op::new(process, OpType::Invoke, Call::Send(vec![sent.clone()]));
        op.x.cause = causes.iter().map(|cause| EventId::from(*cause as i64)).collect();
        op.x.clock = clock;
        self.ops.push(op);
        self.ops.push(Op::new(process, outcome, Call::Send(vec![sent])));
        self.messages.push(Message { sender: process, partition: number, outcome, causes });
        if outcome != OpType::Fail {
            self.done.entry(process).or_default().push((event, true));
        }
    }

    /// Whether the event came to the process for the first time.
    fn receive(&mut self, process: i64, event: usize) -> bool {
        let records = vec![Record { offset: None, event: EventId::from(event as i64) }];
        let batch = Batch { partition: partition(self.messages[event].partition), records };
        self.ops.push(Op::new(process, OpType::Ok, Call::Receive(vec![batch])));
        let done = self.done.entry(process).or_default();
        let is_first = !done.contains(&(event, false));
        if is_first {
            done.push((event, false));
        }
        is_first
    }

    fn history(&self) -> History {
        let mut history = History::of(self.ops.clone());
        history.header.complete = Some(true);
        history
    }

    fn place(&self, process: i64, doing: (usize, bool)) -> Option<usize> {
        self.done.get(&process)?.iter().position(|of| *of == doing)
    }

    /// Whether one hop leads from one event to the other: the anomaly that it makes.
    fn hop(&self, cause: usize, effect: usize) -> Option<Anomaly> {
        let sender = self.messages[effect].sender;
        let sent = self.place(sender, (effect, true))?;
        let is_before = |doing| self.place(sender, doing).is_some_and(|place| place < sent);
        if self.messages[cause].sender == sender && is_before((cause, true)) {
            return Some(Anomaly::MonotonicWrites);
        }
        is_before((cause, false)).then_some(Anomaly::WritesFollowReads)
    }

    /// What happened before what: the transitive closure of hops, pair by pair.
    fn happened_before(&self, basis: Basis) -> Vec<Vec<bool>> {
        let count = self.messages.len();
        let is_direct = |cause: usize, effect: usize| match basis {
            Basis::Causes => {
                self.messages[effect].outcome != OpType::Fail && self.messages[effect].causes.contains(&cause)
            }
            Basis::Sessions | Basis::Clocks => self.hop(cause, effect).is_some(),
        };
        let mut before: Vec<Vec<bool>> =
            (0..count).map(|cause| (0..count).map(|effect| is_direct(cause, effect)).collect()).collect();
        for middle in 0..count {
            let onward = before[middle].clone();
            for row in before.iter_mut().filter(|row| row[middle]) {
                row.iter_mut().zip(&onward).for_each(|(is_before, is_on)| *is_before |= is_on);
            }
        }
        before
    }

    /// Every cause that was delivered late or not at all: anomaly, consumer and cause.
    fn naive(&self, basis: Basis) -> BTreeSet<(Anomaly, i64, usize)> {
        let before = self.happened_before(basis);
        let mut found = BTreeSet::new();
        for (consumer, done) in &self.done {
            let delivered: Vec<usize> =
                done.iter().filter(|(_, is_sent)| !is_sent).map(|(event, _)| *event).collect();
            for (cause, message) in self.messages.iter().enumerate() {
                if message.outcome != OpType::Ok || message.sender == *consumer {
                    continue;
                }
                let came = delivered.iter().position(|event| *event == cause);
                let earlier = &delivered[..came.unwrap_or(delivered.len())];
                let effects: Vec<usize> =
                    earlier.iter().copied().filter(|effect| before[cause][*effect]).collect();
                if effects.is_empty() {
                    continue;
                }
                let anomaly = match came {
                    None if self.was_reading(*consumer, cause) => Anomaly::MissingCause,
                    None => continue,
                    Some(_) if basis != Basis::Sessions => Anomaly::CausalInversion,
                    Some(_) => {
                        let hops: Vec<Anomaly> =
                            effects.iter().filter_map(|effect| self.hop(cause, *effect)).collect();
                        let names = [Anomaly::MonotonicWrites, Anomaly::WritesFollowReads];
                        let name = names.into_iter().find(|name| hops.contains(name));
                        name.unwrap_or(Anomaly::CausalInversion)
                    }
                };
                found.insert((anomaly, *consumer, cause));
            }
        }
        found
    }

    /// Whether a consumer had been delivered something before an event was sent.
    fn was_reading(&self, consumer: i64, event: usize) -> bool {
        let names = |op: &&Op, id: usize| matches!(&op.call, Call::Send(sends) if sends[0].event == EventId::from(id as i64));
        let sent = self.ops.iter().position(|op| op.op_type == OpType::Invoke && names(&op, event));
        let is_delivery = |op: &Op| op.process == consumer.into() && matches!(op.call, Call::Receive(_));
        self.ops.iter().position(is_delivery) < sent && self.ops.iter().any(is_delivery)
    }
}

fn verdict(run: &Run) -> Verdict {
    judge(&run.history(), Profile::named("causal-broadcast").expect("it is a profile"))
}

const ORDER: [Anomaly; 4] =
    [Anomaly::CausalInversion, Anomaly::MissingCause, Anomaly::MonotonicWrites, Anomaly::WritesFollowReads];

/// What the oracle found: anomaly, consumer and cause.
fn found(verdict: &Verdict) -> BTreeSet<(Anomaly, i64, usize)> {
    let mut found = BTreeSet::new();
    for finding in verdict.findings.iter().filter(|finding| ORDER.contains(&finding.anomaly)) {
        for case in &finding.cases {
            let consumer = case.process.as_ref().expect("a consumer is named").to_string();
            let cause = case.events[0].to_string();
            let number = |text: &str| text.parse::<i64>().expect("ids are numbers");
            found.insert((finding.anomaly, number(&consumer), number(&cause) as usize));
        }
    }
    found
}

fn agrees(doings: &[(i64, Doing)], basis: Basis) -> Result<(), TestCaseError> {
    let run = Run::of(doings, basis);
    // A history in which no cause is recorded promises what its sessions say.
    let has_causes = run.messages.iter().any(|message| !message.causes.is_empty());
    let basis = if basis == Basis::Causes && !has_causes { Basis::Sessions } else { basis };
    let verdict = verdict(&run);
    prop_assert_eq!(found(&verdict), run.naive(basis), "{}", report::text(&verdict, "random"));
    prop_assert_eq!(verdict.count(Anomaly::ClockMismatch) + verdict.count(Anomaly::CausalityCycle), 0);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sessions_are_judged_as_pair_by_pair(doings in doings()) {
        agrees(&doings, Basis::Sessions)?;
    }

    #[test]
    fn recorded_causes_are_judged_as_pair_by_pair(doings in doings()) {
        agrees(&doings, Basis::Causes)?;
    }

    #[test]
    fn recorded_clocks_are_judged_as_pair_by_pair(doings in doings()) {
        agrees(&doings, Basis::Clocks)?;
    }
}
