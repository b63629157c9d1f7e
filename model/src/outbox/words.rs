//! The outbox's steps and states in words.

use lawspeaker_history::Op;

use super::{
    ATOMIC_OUTBOX, Action, Change, INBOX, INBOX_ATOMIC, LOCK_RELEASE, Message, Outbox, Published, Row, Stage,
    State, Work, observed,
};
use crate::engine::{Telling, Variables, Words};
use crate::export::variables_of;

pub(super) const QUEUE: &str = "orders";
pub(super) const GROUP: &str = "billing";
pub(super) const SERVICE: &str = "shop";

pub(super) const KINDS: &[&str] =
    &["change", "lock", "publish", "mark", "receive", "handle", "ack", "rollback", "crash", "expire"];

pub(super) fn kind(action: &Action) -> &'static str {
    match action {
        Action::Change(_) | Action::Announce(_) | Action::Finish(_) => "change",
        Action::Lock(_) => "lock",
        Action::Publish(_) => "publish",
        Action::Mark(_) => "mark",
        Action::Receive(_) => "receive",
        Action::Handle(_) => "handle",
        Action::Ack(_) => "ack",
        Action::RollBack(_) => "rollback",
        Action::CrashService(_) | Action::CrashRelay(_) | Action::CrashWorker(_) => "crash",
        Action::Expire(_) => "expire",
    }
}

/// `e1`: the first event.
pub(super) fn name(event: u8) -> String {
    format!("e{}", event + 1)
}

fn change_name(event: u8) -> String {
    format!("change {}", event + 1)
}

pub(super) fn relay_name(relay: u8) -> String {
    format!("relay {}", relay + 1)
}

pub(super) fn worker_name(worker: u8) -> String {
    format!("worker {}", worker + 1)
}

impl Words for Outbox {
    fn tell(&self, before: &State, action: &Action, after: &State) -> Telling {
        let service = |what: String| Telling::new(SERVICE, what);
        let row = |relay: &u8| before.relays[*relay as usize].row.map(name).unwrap_or_default();
        let work = |worker: &u8| before.workers[*worker as usize].work;
        match action {
            Action::Change(event) if self.guards.has(&ATOMIC_OUTBOX) => service(format!(
                "commits {} together with {} in its outbox",
                change_name(*event),
                name(*event)
            )),
            Action::Change(event) => service(format!("commits {}, by itself", change_name(*event))),
            Action::Announce(event) => {
                service(format!("publishes {}, BEFORE it makes {}", name(*event), change_name(*event)))
            }
            Action::Finish(event) if before.changes[*event as usize] == Change::Announced => {
                service(format!("commits {}, whose event is out already", change_name(*event)))
            }
            Action::Finish(event) => {
                service(format!("publishes {} for {}", name(*event), change_name(*event)))
            }
            Action::Lock(relay) => {
                let row = after.relays[*relay as usize].row.map(name).unwrap_or_default();
                Telling::new(relay_name(*relay), format!("locks the row of {row}"))
            }
            Action::Publish(relay) => {
                let again = if is_out(before, *relay) { " AGAIN" } else { "" };
                Telling::new(relay_name(*relay), format!("publishes {}{again}", row(relay)))
            }
            Action::Mark(relay) => {
                let is_early = before.relays[*relay as usize].published == Published::NotYet;
                let early = if is_early { ", which it has NOT PUBLISHED yet" } else { "" };
                Telling::new(relay_name(*relay), format!("marks the row of {} as sent{early}", row(relay)))
            }
            Action::Receive(worker) => Telling::new(worker_name(*worker), received(*worker, after)),
            Action::Handle(worker) => Telling::new(worker_name(*worker), self.handled(before, *worker)),
            Action::Ack(worker) => {
                let early = work(worker).is_some_and(|work| before.effects[work.event as usize] == 0);
                let early = if early { " BEFORE its effect has happened" } else { "" };
                let event = work(worker).map(|work| name(work.event)).unwrap_or_default();
                Telling::new(worker_name(*worker), format!("acknowledges {event}{early}"))
            }
            Action::RollBack(event) => service(rolled_back(*event, before)),
            Action::CrashService(event) => service(crashed(*event, before)),
            Action::CrashRelay(relay) => Telling::new(relay_name(*relay), self.crashed_relay(*relay, before)),
            Action::CrashWorker(worker) => {
                let event = work(worker).map(|work| name(work.event)).unwrap_or_default();
                Telling::new(worker_name(*worker), format!("CRASHES with {event} in hand"))
            }
            Action::Expire(event) => Telling::new("inbox", format!("FORGETS {}", name(*event))),
        }
    }

