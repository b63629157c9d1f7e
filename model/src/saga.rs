//! A saga: a chain of local transactions at several participants, led by an orchestrator, that ends with all of them
//! done or with every done one compensated.
//!
//! The orchestrator asks one participant after the other to do its step. If one refuses, or nobody knows what became
//! of it, the steps before the *pivot* are compensated in reverse order (backward recovery); from the pivot on there is
//! no way back, and the orchestrator asks until the rest is done (forward recovery). Where a saga stands is the fold of
//! its durable log; what the orchestrator remembers is lost when it crashes. Commands and replies may be lost,
//! duplicated, and overtake one another; a time-out says nothing of what happened; a participant may refuse a step up
//! to the pivot, and may fail to compensate.
//!
//! Reference: Garcia-Molina and Salem, *Sagas*, SIGMOD 1987 (compensation in reverse; backward and forward recovery);
//! Mehrotra, Rastogi, Korth and Silberschatz, *A Transaction Model for Multidatabase Systems*, ICDCS 1992 (compensatable,
//! pivot and retriable transactions); Richardson, *Microservices Patterns*, 2018, chapter 4 (the orchestrator); Seata's
//! TCC fence (idempotence, empty rollback, suspension).
//!
//! Left out, and why that is safe:
//! * Parallel branches: a saga is a chain here, as it is for Garcia-Molina and Salem. Nothing is claimed of branches, whose
//!   compensations have no order among one another.
//! * Nested sagas: to its parent a saga is a step that may be refused, be done or be of unknown outcome.
//! * Several sagas at once: they share nothing here. What they see of one another's halves is isolation, another model.
//! * Crashes of participants: each takes a command, acts, and writes down that it did in one local transaction. A crash
//!   before is a lost command, a crash after is a lost reply.
//! * Time: a time-out may come at any moment after the command was sent, which covers every timing.
//! * A refusal after the pivot: by definition those steps are retriable, so that a refusal there is a lost command.
//! * Telling the client how the saga ended: the log says so, and whoever reads the log can tell it, again after a crash.
//!
//! A command is sent again only when neither it nor its reply is under way, which the orchestrator could not know; that
//! bounds how many copies there are, and a copy that is sent nevertheless is the network's duplicate.
//! Without `persist-first`, a decision goes to the log when the command that it led to was answered.
//! The orchestrator crashes only while it has a saga to lead. Faults are budgeted; recovery is not.

mod bounds;
mod guards;
pub(crate) mod laws;
mod link;
pub(crate) mod observed;
mod orchestrator;
mod participant;
mod steps;
mod variables;
pub(crate) mod words;

pub use bounds::Bounds;
pub use guards::*;
pub use link::{Command, Link, Message, Reply, Way};
pub use orchestrator::{Orchestrator, Phase};
pub use steps::Steps;

use serde::Serialize;
use stateright::{Model, Property};

use crate::engine::{self, FairGroup, Law, System, Witness};
use crate::few::Few;
use crate::guard::Guards;
use crate::participant::Participant;

/// The model: its bounds and the guards in place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saga {
    /// How much there is of everything.
    pub bounds: Bounds,
    /// The guards in place.
    pub guards: Guards,
}

/// The most steps that a state can hold.
const MAX_STEPS: usize = 5;

/// How many faults may still happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Budget {
    pub(crate) faults: u8,
    losses: u8,
    duplicates: u8,
    timeouts: u8,
    crashes: u8,
    refusals: u8,
    compensation_failures: u8,
}

impl Budget {
    /// Takes one fault of a kind.
    fn spend(&mut self, kind: fn(&mut Budget) -> &mut u8) {
        self.faults -= 1;
        *kind(self) -= 1;
    }
}

/// The truth, kept for the laws; no guard and no action reads it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Ghost {
    /// Whether the client was told that its saga will be carried out.
    pub is_accepted: bool,
}

/// A state of the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct State {
    /// Whether the client still waits for its saga to be accepted.
    pub is_requested: bool,
    /// Where the saga stands by the durable log; `None` if the log knows of none.
    #[serde(serialize_with = "variables::phase")]
    pub log: Option<Phase>,
    /// Who leads it.
    pub orchestrator: Orchestrator,
    /// What each participant wrote down, by step.
    pub participants: Few<Participant, MAX_STEPS>,
    /// Commands under way.
    pub commands: Link<Command>,
    /// Replies under way.
    pub replies: Link<Reply>,
    /// Faults to come.
    pub budget: Budget,
    /// The truth.
    #[serde(flatten)]
    pub ghost: Ghost,
}

/// A step of the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// The orchestrator accepts the saga.
    Accept,
    /// The orchestrator sends the command that is next, for the first time or again.
    Send,
    /// A participant takes a command from the link and replies.
    Handle(Command),
    /// The orchestrator takes a reply from the link.
    Receive(Reply),
    /// The orchestrator starts again.
    Restart,
    /// The link loses a command.
    LoseCommand(Command),
    /// The link loses a reply.
    LoseReply(Reply),
    /// The link duplicates a command.
    DuplicateCommand(Command),
    /// The link duplicates a reply.
    DuplicateReply(Reply),
    /// The orchestrator gives up waiting for the reply to a step.
    Timeout,
    /// The orchestrator crashes.
    Crash,
    /// A participant refuses a step, for reasons of its business.
    Refuse(Command),
    /// A participant fails to compensate.
    FailCompensation(Command),
}

