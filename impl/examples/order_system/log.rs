//! What the program logs: JSON Lines on stderr, each with the trace and the causes of what it tells.

use lawspeaker_bus::message::Message;
use lawspeaker_bus::outbox::Decision;
use lawspeaker_history::EventId;
use tracing::{Level, info};

use crate::event::Fact;

/// Logs go to stderr from now on, from `level` up.
pub(crate) fn start(level: Level) {
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .init();
}

/// A service has decided on an event.
pub(crate) fn decided<C>(service: &str, fact: &Fact, event: &Message, decision: &Decision<C>) {
    let emits: Vec<_> = decision.events().map(|(_, message)| message.id.to_string()).collect();
    if emits.is_empty() && decision.refusal().is_none() {
        return;
    }
    info!(
        service,
        event = %event.id,
        correlation_id = text(event.metadata.correlation_id.as_ref()),
        causation_id = text(event.metadata.causation_id.as_ref()),
        trace_id = fact.traceparent.trace_id(),
        span_id = fact.traceparent.span_id(),
        emits = emits.join(" "),
        refusal = decision.refusal(),
        "decided"
    );
}

fn text(id: Option<&EventId>) -> String {
    id.map(EventId::to_string).unwrap_or_default()
}
