//! From a history to lines.

use serde_json::{Map, Value, json};

use super::{FORMAT, VERSION, saga, stream};
use crate::{Batch, Call, Header, MicroOp, Op, OpType, Sent};

pub(crate) fn header_to_line(header: &Header) -> Value {
    let mut line = json!({"format": FORMAT, "version": VERSION});
    if let (Some(line), Value::Object(fields)) = (line.as_object_mut(), json!(header)) {
        line.extend(fields);
    }
    line
}

pub(crate) fn op_to_line(op: &Op) -> Value {
    let mut line = json!({"index": op.index, "process": op.process, "type": op.op_type, "f": op.call.f()});
    let fields = line.as_object_mut().expect("`json!` of an object is one");
    if let Some(time_ns) = op.time_ns {
        fields.insert("time".into(), time_ns.into());
    }
    fields.insert("value".into(), value_of(&op.call, op.op_type));
    if let Some(error) = &op.error {
        fields.insert("error".into(), error.clone());
    }
    if !op.x.is_empty() {
        fields.insert("x".into(), json!(op.x));
    }
    fields.extend(op.unknown.clone());
    line
}

fn value_of(call: &Call, op_type: OpType) -> Value {
    match call {
        Call::Send(sent) => sent.iter().map(send_value).collect(),
        Call::Poll(batches) => json!([poll_value(batches)]),
        Call::Txn(ops) => ops
            .iter()
            .map(|op| match op {
                MicroOp::Send(sent) => send_value(sent),
                MicroOp::Poll(batches) => poll_value(batches),
            })
            .collect(),
        Call::Receive(batches) => batches_value(batches),
        Call::Assign(partitions) | Call::Revoke(partitions) | Call::Subscribe(partitions) => {
            json!(partitions)
        }
        Call::Committed(positions) if op_type == OpType::Invoke => {
            positions.iter().map(|position| json!(position.partition)).collect()
        }
        Call::Commit(positions)
        | Call::Committed(positions)
        | Call::Trim(positions)
        | Call::Compact(positions) => positions
            .iter()
            .map(|p| (p.partition.as_str().to_owned(), json!(p.next)))
            .collect::<Map<_, _>>()
            .into(),
        Call::Ack(all) | Call::Nack(all) | Call::Reject(all) | Call::DeadLetter(all) | Call::Apply(all) => {
            all.iter().map(|d| json!([d.partition, d.offset, d.event])).collect()
        }
        Call::Change(events) => json!(events),
        Call::SagaStart(start) => saga::start_value(start),
        Call::SagaStep(step) | Call::SagaCompensate(step) => saga::step_value(step),
        Call::SagaEnd(end) => saga::end_value(end),
        Call::Append(append) => stream::append_value(append),
        Call::ReadStream(slices) => stream::slices_value(slices),
        Call::Snapshot(snapshot) => stream::snapshot_value(snapshot),
        Call::Project(project) => stream::project_value(project),
        Call::Begin | Call::CommitTxn | Call::AbortTxn | Call::Crash | Call::Fence | Call::Quiescent => {
            Value::Null
        }
        Call::Other { value, .. } => value.clone(),
    }
}

fn send_value(sent: &Sent) -> Value {
    match sent.offset {
        Some(offset) => json!(["send", sent.partition, [offset, sent.event]]),
        None => json!(["send", sent.partition, sent.event]),
    }
}

fn poll_value(batches: &[Batch]) -> Value {
    if batches.is_empty() { json!(["poll"]) } else { json!(["poll", batches_value(batches)]) }
}

fn batches_value(batches: &[Batch]) -> Value {
    let mut by_partition: Map<String, Value> = Map::new();
    for batch in batches {
        let records = batch.records.iter().map(|record| json!([record.offset, record.event]));
        let slot = by_partition.entry(batch.partition.as_str()).or_insert_with(|| json!([]));
        if let Value::Array(slot) = slot {
            slot.extend(records);
        }
    }
    by_partition.into()
}
