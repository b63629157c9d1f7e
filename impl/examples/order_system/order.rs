//! What a customer orders, and where an order stands.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::fault::Fault;
use crate::trace::TraceParent;

/// An order, as the customer sends it and as every event of it carries it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Order {
    /// Unique; it names the order, its saga and its conversation. The header `Idempotency-Key` may give it instead.
    #[serde(default)]
    pub id: String,
    pub customer: String,
    pub item: String,
    pub quantity: u32,
    pub amount_cents: u64,
    /// What is to go wrong with it, as the numbers of test cards say it to a payment service.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Fault>,
}

/// Why an order is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidOrder {
    #[error("the order has no id: give one in the field `id` or in the header `Idempotency-Key`")]
    NoId,
    #[error(
        "the field `id` says `{field}` and the header `Idempotency-Key` says `{header}`: give one of them"
    )]
    TwoIds { field: String, header: String },
    #[error("`{0}` is no id: it has 1 to 64 letters, digits, dots, hyphens or underscores")]
    Id(String),
    #[error("`{0}` is empty or longer than 100 bytes")]
    Text(&'static str),
    #[error("`quantity` is {0}: it must lie between 1 and 1000")]
    Quantity(u32),
    #[error("`amount_cents` is {0}: it must lie between 1 and 100000000")]
    Amount(u64),
}

impl Order {
    /// The order under its id, if it is one.
    ///
    /// # Errors
    /// [`InvalidOrder`], the first reason.
    pub(crate) fn checked(mut self, idempotency_key: Option<String>) -> Result<Self, InvalidOrder> {
        match idempotency_key {
            Some(header) if !self.id.is_empty() && self.id != header => {
                return Err(InvalidOrder::TwoIds { field: self.id, header });
            }
            Some(header) => self.id = header,
            None if self.id.is_empty() => return Err(InvalidOrder::NoId),
            None => {}
        }
        if !is_id(&self.id) {
            return Err(InvalidOrder::Id(self.id));
        }
        let texts = [("customer", &self.customer), ("item", &self.item)];
        if let Some((name, _)) = texts.iter().find(|(_, text)| text.is_empty() || text.len() > 100) {
            return Err(InvalidOrder::Text(name));
        }
        if !(1..=1_000).contains(&self.quantity) {
            return Err(InvalidOrder::Quantity(self.quantity));
        }
        if !(1..=100_000_000).contains(&self.amount_cents) {
            return Err(InvalidOrder::Amount(self.amount_cents));
        }
        Ok(self)
    }
}

/// Whether an order can be called so. Events are called `order/kind`, so it has no slash.
fn is_id(id: &str) -> bool {
    let is_fit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    (1..=64).contains(&id.len()) && id.bytes().all(is_fit)
}

/// Where an order stands: the state that the orders service keeps of it, the fold of its events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tracked {
    pub order: Order,
    pub trace: TraceParent,
    pub status: Status,
    /// Why it was cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether the customer has asked to cancel it.
    #[serde(default)]
    pub is_cancel_asked: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Status {
    Pending,
    Completed,
    Cancelled,
}

/// All orders, by their ids.
pub(crate) type Orders = BTreeMap<String, Tracked>;
