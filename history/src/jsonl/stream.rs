//! The values of calls about event streams, read and written.
//!
//! As with sagas, a field that means nothing here is an error.

use serde_json::{Map, Value, json};

use super::parse::event_of;
use super::saga::{name, read};
use super::{ReadErrorKind, wrong};
use crate::id::MAX_INTEGER;
use crate::{Append, EventId, Project, Slice, Snapshot, StreamName, Versioned};

const APPEND: &str =
    "`{\"stream\":name,\"expected\":n,\"ids\":[id, …],\"version\":n}`, versions from 0 and below 2^53,";
const READ_STREAM: &str = "`{stream: [[version, id], …]}`, versions from 0 and below 2^53,";
const SNAPSHOT: &str = "`{\"stream\":name,\"projection\":name,\"version\":n,\"state\":text}`";
const PROJECT: &str = "`{\"projection\":name,\"stream\":name,\"events\":[[version, id], …]}`";

pub(super) fn append(value: Value) -> Result<Append, ReadErrorKind> {
    read(value, APPEND, |fields| {
        let stream = name(fields.remove("stream")?)?;
        let ids =
            fields.remove("ids")?.as_array()?.iter().map(|id| event_of(id).ok()).collect::<Option<_>>()?;
        let expected = optional(fields.remove("expected"), |value| version(&value))?;
        Some(Append {
            stream,
            expected,
            ids,
            version: optional(fields.remove("version"), |value| version(&value))?,
        })
    })
}

pub(super) fn read_stream(value: Value) -> Result<Vec<Slice>, ReadErrorKind> {
    let slice = |(stream, events): (&String, &Value)| {
        (!stream.is_empty()).then_some(())?;
        Some(Slice { stream: StreamName::from(stream.as_str()), events: versioned(events)? })
    };
    let slices = match &value {
        Value::Null => Some(Vec::new()),
        Value::Object(streams) => streams.iter().map(slice).collect(),
        _ => None,
    };
    slices.ok_or_else(|| wrong("value", READ_STREAM, &value))
}

pub(super) fn snapshot(value: Value) -> Result<Snapshot, ReadErrorKind> {
    read(value, SNAPSHOT, |fields| {
        Some(Snapshot {
            stream: name(fields.remove("stream")?)?,
            projection: optional(fields.remove("projection"), name)?,
            version: version(&fields.remove("version")?)?,
            state: fields.remove("state")?.as_str()?.to_owned(),
        })
    })
}

pub(super) fn project(value: Value) -> Result<Project, ReadErrorKind> {
    read(value, PROJECT, |fields| {
        Some(Project {
            projection: name(fields.remove("projection")?)?,
            stream: name(fields.remove("stream")?)?,
            events: versioned(&fields.remove("events")?)?,
        })
    })
}

/// What may be left out, or be `null`; `None` if it is there and wrong.
fn optional<T>(value: Option<Value>, of: impl FnOnce(Value) -> Option<T>) -> Option<Option<T>> {
    match value {
        None | Some(Value::Null) => Some(None),
        Some(value) => of(value).map(Some),
    }
}

fn version(value: &Value) -> Option<u64> {
    value.as_u64().filter(|version| *version <= MAX_INTEGER.unsigned_abs())
}

fn versioned(events: &Value) -> Option<Vec<Versioned>> {
    let event = |item: &Value| -> Option<(u64, EventId)> {
        let [at, id] = item.as_array()?.as_slice() else { return None };
        Some((version(at)?, event_of(id).ok()?))
    };
    events.as_array()?.iter().map(event).collect()
}

pub(super) fn append_value(append: &Append) -> Value {
    let mut fields = Map::new();
    fields.insert("stream".into(), json!(append.stream));
    fields.extend(append.expected.map(|expected| ("expected".into(), expected.into())));
    fields.insert("ids".into(), json!(append.ids));
    fields.extend(append.version.map(|version| ("version".into(), version.into())));
    fields.into()
}

pub(super) fn slices_value(slices: &[Slice]) -> Value {
    let mut streams: Map<String, Value> = Map::new();
    for slice in slices {
        let events = streams.entry(slice.stream.as_str()).or_insert_with(|| json!([]));
        if let Value::Array(events) = events {
            events.extend(slice.events.iter().map(|event| json!(event)));
        }
    }
    streams.into()
}

pub(super) fn snapshot_value(snapshot: &Snapshot) -> Value {
    let mut fields = Map::new();
    fields.insert("stream".into(), json!(snapshot.stream));
    fields.extend(snapshot.projection.as_ref().map(|name| ("projection".into(), json!(name))));
    fields.insert("version".into(), snapshot.version.into());
    fields.insert("state".into(), snapshot.state.as_str().into());
    fields.into()
}

pub(super) fn project_value(project: &Project) -> Value {
    json!({"projection": project.projection, "stream": project.stream, "events": project.events})
}
