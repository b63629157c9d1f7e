//! Orders: takes orders and cancellations, and says how they ended.

use lawspeaker_bus::outbox::{Decision, Entry};

use crate::event::{Fact, Kind};
use crate::guard::{CANCEL_GATE, Guards};
use crate::handler::{Ask, Tell};
use crate::order::{Order, Orders, Status, Tracked};
use crate::trace::TraceParent;

type Decided = Decision<Entry<String, Tracked>>;

/// A customer places an order.
pub(crate) fn place(order: Order, trace: TraceParent) -> Decided {
    let fact = Fact::placed(order.clone(), trace);
    let trace = fact.traceparent;
    let tracked = Tracked { order, trace, status: Status::Pending, reason: None, is_cancel_asked: false };
    let (topic, message) = fact.message();
    Decision::put(tracked.order.id.clone(), tracked).emit(topic, message)
}

/// A customer would like to cancel an order.
pub(crate) fn cancel(orders: &Orders, order: &str, guards: Guards) -> Decided {
    let Some(tracked) = orders.get(order) else { return Decision::refuse("no such order") };
    if tracked.status != Status::Pending {
        return Decision::refuse("the order has ended");
    }
    let fact = Fact::placed(tracked.order.clone(), tracked.trace).because("cancelled by the customer");
    if !guards.has(CANCEL_GATE) {
        return ended(tracked, &fact, Kind::Cancelled);
    }
    let asked = Tracked { is_cancel_asked: true, ..tracked.clone() };
    Decision::put(order, asked).tell(&fact, Kind::CancelAsked)
}

/// An order has ended so; one that has ended already stays as it is.
pub(crate) fn end(orders: &Orders, fact: &Fact, kind: Kind) -> Decided {
    match orders.get(&fact.order.id) {
        Some(tracked) if tracked.status == Status::Pending => ended(tracked, fact, kind),
        Some(_) => Decision::nothing(),
        None => Decision::refuse("no such order"),
    }
}

fn ended(tracked: &Tracked, fact: &Fact, kind: Kind) -> Decided {
    let status = if kind == Kind::Completed { Status::Completed } else { Status::Cancelled };
    let reason = fact.reason.clone().filter(|_| status == Status::Cancelled);
    let ended = Tracked { status, reason, ..tracked.clone() };
    Decision::put(&*fact.order.id, ended).tell(fact, kind)
}

/// What orders makes of an event, where nobody leads.
pub(crate) fn decide(orders: &Orders, ask: &Ask<'_>) -> Decided {
    match ask.fact.kind {
        Kind::Shipped => end(orders, ask.fact, Kind::Completed),
        Kind::OutOfStock | Kind::Released | Kind::NothingReserved => end(orders, ask.fact, Kind::Cancelled),
        _ => Decision::nothing(),
    }
}
