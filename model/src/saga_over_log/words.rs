//! The steps and states of a saga over a log in words; those of the saga are its own.

use lawspeaker_history::{Call, Op, OpType};

use super::{
    Action, COMMIT_AFTER_PROCESS, Channel, FSYNC_BEFORE_ACK, IDEMPOTENCE, Packet, RETRY, SagaOverLog, State,
};
use crate::engine::{Telling, Words, way_on};
use crate::saga;
use crate::saga::words::{ORCHESTRATOR, SAGA, command_name, participant, reply_name};

pub(super) const KINDS: &[&str] =
    &["accept", "send", "append", "process", "commit", "restart", "refuse", "timeout", "crash", "lose"];

pub(super) fn kind(action: &Action) -> &'static str {
    match action {
        Action::Saga(saga::Action::Accept) => "accept",
        Action::Saga(saga::Action::Send) => "send",
        Action::Saga(saga::Action::Restart) => "restart",
        Action::Saga(saga::Action::Timeout) => "timeout",
        Action::Saga(_) | Action::CrashParticipant(_) => "crash",
        Action::Append(_) | Action::Sync(_) => "append",
        Action::Process(_) => "process",
        Action::Commit(_) => "commit",
        Action::Refuse(_) => "refuse",
        Action::LoseRequest(_) | Action::LoseAck(_) | Action::LosePower(_) => "lose",
    }
}

fn packet_name(packet: Packet) -> String {
    match packet {
        Packet::Command(command) => format!("the command {}", command_name(command)),
        Packet::Reply(reply) => format!("the reply that {}", reply_name(reply)),
    }
}

impl Words for SagaOverLog {
    fn tell(&self, before: &State, action: &Action, after: &State) -> Telling {
        let pending = |number: &u8| {
            before.channels[*number as usize].pending.first().copied().map(packet_name).unwrap_or_default()
        };
        let of_log = |number: &u8, what: String| Telling::new(self.log_name(*number), what);
        match action {
            Action::Saga(action) => {
                let mut telling = self.saga().tell(&before.saga, action, &after.saga);
                if self.has_sent_apart(before, after) {
                    telling.what += ", in a topic for compensations";
                }
                telling
            }
            Action::Append(number) => of_log(number, self.appended(*number, before)),
            Action::Sync(number) => of_log(number, "syncs to disk".to_owned()),
            Action::Process(number) | Action::Refuse(number) => match self.of_saga(before, action) {
                Some((before, action)) => self.saga().tell(&before.saga, &action, &after.saga),
                None => of_log(number, String::new()),
            },
            Action::Commit(number) => Telling::new(self.consumer(*number), self.committed(*number, before)),
            Action::LoseRequest(number) => {
                let given_up = if self.guards.has(&RETRY) { "; it will be sent again" } else { ", FOR GOOD" };
                Telling::new("network", format!("LOSES {}{given_up}", pending(number)))
            }
            Action::LoseAck(number) => {
                of_log(number, format!("appends {}, and its acknowledgement is LOST", pending(number)))
            }
            Action::LosePower(number) => {
                let channel = &before.channels[*number as usize];
                let lost: Vec<_> =
                    channel.log[channel.durable as usize..].iter().copied().map(packet_name).collect();
                of_log(number, format!("LOSES POWER, and with it {}", lost.join(" and ")))
            }
            Action::CrashParticipant(step) => Telling::new(
                participant(*step),
                "CRASHES, and begins again at its committed offset".to_owned(),
            ),
        }
    }

    fn picture(&self, state: &State) -> Vec<String> {
        let mut lines = self.saga().picture(&state.saga);
        lines.retain(|line| !line.starts_with("network"));
        for (number, channel) in (0..).zip(&state.channels) {
            if !channel.log.is_empty() || !channel.pending.is_empty() {
                lines.push(format!("{:<12}  {}", self.log_name(number), contents(channel)));
            }
        }
        lines
    }

    fn waits(&self, state: &State) -> Vec<String> {
        let commands = state.saga.commands.iter().map(|command| (Packet::Command(command), command.step));
        let replies = state.saga.replies.iter().map(|reply| (Packet::Reply(reply), reply.command.step));
        commands
            .chain(replies)
            .map(|(packet, step)| {
                let silent = match packet {
                    Packet::Command(_) => participant(step),
                    Packet::Reply(_) => ORCHESTRATOR,
                };
                let packet = packet_name(packet);
                format!("saga {SAGA} waits for {silent} to process {packet}, which is not there any more")
            })
            .collect()
    }

