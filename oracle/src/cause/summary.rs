//! What a finding says over all of its cases, in one sentence.

use std::collections::BTreeMap;

use lawspeaker_history::{EventId, Offset};

use super::Kind;
use crate::case::Found;
use crate::evidence::{EventKey, Evidence, PartitionKey};
use crate::{Anomaly, explain};

/// One sentence over all cases; a single case speaks for itself.
pub(super) fn summary(kind: &Kind, cases: &[Found], evidence: &Evidence) -> String {
    if let [case] = cases {
        return case.sentence.clone();
    }
    let names = &evidence.names;
    let place = place(kind, cases, evidence);
    let group = kind.group.map_or_else(String::new, |group| names.groups[group].to_string());
    let count = |noun: &str| explain::counted(cases.len(), noun);
    let what = match kind.anomaly {
        Anomaly::LostWrite if is_acknowledged(cases, evidence) => {
            format!("{} are gone from {place}", count("acknowledged event"))
        }
        Anomaly::LostWrite => {
            format!("{} that had been acknowledged or read are gone from {place}", count("event"))
        }
        Anomaly::RedeliveryAfterAck => {
            format!(
                "{} of {place} came to group {group} again after a confirmed acknowledgement",
                count("event")
            )
        }
        Anomaly::Unseen => format!("{} of {place} were read by nobody", count("acknowledged event")),
        Anomaly::GroupLoss => {
            format!("{} of {place} never reached group {group}", count("acknowledged event"))
        }
        Anomaly::CommitAhead => {
            format!("{} of group {group} in {place} ran ahead of what it had received", count("commit"))
        }
        Anomaly::CommitRegression => {
            format!("the position of group {group} in {place} fell {}", count("time"))
        }
        Anomaly::DualOwner => {
            format!("{} that two members of group {group} held partitions at once", count("time"))
        }
        Anomaly::InconsistentOffsets => format!("{} of {place} hold more than one event", count("offset")),
        Anomaly::InvalidOffset => format!("{} of {place} cannot be", count("offset")),
        Anomaly::Duplicate => format!("{} stand in {place} more than once", count("event")),
        Anomaly::Phantom => format!("{} read from {place} had been sent by nobody", count("event")),
        Anomaly::Misrouted => format!("{} read from {place} were sent elsewhere", count("event")),
        Anomaly::NonmonotonicSend => format!(
            "{} that a producer's later event stands before its earlier one in {place}",
            count("time")
        ),
        Anomaly::PollSkip => {
            format!("{} that a reader of {place} stepped over what stands there", count("time"))
        }
        Anomaly::NonmonotonicPoll => format!("{} that a reader of {place} stepped back", count("time")),
        Anomaly::CausalInversion => {
            format!("{} from {place} came to a consumer after what they had caused", count("event"))
        }
        Anomaly::MissingCause => {
            format!(
                "{} of {place} never came to a consumer that was given what they had caused",
                count("event")
            )
        }
        Anomaly::CausalityCycle => {
            format!("{} that events name as a cause what came only after them", count("time"))
        }
        Anomaly::ThinAir => format!("{} that an event names a cause which nobody sent", count("time")),
        Anomaly::ClockMismatch => {
            format!("{} that a clock is not above one that its process knew of", count("time"))
        }
        Anomaly::ReadYourWrites => {
            format!("{} that a reader of {place} passed over what it had written", count("time"))
        }
        Anomaly::MonotonicReads => {
            format!("{} that a reader of {place} no longer found what it had read", count("time"))
        }
        Anomaly::MonotonicWrites => {
            format!(
                "{} from {place} came to a consumer after a later one of the same process",
                count("event")
            )
        }
        Anomaly::WritesFollowReads => format!(
            "{} from {place} came to a consumer after what a process sent that had read them",
            count("event")
        ),
        Anomaly::LostConcurrencyCheck => {
            format!("{} were accepted at another version than they expected", count("append"))
        }
        Anomaly::VersionConflict => format!("{} of streams hold more than one event", count("version")),
        Anomaly::VersionGap => format!("{} that a reader of a stream stepped over a version", count("time")),
        Anomaly::GlobalOrderViolation => {
            format!("{} of events stand otherwise in the order of all than in their stream", count("pair"))
        }
        Anomaly::ProjectionSkip => format!("{} of streams were never taken by a projection", count("event")),
        Anomaly::ProjectionDuplicate => {
            format!("{} of streams were taken twice by a projection", count("event"))
        }
        Anomaly::SnapshotDivergence => {
            format!("{} differ from an earlier one of the same version", count("snapshot"))
        }
        Anomaly::ZombieWrite => {
            format!("{} of fenced producers were accepted in {place}", count("event"))
        }
        Anomaly::ForeignDelivery => {
            format!("{} of {place} came to members that it was not given to", count("event"))
        }
        Anomaly::OffsetRegression => {
            format!("{} that what was sent later stands earlier in {place}", count("time"))
        }
        Anomaly::ReplicaDivergence => {
            format!("{} of {place} are not on every replica", count("event"))
        }
        Anomaly::SeqDuplicate => format!("{} were accepted twice in {place}", count("sequence number")),
        Anomaly::SeqGap => format!("{} were accepted in {place} after a gap", count("sequence number")),
        Anomaly::FutureRead => format!("{} of {place} were read before they were sent", count("event")),
        Anomaly::Corrupt => format!("{} of {place} were delivered with another content", count("event")),
        Anomaly::KeyOrder => {
            format!("{} of a key stand in another partition than what was sent before", count("event"))
        }
        Anomaly::RetentionViolation => {
            format!("{} of {place} were read after they had been trimmed", count("event"))
        }
        Anomaly::CompactionViolation => {
            format!("{} of their keys are gone from {place}, which was compacted", count("last event"))
        }
        Anomaly::FetchGap => {
            format!("{} of {place} were given a later offset than they asked for", count("poll"))
        }
        Anomaly::ResumeViolation => {
            format!("{} of {place} were given an earlier offset than they asked for", count("poll"))
        }
        Anomaly::EmptyBelowHw => {
            format!("{} of {place} were given nothing where something stands", count("poll"))
        }
        Anomaly::StuckConsumer => format!("{} of {place} are stuck", count("reader")),
        Anomaly::Deadlock => format!("{} of processes that wait for ever", count("set")),
        Anomaly::G0 => format!("{} of committed transactions that stand before one another", count("circle")),
        Anomaly::OffsetsNotAtomic => format!("{} of aborted transactions are in force", count("position")),
        Anomaly::G1b => {
            format!("{} of {place} were read before their transactions were committed", count("event"))
        }
        Anomaly::G1c => {
            format!("{} of committed transactions that depend on what others sent", count("circle"))
        }
        Anomaly::TornTransaction => format!("{} were committed in part", count("transaction")),
        Anomaly::CommitHitsLaterTransaction => {
            format!("{} ended as the next one of their producer should have", count("transaction"))
        }
        Anomaly::PrecommittedRead => {
            format!("{} of {place} were read by their own transactions", count("event"))
        }
        Anomaly::EosDuplicate => {
            format!("{} of {place} are the input of several transactions of group {group}", count("event"))
        }
        Anomaly::StaleGeneration => {
            format!("{} that group {group} accepted what came from an older generation", count("time"))
        }
        Anomaly::EarlyRedelivery => {
            format!("{} of {place} went to another member of group {group} too early", count("event"))
        }
        Anomaly::DupDelivery => {
            format!("{} of {place} came to group {group} again for no reason", count("event"))
        }
        Anomaly::OverDelivery => {
            format!("{} of {place} came to group {group} too often", count("event"))
        }
        Anomaly::DlqLoss => format!("{} of {place} are gone", count("rejected event")),
        Anomaly::DlqEarly => format!("{} of {place} were put aside too early", count("dead-lettered event")),
        Anomaly::CommitLost => format!("the position of group {group} in {place} was gone {}", count("time")),
        Anomaly::EffectDuplicated => {
            format!("{} of {place} took effect more than once", count("event"))
        }
        Anomaly::EffectWithoutChange => {
            format!("{} of {place} took effect though their changes did not happen", count("event"))
        }
        Anomaly::ChangeWithoutEffect => {
            format!("{} that changes owed never took effect", count("event"))
        }
        Anomaly::DirtyRead => {
            format!("{} read what sagas had written which went back{}", count("step"), sagas(cases, evidence))
        }
        Anomaly::LostUpdate => format!(
            "{} that a compensation wiped out what a committed saga had written{}",
            count("time"),
            sagas(cases, evidence)
        ),
        Anomaly::DoubleStep => {
            format!("{} were done more than once{}", count("step"), sagas(cases, evidence))
        }
        Anomaly::DoubleCompensation => {
            format!("{} were compensated more than once{}", count("step"), sagas(cases, evidence))
        }
        Anomaly::UncompensatedStep => {
            format!("{} stay done of sagas that went back{}", count("step"), sagas(cases, evidence))
        }
        Anomaly::TornSaga => {
            format!("{} are not done of sagas that ended committed{}", count("step"), sagas(cases, evidence))
        }
        Anomaly::CommitAndAbort => {
            format!("{} ended both committed and aborted{}", count("saga"), sagas(cases, evidence))
        }
        Anomaly::CompensationWithoutStep => {
            format!("{} were compensated and had never been done{}", count("step"), sagas(cases, evidence))
        }
        Anomaly::CompensatedAfterPivot => {
            format!("{} were compensated after the pivot was done{}", count("step"), sagas(cases, evidence))
        }
        Anomaly::StepAfterAbort => {
            format!(
                "{} were done after their compensation or the end of their saga{}",
                count("step"),
                sagas(cases, evidence)
            )
        }
        Anomaly::OrphanReply => format!(
            "{} that something happened in a saga that nobody started, or to a step that it does not declare{}",
            count("time"),
            sagas(cases, evidence)
        ),
        Anomaly::CompensationOrder => {
            format!(
                "{} were compensated after what was done before them{}",
                count("step"),
                sagas(cases, evidence)
            )
        }
        Anomaly::StuckSaga => format!("{} never ended{}", count("saga"), sagas(cases, evidence)),
        Anomaly::G1a => format!("{} of {place} can be read although their sends failed", count("event")),
    };
    what + &offset_ranges(cases, evidence)
}

