//! Causal delivery's steps as an observer of running services would record them.

use lawspeaker_history as history;
use lawspeaker_history::{Batch, Call, Delivery, EventId, Offset, Op, OpType, Phase, Sent};

use super::number::all;
use super::{Action, CausalDelivery, EventNumber, Log, Number, Partition, Service, Set, State};

fn partition_name(partition: Partition) -> history::Partition {
    history::Partition::new(&partition.to_string(), 0)
}

fn event_id(event: EventNumber) -> EventId {
    EventId::from(event.to_string().as_str())
}

/// The process of a service as a reader.
fn reader(service: Service) -> i64 {
    service.index() as i64 + 1
}

/// The process of one send: a service has several under way, and a process has one call open at a time.
fn sender(service: Service, event: EventNumber) -> i64 {
    reader(service) * 100 + event.index() as i64 + 1
}

fn sent(partition: Partition, offset: Option<usize>, event: EventNumber) -> Call {
    let (partition, offset) = (partition_name(partition), offset.map(Offset::of));
    Call::Send(vec![Sent { partition, offset, event: event_id(event) }])
}

/// The causes that are no causes of other causes: the rest follows from them.
fn direct_causes(state: &State, event: EventNumber) -> Vec<EventId> {
    let past = state.ghost.past[event.index()];
    let indirect = past.iter().fold(Set::default(), |all, cause| all.or(state.ghost.past[cause.index()]));
    past.minus(indirect).iter().map(event_id).collect()
}

pub(super) fn ops(before: &State, action: &Action, after: &State) -> Vec<Op> {
    match action {
        Action::Emit(service, partition, _) => {
            let event = EventNumber::new(before.emitted.len() as u8);
            let mut op = Op::new(sender(*service, event), OpType::Invoke, sent(*partition, None, event));
            op.x.cause = direct_causes(after, event);
            let is_heard = before.subscribed[service.index()].iter().any(|heard| heard == *partition);
            [op].into_iter().chain(is_heard.then(|| own_delivered(*service, *partition, event))).collect()
        }
        Action::Append(event, partition) if !before.is_appended(*event) => {
            // The service knows where it sent the event; where else it was stored, nobody tells it.
            let sent_to = before.event(*event).to;
            let offset = (sent_to == *partition).then(|| before.logs[partition.index()].len());
            let by = before.event(*event).by;
            let mut op = Op::new(sender(by, *event), OpType::Ok, sent(sent_to, offset, *event));
            op.x.cause = direct_causes(after, *event);
            vec![op]
        }
        Action::Deliver(service, event) => delivered(before, *service, *event),
        Action::Append(..) | Action::Drop(..) => Vec::new(),
    }
}

/// A service knows what it emits: that is delivered to it there and then, if it hears the partition at all.
fn own_delivered(service: Service, partition: Partition, event: EventNumber) -> Op {
    let delivery =
        Delivery { partition: partition_name(partition), offset: None, event: Some(event_id(event)) };
    Op::new(reader(service), OpType::Ok, Call::Apply(vec![delivery]))
}

/// The service reads on in the log, past its own events, up to the one that it delivers.
fn delivered(before: &State, service: Service, event: EventNumber) -> Vec<Op> {
    let holds = |log: &&Log| log.contains(&event);
    let Some(place) = before.logs.iter().position(|log| holds(&log)) else { return Vec::new() };
    let partition = partition_name(Partition::new(place as u8));
    let log = &before.logs[place];
    let Some(offset) = log.iter().position(|other| *other == event) else { return Vec::new() };
    let own = before.own(service);
    let own_before = log[..offset].iter().rev().take_while(|other| own.has(**other)).count();
    let record =
        |offset: usize| history::Record { offset: Some(Offset::of(offset)), event: event_id(log[offset]) };
    let records = (offset - own_before..=offset).map(record).collect();
    let delivery = Delivery {
        partition: partition.clone(),
        offset: Some(Offset::of(offset)),
        event: Some(event_id(event)),
    };
    let op = |call| Op::new(reader(service), OpType::Ok, call);
    vec![op(Call::Poll(vec![Batch { partition, records }])), op(Call::Apply(vec![delivery]))]
}

/// What each service reads.
pub(super) fn opening_ops(model: &CausalDelivery, state: &State) -> Vec<Op> {
    let reads = |service: Service| {
        let partitions = state.subscribed[service.index()].iter().map(partition_name).collect();
        Op::new(reader(service), OpType::Ok, Call::Assign(partitions))
    };
    all(model.bounds.services).map(reads).collect()
}

pub(super) fn closing_ops(state: &State) -> Vec<Op> {
    let record = |(offset, event): (usize, &EventNumber)| history::Record {
        offset: Some(Offset::of(offset)),
        event: event_id(*event),
    };
    let batch = |(place, log): (usize, &Log)| Batch {
        partition: partition_name(Partition::new(place as u8)),
        records: log.iter().enumerate().map(record).collect(),
    };
    let batches = state.logs.iter().enumerate().map(batch).collect();
    vec![Op::new(1000, OpType::Ok, Call::Poll(batches)).phase(Phase::Final)]
}