    fn opening_ops(&self, _: &State) -> Vec<Op> {
        Vec::new()
    }

    fn ops(&self, before: &State, action: &Action, after: &State) -> Vec<Op> {
        match action {
            Action::CrashParticipant(step) => vec![Op::new(participant(*step), OpType::Info, Call::Crash)],
            _ => match self.of_saga(before, action) {
                Some((before, action)) => {
                    saga::observed::ops(&self.saga(), &before.saga, &action, &after.saga)
                }
                None => Vec::new(),
            },
        }
    }

    fn closing_ops(&self, state: &State) -> Vec<Op> {
        let is_quiescent = way_on(self, state).is_none();
        is_quiescent.then(|| Op::new("observer", OpType::Ok, Call::Quiescent)).into_iter().collect()
    }
}

impl SagaOverLog {
    /// The step of the saga that a step is, and the state in which the saga takes it.
    fn of_saga(&self, before: &State, action: &Action) -> Option<(State, saga::Action)> {
        let mut state = *before;
        let next = |number: &u8| before.channels[*number as usize].next();
        let of_saga = match action {
            Action::Saga(action) => action.clone(),
            Action::Process(number) => match next(number)? {
                Packet::Command(command) => saga::Action::Handle(command),
                Packet::Reply(reply) => saga::Action::Receive(reply),
            },
            Action::Refuse(number) => match next(number)? {
                Packet::Command(command) => saga::Action::Refuse(command),
                Packet::Reply(_) => return None,
            },
            _ => return None,
        };
        if let Action::Process(number) | Action::Refuse(number) = action {
            Self::put_under_way(&mut state, next(number)?);
        }
        Some((state, of_saga))
    }

    /// Whether a compensation was sent that does not travel with its command.
    fn has_sent_apart(&self, before: &State, after: &State) -> bool {
        let apart = 2 * self.bounds.steps as usize;
        let pending =
            |state: &State| state.channels.iter().skip(apart).map(|c| c.pending.len()).sum::<usize>();
        pending(after) > pending(before)
    }

    fn consumer(&self, number: u8) -> &'static str {
        if self.is_of_replies(number) { ORCHESTRATOR } else { participant(self.participant_of(number)) }
    }

    /// `commands/0`: the partition of the first participant.
    fn log_name(&self, number: u8) -> String {
        let topic = match number / self.bounds.steps {
            0 => "commands",
            1 => "replies",
            _ => "undo",
        };
        format!("{topic}/{}", self.participant_of(number))
    }

    fn appended(&self, number: u8, before: &State) -> String {
        let channel = &before.channels[number as usize];
        let packet = channel.pending.first().copied().map(packet_name).unwrap_or_default();
        let acks = if self.guards.has(&FSYNC_BEFORE_ACK) {
            "syncs and acknowledges it"
        } else {
            "acknowledges it BEFORE it is on disk"
        };
        match (channel.is_appended, self.guards.has(&IDEMPOTENCE)) {
            (false, _) => format!("appends {packet}, {acks}"),
            (true, true) => format!("knows {packet} already, and acknowledges it again"),
            (true, false) => format!("appends {packet} A SECOND TIME, {acks}"),
        }
    }

    fn committed(&self, number: u8, before: &State) -> String {
        let channel = &before.channels[number as usize];
        match channel.next() {
            Some(packet) if !self.guards.has(&COMMIT_AFTER_PROCESS) => {
                format!("commits {}, which it has NOT PROCESSED yet", packet_name(packet))
            }
            _ => format!("commits offset {} of {}", channel.position, self.log_name(number)),
        }
    }
}

fn contents(channel: &Channel) -> String {
    let entries: Vec<_> = channel.log.iter().copied().map(packet_name).collect();
    let entries = if entries.is_empty() { "nothing".to_owned() } else { entries.join(", ") };
    let pending: Vec<_> = channel.pending.iter().copied().map(packet_name).collect();
    let pending =
        if pending.is_empty() { String::new() } else { format!("; to be sent: {}", pending.join(", ")) };
    format!("{entries}; processed up to {}, committed up to {}{pending}", channel.position, channel.committed)
}
