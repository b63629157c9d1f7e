//! What a recording holds that makes a verdict worth something: faults, crashes, redeliveries, and how much of each.
//!
//! A history in which nothing happened conforms to everything. A [`Profile`] says what a recording should hold: without
//! what it requires, a history that conforms is inconclusive, and without what it wants the report says so.
//! Cost: O(n log n) in reads, sends and moves.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use lawspeaker_history::{OpType, SagaOutcome};

use crate::Profile;
use crate::evidence::{EventKey, Evidence, GroupKey, Key, MoveKind, ProcessKey, given};

macro_rules! witnesses {
    ($($variant:ident, $name:literal, $says:literal, $remedy:literal;)*) => {
        /// Something that a recording may hold. The order of the variants is the order of reports.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Exercise {
            $(#[doc = concat!("Without it: ", $says, ".")] $variant,)*
        }

        impl Exercise {
            /// Every witness.
            pub const ALL: &'static [Exercise] = &[$(Exercise::$variant,)*];

            /// The name in profiles, in JSON and after `--waive`, such as `redelivery`.
            pub const fn name(self) -> &'static str {
                match self { $(Exercise::$variant => $name,)* }
            }

            /// What it means that there is none, as one clause.
            pub const fn says(self) -> &'static str {
                match self { $(Exercise::$variant => $says,)* }
            }

            /// What to do for some, as one clause.
            pub const fn remedy(self) -> &'static str {
                match self { $(Exercise::$variant => $remedy,)* }
            }
        }
    };
}

witnesses! {
    AcknowledgedSend, "acknowledged-send", "no send was acknowledged", "record what producers are told";
    UnknownSend, "unknown-send", "no send had an unknown outcome", "cut a connection while a producer waits for its acknowledgement";
    Read, "read", "nothing was read", "record what consumers are given";
    FinalRead, "final-read", "no fresh reader read everything at the end", "read every partition from its beginning after the last send, with `phase` `final`";
    Fault, "fault", "no fault happened", "kill, pause or cut off a server while the recording runs, as an op of process `nemesis`";
    FaultWhileSending, "fault-while-sending", "no fault happened while a send was under way", "send without a pause while servers are killed";
    Crash, "crash", "no consumer crashed", "kill a consumer and record its `crash`";
    Redelivery, "redelivery", "no event came to a group twice", "kill a consumer before it acknowledges what it was given";
    Rebalance, "rebalance", "no group gave partitions to another member", "let a member join or leave, and record what is assigned";
    RebalanceInFlight, "rebalance-in-flight", "no member left or joined while work was in hand", "let a member join or crash between a poll and the commit of what it gave";
    Effect, "effect", "no effect of an event was recorded", "record `apply` where events take effect";
    Change, "change", "no change of state was committed", "record `change` where a service commits a transaction that owes events";
    RolledBackChange, "rolled-back-change", "no change of state was rolled back", "let a transaction fail after its event was made";
    Saga, "saga", "no saga is recorded", "record what sagas do: `saga.start`, `saga.step`, `saga.compensate`, `saga.end`";
    SagaEnd, "saga-end", "no saga ended", "record `saga.end`";
    Append, "append", "nothing was appended to a stream", "record `append`";
    RefusedAppend, "refused-append", "no append was refused", "let two writers append to one stream at the version that both have read";
    StreamRead, "stream-read", "no stream was read", "record `read-stream`";
    AbortedSaga, "aborted-saga", "no saga went back", "let a step be refused after others were done";
}

impl fmt::Display for Exercise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Exercise {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Self::ALL.iter().copied().find(|witness| witness.name() == name).ok_or(())
    }
}

impl serde::Serialize for Exercise {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// How much a profile asks for a witness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
    /// Without it, a history that conforms is inconclusive.
    Required,
    /// Without it, the report says so.
    Wanted,
}

impl Need {
    /// The name in profiles and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Need::Required => "required",
            Need::Wanted => "wanted",
        }
    }
}

/// How much a recording holds of what a profile asks for.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Exercised {
    /// What.
    pub witness: Exercise,
    /// How much the profile asks for it.
    pub need: Need,
    /// How often it happened.
    pub count: usize,
    /// Whether the caller is content without it.
    pub is_waived: bool,
}

impl Exercised {
    /// Takes how much a later part of the same recording holds. What happens to all partitions at once shows in every
    /// part, and is told as often as it shows in one.
    pub(crate) fn join(&mut self, later: &Exercised) {
        self.count = match self.witness {
            Exercise::Fault | Exercise::FaultWhileSending | Exercise::Crash | Exercise::RebalanceInFlight => {
                self.count.max(later.count)
            }
            _ => self.count + later.count,
        };
    }

    /// Whether there is none of it, it is needed so, and the caller did not waive it.
    pub fn is_missing(&self, need: Need) -> bool {
        self.need == need && self.count == 0 && !self.is_waived
    }
}

/// What the profile asks for, and how much of it there is.
pub(crate) fn witnessed(evidence: &Evidence, profile: &Profile, waived: &[Exercise]) -> Vec<Exercised> {
    let tell = |(witness, need): (Exercise, Need)| Exercised {
        witness,
        need,
        count: count(witness, evidence),
        is_waived: waived.contains(&witness),
    };
    profile.needs().map(tell).collect()
}

