//! The trace that a request belongs to, as the W3C recommendation *Trace Context* writes it: `traceparent`.
//!
//! Each event is a span of its own, whose number is made from its id: a handler that decides again on the same event
//! gives the same.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A `traceparent` of version 00, such as `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(crate) struct TraceParent {
    trace: u128,
    span: u64,
    flags: u8,
}

/// It is no `traceparent`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no traceparent: `00-` and 32, 16 and 2 hexadecimal digits are expected, with hyphens between them"
)]
pub(crate) struct TraceParentError(String);

impl TraceParent {
    /// The beginning of a trace that nobody else has begun.
    pub(crate) fn begin(name: &str) -> Self {
        let high = u128::from(hash(name, 1)) << 64;
        TraceParent { trace: high | u128::from(hash(name, 2)), span: hash(name, 3), flags: 1 }
    }

    /// The span `name` of the same trace.
    pub(crate) fn span(self, name: &str) -> Self {
        TraceParent { span: hash(name, 3), ..self }
    }

    /// The trace, as it stands in logs.
    pub(crate) fn trace_id(self) -> String {
        format!("{:032x}", self.trace)
    }

    /// The span, as it stands in logs.
    pub(crate) fn span_id(self) -> String {
        format!("{:016x}", self.span)
    }
}

/// FNV-1a, never 0, which no trace and no span may be.
fn hash(name: &str, salt: u8) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    std::iter::once(salt).chain(name.bytes()).fold(0xcbf2_9ce4_8422_2325, step).max(1)
}

impl TryFrom<String> for TraceParent {
    type Error = TraceParentError;

    fn try_from(text: String) -> Result<Self, TraceParentError> {
        parse(&text).ok_or(TraceParentError(text))
    }
}

fn parse(text: &str) -> Option<TraceParent> {
    let mut parts = text.split('-');
    let mut next = |length: usize| {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        parts.next().filter(|part| part.len() == length && part.bytes().all(is_digit))
    };
    let (version, trace, span, flags) = (next(2)?, next(32)?, next(16)?, next(2)?);
    let parent = TraceParent {
        trace: u128::from_str_radix(trace, 16).ok().filter(|trace| *trace != 0)?,
        span: u64::from_str_radix(span, 16).ok().filter(|span| *span != 0)?,
        flags: u8::from_str_radix(flags, 16).ok()?,
    };
    // A later version may say more behind the flags; what is known of it reads the same.
    let is_known = if version == "00" { parts.next().is_none() } else { version != "ff" };
    is_known.then_some(parent)
}

impl From<TraceParent> for String {
    fn from(parent: TraceParent) -> String {
        parent.to_string()
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace, self.span, self.flags)
    }
}
