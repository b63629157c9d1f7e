//! The steps and states of bounded queues in words.

use lawspeaker_history::Op;

use super::handler::Use;
use super::{Action, BoundedQueues, Handler, Message, ROUTE_BY_KEY, State, observed};
use crate::engine::{Telling, Variables, Words};
use crate::export::variables_of;

pub(super) const KINDS: &[&str] = &["place", "stray", "take", "ask", "resume", "pay"];

pub(super) fn kind(action: &Action) -> &'static str {
    match action {
        Action::Place(_) => "place",
        Action::Stray(_) => "stray",
        Action::Take(_) => "take",
        Action::Ask(_) => "ask",
        Action::Resume(_) => "resume",
        Action::Pay => "pay",
    }
}

pub(super) fn handler_name(handler: u8) -> String {
    format!("handler {}", handler + 1)
}

/// `o1`: the first order.
fn order_name(order: u8) -> String {
    format!("o{}", order + 1)
}

pub(super) fn message_name(message: Message) -> String {
    match message {
        Message::Placed(order) => format!("order {}", order_name(order)),
        Message::Paid(order) => format!("payment of {}", order_name(order)),
        Message::Unknown => "something unknown".to_owned(),
    }
}

impl Words for BoundedQueues {
    fn tell(&self, before: &State, action: &Action, after: &State) -> Telling {
        let of = |handler: &u8, what: String| Telling::new(handler_name(*handler), what);
        match action {
            Action::Place(handler) => {
                let order = order_name(before.placed.len() as u8);
                let queue = self.queue_name(*handler);
                Telling::new(
                    "shop",
                    format!("puts order {order} for {} into {queue}", handler_name(*handler)),
                )
            }
            Action::Stray(handler) => {
                let queue = self.queue_name(*handler);
                Telling::new("somebody", format!("puts something UNKNOWN into {queue}"))
            }
            Action::Take(handler) => of(handler, self.taken(*handler, before)),
            Action::Ask(handler) => {
                let order = before.handlers[*handler as usize].hand.map(order_name).unwrap_or_default();
                of(handler, format!("asks for the payment of {order}, and waits for it"))
            }
            Action::Resume(handler) => {
                let order = after.handlers[*handler as usize].hand.map(order_name).unwrap_or_default();
                of(handler, format!("goes back to order {order}, which it had set aside"))
            }
            Action::Pay => {
                let order = before.asks.first().copied().unwrap_or_default();
                let queue = self.queue_name(before.placed[order as usize]);
                Telling::new("payments", format!("puts the payment of {} into {queue}", order_name(order)))
            }
        }
    }

    fn picture(&self, state: &State) -> Vec<String> {
        let line = |who: String, what: String| format!("{who:<15}  {what}");
        let mut lines = Vec::new();
        let queue_count = if self.guards.has(&ROUTE_BY_KEY) { state.queues.len() } else { 1 };
        for (number, queue) in (0..).zip(&state.queues[..queue_count]) {
            let messages: Vec<_> = queue.iter().map(|message| message_name(*message)).collect();
            let is_full = queue.len() >= self.bounds.capacity as usize;
            lines.push(line(self.queue_name(number), contents(&messages, is_full)));
        }
        let asks: Vec<_> = state.asks.iter().map(|order| order_name(*order)).collect();
        let is_full = state.asks.len() >= self.bounds.capacity as usize;
        lines.push(line("questions".to_owned(), contents(&asks, is_full)));
        for (number, handler) in (0..).zip(&state.handlers) {
            lines.push(line(handler_name(number), condition(handler)));
        }
        lines
    }

    fn variables(&self, state: &State) -> Variables {
        variables_of(state)
    }

