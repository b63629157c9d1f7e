//! The law of the partition log: its specification, and how the bus's answers compare with it.

use lawspeaker_bus::id::{Epoch, ProducerId, Sequence, Stamp};
use lawspeaker_bus::message::Message;
use lawspeaker_bus::partition_log::{Accepted, AppendError, PartitionLog, Refusal, WaitError};
use lawspeaker_history::{EventId, Offset};
use lawspeaker_spec::partition_log::{Answer, Entry, PartitionLog as Spec};

use super::linearization::Law;

/// The stamp of an entry.
pub fn stamp(entry: &Entry) -> Stamp {
    Stamp {
        producer: ProducerId(entry.producer),
        epoch: Epoch(entry.epoch),
        sequence: Sequence(entry.sequence),
    }
}

/// The message of an event.
pub fn message(event: u64) -> Message {
    Message::new(i64::try_from(event).unwrap(), event.to_le_bytes())
}

/// The event of a message.
pub fn event(message: &Message) -> u64 {
    match message.id {
        EventId::Number(number) => number.try_into().unwrap(),
        EventId::Name(_) => panic!("these tests number their events"),
    }
}

/// Whether the bus answers as the law does. Of an old duplicate the bus knows only below which offset it stands.
pub fn is_same_answer(bus: Result<Accepted, Refusal>, law: Answer) -> bool {
    match (bus, law) {
        (Ok(Accepted::Appended(offset)), Answer::Appended(place))
        | (Ok(Accepted::Duplicate(offset)), Answer::Duplicate(place)) => offset == Offset::of(place),
        (Ok(Accepted::DuplicateBelow(offset)), Answer::Duplicate(place)) => Offset::of(place) < offset,
        (Err(Refusal::Gap { expected }), Answer::Gap { expected: sequence }) => expected.0 == sequence,
        (Err(Refusal::Fenced { current }), Answer::Fenced { current: epoch }) => current.0 == epoch,
        _ => false,
    }
}

/// A call of the log. `Durable` is `wait_durable`, `Read` reads everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogCall {
    Append(Entry),
    Open(u64),
    Durable(usize),
    Read,
}

/// What it is answered.
#[derive(Clone, Debug)]
pub enum LogAnswer {
    Law(Answer),
    Bus(Result<Accepted, Refusal>),
    Epoch(u64),
    Durable(bool),
    Events(Vec<u64>),
}

impl PartialEq for LogAnswer {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (LogAnswer::Law(law), LogAnswer::Bus(bus)) => is_same_answer(*bus, *law),
            (LogAnswer::Epoch(one), LogAnswer::Epoch(other)) => one == other,
            (LogAnswer::Durable(one), LogAnswer::Durable(other)) => one == other,
            (LogAnswer::Events(one), LogAnswer::Events(other)) => one == other,
            _ => false,
        }
    }
}

/// Makes the call at the bus's log.
pub fn call(log: &PartitionLog, call: &LogCall) -> LogAnswer {
    match call {
        LogCall::Append(entry) => LogAnswer::Bus(match log.append(stamp(entry), &message(entry.event)) {
            Ok(accepted) => Ok(accepted),
            Err(AppendError::Refused(refusal)) => Err(refusal),
            Err(AppendError::Journal(failure)) => panic!("{failure}"),
        }),
        LogCall::Open(producer) => {
            LogAnswer::Epoch(log.open_producer(ProducerId(*producer)).expect("the log is open").0)
        }
        LogCall::Durable(place) => match log.wait_durable(Offset::of(*place)) {
            Ok(()) => LogAnswer::Durable(true),
            Err(WaitError::NotAppended(_)) => LogAnswer::Durable(false),
            Err(error) => panic!("{error}"),
        },
        LogCall::Read => LogAnswer::Events(read(log)),
    }
}

/// All that can be read.
pub fn read(log: &PartitionLog) -> Vec<u64> {
    let entries = log.read(Offset::of(0), usize::MAX).expect("what is durable can be read");
    entries.iter().map(|entry| event(&entry.message)).collect()
}

/// The specification, of which any longer prefix may become durable while somebody syncs: the calls that changed
/// it, and how many entries are durable.
#[derive(Clone, Debug, Default)]
pub struct LogLaw {
    writes: Vec<LogCall>,
    durable_count: usize,
}

impl LogLaw {
    /// The specification after these calls, flushed when it held just the durable entries.
    pub fn spec(&self) -> Spec {
        let mut spec = Spec::new();
        for write in &self.writes {
            match write {
                LogCall::Append(entry) => drop(spec.append(entry.clone())),
                LogCall::Open(producer) => drop(spec.open_producer(*producer)),
                LogCall::Durable(_) | LogCall::Read => {}
            }
            if spec.entries().len() == self.durable_count {
                spec.flush();
            }
        }
        spec
    }
}

impl Law for LogLaw {
    type Call = LogCall;
    type Answer = LogAnswer;

    fn answer(&mut self, call: &LogCall) -> LogAnswer {
        let mut spec = self.spec();
        match call {
            LogCall::Append(entry) => {
                self.writes.push(call.clone());
                LogAnswer::Law(spec.append(entry.clone()))
            }
            LogCall::Open(producer) => {
                self.writes.push(call.clone());
                LogAnswer::Epoch(spec.open_producer(*producer))
            }
            // Never `true` before the entry is durable: then some other order has to explain the answer.
            LogCall::Durable(place) => LogAnswer::Durable(*place < spec.high_watermark()),
            LogCall::Read => LogAnswer::Events(spec.read(0)),
        }
    }

    fn is_ordered(call: &LogCall) -> bool {
        *call != LogCall::Read
    }

    fn lets_change(call: &LogCall) -> bool {
        matches!(call, LogCall::Durable(_) | LogCall::Open(_))
    }

    fn changes(&self) -> Vec<Self> {
        let end = self.spec().entries().len();
        (self.durable_count + 1..=end).map(|durable_count| LogLaw { durable_count, ..self.clone() }).collect()
    }
}
