//! `global-order-violation`: an event stands before another one in their stream and behind it in the order of all, which is
//! the stream `$all`.
//!
//! Whoever follows the order of all sees the later event without the earlier one. An event that stands at two places, or in
//! two streams beside the order of all, is not judged.
//!
//! Source: ours; sequence numbers that are drawn before their transactions commit, or by several nodes.
//! Cost: O(n log n) in appends and reads.
//!
//! ```text
//! read-stream cart-7: 0 a, 1 b · read-stream $all: 90 b, 91 a
//! ```

use std::collections::BTreeMap;

use crate::case::Found;
use crate::evidence::{EventKey, Evidence, Place, StreamKey};
use crate::results::Results;
use crate::{Anomaly, explain};

/// Where an event stands; `None` where it stands at several places.
type Only = Option<(StreamKey, u64, Place)>;

pub(super) fn check(evidence: &Evidence, results: &mut Results) {
    let Some(all) = evidence.streams.all else { return };
    let (mut positions, mut homes): (BTreeMap<EventKey, Only>, BTreeMap<EventKey, Only>) = Default::default();
    for ((stream, version), here) in &evidence.streams.places {
        let table = if *stream == all { &mut positions } else { &mut homes };
        for (event, place) in here {
            table.entry(*event).and_modify(|only| *only = None).or_insert(Some((*stream, *version, *place)));
        }
    }
    let placed = homes.iter().filter_map(|(event, home)| {
        let ((stream, version, home), (_, position, place)) = ((*home)?, (*positions.get(event)?)?);
        Some((stream, version, *event, home, position, place))
    });
    let mut placed: Vec<_> = placed.collect();
    placed.sort_by_key(|(stream, version, ..)| (*stream, *version));
    for (one, next) in placed.iter().zip(placed.iter().skip(1)) {
        let (stream, version, event, home, position, place) = *one;
        let (next_stream, next_version, next_event, next_home, next_position, next_place) = *next;
        if stream != next_stream || position < next_position {
            continue;
        }
        let names = &evidence.names;
        let sentence = format!(
            "event {} stands at version {version} of stream {} and event {} at {next_version}, and at positions {position} \
             and {next_position} in the order of all",
            names.events[event], names.streams[stream], names.events[next_event],
        );
        let mut lines: Vec<_> = [home, next_home, place, next_place]
            .map(|place| explain::stream::place(place, evidence))
            .to_vec();
        lines.sort_by_key(|line| line.line);
        results.add(Found::new(Anomaly::GlobalOrderViolation, sentence, lines).events([event, next_event]));
    }
    results.checked(Anomaly::GlobalOrderViolation, placed.len(), "event");
}
