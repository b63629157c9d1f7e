//! From `f` and `value` of a line to a call.

use serde_json::{Map, Value};

use super::{ReadErrorKind, saga, stream, wrong};
use crate::id::MAX_INTEGER;
use crate::{Batch, Call, Delivery, EventId, MicroOp, Offset, OpType, Partition, Position, Record, Sent};

pub(super) fn call_of(f: String, value: Value, op_type: OpType) -> Result<Call, ReadErrorKind> {
    Ok(match f.as_str() {
        "send" => Call::Send(sends(value)?),
        "poll" => Call::Poll(polls(value)?),
        "txn" => Call::Txn(items(value)?.into_iter().map(micro_op).collect::<Result<_, _>>()?),
        "receive" => Call::Receive(batches(value)?),
        "assign" => Call::Assign(partitions(value)?),
        "revoke" => Call::Revoke(partitions(value)?),
        "subscribe" => Call::Subscribe(partitions(value)?),
        "trim" => Call::Trim(positions(value)?),
        "compact" => Call::Compact(positions(value)?),
        "commit" => Call::Commit(positions(value)?),
        "committed" if op_type == OpType::Invoke => Call::Committed(
            partitions(value)?.into_iter().map(|partition| Position { partition, next: None }).collect(),
        ),
        "committed" => Call::Committed(positions(value)?),
        "ack" => Call::Ack(deliveries(value)?),
        "nack" => Call::Nack(deliveries(value)?),
        "reject" => Call::Reject(deliveries(value)?),
        "dead-letter" => Call::DeadLetter(deliveries(value)?),
        "apply" => Call::Apply(deliveries(value)?),
        "change" => Call::Change(items(value)?.iter().map(event_of).collect::<Result<_, _>>()?),
        "fence" if value.is_null() => Call::Fence,
        "fence" => return Err(wrong("value", "`null`", &value)),
        "saga.start" => Call::SagaStart(saga::start(value)?),
        "saga.step" => Call::SagaStep(saga::step(value)?),
        "saga.compensate" => Call::SagaCompensate(saga::step(value)?),
        "saga.end" => Call::SagaEnd(saga::end(value)?),
        "append" => Call::Append(stream::append(value)?),
        "read-stream" => Call::ReadStream(stream::read_stream(value)?),
        "snapshot" => Call::Snapshot(stream::snapshot(value)?),
        "project" => Call::Project(stream::project(value)?),
        "quiescent" if value.is_null() => Call::Quiescent,
        "quiescent" => return Err(wrong("value", "`null`", &value)),
        "begin" if value.is_null() => Call::Begin,
        "commit-txn" if value.is_null() => Call::CommitTxn,
        "abort-txn" if value.is_null() => Call::AbortTxn,
        "begin" | "commit-txn" | "abort-txn" => return Err(wrong("value", "`null`", &value)),
        "crash" if value.is_null() => Call::Crash,
        _ => Call::Other { f, value },
    })
}

fn items(value: Value) -> Result<Vec<Value>, ReadErrorKind> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Array(items) => Ok(items),
        other => Err(wrong("value", "a list", &other)),
    }
}

fn entries(value: Value) -> Result<Map<String, Value>, ReadErrorKind> {
    match value {
        Value::Null => Ok(Map::new()),
        Value::Object(entries) => Ok(entries),
        other => Err(wrong("value", "an object from partition names", &other)),
    }
}

fn sends(value: Value) -> Result<Vec<Sent>, ReadErrorKind> {
    let send_of = |item: Value| match micro_op(item.clone())? {
        MicroOp::Send(sent) => Ok(sent),
        MicroOp::Poll(_) => Err(wrong("value", "`[\"send\", partition, id]`", &item)),
    };
    items(value)?.into_iter().map(send_of).collect()
}

fn polls(value: Value) -> Result<Vec<Batch>, ReadErrorKind> {
    let mut all = Vec::new();
    for item in items(value)? {
        match micro_op(item.clone())? {
            MicroOp::Poll(batches) => all.extend(batches),
            MicroOp::Send(_) => {
                return Err(wrong("value", "`[\"poll\", {partition: [[offset, id], …]}]`", &item));
            }
        }
    }
    Ok(all)
}

