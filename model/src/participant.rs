//! What a participant of a saga writes down of its step, in the transaction in which it acts: the same whether an
//! orchestrator asks it ([`crate::saga`]) or it listens to the others ([`crate::choreography`]).

use serde::Serialize;

/// A participant's step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Participant {
    /// How often the step was done; counted to 2.
    pub executions: u8,
    /// How often it was compensated; counted to 2.
    pub compensations: u8,
    /// Whether it was refused.
    pub is_refused: bool,
    /// Whether a compensation or a cancellation came, before or after the step or instead of it.
    pub has_tombstone: bool,
}

impl Participant {
    /// Whether the step is done and not compensated.
    pub fn stands(self) -> bool {
        self.executions > 0 && self.compensations == 0
    }

    /// Whether nobody asked for the step or its end so far.
    pub(crate) fn is_fresh(self) -> bool {
        self == Participant::default()
    }

    /// What became of the step, in words.
    pub(crate) fn condition(self) -> &'static str {
        match (self.executions, self.compensations) {
            (0, _) if self.is_refused => "refused",
            (0, _) if self.has_tombstone => "cancelled before it was done",
            (0, _) => "not done",
            (1, 0) => "done",
            (_, 0) => "done twice",
            (1, 1) => "done, and compensated",
            (_, 1) => "done twice, and compensated once",
            _ => "done, and compensated twice",
        }
    }
}
