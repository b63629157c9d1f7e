//! The steps of bounded queues as an observer of the running services would record them.

use lawspeaker_history::{Batch, Call, Delivery, EventId, Op, OpType, Partition, Record, Sent};

use super::handler::Use;
use super::words::{handler_name, message_name};
use super::{Action, BoundedQueues, Message, State};
use crate::engine::way_on;

fn queue_id(model: &BoundedQueues, handler: u8) -> Partition {
    Partition::named(&model.queue_name(handler))
}

/// Each message is sent once.
fn event_id(message: Message) -> EventId {
    EventId::from(message_name(message).as_str())
}

fn sent(who: &str, queue: Partition, event: EventId) -> Op {
    Op::new(who, OpType::Ok, Call::Send(vec![Sent { partition: queue, offset: None, event }]))
}

pub(super) fn ops(model: &BoundedQueues, before: &State, action: &Action) -> Vec<Op> {
    match action {
        Action::Place(handler) => {
            let message = Message::Placed(before.placed.len() as u8);
            vec![sent("shop", queue_id(model, *handler), event_id(message))]
        }
        Action::Stray(handler) => {
            vec![sent("somebody", queue_id(model, *handler), event_id(Message::Unknown))]
        }
        Action::Pay => {
            let order = before.asks.first().copied().unwrap_or_default();
            let queue = queue_id(model, before.placed[order as usize]);
            vec![sent("payments", queue, event_id(Message::Paid(order)))]
        }
        Action::Take(handler) => taken(model, before, *handler),
        Action::Ask(_) | Action::Resume(_) => Vec::new(),
    }
}

/// What is taken is acknowledged; what is set aside is the handler's from then on.
fn taken(model: &BoundedQueues, before: &State, handler: u8) -> Vec<Op> {
    let queue = &before.queues[model.queue_of(handler)];
    let (Some(head), Some(what)) = (queue.first(), model.use_of(before, handler)) else { return Vec::new() };
    let event = event_id(*head);
    let partition = queue_id(model, handler);
    let records = vec![Record { offset: None, event: event.clone() }];
    let delivery = Delivery { partition: partition.clone(), offset: None, event: Some(event) };
    let settled = if what == Use::DeadLetter { Call::Reject } else { Call::Ack };
    let op = |call| Op::new(handler_name(handler).as_str(), OpType::Ok, call);
    vec![op(Call::Receive(vec![Batch { partition, records }])), op(settled(vec![delivery]))]
}

/// Where only new orders can come, whoever waits now waits for ever.
pub(super) fn closing_ops(model: &BoundedQueues, state: &State) -> Vec<Op> {
    let is_quiescent = way_on(model, state).is_none();
    is_quiescent.then(|| Op::new("observer", OpType::Ok, Call::Quiescent)).into_iter().collect()
}
