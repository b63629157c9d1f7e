//! The flat recorder format: one send, read, acknowledgement or commit a line, its parts at the top level.
//!
//! ```text
//! {"index":2,"time":18962289,"process":0,"type":"ok","f":"send","topic":"orders","key":"k0","value":0,"offset":1}
//! ```
//! Partitioned logs (`partition` given) poll and commit positions; streams and queues (`stream`) hand out events
//! one by one, and a `commit` with a `value` acknowledges that delivery. `read` is a read outside any group.

use serde_json::{Map, Value};

use crate::jsonl::{Fields, Indexed, event_of, offset_of, wrong};
use crate::{
    Batch, Call, Delivery, Offset, Op, OpType, Partition, Phase, Position, ReadErrorKind, Record, Sent,
};

/// Reads lines of the flat format. It remembers the topic, which `assign` and `revoke` lines may leave out.
#[derive(Debug, Default)]
pub(crate) struct FlatReader {
    topic: Option<String>,
}

impl FlatReader {
    /// Whether a first line is of this format: it says where at the top level.
    pub(crate) fn recognises(object: &Map<String, Value>) -> bool {
        ["topic", "stream", "partition", "partitions", "group"]
            .iter()
            .any(|field| object.contains_key(*field))
    }

    pub(crate) fn op_of(&mut self, object: Map<String, Value>) -> Result<Indexed, ReadErrorKind> {
        let mut fields = Fields(object);
        let (index, mut op) = fields.frame()?;
        let f = fields.f()?;
        extras(&mut fields, &mut op)?;
        op.call = self.call_of(f, &mut fields, &mut op)?;
        op.x.rest.append(&mut fields.0);
        Ok((index, op))
    }

    fn call_of(&mut self, f: String, fields: &mut Fields, op: &mut Op) -> Result<Call, ReadErrorKind> {
        let topic = fields.text("topic")?;
        let stream = fields.text("stream")?;
        let number = fields.unsigned("partition")?;
        if topic.is_some() {
            self.topic.clone_from(&topic);
        }
        let name = topic.or(stream.clone()).or_else(|| self.topic.clone()).unwrap_or_default();
        let partition = match number {
            Some(number) => Partition::named(&format!("{name}/{number}")),
            None => Partition::named(&name),
        };
        let offset = fields.0.remove("offset").map_or(Ok(None), |offset| offset_of(&offset))?;
        let value = fields.0.remove("value").unwrap_or_default();
        Ok(match f.as_str() {
            "send" => Call::Send(vec![Sent { partition, offset, event: event_of(&value)? }]),
            "poll" if stream.is_some() => Call::Receive(read(partition, offset, &value)?),
            "poll" | "read" => Call::Poll(read(partition, offset, &value)?),
            "commit" if value.is_null() => Call::Commit(vec![Position { partition, next: offset }]),
            "commit" => Call::Ack(vec![Delivery { partition, offset, event: Some(event_of(&value)?) }]),
            "assign" | "revoke" => {
                // The recorders write these as `info`, for a remark; the callback they stand for did happen.
                op.op_type = OpType::Ok;
                let partitions = self.partitions(fields)?;
                if f == "assign" { Call::Assign(partitions) } else { Call::Revoke(partitions) }
            }
            "crash" => Call::Crash,
            _ => Call::Other { f, value },
        })
    }

    fn partitions(&self, fields: &mut Fields) -> Result<Vec<Partition>, ReadErrorKind> {
        let topic = self.topic.as_deref().ok_or(ReadErrorKind::NoTopic)?;
        let numbers = fields.0.remove("partitions").ok_or(ReadErrorKind::Missing("partitions"))?;
        let expected = || wrong("partitions", "a list of partition numbers", &numbers);
        let number_of = |number: &Value| {
            let number = number.as_u64().ok_or_else(expected)?;
            Ok(Partition::named(&format!("{topic}/{number}")))
        };
        numbers.as_array().ok_or_else(expected)?.iter().map(number_of).collect()
    }
}

/// The fields that have a place in `x`.
fn extras(fields: &mut Fields, op: &mut Op) -> Result<(), ReadErrorKind> {
    op.x.key = fields.text("key")?;
    op.x.group = fields.text("group")?.map(|group| group.as_str().into());
    op.x.delivery = fields.unsigned("delivery")?;
    if fields.0.get("note").is_some_and(|note| note.as_str().is_some_and(|note| note.contains("unconfirmed")))
    {
        op.x.confirmed = Some(false);
    }
    op.x.phase = match fields.text("phase")?.as_deref() {
        None | Some("main") => None,
        Some("drain") => Some(Phase::Drain),
        Some("final") => Some(Phase::Final),
        Some(other) => return Err(wrong("phase", "`main`, `drain` or `final`", &other.into())),
    };
    Ok(())
}

fn read(partition: Partition, offset: Option<Offset>, value: &Value) -> Result<Vec<Batch>, ReadErrorKind> {
    if value.is_null() {
        return Ok(Vec::new());
    }
    Ok(vec![Batch { partition, records: vec![Record { offset, event: event_of(value)? }] }])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::History;

    fn calls(text: &str) -> Vec<Call> {
        History::read(text.as_bytes()).unwrap().ops.into_iter().map(|op| op.call).collect()
    }

    #[test]
    fn a_commit_with_a_value_is_an_acknowledgement_and_one_without_is_a_position() {
        let calls = calls(
            r#"{"process":50,"type":"ok","f":"commit","stream":"q","group":"g","value":7,"offset":"5-1"}
{"process":51,"type":"ok","f":"commit","group":"g1","topic":"orders","partition":3,"offset":5}"#,
        );
        let partition = Partition::named("q");
        let offset = Some("5-1".parse().unwrap());
        assert_eq!(calls[0], Call::Ack(vec![Delivery { partition, offset, event: Some(7.into()) }]));
        let partition = Partition::new("orders", 3);
        assert_eq!(calls[1], Call::Commit(vec![Position { partition, next: Some(Offset::of(5)) }]));
    }

    #[test]
    fn an_assignment_takes_the_topic_of_the_lines_before_it() {
        let calls = calls(
            r#"{"process":0,"type":"invoke","f":"send","topic":"orders","key":"k0","value":0}
{"process":51,"type":"info","f":"assign","group":"g1","partitions":[0,1]}"#,
        );
        assert_eq!(calls[1], Call::Assign(vec![Partition::new("orders", 0), Partition::new("orders", 1)]));
    }

    #[test]
    fn an_assignment_before_any_topic_names_its_own() {
        let assign = |topic: &str| {
            let text = format!(
                r#"{{"process":51,"type":"info","f":"assign","group":"g1",{topic}"partitions":[0]}}"#
            );
            History::read(text.as_bytes()).map(|history| history.ops[0].call.clone())
        };
        assert_eq!(
            assign("").unwrap_err().to_string(),
            "line 1: field `partitions` names partitions by their numbers, and no line so far names a topic: add a field \
             `topic`"
        );
        let assigned = assign(r#""topic":"orders","#).unwrap();
        assert_eq!(assigned, Call::Assign(vec![Partition::new("orders", 0)]));
    }
}