    fn picture(&self, state: &State) -> Vec<String> {
        let line = |who: &str, what: String| format!("{who:<8}  {what}");
        let events = || 0..state.changes.len() as u8;
        let list = |of: &dyn Fn(u8) -> Option<String>| events().filter_map(of).collect::<Vec<_>>().join(", ");
        let mut lines = vec![line(SERVICE, or_nothing(list(&|event| standing(event, state))))];
        if self.guards.has(&ATOMIC_OUTBOX) {
            lines.push(line("outbox", or_nothing(list(&|event| row_name(event, state)))));
        }
        let relays = state.relays.iter().zip(0..).filter_map(|(relay, number)| {
            relay.row.map(|event| line(&relay_name(number), format!("has {} in hand", name(event))))
        });
        lines.extend(relays);
        lines.push(line(
            "queue",
            or_nothing(state.queue.iter().map(message_name).collect::<Vec<_>>().join(", ")),
        ));
        let workers =
            state.workers.iter().zip(0..).filter_map(|(worker, number)| {
                worker.work.map(|work| line(&worker_name(number), in_hand(work)))
            });
        lines.extend(workers);
        if self.guards.has(&INBOX) {
            let noted = |event: u8| state.inbox[event as usize].then(|| name(event));
            lines.push(line("inbox", or_nothing(list(&noted))));
        }
        lines.push(line("effects", or_nothing(list(&|event| effect_name(event, state)))));
        lines
    }

    fn variables(&self, state: &State) -> Variables {
        variables_of(state)
    }

    fn waits(&self, state: &State) -> Vec<String> {
        let is_held = |event: u8| state.relays.iter().any(|relay| relay.row == Some(event));
        let mut lines = Vec::new();
        for (event, row) in (0..).zip(&state.rows) {
            match row {
                Row::Locked if !is_held(event) => lines.push(format!(
                    "the row of {} waits for the relay that has locked it, which is gone",
                    name(event)
                )),
                Row::Waiting => {
                    lines.push(format!("the row of {} waits for the lock on the row before it", name(event)));
                }
                _ => {}
            }
        }
        let mut unheard =
            (0..).zip(state.changes.iter().zip(&state.effects)).filter(|(event, (change, effects))| {
                **change == Change::Committed && **effects == 0 && !Self::may_come_again(state, *event)
            });
        if let Some((event, _)) = unheard.next() {
            lines.push(format!("{} waits to be heard of, and nobody is going to say it", change_name(event)));
        }
        lines
    }

    fn opening_ops(&self, _: &State) -> Vec<Op> {
        Vec::new()
    }

    fn ops(&self, before: &State, action: &Action, after: &State) -> Vec<Op> {
        observed::ops(before, action, after)
    }

    fn closing_ops(&self, state: &State) -> Vec<Op> {
        observed::closing_ops(self, state)
    }
}

