//! Root causes: cases of one kind become one finding, and what merely follows is listed under what it follows from.
//!
//! The rules are a table. A case follows from a case of another kind if both touch the same event, or if it shows
//! in the same group and partition while the other goes on. The first rule that fits decides. What is passed over follows only if
//! each event of it is accounted for: a reader that steps over a lost event and over another one has skipped.
//! Cost: O(n log n) in cases.

mod summary;

use std::collections::{BTreeMap, HashMap, HashSet};

use lawspeaker_history::Partition;

use crate::case::Found;
use crate::evidence::{EventKey, Evidence, GroupKey, PartitionKey, SagaKey, StepKey};
use crate::{Anomaly, Finding, Profile, Severity, explain, strip};

/// What ties an effect to its cause.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tie {
    /// The cause's event is one of the effect's, or takes part in it.
    Event,
    /// The cause's event is one of the effect's, and both show in one group.
    EventInGroup,
    /// Each of the effect's events is one of such a cause, be it not of the same one.
    EachEvent,
    /// The same, and the cause shows in the effect's group.
    EachEventInGroup,
    /// The same group and partition, while the cause goes on.
    Place,
    /// The same group and partition, and the effect rests on the very line on which the cause begins.
    Line,
    /// The same saga.
    Saga,
    /// The same step of the same saga.
    Step,
}

