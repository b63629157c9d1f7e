//! Identifiers and positions, as newtypes: no bare integer or string crosses a function boundary.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::name::tell;

/// The largest integer a history may hold: 2^53 - 1, what every JSON reader can represent exactly.
pub(crate) const MAX_INTEGER: i64 = (1 << 53) - 1;

/// The unique id of an event within a history: a number or a string, as the recorder wrote it.
///
/// `17` and `"17"` are different ids. Payloads are not ids: two sends of the same payload have two ids.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum EventId {
    /// A numeric id.
    Number(i64),
    /// A textual id.
    Name(Arc<str>),
}

impl From<i64> for EventId {
    fn from(number: i64) -> Self {
        EventId::Number(number)
    }
}

impl From<&str> for EventId {
    fn from(name: &str) -> Self {
        EventId::Name(name.into())
    }
}

impl fmt::Display for EventId {
    /// A name that a number would look like stands in quotes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EventId::Number(number) => fmt::Display::fmt(number, f),
            EventId::Name(name) if name.parse::<i64>().is_ok() => f.pad(&format!("{name:?}")),
            EventId::Name(name) => tell(name, f),
        }
    }
}

/// A partition (or stream, or queue) by its name in the history, such as `orders/0`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Partition(Arc<str>);

impl Partition {
    /// The partition `number` of `topic`, named `topic/number`.
    pub fn new(topic: &str, number: u32) -> Self {
        Partition(format!("{topic}/{number}").into())
    }

    /// A partition known by one name: a queue, or a stream without partitions.
    pub fn named(name: &str) -> Self {
        Partition(name.into())
    }

    /// The same, of text that others share.
    pub(crate) fn shared(name: Arc<str>) -> Self {
        Partition(name)
    }

    /// Whether `other` is this partition, or one of its partitions where this is a whole topic: a producer that
    /// leaves the choice to the system sends to `orders` and is acknowledged at `orders/3`.
    pub fn covers(&self, other: &Partition) -> bool {
        match other.0.strip_prefix(&*self.0) {
            Some(rest) => rest.is_empty() || rest.starts_with('/'),
            None => false,
        }
    }

    /// The name, as it stands in the history.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The names of the topics that it may be a partition of, the shortest first: each [covers](Self::covers) it.
    pub fn topics(&self) -> impl Iterator<Item = &str> {
        self.0.match_indices('/').map(|(end, _)| &self.0[..end])
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        tell(&self.0, f)
    }
}

/// A position in a partition; 0 is the first. Below zero is never valid, yet can be observed, so it can be held.
///
/// A position is a number, or a `milliseconds-n` id as Redis Streams have it; one partition uses one kind, and
/// positions of one kind compare as the log orders them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
// INVARIANT: a number within ±(2^53 - 1), or STREAM_ID + milliseconds * ENTRIES_PER_MS + n.
pub struct Offset(i64);

/// Why a number or text is not an [`Offset`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OffsetError {
    /// Beyond 2^53 in either direction.
    #[error("offset `{0}` is beyond 2^53, the largest integer a history may hold")]
    TooLarge(String),
    /// Neither an integer nor a `milliseconds-n` id.
    #[error("`{0}` is no offset: an integer or a `milliseconds-n` id is expected")]
    Malformed(String),
}

impl Offset {
    /// Marks the offsets that are stream ids; above every number.
    const STREAM_ID: i64 = 1 << 62;
    /// How many entries one millisecond of a stream id can hold.
    const ENTRIES_PER_MS: i64 = 1 << 20;

    /// The offset `number`.
    ///
    /// # Errors
    /// [`OffsetError::TooLarge`] beyond 2^53 - 1 in either direction.
    pub fn new(number: i64) -> Result<Self, OffsetError> {
        if number.unsigned_abs() <= MAX_INTEGER.unsigned_abs() {
            Ok(Offset(number))
        } else {
            Err(OffsetError::TooLarge(number.to_string()))
        }
    }

    /// The offset of the `position`-th entry of a log held in memory.
    pub fn of(position: usize) -> Self {
        Offset(i64::try_from(position).unwrap_or(MAX_INTEGER).min(MAX_INTEGER))
    }

    /// The number, or `None` for a stream id.
    pub fn number(self) -> Option<i64> {
        (self.0 < Self::STREAM_ID).then_some(self.0)
    }

    /// The least offset after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Offset(self.0 + 1)
    }

    /// Whether an entry can stand here: zero or above.
    pub fn is_valid(self) -> bool {
        self.0 >= 0
    }
}

impl FromStr for Offset {
    type Err = OffsetError;

