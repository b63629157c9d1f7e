//! What a participant makes of a command, without IO, clocks or threads.

use std::collections::BTreeMap;
use std::sync::Arc;

use lawspeaker_history::{SagaId, StepName};

use crate::mutant::{Mutant, is_seeded};

use super::core::{Payload, Way};

/// What a participant is asked for: its idempotency key. Whatever the attempt, it is answered the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StepKey {
    /// Of which saga.
    pub saga: SagaId,
    /// Which step.
    pub step: StepName,
}

/// What a participant wrote down of a step, in the transaction in which it acted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum StepEntry {
    /// It is done, and gave this.
    Done(Payload),
    /// It was refused, for this reason, and stays so.
    Refused(Arc<str>),
    /// It was done, gave this, and is compensated.
    Compensated(Payload),
    /// It was to be compensated and had not been done: it will not be any more.
    Tombstone,
}

/// What a participant decides about a command.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Nobody asked before: it is to act, and to write down that it did.
    Act,
    /// It has acted before, and answers as it did then.
    Done(Payload),
    /// It has refused before, or the step was cancelled.
    Refused(Arc<str>),
    /// There is nothing to compensate, and the step is refused from now on: to write down.
    Bury,
    /// It was compensated before, or there was nothing to compensate.
    Undone,
}

/// Why a step is refused that is compensated already.
const CANCELLED: &str = "the step was cancelled before";

/// What a participant has written down: one entry a step that it was asked for.
///
/// The fold of its records. It refines `lawspeaker_spec::saga` (obligation O1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ParticipantCore {
    entries: BTreeMap<StepKey, StepEntry>,
}

impl ParticipantCore {
    /// A participant whom nobody has asked yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The whole table: what a command leads to. O(log n) for n steps that it knows.
    pub fn verdict(&self, key: &StepKey, way: Way) -> Verdict {
        let refused = |reason: &str| Verdict::Refused(reason.into());
        match (way, self.entries.get(key)) {
            (Way::Forward, None) => Verdict::Act,
            (Way::Forward, Some(StepEntry::Done(_))) if is_seeded(Mutant::StepDoneAgain) => Verdict::Act,
            (Way::Forward, Some(StepEntry::Refused(_))) if is_seeded(Mutant::RefusalForgotten) => {
                Verdict::Act
            }
            (Way::Forward, Some(StepEntry::Done(output))) => Verdict::Done(Arc::clone(output)),
            (Way::Forward, Some(StepEntry::Refused(reason))) => Verdict::Refused(Arc::clone(reason)),
            (Way::Forward, Some(StepEntry::Compensated(_) | StepEntry::Tombstone)) => refused(CANCELLED),
            (Way::Backward, None | Some(StepEntry::Refused(_))) if is_seeded(Mutant::NoTombstone) => {
                Verdict::Undone
            }
            (Way::Backward, None) => Verdict::Bury,
            (Way::Backward, Some(StepEntry::Done(_))) => Verdict::Act,
            (Way::Backward, Some(StepEntry::Compensated(_))) if is_seeded(Mutant::StepUndoneAgain) => {
                Verdict::Act
            }
            (Way::Backward, Some(_)) => Verdict::Undone,
        }
    }

    /// Writes down what became of a step.
    pub fn note(&mut self, key: StepKey, entry: StepEntry) {
        self.entries.insert(key, entry);
    }

    /// What is written down of a step.
    pub fn entry(&self, key: &StepKey) -> Option<&StepEntry> {
        self.entries.get(key)
    }

    /// Everything that is written down, in order.
    pub fn entries(&self) -> impl Iterator<Item = (&StepKey, &StepEntry)> {
        self.entries.iter()
    }
}