const RULES: &[(Anomaly, Anomaly, Tie)] = &[
    // A wrong acknowledgement puts its event where it does not stand.
    (Anomaly::InconsistentOffsets, Anomaly::InvalidOffset, Tie::Event),
    (Anomaly::Duplicate, Anomaly::InvalidOffset, Tie::Event),
    (Anomaly::NonmonotonicSend, Anomaly::InvalidOffset, Tie::Event),
    // A lost event's offset is given to another; readers step over it; producers find the log shorter.
    (Anomaly::InconsistentOffsets, Anomaly::LostWrite, Tie::Event),
    (Anomaly::PollSkip, Anomaly::LostWrite, Tie::EachEvent),
    (Anomaly::NonmonotonicPoll, Anomaly::LostWrite, Tie::Event),
    (Anomaly::NonmonotonicSend, Anomaly::LostWrite, Tie::Event),
    (Anomaly::GroupLoss, Anomaly::LostWrite, Tie::Event),
    // An event in the wrong partition is missing in its own, and a group that goes on there commits past its place.
    (Anomaly::GroupLoss, Anomaly::Misrouted, Tie::Event),
    (Anomaly::PollSkip, Anomaly::Misrouted, Tie::EachEvent),
    (Anomaly::CommitAhead, Anomaly::Misrouted, Tie::EachEvent),
    (Anomaly::CommitAhead, Anomaly::LostWrite, Tie::EachEvent),
    // A group that had read the one event of an offset goes on past the other.
    (Anomaly::GroupLoss, Anomaly::InconsistentOffsets, Tie::Event),
    // What a compaction drops is lost.
    (Anomaly::LostWrite, Anomaly::CompactionViolation, Tie::Event),
    // Two transactions that ended as one another should have show what both of them should not.
    (Anomaly::G1a, Anomaly::CommitHitsLaterTransaction, Tie::Event),
    (Anomaly::TornTransaction, Anomaly::CommitHitsLaterTransaction, Tie::Event),
    (Anomaly::LostWrite, Anomaly::CommitHitsLaterTransaction, Tie::Event),
    // A transaction that is committed in part loses the rest.
    (Anomaly::LostWrite, Anomaly::TornTransaction, Tie::Event),
    // What is lost, or is not given to anybody, is not given to who asks.
    (Anomaly::FetchGap, Anomaly::InvalidOffset, Tie::Event),
    (Anomaly::EmptyBelowHw, Anomaly::InvalidOffset, Tie::Event),
    (Anomaly::FetchGap, Anomaly::LostWrite, Tie::Event),
    (Anomaly::EmptyBelowHw, Anomaly::LostWrite, Tie::Event),
    (Anomaly::FetchGap, Anomaly::Misrouted, Tie::Event),
    (Anomaly::EmptyBelowHw, Anomaly::Misrouted, Tie::Event),
    (Anomaly::FetchGap, Anomaly::InconsistentOffsets, Tie::Event),
    (Anomaly::EmptyBelowHw, Anomaly::InconsistentOffsets, Tie::Event),
    (Anomaly::FetchGap, Anomaly::Duplicate, Tie::Event),
    (Anomaly::FetchGap, Anomaly::ReplicaDivergence, Tie::Event),
    (Anomaly::StuckConsumer, Anomaly::LostWrite, Tie::Event),
    (Anomaly::EmptyBelowHw, Anomaly::StuckConsumer, Tie::Event),
    (Anomaly::Unseen, Anomaly::StuckConsumer, Tie::Event),
    (Anomaly::GroupLoss, Anomaly::StuckConsumer, Tie::EventInGroup),
    (Anomaly::GroupLoss, Anomaly::FetchGap, Tie::EventInGroup),
    (Anomaly::PollSkip, Anomaly::FetchGap, Tie::Event),
    // What stands at a wrong place, or at two, is given too early; what is given too early is a step back.
    (Anomaly::ResumeViolation, Anomaly::InvalidOffset, Tie::Event),
    (Anomaly::ResumeViolation, Anomaly::InconsistentOffsets, Tie::Event),
    (Anomaly::ResumeViolation, Anomaly::Duplicate, Tie::Event),
    (Anomaly::NonmonotonicPoll, Anomaly::ResumeViolation, Tie::Event),
    // A group that committed past an event never received it.
    (Anomaly::GroupLoss, Anomaly::CommitAhead, Tie::EventInGroup),
    (Anomaly::PollSkip, Anomaly::GroupLoss, Tie::EachEventInGroup),
    // What no group received, nobody read.
    (Anomaly::Unseen, Anomaly::GroupLoss, Tie::Event),
    // An offset that holds two events puts one of them at a second place, or in a new order.
    (Anomaly::Duplicate, Anomaly::InconsistentOffsets, Tie::Event),
    (Anomaly::NonmonotonicSend, Anomaly::InconsistentOffsets, Tie::Event),
    // An event at two places looks like a step in any direction.
    (Anomaly::PollSkip, Anomaly::Duplicate, Tie::Event),
    (Anomaly::NonmonotonicPoll, Anomaly::Duplicate, Tie::Event),
    (Anomaly::NonmonotonicSend, Anomaly::Duplicate, Tie::Event),
    // A cause that cannot be comes late everywhere, and a clock that was kept badly orders what it should not.
    (Anomaly::CausalInversion, Anomaly::CausalityCycle, Tie::Event),
    (Anomaly::MissingCause, Anomaly::CausalityCycle, Tie::Event),
    (Anomaly::CausalInversion, Anomaly::ClockMismatch, Tie::Event),
    (Anomaly::MissingCause, Anomaly::ClockMismatch, Tie::Event),
    // What the log lost is missing everywhere.
    (Anomaly::MissingCause, Anomaly::LostWrite, Tie::Event),
    (Anomaly::ReadYourWrites, Anomaly::LostWrite, Tie::Event),
    (Anomaly::MonotonicReads, Anomaly::LostWrite, Tie::Event),
    // An event that was acknowledged elsewhere than it stands is passed over there.
    (Anomaly::ReadYourWrites, Anomaly::InvalidOffset, Tie::Event),
    // A log that goes back, or an acknowledgement that is wrong, puts what is later first.
    (Anomaly::OffsetRegression, Anomaly::InvalidOffset, Tie::Event),
    (Anomaly::OffsetRegression, Anomaly::LostWrite, Tie::Event),
    (Anomaly::OffsetRegression, Anomaly::InconsistentOffsets, Tie::Event),
    (Anomaly::OffsetRegression, Anomaly::Duplicate, Tie::Event),
    // What a replica lost, or has at two places, it does not have where the others do.
    (Anomaly::ReplicaDivergence, Anomaly::LostWrite, Tie::Event),
    (Anomaly::PollSkip, Anomaly::ReplicaDivergence, Tie::EachEvent),
    // A sequence number that is accepted twice is a copy, and what a zombie writes may be one.
    (Anomaly::Duplicate, Anomaly::SeqDuplicate, Tie::Event),
    (Anomaly::SeqDuplicate, Anomaly::InvalidOffset, Tie::Event),
    // Who reads what is not its own reads it twice.
    (Anomaly::ForeignDelivery, Anomaly::DualOwner, Tie::Place),
    (Anomaly::EosDuplicate, Anomaly::Duplicate, Tie::Event),
    // What comes to two members at once comes from the log going wrong, and is done twice.
    (Anomaly::EffectDuplicated, Anomaly::DupDelivery, Tie::Event),
    (Anomaly::EffectDuplicated, Anomaly::EarlyRedelivery, Tie::Event),
    (Anomaly::OverDelivery, Anomaly::DupDelivery, Tie::Event),
    (Anomaly::OverDelivery, Anomaly::RedeliveryAfterAck, Tie::Event),
    // What was put aside, or lost on the way, nobody does.
    (Anomaly::GroupLoss, Anomaly::DlqEarly, Tie::Event),
    (Anomaly::GroupLoss, Anomaly::DlqLoss, Tie::Event),
    // A stale owner believes in an old generation.
    (Anomaly::StaleGeneration, Anomaly::DualOwner, Tie::Place),
    (Anomaly::CommitRegression, Anomaly::StaleGeneration, Tie::Line),
    // Two owners commit each over the other.
    (Anomaly::CommitRegression, Anomaly::DualOwner, Tie::Place),
    // A saga that goes both ways keeps the promise of neither.
    (Anomaly::UncompensatedStep, Anomaly::CommitAndAbort, Tie::Saga),
    (Anomaly::TornSaga, Anomaly::CommitAndAbort, Tie::Saga),
    (Anomaly::StepAfterAbort, Anomaly::CommitAndAbort, Tie::Saga),
    (Anomaly::CompensatedAfterPivot, Anomaly::CommitAndAbort, Tie::Saga),
    // One that turns back too late leaves the pivot done, and one that stops half-way back leaves the rest.
    (Anomaly::UncompensatedStep, Anomaly::CompensatedAfterPivot, Tie::Saga),
    (Anomaly::TornSaga, Anomaly::CompensatedAfterPivot, Tie::Saga),
    (Anomaly::UncompensatedStep, Anomaly::StuckSaga, Tie::Saga),
    // What nobody asked for is done, or undone, for no reason.
    (Anomaly::CompensationWithoutStep, Anomaly::OrphanReply, Tie::Step),
    (Anomaly::UncompensatedStep, Anomaly::OrphanReply, Tie::Step),
    // A late step is done once more and stays done, or is compensated once more.
    (Anomaly::UncompensatedStep, Anomaly::StepAfterAbort, Tie::Step),
    (Anomaly::DoubleStep, Anomaly::StepAfterAbort, Tie::Step),
    (Anomaly::DoubleCompensation, Anomaly::StepAfterAbort, Tie::Step),
    // What was delivered again, or stands twice in the log, takes effect again where nobody looks for it.
    (Anomaly::EffectDuplicated, Anomaly::Duplicate, Tie::Event),
    (Anomaly::EffectDuplicated, Anomaly::RedeliveryAfterAck, Tie::Event),
    // What the log or a group lost takes no effect, and what surely did not happen should not be read either.
    (Anomaly::ChangeWithoutEffect, Anomaly::LostWrite, Tie::Event),
    (Anomaly::ChangeWithoutEffect, Anomaly::GroupLoss, Tie::Event),
    (Anomaly::EffectWithoutChange, Anomaly::G1a, Tie::Event),
    // Who does not check where a stream ends appends where something stands.
    (Anomaly::VersionConflict, Anomaly::LostConcurrencyCheck, Tie::Event),
    // What a reader is not given, or is given late, a projection does not take.
    (Anomaly::ProjectionSkip, Anomaly::VersionGap, Tie::Event),
    (Anomaly::ProjectionSkip, Anomaly::GlobalOrderViolation, Tie::Event),
    // Two histories of one stream, and one with holes or copies, come to different states.
    (Anomaly::SnapshotDivergence, Anomaly::VersionConflict, Tie::Event),
    (Anomaly::SnapshotDivergence, Anomaly::VersionGap, Tie::Event),
    (Anomaly::SnapshotDivergence, Anomaly::ProjectionSkip, Tie::Event),
    (Anomaly::SnapshotDivergence, Anomaly::ProjectionDuplicate, Tie::Event),
    // Who does something twice undoes it twice.
    (Anomaly::DoubleCompensation, Anomaly::DoubleStep, Tie::Step),
];

