//! `G1a` of streams: an event that is read from a stream although every append of it was refused.

use std::collections::BTreeMap;

use lawspeaker_history::OpType;

use crate::case::Found;
use crate::evidence::{Append, EventKey, Evidence};
use crate::results::Results;
use crate::{Anomaly, explain};

/// Looks for reads of what surely was not appended, and not sent either.
pub(super) fn check(evidence: &Evidence, results: &mut Results) {
    let streams = &evidence.streams;
    let is_refused =
        |event: &EventKey| !streams.is_appended(*event) && evidence.attempts_of(*event).is_empty();
    let mut refused: BTreeMap<EventKey, &Append> = BTreeMap::new();
    for append in streams.appends.iter().filter(|append| append.outcome == OpType::Fail) {
        for event in append.events.iter().filter(|event| is_refused(event)) {
            refused.entry(*event).or_insert(append);
        }
    }
    results.checked(Anomaly::G1a, refused.len(), "refused event");
    for read in &streams.reads {
        let Some(append) = refused.remove(&read.event) else { continue };
        let names = &evidence.names;
        let sentence = format!(
            "event {} can be read from stream {} (line {}) although its append was refused (line {})",
            names.events[read.event], names.streams[read.stream], read.line, append.line,
        );
        let mut lines =
            vec![explain::stream::append(append, evidence), explain::stream::read(read, evidence)];
        lines.sort_by_key(|line| line.line);
        results.add(Found::new(Anomaly::G1a, sentence, lines).event(read.event));
    }
}
