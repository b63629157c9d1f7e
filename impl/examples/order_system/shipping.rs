//! Shipping: the pivot. It decides between a cancellation and the shipment, and there is no way back from that.

use std::collections::BTreeMap;

use lawspeaker_bus::outbox::{Decision, Entry};

use crate::event::Kind;
use crate::handler::{Ask, Tell};
use crate::order::Order;

/// The tracking number of each order that is on its way.
pub(crate) type Shipments = BTreeMap<String, String>;

/// The number under which an order is on its way: the same for whoever asks again.
pub(crate) fn tracking_number(order: &Order) -> String {
    format!("track-{}", order.id)
}

/// What shipping makes of an event, where nobody leads.
pub(crate) fn decide(shipments: &Shipments, ask: &Ask<'_>) -> Decision<Entry<String, String>> {
    let fact = ask.fact;
    match fact.kind {
        Kind::Charged => {
            Decision::put(&*fact.order.id, tracking_number(&fact.order)).tell(fact, Kind::Shipped)
        }
        Kind::CancelAsked if shipments.contains_key(&fact.order.id) => {
            Decision::refuse("it is on its way already")
        }
        // That it was paid for may still be under way to here: its tombstone.
        Kind::CancelAsked => {
            Decision::nothing().void(fact.next(Kind::Charged).id().as_str()).tell(fact, Kind::Stopped)
        }
        _ => Decision::nothing(),
    }
}

/// Takes an order where a saga leads, unless the customer has asked to cancel it: from here on there is no way back.
///
/// # Errors
/// Why not.
pub(crate) fn accept(is_cancel_asked: bool) -> Result<(), String> {
    if is_cancel_asked { Err("cancelled by the customer".to_owned()) } else { Ok(()) }
}
