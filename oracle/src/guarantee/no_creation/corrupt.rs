//! `corrupt`: delivered with another content than it was sent with.

use std::collections::HashSet;

use crate::case::Found;
use crate::evidence::Evidence;
use crate::results::Results;
use crate::{Anomaly, explain};

/// Compares the hashes of deliveries with those of sends; an event of which some send has none is not judged.
pub(super) fn check(evidence: &Evidence, results: &mut Results) {
    let mut count = 0;
    let mut told = HashSet::new();
    for read in &evidence.reads {
        let Some(hash) = read.hash() else { continue };
        let attempts = evidence.attempts_of(read.event);
        let Some(attempt) = attempts.first().filter(|_| attempts.iter().all(|of| of.hash().is_some())) else {
            continue;
        };
        count += 1;
        let is_sent = attempts.iter().any(|attempt| attempt.hash() == Some(hash));
        if is_sent || !told.insert((read.event, read.partition, read.offset)) {
            continue;
        }
        let sentence = format!(
            "event {} was sent with the hash {} (line {}) and delivered with the hash {hash} (line {})",
            evidence.names.events[read.event],
            attempt.hash().unwrap_or_default(),
            attempt.line(),
            read.line,
        );
        let mut lines = vec![explain::send(attempt, evidence), explain::read(read, evidence)];
        lines.sort_by_key(|line| line.line);
        let found = Found::new(Anomaly::Corrupt, sentence, lines);
        results.add(found.at(read.partition, read.offset).group(read.group).event(read.event));
    }
    results.checked(Anomaly::Corrupt, count, "hashed read");
}
