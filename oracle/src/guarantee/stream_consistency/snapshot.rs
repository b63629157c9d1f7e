//! `snapshot-divergence`: two snapshots of one stream at one version, of one projection, say different states.
//!
//! Source: ours; Young, *CQRS Documents*, 2010: a snapshot is a fold of its stream, and a fold is a function.
//! Cost: O(n log n) in snapshots; O(events of the stream) for each that differs.
//!
//! ```text
//! snapshot at 2: 30 · snapshot at 2: 31
//! ```

use std::collections::BTreeMap;

use crate::case::Found;
use crate::evidence::{EventKey, Evidence, StreamSnapshot};
use crate::results::Results;
use crate::{Anomaly, explain};

pub(super) fn check(evidence: &Evidence, results: &mut Results) {
    let mut first_of: BTreeMap<_, &StreamSnapshot> = BTreeMap::new();
    for snapshot in &evidence.streams.snapshots {
        let key = (snapshot.stream, snapshot.projection, snapshot.version);
        let first = *first_of.entry(key).or_insert(snapshot);
        if first.state == snapshot.state {
            continue;
        }
        let names = &evidence.names;
        let sentence = format!(
            "two snapshots of stream {} at version {} differ: `{}` (line {}) and `{}` (line {})",
            names.streams[snapshot.stream],
            snapshot.version,
            first.state,
            first.line,
            snapshot.state,
            snapshot.line,
        );
        let lines = [first, snapshot].map(|of| explain::stream::snapshot(of, evidence)).to_vec();
        let within = evidence.streams.places.range((snapshot.stream, 0)..(snapshot.stream, snapshot.version));
        let folded: Vec<EventKey> =
            within.flat_map(|(_, here)| here.iter().map(|(event, _)| *event)).collect();
        let found = Found::new(Anomaly::SnapshotDivergence, sentence, lines).involving(folded);
        results.add(found.process(&names.processes[snapshot.process]));
    }
    results.checked(Anomaly::SnapshotDivergence, evidence.streams.snapshots.len(), "snapshot");
}
