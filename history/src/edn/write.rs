//! From a history to forms, in Jepsen's words where Jepsen has one.
//!
//! Fields, types, calls and the heads of items are keywords. Partitions are data and stand as text, or as integers where
//! they are named by one, as Jepsen's are. A process that is named is a keyword, as `:nemesis` is.

use serde_json::{Map, Value};

use super::{TRANSPARENT_TAGS, is_plain_symbol};
use crate::jsonl::{header_to_line, op_to_line};
use crate::{Header, Op};

/// The fields of an op in the order in which Jepsen prints them; others follow by name.
const FIELDS: [&str; 8] = ["index", "time", "type", "process", "f", "value", "error", "x"];

/// `#_{:format "lawspeaker.history", …}`.
pub(crate) fn header_to_form(header: &Header) -> String {
    let mut out = String::from("#_");
    generic(&mut out, &header_to_line(header));
    out
}

pub(crate) fn op_to_form(op: &Op) -> String {
    let line = op_to_line(op);
    let fields = line.as_object().expect("an op is told as an object");
    let known = FIELDS.iter().filter_map(|name| fields.get_key_value(*name));
    let others = fields.iter().filter(|(name, _)| !FIELDS.contains(&name.as_str()));
    let mut out = String::from("{");
    for (place, (name, value)) in known.chain(others).enumerate() {
        if place > 0 {
            out.push_str(", ");
        }
        key(&mut out, name);
        out.push(' ');
        match name.as_str() {
            "type" | "f" | "process" => word(&mut out, value),
            "value" => call_value(&mut out, op.call.f(), value),
            _ => generic(&mut out, value),
        }
    }
    out.push('}');
    out
}

/// The value of a call, whose partitions stand in known places.
fn call_value(out: &mut String, f: &str, value: &Value) {
    match (f, value) {
        ("send" | "poll" | "txn", Value::Array(items)) => list(out, items, micro_op),
        ("receive" | "commit" | "committed" | "trim" | "compact" | "seek", Value::Object(by_partition)) => {
            map(out, by_partition, partition_name);
        }
        ("assign" | "revoke" | "subscribe" | "committed", Value::Array(items)) => list(out, items, partition),
        ("ack" | "nack" | "reject" | "apply", Value::Array(items)) => list(out, items, delivery),
        _ => generic(out, value),
    }
}

/// `[partition offset id]`.
fn delivery(out: &mut String, item: &Value) {
    let Some([first, rest @ ..]) = item.as_array().map(Vec::as_slice) else { return generic(out, item) };
    out.push('[');
    partition(out, first);
    for part in rest {
        out.push(' ');
        generic(out, part);
    }
    out.push(']');
}

/// `[:send partition …]` or `[:poll {partition …}]`.
fn micro_op(out: &mut String, item: &Value) {
    match item.as_array().map(Vec::as_slice) {
        Some([Value::String(f), to, sent]) if f == "send" => {
            out.push_str("[:send ");
            partition(out, to);
            out.push(' ');
            generic(out, sent);
            out.push(']');
        }
        Some([Value::String(f)]) if f == "poll" => out.push_str("[:poll]"),
        Some([Value::String(f), Value::Object(by_partition)]) if f == "poll" => {
            out.push_str("[:poll ");
            map(out, by_partition, partition_name);
            out.push(']');
        }
        _ => generic(out, item),
    }
}

fn partition(out: &mut String, value: &Value) {
    match value {
        Value::String(name) => partition_name(out, name),
        other => generic(out, other),
    }
}

/// A partition that is named by an integer is that integer, as Jepsen's are.
fn partition_name(out: &mut String, name: &str) {
    match name.parse::<u64>() {
        Ok(number) if number.to_string() == name => out.push_str(name),
        _ => text(out, name),
    }
}

fn word(out: &mut String, value: &Value) {
    match value {
        Value::String(name) => key(out, name),
        other => generic(out, other),
    }
}

fn key(out: &mut String, name: &str) {
    if is_plain_symbol(name) {
        out.push(':');
        out.push_str(name);
    } else {
        text(out, name);
    }
}

/// Any value. An object of one field that is named like a tag is a tagged form, as the reader tells those.
fn generic(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("nil"),
        Value::Bool(is) => out.push_str(if *is { "true" } else { "false" }),
        Value::Number(number) => out.push_str(&number.to_string()),
        Value::String(string) => text(out, string),
        Value::Array(items) => list(out, items, generic),
        Value::Object(fields) => match tagged(fields) {
            Some((tag, form)) => {
                out.push_str(tag);
                out.push(' ');
                generic(out, form);
            }
            None => map(out, fields, key),
        },
    }
}

fn tagged(fields: &Map<String, Value>) -> Option<(&str, &Value)> {
    let mut entries = fields.iter();
    let (name, form) = entries.next().filter(|_| fields.len() == 1)?;
    let tag = name.strip_prefix('#').filter(|tag| is_plain_symbol(tag))?;
    (!TRANSPARENT_TAGS.contains(&tag)).then_some((name.as_str(), form))
}

fn list(out: &mut String, items: &[Value], write: impl Fn(&mut String, &Value)) {
    out.push('[');
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            out.push(' ');
        }
        write(out, item);
    }
    out.push(']');
}

fn map(out: &mut String, fields: &Map<String, Value>, write_key: impl Fn(&mut String, &str)) {
    out.push('{');
    for (place, (name, value)) in fields.iter().enumerate() {
        if place > 0 {
            out.push_str(", ");
        }
        write_key(out, name);
        out.push(' ');
        generic(out, value);
    }
    out.push('}');
}

fn text(out: &mut String, string: &str) {
    out.push('"');
    for c in string.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}
