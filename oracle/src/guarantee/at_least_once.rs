//! At least once: what was acknowledged is processed by every group, and what is committed was processed.
//!
//! * `unseen`: an acknowledged event that nobody had read when the recording ended, and that is not a `lost-write`,
//!   although the header says that the recording is complete, or the final read of that very partition went past it, or,
//!   in a queue without offsets, it is a `group-loss`.
//! * `group-loss`: an acknowledged event of a partition that a group reads, never delivered to the group, although the
//!   group committed a position past it; or the recording is complete; or the final read had begun, so that draining was
//!   over; or, while drained, the group was given from that partition an event sent after it was acknowledged.
//!
//! A recording may be cut anywhere: what is not decided so may be on its way, and is told as undecided.
//!
//! * `commit-ahead`: a position is committed past an event that exists and was not delivered to the group before, or
//!   past the end of the log; or a delivery is acknowledged that never was one.
//!
//! * `dlq-loss`: a delivery was surely rejected, dead letters are recorded or the profile says that there are some, the
//!   recording is complete, and the event was neither dead-lettered nor delivered again, as far as anybody knows.
//! * `dlq-early`: an event was surely dead-lettered, the profile says how often it may be delivered, it cannot have been
//!   delivered as often, and nobody rejected it; `x.reason` of another kind (`expired`, `maxlen`) excuses.
//!
//! * `stuck-consumer`: a reader asks for one place three times or more in a row, to its end and after the last fault, and
//!   gets nothing, though an event surely stood there.
//!
//! An event below the first offset that a group was given, sent before the group was first seen, is not owed: the group may
//! have begun at the end of the log, and what was not acknowledged yet may have stood there already.
//!
//! Source: `unseen` is Jepsen's (kafka); the others are ours, for no checker we know looks at groups.
//! Cost: O(n log n) in sends, reads and commits, times the groups of a partition.
//!
//! ```text
//! send a ok at 0 · poll p for g: 1 b · commit p at 2 for g        a is passed over
//! ```

mod commit_ahead;
mod dead_letter;
mod group_loss;
mod stuck_consumer;
mod unseen;

use std::collections::HashSet;

use lawspeaker_history::Guarantee;

use crate::Profile;
use crate::evidence::{EventKey, Evidence, coverage};
use crate::results::Results;

/// Looks for all of them; `lost` is what the log lost, which nobody can see.
pub(crate) fn check(evidence: &Evidence, profile: &Profile, lost: &HashSet<EventKey>, results: &mut Results) {
    let groups = coverage(evidence);
    if groups.is_empty() {
        results.undecided(Guarantee::AtLeastOnce, "no consumer group in this history");
    }
    let lost_to_group = group_loss::check(evidence, &groups, results);
    unseen::check(evidence, lost, &lost_to_group, results);
    commit_ahead::check_commits(evidence, &groups, results);
    commit_ahead::check_acknowledgements(evidence, results);
    stuck_consumer::check(evidence, results);
    dead_letter::lost(evidence, profile, results);
    dead_letter::early(evidence, profile, results);
}
