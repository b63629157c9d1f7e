//! JSON Lines of steps with the packet that was sent or received, as the TLA+ example EWD998ChanTrace has them.
//!
//! ```text
//! {"N":5}
//! {"event":">","node":2,"pkt":{"snd":2,"rcv":3,"msg":{"type":"pl"},"vc":{"0":12,"2":14}}}
//! ```
//! `>` is a send and `<` a receipt; any other event is a step that concerns nobody else. Objects without an `event`
//! say something of the whole log and are passed over.

use serde_json::{Map, Value};

use super::{Doing, Entry};
use crate::jsonl::wrong;
use crate::{ReadError, ReadErrorKind, VectorClock, strict};

/// Whether a line is a step with its packet.
pub(super) fn recognises(line: &str) -> bool {
    strict::object(line.as_bytes()).is_ok_and(|object| {
        let clock = object.get("pkt").and_then(|packet| packet.get("vc"));
        object.contains_key("event") && object.contains_key("node") && clock.is_some()
    })
}

/// Every step of a log.
pub(super) fn entries(text: &str) -> Result<Vec<Entry>, ReadError> {
    let mut entries = Vec::new();
    for (line, text) in (1..).zip(text.lines()).filter(|(_, text)| !text.trim().is_empty()) {
        let object = strict::object(text.as_bytes()).map_err(ReadErrorKind::Json);
        let entry = object.and_then(|object| entry(object, line));
        entries.extend(entry.map_err(|kind| ReadError { line, kind })?);
    }
    Ok(entries)
}

fn entry(mut object: Map<String, Value>, line: u64) -> Result<Option<Entry>, ReadErrorKind> {
    let Some(event) = object.remove("event") else { return Ok(None) };
    let event = event.as_str().ok_or_else(|| wrong("event", "text", &event))?.to_owned();
    let host = name(&object, "node")?;
    let mut packet = match object.remove("pkt") {
        Some(Value::Object(packet)) => packet,
        Some(other) => return Err(wrong("pkt", "an object", &other)),
        None => return Err(ReadErrorKind::Missing("pkt")),
    };
    let clock = packet.remove("vc").ok_or(ReadErrorKind::Missing("vc"))?;
    let clock: VectorClock =
        serde_json::from_value(clock.clone()).map_err(|_| wrong("vc", "counts by node", &clock))?;
    let message = || packet.get("msg").map(Value::to_string).unwrap_or_default();
    let doing = match event.as_str() {
        ">" => Doing::Send { to: name(&packet, "rcv")?, message: message() },
        "<" => Doing::Receive { from: name(&packet, "snd")?, message: message() },
        _ => Doing::Local(event),
    };
    Ok(Some(Entry { line, host, clock, doing }))
}

fn name(object: &Map<String, Value>, field: &'static str) -> Result<String, ReadErrorKind> {
    match object.get(field) {
        Some(Value::String(name)) => Ok(name.clone()),
        Some(Value::Number(number)) => Ok(number.to_string()),
        Some(other) => Err(wrong(field, "a number or a name", other)),
        None => Err(ReadErrorKind::Missing(field)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_without_a_clock_is_an_error_with_its_line() {
        let error = entries("{\"N\":1}\n{\"event\":\"<\",\"node\":0,\"pkt\":{\"snd\":1}}").unwrap_err();
        assert_eq!(error.to_string(), "line 2: field `vc` is missing");
    }
}