fn micro_op(item: Value) -> Result<MicroOp, ReadErrorKind> {
    const EXPECTED: &str = "`[\"send\", partition, id]` or `[\"poll\", {partition: [[offset, id], …]}]`";
    match item.as_array().map(Vec::as_slice) {
        Some([Value::String(f), partition, sent]) if f == "send" => {
            let partition = partition_of(partition)?;
            let Record { offset, event } = match sent {
                Value::Array(_) => record_of(sent)?,
                id => Record { offset: None, event: event_of(id)? },
            };
            Ok(MicroOp::Send(Sent { partition, offset, event }))
        }
        Some([Value::String(f)]) if f == "poll" => Ok(MicroOp::Poll(Vec::new())),
        Some([Value::String(f), polled]) if f == "poll" => Ok(MicroOp::Poll(batches(polled.clone())?)),
        _ => Err(wrong("value", EXPECTED, &item)),
    }
}

fn batches(value: Value) -> Result<Vec<Batch>, ReadErrorKind> {
    let batch_of = |(partition, records): (String, Value)| {
        let records = items(records)?.iter().map(record_of).collect::<Result<_, _>>()?;
        Ok(Batch { partition: Partition::named(&partition), records })
    };
    entries(value)?.into_iter().map(batch_of).collect()
}

fn record_of(value: &Value) -> Result<Record, ReadErrorKind> {
    match value.as_array().map(Vec::as_slice) {
        Some([offset, event]) => Ok(Record { offset: offset_of(offset)?, event: event_of(event)? }),
        _ => Err(wrong("value", "`[offset, id]`", value)),
    }
}

fn partitions(value: Value) -> Result<Vec<Partition>, ReadErrorKind> {
    items(value)?.iter().map(partition_of).collect()
}

fn positions(value: Value) -> Result<Vec<Position>, ReadErrorKind> {
    let position_of = |(partition, next): (String, Value)| {
        Ok(Position { partition: Partition::named(&partition), next: offset_of(&next)? })
    };
    entries(value)?.into_iter().map(position_of).collect()
}

fn deliveries(value: Value) -> Result<Vec<Delivery>, ReadErrorKind> {
    let delivery_of = |item: Value| match item.as_array().map(Vec::as_slice) {
        Some([partition, offset]) => {
            Ok(Delivery { partition: partition_of(partition)?, offset: offset_of(offset)?, event: None })
        }
        Some([partition, offset, event]) => Ok(Delivery {
            partition: partition_of(partition)?,
            offset: offset_of(offset)?,
            event: if event.is_null() { None } else { Some(event_of(event)?) },
        }),
        _ => Err(wrong("value", "`[partition, offset, id]`", &item)),
    };
    items(value)?.into_iter().map(delivery_of).collect()
}

fn partition_of(value: &Value) -> Result<Partition, ReadErrorKind> {
    match value {
        Value::String(name) => Ok(Partition::named(name)),
        Value::Number(number) => Ok(Partition::named(&number.to_string())),
        other => Err(wrong("value", "the name of a partition", other)),
    }
}

pub(crate) fn event_of(value: &Value) -> Result<EventId, ReadErrorKind> {
    match value {
        Value::String(name) => Ok(EventId::from(name.as_str())),
        Value::Number(number) => {
            match number.as_i64().filter(|id| id.unsigned_abs() <= MAX_INTEGER.unsigned_abs()) {
                Some(id) => Ok(EventId::Number(id)),
                None => Err(wrong("value", "an event id: text, or an integer below 2^53", value)),
            }
        }
        other => Err(wrong("value", "an event id: text, or an integer below 2^53", other)),
    }
}

pub(crate) fn offset_of(value: &Value) -> Result<Option<Offset>, ReadErrorKind> {
    match value {
        Value::Null => Ok(None),
        Value::String(id) => Ok(Some(id.parse()?)),
        Value::Number(number) => Ok(Some(number.to_string().parse()?)),
        other => Err(wrong("value", "an offset", other)),
    }
}
