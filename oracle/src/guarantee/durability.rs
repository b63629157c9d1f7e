//! Durability: what was acknowledged is in the log, through every crash.
//!
//! * `lost-write`: an acknowledged event that is not there. Which readers can tell:
//!   1. With a final read of the partition (a fresh reader of no group that read it from the beginning), an event that
//!      the final read passed and did not see is lost, even if it was read before. Beyond the end of the final read it
//!      is lost if the header says that the recording is complete, or if the final read holds an event that was sent
//!      to the partition after this one was acknowledged: the log went back, and no cut of the file explains that.
//!   2. Without one, Jepsen's rule: an event that nobody ever read, at or below the highest offset that any completed
//!      read of the partition reached. Reads of competing consumers do not count, for each sees only a part. What stands
//!      below the first offset of a group and was sent before the group was seen does not count either, nor does what stands
//!      below where a reader of no group said that it reads on (`x.from`, a `seek`).
//!   3. Without one too, an event whose offset was given to another that was sent after this one was acknowledged, and
//!      that nobody read since: a log that only grows does not do that.
//!   4. An event that was read from a log that everybody reads, and is not in the final read: what was read was committed,
//!      as Jepsen has it. So an event is lost whose send nobody acknowledged; and, where no sends are recorded at all, one
//!      that only readers know of.
//! * `redelivery-after-ack`: an event is delivered again to a group, by a read that was invoked after an
//!   acknowledgement of it by the same group was confirmed. Unconfirmed acknowledgements prove nothing,
//!   nor do any others of a group that has some.
//!
//! A send of unknown outcome that nobody read is never lost. A work queue owes an event only until it was delivered.
//!
//! Source: Jepsen, kafka: `lost-write`; final reads and redeliveries are ours.
//! Cost: O(n log n) in sends and reads.
//!
//! ```text
//! send a ok at 0, b ok at 1, c ok at 2 · poll p: 0 a, 2 c           b is lost
//! receive a · ack a ok · receive a                                  the acknowledgement is lost
//! ```

mod lost_write;
mod readers;
mod redelivery;
mod spans;

use std::collections::HashSet;

use lawspeaker_history::Guarantee;

use crate::Profile;
use crate::evidence::{EventKey, Evidence};
use crate::results::Results;

/// Looks for both anomalies; answers with the events that are lost.
pub(crate) fn check(evidence: &Evidence, profile: &Profile, results: &mut Results) -> HashSet<EventKey> {
    let lost = lost_write::check(evidence, profile, results);
    redelivery::check(evidence, results);
    if !results.has_checked(Guarantee::Durability) {
        results.undecided(
            Guarantee::Durability,
            "no acknowledged send could be compared with a reader of everything, and no acknowledgement of a delivery \
             was confirmed; a final read (`phase: final`) would help",
        );
    }
    lost
}
