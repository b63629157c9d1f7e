//! `commit-hits-later-transaction`: an aborted transaction can be read, and the next one of its producer, which was committed,
//! has lost an event, as `lost-write` has it: each ended as the other one should have.
//!
//! A request to end a transaction that is late, or sent again, finds the next one under way if all that it names is the
//! producer. What is told of both is found beside it (`G1a`, `lost-write`, `torn-transaction`), and told under it.
//!
//! Source: ours; Kafka, KIP-890, which gives each transaction an epoch of its own.
//! Cost: O(sends and their reads).
//!
//! ```text
//! begin · send p a ok · abort-txn ok · begin · send p b ok · commit-txn ok · final poll p: 0 a, 2 c
//! ```

use std::collections::{BTreeMap, HashSet};

use lawspeaker_history::OpType;

use crate::case::Found;
use crate::evidence::{Attempt, EventKey, Evidence, ProcessKey, TransactionKey};
use crate::hash::HashMap;
use crate::results::Results;
use crate::{Anomaly, explain};

pub(super) fn check(evidence: &Evidence, lost: &HashSet<EventKey>, results: &mut Results) {
    let crossed = crossed(evidence, lost);
    let mut latest: HashMap<ProcessKey, TransactionKey> = HashMap::default();
    let mut pair_count = 0;
    for later in evidence.transactions.keys() {
        let Some(earlier) = latest.insert(evidence.transactions[later].process, later) else { continue };
        let outcomes = [earlier, later].map(|place| evidence.transactions[place].outcome);
        if outcomes != [OpType::Fail, OpType::Ok] {
            continue;
        }
        pair_count += 1;
        if let (Some(shown), Some(gone)) = (crossed.get(&earlier), crossed.get(&later)) {
            results.add(found((earlier, shown), (later, gone), evidence));
        }
    }
    results.checked(Anomaly::CommitHitsLaterTransaction, pair_count, "transaction pair");
}

/// By transaction: what of an aborted one can be read, and what of a committed one is lost.
fn crossed<'a>(
    evidence: &'a Evidence,
    lost: &HashSet<EventKey>,
) -> BTreeMap<TransactionKey, Vec<&'a Attempt>> {
    let mut crossed: BTreeMap<TransactionKey, Vec<&Attempt>> = BTreeMap::new();
    for attempt in &evidence.attempts {
        let (Some(place), event) = (attempt.transaction, attempt.event) else { continue };
        let is_crossed = match evidence.transactions[place].outcome {
            OpType::Fail => evidence.has_failed(event) && evidence.reads_of(event).any(|read| read.is_ok),
            OpType::Ok => attempt.is_acknowledged() && lost.contains(&event),
            OpType::Invoke | OpType::Info => false,
        };
        if is_crossed {
            crossed.entry(place).or_default().push(attempt);
        }
    }
    crossed
}

fn found(
    (earlier, shown): (TransactionKey, &Vec<&Attempt>),
    (later, gone): (TransactionKey, &Vec<&Attempt>),
    evidence: &Evidence,
) -> Found {
    let names = &evidence.names;
    let (earlier, later) = (&evidence.transactions[earlier], &evidence.transactions[later]);
    let process = &names.processes[earlier.process];
    let keys = |attempts: &[&Attempt]| attempts.iter().map(|attempt| attempt.event).collect::<Vec<_>>();
    let (shown_events, gone_events) = (keys(shown), keys(gone));
    let sentence = format!(
        "process {process} aborted a transaction (line {}), of which {} can be read, and committed its next one (line {}), \
         of which {}, as if the end of the one had been applied to the other",
        earlier.end.unwrap_or(earlier.line),
        explain::events(&shown_events, evidence),
        later.end.unwrap_or(later.line),
        explain::lost(&gone_events, evidence),
    );
    let mut lines = vec![explain::send(shown[0], evidence), explain::send(gone[0], evidence)];
    lines.extend(
        evidence.reads_of(shown[0].event).find(|read| read.is_ok).map(|read| explain::read(read, evidence)),
    );
    lines
        .extend([earlier, later].into_iter().filter_map(|of| explain::transaction::ends(of, evidence).pop()));
    lines.sort_by_key(|line| line.line);
    Found::new(Anomaly::CommitHitsLaterTransaction, sentence, lines)
        .events(shown_events)
        .events(gone_events)
        .process(process)
}
