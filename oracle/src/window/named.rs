//! Which partitions an op names, and what of it speaks of some of them.

use lawspeaker_history::{Batch, Call, EventId, MicroOp, Op, Partition};

/// The partitions that `op` names, in the order of first mention.
pub(super) fn partitions(op: &Op) -> Vec<&Partition> {
    let mut named: Vec<&Partition> = Vec::new();
    let mut name = |partition| {
        // Most ops speak of one partition only, and of it again and again.
        if named.last() != Some(&partition) && !named.contains(&partition) {
            named.push(partition);
        }
    };
    match &op.call {
        Call::Send(sends) => sends.iter().for_each(|sent| name(&sent.partition)),
        Call::Poll(batches) | Call::Receive(batches) => {
            batches.iter().for_each(|batch| name(&batch.partition));
        }
        Call::Txn(parts) => parts.iter().for_each(|part| match part {
            MicroOp::Send(sent) => name(&sent.partition),
            MicroOp::Poll(batches) => batches.iter().for_each(|batch| name(&batch.partition)),
        }),
        Call::Commit(positions)
        | Call::Committed(positions)
        | Call::Trim(positions)
        | Call::Compact(positions) => {
            positions.iter().for_each(|position| name(&position.partition));
        }
        Call::Ack(deliveries)
        | Call::Nack(deliveries)
        | Call::Reject(deliveries)
        | Call::DeadLetter(deliveries)
        | Call::Apply(deliveries) => deliveries.iter().for_each(|delivery| name(&delivery.partition)),
        _ => {}
    }
    op.x.from.keys().for_each(name);
    named
}

/// Every event that `op` names, where, and whether it is sent.
pub(super) fn events(op: &Op) -> Box<dyn Iterator<Item = (&Partition, &EventId, bool)> + '_> {
    fn read(batches: &[Batch]) -> impl Iterator<Item = (&Partition, &EventId, bool)> {
        batches
            .iter()
            .flat_map(|batch| batch.records.iter().map(|record| (&batch.partition, &record.event, false)))
    }
    match &op.call {
        Call::Send(sends) => Box::new(sends.iter().map(|sent| (&sent.partition, &sent.event, true))),
        Call::Poll(batches) | Call::Receive(batches) => Box::new(read(batches)),
        Call::Txn(parts) => Box::new(parts.iter().flat_map(|part| {
            let (sent, batches) = match part {
                MicroOp::Send(sent) => (Some((&sent.partition, &sent.event, true)), &[][..]),
                MicroOp::Poll(batches) => (None, batches.as_slice()),
            };
            sent.into_iter().chain(read(batches))
        })),
        Call::Ack(deliveries)
        | Call::Nack(deliveries)
        | Call::Reject(deliveries)
        | Call::DeadLetter(deliveries)
        | Call::Apply(deliveries) => Box::new(
            deliveries
                .iter()
                .filter_map(|delivery| Some((&delivery.partition, delivery.event.as_ref()?, false))),
        ),
        _ => Box::new(std::iter::empty()),
    }
}

/// Leaves of `op` what speaks of partitions that `is_meant`.
pub(super) fn narrow(op: &mut Op, is_meant: impl Fn(&Partition) -> bool) {
    let narrow_batches = |batches: &mut Vec<Batch>| batches.retain(|batch| is_meant(&batch.partition));
    match &mut op.call {
        Call::Send(sends) => sends.retain(|sent| is_meant(&sent.partition)),
        Call::Poll(batches) | Call::Receive(batches) => narrow_batches(batches),
        Call::Txn(parts) => parts.retain_mut(|part| match part {
            MicroOp::Send(sent) => is_meant(&sent.partition),
            MicroOp::Poll(batches) => {
                narrow_batches(batches);
                !batches.is_empty()
            }
        }),
        Call::Assign(partitions) | Call::Revoke(partitions) => {
            partitions.retain(|partition| is_meant(partition));
        }
        Call::Commit(positions)
        | Call::Committed(positions)
        | Call::Trim(positions)
        | Call::Compact(positions) => {
            positions.retain(|position| is_meant(&position.partition));
        }
        Call::Ack(deliveries)
        | Call::Nack(deliveries)
        | Call::Reject(deliveries)
        | Call::DeadLetter(deliveries)
        | Call::Apply(deliveries) => deliveries.retain(|delivery| is_meant(&delivery.partition)),
        _ => {}
    }
    op.x.from.retain(|partition, _| is_meant(partition));
    op.x.hw.retain(|partition, _| is_meant(partition));
}