    fn waits(&self, state: &State) -> Vec<String> {
        let mut lines = Vec::new();
        for (number, handler) in (0..).zip(&state.handlers) {
            lines.extend(handler.hand.map(|order| {
                format!(
                    "{} waits for room among the questions, to ask for the payment of {}",
                    handler_name(number),
                    order_name(order)
                )
            }));
            let held = handler.waits_for.iter().map(|order| self.missing(state, number, *order));
            lines.extend(held);
            let head = state.queues[self.queue_of(number)].first();
            if handler.is_idle() {
                lines.extend(head.map(|message| {
                    format!(
                        "{} stands before {}, which knows nothing to do with it",
                        message_name(*message),
                        handler_name(number)
                    )
                }));
            }
        }
        if let (Some(order), Some(queue)) = (state.asks.first(), self.queue_to_answer(state)) {
            lines.push(format!(
                "payments waits for room in {}, to answer for {}",
                self.queue_name(queue as u8),
                order_name(*order)
            ));
        }
        lines
    }

    fn opening_ops(&self, _: &State) -> Vec<Op> {
        Vec::new()
    }

    fn ops(&self, before: &State, action: &Action, _: &State) -> Vec<Op> {
        observed::ops(self, before, action)
    }

    fn closing_ops(&self, state: &State) -> Vec<Op> {
        observed::closing_ops(self, state)
    }
}

impl BoundedQueues {
    pub(super) fn queue_name(&self, handler: u8) -> String {
        if self.guards.has(&ROUTE_BY_KEY) {
            format!("queue {}", handler + 1)
        } else {
            "the one queue".to_owned()
        }
    }

    fn taken(&self, number: u8, before: &State) -> String {
        let head =
            before.queues[self.queue_of(number)].first().copied().map(message_name).unwrap_or_default();
        let is_of_other = |order: u8| before.placed[order as usize] != number;
        match self.use_of(before, number) {
            Some(Use::Begin(order)) if is_of_other(order) => {
                format!("takes {head}, though it was meant for another")
            }
            Some(Use::Begin(_)) => format!("takes {head}"),
            Some(Use::Complete(order)) => format!("takes {head}; {} is handled", order_name(order)),
            Some(Use::Defer) if head.starts_with("payment") => {
                format!("takes {head}, for which it NEVER ASKED, and sets it aside")
            }
            Some(Use::Defer) => format!("sets {head} aside for now"),
            Some(Use::DeadLetter) => "puts something unknown among the dead letters".to_owned(),
            None => String::new(),
        }
    }

    /// Why the answer that a handler waits for does not come.
    fn missing(&self, state: &State, number: u8, order: u8) -> String {
        let waits = format!("{} waits for the payment of {}", handler_name(number), order_name(order));
        let has_it = |handler: &Handler| handler.deferred.contains(&Message::Paid(order));
        if let Some(other) = state.handlers.iter().position(has_it) {
            return format!("{waits}, which {} has set aside", handler_name(other as u8));
        }
        let queue = &state.queues[self.queue_of(number)];
        let asked = if state.asks.contains(&order) { ", which is asked for and not answered" } else { "" };
        match queue.first() {
            Some(head) => format!("{waits}{asked}, and leaves {} where it stands", message_name(*head)),
            None => format!("{waits}{asked}"),
        }
    }
}

fn contents(messages: &[String], is_full: bool) -> String {
    let full = if is_full { " (full)" } else { "" };
    if messages.is_empty() { "nothing".to_owned() } else { format!("{}{full}", messages.join(", ")) }
}

fn condition(handler: &Handler) -> String {
    let mut parts = Vec::new();
    parts.extend(handler.hand.map(|order| format!("has {} in hand", order_name(order))));
    let orders: Vec<_> = handler.waits_for.iter().map(|order| order_name(*order)).collect();
    if !orders.is_empty() {
        parts.push(format!("waits for the payment of {}", orders.join(" and ")));
    }
    let aside: Vec<_> = handler.deferred.iter().map(|message| message_name(*message)).collect();
    if !aside.is_empty() {
        parts.push(format!("has set aside {}", aside.join(" and ")));
    }
    if parts.is_empty() { "is idle".to_owned() } else { parts.join(", ") }
}
