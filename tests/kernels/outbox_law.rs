//! The law of the outbox and inbox: its specification, and how the bus's answers compare with it.

use std::convert::Infallible;
use std::num::NonZeroUsize;

use lawspeaker_bus::message::Message;
use lawspeaker_bus::outbox::{
    self as bus, Arrival, CommitError, Decision, Entry, Handled, RelayEpoch, ServiceStore, Slot, StoreError,
};
use lawspeaker_history::{EventId, GroupId, Offset, Partition, Process};
use lawspeaker_spec::outbox as spec;

use super::linearization::Law;

/// What the service counts: how often each event had its effect.
pub type Effects = std::collections::BTreeMap<u64, u64>;

/// A call of the service.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum OutboxCall {
    /// An event is handled: it has its effect and owes one event, or is refused.
    Handle { event: u64, is_refused: bool },
    /// A relay takes over.
    OpenRelay,
    /// What the relay is to publish.
    Owed { relay: u64 },
    /// What the relay has published.
    Mark { relay: u64, next: u64 },
    /// What became of an event.
    Outcome { event: u64 },
}

/// What it is answered, in the law's words.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum OutboxAnswer {
    Done,
    Relay(u64),
    /// The slots from the first to before the second; all empty ranges are one.
    Slots(u64, u64),
    Outcome(Option<spec::Outcome>),
    Refused(spec::Refusal),
}

/// The id of an event.
pub fn id(event: u64) -> EventId {
    EventId::Number(event.try_into().unwrap())
}

pub fn outcome(bus: bus::Outcome) -> spec::Outcome {
    match bus {
        bus::Outcome::Applied => spec::Outcome::Applied,
        bus::Outcome::Refused => spec::Outcome::Refused,
        bus::Outcome::Voided => spec::Outcome::Voided,
        bus::Outcome::DeadLettered => spec::Outcome::DeadLettered,
    }
}

pub fn refusal(bus: bus::Refusal) -> spec::Refusal {
    match bus {
        bus::Refusal::AlreadyHandled(bus) => spec::Refusal::AlreadyHandled(outcome(bus)),
        bus::Refusal::Fenced { current } => spec::Refusal::Fenced { current: current.0 },
        bus::Refusal::NotOwed { durable } => spec::Refusal::NotOwed { durable: durable.0 },
    }
}

pub fn retention(spec: spec::Retention) -> bus::Retention {
    match spec {
        spec::Retention::Forever => bus::Retention::Forever,
        spec::Retention::Last(count) => bus::Retention::Last(NonZeroUsize::new(count).unwrap()),
        spec::Retention::For(time) => bus::Retention::ForMs(time),
    }
}

/// The slots of a range, in the law's words.
pub fn slots(first: u64, end: u64) -> OutboxAnswer {
    if first < end { OutboxAnswer::Slots(first, end) } else { OutboxAnswer::Slots(0, 0) }
}

/// Handles an event: it counts its own effects, and owes an event of the same number.
pub fn handle(
    store: &ServiceStore<Effects>,
    process: u64,
    event: u64,
    is_refused: bool,
) -> Result<Handled, CommitError<Infallible>> {
    let arrival = Arrival {
        process: Process::from(format!("member-{process}").as_str()),
        group: GroupId::from("service"),
        partition: Partition::new("t", 0),
        offset: Offset::of(event.try_into().unwrap()),
    };
    store.handle(&arrival, &Message::new(id(event), ""), 0, |effects: &Effects| {
        Ok(match is_refused {
            true => Decision::refuse("no"),
            false => {
                let count = effects.get(&event).copied().unwrap_or(0) + 1;
                let owed = Message::new(id(100 + event), "");
                Decision::change(Entry::Put(event, count)).emit("out", owed)
            }
        })
    })
}

