//! How a service handles an event: it reads it, decides, and logs that; and goes wrong where the order says so.

use std::sync::Arc;

use lawspeaker_bus::message::Message;
use lawspeaker_bus::outbox::{Decision, Failure, Handler, State};

use crate::event::{Fact, Kind};
use crate::fault::{FaultKind, Step};
use crate::guard::Guards;
use crate::log;
use crate::parts::Parts;

/// An event that a service is to decide on.
#[derive(Debug)]
pub(crate) struct Ask<'a> {
    pub fact: &'a Fact,
    /// Whether the service says no for a reason of its business.
    pub is_refused: bool,
    pub guards: Guards,
}

/// Adds what follows from an event.
pub(crate) trait Tell {
    /// The decision, and an event of this kind as what follows from `cause`.
    fn tell(self, cause: &Fact, kind: Kind) -> Self;
}

impl<C> Tell for Decision<C> {
    fn tell(self, cause: &Fact, kind: Kind) -> Self {
        let (topic, message) = cause.next(kind).message();
        self.emit(topic, message)
    }
}

/// How often a late message is tried before it comes all the same: longer than any cancellation takes.
const LATE_ATTEMPTS: u32 = 500;

/// A handler as the bus takes it: it reads the event, has `decide` decide, times and logs that; and goes wrong where
/// the order says so.
pub(crate) fn handler<S: State>(
    service: &'static str,
    parts: &Arc<Parts>,
    decide: impl Fn(&S, &Ask<'_>) -> Decision<S::Change> + Send + Sync + 'static,
) -> impl Handler<S> {
    let parts = Arc::clone(parts);
    move |state: &S, event: &Message| {
        let fact = Fact::read(event)?;
        let step = fact.kind.asks_for().filter(|step| owner(*step) == service);
        if let Some(step) = step {
            parts.go_wrong(&fact, step)?;
        }
        if let Some(step) = undoes(service, fact.kind) {
            parts.go_wrong_undoing(&fact, step)?;
        }
        let is_refused =
            step.is_some_and(|step| parts.faults.meet_first(&fact.order, FaultKind::Refuse, step));
        let ask = Ask { fact: &fact, is_refused, guards: parts.guards };
        let decision = parts.metrics.timed(service, || decide(state, &ask));
        log::decided(service, &fact, event, &decision);
        Ok(decision)
    }
}

/// Whose step it is.
fn owner(step: Step) -> &'static str {
    match step {
        Step::Reserve => "inventory",
        Step::Charge => "payments",
        Step::Accept | Step::Ship => "shipping",
    }
}

/// The step of `service` that is not to be done any more, or to be undone, after such an event.
fn undoes(service: &str, kind: Kind) -> Option<Step> {
    match (service, kind) {
        ("inventory", Kind::Declined | Kind::Refunded | Kind::NothingCharged) => Some(Step::Reserve),
        ("payments", Kind::Stopped | Kind::Cancelled) => Some(Step::Charge),
        ("shipping", Kind::CancelAsked) => Some(Step::Ship),
        _ => None,
    }
}

impl Parts {
    /// Fails as the order says a message does that is late, or whose service does not answer.
    fn go_wrong(&self, fact: &Fact, step: Step) -> Result<(), Failure> {
        let is_met =
            |kind, up_to| self.faults.meet(&fact.order, kind, step).is_some_and(|time| time <= up_to);
        if !self.faults.is_overtaken(&fact.order, step) && is_met(FaultKind::Late, LATE_ATTEMPTS) {
            return Err(Failure::new("the message is late"));
        }
        if is_met(FaultKind::TimeOut, 2) {
            return Err(Failure::new("the service does not answer"));
        }
        Ok(())
    }

    fn go_wrong_undoing(&self, fact: &Fact, step: Step) -> Result<(), Failure> {
        if self.faults.meet_first(&fact.order, FaultKind::FailUndo, step) {
            return Err(Failure::new("the service cannot undo it now"));
        }
        self.faults.overtake(&fact.order, step);
        Ok(())
    }
}
