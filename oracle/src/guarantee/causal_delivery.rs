//! Causal delivery: no effect is delivered before its cause.
//!
//! What happened before what, between events, is taken from one basis:
//! 1. recorded vector clocks, if any send has one;
//! 2. else recorded causes and what they name in turn, if any send has some: the system promised those and no more;
//! 3. else sessions: what a process sent, or was delivered, before it sends.
//!
//! Only what is certain counts. A send that failed never happened; one of unknown outcome is nobody's cause, and passes
//! on what it was caused by once it is delivered. The events of one call are concurrent, and so is what one call
//! delivers from different partitions. A delivery is the `apply` of a process that records those, and else its first
//! read; the final read delivers nothing. `consumer` says whom this can accuse at all.
//!
//! * `causal-inversion`: an effect came to a consumer before its cause.
//! * `monotonic-writes`: the same, where one process sent both.
//! * `writes-follow-reads`: the same, where the sender of the effect had been delivered the cause.
//! * `missing-cause`: an effect came to a consumer, the recording is complete, and the cause never came, though the
//!   consumer read its partition since before it was sent.
//! * `thin-air`: an event names a cause that nobody sent.
//! * `causality-cycle`: an event names as a cause what came only after it.
//! * `clock-mismatch`: the clock of a send is not above that of what its sender had sent or been delivered.
//! * `read-your-writes`, `monotonic-reads`: a reader passes over what it wrote, or what it had read.
//!
//! With recorded causes or clocks every late cause is a `causal-inversion`.
//!
//! Model: none yet. Source: Lamport, *Time, Clocks, and the Ordering of Events*, 1978; Birman, Schiper and Stephenson,
//! *Lightweight Causal and Atomic Group Multicast*, 1991; Bouajjani, Enea, Guerraoui and Hamza, *On Verifying Causal
//! Consistency*, POPL 2017; Terry et al., 1994, for the session guarantees.
//! Cost: O(n · sessions) time; see `chains` and `inversion` for the bounds on memory.
//!
//! ```text
//! 1 sends a to p · 2 is delivered a · 2 sends b to q · 3, which reads p and q, is delivered b, and then a
//! ```

mod chains;
mod clock;
mod consumer;
mod cycle;
mod inversion;
mod message;
mod path;
mod recorded;
mod session;
mod timeline;

use lawspeaker_history::Guarantee;

use crate::evidence::{Evidence, Moment};
use crate::results::Results;
use crate::{Anomaly, Profile, explain};
use chains::{Chains, Clocks, Sessions, TooManyError};
use consumer::Consumers;
use inversion::{Inversion, Search};
use message::Messages;
use path::{Finder, Hop, Path, Teller};
use timeline::{Delivery, Step};

/// How many paths through sessions are looked for; other cases tell their ends only.
const PATHS_FOUND: usize = 64;

/// What is asked of who was delivered what in which order.
const ORDER: [Anomaly; 4] =
    [Anomaly::CausalInversion, Anomaly::MissingCause, Anomaly::MonotonicWrites, Anomaly::WritesFollowReads];

pub(crate) fn check(evidence: &Evidence, profile: &Profile, results: &mut Results) {
    let is_wanted =
        |anomaly: &Anomaly| anomaly.guarantee() == Guarantee::CausalDelivery && results.wants(*anomaly);
    if !Anomaly::ALL.iter().any(is_wanted) {
        return;
    }
    recorded::thin_air(evidence, results);
    session::check(evidence, profile, results);
    let messages = Messages::of(evidence);
    let deliveries = timeline::deliveries(evidence);
    cycle::check(evidence, &messages, &deliveries, results);
    let clocks = clock::check(evidence, &messages, &deliveries, results);
    let order = order(evidence, &messages, &deliveries, results);
    for error in [clocks.err(), order.err()].into_iter().flatten() {
        results.undecided(Guarantee::CausalDelivery, error.0);
    }
    if !results.has_checked(Guarantee::CausalDelivery) {
        results.undecided(
            Guarantee::CausalDelivery,
            "nobody who surely reads a partition was delivered an event that can have a cause",
        );
    }
}

