//! What a history says of changes of state, the events that they owe, and the effects of events.
//!
//! Cost: O(size of the op); O(events of changes and effects) memory.

use std::collections::HashMap;

use lawspeaker_history::{Call, Offset, Op, OpType};

use super::{EventKey, GroupKey, Names, PartitionKey, ProcessKey};

/// A change of state that owes an event, and what is known of it: one row for each event.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub process: ProcessKey,
    pub event: EventKey,
    /// The line that says most about it.
    pub line: u64,
    /// What never completed is `Info`.
    pub outcome: OpType,
}

/// An event whose effect happened, or may have.
#[derive(Clone, Debug)]
pub(crate) struct Effect {
    pub process: ProcessKey,
    pub group: Option<GroupKey>,
    pub partition: PartitionKey,
    pub offset: Option<Offset>,
    pub event: EventKey,
    /// The line that says most about it.
    pub line: u64,
    /// What never completed is `Info`.
    pub outcome: OpType,
}

impl Effect {
    /// Whether it surely happened.
    pub(crate) fn is_done(&self) -> bool {
        self.outcome == OpType::Ok
    }
}

/// All of it, by event, then by line.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    pub changes: Vec<Change>,
    pub effects: Vec<Effect>,
}

impl Outbox {
    pub(crate) fn is_any(&self) -> bool {
        !self.changes.is_empty() || self.effects.iter().any(Effect::is_done)
    }

    /// Every attempt at the effect of `event`. O(log n).
    pub(crate) fn effects_of(&self, event: EventKey) -> &[Effect] {
        let first = self.effects.partition_point(|effect| effect.event < event);
        let rest = &self.effects[first..];
        &rest[..rest.partition_point(|effect| effect.event == event)]
    }

    /// Every attempt at a change that owes `event`. O(log n).
    pub(crate) fn changes_of(&self, event: EventKey) -> &[Change] {
        let first = self.changes.partition_point(|change| change.event < event);
        let rest = &self.changes[first..];
        &rest[..rest.partition_point(|change| change.event == event)]
    }
}

/// Takes ops one by one.
#[derive(Debug, Default)]
pub(crate) struct OutboxCollector {
    outbox: Outbox,
    /// Invocations that wait for their completion, by their places in the rows.
    open_changes: HashMap<(ProcessKey, EventKey), usize>,
    open_effects: HashMap<(ProcessKey, EventKey), usize>,
}

impl OutboxCollector {
    /// Takes one op that stands on `line`. O(size of the op).
    pub(crate) fn observe(&mut self, op: &Op, process: ProcessKey, line: u64, names: &mut Names) {
        let outcome = if op.op_type == OpType::Invoke { OpType::Info } else { op.op_type };
        match &op.call {
            Call::Change(events) => {
                for event in events {
                    let event = names.events.key(event);
                    let change = Change { process, event, line, outcome };
                    let open = self.open_changes.remove(&(process, event)).filter(|_| !is_invocation(op));
                    let place = put(&mut self.outbox.changes, open, change);
                    if is_invocation(op) {
                        self.open_changes.insert((process, event), place);
                    }
                }
            }
            Call::Apply(deliveries) => {
                let group = op.x.group.as_ref().map(|group| names.groups.key(group));
                for delivery in deliveries {
                    let Some(event) = &delivery.event else { continue };
                    let event = names.events.key(event);
                    let (partition, offset) = (names.partitions.key(&delivery.partition), delivery.offset);
                    let effect = Effect { process, group, partition, offset, event, line, outcome };
                    let open = self.open_effects.remove(&(process, event)).filter(|_| !is_invocation(op));
                    let place = put(&mut self.outbox.effects, open, effect);
                    if is_invocation(op) {
                        self.open_effects.insert((process, event), place);
                    }
                }
            }
            _ => {}
        }
    }

    /// Sorts what was taken. O(n log n).
    pub(crate) fn seal(self) -> Outbox {
        let mut outbox = self.outbox;
        outbox.changes.sort_by_key(|change| (change.event, change.line));
        outbox.effects.sort_by_key(|effect| (effect.event, effect.line));
        outbox
    }
}

fn is_invocation(op: &Op) -> bool {
    op.op_type == OpType::Invoke
}

/// Puts a row in the place of the one that it completes, or else behind the others.
fn put<T>(rows: &mut Vec<T>, open: Option<usize>, row: T) -> usize {
    match open {
        Some(place) => {
            rows[place] = row;
            place
        }
        None => {
            rows.push(row);
            rows.len() - 1
        }
    }
}
