//! A partition with its producer and its consumer: what the saga takes for a link.

use stateright::Model;

use super::{
    Action, COMMIT_AFTER_PROCESS, FSYNC_BEFORE_ACK, IDEMPOTENCE, PARTITION_BY_PARTICIPANT, RETRY,
    SagaOverLog, State,
};
use crate::few::Few;
use crate::saga::{self, Command, Reply, Way};

/// What travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Packet {
    /// From the orchestrator to a participant.
    Command(Command),
    /// And back.
    Reply(Reply),
}

impl Default for Packet {
    fn default() -> Self {
        Packet::Command(Command { step: 0, way: Way::Forward })
    }
}

/// The most faults of all kinds together.
pub(super) const MAX_FAULTS: u8 = 4;

/// The most messages that a producer has at hand: a command, its compensation, and a repeat for each fault.
const MAX_PENDING: usize = 2 + MAX_FAULTS as usize;

/// The most entries of a partition. Of replies: to two commands and two repeats of them, each processed three times, as
/// the participant crashed twice.
const MAX_ENTRIES: usize = 12;

/// A partition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Channel {
    /// What its producer has yet to have acknowledged, oldest first; one at a time is in flight.
    pub pending: Few<Packet, MAX_PENDING>,
    /// Whether the first of these stands in the log, and the producer does not know.
    pub is_appended: bool,
    /// Its entries, by offset.
    pub log: Few<Packet, MAX_ENTRIES>,
    /// How many of them are on disk.
    pub durable: u8,
    /// The next offset that its consumer processes.
    pub position: u8,
    /// The next offset to process, as committed.
    pub committed: u8,
}

impl Channel {
    /// What its consumer processes next.
    pub fn next(&self) -> Option<Packet> {
        self.log.get(self.position as usize).copied()
    }

    pub(super) fn sync(&mut self) {
        self.durable = self.log.len() as u8;
    }
}

impl SagaOverLog {
    pub(super) fn channel_count(&self) -> u8 {
        self.bounds.steps * if self.guards.has(&PARTITION_BY_PARTICIPANT) { 2 } else { 3 }
    }

    /// The partition of a message: commands, then replies, then compensations if they are apart.
    pub(super) fn channel_of(&self, packet: Packet) -> u8 {
        let steps = self.bounds.steps;
        match packet {
            Packet::Reply(reply) => steps + reply.command.step,
            Packet::Command(Command { step, way: Way::Backward })
                if !self.guards.has(&PARTITION_BY_PARTICIPANT) =>
            {
                2 * steps + step
            }
            Packet::Command(command) => command.step,
        }
    }

    /// The participant at one end of a partition.
    pub(super) fn participant_of(&self, channel: u8) -> u8 {
        channel % self.bounds.steps
    }

    /// Whether the orchestrator is the consumer of a partition, and a participant its producer.
    pub(super) fn is_of_replies(&self, channel: u8) -> bool {
        channel / self.bounds.steps == 1
    }

    pub(super) fn channel_work(&self, state: &State, number: u8, actions: &mut Vec<Action>) {
        let channel = state.channels[number as usize];
        if !channel.pending.is_empty() {
            actions.push(Action::Append(number));
            if state.left(state.budget.losses) > 0 {
                actions.push(Action::LoseRequest(number));
            }
            if state.left(state.budget.losses) > 0 && !channel.is_appended {
                actions.push(Action::LoseAck(number));
            }
        }
        if (channel.durable as usize) < channel.log.len() {
            actions.push(Action::Sync(number));
            if state.left(state.budget.losses) > 0 {
                actions.push(Action::LosePower(number));
            }
        }
        let is_up = !self.is_of_replies(number) || state.saga.orchestrator.is_up;
        if is_up && let Some(packet) = channel.next() {
            actions.push(Action::Process(number));
            if self.may_refuse(state, packet) {
                actions.push(Action::Refuse(number));
            }
        }
        if is_up && self.may_commit(state, number) {
            actions.push(Action::Commit(number));
        }
    }

    /// A participant has processed a command only when its reply is acknowledged.
    fn may_commit(&self, state: &State, number: u8) -> bool {
        let channel = state.channels[number as usize];
        let is_answered = self.is_of_replies(number)
            || state.channels[(self.bounds.steps + self.participant_of(number)) as usize].pending.is_empty();
        if self.guards.has(&COMMIT_AFTER_PROCESS) {
            channel.committed < channel.position && is_answered
        } else {
            channel.committed <= channel.position && channel.next().is_some()
                || channel.committed < channel.position
        }
    }

    pub(super) fn commit(&self, state: &mut State, number: u8) {
        let channel = &mut state.channels[number as usize];
        let is_early = !self.guards.has(&COMMIT_AFTER_PROCESS) && channel.next().is_some();
        channel.committed = channel.position + u8::from(is_early);
    }

    pub(super) fn append(&self, state: &mut State, number: u8) {
        let channel = &mut state.channels[number as usize];
        let packet = channel.pending.remove(0);
        let is_repeat = std::mem::take(&mut channel.is_appended);
        if is_repeat && self.guards.has(&IDEMPOTENCE) {
            return;
        }
        state.ghost.is_duplicated |= is_repeat;
        channel.log.push(packet);
        if self.guards.has(&FSYNC_BEFORE_ACK) {
            channel.sync();
        }
    }

    /// Without a retry, a message that is not acknowledged is given up.
    pub(super) fn lose_request(&self, state: &mut State, number: u8) {
        state.spend(|budget| &mut budget.losses);
        let channel = &mut state.channels[number as usize];
        if !self.guards.has(&RETRY) {
            channel.pending.remove(0);
            channel.is_appended = false;
        }
    }

