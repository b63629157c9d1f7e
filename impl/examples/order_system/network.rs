//! A network that delivers some messages twice: those whose order says so (`duplicate@…`).

use std::collections::BTreeSet;

use lawspeaker_bus::message::Message;
use lawspeaker_bus::tokio_bus::TokioBus;
use tracing::warn;

use crate::event::{Fact, Kind};
use crate::fault::FaultKind;
use crate::parts::{Anything, Parts};

/// The topics whose events ask for steps.
pub(crate) const TOPICS: &[&str] = &["orders", "inventory", "payments"];

/// Copies what is to come twice, until the program stops.
pub(crate) async fn open(bus: &TokioBus, parts: &Parts) -> Result<(), Anything> {
    for topic in TOPICS {
        let consumer = bus.consumer("network", *topic).await?;
        let producer = bus.producer(*topic, "network").await?;
        let mut copied = BTreeSet::new();
        parts.listen("network", consumer, move |message| {
            // The copy comes by here too.
            let is_copied = is_doubled(&message) && copied.insert(message.id.clone());
            let producer = producer.clone();
            async move {
                if is_copied {
                    warn!(event = %message.id, "the network delivers it twice");
                    producer.publish(message).await?;
                }
                Ok(())
            }
        });
    }
    Ok(())
}

fn is_doubled(message: &Message) -> bool {
    let step = Kind::named(&message.kind).and_then(Kind::asks_for);
    let is_to_be = |step| Fact::read(message).is_ok_and(|fact| fact.order.has(FaultKind::Duplicate, step));
    step.is_some_and(is_to_be)
}