fn count(witness: Exercise, evidence: &Evidence) -> usize {
    let moves =
        |is_so: fn(&MoveKind) -> bool| evidence.moves.iter().filter(move |change| is_so(&change.kind));
    let sagas = |outcome| evidence.sagas.all.iter().filter(|saga| saga.ended(outcome).is_some()).count();
    let changes = |outcome| evidence.outbox.changes.iter().filter(|change| change.outcome == outcome).count();
    let appends =
        |outcome| evidence.streams.appends.iter().filter(|append| append.outcome == outcome).count();
    match witness {
        Exercise::AcknowledgedSend => evidence.attempts.iter().filter(|of| of.is_acknowledged()).count(),
        Exercise::UnknownSend => evidence.attempts.iter().filter(|of| of.outcome == OpType::Info).count(),
        Exercise::Read => evidence.reads.iter().filter(|read| read.is_ok).count(),
        Exercise::FinalRead => evidence.reads.iter().filter(|read| read.is_final()).count(),
        Exercise::Fault => evidence.faults.len(),
        Exercise::FaultWhileSending => faults_while_sending(evidence),
        Exercise::Crash => moves(|kind| matches!(kind, MoveKind::Crash)).count(),
        Exercise::Redelivery => redelivery_count(evidence),
        Exercise::Rebalance => rebalance_count(evidence),
        Exercise::RebalanceInFlight => rebalances_in_flight(evidence),
        Exercise::Effect => evidence.outbox.effects.iter().filter(|effect| effect.is_done()).count(),
        Exercise::Change => changes(OpType::Ok),
        Exercise::RolledBackChange => changes(OpType::Fail),
        Exercise::Saga => evidence.sagas.all.len(),
        Exercise::SagaEnd => sagas(SagaOutcome::Committed) + sagas(SagaOutcome::Aborted),
        Exercise::Append => appends(OpType::Ok),
        Exercise::RefusedAppend => appends(OpType::Fail),
        Exercise::StreamRead => evidence.streams.reads.len(),
        Exercise::AbortedSaga => sagas(SagaOutcome::Aborted),
    }
}

fn faults_while_sending(evidence: &Evidence) -> usize {
    if evidence.faults.is_empty() {
        return 0;
    }
    let mut sends: Vec<(u64, u64)> =
        evidence.attempts.iter().map(|of| (of.begin, of.end.unwrap_or(u64::MAX))).collect();
    sends.sort_unstable();
    let (mut place, mut latest_end, mut count) = (0, 0, 0);
    for fault in &evidence.faults {
        while let Some((_, end)) = sends.get(place).filter(|(begin, _)| *begin < fault.line) {
            latest_end = latest_end.max(*end);
            place += 1;
        }
        count += usize::from(latest_end > fault.line);
    }
    count
}

fn redelivery_count(evidence: &Evidence) -> usize {
    let mut given_to: Vec<Option<GroupKey>> = vec![None; evidence.names.events.len()];
    let given = given(evidence, |read| read.is_ok);
    let of_group = |(group, events): (GroupKey, Vec<EventKey>)| {
        let is_again = |event: &&EventKey| given_to[event.place()].replace(group) == Some(group);
        events.iter().filter(is_again).count()
    };
    given.into_iter().map(of_group).sum()
}

/// Assignments of a partition to another member of a group than the one before.
fn rebalance_count(evidence: &Evidence) -> usize {
    let mut owners: HashMap<_, ProcessKey> = HashMap::new();
    let mut count = 0;
    for change in &evidence.moves {
        let (Some(group), MoveKind::Assign(partitions)) = (change.group, &change.kind) else { continue };
        for partition in partitions {
            let before = owners.insert((group, *partition), change.process);
            count += usize::from(before.is_some_and(|before| before != change.process));
        }
    }
    count
}

/// Assignments, revocations and crashes in a group of which a member had been given something that it had not settled.
fn rebalances_in_flight(evidence: &Evidence) -> usize {
    /// What happens to a member's work.
    enum Step {
        Given,
        Settled,
        Moved,
    }
    let mut steps: Vec<(u64, Option<GroupKey>, ProcessKey, Step)> = Vec::new();
    for read in evidence.reads.iter().filter(|read| read.is_ok && read.group.is_some()) {
        // What one call gives is given once.
        if steps.last().is_none_or(|(line, ..)| *line != read.line) {
            steps.push((read.line, read.group, read.process, Step::Given));
        }
    }
    for commit in evidence.commits.iter().filter(|commit| !commit.is_fetched) {
        steps.push((commit.line, commit.group, commit.process, Step::Settled));
    }
    for row in &evidence.acknowledgements {
        steps.push((row.line, row.group, row.process, Step::Settled));
    }
    for change in evidence.moves.iter().filter(|change| !matches!(change.kind, MoveKind::Seek)) {
        steps.push((change.line, change.group, change.process, Step::Moved));
    }
    steps.sort_by_key(|(line, ..)| *line);
    let mut busy: HashMap<ProcessKey, Option<GroupKey>> = HashMap::new();
    let mut count = 0;
    for (_, group, process, step) in steps {
        match step {
            Step::Given => {
                busy.insert(process, group);
            }
            Step::Settled => {
                busy.remove(&process);
            }
            Step::Moved => {
                let is_busy =
                    busy.contains_key(&process) || busy.values().any(|of| group.is_some() && *of == group);
                count += usize::from(is_busy);
                busy.remove(&process);
            }
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_back_as_its_witness() {
        for witness in Exercise::ALL {
            assert_eq!(witness.name().parse(), Ok(*witness));
        }
    }
}
