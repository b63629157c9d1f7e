//! `redelivery-after-ack`: an event delivered again although its acknowledgement had been confirmed.

use std::collections::{HashMap, HashSet};

use crate::case::Found;
use crate::evidence::{Acknowledgement, EventKey, Evidence, GroupKey, Read};
use crate::results::Results;
use crate::{Anomaly, explain};

/// Looks for deliveries after confirmed acknowledgements.
pub(super) fn check(evidence: &Evidence, results: &mut Results) {
    let mut confirmed: HashMap<(GroupKey, EventKey), &Acknowledgement> = HashMap::new();
    // A client that is not told of one acknowledgement is told of none.
    let unconfirmed: HashSet<Option<GroupKey>> =
        evidence.acknowledgements.iter().filter(|row| row.is_sent_only).map(|row| row.group).collect();
    let is_certain = |row: &&Acknowledgement| row.is_confirmed && !unconfirmed.contains(&row.group);
    for acknowledgement in evidence.acknowledgements.iter().filter(is_certain) {
        if let (Some(group), Some(event)) =
            (acknowledgement.group, acknowledged_event(acknowledgement, evidence))
        {
            confirmed.entry((group, event)).or_insert(acknowledgement);
        }
    }
    for read in evidence.reads.iter().filter(|read| read.is_ok) {
        let Some(group) = read.group else { continue };
        let Some(acknowledgement) = confirmed.get(&(group, read.event)) else { continue };
        if read.begin > acknowledgement.line {
            results.add(redelivery(read, acknowledgement, group, evidence));
        }
    }
    results.checked(Anomaly::RedeliveryAfterAck, confirmed.len(), "confirmed acknowledgement");
}

/// The event an acknowledgement is about, by its offset if it does not say.
fn acknowledged_event(acknowledgement: &Acknowledgement, evidence: &Evidence) -> Option<EventKey> {
    acknowledgement.event.or_else(|| {
        match evidence.log.at(acknowledgement.partition, acknowledgement.offset?) {
            [standing] => Some(standing.event),
            _ => None,
        }
    })
}

fn redelivery(read: &Read, acknowledgement: &Acknowledgement, group: GroupKey, evidence: &Evidence) -> Found {
    let names = &evidence.names;
    let sentence = format!(
        "event {} was delivered again to group {} (line {}) after its acknowledgement was confirmed (line {})",
        names.events[read.event], names.groups[group], read.line, acknowledgement.line,
    );
    let mut lines = vec![explain::acknowledgement(acknowledgement, evidence)];
    let first = evidence.reads_of(read.event).find(|first| first.group == Some(group));
    lines.extend(
        first.filter(|first| first.line < acknowledgement.line).map(|first| explain::read(first, evidence)),
    );
    let fault = evidence.fault_after(acknowledgement.line).filter(|fault| fault.line < read.line);
    lines.extend(fault.map(explain::fault));
    lines.push(explain::read(read, evidence));
    lines.sort_by_key(|line| line.line);
    Found::new(Anomaly::RedeliveryAfterAck, sentence, lines)
        .at(read.partition, read.offset)
        .group(Some(group))
        .event(read.event)
        .process(&names.processes[read.process])
        .ordered_by_line_if(read.is_later_by_line(acknowledgement.process))
}