/// Looks for late and missing causes on the strongest basis that there is.
fn order(
    evidence: &Evidence,
    messages: &Messages,
    deliveries: &[Delivery],
    results: &mut Results,
) -> Result<(), TooManyError> {
    if !ORDER.iter().any(|anomaly| results.wants(*anomaly)) {
        return Ok(());
    }
    let steps = timeline::steps(evidence, messages, deliveries);
    let is_clocked = evidence.causal.stamps.iter().any(|stamp| stamp.moment == Moment::Send);
    if is_clocked {
        let chains = Chains::Clocks(Clocks::of(evidence, messages)?);
        by_chains(evidence, messages, deliveries, &steps, chains, results)
    } else if !evidence.causal.caused.is_empty() {
        by_causes(evidence, messages, &steps, results)
    } else {
        let chains = Chains::Sessions(Sessions::of(evidence, messages, deliveries)?);
        by_chains(evidence, messages, deliveries, &steps, chains, results)
    }
}

fn by_chains(
    evidence: &Evidence,
    messages: &Messages,
    deliveries: &[Delivery],
    steps: &[Step<'_>],
    chains: Chains<'_>,
    results: &mut Results,
) -> Result<(), TooManyError> {
    let mut search = Search::new(evidence, messages, chains);
    search.run(steps)?;
    if evidence.extent.complete == Some(true) {
        search.missing();
    }
    let (basis, is_clocked) = match &search.chains {
        Chains::Sessions(sessions) => {
            (format!("sessions and deliveries, which order {}", pairs(sessions.pair_count)), false)
        }
        Chains::Clocks(clocks) => {
            let count = messages.calls.iter().filter(|call| call.stamp.is_some()).count();
            let sends = explain::counted(count, "send");
            (format!("the recorded clocks of {sends}, which order {}", pairs(clocks.pair_count())), true)
        }
    };
    let finder = Finder::of(evidence, messages, &search.consumers, deliveries);
    let teller = Teller { evidence, messages };
    let mut path_count = 0;
    for inversion in &search.found {
        let path = if is_clocked {
            vec![(inversion.cause, Hop::Clock)]
        } else {
            path_count += 1;
            sessions_path(inversion, &finder, path_count <= PATHS_FOUND)
        };
        results.add(teller.tell(inversion, &path));
    }
    checked(&search.consumers, basis, is_clocked, evidence, results);
    Ok(())
}

fn sessions_path(inversion: &Inversion, finder: &Finder<'_>, is_wanted: bool) -> Path {
    let Inversion { cause, effect, .. } = *inversion;
    match finder.hop(cause, effect) {
        Some(hop) => vec![(cause, hop)],
        None if is_wanted => finder.path(cause, effect),
        None => vec![(cause, Hop::Somehow)],
    }
}

fn by_causes(
    evidence: &Evidence,
    messages: &Messages,
    steps: &[Step<'_>],
    results: &mut Results,
) -> Result<(), TooManyError> {
    let mut search = recorded::Search::new(evidence, messages);
    search.run(steps)?;
    if evidence.extent.complete == Some(true) {
        search.missing();
    }
    let teller = Teller { evidence, messages };
    for (inversion, path) in &search.found {
        results.add(teller.tell(inversion, path));
    }
    let count: usize = messages.calls.iter().map(|call| call.causes.len()).sum();
    let basis = explain::counted(count, "recorded cause");
    checked(&search.consumers, basis, true, evidence, results);
    Ok(())
}

/// Says on how many deliveries the order rests, and on which basis.
fn checked(
    consumers: &Consumers,
    basis: String,
    is_recorded: bool,
    evidence: &Evidence,
    results: &mut Results,
) {
    let count = consumers.judged_count;
    let is_complete = evidence.extent.complete == Some(true);
    for anomaly in ORDER {
        let is_looked_for = match anomaly {
            Anomaly::MissingCause => is_complete,
            Anomaly::MonotonicWrites | Anomaly::WritesFollowReads => !is_recorded,
            _ => true,
        };
        if is_looked_for {
            results.checked_on(anomaly, count, "delivered event", basis.clone());
        }
    }
}

fn pairs(count: u64) -> String {
    explain::counted(usize::try_from(count).unwrap_or(usize::MAX), "pair")
}