/// Makes the call at the bus's store, as the process of this number.
pub fn call(store: &ServiceStore<Effects>, process: u64, call: &OutboxCall) -> OutboxAnswer {
    let answer = match *call {
        OutboxCall::Handle { event, is_refused } => match handle(store, process, event, is_refused) {
            Ok(Handled::Applied | Handled::Refused(_)) => Ok(OutboxAnswer::Done),
            Ok(Handled::Duplicate(bus)) => {
                Ok(OutboxAnswer::Refused(spec::Refusal::AlreadyHandled(outcome(bus))))
            }
            Err(CommitError::Store(error)) => Err(error),
            Err(error) => panic!("{error}"),
        },
        OutboxCall::OpenRelay => store.open_relay().map(|epoch| OutboxAnswer::Relay(epoch.0)),
        OutboxCall::Owed { relay } => store.owed(RelayEpoch(relay), usize::MAX).map(|owed| {
            assert!(owed.windows(2).all(|two| two[0].slot.0 + 1 == two[1].slot.0), "in order: {owed:?}");
            slots(owed.first().map_or(0, |one| one.slot.0), owed.last().map_or(0, |one| one.slot.0 + 1))
        }),
        OutboxCall::Mark { relay, next } => {
            store.mark_published(RelayEpoch(relay), Slot(next)).map(|()| OutboxAnswer::Done)
        }
        OutboxCall::Outcome { event } => {
            store.outcome(&id(event)).map(|bus| OutboxAnswer::Outcome(bus.map(outcome)))
        }
    };
    answer.unwrap_or_else(|error| match error {
        StoreError::Refused(bus) => OutboxAnswer::Refused(refusal(bus)),
        error => panic!("{error}"),
    })
}

/// The specification, of which any longer prefix may become durable while somebody syncs: the calls that changed it,
/// and how many of them are durable.
#[derive(Clone, Debug, Default)]
pub struct OutboxLaw {
    writes: Vec<OutboxCall>,
    durable_count: usize,
}

impl OutboxLaw {
    /// The specification after these calls.
    pub fn spec(&self) -> spec::Outbox {
        let mut spec = spec::Outbox::new(spec::Retention::Forever);
        for (place, write) in self.writes.iter().enumerate() {
            answer(&mut spec, write);
            if place + 1 == self.durable_count {
                spec.flush();
            }
        }
        spec
    }
}

/// What the specification answers.
pub fn answer(spec: &mut spec::Outbox, call: &OutboxCall) -> OutboxAnswer {
    let answer = match *call {
        OutboxCall::Handle { event, is_refused } => {
            let outcome = if is_refused { spec::Outcome::Refused } else { spec::Outcome::Applied };
            let owed_count = u64::from(!is_refused);
            let transaction = spec::Transaction {
                handled: Some((event, outcome)),
                voided: Vec::new(),
                owed_count,
                time: 0,
            };
            spec.commit(&transaction).map(|_| OutboxAnswer::Done)
        }
        OutboxCall::OpenRelay => Ok(OutboxAnswer::Relay(spec.open_relay())),
        OutboxCall::Owed { relay } => spec.pending(relay).map(|(first, end)| slots(first, end)),
        OutboxCall::Mark { relay, next } => spec.mark_published(relay, next).map(|()| OutboxAnswer::Done),
        OutboxCall::Outcome { event } => Ok(OutboxAnswer::Outcome(spec.outcome(event))),
    };
    answer.unwrap_or_else(OutboxAnswer::Refused)
}

impl Law for OutboxLaw {
    type Call = OutboxCall;
    type Answer = OutboxAnswer;

    fn answer(&mut self, call: &OutboxCall) -> OutboxAnswer {
        let mut spec = self.spec();
        let answered = answer(&mut spec, call);
        let is_change = !matches!(call, OutboxCall::Owed { .. } | OutboxCall::Outcome { .. });
        if is_change && !matches!(answered, OutboxAnswer::Refused(_)) {
            self.writes.push(call.clone());
        }
        answered
    }

    fn is_ordered(_call: &OutboxCall) -> bool {
        true
    }

    fn lets_change(call: &OutboxCall) -> bool {
        !matches!(call, OutboxCall::Owed { .. } | OutboxCall::Mark { .. })
    }

    fn changes(&self) -> Vec<Self> {
        let longer = self.durable_count + 1..=self.writes.len();
        longer.map(|durable_count| OutboxLaw { durable_count, ..self.clone() }).collect()
    }
}
