//! The saga's steps and states in words.

use lawspeaker_history::Op;

use super::{Action, CORRELATE_REPLIES, Command, Link, Message, Phase, Reply, Saga, State, Way, observed};
use crate::engine::{Telling, Variables, Words};
use crate::export::variables_of;

pub(crate) const SAGA: &str = "s1";
pub(crate) const ORCHESTRATOR: &str = "orchestrator";

pub(super) const KINDS: &[&str] = &[
    "accept",
    "send",
    "handle",
    "receive",
    "restart",
    "lose",
    "duplicate",
    "timeout",
    "crash",
    "refuse",
    "fail-compensation",
];

pub(super) fn kind(action: &Action) -> &'static str {
    match action {
        Action::Accept => "accept",
        Action::Send => "send",
        Action::Handle(_) => "handle",
        Action::Receive(_) => "receive",
        Action::Restart => "restart",
        Action::LoseCommand(_) | Action::LoseReply(_) => "lose",
        Action::DuplicateCommand(_) | Action::DuplicateReply(_) => "duplicate",
        Action::Timeout => "timeout",
        Action::Crash => "crash",
        Action::Refuse(_) => "refuse",
        Action::FailCompensation(_) => "fail-compensation",
    }
}

/// What each step is called, what undoes it, and who does both.
const NAMES: [(&str, &str, &str); super::MAX_STEPS] = [
    ("reserve", "release", "inventory"),
    ("charge", "refund", "payments"),
    ("ship", "recall", "shipping"),
    ("notify", "retract", "mail"),
    ("invoice", "void", "billing"),
];

pub(super) fn step_name(step: u8) -> &'static str {
    NAMES[step as usize].0
}

pub(crate) fn participant(step: u8) -> &'static str {
    NAMES[step as usize].2
}

pub(crate) fn command_name(command: Command) -> &'static str {
    match command.way {
        Way::Forward => step_name(command.step),
        Way::Backward => NAMES[command.step as usize].1,
    }
}

/// `charge is done`.
pub(crate) fn reply_name(reply: Reply) -> String {
    format!("{} {}", command_name(reply.command), answer(reply))
}

fn answer(reply: Reply) -> &'static str {
    match (reply.is_done, reply.command.way) {
        (true, _) => "is done",
        (false, Way::Forward) => "was refused",
        (false, Way::Backward) => "failed",
    }
}

impl Words for Saga {
    fn tell(&self, before: &State, action: &Action, after: &State) -> Telling {
        let of_participant = |command: &Command, what: String| Telling::new(participant(command.step), what);
        let of_network = |what: String| Telling::new("network", what);
        let of_orchestrator = |what: String| Telling::new(ORCHESTRATOR, what);
        match action {
            Action::Accept => of_orchestrator(format!("accepts saga {SAGA}{}", self.entered(before, after))),
            Action::Send => of_orchestrator(self.sent(before)),
            Action::Handle(command) => of_participant(command, handled(*command, before, after)),
            Action::Receive(reply) => of_orchestrator(self.received(*reply, before, after)),
            Action::Restart => of_orchestrator(restarted(after)),
            Action::LoseCommand(command) => {
                of_network(format!("LOSES the command {}", command_name(*command)))
            }
            Action::LoseReply(reply) => of_network(format!("LOSES the reply that {}", reply_name(*reply))),
            Action::DuplicateCommand(command) => {
                of_network(format!("DUPLICATES the command {}", command_name(*command)))
            }
            Action::DuplicateReply(reply) => {
                of_network(format!("DUPLICATES the reply that {}", reply_name(*reply)))
            }
            Action::Timeout => {
                let waits_for = self.next_command(before).map_or("", command_name);
                let entered = self.entered(before, after);
                of_orchestrator(format!("GIVES UP waiting for a reply to {waits_for}{entered}"))
            }
            Action::Crash => of_orchestrator("CRASHES, and forgets what is not in its log".to_owned()),
            Action::Refuse(command) => {
                of_participant(command, format!("REFUSES to {}", command_name(*command)))
            }
            Action::FailCompensation(command) => {
                of_participant(command, format!("FAILS to {}, and says so", command_name(*command)))
            }
        }
    }

    fn picture(&self, state: &State) -> Vec<String> {
        let line = |who: &str, what: String| format!("{who:<12}  {what}");
        let mut lines = vec![line("log", standing(state.log)), line(ORCHESTRATOR, status(state))];
        for (step, state) in (0..).zip(&state.participants) {
            let pivot = if step == self.bounds.pivot { " (the pivot)" } else { "" };
            let what = format!("{}{pivot}: {}", step_name(step), state.condition());
            lines.push(line(participant(step), what));
        }
        let commands = names(state.commands, |command| format!("the command {}", command_name(command)));
        let replies = names(state.replies, |reply| format!("the reply that {}", reply_name(reply)));
        let under_way: Vec<_> = commands.chain(replies).collect();
        if !under_way.is_empty() {
            lines.push(line("network", under_way.join(", ")));
        }
        lines
    }

    fn variables(&self, state: &State) -> Variables {
        variables_of(state)
    }

