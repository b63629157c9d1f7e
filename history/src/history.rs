//! A whole history in memory.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Op, ReadError, Reader};

/// The optional first line of a history: what was recorded, and how much of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// The profile that fits the system, such as `kafka`; the caller of the oracle may choose another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Where it came from: system, version, faults.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Whether the recording ran to its end: the final reads and the draining of groups are whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complete: Option<bool>,
    /// How the system was set up, as far as its promises go.
    #[serde(default, skip_serializing_if = "Limits::is_empty")]
    pub limits: Limits,
    /// Fields the format does not know, kept as they were.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

/// What a system was set up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Limits {
    /// How long a consumer has to acknowledge, in milliseconds, until what it has in hand is delivered again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ack_wait_ms: Option<u64>,
    /// How often an event is delivered to a group at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_deliveries: Option<u64>,
}

impl Limits {
    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        *self == Limits::default()
    }

    /// What is said here, and of the rest what `other` says.
    #[must_use]
    pub fn or(self, other: Limits) -> Limits {
        Limits {
            ack_wait_ms: self.ack_wait_ms.or(other.ack_wait_ms),
            max_deliveries: self.max_deliveries.or(other.max_deliveries),
        }
    }
}

/// A header and the ops after it, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// What was recorded.
    pub header: Header,
    /// What happened.
    pub ops: Vec<Op>,
}

impl History {
    /// A history of `ops` that nobody read from a file: places are given in order.
    pub fn of(ops: impl IntoIterator<Item = Op>) -> Self {
        let place = |(index, mut op): (usize, Op)| {
            op.index = index as u64;
            op.line = index as u64 + 1;
            op
        };
        History { header: Header::default(), ops: ops.into_iter().enumerate().map(place).collect() }
    }

    /// Reads a whole history. O(n) in the length of the input.
    ///
    /// # Errors
    /// [`ReadError`] with the number of the first line that cannot be read.
    pub fn read(input: impl std::io::BufRead) -> Result<Self, ReadError> {
        let mut reader = Reader::new(input)?;
        let header = reader.header().clone();
        let ops = reader.by_ref().collect::<Result<_, _>>()?;
        Ok(History { header, ops })
    }
}
