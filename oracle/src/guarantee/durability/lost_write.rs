//! `lost-write`: an acknowledged event that is not there, or one of unknown outcome that was read and is gone.

use std::collections::HashSet;

use lawspeaker_history::Guarantee;

use super::readers::Readers;
use crate::case::Found;
use crate::evidence::{Attempt, EventKey, Evidence, Read};
use crate::results::Results;
use crate::{Anomaly, Profile, explain};

/// Judges every acknowledged event; answers with those that are lost.
pub(super) fn check(evidence: &Evidence, profile: &Profile, results: &mut Results) -> HashSet<EventKey> {
    let readers = Readers::of(evidence, profile);
    let mut lost = HashSet::new();
    let (mut judged_count, mut beyond_count) = (0, 0);
    for (event, attempt) in evidence.acknowledged() {
        match fate(event, attempt, &readers, evidence) {
            Fate::Found => judged_count += usize::from(readers.is_any()),
            Fate::Lost(shown_by, why) => {
                judged_count += 1;
                lost.insert(event);
                results.add(lost_write(event, attempt, shown_by, why, evidence));
            }
            Fate::Unknown => {}
            Fate::Beyond => beyond_count += 1,
        }
    }
    results.checked(Anomaly::LostWrite, judged_count, "acknowledged event");
    if profile.keeps_delivered && !profile.has_competing_consumers {
        lost.extend(read_and_gone(&readers, evidence, results));
    }
    if beyond_count > 0 {
        let reason = format!(
            "{} read earlier and standing beyond the end of the final read: lost, unless the recording was cut short; \
             `\"complete\":true` in the header would tell",
            explain::counted(beyond_count, "acknowledged event"),
        );
        results.undecided(Guarantee::Durability, reason);
    }
    lost
}

/// Judges events that nobody acknowledged and somebody read: what was read from a log is in it, as Jepsen has it.
fn read_and_gone(readers: &Readers<'_>, evidence: &Evidence, results: &mut Results) -> Vec<EventKey> {
    let mut gone_events = Vec::new();
    let mut count = 0;
    // Where sends are recorded, what nobody sent is a phantom; where none is, readers are all there is to go by.
    let is_sent = |event: EventKey| evidence.attempts.is_empty() || !evidence.attempts_of(event).is_empty();
    let is_judged = |event: &EventKey| {
        is_sent(*event) && !evidence.has_failed(*event) && evidence.acknowledgement_of(*event).is_none()
    };
    for event in evidence.names.events.keys().filter(is_judged) {
        let is_before = |line: u64| evidence.extent.final_since.is_some_and(|since| line < since);
        let is_certain = |read: &&Read| read.is_ok && read.offset.is_some() && is_before(read.line);
        let Some(read) = evidence.reads_of(event).find(is_certain) else { continue };
        if read.offset.is_some_and(|offset| evidence.trims.may_lack(read.partition, offset)) {
            continue;
        }
        count += 1;
        let end = readers.finals.get(&read.partition).and_then(|of| of.end());
        let is_complete = evidence.extent.complete == Some(true);
        let is_owed = is_complete || end.is_some_and(|(end, _)| read.offset <= Some(end));
        if is_owed && !readers.in_final.contains(&event) {
            gone_events.push(event);
            results.add(gone(read, end.map(|(_, last)| last), evidence));
        }
    }
    results.checked(Anomaly::LostWrite, count, "read event");
    gone_events
}

fn gone(read: &Read, last: Option<&Read>, evidence: &Evidence) -> Found {
    let names = &evidence.names;
    let sentence = format!(
        "event {} was read from {}{} (line {}), and the final read{} does not hold it",
        names.events[read.event],
        names.partitions[read.partition],
        read.offset.map_or_else(String::new, |offset| format!(" at offset {offset}")),
        read.line,
        last.map_or_else(String::new, |last| format!(" (line {})", last.line)),
    );
    let mut lines: Vec<_> = evidence
        .attempts_of(read.event)
        .iter()
        .take(1)
        .map(|attempt| explain::send(attempt, evidence))
        .collect();
    lines.push(explain::read(read, evidence));
    lines.extend(last.map(|last| explain::read(last, evidence)));
    lines.sort_by_key(|line| line.line);
    Found::new(Anomaly::LostWrite, sentence, lines)
        .at(read.partition, read.offset)
        .event(read.event)
        .excused_if(evidence.may_be_aborted(read.event))
}

