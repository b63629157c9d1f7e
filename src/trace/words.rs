//! An op in a few words, for a label.

use lawspeaker_history::{Batch, Call, Delivery, MicroOp, Op, OpType, Position, Record, Sent, Versioned};

/// How many items a label lists before it only counts them.
const MAX_ITEMS: usize = 4;

/// What an op says: the call, its values, and how it ended.
pub(super) fn words(op: &Op) -> String {
    let what = match &op.call {
        Call::Send(sent) => format!("send {}", listed(sent, sent_words)),
        Call::Poll(batches) => format!("poll {}", listed(batches, batch_words)),
        Call::Txn(parts) => format!("txn {}", listed(parts, part_words)),
        Call::Receive(batches) => format!("receive {}", listed(batches, batch_words)),
        Call::Assign(partitions) => format!("assign {}", listed(partitions, ToString::to_string)),
        Call::Revoke(partitions) => format!("revoke {}", listed(partitions, ToString::to_string)),
        Call::Subscribe(partitions) => format!("subscribe {}", listed(partitions, ToString::to_string)),
        Call::Trim(positions) => format!("trim {}", listed(positions, position_words)),
        Call::Compact(positions) => format!("compact {}", listed(positions, position_words)),
        Call::Commit(positions) => format!("commit {}", listed(positions, position_words)),
        Call::Committed(positions) => format!("committed {}", listed(positions, position_words)),
        Call::Ack(all) => format!("ack {}", listed(all, delivery_words)),
        Call::Nack(all) => format!("nack {}", listed(all, delivery_words)),
        Call::Reject(all) => format!("reject {}", listed(all, delivery_words)),
        Call::Apply(all) => format!("apply {}", listed(all, delivery_words)),
        Call::DeadLetter(all) => format!("dead-letter {}", listed(all, delivery_words)),
        Call::Change(events) => format!("change, owes {}", listed(events, ToString::to_string)),
        Call::Fence => "fence".to_owned(),
        Call::Begin => "begin a transaction".to_owned(),
        Call::CommitTxn => "commit the transaction".to_owned(),
        Call::AbortTxn => "abort the transaction".to_owned(),
        Call::Crash => "crash".to_owned(),
        Call::SagaStart(start) => format!("start saga {}", start.saga),
        Call::SagaStep(step) => format!("step {} of saga {}", step.step, step.saga),
        Call::SagaCompensate(step) => format!("compensate {} of saga {}", step.step, step.saga),
        Call::SagaEnd(end) => format!("saga {} {}", end.saga, end.outcome),
        Call::Append(append) => {
            let expected = append.expected.map_or_else(String::new, |version| format!(" at {version}"));
            format!("append {} to {}{expected}", listed(&append.ids, ToString::to_string), append.stream)
        }
        Call::ReadStream(slices) => {
            format!(
                "read {}",
                listed(slices, |of| format!("{} [{}]", of.stream, versioned_words(&of.events)))
            )
        }
        Call::Snapshot(snapshot) => format!("snapshot of {} at {}", snapshot.stream, snapshot.version),
        Call::Project(of) => {
            format!("project {} [{}] into {}", of.stream, versioned_words(&of.events), of.projection)
        }
        Call::Quiescent => "quiescent".to_owned(),
        Call::Other { f, value } if value.is_null() => f.clone(),
        Call::Other { f, value } => format!("{f} {value}"),
    };
    let what = what.trim_end();
    match op.op_type {
        OpType::Invoke => format!("{what} …"),
        OpType::Ok => what.to_owned(),
        OpType::Fail => format!("{what}: failed"),
        // A crash or a fault is told as `info`, and nobody doubts that it happened.
        OpType::Info if matches!(op.call, Call::Crash | Call::Other { .. }) => what.to_owned(),
        OpType::Info => format!("{what}: outcome unknown"),
    }
}

fn listed<T>(items: &[T], words: impl Fn(&T) -> String) -> String {
    let mut all: Vec<_> = items.iter().take(MAX_ITEMS).map(words).collect();
    if items.len() > MAX_ITEMS {
        all.push(format!("{} more", items.len() - MAX_ITEMS));
    }
    all.join(", ")
}

fn sent_words(sent: &Sent) -> String {
    match sent.offset {
        Some(offset) => format!("{} → {}:{offset}", sent.event, sent.partition),
        None => format!("{} → {}", sent.event, sent.partition),
    }
}

fn batch_words(batch: &Batch) -> String {
    let record = |record: &Record| match record.offset {
        Some(offset) => format!("{offset}:{}", record.event),
        None => record.event.to_string(),
    };
    format!("{} [{}]", batch.partition, listed(&batch.records, record))
}

fn versioned_words(events: &[Versioned]) -> String {
    listed(events, |(version, event)| format!("{version}:{event}"))
}

fn part_words(part: &MicroOp) -> String {
    match part {
        MicroOp::Send(sent) => sent_words(sent),
        MicroOp::Poll(batches) => listed(batches, batch_words),
    }
}

fn position_words(position: &Position) -> String {
    let next = position.next.map_or("nothing".to_owned(), |next| next.to_string());
    format!("{} → {next}", position.partition)
}

fn delivery_words(delivery: &Delivery) -> String {
    match (&delivery.event, delivery.offset) {
        (Some(event), _) => event.to_string(),
        (None, Some(offset)) => format!("{}:{offset}", delivery.partition),
        (None, None) => delivery.partition.to_string(),
    }
}
