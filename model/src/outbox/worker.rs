//! Those who let the effects happen.

use serde::Serialize;

use super::{ACK_AFTER_EFFECT, Action, INBOX, INBOX_ATOMIC, Outbox, SINGLE_ACTIVE_CONSUMER, State};

/// How far a worker is with its message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub enum Stage {
    /// It has the message.
    #[default]
    Received,
    /// The inbox did not know the event.
    Checked,
    /// The effect happened, and the inbox has not noted it.
    Applied,
    /// Nothing is left to do.
    Handled,
}

/// A message in the hand of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Work {
    /// What it announces.
    pub event: u8,
    /// How far the worker is with it.
    pub stage: Stage,
    /// Whether it is acknowledged already.
    pub is_acked: bool,
}

/// A worker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Worker {
    /// What it has in hand.
    pub work: Option<Work>,
}

impl Outbox {
    /// The place of the message that the queue hands out next.
    fn deliverable(&self, state: &State) -> Option<usize> {
        let is_active = state.workers.iter().any(|worker| worker.work.is_some());
        let next = state.queue.iter().position(|message| message.holder.is_none());
        next.filter(|_| !is_active || !self.guards.has(&SINGLE_ACTIVE_CONSUMER))
    }

    pub(super) fn worker_work(&self, state: &State, number: u8, actions: &mut Vec<Action>) {
        let Some(work) = state.workers[number as usize].work else {
            if self.deliverable(state).is_some() {
                actions.push(Action::Receive(number));
            }
            return;
        };
        if work.stage != Stage::Handled {
            actions.push(Action::Handle(number));
        }
        if !work.is_acked && (work.stage == Stage::Handled || !self.guards.has(&ACK_AFTER_EFFECT)) {
            actions.push(Action::Ack(number));
        }
    }

    pub(super) fn receive(state: &mut State, number: u8) {
        let next = state.queue.iter_mut().find(|message| message.holder.is_none());
        let Some(message) = next else { return };
        message.holder = Some(number);
        let work = Work { event: message.event, stage: Stage::Received, is_acked: false };
        state.workers[number as usize].work = Some(work);
    }

    /// With an atomic inbox, look-up, effect and note are one step; without one, three.
    pub(super) fn handle(&self, state: &mut State, number: u8) {
        let Some(work) = state.workers[number as usize].work else { return };
        let is_known = state.inbox[work.event as usize];
        let stage = match work.stage {
            Stage::Received if !self.guards.has(&INBOX) => {
                Self::apply(state, work.event);
                Stage::Handled
            }
            Stage::Received if is_known => Stage::Handled,
            Stage::Received if self.guards.has(&INBOX_ATOMIC) => {
                Self::apply(state, work.event);
                state.inbox[work.event as usize] = true;
                Stage::Handled
            }
            Stage::Received => Stage::Checked,
            Stage::Checked => {
                Self::apply(state, work.event);
                Stage::Applied
            }
            Stage::Applied | Stage::Handled => {
                state.inbox[work.event as usize] = true;
                Stage::Handled
            }
        };
        Self::go_on(state, number, Work { stage, ..work });
    }

    fn apply(state: &mut State, event: u8) {
        let event = event as usize;
        state.ghost.is_overtaken |=
            state.effects[event] == 0 && state.effects[event + 1..].iter().any(|count| *count > 0);
        state.effects[event] = (state.effects[event] + 1).min(2);
    }

    pub(super) fn ack(state: &mut State, number: u8) {
        let Some(work) = state.workers[number as usize].work else { return };
        let place = state.queue.iter().position(|message| message.holder == Some(number));
        if let Some(place) = place {
            state.queue.remove(place);
        }
        state.ghost.has_acked_undone |= state.effects[work.event as usize] == 0;
        Self::go_on(state, number, Work { is_acked: true, ..work });
    }

    fn go_on(state: &mut State, number: u8, work: Work) {
        let is_through = work.is_acked && work.stage == Stage::Handled;
        state.workers[number as usize].work = (!is_through).then_some(work);
    }

    /// The queue notices, and will hand the message out again from where it stands.
    pub(super) fn crash_worker(state: &mut State, number: u8) {
        state.budget.crashes -= 1;
        state.workers[number as usize].work = None;
        let held = state.queue.iter_mut().filter(|message| message.holder == Some(number));
        held.for_each(|message| message.holder = None);
    }
}
