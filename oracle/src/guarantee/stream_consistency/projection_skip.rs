//! `projection-skip`: a projection took events of a stream below and above a version, and never took what stands there.
//!
//! Where a projection begins is its own affair, and so is the order in which it takes events; what it may have taken, by a
//! call of unknown outcome, it is not accused of.
//!
//! Source: ours; readers that go by the highest number they saw, while a lower one is still to be committed.
//! Cost: O(n log n) in appends, reads and what projections took.
//!
//! ```text
//! append a, b, c ok at version 0 · project 0 a · project 2 c
//! ```

use std::collections::BTreeMap;

use lawspeaker_history::OpType;

use crate::case::Found;
use crate::evidence::{Evidence, Projected, ProjectionKey, StreamKey};
use crate::results::Results;
use crate::{Anomaly, explain};

pub(super) fn check(evidence: &Evidence, results: &mut Results) {
    // By version: what the projection took, or may have taken.
    let mut taken: BTreeMap<(ProjectionKey, StreamKey), BTreeMap<u64, &Projected>> = BTreeMap::new();
    for projected in evidence.streams.projected.iter().filter(|of| of.outcome != OpType::Fail) {
        let by_version = taken.entry((projected.projection, projected.stream)).or_default();
        by_version.entry(projected.version).or_insert(projected);
    }
    let mut count = 0;
    for ((projection, stream), by_version) in &taken {
        let sure: Vec<&Projected> =
            by_version.values().copied().filter(|projected| projected.outcome == OpType::Ok).collect();
        count += sure.len();
        for (below, above) in sure.iter().zip(sure.iter().skip(1)) {
            let between =
                evidence.streams.places.range((*stream, below.version)..(*stream, above.version)).skip(1);
            for ((_, version), here) in between.filter(|((_, version), _)| !by_version.contains_key(version))
            {
                let Some((event, place)) = here.first() else { continue };
                let names = &evidence.names;
                let sentence = format!(
                    "projection {} took versions {} and {} of stream {}, and never event {} at version {version} (line {})",
                    names.projections[*projection],
                    below.version,
                    above.version,
                    names.streams[*stream],
                    names.events[*event],
                    above.line,
                );
                let mut lines = vec![
                    explain::stream::place(*place, evidence),
                    explain::stream::projected(below, evidence),
                    explain::stream::projected(above, evidence),
                ];
                lines.sort_by_key(|line| line.line);
                let found = Found::new(Anomaly::ProjectionSkip, sentence, lines).event(*event);
                results.add(found.process(&names.processes[above.process]));
            }
        }
    }
    results.checked(Anomaly::ProjectionSkip, count, "projected event");
}