/// How many findings show the log around them: one costs a pass over all commits.
const STRIPS: usize = 24;

/// Cases that become one finding.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Kind {
    anomaly: Anomaly,
    severity: Severity,
    /// The topic whose partitions it shows in.
    topic: Option<String>,
    group: Option<GroupKey>,
    cause: Option<Anomaly>,
}

/// Groups cases into findings: violations before notes, oldest root first, each followed by what it causes.
pub(crate) fn group(found: Vec<Found>, profile: &Profile, evidence: &Evidence) -> Vec<Finding> {
    let drafts = drafts(found, profile, evidence);
    let parents = parents(&drafts);
    let order = depth_first(&parents);
    number(drafts, &parents, &order, evidence)
}

/// Cases by kind, the cases of each oldest first; violations before notes, and the kinds oldest first.
fn drafts(found: Vec<Found>, profile: &Profile, evidence: &Evidence) -> Vec<(Kind, Vec<Found>)> {
    let severity = |case: &Found| {
        let is_excused = case.is_excused && !profile.is_strict;
        if is_excused { Severity::Note } else { profile.severity(case.anomaly) }
    };
    // What is only noted is no root cause of a violation.
    let violated = Roots::of(found.iter().filter(|case| severity(case) == Severity::Violation));
    let noted = Roots::of(&found);
    let mut kinds: BTreeMap<Kind, Vec<Found>> = BTreeMap::new();
    for case in found {
        let severity = severity(&case);
        let roots = if severity == Severity::Violation { &violated } else { &noted };
        let cause = roots.cause(&case);
        let topic = case.partitions.first().map(|partition| topic(&evidence.names.partitions[*partition]));
        let kind = Kind { anomaly: case.anomaly, severity, topic, group: case.group, cause };
        kinds.entry(kind).or_default().push(case);
    }
    let mut drafts: Vec<(Kind, Vec<Found>)> = kinds.into_iter().collect();
    for (_, cases) in &mut drafts {
        cases.sort_by_key(|case| (case.first_line(), case.offset));
    }
    drafts.sort_by_key(|(kind, cases)| (kind.severity, first_line(cases), kind.anomaly));
    drafts
}

