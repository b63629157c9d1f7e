//! `dlq-loss` and `dlq-early`: what was rejected and is gone, and what was put aside too early.

use lawspeaker_history::Guarantee;

use crate::case::{Found, Line};
use crate::evidence::{Evidence, Settled, Settlement};
use crate::results::Results;
use crate::{Anomaly, Profile, explain};

/// Looks for rejected events of which nothing more was heard.
pub(super) fn lost(evidence: &Evidence, profile: &Profile, results: &mut Results) {
    if !profile.has_dead_letters && !evidence.queue.has_dead_letters {
        return;
    }
    let (mut rejected_count, mut open_count) = (0, 0);
    for of_event in evidence.queue.settlements.chunk_by(|one, next| one.event == next.event) {
        let is_rejection = |row: &&Settlement| row.settled == Settled::Reject && row.is_ok;
        let Some(rejected) = of_event.iter().rfind(is_rejection) else { continue };
        let is_put_aside = of_event.iter().any(|row| row.settled == Settled::DeadLetter);
        let is_back = evidence.reads_of(rejected.event).any(|read| read.line > rejected.line);
        if !is_put_aside && !is_back && evidence.extent.complete != Some(true) {
            open_count += 1;
            continue;
        }
        rejected_count += 1;
        if !is_put_aside && !is_back {
            results.add(dlq_loss(rejected, evidence));
        }
    }
    results.checked(Anomaly::DlqLoss, rejected_count, "rejected event");
    if open_count > 0 {
        let reason = format!(
            "{} may be dead-lettered yet: only a header that says that the recording is complete would tell",
            explain::counted(open_count, "rejected event"),
        );
        results.undecided(Guarantee::AtLeastOnce, reason);
    }
}

fn dlq_loss(rejected: &Settlement, evidence: &Evidence) -> Found {
    let sentence = format!(
        "event {} was rejected (line {}), and was neither dead-lettered nor delivered again",
        evidence.names.events[rejected.event], rejected.line,
    );
    found(Anomaly::DlqLoss, sentence, rejected, Vec::new(), evidence)
}

/// Looks for events that were put aside although they might have been delivered again.
pub(super) fn early(evidence: &Evidence, profile: &Profile, results: &mut Results) {
    let Some(limit) = profile.limits.max_deliveries else { return };
    let mut count = 0;
    for of_event in evidence.queue.settlements.chunk_by(|one, next| one.event == next.event) {
        let is_put_aside = |row: &&Settlement| row.settled == Settled::DeadLetter && row.is_ok;
        let Some(put_aside) = of_event.iter().find(is_put_aside) else { continue };
        count += 1;
        let is_rejected = of_event.iter().any(|row| row.settled == Settled::Reject);
        let reads = || evidence.reads_of(put_aside.event).filter(|read| read.is_handed_out);
        let seen = reads().count() as u64;
        let told = reads().filter_map(|read| read.delivery()).chain(put_aside.delivery).max().unwrap_or(0);
        if !is_rejected && !put_aside.has_other_reason && seen.max(told) < limit {
            results.add(dlq_early(put_aside, seen.max(told), limit, evidence));
        }
    }
    results.checked(Anomaly::DlqEarly, count, "dead letter");
}

fn dlq_early(put_aside: &Settlement, times: u64, limit: u64, evidence: &Evidence) -> Found {
    let sentence = format!(
        "event {} was dead-lettered (line {}) after {} of {limit}, and nobody had rejected it",
        evidence.names.events[put_aside.event],
        put_aside.line,
        if times == 1 { "1 delivery".to_owned() } else { format!("{times} deliveries") },
    );
    let reads = evidence.reads_of(put_aside.event).filter(|read| read.line < put_aside.line);
    let lines = reads.take(3).map(|read| explain::read(read, evidence)).collect();
    found(Anomaly::DlqEarly, sentence, put_aside, lines, evidence)
}

fn found(
    anomaly: Anomaly,
    sentence: String,
    row: &Settlement,
    mut lines: Vec<Line>,
    evidence: &Evidence,
) -> Found {
    let names = &evidence.names;
    let verb = match row.settled {
        Settled::Nack => "refused",
        Settled::Reject => "rejected",
        Settled::DeadLetter => "dead-lettered",
    };
    let said = format!("process {} {verb} event {}", names.processes[row.process], names.events[row.event]);
    lines.push(Line { line: row.line, said });
    Found::new(anomaly, sentence, lines)
        .at(row.partition, None)
        .group(row.group)
        .event(row.event)
        .process(&names.processes[row.process])
}
