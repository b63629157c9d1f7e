//! `early-redelivery`: taken from a consumer that still had time.

use lawspeaker_history::Guarantee;

use crate::case::Found;
use crate::evidence::{Evidence, Redelivery, redeliveries};
use crate::results::Results;
use crate::{Anomaly, Profile, explain};

const NANOSECONDS_PER_MILLISECOND: u64 = 1_000_000;

pub(super) fn check(evidence: &Evidence, profile: &Profile, results: &mut Results) {
    if !profile.times_out || !results.wants(Anomaly::EarlyRedelivery) {
        return;
    }
    let (mut judged_count, mut unknown_count) = (0, 0);
    for redelivery in redeliveries(evidence) {
        let Redelivery { first, again, is_settled, is_explained, .. } = redelivery;
        if is_settled || is_explained || first.process == again.process {
            continue;
        }
        // The time goes from when the first may have been handed out to when the second surely was not yet.
        let waited_ns = first.time_ns().zip(again.time_ns()).map(|(from, to)| to.saturating_sub(from));
        let Some((waited_ns, limit_ms)) = waited_ns.zip(profile.limits.ack_wait_ms) else {
            unknown_count += 1;
            continue;
        };
        judged_count += 1;
        if waited_ns < limit_ms.saturating_mul(NANOSECONDS_PER_MILLISECOND) {
            results.add(early(&redelivery, waited_ns / NANOSECONDS_PER_MILLISECOND, limit_ms, evidence));
        }
    }
    results.checked(Anomaly::EarlyRedelivery, judged_count, "second read");
    if unknown_count > 0 {
        let reason = format!(
            "{} by another member that nothing but the time may explain: `ack-wait-ms` in the profile, and `time` in the \
             history, would tell",
            explain::counted(unknown_count, "second read"),
        );
        results.undecided(Guarantee::SingleOwner, reason);
    }
}

fn early(redelivery: &Redelivery<'_>, waited_ms: u64, limit_ms: u64, evidence: &Evidence) -> Found {
    let Redelivery { group, first, again, .. } = redelivery;
    let names = &evidence.names;
    let sentence = format!(
        "event {} was given to process {} of group {} (line {}), {waited_ms} ms after process {} had been given it (line \
         {}), which had {limit_ms} ms to acknowledge it",
        names.events[again.event],
        names.processes[again.process],
        names.groups[*group],
        again.line,
        names.processes[first.process],
        first.line,
    );
    let lines = vec![explain::read(first, evidence), explain::read(again, evidence)];
    Found::new(Anomaly::EarlyRedelivery, sentence, lines)
        .at(again.partition, again.offset)
        .group(Some(*group))
        .event(again.event)
        .process(&names.processes[again.process])
}
