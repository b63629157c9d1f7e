//! `compaction-violation`: the last event of a key, of those below the position that its log was compacted to, is lost.
//!
//! Whether it is lost `durability` says; that it was there for the compaction to keep is what makes it one of these.
//! What a later event of its key supersedes is owed to nobody, here and elsewhere.
//!
//! Source: ours; Kafka's log compaction. Cost: O(log n) for each last event, besides what reads it; for a lost one, a few of its neighbours.
//!
//! ```text
//! send k: a ok at 0, k: b ok at 1, l: c ok at 2 · compact p to 2 · poll p: 2 c         b is lost, a is not
//! ```

use std::collections::{HashMap, HashSet};

use crate::case::{Found, Line};
use crate::evidence::{EventKey, Evidence, PartitionKey, Read, Standing, Trim};
use crate::results::Results;
use crate::{Anomaly, explain};

pub(super) fn check(evidence: &Evidence, lost: &HashSet<EventKey>, results: &mut Results) {
    let compactions = rising(evidence);
    let mut count = 0;
    for standing in &evidence.trims.last_of_keys {
        let compactions = compactions.get(&standing.partition).map_or(&[][..], Vec::as_slice);
        // The first one that went past it, and came after it.
        let has_missed = |compact: &&Trim| compact.next <= standing.offset || compact.line <= standing.line;
        let Some(compact) = compactions.get(compactions.partition_point(has_missed)) else { continue };
        if lost.contains(&standing.event) {
            count += 1;
            results.add(lost_at(compact, standing, evidence));
        } else if evidence.reads_of(standing.event).any(|read| read.is_ok && read.begin > compact.line) {
            count += 1;
        }
    }
    results.checked(Anomaly::CompactionViolation, count, "last event");
}

/// The compactions of each partition that went further than those before them.
fn rising(evidence: &Evidence) -> HashMap<PartitionKey, Vec<&Trim>> {
    let mut rising: HashMap<PartitionKey, Vec<&Trim>> = HashMap::new();
    for compact in &evidence.trims.compactions {
        let of_partition = rising.entry(compact.partition).or_default();
        // One that surely happened tells more than its invocation.
        of_partition.pop_if(|last| last.next == compact.next && compact.is_ok && !last.is_ok);
        if of_partition.last().is_none_or(|last| last.next < compact.next) {
            of_partition.push(compact);
        }
    }
    rising
}

fn lost_at(compact: &Trim, standing: &Standing, evidence: &Evidence) -> Found {
    let names = &evidence.names;
    let event = &names.events[standing.event];
    let key = evidence.attempts_of(standing.event).iter().find_map(|attempt| attempt.key());
    let partition = &names.partitions[standing.partition];
    let beyond = read_beyond(compact, standing, evidence);
    let passed = beyond.map_or_else(String::new, |read| {
        format!(": process {} read on past it (line {})", names.processes[read.process], read.line)
    });
    let compacted = if compact.is_ok { "was compacted" } else { "may have been compacted" };
    let sentence = format!(
        "{partition} {compacted} to {} (line {}), and of what stood before that, the last event of key {}, {event} at \
         offset {} (line {}), is gone{passed}",
        compact.next,
        compact.line,
        key.unwrap_or_default(),
        standing.offset,
        standing.line,
    );
    let said = format!("{partition} {compacted} to {}", compact.next);
    let mut lines = vec![explain::standing(standing, evidence), Line { line: compact.line, said }];
    lines.extend(beyond.map(|read| explain::read(read, evidence)));
    lines.sort_by_key(|line| line.line);
    Found::new(Anomaly::CompactionViolation, sentence, lines)
        .at(standing.partition, Some(standing.offset))
        .event(standing.event)
        .excused_if(evidence.may_be_aborted(standing.event))
}

/// A read that began after the compaction, of what stands next after the lost event.
fn read_beyond<'a>(compact: &Trim, standing: &Standing, evidence: &'a Evidence) -> Option<&'a Read> {
    /// How many neighbours are looked at before the read is left out.
    const NEIGHBOURS: usize = 64;
    let mut beyond = evidence.log.after(standing.partition, standing.offset).iter().take(NEIGHBOURS);
    beyond.find_map(|next| {
        let reads = evidence.reads_of(next.event);
        reads.filter(|read| read.is_ok && read.group.is_none()).find(|read| read.begin > compact.line)
    })
}