impl Outbox {
    fn handled(&self, before: &State, worker: u8) -> String {
        let Some(Work { event, stage, .. }) = before.workers[worker as usize].work else {
            return String::new();
        };
        let again = if before.effects[event as usize] > 0 { " A SECOND TIME" } else { "" };
        let late = before.effects[event as usize + 1..].iter().any(|count| *count > 0);
        let late = if late && again.is_empty() { " AFTER that of a later change" } else { "" };
        let undone = before.changes[event as usize] == Change::RolledBack;
        let undone = if undone { ", although its change was ROLLED BACK" } else { "" };
        let event_name = name(event);
        let happens = format!("lets the effect of {event_name} happen{again}{late}{undone}");
        match stage {
            Stage::Received if !self.guards.has(&INBOX) => happens,
            Stage::Received if before.inbox[event as usize] => {
                format!("finds {event_name} in the inbox, and does nothing")
            }
            Stage::Received if self.guards.has(&INBOX_ATOMIC) => {
                format!("{happens} and notes it in the inbox")
            }
            Stage::Received => format!("finds nothing of {event_name} in the inbox"),
            Stage::Checked => format!("{happens}; the note is to follow"),
            Stage::Applied | Stage::Handled => format!("notes {event_name} in the inbox"),
        }
    }

    fn crashed_relay(&self, relay: u8, before: &State) -> String {
        let relay = before.relays[relay as usize];
        let event = relay.row.map(name).unwrap_or_default();
        let lock = match relay.published {
            Published::Marked => "",
            _ if self.guards.has(&LOCK_RELEASE) => "; its lock is released",
            _ => "; its lock STAYS",
        };
        let done = match relay.published {
            Published::NotYet => "",
            Published::Published => ", which is published and not marked",
            Published::Marked => ", which is marked and NOT PUBLISHED",
        };
        format!("CRASHES with the row of {event} in hand{done}{lock}")
    }
}

fn is_out(before: &State, relay: u8) -> bool {
    let is_known = |event: u8| {
        before.effects[event as usize] > 0 || before.queue.iter().any(|message| message.event == event)
    };
    before.relays[relay as usize].row.is_some_and(is_known)
}

fn received(worker: u8, after: &State) -> String {
    let event = after.workers[worker as usize].work.map(|work| name(work.event)).unwrap_or_default();
    format!("is handed {event}")
}

fn rolled_back(event: u8, before: &State) -> String {
    let said = match before.changes[event as usize] {
        Change::Announced => format!(", whose event {} is OUT", name(event)),
        _ => String::new(),
    };
    format!("ROLLS {} BACK{said}", change_name(event))
}

fn crashed(event: u8, before: &State) -> String {
    match before.changes[event as usize] {
        Change::Announced => format!("CRASHES, and {} was never made", change_name(event)),
        _ => format!("CRASHES, and {} was never published", name(event)),
    }
}

fn standing(event: u8, state: &State) -> Option<String> {
    let what = match state.changes[event as usize] {
        Change::Wanted => return None,
        Change::Announced => "to be made",
        Change::Unannounced | Change::Committed => "made",
        Change::RolledBack => "rolled back",
    };
    Some(format!("{} {what}", change_name(event)))
}

fn row_name(event: u8, state: &State) -> Option<String> {
    let what = match state.rows[event as usize] {
        Row::Absent => return None,
        Row::Waiting => "to be sent",
        Row::Locked => "locked",
        Row::Sent => "sent",
    };
    Some(format!("{} {what}", name(event)))
}

fn message_name(message: &Message) -> String {
    match message.holder {
        Some(worker) => format!("{} (with {})", name(message.event), worker_name(worker)),
        None => name(message.event),
    }
}

fn in_hand(work: Work) -> String {
    let acked = if work.is_acked { ", acknowledged" } else { "" };
    format!("has {} in hand{acked}", name(work.event))
}

fn effect_name(event: u8, state: &State) -> Option<String> {
    match state.effects[event as usize] {
        0 => None,
        1 => Some(format!("of {}", name(event))),
        _ => Some(format!("of {} TWICE", name(event))),
    }
}

fn or_nothing(text: String) -> String {
    if text.is_empty() { "nothing".to_owned() } else { text }
}
