//! The saga of an order.
//!
//! ```text
//! reserve (release) ▶ charge (refund) ▶ accept, the pivot ▶ ship, until it is done
//! ```

use std::sync::Arc;
use std::time::Duration;

use lawspeaker_bus::saga::{RetryPolicy, StepContext, StepError};
use lawspeaker_bus::tokio_bus::{TokioBus, TokioSagaDefinition, TokioService};

use crate::actor::Actor;
use crate::event::Fact;
use crate::fault::Step;
use crate::inventory::{Reservation, Warehouse};
use crate::order::Orders;
use crate::parts::{Anything, Parts};
use crate::{payments, shipping};

/// How long a service may take for a step.
const TIMEOUT: Duration = Duration::from_secs(1);
/// How often a step that can be undone is asked for, and when again.
const RETRY: RetryPolicy = RetryPolicy {
    max_attempts: 2,
    first_pause: Duration::from_millis(20),
    max_pause: Duration::from_secs(1),
};

/// What a step is given: the event that the order was placed, whoever asks, and how often.
type Context = StepContext<Fact>;

/// The services, as the saga asks them.
struct Services {
    warehouse: Warehouse,
    orders: TokioService<Orders>,
    reserve: Actor,
    charge: Actor,
    accept: Actor,
    ship: Actor,
}

/// The saga of an order.
pub(crate) async fn definition(
    bus: &TokioBus,
    orders: &TokioService<Orders>,
    parts: &Arc<Parts>,
) -> Result<TokioSagaDefinition<Fact>, Anything> {
    let services = Arc::new(Services::open(bus, orders, parts).await?);
    let definition = TokioSagaDefinition::builder("order");
    let (reserve, release) = (by(&services, Services::reserve), by(&services, Services::release));
    let definition = definition.step("reserve", reserve, release).timeout(TIMEOUT).retry(RETRY);
    let (charge, refund) = (by(&services, Services::charge), by(&services, Services::refund));
    let definition = definition.step("charge", charge, refund).timeout(TIMEOUT).retry(RETRY);
    let definition = definition.pivot("accept", by(&services, Services::accept));
    let definition = definition.timeout(TIMEOUT).retry(RETRY);
    let definition = definition.retriable("ship", by(&services, Services::ship));
    Ok(definition.timeout(TIMEOUT).retry(RETRY).build()?)
}

/// An action, as a definition takes it.
fn by<F>(
    services: &Arc<Services>,
    act: fn(Arc<Services>, Context) -> F,
) -> impl Fn(Context) -> F + Send + Sync + 'static
where
    F: 'static,
{
    let services = Arc::clone(services);
    move |context| act(Arc::clone(&services), context)
}

impl Services {
    async fn open(
        bus: &TokioBus,
        orders: &TokioService<Orders>,
        parts: &Arc<Parts>,
    ) -> Result<Self, Anything> {
        let reserve = Actor::open(bus, "inventory", Step::Reserve, parts).await?;
        Ok(Services {
            warehouse: Warehouse::new(&reserve.participant, parts.in_stock)?,
            orders: orders.clone(),
            reserve,
            charge: Actor::open(bus, "payments", Step::Charge, parts).await?,
            accept: Actor::open(bus, "shipping", Step::Accept, parts).await?,
            ship: Actor::open(bus, "shipping", Step::Ship, parts).await?,
        })
    }

    async fn reserve(self: Arc<Self>, context: Context) -> Result<Reservation, StepError> {
        let (warehouse, order) = (self.warehouse.clone(), context.input().order.clone());
        self.reserve.act(context, move || warehouse.reserve(&order)).await
    }

    async fn release(self: Arc<Self>, context: Context) -> Result<(), StepError> {
        self.reserve.undo(&context).await?;
        self.warehouse.release(&context.input().order);
        Ok(())
    }

    async fn charge(self: Arc<Self>, context: Context) -> Result<u64, StepError> {
        let order = context.input().order.clone();
        self.charge.act(context, move || Ok(payments::charge(&order)?)).await
    }

    async fn refund(self: Arc<Self>, context: Context) -> Result<(), StepError> {
        self.charge.undo(&context).await
    }

    /// Shipping decides on what the customer has asked until now.
    async fn accept(self: Arc<Self>, context: Context) -> Result<(), StepError> {
        let id = context.input().order.id.clone();
        let is_asked = move |orders: &Orders| orders.get(&id).is_some_and(|order| order.is_cancel_asked);
        let is_asked = self.orders.view(is_asked).await?;
        self.accept.act(context, move || shipping::accept(is_asked)).await
    }

    async fn ship(self: Arc<Self>, context: Context) -> Result<String, StepError> {
        let order = context.input().order.clone();
        self.ship.act(context, move || Ok(shipping::tracking_number(&order))).await
    }
}
