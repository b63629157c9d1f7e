//! `version-gap`: one read of a stream gives two events one after the other whose versions are not neighbours, whichever way
//! it reads.
//!
//! Positions in the order of all have holes where events were never committed, and are not judged.
//!
//! Source: ours; `int-poll-skip` of Jepsen's kafka workload, of streams.
//! Cost: O(n log n) in reads.
//!
//! ```text
//! read-stream 0 a, 2 c        nothing at 1
//! ```

use crate::case::Found;
use crate::evidence::{EventKey, Evidence, StreamRead};
use crate::results::Results;
use crate::{Anomaly, explain};

pub(super) fn check(evidence: &Evidence, results: &mut Results) {
    let streams = &evidence.streams;
    let mut count = 0;
    for (one, next) in streams.reads.iter().zip(streams.reads.iter().skip(1)) {
        if (one.line, one.stream) != (next.line, next.stream) || Some(one.stream) == streams.all {
            continue;
        }
        count += 1;
        if one.version.abs_diff(next.version) > 1 {
            results.add(gap(one, next, evidence));
        }
    }
    results.checked(Anomaly::VersionGap, count, "reader step");
}

fn gap(one: &StreamRead, next: &StreamRead, evidence: &Evidence) -> Found {
    let (low, high) = (one.version.min(next.version), one.version.max(next.version));
    let between = evidence.streams.places.range((one.stream, low + 1)..(one.stream, high));
    let left_out: Vec<EventKey> =
        between.flat_map(|(_, here)| here.iter().map(|(event, _)| *event)).collect();
    let sentence = format!(
        "process {} read versions {} and {} of stream {} one after the other (line {})",
        evidence.names.processes[next.process],
        one.version,
        next.version,
        evidence.names.streams[next.stream],
        next.line,
    );
    let lines = vec![explain::stream::read(one, evidence), explain::stream::read(next, evidence)];
    Found::new(Anomaly::VersionGap, sentence, lines)
        .events(left_out)
        .involving([one.event, next.event])
        .process(&evidence.names.processes[next.process])
}
