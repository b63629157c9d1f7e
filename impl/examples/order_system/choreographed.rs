//! The variant without a leader: each service listens to the others, and answers through its outbox.
//!
//! ```text
//! orders ── placed ──▶ inventory ── reserved ──▶ payments ── charged ──▶ shipping ── shipped ──▶ orders
//!    └───── cancel-asked ──────────────────────────────────────────────▶ shipping
//! shipping ── stopped ──▶ payments ── refunded ──▶ inventory ── released ──▶ orders
//! ```
//! Shipping is the pivot: it has shipped or it stops the order. From there compensations run backwards along the
//! chain, so that they come in reverse order of their steps. See `lawspeaker show choreography` for the model.

use std::sync::Arc;

use lawspeaker_bus::tokio_bus::{TokioBus, TokioService};

use crate::handler::{Ask, handler};
use crate::inventory::Stock;
use crate::order::Orders;
use crate::parts::{Anything, Parts};
use crate::payments::Charges;
use crate::shipping::Shipments;
use crate::{inventory, orders, payments, shipping};

/// The services but orders. They run until the bus is shut down.
#[derive(Debug)]
pub(crate) struct Services {
    inventory: TokioService<Stock>,
    payments: TokioService<Charges>,
    shipping: TokioService<Shipments>,
}

impl Services {
    /// Opens the services and has them listen.
    pub(crate) async fn open(
        bus: &TokioBus,
        orders: &TokioService<Orders>,
        parts: &Arc<Parts>,
    ) -> Result<Self, Anything> {
        let inventory = bus.service::<Stock>("inventory", parts.service_config()).await?;
        let payments = bus.service::<Charges>("payments", parts.service_config()).await?;
        let shipping = bus.service::<Shipments>("shipping", parts.service_config()).await?;
        let in_stock = parts.in_stock;
        for topic in ["inventory", "shipping"] {
            orders.on(topic, handler("orders", parts, orders::decide)).await?;
        }
        for topic in ["orders", "payments"] {
            let decide = move |stock: &Stock, ask: &Ask<'_>| inventory::decide(stock, ask, in_stock);
            inventory.on(topic, handler("inventory", parts, decide)).await?;
        }
        for topic in ["orders", "inventory", "shipping"] {
            payments.on(topic, handler("payments", parts, payments::decide)).await?;
        }
        for topic in ["orders", "payments"] {
            shipping.on(topic, handler("shipping", parts, shipping::decide)).await?;
        }
        parts.watch("inventory", &inventory);
        parts.watch("payments", &payments);
        parts.watch("shipping", &shipping);
        Ok(Services { inventory, payments, shipping })
    }

    /// Which group reads which topics.
    pub(crate) const GROUPS: &'static [(&'static str, &'static [&'static str])] = &[
        ("orders", &["inventory", "shipping"]),
        ("inventory", &["orders", "payments"]),
        ("payments", &["orders", "inventory", "shipping"]),
        ("shipping", &["orders", "payments"]),
    ];

    /// How many events are owed and not published.
    pub(crate) fn owed_count(&self) -> usize {
        let stores = [
            self.inventory.service().store().owed_count(),
            self.payments.service().store().owed_count(),
            self.shipping.service().store().owed_count(),
        ];
        stores.iter().sum()
    }
}
