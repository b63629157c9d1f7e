//! `lost-concurrency-check`: an append that expected a version of its first event was accepted, and the event got another,
//! by what the append was told, or by every read of it; or another append that expected the same was accepted too.
//!
//! An event that is also appended with another expectation, or with none, is not judged by where it is read: that append
//! may have put it there. An append of the same events again is one that was tried again.
//!
//! Source: ours; Kung and Robinson, *On Optimistic Methods for Concurrency Control*, 1981; Young, *CQRS Documents*, 2010.
//! Cost: O(n log n) in appends and reads.
//!
//! ```text
//! append a expecting 0 ok · append b expecting 0 ok        one of them did not see the other
//! append a expecting 1 ok · read-stream 2 a                it was put behind what it did not know
//! ```

use std::collections::BTreeMap;

use lawspeaker_history::OpType;

use crate::case::Found;
use crate::evidence::{Append, EventKey, Evidence, StreamKey, StreamRead};
use crate::results::Results;
use crate::{Anomaly, explain};

pub(super) fn check(evidence: &Evidence, results: &mut Results) {
    let reads = reads(evidence);
    let expectations = expectations(evidence);
    let mut accepted: BTreeMap<(StreamKey, u64), &Append> = BTreeMap::new();
    let mut count = 0;
    for append in evidence.streams.appends.iter().filter(|append| append.outcome == OpType::Ok) {
        let (Some(expected), Some(first)) = (append.expected, append.events.first()) else { continue };
        count += 1;
        let read = || {
            let reads = reads.get(&(append.stream, *first))?;
            let is_elsewhere = reads.iter().all(|read| read.version != expected);
            (is_elsewhere && expectations[&(append.stream, *first)].len() == 1).then(|| reads[0])
        };
        let rival = || {
            let rival = *accepted.get(&(append.stream, expected))?;
            (rival.events.first() != Some(first)).then_some(rival)
        };
        if let Some(version) = append.version.filter(|version| *version != expected) {
            results.add(lost(append, &format!("was put at version {version}"), evidence));
        } else if let Some(read) = read() {
            let mut found =
                lost(append, &format!("is read at version {} (line {})", read.version, read.line), evidence);
            found.lines.push(explain::stream::read(read, evidence));
            found.lines.sort_by_key(|line| line.line);
            results.add(found);
        } else if let Some(rival) = rival() {
            let what = format!("so was another that expected the same (line {})", rival.line);
            let mut found = lost(append, &what, evidence).events(rival.events.iter().copied());
            found.lines.insert(0, explain::stream::append(rival, evidence));
            results.add(found);
        } else {
            accepted.insert((append.stream, expected), append);
        }
    }
    results.checked(Anomaly::LostConcurrencyCheck, count, "conditional append");
}

fn reads(evidence: &Evidence) -> BTreeMap<(StreamKey, EventKey), Vec<&StreamRead>> {
    let mut reads: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for read in &evidence.streams.reads {
        reads.entry((read.stream, read.event)).or_default().push(read);
    }
    reads
}

/// What was expected of the place of each event, by each append of it that may have happened.
fn expectations(evidence: &Evidence) -> BTreeMap<(StreamKey, EventKey), Vec<Option<u64>>> {
    let mut expectations: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for append in evidence.streams.appends.iter().filter(|append| append.outcome != OpType::Fail) {
        for (place, event) in (0..).zip(&append.events) {
            let expected = append.expected.map(|first| first.saturating_add(place));
            let of_event = expectations.entry((append.stream, *event)).or_default();
            if !of_event.contains(&expected) {
                of_event.push(expected);
            }
        }
    }
    expectations
}

fn lost(append: &Append, what: &str, evidence: &Evidence) -> Found {
    let sentence = format!(
        "an append to stream {} that expected version {} was accepted (line {}), and {what}",
        evidence.names.streams[append.stream],
        append.expected.unwrap_or_default(),
        append.line,
    );
    Found::new(Anomaly::LostConcurrencyCheck, sentence, vec![explain::stream::append(append, evidence)])
        .events(append.events.iter().copied())
        .process(&evidence.names.processes[append.process])
}
