//! What a history says of causes: recorded causes and clocks, effects applied, reads whose content nobody knows.

use std::sync::Arc;

use lawspeaker_history::{Call, MicroOp, Op, OpType};

use super::{EventKey, GroupKey, Names, PartitionKey, ProcessKey, ServiceKey};

/// A send whose direct causes were recorded: one row a line that says so.
#[derive(Clone, Debug)]
pub(crate) struct Caused {
    pub line: u64,
    pub effects: Vec<EventKey>,
    pub causes: Vec<EventKey>,
}

/// What a clock was read at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// The sending of the events of a call.
    Send,
    /// After a delivery was taken.
    Delivery,
    /// Something that concerns nobody else.
    Local,
}

/// A recorded vector clock: counts by service, sorted by service.
#[derive(Clone, Debug)]
pub(crate) struct Stamp {
    pub line: u64,
    pub process: ProcessKey,
    pub moment: Moment,
    pub clock: Clock,
}

/// Counts by service, sorted by service, none of them 0.
pub(crate) type Clock = Arc<[(ServiceKey, u64)]>;

/// An event whose effect happened at a process, or may have.
#[derive(Clone, Debug)]
pub(crate) struct Applied {
    pub line: u64,
    pub process: ProcessKey,
    pub group: Option<GroupKey>,
    pub partition: PartitionKey,
    pub event: EventKey,
    pub is_ok: bool,
}

/// All of it, each by line.
#[derive(Debug, Default)]
pub(crate) struct Causal {
    pub caused: Vec<Caused>,
    pub stamps: Vec<Stamp>,
    pub applied: Vec<Applied>,
    /// Calls of unknown outcome that may have delivered anything, or changed what is delivered.
    pub unknown_deliveries: Vec<(u64, ProcessKey)>,
}

impl Causal {
    /// Takes one op that stands on `line`. O(size of the op).
    pub(crate) fn observe(&mut self, op: &Op, process: ProcessKey, line: u64, names: &mut Names) {
        if op.op_type == OpType::Fail {
            return;
        }
        let is_send = super::sends(&op.call).next().is_some();
        if is_send && !op.x.cause.is_empty() {
            let effects = super::sends(&op.call).map(|sent| names.events.key(&sent.event)).collect();
            let causes = op.x.cause.iter().map(|cause| names.events.key(cause)).collect();
            self.caused.push(Caused { line, effects, causes });
        }
        self.stamp(op, process, line, is_send, names);
        if op.op_type == OpType::Info && (delivers(&op.call) || subscribes(&op.call)) {
            self.unknown_deliveries.push((line, process));
        }
        let Call::Apply(deliveries) = &op.call else { return };
        if op.op_type == OpType::Invoke {
            return;
        }
        let group = op.x.group.as_ref().map(|group| names.groups.key(group));
        for delivery in deliveries {
            let Some(event) = &delivery.event else { continue };
            self.applied.push(Applied {
                line,
                process,
                group,
                partition: names.partitions.key(&delivery.partition),
                event: names.events.key(event),
                is_ok: op.op_type == OpType::Ok,
            });
        }
    }

    /// A send is stamped when it begins; everything else once it is done.
    fn stamp(&mut self, op: &Op, process: ProcessKey, line: u64, is_send: bool, names: &mut Names) {
        let Some(clock) = &op.x.clock else { return };
        let moment = match (is_send, op.op_type) {
            (true, _) => Moment::Send,
            (false, OpType::Ok) if delivers(&op.call) => Moment::Delivery,
            (false, OpType::Ok | OpType::Info) if !delivers(&op.call) => Moment::Local,
            _ => return,
        };
        let mut counts: Vec<_> =
            clock.entries().map(|(service, count)| (names.services.key(&service.into()), count)).collect();
        counts.sort_unstable();
        self.stamps.push(Stamp { line, process, moment, clock: counts.into() });
    }
}

/// Whether a call hands events to its caller.
fn delivers(call: &Call) -> bool {
    match call {
        Call::Poll(_) | Call::Receive(_) | Call::Apply(_) => true,
        Call::Txn(ops) => ops.iter().any(|op| matches!(op, MicroOp::Poll(_))),
        _ => false,
    }
}

/// Whether a call changes what its caller is handed.
fn subscribes(call: &Call) -> bool {
    matches!(call, Call::Assign(_) | Call::Revoke(_) | Call::Subscribe(_))
}

/// Where `clock` stands for `service`. O(log n).
pub(crate) fn count(clock: &Clock, service: ServiceKey) -> u64 {
    clock.binary_search_by_key(&service, |(of, _)| *of).map_or(0, |place| clock[place].1)
}

/// Whether the event of `one` happened before the event of `other`. O(n log n) in the services of `one`.
pub(crate) fn happened_before(one: &Clock, other: &Clock) -> bool {
    one != other && one.iter().all(|(service, at)| *at <= count(other, *service))
}