/// Makes findings of the drafts in this order, numbered from 1, and links them.
fn number(
    drafts: Vec<(Kind, Vec<Found>)>,
    parents: &[Option<usize>],
    order: &[usize],
    evidence: &Evidence,
) -> Vec<Finding> {
    let mut id_of = vec![0; drafts.len()];
    for (place, draft) in order.iter().enumerate() {
        id_of[*draft] = place + 1;
    }
    let mut findings: Vec<Finding> = Vec::with_capacity(drafts.len());
    for (draft, (kind, cases)) in drafts.into_iter().enumerate() {
        let is_shown = kind.cause.is_none() && draft < STRIPS;
        let strip = cases.first().filter(|_| is_shown).and_then(|case| strip::strip(case, evidence));
        let mut finding = finding(kind, cases, evidence);
        finding.strip = strip;
        finding.id = id_of[draft];
        finding.caused_by = parents[draft].map(|parent| id_of[parent]);
        findings.push(finding);
    }
    findings.sort_by_key(|finding| finding.id);
    for place in 0..findings.len() {
        if let Some(parent) = findings[place].caused_by {
            let id = findings[place].id;
            findings[parent - 1].causes.push(id);
        }
    }
    findings
}

/// What every case of a kind that can be a cause touches.
struct Roots {
    events: HashMap<Anomaly, HashSet<EventKey>>,
    in_group: HashSet<(Anomaly, GroupKey, EventKey)>,
    places: HashMap<(Anomaly, GroupKey, PartitionKey), Vec<(u64, u64)>>,
    sagas: HashSet<(Anomaly, SagaKey)>,
    steps: HashSet<(Anomaly, SagaKey, StepKey)>,
}

