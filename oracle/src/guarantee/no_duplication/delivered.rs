//! Events that are handed out again for no reason (`dup-delivery`), or too often (`over-delivery`).

use std::collections::BTreeMap;

use crate::case::Found;
use crate::evidence::{Evidence, GroupKey, Read, Redelivery, redeliveries};
use crate::results::Results;
use crate::{Anomaly, Profile, Severity, explain};

/// How many deliveries one case shows.
const DELIVERIES_TOLD: usize = 4;

/// Looks for what is handed out again although nothing that is recorded explains it.
pub(super) fn again(evidence: &Evidence, profile: &Profile, results: &mut Results) {
    if profile.times_out || !results.wants(Anomaly::DupDelivery) {
        return;
    }
    // Where acknowledgements are promised to last, what comes again after one is told as a `redelivery-after-ack`.
    let is_told = profile.severity(Anomaly::RedeliveryAfterAck) == Severity::Violation;
    let is_unexplained =
        |redelivery: &&Redelivery| !(redelivery.is_explained || is_told && redelivery.is_settled);
    for redelivery in redeliveries(evidence).iter().filter(is_unexplained) {
        results.add(dup_delivery(redelivery, evidence));
    }
    let handed_out = evidence.reads.iter().filter(|read| read.is_handed_out && read.group.is_some());
    results.checked(Anomaly::DupDelivery, handed_out.count(), "group read");
}

fn dup_delivery(redelivery: &Redelivery<'_>, evidence: &Evidence) -> Found {
    let Redelivery { group, first, again, .. } = redelivery;
    let names = &evidence.names;
    let sentence = format!(
        "event {} came to group {} (line {}) and came again (line {}): it had not been refused, and no crash, rebalance, \
         fault or unknown outcome stands between",
        names.events[again.event], names.groups[*group], first.line, again.line,
    );
    let lines = vec![explain::read(first, evidence), explain::read(again, evidence)];
    Found::new(Anomaly::DupDelivery, sentence, lines)
        .at(again.partition, again.offset)
        .group(Some(*group))
        .event(again.event)
        .process(&names.processes[again.process])
}

/// Looks for what is handed out more often than the profile allows.
pub(super) fn too_often(evidence: &Evidence, profile: &Profile, results: &mut Results) {
    let Some(limit) = profile.limits.max_deliveries else { return };
    let mut event_count = 0;
    for event in evidence.names.events.keys() {
        let mut by_group: BTreeMap<GroupKey, Vec<&Read>> = BTreeMap::new();
        for read in evidence.reads_of(event).filter(|read| read.is_handed_out && read.is_ok) {
            if let Some(group) = read.group {
                by_group.entry(group).or_default().push(read);
            }
        }
        let sent_count = evidence.attempts_of(event).len().max(1) as u64;
        for (group, reads) in by_group {
            event_count += 1;
            let told = reads.iter().filter_map(|read| read.delivery()).max().unwrap_or(0);
            let seen = reads.len() as u64 / sent_count;
            if told.max(seen) > limit {
                results.add(over_delivery(group, &reads, told.max(seen), limit, evidence));
            }
        }
    }
    results.checked(Anomaly::OverDelivery, event_count, "delivered event");
}

fn over_delivery(group: GroupKey, reads: &[&Read], times: u64, limit: u64, evidence: &Evidence) -> Found {
    let names = &evidence.names;
    let last = reads[reads.len() - 1];
    let sentence = format!(
        "event {} came to group {} {times} times (line {}), and {limit} is the limit",
        names.events[last.event], names.groups[group], last.line,
    );
    let first_told = reads.len().saturating_sub(DELIVERIES_TOLD);
    let lines = reads[first_told..].iter().map(|read| explain::read(read, evidence)).collect();
    Found::new(Anomaly::OverDelivery, sentence, lines)
        .at(last.partition, last.offset)
        .group(Some(group))
        .event(last.event)
        .process(&names.processes[last.process])
}