    pub(super) fn lose_ack(&self, state: &mut State, number: u8) {
        state.spend(|budget| &mut budget.losses);
        let channel = &mut state.channels[number as usize];
        let packet = channel.pending[0];
        channel.log.push(packet);
        if self.guards.has(&FSYNC_BEFORE_ACK) {
            channel.sync();
        }
        if self.guards.has(&RETRY) {
            channel.is_appended = true;
        } else {
            channel.pending.remove(0);
        }
    }

    /// What was not acknowledged yet is sent again; what was is gone.
    pub(super) fn lose_power(state: &mut State, number: u8) {
        state.spend(|budget| &mut budget.losses);
        let channel = &mut state.channels[number as usize];
        let lost = channel.log.len() as u8 - channel.durable - u8::from(channel.is_appended);
        state.ghost.has_lost_acked |= lost > 0;
        channel.is_appended = false;
        channel.log.truncate(channel.durable as usize);
        channel.position = channel.position.min(channel.durable);
        channel.committed = channel.committed.min(channel.durable);
    }

    /// The saga takes the next message. One that it has had before is under way once more.
    pub(super) fn process(&self, state: &mut State, number: u8) {
        let Some(packet) = state.channels[number as usize].next() else { return };
        state.channels[number as usize].position += 1;
        Self::put_under_way(state, packet);
        let action = match packet {
            Packet::Command(command) => saga::Action::Handle(command),
            Packet::Reply(reply) => saga::Action::Receive(reply),
        };
        self.saga_step(state, action);
    }

    fn may_refuse(&self, state: &State, packet: Packet) -> bool {
        let Packet::Command(command) = packet else { return false };
        let (mut state, mut of_saga) = (*state, Vec::new());
        Self::put_under_way(&mut state, packet);
        self.saga().actions(&state.saga, &mut of_saga);
        of_saga.contains(&saga::Action::Refuse(command))
    }

    pub(super) fn refuse(&self, state: &mut State, number: u8) {
        let Some(Packet::Command(command)) = state.channels[number as usize].next() else { return };
        state.channels[number as usize].position += 1;
        Self::put_under_way(state, Packet::Command(command));
        self.saga_step(state, saga::Action::Refuse(command));
    }

    pub(super) fn put_under_way(state: &mut State, packet: Packet) {
        match packet {
            Packet::Command(command) if state.saga.commands.count(command) == 0 => {
                state.saga.commands.insert(command);
            }
            Packet::Reply(reply) if state.saga.replies.count(reply) == 0 => state.saga.replies.insert(reply),
            _ => {}
        }
    }

    /// Whether a participant has anything to lose.
    pub(super) fn is_at_work(&self, state: &State, participant: u8) -> bool {
        (0..self.channel_count()).filter(|number| self.participant_of(*number) == participant).any(|number| {
            let channel = state.channels[number as usize];
            if self.is_of_replies(number) {
                !channel.pending.is_empty()
            } else {
                channel.position != channel.committed
            }
        })
    }

    /// Hands a message to the producer of its partition. To the saga it is under way, however often.
    pub(super) fn post(&self, state: &mut State, packet: Packet) {
        let channel = self.channel_of(packet);
        state.channels[channel as usize].pending.push(packet);
        match packet {
            Packet::Command(command) if state.saga.commands.count(command) > 1 => {
                state.saga.commands.remove(command);
            }
            Packet::Reply(reply) if state.saga.replies.count(reply) > 1 => state.saga.replies.remove(reply),
            _ => {}
        }
    }

    /// Who crashes (the orchestrator, or a participant) forgets what its producers had not appended, and its consumers
    /// begin again at the committed offset.
    pub(super) fn forget(&self, state: &mut State, participant: Option<u8>) {
        let is_theirs = |number: &u8| participant.is_none_or(|who| self.participant_of(*number) == who);
        let (consumed, produced): (Vec<_>, Vec<_>) = (0..self.channel_count())
            .filter(is_theirs)
            .partition(|number| self.is_of_replies(*number) == participant.is_none());
        consumed.into_iter().for_each(|number| Self::rewind(state, number));
        produced.into_iter().for_each(|number| Self::drop_pending(state, number));
    }

    /// What was processed and not committed is under way once more.
    fn rewind(state: &mut State, number: u8) {
        let channel = &mut state.channels[number as usize];
        let (log, position) = (channel.log, channel.position);
        channel.position = channel.committed;
        let again = log.iter().take(position.into()).skip(channel.committed.into());
        again.for_each(|packet| Self::put_under_way(state, *packet));
    }

    fn drop_pending(state: &mut State, number: u8) {
        let channel = &mut state.channels[number as usize];
        let appended = usize::from(std::mem::take(&mut channel.is_appended));
        let dropped = std::mem::take(&mut channel.pending);
        dropped.into_iter().skip(appended).for_each(|packet| Self::take_off(state, packet));
    }

    /// The orchestrator knows which of its commands it has not sent. Of a participant's answer it knows nothing, and waits
    /// on for it; unless there will be another, as the command is to be processed again.
    fn take_off(state: &mut State, packet: Packet) {
        let saga = &mut state.saga;
        match packet {
            Packet::Command(command) if saga.commands.count(command) > 0 => saga.commands.remove(command),
            Packet::Reply(reply)
                if saga.commands.count(reply.command) > 0 && saga.replies.count(reply) > 0 =>
            {
                saga.replies.remove(reply);
            }
            _ => {}
        }
    }
}
