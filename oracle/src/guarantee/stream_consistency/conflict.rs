//! `version-conflict`: two different events stand at one version of a stream, or at one position in the order of all, by what
//! was read and what appends were told.
//!
//! Source: ours; `inconsistent-offsets` of Jepsen's kafka workload, of streams.
//! Cost: O(n log n) in appends and reads.
//!
//! ```text
//! append a ok at version 1 · read-stream 1 b
//! ```

use crate::case::Found;
use crate::evidence::{EventKey, Evidence};
use crate::results::Results;
use crate::{Anomaly, explain};

pub(super) fn check(evidence: &Evidence, results: &mut Results) {
    let places = &evidence.streams.places;
    for ((stream, version), here) in places.iter().filter(|(_, here)| here.len() > 1) {
        let events: Vec<EventKey> = here.iter().map(|(event, _)| *event).collect();
        let mut lines: Vec<_> =
            here.iter().map(|(_, place)| explain::stream::place(*place, evidence)).collect();
        lines.sort_by_key(|line| line.line);
        let sentence = format!(
            "{} stand at version {version} of stream {}",
            explain::events(&events, evidence),
            evidence.names.streams[*stream],
        );
        results.add(Found::new(Anomaly::VersionConflict, sentence, lines).events(events));
    }
    results.checked(Anomaly::VersionConflict, places.len(), "version");
}
