//! Those who publish what the rows of the outbox say.

use serde::Serialize;

use super::{Action, LOCK_RELEASE, MARK_AFTER_PUBLISH, Message, Outbox, SINGLE_RELAY, State};

/// A row of the outbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub enum Row {
    /// There is none.
    #[default]
    Absent,
    /// Its event is to be published.
    Waiting,
    /// A relay has locked it.
    Locked,
    /// Its event was published, as far as the outbox knows.
    Sent,
}

/// How far a relay is with its row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub enum Published {
    /// The row is locked.
    #[default]
    NotYet,
    /// The event is published, the row is not marked.
    Published,
    /// The row is marked, the event is not published.
    Marked,
}

/// A relay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Relay {
    /// The row that it has in hand, by event.
    pub row: Option<u8>,
    /// How far it is with it.
    pub published: Published,
}

impl Outbox {
    /// The row that a relay may lock.
    pub(super) fn lockable(&self, state: &State) -> Option<u8> {
        let is_busy =
            state.rows.contains(&Row::Locked) || state.relays.iter().any(|relay| relay.row.is_some());
        let row = state.rows.iter().position(|row| *row == Row::Waiting)? as u8;
        (!is_busy || !self.guards.has(&SINGLE_RELAY)).then_some(row)
    }

    pub(super) fn relay_work(&self, state: &State, number: u8, actions: &mut Vec<Action>) {
        let relay = state.relays[number as usize];
        match (relay.row, relay.published) {
            (None, _) => {
                if self.lockable(state).is_some() {
                    actions.push(Action::Lock(number));
                }
            }
            (Some(_), Published::NotYet) => {
                actions.push(Action::Publish(number));
                if !self.guards.has(&MARK_AFTER_PUBLISH) {
                    actions.push(Action::Mark(number));
                }
            }
            (Some(_), Published::Published) => actions.push(Action::Mark(number)),
            (Some(_), Published::Marked) => actions.push(Action::Publish(number)),
        }
    }

    pub(super) fn lock(state: &mut State, number: u8) {
        let Some(row) = state.rows.iter().position(|row| *row == Row::Waiting) else { return };
        state.rows[row] = Row::Locked;
        state.relays[number as usize] = Relay { row: Some(row as u8), published: Published::NotYet };
    }

    pub(super) fn publish(state: &mut State, number: u8) {
        let relay = &mut state.relays[number as usize];
        let Some(event) = relay.row else { return };
        state.queue.push(Message { event, holder: None });
        *relay = match relay.published {
            Published::Marked => Relay::default(),
            _ => Relay { published: Published::Published, ..*relay },
        };
    }

    pub(super) fn mark(state: &mut State, number: u8) {
        let relay = &mut state.relays[number as usize];
        let Some(event) = relay.row else { return };
        state.rows[event as usize] = Row::Sent;
        *relay = match relay.published {
            Published::Published => Relay::default(),
            _ => Relay { published: Published::Marked, ..*relay },
        };
    }

    /// What it had published stays published; that it had not marked the row, nobody knows.
    pub(super) fn crash_relay(&self, state: &mut State, number: u8) {
        state.budget.crashes -= 1;
        let relay = std::mem::take(&mut state.relays[number as usize]);
        let Some(event) = relay.row else { return };
        let row = &mut state.rows[event as usize];
        if *row == Row::Locked && self.guards.has(&LOCK_RELEASE) {
            *row = Row::Waiting;
        }
    }
}
