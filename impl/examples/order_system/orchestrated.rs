//! The variant with a leader: a [saga](crate::saga) for each order, led by the bus's executor.
//!
//! A coordinator listens to the orders, and writes down which are to be led; it starts the saga of each, and when that
//! has ended tells orders how. All of that may happen again after a crash, and changes nothing then: events, sagas and
//! commands are known by their ids.

use std::collections::BTreeMap;
use std::sync::Arc;

use lawspeaker_bus::outbox::{Decision, Entry};
use lawspeaker_bus::saga::{ExecutorConfig, SagaObserver, SagaPhase, SagaStatus, StepRecording};
use lawspeaker_bus::tokio_bus::{TokioBus, TokioSagaError, TokioSagas, TokioService};
use lawspeaker_history::{SagaId, SagaOutcome, StepName};
use tracing::{info, warn};

use crate::event::{Fact, Kind};
use crate::handler::{Ask, handler};
use crate::order::{Orders, Status};
use crate::parts::{Anything, Parts};
use crate::{orders, saga};

/// The orders whose saga is to be started.
type ToStart = BTreeMap<String, Fact>;

/// Leads the sagas. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Leader {
    to_start: TokioService<ToStart>,
    sagas: TokioSagas<Fact>,
    orders: TokioService<Orders>,
    parts: Arc<Parts>,
}

impl Leader {
    /// Which group reads which topics.
    pub(crate) const GROUPS: &'static [(&'static str, &'static [&'static str])] =
        &[("coordinator", &["orders"])];

    /// Opens the executor and has the coordinator listen; sagas that had not ended go on.
    pub(crate) async fn open(
        bus: &TokioBus,
        orders: &TokioService<Orders>,
        parts: &Arc<Parts>,
    ) -> Result<Self, Anything> {
        let definition = saga::definition(bus, orders, parts).await?;
        let config = ExecutorConfig { observer: Arc::new(Log), ..ExecutorConfig::default() };
        let sagas = bus.sagas(definition, StepRecording::ByParticipants, config).await?;
        let to_start = bus.service::<ToStart>("coordinator", parts.service_config()).await?;
        let leader = Leader { to_start, sagas, orders: orders.clone(), parts: Arc::clone(parts) };
        leader.follow_begun().await?;
        leader.to_start.on("orders", handler("coordinator", parts, decide)).await?;
        parts.watch("coordinator", &leader.to_start);
        parts.spawn("coordinator", leader.clone().start_all());
        Ok(leader)
    }

    /// Follows the sagas that have begun, and of which orders does not know yet how they ended.
    async fn follow_begun(&self) -> Result<(), Anything> {
        let pending = |orders: &Orders| {
            let pending = orders.values().filter(|tracked| tracked.status == Status::Pending);
            pending.map(|tracked| Fact::placed(tracked.order.clone(), tracked.trace)).collect::<Vec<_>>()
        };
        for fact in self.orders.view(pending).await? {
            if self.sagas.status(&*fact.order.id).await?.is_some() {
                self.follow(fact).await?;
            }
        }
        Ok(())
    }

    /// Starts the sagas that are to be started.
    async fn start_all(self) -> Result<(), Anything> {
        loop {
            let some = |to_start: &ToStart| {
                let facts: Vec<_> = to_start.values().cloned().collect();
                (!facts.is_empty()).then_some(facts)
            };
            let facts = self.to_start.wait_for(some).await?;
            let mut started = Decision::nothing();
            for fact in facts {
                started = started.and_change(Entry::Removed(fact.order.id.clone()));
                self.follow(fact).await?;
            }
            self.to_start.transact(|_: &ToStart| started).await?;
        }
    }

    /// Starts a saga, unless it has begun already, and tells orders how it ends.
    async fn follow(&self, fact: Fact) -> Result<(), Anything> {
        let under_way = self.parts.under_way();
        let saga = self.sagas.start(&*fact.order.id, &fact).await?;
        let leader = self.clone();
        self.parts.spawn("saga", async move {
            let ended = match saga.ended().await {
                Err(TokioSagaError::Stopped(_)) => return Ok(()),
                ended => ended?,
            };
            leader.tell_end(fact, &ended).await?;
            drop(under_way);
            Ok(())
        });
        Ok(())
    }

    async fn tell_end(&self, fact: Fact, ended: &SagaStatus) -> Result<(), Anything> {
        let (fact, kind) = match ended.phase {
            SagaPhase::Committed => (fact, Kind::Completed),
            _ => (fact.because(ended.failure().map_or("it was given up", |(_, why)| why)), Kind::Cancelled),
        };
        let command = format!("{}/ended", fact.order.id);
        self.orders.command(&*command, move |orders: &Orders| orders::end(orders, &fact, kind)).await?;
        Ok(())
    }

    /// How many sagas are to be started.
    pub(crate) async fn to_start_count(&self) -> Result<usize, Anything> {
        Ok(self.to_start.view(ToStart::len).await?)
    }

    /// Where the saga of an order stands.
    pub(crate) async fn status(&self, order: &str) -> Result<Option<String>, Anything> {
        Ok(self.sagas.status(order).await?.map(|status| status.to_string()))
    }

    /// How many sagas there are in each state.
    pub(crate) async fn counts(&self) -> Result<Vec<(&'static str, i64)>, Anything> {
        let statuses = self.sagas.statuses().await?;
        let count = |phase| statuses.iter().filter(|status| status.phase == phase).count();
        let phases = [
            ("running", SagaPhase::Forward),
            ("compensating", SagaPhase::Backward),
            ("committed", SagaPhase::Committed),
            ("aborted", SagaPhase::Aborted),
        ];
        Ok(phases.map(|(name, phase)| (name, i64::try_from(count(phase)).unwrap_or(i64::MAX))).to_vec())
    }
}

/// What the coordinator makes of an event.
fn decide(_: &ToStart, ask: &Ask<'_>) -> Decision<Entry<String, Fact>> {
    match ask.fact.kind {
        Kind::Placed => Decision::put(&*ask.fact.order.id, ask.fact.clone()),
        _ => Decision::nothing(),
    }
}

/// Logs what sagas do.
#[derive(Debug)]
struct Log;

impl SagaObserver for Log {
    fn recovered(&self, saga: &SagaId) {
        info!(%saga, "taken up again");
    }

    fn step_failed(&self, saga: &SagaId, step: &StepName, reason: &str) {
        warn!(%saga, %step, reason, "turned back");
    }

    fn retried(&self, saga: &SagaId, step: &StepName, attempt: u64) {
        info!(%saga, %step, attempt, "asked again");
    }

    fn compensation_failed(&self, saga: &SagaId, step: &StepName, reason: &str) {
        warn!(%saga, %step, reason, "compensation failed");
    }

    fn ended(&self, saga: &SagaId, outcome: SagaOutcome) {
        info!(%saga, ?outcome, "ended");
    }
}
