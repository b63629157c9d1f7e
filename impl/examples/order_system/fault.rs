//! What goes wrong with an order, on purpose: it says so itself, so that a run can be repeated.
//!
//! A server takes such orders only with `--allow-faults`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::order::Order;

/// What goes wrong at which step; written `refuse@charge`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(crate) struct Fault {
    pub kind: FaultKind,
    pub step: Step,
}

macro_rules! named {
    ($(#[$doc:meta])* $name:ident, $what:literal: $($variant:ident $text:literal),*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) enum $name { $($variant),* }

        impl $name {
            pub(crate) fn name(self) -> &'static str {
                match self { $($name::$variant => $text),* }
            }
        }

        impl FromStr for $name {
            type Err = FaultError;

            fn from_str(text: &str) -> Result<Self, FaultError> {
                match text {
                    $($text => Ok($name::$variant),)*
                    _ => Err(FaultError::Unknown { what: $what, text: text.to_owned(), known: &[$($text),*] }),
                }
            }
        }
    };
}

named! {
    /// What goes wrong.
    FaultKind, "fault":
    Refuse "refuse",       // the service says no; asked again it would say yes
    TimeOut "time-out",    // the service does it, and its answer is lost
    Late "late",           // the message is under way until a cancellation has overtaken it
    Duplicate "duplicate", // the message comes twice
    FailUndo "fail-undo"   // the first attempt to undo it fails
}

named! {
    /// Where.
    Step, "step":
    Reserve "reserve", Charge "charge", Accept "accept", Ship "ship"
}

/// Why a text names no fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FaultError {
    #[error("`{0}` is no fault: `refuse@charge` is one")]
    Form(String),
    #[error("there is no {what} `{text}`; there are {}", known.join(", "))]
    Unknown { what: &'static str, text: String, known: &'static [&'static str] },
}

impl TryFrom<String> for Fault {
    type Error = FaultError;

    fn try_from(text: String) -> Result<Self, FaultError> {
        text.parse()
    }
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let (kind, step) = text.split_once('@').ok_or_else(|| FaultError::Form(text.to_owned()))?;
        Ok(Fault { kind: kind.parse()?, step: step.parse()? })
    }
}

impl From<Fault> for String {
    fn from(fault: Fault) -> String {
        fault.to_string()
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.kind.name(), self.step.name())
    }
}

/// Which faults were met since the process began, and how often.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    met: Mutex<BTreeMap<(String, Fault), u32>>,
    overtaken: watch::Sender<BTreeSet<(String, Step)>>,
}

impl Faults {
    /// Which time it is, from 1, that this fault of the order is met; `None` if the order has none such.
    pub(crate) fn meet(&self, order: &Order, kind: FaultKind, step: Step) -> Option<u32> {
        order.has(kind, step).then(|| {
            let mut met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
            let count = met.entry((order.id.clone(), Fault { kind, step })).or_default();
            *count += 1;
            *count
        })
    }

    /// Whether it is met for the first time.
    pub(crate) fn meet_first(&self, order: &Order, kind: FaultKind, step: Step) -> bool {
        self.meet(order, kind, step) == Some(1)
    }

    /// What would undo the step has come: a late message that asks for it comes now.
    pub(crate) fn overtake(&self, order: &Order, step: Step) {
        self.overtaken.send_if_modified(|overtaken| overtaken.insert((order.id.clone(), step)));
    }

    /// Whether what would undo the step has come before it.
    pub(crate) fn is_overtaken(&self, order: &Order, step: Step) -> bool {
        self.overtaken.borrow().contains(&(order.id.clone(), step))
    }

    /// Waits until what would undo the step has come.
    pub(crate) async fn overtaken(&self, order: &Order, step: Step) {
        let mut overtaken = self.overtaken.subscribe();
        let key = (order.id.clone(), step);
        // An error would mean that the sender is gone, and it is part of `self`.
        drop(overtaken.wait_for(|overtaken| overtaken.contains(&key)).await);
    }
}

impl Order {
    /// Whether this is to go wrong with it.
    pub(crate) fn has(&self, kind: FaultKind, step: Step) -> bool {
        self.faults.contains(&Fault { kind, step })
    }
}
