//! One file for each guarantee: its definition, and the checks that look for its anomalies.
//!
//! A check reads the evidence and writes cases and the number of its observations into the results.
//! It finds every case, oldest first or by offset; what follows from what is settled afterwards, in `cause`.

mod at_least_once;
mod causal_delivery;
mod commit_monotonicity;
mod compensation_order;
mod durability;
mod effect_once;
mod key_order;
mod no_creation;
mod no_deadlock;
mod no_duplication;
mod outbox_atomicity;
mod partition_order;
mod producer_order;
mod saga_atomicity;
mod saga_isolation;
mod saga_termination;
mod single_owner;
mod stream_consistency;
mod total_log;
mod transaction_atomicity;

use crate::Profile;
use crate::evidence::Evidence;
use crate::results::Results;

/// Runs every check.
pub(crate) fn check(evidence: &Evidence, profile: &Profile, results: &mut Results) {
    let lost = durability::check(evidence, profile, results);
    at_least_once::check(evidence, profile, &lost, results);
    commit_monotonicity::check(evidence, results);
    single_owner::check(evidence, profile, results);
    total_log::check(evidence, &lost, results);
    no_duplication::check(evidence, profile, results);
    no_creation::check(evidence, results);
    producer_order::check(evidence, results);
    key_order::check(evidence, results);
    partition_order::check(evidence, profile, results);
    causal_delivery::check(evidence, profile, results);
    transaction_atomicity::check(evidence, profile, &lost, results);
    effect_once::check(evidence, results);
    outbox_atomicity::check(evidence, results);
    saga_atomicity::check(evidence, results);
    compensation_order::check(evidence, results);
    saga_termination::check(evidence, results);
    saga_isolation::check(evidence, results);
    stream_consistency::check(evidence, results);
    no_deadlock::check(evidence, results);
}
