//! Who leads the saga: what it remembers, what it decides, and what it writes down.

use serde::Serialize;

use super::{
    Action, COMPENSATE_UNKNOWN, COMPENSATION_RETRY, CORRELATE_REPLIES, Command, PERSIST_FIRST,
    PIVOT_DISCIPLINE, RECOVER, REVERSE_ORDER, Reply, Saga, State, Steps, Way, variables,
};

/// Where a saga stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Every step before this one is done, and this one is next or under way.
    Forward(u8),
    /// These steps are still to be compensated.
    Backward(Steps),
    /// Every step is done.
    Committed,
    /// Every done step is compensated.
    Aborted,
}

impl Phase {
    /// Whether nothing is left to do.
    pub fn is_end(self) -> bool {
        matches!(self, Phase::Committed | Phase::Aborted)
    }

    /// With these steps to compensate.
    fn back(steps: Steps) -> Self {
        if steps.is_empty() { Phase::Aborted } else { Phase::Backward(steps) }
    }
}

/// What the orchestrator has in memory, and loses when it crashes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Orchestrator {
    /// Whether it runs.
    pub is_up: bool,
    /// Where it believes the saga to stand; `None` if it knows of none.
    #[serde(serialize_with = "variables::phase")]
    pub memory: Option<Phase>,
    /// Whether it has sent the command that is next.
    pub has_sent: bool,
}

/// What became of a command, as far as the orchestrator knows.
enum Outcome {
    Done,
    Refused,
    Unknown,
}

impl Saga {
    pub(super) fn work(&self, state: &State, actions: &mut Vec<Action>) {
        let orchestrator = state.orchestrator;
        if !orchestrator.is_up {
            return actions.push(Action::Restart);
        }
        if state.is_requested {
            actions.push(Action::Accept);
        }
        if self.next_command(state).is_some_and(|command| Self::is_away(state, command)) {
            actions.push(Action::Send);
        }
        actions.extend(state.replies.iter().map(Action::Receive));
    }

    /// What the orchestrator has to ask for next.
    pub(super) fn next_command(&self, state: &State) -> Option<Command> {
        self.command(state.orchestrator.memory?)
    }

    fn command(&self, phase: Phase) -> Option<Command> {
        match phase {
            Phase::Forward(step) => Some(Command { step, way: Way::Forward }),
            Phase::Backward(steps) => {
                let mut steps = steps.iter();
                let step = if self.guards.has(&REVERSE_ORDER) { steps.next_back() } else { steps.next() };
                step.map(|step| Command { step, way: Way::Backward })
            }
            Phase::Committed | Phase::Aborted => None,
        }
    }

    /// Whether neither the command nor an answer to it is under way.
    fn is_away(state: &State, command: Command) -> bool {
        let replies = [true, false].map(|is_done| state.replies.count(Reply { command, is_done }));
        state.commands.count(command) == 0 && replies == [0, 0]
    }

    /// The whole transition table of the saga's log.
    fn follow(&self, phase: Phase, outcome: Outcome) -> Phase {
        let compensatable = |count: u8| Steps::first(count.min(self.bounds.pivot));
        match (phase, outcome) {
            (Phase::Forward(step), Outcome::Done) if step + 1 == self.bounds.steps => Phase::Committed,
            (Phase::Forward(step), Outcome::Done) => Phase::Forward(step + 1),
            (Phase::Forward(step), Outcome::Refused) => Phase::back(compensatable(step)),
            (Phase::Forward(step), Outcome::Unknown) => {
                let unknown = u8::from(self.guards.has(&COMPENSATE_UNKNOWN));
                Phase::back(compensatable(step + unknown))
            }
            (Phase::Backward(_), Outcome::Refused) if self.guards.has(&COMPENSATION_RETRY) => phase,
            (Phase::Backward(steps), Outcome::Done | Outcome::Refused) => {
                let done = self.command(phase).map_or(steps, |command| steps.without(command.step));
                Phase::back(done)
            }
            (Phase::Backward(_), Outcome::Unknown) | (Phase::Committed | Phase::Aborted, _) => phase,
        }
    }

    /// Takes a decision. It goes to the log at once; or, without the guard, when what it leads to was answered.
    fn enter(&self, state: &mut State, phase: Phase) {
        let is_logged = self.guards.has(&PERSIST_FIRST) || phase.is_end();
        state.log = if is_logged { Some(phase) } else { state.orchestrator.memory };
        state.orchestrator.memory = Some(phase);
        state.orchestrator.has_sent = false;
    }

    pub(super) fn accept(&self, state: &mut State) {
        state.is_requested = false;
        state.ghost.is_accepted = true;
        self.enter(state, Phase::Forward(0));
    }

    pub(super) fn send(&self, state: &mut State) {
        let Some(command) = self.next_command(state) else { return };
        state.orchestrator.has_sent = true;
        state.commands.insert(command);
    }

    /// Whether the orchestrator takes `reply` for the answer to what it asked last.
    pub(super) fn answers(&self, state: &State, reply: Reply) -> bool {
        let Some(asked) = self.next_command(state) else { return false };
        let looks_alike = state.orchestrator.has_sent && reply.command.way == asked.way;
        reply.command == asked || (looks_alike && !self.guards.has(&CORRELATE_REPLIES))
    }

    pub(super) fn receive(&self, state: &mut State, reply: Reply) {
        state.replies.remove(reply);
        let Some(phase) = state.orchestrator.memory.filter(|_| self.answers(state, reply)) else { return };
        let next = self.follow(phase, if reply.is_done { Outcome::Done } else { Outcome::Refused });
        if next != phase {
            self.enter(state, next);
        }
    }

    /// Whether the orchestrator may take a missing reply for a failure.
    pub(super) fn may_give_up(&self, state: &State) -> bool {
        let Some(Phase::Forward(step)) = state.orchestrator.memory else { return false };
        let has_way_back = step < self.bounds.pivot || !self.guards.has(&PIVOT_DISCIPLINE);
        state.orchestrator.has_sent && has_way_back
    }

    pub(super) fn give_up(&self, state: &mut State) {
        state.budget.spend(|budget| &mut budget.timeouts);
        let Some(phase) = state.orchestrator.memory else { return };
        self.enter(state, self.follow(phase, Outcome::Unknown));
    }

    /// Whether a crash would interrupt anything.
    pub(super) fn is_leading(state: &State) -> bool {
        state.orchestrator.memory.is_some_and(|phase| !phase.is_end())
    }

    pub(super) fn restart(&self, state: &mut State) {
        state.orchestrator.is_up = true;
        if self.guards.has(&RECOVER) {
            state.orchestrator.memory = state.log;
        }
    }
}
