//! Vector clocks: what an event can have known of, as one counter a process.
//!
//! Of two clocks that were kept by the rules (tick at each step, join at each receipt), one is below the other just if
//! its event happened before the other's. Source: Lamport, *Time, Clocks, and the Ordering of Events in a Distributed
//! System*, 1978; Fidge, 1988; Mattern, *Virtual Time and Global States of Distributed Systems*, 1989; Schwarz and
//! Mattern, *Detecting Causal Relationships in Distributed Computations: In Search of the Holy Grail*, 1994.
//! Cost: every operation is linear in the number of processes named.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::MAX_INTEGER;

/// A counter for each process by its name. A process that is not named stands at 0.
///
/// ```
/// use lawspeaker_history::VectorClock;
///
/// let mut sent = VectorClock::default();
/// sent.tick("cart");
/// let mut received = VectorClock::default();
/// received.tick("stock");
/// assert_eq!(sent.compare(&received), None);
/// received.join(&sent);
/// received.tick("stock");
/// assert!(sent.happened_before(&received));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, u64>", into = "BTreeMap<String, u64>")]
// INVARIANT: no entry is 0, so that equal clocks are equal; none is above 2^53 - 1.
pub struct VectorClock(BTreeMap<String, u64>);

impl VectorClock {
    /// The largest count, 2^53 - 1: what every JSON reader can represent exactly.
    pub const MAX_COUNT: u64 = MAX_INTEGER.unsigned_abs();

    /// Counts one step of `process`; at [`VectorClock::MAX_COUNT`] the clock stands still.
    pub fn tick(&mut self, process: &str) {
        let count = self.0.entry(process.to_owned()).or_default();
        *count = (*count + 1).min(Self::MAX_COUNT);
    }

    /// Learns all that `other` knows.
    pub fn join(&mut self, other: &VectorClock) {
        for (process, theirs) in &other.0 {
            let ours = self.0.entry(process.clone()).or_default();
            *ours = (*ours).max(*theirs);
        }
    }

    /// Whether the event of this clock happened before the event of `other`.
    pub fn happened_before(&self, other: &VectorClock) -> bool {
        self.compare(other) == Some(Ordering::Less)
    }

    /// How the events stand to one another; `None` if they are concurrent.
    pub fn compare(&self, other: &VectorClock) -> Option<Ordering> {
        match (self.is_within(other), other.is_within(self)) {
            (true, true) => Some(Ordering::Equal),
            (true, false) => Some(Ordering::Less),
            (false, true) => Some(Ordering::Greater),
            (false, false) => None,
        }
    }

    fn is_within(&self, other: &VectorClock) -> bool {
        self.0.iter().all(|(process, count)| *count <= other.count(process))
    }

    /// How many steps of `process` it knows of.
    pub fn count(&self, process: &str) -> u64 {
        self.0.get(process).copied().unwrap_or_default()
    }

    /// The processes it knows of, by name, with their counts.
    pub fn entries(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|(process, count)| (process.as_str(), *count))
    }

    /// The sum of all counts: if one event happened before another, its sum is the lower one.
    pub fn sum(&self) -> u64 {
        self.0.values().fold(0, |sum, count| sum.saturating_add(*count))
    }
}

/// A count above [`VectorClock::MAX_COUNT`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("count {count} of `{process}` is beyond 2^53, the largest integer a history may hold")]
pub struct ClockError {
    /// Whose.
    pub process: String,
    /// What was counted.
    pub count: u64,
}

impl TryFrom<BTreeMap<String, u64>> for VectorClock {
    type Error = ClockError;

    fn try_from(mut counts: BTreeMap<String, u64>) -> Result<Self, ClockError> {
        counts.retain(|_, count| *count > 0);
        match counts.iter().find(|(_, count)| **count > Self::MAX_COUNT) {
            Some((process, count)) => Err(ClockError { process: process.clone(), count: *count }),
            None => Ok(VectorClock(counts)),
        }
    }
}

impl From<VectorClock> for BTreeMap<String, u64> {
    fn from(clock: VectorClock) -> Self {
        clock.0
    }
}

impl fmt::Display for VectorClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told: Vec<_> = self.0.iter().map(|(process, count)| format!("{process}: {count}")).collect();
        write!(f, "{{{}}}", told.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(text: &str) -> VectorClock {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn clocks_compare_as_their_events_are_ordered() {
        let check =
            |one: &str, other: &str, expected| assert_eq!(clock(one).compare(&clock(other)), expected);
        check(r#"{"a":1}"#, r#"{"a":1,"b":1}"#, Some(Ordering::Less));
        check(r#"{"a":2,"b":1}"#, r#"{"a":1,"b":1}"#, Some(Ordering::Greater));
        check(r#"{"a":1,"b":0}"#, r#"{"a":1}"#, Some(Ordering::Equal));
        check(r#"{"a":1}"#, r#"{"b":1}"#, None);
    }

    #[test]
    fn a_receipt_is_after_its_send_and_after_all_that_the_sender_knew() {
        let (mut first, mut sender, mut receiver) = <(VectorClock, VectorClock, VectorClock)>::default();
        first.tick("a");
        sender.join(&first);
        sender.tick("b");
        receiver.tick("c");
        receiver.join(&sender);
        receiver.tick("c");
        assert!(first.happened_before(&receiver) && sender.happened_before(&receiver));
        assert_eq!((receiver.to_string(), receiver.sum()), ("{a: 1, b: 1, c: 2}".to_owned(), 4));
    }

    #[test]
    fn a_count_beyond_2_to_the_53_is_refused() {
        assert!(serde_json::from_str::<VectorClock>(r#"{"a":9007199254740992}"#).is_err());
        assert!(serde_json::from_str::<VectorClock>(r#"{"a":-1}"#).is_err());
    }
}
