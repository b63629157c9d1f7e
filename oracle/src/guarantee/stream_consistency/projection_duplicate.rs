//! `projection-duplicate`: a projection surely took an event of a stream twice.
//!
//! A projection that is built anew is another one, with a name of its own.
//!
//! Source: ours; `effect-duplicated`, of projections.
//! Cost: O(n log n) in what projections took.
//!
//! ```text
//! project 0 a · project 0 a        its effect is in there twice
//! ```

use std::collections::BTreeMap;

use crate::case::Found;
use crate::evidence::{EventKey, Evidence, Projected, ProjectionKey, StreamKey};
use crate::results::Results;
use crate::{Anomaly, explain};

pub(super) fn check(evidence: &Evidence, results: &mut Results) {
    let mut first_of: BTreeMap<(ProjectionKey, StreamKey, EventKey), &Projected> = BTreeMap::new();
    for again in evidence.streams.taken() {
        let key = (again.projection, again.stream, again.event);
        let Some(first) = first_of.get(&key) else {
            first_of.insert(key, again);
            continue;
        };
        let names = &evidence.names;
        let sentence = format!(
            "projection {} took event {} of stream {} twice (lines {} and {})",
            names.projections[again.projection],
            names.events[again.event],
            names.streams[again.stream],
            first.line,
            again.line,
        );
        let lines = [first, again].map(|projected| explain::stream::projected(projected, evidence)).to_vec();
        let found = Found::new(Anomaly::ProjectionDuplicate, sentence, lines).event(again.event);
        results.add(found.process(&names.processes[again.process]));
    }
    results.checked(Anomaly::ProjectionDuplicate, first_of.len(), "projected event");
}
