//! What transactions read: `precommitted-read` and `eos-duplicate`.

use std::collections::{BTreeMap, HashSet};

use crate::case::Found;
use crate::evidence::{EventKey, Evidence, GroupKey, Read, TransactionKey};
use crate::results::Results;
use crate::{Anomaly, explain};

/// Looks for transactions that read what they had sent themselves.
pub(super) fn precommitted(evidence: &Evidence, results: &mut Results) {
    let mut count = 0;
    for read in evidence.reads.iter().filter(|read| read.transaction.is_some()) {
        count += 1;
        let own =
            evidence.attempts_of(read.event).iter().find(|attempt| attempt.transaction == read.transaction);
        let Some(attempt) = own else { continue };
        let sentence = format!(
            "a transaction of process {} read event {}, which it sent itself (line {})",
            evidence.names.processes[read.process], evidence.names.events[read.event], read.line,
        );
        let mut lines = vec![explain::send(attempt, evidence), explain::read(read, evidence)];
        lines.sort_by_key(|line| line.line);
        let found = Found::new(Anomaly::PrecommittedRead, sentence, lines).at(read.partition, read.offset);
        results.add(found.event(read.event).process(&evidence.names.processes[read.process]));
    }
    results.checked(Anomaly::PrecommittedRead, count, "transactional read");
}

/// Looks for events that two transactions of a group took as their input.
pub(super) fn consumed_twice(evidence: &Evidence, results: &mut Results) {
    let productive: HashSet<TransactionKey> = evidence
        .attempts
        .iter()
        .filter(|attempt| attempt.is_acknowledged())
        .filter_map(|attempt| attempt.transaction)
        .filter(|place| evidence.transactions.is_committed(*place))
        .collect();
    let mut inputs: BTreeMap<(GroupKey, EventKey), Vec<&Read>> = BTreeMap::new();
    let consumed = evidence.reads.iter().filter(|read| read.is_ok);
    for read in consumed.filter(|read| read.transaction.is_some_and(|place| productive.contains(&place))) {
        if let Some(group) = read.group {
            inputs.entry((group, read.event)).or_default().push(read);
        }
    }
    results.checked(Anomaly::EosDuplicate, inputs.len(), "transaction input");
    for ((group, event), reads) in inputs {
        let first = reads[0];
        let Some(again) = reads.iter().find(|read| read.transaction != first.transaction) else { continue };
        let sentence = format!(
            "event {} is the input of two committed transactions of group {} (lines {} and {})",
            evidence.names.events[event], evidence.names.groups[group], first.line, again.line,
        );
        let lines = vec![explain::read(first, evidence), explain::read(again, evidence)];
        let found = Found::new(Anomaly::EosDuplicate, sentence, lines).at(again.partition, again.offset);
        let process = &evidence.names.processes[again.process];
        results.add(found.group(Some(group)).event(event).process(process));
    }
}