/// Whether producers were told of every event, so that nothing is known from readers alone.
fn is_acknowledged(cases: &[Found], evidence: &Evidence) -> bool {
    cases.iter().flat_map(|case| &case.events).all(|event| evidence.acknowledgement_of(*event).is_some())
}

/// ` (s1, s2 and 3 more)`: the sagas of cases.
fn sagas(cases: &[Found], evidence: &Evidence) -> String {
    /// How many are told before the rest is only counted.
    const SAGAS_TOLD: usize = 3;
    let mut sagas: Vec<_> = cases.iter().filter_map(|case| case.saga).collect();
    sagas.sort_unstable();
    sagas.dedup();
    let name = |saga: &_| evidence.names.sagas[*saga].to_string();
    let mut told: Vec<_> = sagas.iter().take(SAGAS_TOLD).map(name).collect();
    if sagas.len() > SAGAS_TOLD {
        told.push(format!("{} more", explain::count(sagas.len() - SAGAS_TOLD)));
    }
    format!(" ({})", explain::list(&told))
}

/// The partition that all cases show in, or else the topic.
fn place(kind: &Kind, cases: &[Found], evidence: &Evidence) -> String {
    let mut partitions = cases.iter().flat_map(|case| &case.partitions);
    match partitions.next() {
        Some(first) if partitions.all(|partition| partition == first) => {
            evidence.names.partitions[*first].to_string()
        }
        _ => kind.topic.clone().unwrap_or_default(),
    }
}

