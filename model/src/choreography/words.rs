//! The choreography's steps and states in words.

use lawspeaker_history::Op;

use super::{ATOMIC_PUBLISH, Action, CANCEL_GATE, Choreography, Event, Order, Service, State, observed};
use crate::engine::{Telling, Variables, Words};
use crate::export::variables_of;

pub(super) const ORDER: &str = "s1";

pub(super) const KINDS: &[&str] = &["place", "handle", "refuse", "cancel", "redeliver", "crash"];

pub(super) fn kind(action: &Action) -> &'static str {
    match action {
        Action::Place => "place",
        Action::Handle(..) => "handle",
        Action::Refuse(..) => "refuse",
        Action::Cancel => "cancel",
        Action::Redeliver(..) => "redeliver",
        Action::Crash(..) => "crash",
    }
}

/// What a service is called, and what it does and undoes.
pub(super) struct Names {
    pub(super) service: &'static str,
    pub(super) step: &'static str,
    does: &'static str,
    undoes: &'static str,
}

pub(super) fn names(service: Service) -> Names {
    let names = |service, step, does, undoes| Names { service, step, does, undoes };
    match service {
        Service::Orders => names("orders", "place", "places the order", "cancels it"),
        Service::Inventory => names("inventory", "reserve", "reserves the goods", "releases the goods"),
        Service::Payments => names("payments", "charge", "charges the customer", "refunds the customer"),
        Service::Shipping => names("shipping", "ship", "ships the goods", "takes the goods back"),
    }
}

fn event_name(event: Event) -> &'static str {
    match event {
        Event::Placed => "order placed",
        Event::CancelAsked => "cancellation asked for",
        Event::Cancelled => "order cancelled",
        Event::Reserved => "goods reserved",
        Event::OutOfStock => "out of stock",
        Event::Charged => "customer charged",
        Event::Declined => "payment declined",
        Event::Shipped => "goods shipped",
        Event::Stopped => "shipment stopped",
    }
}

impl Words for Choreography {
    fn tell(&self, before: &State, action: &Action, after: &State) -> Telling {
        let of = |service: &Service, what: String| Telling::new(names(*service).service, what);
        let next = |reader: &Service, topic: &Service| {
            Self::next(before, *reader, *topic).map(event_name).unwrap_or_default()
        };
        let said = said(before, after);
        match action {
            Action::Place => Telling::new("customer", format!("places order {ORDER}{said}")),
            Action::Handle(reader, topic) => {
                let what = handled((*reader, *topic), before, after);
                of(reader, format!("hears \"{}\": {what}{said}", next(reader, topic)))
            }
            Action::Refuse(reader, topic) => {
                let step = names(*reader).step;
                of(reader, format!("hears \"{}\" and REFUSES to {step}{said}", next(reader, topic)))
            }
            Action::Cancel if self.guards.has(&CANCEL_GATE) => {
                Telling::new("customer", format!("CANCELS, which is to be decided{said}"))
            }
            Action::Cancel => Telling::new("customer", format!("CANCELS, and that is final AT ONCE{said}")),
            Action::Redeliver(reader, topic) => {
                let event = Self::last(before, *reader, *topic).map(|(_, event)| event_name(event));
                let event = event.unwrap_or_default();
                Telling::new("network", format!("REDELIVERS \"{event}\" to {}", names(*reader).service))
            }
            Action::Crash(reader, topic) if self.guards.has(&ATOMIC_PUBLISH) => {
                let what = format!("CRASHES over \"{}\", and will read it again", next(reader, topic));
                of(reader, what)
            }
            Action::Crash(reader, topic) => {
                let what = handled((*reader, *topic), before, after);
                let event = next(reader, topic);
                of(reader, format!("hears \"{event}\": {what}, and CRASHES before it can say so"))
            }
        }
    }

    fn picture(&self, state: &State) -> Vec<String> {
        let line = |who: &str, what: String| format!("{who:<9}  {what}");
        let mut lines = vec![line("orders", format!("{ORDER} is {}", standing(state.order)))];
        for service in [Service::Inventory, Service::Payments, Service::Shipping] {
            let names = names(service);
            let what = format!("{}: {}", names.step, state.steps[service.place()].condition());
            lines.push(line(names.service, what));
        }
        for service in Service::ALL {
            let events: Vec<_> =
                state.topics[service.place()].iter().map(|event| event_name(*event)).collect();
            if !events.is_empty() {
                lines.push(line("topic", format!("{}: {}", names(service).service, events.join(", "))));
            }
        }
        lines
    }

    fn variables(&self, state: &State) -> Variables {
        variables_of(state)
    }

    fn waits(&self, state: &State) -> Vec<String> {
        let lacks = |service: &Service| state.topics[service.place()].is_empty();
        if !matches!(state.order, Order::Wanted | Order::Pending) {
            return Vec::new();
        }
        let silent = Service::ALL.into_iter().find(lacks).map(|service| names(service).service);
        let silent = silent.unwrap_or("somebody");
        vec![format!("order {ORDER} waits for {silent} to say something, which it believes to have done")]
    }

    fn opening_ops(&self, _: &State) -> Vec<Op> {
        Vec::new()
    }

    fn ops(&self, before: &State, action: &Action, after: &State) -> Vec<Op> {
        observed::ops(before, action, after)
    }

    fn closing_ops(&self, state: &State) -> Vec<Op> {
        observed::closing_ops(self, state)
    }
}

/// `; says "goods reserved"`, where something was published.
fn said(before: &State, after: &State) -> String {
    let new = |service: Service| {
        let events = &after.topics[service.place()];
        let is_new = events.len() > before.topics[service.place()].len();
        events.last().filter(|_| is_new).map(|event| event_name(*event))
    };
    let said = Service::ALL.into_iter().find_map(new);
    said.map_or(String::new(), |event| format!("; \"{event}\" is published"))
}

fn handled((reader, topic): (Service, Service), before: &State, after: &State) -> String {
    let (was, is) = (before.steps[reader.place()], after.steps[reader.place()]);
    let names = names(reader);
    if before.order != after.order {
        return format!("{ORDER} is {}", standing(after.order));
    }
    if is.executions > was.executions {
        let again = if was.executions > 0 { " A SECOND TIME" } else { "" };
        let against = match (was.is_refused, after.ghost.has_done_closed && !before.ghost.has_done_closed) {
            (true, true) => ", which it HAD REFUSED",
            (false, true) => ", for an order that was CANCELLED",
            _ => "",
        };
        return format!("{}{again}{against}", names.does);
    }
    if is.compensations > was.compensations {
        let again = if was.compensations > 0 { " A SECOND TIME" } else { "" };
        return format!("{}{again}", names.undoes);
    }
    if is.has_tombstone && !was.has_tombstone {
        let what = if reader == Service::Shipping {
            "will not ship"
        } else {
            "finds nothing to undo, and notes that"
        };
        return what.to_owned();
    }
    let hears_of_end =
        matches!(Choreography::next(before, reader, topic), Some(Event::Stopped | Event::Cancelled));
    let forgets = hears_of_end && after.ghost.is_closed[reader.place()] && !is.has_tombstone;
    if forgets { "finds nothing to undo, and KEEPS NO NOTE of it" } else { "does nothing" }.to_owned()
}

fn standing(order: Order) -> &'static str {
    match order {
        Order::Wanted => "not placed",
        Order::Pending => "under way",
        Order::Completed => "completed",
        Order::Cancelled => "cancelled",
    }
}