impl Roots {
    fn of<'a>(found: impl IntoIterator<Item = &'a Found>) -> Self {
        let mut roots = Roots {
            events: HashMap::new(),
            in_group: HashSet::new(),
            places: HashMap::new(),
            sagas: HashSet::new(),
            steps: HashSet::new(),
        };
        for case in found {
            roots.events.entry(case.anomaly).or_default().extend(&case.events);
            if let Some(group) = case.group {
                roots.in_group.extend(case.events.iter().map(|event| (case.anomaly, group, *event)));
            }
            if let Some(saga) = case.saga {
                roots.sagas.insert((case.anomaly, saga));
                roots.steps.extend(case.steps.iter().map(|step| (case.anomaly, saga, *step)));
            }
            for partition in &case.partitions {
                let Some(group) = case.group else { continue };
                let lines = (case.begin(), case.last_line());
                roots.places.entry((case.anomaly, group, *partition)).or_default().push(lines);
            }
        }
        roots
    }

    fn cause(&self, effect: &Found) -> Option<Anomaly> {
        let ties = |(of, cause, tie): &&(Anomaly, Anomaly, Tie)| {
            *of == effect.anomaly
                && match tie {
                    Tie::Event => self.shares_event(*cause, effect),
                    Tie::EventInGroup | Tie::EachEvent | Tie::EachEventInGroup => {
                        let mut events = effect.events.iter();
                        events.any(|event| self.accounts_for(*cause, *tie, effect, *event))
                            && (*tie == Tie::EventInGroup || self.accounts_for_each(effect))
                    }
                    Tie::Place => self.shares_place(*cause, effect, |(begin, last)| {
                        let shows = effect.lines.last().map_or(0, |line| line.line);
                        (begin..=last).contains(&shows)
                    }),
                    Tie::Line => self.shares_place(*cause, effect, |(begin, _)| {
                        effect.lines.iter().any(|line| line.line == begin)
                    }),
                    Tie::Saga => effect.saga.is_some_and(|saga| self.sagas.contains(&(*cause, saga))),
                    Tie::Step => self.shares_step(*cause, effect),
                }
        };
        RULES.iter().find(ties).map(|(_, cause, _)| *cause)
    }

    fn shares_event(&self, cause: Anomaly, effect: &Found) -> bool {
        let Some(events) = self.events.get(&cause) else { return false };
        effect.events.iter().chain(&effect.involved).any(|event| events.contains(event))
    }

    /// Whether each event of `effect` is accounted for by some rule that asks for it.
    fn accounts_for_each(&self, effect: &Found) -> bool {
        let is_asked = |tie: &Tie| matches!(tie, Tie::EachEvent | Tie::EachEventInGroup);
        let rules = || RULES.iter().filter(|(of, _, tie)| *of == effect.anomaly && is_asked(tie));
        let is_known =
            |event: &EventKey| rules().any(|(_, cause, tie)| self.accounts_for(*cause, *tie, effect, *event));
        effect.events.iter().all(is_known)
    }

    fn accounts_for(&self, cause: Anomaly, tie: Tie, effect: &Found, event: EventKey) -> bool {
        match tie {
            Tie::EventInGroup | Tie::EachEventInGroup => {
                effect.group.is_some_and(|group| self.in_group.contains(&(cause, group, event)))
            }
            _ => self.events.get(&cause).is_some_and(|events| events.contains(&event)),
        }
    }

    fn shares_step(&self, cause: Anomaly, effect: &Found) -> bool {
        let Some(saga) = effect.saga else { return false };
        effect.steps.iter().any(|step| self.steps.contains(&(cause, saga, *step)))
    }

    fn shares_place(&self, cause: Anomaly, effect: &Found, is_meant: impl Fn((u64, u64)) -> bool) -> bool {
        let Some(group) = effect.group else { return false };
        effect.partitions.iter().any(|partition| {
            let places = self.places.get(&(cause, group, *partition));
            places.is_some_and(|places| places.iter().any(|lines| is_meant(*lines)))
        })
    }
}

