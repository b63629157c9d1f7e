//! The straight way from the bytes of a line to an op, without a tree of JSON between them.
//!
//! It knows the fields of the format and the calls that most lines are; what it does not know it leaves to the long way
//! (`strict`, then `parse`), part by part or as a whole. So it never says what is wrong with a line: it gives up, and the
//! long way finds the words. Both agree on every line that this one reads, and a test holds them to it.
//!
//! Cost: O(length of the line), and one allocation for each list of it.

mod cursor;
mod shared;
mod value;
mod word;

#[cfg(test)]
mod tests;

use serde_json::{Map, Value};

use super::{Indexed, parse};
use crate::{Call, Extra, Generation, GroupId, Op, OpType, Phase, Process};
use cursor::Cursor;
use shared::Shared;
use value::Shape;
use word::Words;

/// Reads lines; it keeps names that came lately, so that equal ones share their text.
#[derive(Debug, Default)]
pub(super) struct LineReader(Shared);

impl LineReader {
    /// The op on a line, if it can be read the straight way.
    pub(super) fn op_of(&mut self, line: &[u8]) -> Option<Indexed> {
        let mut cursor = Cursor::new(std::str::from_utf8(line).ok()?);
        let op = op(&mut cursor, &mut self.0)?;
        cursor.is_at_end().then_some(op)
    }
}

/// Fills a field that may stand once.
fn once<T>(field: &mut Option<T>, value: T) -> Option<()> {
    field.replace(value).is_none().then_some(())
}

/// Adds a field that the format does not know.
fn keep(unknown: &mut Map<String, Value>, name: &str, value: Value) -> Option<()> {
    unknown.insert(name.to_owned(), value).is_none().then_some(())
}

/// What stands in `value`.
enum Held {
    Call(Call),
    Value(Value),
}

fn op(cursor: &mut Cursor<'_>, shared: &mut Shared) -> Option<Indexed> {
    let (mut index, mut time_ns, mut process, mut op_type) = (None, None, None, None);
    let (mut f, mut held, mut error, mut x) = (None, None, None, None);
    let mut unknown = Map::new();
    cursor.object(|cursor, name| match &*name {
        "index" => once(&mut index, cursor.word()?.count()?),
        "time" => once(&mut time_ns, cursor.word()?.count()?),
        "process" => once(&mut process, process_of(cursor.word()?, shared)?),
        "type" => once(&mut op_type, op_type_of(cursor.word()?)?),
        "f" => once(&mut f, cursor.text()?),
        "value" => {
            let value = match f.as_deref().and_then(Shape::of) {
                Some(shape) => Held::Call(shape.call(cursor, shared)?),
                None => Held::Value(cursor.value()?),
            };
            once(&mut held, value)
        }
        "error" => once(&mut error, cursor.value()?),
        "x" => once(&mut x, extra(cursor, shared)?),
        _ => keep(&mut unknown, &name, cursor.value()?),
    })?;
    let (process, op_type, f) = (process?, op_type?, f?);
    let call = match held {
        Some(Held::Call(call)) => call,
        Some(Held::Value(value)) => parse::call_of(f.into_owned(), value, op_type).ok()?,
        None => parse::call_of(f.into_owned(), Value::Null, op_type).ok()?,
    };
    let mut op = Op::new(process, op_type, call);
    op.time_ns = time_ns.flatten();
    op.error = error.filter(|error| !error.is_null());
    op.x = x.unwrap_or_default();
    op.unknown = unknown;
    Some((index.flatten(), op))
}

fn process_of(process: Words<'_>, shared: &mut Shared) -> Option<Process> {
    match process {
        Words::Integer(number) => Some(Process::Number(number)),
        Words::Text(name) => Some(Process::Name(shared.text(&name))),
        Words::Null => None,
    }
}

fn op_type_of(op_type: Words<'_>) -> Option<OpType> {
    match op_type.text()?.as_deref()? {
        "invoke" => Some(OpType::Invoke),
        "ok" => Some(OpType::Ok),
        "fail" => Some(OpType::Fail),
        "info" => Some(OpType::Info),
        _ => None,
    }
}

fn extra(cursor: &mut Cursor<'_>, shared: &mut Shared) -> Option<Extra> {
    let (mut key, mut group, mut generation, mut phase, mut delivery) = (None, None, None, None, None);
    let (mut pid, mut epoch, mut seq) = (None, None, None);
    // What is rare is read as the long way does, all of it at once.
    let mut rest = Map::new();
    cursor.object(|cursor, name| match &*name {
        "key" => once(&mut key, cursor.word()?.text()?),
        "group" => once(&mut group, cursor.word()?.text()?),
        "gen" => once(&mut generation, cursor.word()?.count()?),
        "phase" => once(&mut phase, phase_of(cursor.word()?)?),
        "delivery" => once(&mut delivery, cursor.word()?.count()?),
        "pid" => once(&mut pid, cursor.word()?.count()?),
        "epoch" => once(&mut epoch, cursor.word()?.count()?),
        "seq" => once(&mut seq, cursor.word()?.count()?),
        _ => keep(&mut rest, &name, cursor.value()?),
    })?;
    let rare = match rest.is_empty() {
        true => Extra::default(),
        false => serde_json::from_value(Value::Object(rest)).ok()?,
    };
    Some(Extra {
        key: key.flatten().map(|key| key.into_owned()),
        group: group.flatten().map(|group| GroupId::shared(shared.text(&group))),
        generation: generation.flatten().map(Generation),
        phase: phase.flatten(),
        delivery: delivery.flatten(),
        pid: pid.flatten(),
        epoch: epoch.flatten(),
        seq: seq.flatten(),
        ..rare
    })
}

fn phase_of(phase: Words<'_>) -> Option<Option<Phase>> {
    match phase.text()?.as_deref() {
        None => Some(None),
        Some("main") => Some(Some(Phase::Main)),
        Some("drain") => Some(Some(Phase::Drain)),
        Some("final") => Some(Some(Phase::Final)),
        Some(_) => None,
    }
}
