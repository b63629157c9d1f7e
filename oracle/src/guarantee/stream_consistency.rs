//! Stream consistency: a stream is one gapless sequence of events that appends extend at the version they expect.
//!
//! A version is the place of an event in its stream, from 0. What was read stands there, whoever wrote it, and so does what
//! an append was told; an append of unknown outcome is held against nobody. Nothing here goes by time.
//!
//! * `lost-concurrency-check`: an append was accepted at another version than the one that it expected.
//! * `version-conflict`: two events stand at one version.
//! * `version-gap`: a read of a stream steps over a version.
//! * `global-order-violation`: two events of a stream stand the other way round in the order of all.
//! * `projection-skip`, `projection-duplicate`: a projection goes past an event, or takes one twice.
//! * `snapshot-divergence`: two snapshots of one stream at one version differ.
//!
//! Source: Young, *CQRS Documents*, 2010, and the event stores that came of it; each part says more.
//! Cost: O(n log n) in appends, reads, snapshots and what projections took.

mod concurrency;
mod conflict;
mod gap;
mod global_order;
mod projection_duplicate;
mod projection_skip;
mod snapshot;

use crate::evidence::Evidence;
use crate::results::Results;

pub(crate) fn check(evidence: &Evidence, results: &mut Results) {
    if evidence.streams.is_empty() {
        return;
    }
    concurrency::check(evidence, results);
    conflict::check(evidence, results);
    gap::check(evidence, results);
    global_order::check(evidence, results);
    projection_skip::check(evidence, results);
    projection_duplicate::check(evidence, results);
    snapshot::check(evidence, results);
}
