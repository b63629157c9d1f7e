//! Those who do the steps: what they make of a command.

use super::{Command, IDEMPOTENT_COMPENSATION, IDEMPOTENT_FORWARD, Reply, Saga, State, TOMBSTONE, Way};
use crate::participant::Participant;

impl Saga {
    pub(super) fn handle(&self, state: &mut State, command: Command) {
        let is_done = match command.way {
            Way::Forward => self.execute(&mut state.participants[command.step as usize]),
            Way::Backward => self.compensate(&mut state.participants[command.step as usize]),
        };
        Self::reply(state, command, is_done);
    }

    fn execute(&self, participant: &mut Participant) -> bool {
        if participant.has_tombstone {
            return false;
        }
        if self.guards.has(&IDEMPOTENT_FORWARD) && !participant.is_fresh() {
            return !participant.is_refused;
        }
        participant.executions = (participant.executions + 1).min(2);
        true
    }

    /// There may be nothing to compensate: the step was never done (an empty rollback).
    fn compensate(&self, participant: &mut Participant) -> bool {
        let is_first = participant.compensations == 0 || !self.guards.has(&IDEMPOTENT_COMPENSATION);
        if participant.executions > 0 && is_first {
            participant.compensations = (participant.compensations + 1).min(2);
        }
        participant.has_tombstone |= self.guards.has(&TOMBSTONE);
        true
    }

    fn reply(state: &mut State, command: Command, is_done: bool) {
        state.commands.remove(command);
        state.replies.insert(Reply { command, is_done });
    }

    /// A retriable step is one that is not refused; and what was decided once is not decided again.
    pub(super) fn may_refuse(&self, state: &State, command: &Command) -> bool {
        let is_fresh = state.participants[command.step as usize].is_fresh();
        command.way == Way::Forward && command.step <= self.bounds.pivot && is_fresh
    }

    pub(super) fn refuse(state: &mut State, command: Command) {
        state.budget.spend(|budget| &mut budget.refusals);
        state.participants[command.step as usize].is_refused = true;
        Self::reply(state, command, false);
    }

    /// Only what has something to undo can fail.
    pub(super) fn may_fail(state: &State, command: &Command) -> bool {
        command.way == Way::Backward && state.participants[command.step as usize].stands()
    }

    pub(super) fn fail(state: &mut State, command: Command) {
        state.budget.spend(|budget| &mut budget.compensation_failures);
        Self::reply(state, command, false);
    }
}
