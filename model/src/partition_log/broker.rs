//! The broker: what it makes of a request, and what a loss of power does to it.

use super::{
    Action, CHECKSUM, EPOCH_FENCE, FSYNC_BEFORE_ACK, GAP_CHECK, GARBAGE, IDEMPOTENCE, KEEP_PRODUCER_STATE,
    PartitionLog, Record, Reply, Request, State, insert, remove,
};

/// What the broker answers to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Append,
    Damaged,
    Fenced,
    Duplicate(Option<u8>),
    Gap { expected: u8 },
}

impl PartitionLog {
    /// What the broker makes of a request. The guards stand here, in the order in which a broker applies them.
    pub(crate) fn judge(&self, state: &State, request: &Request) -> Verdict {
        let Request { event, stamp, is_damaged } = *request;
        if is_damaged && self.guards.has(&CHECKSUM) {
            return Verdict::Damaged;
        }
        let partition = &state.partitions[stamp.partition as usize];
        if stamp.epoch < partition.epochs[event.producer as usize] && self.guards.has(&EPOCH_FENCE) {
            return Verdict::Fenced;
        }
        if !self.guards.has(&IDEMPOTENCE) {
            return Verdict::Append;
        }
        let of_incarnation = |(_, record): &(usize, &Record)| {
            record.event.producer == event.producer && record.epoch == stamp.epoch
        };
        let known = partition.log.iter().enumerate().skip(partition.remembered_from as usize);
        let known: Vec<_> = known.filter(of_incarnation).collect();
        let expected = known.iter().map(|(_, record)| record.sequence + 1).max().unwrap_or(0);
        if stamp.sequence < expected {
            let same = known.iter().find(|(_, record)| record.sequence == stamp.sequence);
            return Verdict::Duplicate(same.map(|(offset, _)| *offset as u8));
        }
        if stamp.sequence > expected && self.guards.has(&GAP_CHECK) {
            return Verdict::Gap { expected };
        }
        Verdict::Append
    }

    /// Whether `action` is the broker's taking a request, and its verdict is of the kind asked for.
    pub(super) fn answers(&self, state: &State, action: &Action, is_asked: fn(Verdict) -> bool) -> bool {
        matches!(action, Action::Handle(request) if is_asked(self.judge(state, request)))
    }

    pub(super) fn handle(&self, state: &mut State, request: &Request) {
        remove(&mut state.requests, request);
        let Request { event, stamp, is_damaged } = *request;
        let acknowledges_at_once = !self.guards.has(&FSYNC_BEFORE_ACK);
        let verdict = self.judge(state, request);
        let partition = &mut state.partitions[stamp.partition as usize];
        match verdict {
            Verdict::Append => {
                let appended = if is_damaged { GARBAGE } else { event };
                partition.log.push(Record { event: appended, epoch: stamp.epoch, sequence: stamp.sequence });
                if acknowledges_at_once {
                    let offset = Some(partition.log.len() as u8 - 1);
                    insert(&mut state.replies, Reply { event, partition: stamp.partition, offset });
                }
            }
            // What is not durable yet is acknowledged by the flush to come.
            Verdict::Duplicate(Some(offset)) if offset >= partition.durable && !acknowledges_at_once => {}
            Verdict::Duplicate(offset) => {
                insert(&mut state.replies, Reply { event, partition: stamp.partition, offset });
            }
            Verdict::Damaged | Verdict::Fenced | Verdict::Gap { .. } => {}
        }
    }

    pub(super) fn flush(&self, state: &mut State, number: u8) {
        let partition = &mut state.partitions[number as usize];
        for offset in partition.durable..partition.log.len() as u8 {
            let event = partition.log[offset as usize].event;
            if self.guards.has(&FSYNC_BEFORE_ACK) && event != GARBAGE {
                insert(&mut state.replies, Reply { event, partition: number, offset: Some(offset) });
            }
        }
        partition.durable = partition.log.len() as u8;
    }

    pub(super) fn crash(&self, state: &mut State) {
        state.budget.spend(|budget| &mut budget.crashes);
        for partition in &mut state.partitions {
            partition.log.truncate(partition.durable as usize);
            if !self.guards.has(&KEEP_PRODUCER_STATE) {
                partition.remembered_from = partition.durable;
                partition.epochs.fill(0);
            }
        }
    }
}
