//! `replica-divergence`: what one replica holds and another does not.

use std::collections::BTreeMap;
use std::sync::Arc;

use lawspeaker_history::Offset;

use crate::case::Found;
use crate::evidence::{Evidence, PartitionKey, Read};
use crate::results::Results;
use crate::{Anomaly, explain};

/// What one node holds of one partition, by offset.
type Replica<'a> = BTreeMap<Offset, &'a Read>;

pub(super) fn check(evidence: &Evidence, results: &mut Results) {
    let mut partitions: BTreeMap<PartitionKey, BTreeMap<Arc<str>, Replica<'_>>> = BTreeMap::new();
    for read in evidence.reads.iter().filter(|read| read.is_final()) {
        if let (Some(node), Some(offset)) = (read.node(), read.offset) {
            let replicas = partitions.entry(read.partition).or_default();
            replicas.entry(node.clone()).or_default().insert(offset, read);
        }
    }
    let mut count = 0;
    for replicas in partitions.values().filter(|replicas| replicas.len() > 1) {
        let mut union: Replica<'_> = BTreeMap::new();
        for (offset, read) in replicas.values().flatten() {
            union.entry(*offset).or_insert(read);
        }
        count += union.len();
        for (offset, held) in &union {
            // Of a replica that begins later or ends earlier nothing is known there.
            let lacks = |replica: &Replica<'_>| {
                !replica.contains_key(offset)
                    && replica.range(..offset).next().is_some()
                    && replica.range(offset..).next().is_some()
            };
            if evidence.trims.may_lack(held.partition, *offset) {
                continue;
            }
            if let Some((node, replica)) = replicas.iter().find(|(_, replica)| lacks(replica))
                && let Some((_, beyond)) = replica.range(offset..).next()
            {
                results.add(divergence(held, node, beyond, evidence));
            }
        }
    }
    results.checked(Anomaly::ReplicaDivergence, count, "replicated event");
}

fn divergence(held: &Read, node: &str, beyond: &Read, evidence: &Evidence) -> Found {
    let names = &evidence.names;
    let sentence = format!(
        "node {} holds event {} in {} (line {}), and node {node}, which goes on after that place (line {}), does not",
        held.node().map_or("", |node| node),
        names.events[held.event],
        names.partitions[held.partition],
        held.line,
        beyond.line,
    );
    let mut lines = vec![explain::read(held, evidence), explain::read(beyond, evidence)];
    lines.sort_by_key(|line| line.line);
    Found::new(Anomaly::ReplicaDivergence, sentence, lines).at(held.partition, held.offset).event(held.event)
}