/// What the readers say of one acknowledged event.
enum Fate<'a> {
    /// It is there, or was read and nobody looked at the end.
    Found,
    /// It is gone; this read shows it.
    Lost(Option<&'a Read>, Why<'a>),
    /// No reader of everything came this far.
    Unknown,
    /// It was seen, and stands beyond the end of the final read.
    Beyond,
}

/// Why an event is known to be gone.
#[derive(Clone, Copy)]
enum Why<'a> {
    FinalPassed,
    FinalEnded,
    FinalEmpty,
    LogWentBack(&'a Attempt),
    ReadersPassed,
    OffsetReused(&'a Attempt),
}

fn fate<'a>(event: EventKey, attempt: &Attempt, readers: &Readers<'a>, evidence: &Evidence) -> Fate<'a> {
    let extent = &evidence.extent;
    let is_complete = extent.complete == Some(true);
    let is_owed_by_final = extent.final_since.is_none_or(|since| attempt.line() < since);
    if readers.in_final.contains(&event) {
        return Fate::Found;
    }
    let is_read = readers.has_read(event);
    if is_read && !readers.keeps_delivered {
        return Fate::Found;
    }
    if is_owed_by_final
        && let Some(final_read) = readers.finals.get(&attempt.partition)
        && let Some((end, last)) = final_read.end()
    {
        return match attempt.offset {
            Some(offset) if offset <= end => Fate::Lost(final_read.at_or_after(offset), Why::FinalPassed),
            _ if is_complete => Fate::Lost(Some(last), Why::FinalEnded),
            Some(_) if let Some(next) = final_read.sent_after(attempt) => {
                Fate::Lost(Some(last), Why::LogWentBack(next))
            }
            _ if is_read => Fate::Beyond,
            _ => Fate::Unknown,
        };
    }
    if is_owed_by_final && is_complete && extent.has_final_read {
        return Fate::Lost(None, Why::FinalEmpty);
    }
    if readers.keeps_delivered
        && let Some(next) = readers.successor(attempt, evidence)
    {
        return Fate::Lost(None, Why::OffsetReused(next));
    }
    if is_read {
        return Fate::Found;
    }
    match attempt.offset.and_then(|offset| readers.passed(attempt, offset, evidence)) {
        Some(read) => Fate::Lost(Some(read), Why::ReadersPassed),
        None => Fate::Unknown,
    }
}

fn lost_write(
    event: EventKey,
    attempt: &Attempt,
    shown_by: Option<&Read>,
    why: Why<'_>,
    evidence: &Evidence,
) -> Found {
    let names = &evidence.names;
    let shown_on = shown_by.map_or_else(String::new, |read| format!(" (line {})", read.line));
    let mut lines = vec![explain::send(attempt, evidence)];
    let told = match why {
        Why::FinalPassed => format!("the final read passed that place{shown_on} and did not find it"),
        Why::FinalEnded => format!("the complete final read ended before it{shown_on}"),
        Why::FinalEmpty => "the complete final read found nothing there at all".to_owned(),
        Why::LogWentBack(_) => {
            format!(
                "the final read{shown_on} ends before it and holds events sent after it: the log went back"
            )
        }
        Why::ReadersPassed => format!("nobody ever read it, though readers came further{shown_on}"),
        Why::OffsetReused(next) => {
            lines.push(explain::send(next, evidence));
            format!(
                "event {}, sent after it, was given its place (line {})",
                names.events[next.event],
                next.line()
            )
        }
    };
    let place = attempt.offset.map_or_else(String::new, |offset| format!(" at offset {offset}"));
    let sentence = format!(
        "event {} was acknowledged in {}{place} (line {}), and {told}",
        names.events[event],
        names.partitions[attempt.partition],
        attempt.line(),
    );
    let earlier = evidence.reads_of(event).find(|read| read.is_ok);
    lines.extend(earlier.map(|read| explain::read(read, evidence)));
    let is_ordered_by_line = matches!(why, Why::LogWentBack(next) | Why::OffsetReused(next) if next.is_later_by_line(attempt.process));
    let shown_line = match why {
        Why::OffsetReused(next) => next.begin,
        _ => shown_by.map_or(u64::MAX, |read| read.line),
    };
    let fault = evidence.fault_after(attempt.line()).filter(|fault| fault.line < shown_line);
    lines.extend(fault.map(explain::fault));
    lines.extend(shown_by.map(|read| explain::read(read, evidence)));
    lines.sort_by_key(|line| line.line);
    Found::new(Anomaly::LostWrite, sentence, lines)
        .at(attempt.partition, attempt.offset)
        .event(event)
        .excused_if(evidence.may_be_aborted(event))
        .ordered_by_line_if(is_ordered_by_line)
}