    /// Reads an integer, or a `milliseconds-n` id as Redis Streams print it.
    fn from_str(text: &str) -> Result<Self, OffsetError> {
        let malformed = |_| OffsetError::Malformed(text.to_owned());
        let Some((ms, n)) = text.split_once('-').filter(|(ms, _)| !ms.is_empty()) else {
            return Offset::new(text.parse().map_err(malformed)?);
        };
        let ms: i64 = ms.parse().map_err(malformed)?;
        let n: i64 = n.parse().map_err(malformed)?;
        let is_in_range = (0..Self::STREAM_ID / Self::ENTRIES_PER_MS).contains(&ms)
            && (0..Self::ENTRIES_PER_MS).contains(&n);
        if is_in_range {
            Ok(Offset(Self::STREAM_ID + ms * Self::ENTRIES_PER_MS + n))
        } else {
            Err(OffsetError::TooLarge(text.to_owned()))
        }
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number() {
            Some(number) => fmt::Display::fmt(&number, f),
            None => {
                let id = self.0 - Self::STREAM_ID;
                write!(f, "{}-{}", id / Self::ENTRIES_PER_MS, id % Self::ENTRIES_PER_MS)
            }
        }
    }
}

impl fmt::Debug for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Offset({self})")
    }
}

impl Serialize for Offset {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.number() {
            Some(number) => serializer.serialize_i64(number),
            None => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for Offset {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "an integer or a `milliseconds-n` id is expected for an offset")]
        enum Written {
            Number(i64),
            Text(String),
        }
        let offset = match Written::deserialize(deserializer)? {
            Written::Number(number) => Offset::new(number),
            Written::Text(text) => text.parse(),
        };
        offset.map_err(serde::de::Error::custom)
    }
}

/// A single-threaded caller: a number, or a name such as `nemesis` for what is not a client.
///
/// As in Jepsen, a process has at most one call open at a time.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Process {
    /// A numbered client.
    Number(i64),
    /// A named one.
    Name(Arc<str>),
}

impl Process {
    /// The process that injects faults.
    pub fn nemesis() -> Self {
        Process::from("nemesis")
    }
}

impl From<i64> for Process {
    fn from(number: i64) -> Self {
        Process::Number(number)
    }
}

impl From<&str> for Process {
    fn from(name: &str) -> Self {
        Process::Name(name.into())
    }
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Process::Number(number) => fmt::Display::fmt(number, f),
            Process::Name(name) => tell(name, f),
        }
    }
}

/// A consumer group's name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GroupId(Arc<str>);

impl GroupId {
    /// A group by a name that others share.
    pub(crate) fn shared(name: Arc<str>) -> Self {
        GroupId(name)
    }
}

impl From<&str> for GroupId {
    fn from(name: &str) -> Self {
        GroupId(name.into())
    }
}

impl fmt::Display for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        tell(&self.0, f)
    }
}

/// A generation of a consumer group's assignment: it rises with every rebalance, and fences the ones before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Generation(pub u64);

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stream_ids_keep_their_order_and_read_back() {
        let early: Offset = "1795229272508-4095".parse().unwrap();
        let late: Offset = "1795229272509-0".parse().unwrap();
        assert!(early < late);
        assert_eq!(early.to_string(), "1795229272508-4095");
        assert_eq!(serde_json::to_value(early).unwrap(), "1795229272508-4095");
    }

    #[test]
    fn a_topic_covers_its_partitions_and_no_other_topic() {
        let topic = Partition::named("orders");
        assert!(topic.covers(&topic) && topic.covers(&Partition::new("orders", 3)));
        assert!(!topic.covers(&Partition::named("orders-2")) && !Partition::new("orders", 3).covers(&topic));
    }

    #[test]
    fn text_tells_ids_apart_and_stays_on_its_line() {
        let told = |id: EventId| id.to_string();
        assert_eq!([told(17.into()), told("17".into()), told("m17".into())], ["17", "\"17\"", "m17"]);
        assert_eq!([told("a\nb".into()), Partition::named("p\tq").to_string()], [r"a\nb", r"p\tq"]);
    }

    #[test]
    fn offsets_beyond_two_to_the_53_are_refused() {
        assert!(Offset::new(MAX_INTEGER).is_ok());
        assert_eq!(Offset::new(1 << 53), Err(OffsetError::TooLarge("9007199254740992".into())));
        assert_eq!("-1".parse(), Ok(Offset(-1)));
        assert_eq!("1-1048576".parse::<Offset>(), Err(OffsetError::TooLarge("1-1048576".into())));
        assert_eq!("one".parse::<Offset>(), Err(OffsetError::Malformed("one".into())));
    }
}
