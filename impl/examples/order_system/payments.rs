//! Payments: charges the customer, and refunds.

use std::collections::BTreeMap;

use lawspeaker_bus::outbox::{Decision, Entry};

use crate::event::Kind;
use crate::guard::{CANCEL_GATE, REFUND_ON_CANCEL};
use crate::handler::{Ask, Tell};
use crate::order::Order;

/// What was paid for each order, in cents.
pub(crate) type Charges = BTreeMap<String, u64>;

/// The most that a card pays for, in cents.
const CARD_LIMIT_CENTS: u64 = 1_000_000;

/// What an order is charged.
///
/// # Errors
/// Why the card is declined.
pub(crate) fn charge(order: &Order) -> Result<u64, &'static str> {
    if order.amount_cents > CARD_LIMIT_CENTS { Err("card declined") } else { Ok(order.amount_cents) }
}

/// What payments makes of an event, where nobody leads.
pub(crate) fn decide(charges: &Charges, ask: &Ask<'_>) -> Decision<Entry<String, u64>> {
    let fact = ask.fact;
    match fact.kind {
        Kind::Reserved if ask.is_refused => {
            Decision::refuse("card declined").tell(&fact.clone().because("card declined"), Kind::Declined)
        }
        Kind::Reserved => match charge(&fact.order) {
            Ok(cents) => Decision::put(&*fact.order.id, cents).tell(fact, Kind::Charged),
            Err(reason) => Decision::refuse(reason).tell(&fact.clone().because(reason), Kind::Declined),
        },
        Kind::Stopped => undo(charges, ask),
        Kind::Cancelled if !ask.guards.has(CANCEL_GATE) => undo(charges, ask),
        _ => Decision::nothing(),
    }
}

fn undo(charges: &Charges, ask: &Ask<'_>) -> Decision<Entry<String, u64>> {
    let fact = ask.fact;
    if !ask.guards.has(REFUND_ON_CANCEL) {
        return Decision::nothing().tell(fact, Kind::NothingCharged);
    }
    if charges.contains_key(&fact.order.id) {
        Decision::remove(&*fact.order.id).tell(fact, Kind::Refunded)
    } else {
        // That it was reserved may still be under way to here: its tombstone.
        Decision::nothing().void(fact.next(Kind::Reserved).id().as_str()).tell(fact, Kind::NothingCharged)
    }
}