fn first_line(cases: &[Found]) -> u64 {
    cases.first().map_or(0, Found::first_line)
}

/// The topic of a partition: `orders` of `orders/3`, and a queue or stream is its own.
fn topic(partition: &Partition) -> String {
    let name = partition.as_str();
    name.rsplit_once('/').map_or(name, |(topic, _)| topic).to_owned()
}

/// The finding that each one follows from: one of the cause's kind, in the same topic and group if there is one.
fn parents(drafts: &[(Kind, Vec<Found>)]) -> Vec<Option<usize>> {
    let mut places: HashMap<Anomaly, Vec<usize>> = HashMap::new();
    for (place, (kind, _)) in drafts.iter().enumerate() {
        places.entry(kind.anomaly).or_default().push(place);
    }
    let parent = |kind: &Kind| {
        let weighs_enough = |place: &usize| drafts[*place].0.severity <= kind.severity;
        let candidates = places.get(&kind.cause?)?.iter().copied().filter(weighs_enough);
        let fit = |place: &usize| {
            let other = &drafts[*place].0;
            (other.topic == kind.topic, other.group == kind.group, std::cmp::Reverse(*place))
        };
        candidates.max_by_key(fit)
    };
    drafts.iter().map(|(kind, _)| parent(kind)).collect()
}

/// Roots in order, each followed by its effects. The rules have no cycle, so every draft is reached.
fn depth_first(parents: &[Option<usize>]) -> Vec<usize> {
    let mut children = vec![Vec::new(); parents.len()];
    for (place, parent) in parents.iter().enumerate() {
        if let Some(parent) = parent {
            children[*parent].push(place);
        }
    }
    let mut order = Vec::with_capacity(parents.len());
    let mut rest: Vec<usize> = (0..parents.len()).rev().filter(|place| parents[*place].is_none()).collect();
    while let Some(place) = rest.pop() {
        order.push(place);
        rest.extend(children[place].iter().rev());
    }
    order
}

fn finding(kind: Kind, cases: Vec<Found>, evidence: &Evidence) -> Finding {
    let names = &evidence.names;
    let mut partitions = Vec::new();
    for partition in cases.iter().flat_map(|case| case.partition_names(names)) {
        if !partitions.contains(&partition) {
            partitions.push(partition);
        }
    }
    Finding {
        id: 0,
        anomaly: kind.anomaly,
        guarantee: kind.anomaly.guarantee(),
        severity: kind.severity,
        partitions,
        group: cases.first().and_then(|case| case.group_name(names)),
        summary: summary::summary(&kind, &cases, evidence),
        count: cases.len(),
        caused_by: None,
        causes: Vec::new(),
        proof: cases.first().map(|case| explain::proof::proof(case, evidence)).unwrap_or_default(),
        strip: None,
        cases: cases.into_iter().map(|case| case.into_case(names)).collect(),
    }
}