impl Saga {
    fn faults(&self, state: &State, actions: &mut Vec<Action>) {
        let budget = state.budget;
        if budget.faults == 0 {
            return;
        }
        if budget.losses > 0 {
            actions.extend(state.commands.iter().map(Action::LoseCommand));
            actions.extend(state.replies.iter().map(Action::LoseReply));
        }
        if budget.duplicates > 0 {
            actions.extend(state.commands.iter().map(Action::DuplicateCommand));
            actions.extend(state.replies.iter().map(Action::DuplicateReply));
        }
        if budget.timeouts > 0 && self.may_give_up(state) {
            actions.push(Action::Timeout);
        }
        if budget.crashes > 0 && Self::is_leading(state) {
            actions.push(Action::Crash);
        }
        if budget.refusals > 0 {
            let refusable = |command: &Command| self.may_refuse(state, command);
            actions.extend(state.commands.iter().filter(refusable).map(Action::Refuse));
        }
        if budget.compensation_failures > 0 {
            let may_fail = |command: &Command| Self::may_fail(state, command);
            actions.extend(state.commands.iter().filter(may_fail).map(Action::FailCompensation));
        }
    }
}

impl Model for Saga {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let Bounds {
            steps,
            faults,
            losses,
            duplicates,
            timeouts,
            crashes,
            refusals,
            compensation_failures,
            ..
        } = self.bounds;
        vec![State {
            is_requested: true,
            log: None,
            orchestrator: Orchestrator { is_up: true, ..Orchestrator::default() },
            participants: (0..steps).map(|_| Participant::default()).collect(),
            commands: Link::default(),
            replies: Link::default(),
            budget: Budget { faults, losses, duplicates, timeouts, crashes, refusals, compensation_failures },
            ghost: Ghost::default(),
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        self.work(state, actions);
        actions.extend(state.commands.iter().map(Action::Handle));
        self.faults(state, actions);
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = *last;
        match action {
            Action::Accept => self.accept(&mut state),
            Action::Send => self.send(&mut state),
            Action::Handle(command) => self.handle(&mut state, command),
            Action::Receive(reply) => self.receive(&mut state, reply),
            Action::Restart => self.restart(&mut state),
            Action::LoseCommand(command) => {
                state.budget.spend(|budget| &mut budget.losses);
                state.commands.remove(command);
            }
            Action::LoseReply(reply) => {
                state.budget.spend(|budget| &mut budget.losses);
                state.replies.remove(reply);
            }
            Action::DuplicateCommand(command) => {
                state.budget.spend(|budget| &mut budget.duplicates);
                state.commands.insert(command);
            }
            Action::DuplicateReply(reply) => {
                state.budget.spend(|budget| &mut budget.duplicates);
                state.replies.insert(reply);
            }
            Action::Timeout => self.give_up(&mut state),
            Action::Crash => {
                state.budget.spend(|budget| &mut budget.crashes);
                state.orchestrator = Orchestrator::default();
            }
            Action::Refuse(command) => Self::refuse(&mut state, command),
            Action::FailCompensation(command) => Self::fail(&mut state, command),
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        engine::properties(self)
    }
}

impl System for Saga {
    fn is_fault(&self, action: &Action) -> bool {
        match action {
            Action::Accept | Action::Send | Action::Handle(_) | Action::Receive(_) | Action::Restart => false,
            Action::LoseCommand(_)
            | Action::LoseReply(_)
            | Action::DuplicateCommand(_)
            | Action::DuplicateReply(_)
            | Action::Timeout
            | Action::Crash
            | Action::Refuse(_)
            | Action::FailCompensation(_) => true,
        }
    }

    /// Each message is fair by itself, or the handling of one could put off another's for ever.
    fn fair_group(&self, action: &Action) -> Option<FairGroup> {
        const COMMANDS: u8 = 3;
        const REPLIES: u8 = COMMANDS + Command::COUNT;
        match action {
            Action::Accept => Some(FairGroup::new(0)),
            Action::Send => Some(FairGroup::new(1)),
            Action::Restart => Some(FairGroup::new(2)),
            Action::Handle(command) => Some(FairGroup::new(COMMANDS + command.number())),
            Action::Receive(reply) => Some(FairGroup::new(REPLIES + reply.number())),
            _ => None,
        }
    }

    fn is_done(&self, state: &State) -> bool {
        state.log.is_some_and(Phase::is_end)
    }

    fn laws(&self) -> Vec<Law<Self>> {
        laws::laws()
    }

    fn witnesses(&self) -> Vec<Witness<Self>> {
        laws::witnesses()
    }

    fn kind(&self, action: &Action) -> &'static str {
        words::kind(action)
    }

    fn action_kinds(&self) -> &'static [&'static str] {
        words::KINDS
    }
}