    fn waits(&self, state: &State) -> Vec<String> {
        if state.log.is_some_and(Phase::is_end) {
            return Vec::new();
        }
        let why = match state.log {
            None => "whose log knows nothing of it",
            Some(_) => "which does not look into its log",
        };
        vec![
            format!("saga {SAGA} waits for the orchestrator, {why}"),
            "the orchestrator waits for new sagas".to_owned(),
        ]
    }

    fn opening_ops(&self, _: &State) -> Vec<Op> {
        Vec::new()
    }

    fn ops(&self, before: &State, action: &Action, after: &State) -> Vec<Op> {
        observed::ops(self, before, action, after)
    }

    fn closing_ops(&self, state: &State) -> Vec<Op> {
        observed::closing_ops(self, state)
    }
}

impl Saga {
    /// What the orchestrator decides, and whether it writes that down.
    fn entered(&self, before: &State, after: &State) -> String {
        let (was, is) = (before.orchestrator.memory, after.orchestrator.memory);
        if was == is {
            return String::new();
        }
        let decision = match is {
            Some(Phase::Forward(step)) => format!("{} is next", step_name(step)),
            Some(Phase::Backward(_)) => {
                let next = self.next_command(after).map_or("", command_name);
                match was {
                    Some(Phase::Forward(_)) => format!("{SAGA} turns back, and {next} is next"),
                    _ => format!("{next} is next"),
                }
            }
            Some(Phase::Committed) => format!("{SAGA} is committed"),
            Some(Phase::Aborted) => format!("{SAGA} is aborted"),
            None => String::new(),
        };
        if is == after.log {
            format!("; logs that {decision}")
        } else {
            format!("; {decision}, which it will log LATER")
        }
    }

    fn sent(&self, before: &State) -> String {
        let Some(command) = self.next_command(before) else { return String::new() };
        let again = if before.orchestrator.has_sent { " again" } else { "" };
        format!("asks {} to {}{again}", participant(command.step), command_name(command))
    }

    fn received(&self, reply: Reply, before: &State, after: &State) -> String {
        let entered = self.entered(before, after);
        let heard = format!("hears that {}", reply_name(reply));
        let Some(asked) = self.next_command(before).filter(|_| self.answers(before, reply)) else {
            return format!("{heard}, which is no answer to what it asked last, and drops it");
        };
        if asked != reply.command && !self.guards.has(&CORRELATE_REPLIES) {
            return format!("{heard}, and TAKES IT FOR the answer to {}{entered}", command_name(asked));
        }
        let is_retried = before.orchestrator.memory == after.orchestrator.memory;
        match (reply.is_done, asked.way) {
            (false, Way::Backward) if is_retried => format!("{heard}; will ask for it again"),
            (false, Way::Backward) => format!("{heard}, and goes on AS IF DONE{entered}"),
            _ => format!("{heard}{entered}"),
        }
    }
}

fn names<M: Message>(link: Link<M>, name: impl Fn(M) -> String) -> impl Iterator<Item = String> {
    link.iter().map(move |message| match link.count(message) {
        1 => name(message),
        count => format!("{} ({count} times)", name(message)),
    })
}

fn handled(command: Command, before: &State, after: &State) -> String {
    let (was, is) = (before.participants[command.step as usize], after.participants[command.step as usize]);
    let name = command_name(command);
    let has_acted = (is.executions, is.compensations) != (was.executions, was.compensations);
    match command.way {
        _ if is.executions > 1 && is.executions > was.executions => format!("does {name} A SECOND TIME"),
        _ if is.compensations > 1 && is.compensations > was.compensations => {
            format!("does {name} A SECOND TIME")
        }
        _ if has_acted => format!("does {name}"),
        Way::Forward if was.has_tombstone => format!("is asked to {name} and refuses, as that was cancelled"),
        Way::Forward if was.is_refused => format!("is asked to {name} again and refuses again"),
        Way::Backward if is.executions == 0 => {
            let remembers = if is.has_tombstone { "makes a note of that" } else { "KEEPS NO NOTE of it" };
            format!("finds nothing to {name}, {remembers}, and says that it is done")
        }
        _ => format!("is asked to {name} again and says that it is done"),
    }
}

fn restarted(after: &State) -> String {
    match (after.orchestrator.memory, after.log) {
        (Some(phase), _) => format!("starts again and reads in its log: {}", standing(Some(phase))),
        (None, Some(_)) => "starts again, WITHOUT a look into its log".to_owned(),
        (None, None) => format!("starts again; its log knows nothing of {SAGA}"),
    }
}

fn standing(phase: Option<Phase>) -> String {
    match phase {
        None => format!("knows nothing of {SAGA}"),
        Some(Phase::Forward(step)) => format!("{SAGA} goes forward, {} is next", step_name(step)),
        Some(Phase::Backward(steps)) => {
            let steps: Vec<_> = steps.iter().rev().map(step_name).collect();
            format!("{SAGA} goes back, to compensate: {}", steps.join(", "))
        }
        Some(Phase::Committed) => format!("{SAGA} is committed"),
        Some(Phase::Aborted) => format!("{SAGA} is aborted"),
    }
}

fn status(state: &State) -> String {
    match state.orchestrator.memory {
        _ if !state.orchestrator.is_up => "is down".to_owned(),
        None => format!("knows nothing of {SAGA}"),
        memory if memory == state.log => "remembers what is in the log".to_owned(),
        memory => format!("remembers: {}", standing(memory)),
    }
}
