//! Inventory: sets aside what was ordered, and releases it again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use lawspeaker_bus::outbox::{Decision, State};
use lawspeaker_bus::tokio_bus::TokioParticipant;
use serde::{Deserialize, Serialize};

use crate::event::Kind;
use crate::guard::RELEASE_ON_PAYMENT_FAILURE;
use crate::handler::{Ask, Tell};
use crate::order::Order;
use crate::parts::Anything;

/// What is set aside, the fold of its changes.
#[derive(Debug, Default)]
pub(crate) struct Stock {
    by_order: BTreeMap<String, Reservation>,
    // INVARIANT: the sums of `by_order`.
    by_item: BTreeMap<String, u64>,
}

/// So many of an item, for an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reservation {
    pub order: String,
    pub item: String,
    pub quantity: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Change {
    Reserved(Reservation),
    Released { order: String },
}

impl State for Stock {
    type Change = Change;

    fn apply(&mut self, change: Change) {
        match change {
            Change::Reserved(reservation) => {
                self.release(&reservation.order);
                *self.by_item.entry(reservation.item.clone()).or_default() += u64::from(reservation.quantity);
                self.by_order.insert(reservation.order.clone(), reservation);
            }
            Change::Released { order } => self.release(&order),
        }
    }
}

impl Stock {
    /// What an order would set aside of the `in_stock` that there are of each item; or why not.
    ///
    /// # Errors
    /// Why not.
    pub(crate) fn reserve(&self, order: &Order, in_stock: u64) -> Result<Reservation, &'static str> {
        let set_aside = self.by_item.get(&order.item).copied().unwrap_or(0);
        if set_aside + u64::from(order.quantity) > in_stock {
            return Err("out of stock");
        }
        let Order { id, item, quantity, .. } = order.clone();
        Ok(Reservation { order: id, item, quantity })
    }

    fn release(&mut self, order: &str) {
        let Some(released) = self.by_order.remove(order) else { return };
        if let Some(sum) = self.by_item.get_mut(&released.item) {
            *sum -= u64::from(released.quantity);
        }
    }
}

/// What inventory makes of an event, where nobody leads.
pub(crate) fn decide(stock: &Stock, ask: &Ask<'_>, in_stock: u64) -> Decision<Change> {
    let fact = ask.fact;
    match fact.kind {
        Kind::Placed if ask.is_refused => Decision::refuse("out of stock").tell(fact, Kind::OutOfStock),
        Kind::Placed => match stock.reserve(&fact.order, in_stock) {
            Ok(reservation) => Decision::change(Change::Reserved(reservation)).tell(fact, Kind::Reserved),
            Err(reason) => Decision::refuse(reason).tell(&fact.clone().because(reason), Kind::OutOfStock),
        },
        Kind::Declined if !ask.guards.has(RELEASE_ON_PAYMENT_FAILURE) => {
            Decision::nothing().tell(fact, Kind::NothingReserved)
        }
        Kind::Declined | Kind::Refunded | Kind::NothingCharged => undo(stock, ask),
        _ => Decision::nothing(),
    }
}

/// Compensations run backwards along the chain: payments have undone their step when they say one of these.
fn undo(stock: &Stock, ask: &Ask<'_>) -> Decision<Change> {
    let order = &ask.fact.order.id;
    if stock.by_order.contains_key(order) {
        Decision::change(Change::Released { order: order.clone() }).tell(ask.fact, Kind::Released)
    } else {
        // The order may still be under way to here: its tombstone.
        Decision::nothing()
            .void(ask.fact.next(Kind::Placed).id().as_str())
            .tell(ask.fact, Kind::NothingReserved)
    }
}

/// Inventory where a saga leads: its participant remembers the reservations, which make up the stock.
#[derive(Clone, Debug)]
pub(crate) struct Warehouse {
    stock: Arc<Mutex<Stock>>,
    in_stock: u64,
}

impl Warehouse {
    /// The warehouse with what its participant has reserved and not released.
    ///
    /// # Errors
    /// What the participant's journal says, or serde of what it holds.
    pub(crate) fn new(participant: &TokioParticipant, in_stock: u64) -> Result<Self, Anything> {
        let mut stock = Stock::default();
        for (_, reservation) in participant.participant().standing()? {
            stock.apply(Change::Reserved(serde_json::from_slice(&reservation)?));
        }
        Ok(Warehouse { stock: Arc::new(Mutex::new(stock)), in_stock })
    }

    /// Sets aside what was ordered. The participant calls it once for each order, one at a time.
    ///
    /// # Errors
    /// Why not.
    pub(crate) fn reserve(&self, order: &Order) -> Result<Reservation, String> {
        let mut stock = self.stock.lock().unwrap_or_else(PoisonError::into_inner);
        let reservation = stock.reserve(order, self.in_stock)?;
        stock.apply(Change::Reserved(reservation.clone()));
        Ok(reservation)
    }

    /// Gives back what was set aside, once the participant has written that down.
    pub(crate) fn release(&self, order: &Order) {
        self.stock.lock().unwrap_or_else(PoisonError::into_inner).release(&order.id);
    }
}
