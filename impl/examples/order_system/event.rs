//! The events that the services tell one another, with what caused them.
//!
//! An event is called `order/kind`, so whoever decides again on its cause gives it the same name, and an order has one
//! event of each kind. Its key is the order, which keeps the events of an order in their order within a topic. Its
//! correlation id is the order's id, its causation id that of the event that it answers, and its payload carries the
//! order and the `traceparent`, so that nobody has to ask anybody else.

use std::time::{SystemTime, UNIX_EPOCH};

use lawspeaker_bus::message::Message;
use lawspeaker_bus::outbox::Failure;
use serde::{Deserialize, Serialize};

use crate::fault::Step;
use crate::order::Order;
use crate::trace::TraceParent;

macro_rules! kinds {
    ($($variant:ident $name:literal in $topic:literal: $is:literal;)*) => {
        /// What has happened.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub(crate) enum Kind { $(#[doc = $is] $variant),* }

        impl Kind {
            pub(crate) fn name(self) -> &'static str {
                match self { $(Kind::$variant => $name),* }
            }

            /// Where it is published: the topic of the service that tells it.
            pub(crate) fn topic(self) -> &'static str {
                match self { $(Kind::$variant => $topic),* }
            }

            pub(crate) fn named(name: &str) -> Option<Self> {
                match name { $($name => Some(Kind::$variant),)* _ => None }
            }
        }
    };
}

kinds! {
    Placed "placed" in "orders": "There is an order.";
    CancelAsked "cancel-asked" in "orders": "The customer would like to cancel it.";
    Completed "completed" in "orders": "It is carried out.";
    Cancelled "cancelled" in "orders": "It is cancelled, and nothing of it is left.";
    Reserved "reserved" in "inventory": "What was ordered is set aside.";
    OutOfStock "out-of-stock" in "inventory": "There is none.";
    Released "released" in "inventory": "What was set aside is so no more.";
    NothingReserved "nothing-reserved" in "inventory": "Nothing was set aside, and nothing will be.";
    Charged "charged" in "payments": "The customer has paid.";
    Declined "declined" in "payments": "The customer cannot pay.";
    Refunded "refunded" in "payments": "The customer has their money back.";
    NothingCharged "nothing-charged" in "payments": "The customer has not paid, and will not.";
    Shipped "shipped" in "shipping": "It is on its way.";
    Stopped "stopped" in "shipping": "It was cancelled before it was on its way, and will not be.";
}

/// The topics, one for each service.
pub(crate) const TOPICS: [&str; 4] = ["orders", "inventory", "payments", "shipping"];

impl Kind {
    /// The step that the event asks for, in the choreography.
    pub(crate) fn asks_for(self) -> Option<Step> {
        match self {
            Kind::Placed => Some(Step::Reserve),
            Kind::Reserved => Some(Step::Charge),
            Kind::Charged => Some(Step::Ship),
            _ => None,
        }
    }
}

/// An event, read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Fact {
    pub kind: Kind,
    pub order: Order,
    pub traceparent: TraceParent,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Fact {
    /// The first event of an order.
    pub(crate) fn placed(order: Order, trace: TraceParent) -> Self {
        let traceparent = trace.span(&id(&order, Kind::Placed));
        Fact { kind: Kind::Placed, order, traceparent, reason: None }
    }

    /// The event that a message holds.
    ///
    /// # Errors
    /// What serde says; such a message ends with the dead letters.
    pub(crate) fn read(message: &Message) -> Result<Self, Failure> {
        Ok(serde_json::from_slice(&message.payload)?)
    }

    /// What follows from it.
    pub(crate) fn next(&self, kind: Kind) -> Self {
        let traceparent = self.traceparent.span(&id(&self.order, kind));
        Fact { kind, traceparent, ..self.clone() }
    }

    /// The same, for a reason.
    pub(crate) fn because(self, reason: &str) -> Self {
        Fact { reason: Some(reason.to_owned()), ..self }
    }

    /// The topic that it goes to, and the message. Its causation id is added by whoever handles its cause.
    pub(crate) fn message(self) -> (&'static str, Message) {
        let payload = serde_json::to_vec(&self).expect("a fact can be written as JSON");
        let id = self.id();
        let mut message = Message::new(id.as_str(), payload).key(&*self.order.id).kind(self.kind.name());
        message.metadata.correlation_id = Some(self.order.id.as_str().into());
        message.metadata.version = Some(1);
        message.time_ms = now_ms();
        (self.kind.topic(), message)
    }

    /// What the event is called.
    pub(crate) fn id(&self) -> String {
        id(&self.order, self.kind)
    }
}

fn id(order: &Order, kind: Kind) -> String {
    format!("{}/{}", order.id, kind.name())
}

fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}