/// ` (offsets 1-5 and 7)`, by partition if there is more than one; the ids of events where there are no offsets.
fn offset_ranges(cases: &[Found], evidence: &Evidence) -> String {
    /// How many partitions are told before the rest is only counted.
    const PARTITIONS_TOLD: usize = 4;
    let mut by_partition: BTreeMap<PartitionKey, Vec<Offset>> = BTreeMap::new();
    for case in cases {
        if let (Some(partition), Some(offset)) = (case.partitions.first(), case.offset) {
            by_partition.entry(*partition).or_default().push(offset);
        }
    }
    let partition_count = by_partition.len();
    if partition_count == 0 {
        return event_ranges(cases, evidence);
    }
    let tell = |(partition, offsets): (PartitionKey, Vec<Offset>)| {
        let noun = if offsets.len() == 1 { "offset" } else { "offsets" };
        let ranges = explain::offset_ranges(offsets);
        if partition_count == 1 {
            format!("{noun} {ranges}")
        } else {
            format!("{noun} {ranges} of {}", evidence.names.partitions[partition])
        }
    };
    let mut told: Vec<_> = by_partition.into_iter().take(PARTITIONS_TOLD).map(tell).collect();
    if partition_count > PARTITIONS_TOLD {
        told.push(explain::counted(partition_count - PARTITIONS_TOLD, "more partition"));
    }
    format!(" ({})", told.join("; "))
}

/// The events of cases that have no offsets, where their ids are numbers.
fn event_ranges(cases: &[Found], evidence: &Evidence) -> String {
    let number = |event: &EventKey| match evidence.names.events[*event] {
        EventId::Number(number) => Some(number),
        EventId::Name(_) => None,
    };
    let numbers: Option<Vec<i64>> = cases.iter().flat_map(|case| &case.events).map(number).collect();
    match numbers {
        Some(mut numbers) if !numbers.is_empty() => {
            numbers.sort_unstable();
            format!(" (events {})", explain::ranges(&numbers))
        }
        _ => String::new(),
    }
}
