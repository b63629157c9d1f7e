//! The straight way from the bytes of a line to an op, without a tree of JSON between them.
//!
//! It knows the fields of the format and the calls that most lines are; what it does not know it leaves to the long way
//! (`strict`, then `parse`), part by part or as a whole. So it never says what is wrong with a line: it gives up, and the
//! long way finds the words. Both agree on every line that this one reads, and a test holds them to it.
//!
//! Cost: O(length of the line), and one allocation for each list of it.

mod shared;
mod value;
mod word;

#[cfg(test)]
mod tests;

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::{Indexed, parse};
use crate::strict::Strict;
use crate::{Call, Extra, Generation, GroupId, Op, OpType, Phase, Process};
use shared::Shared;
use value::ValueSeed;
use word::{Name, Words};

/// Reads lines; it keeps names that came lately, so that equal ones share their text.
#[derive(Debug, Default)]
pub(super) struct LineReader(Shared);

impl LineReader {
    /// The op on a line, if it can be read the straight way.
    pub(super) fn op_of(&mut self, line: &[u8]) -> Option<Indexed> {
        let mut json = serde_json::Deserializer::from_str(std::str::from_utf8(line).ok()?);
        let op = LineSeed(&mut self.0).deserialize(&mut json).ok()?;
        json.end().ok()?;
        Some(op)
    }
}

/// Why a line is left to the long way; nobody reads it.
fn give_up<E: serde::de::Error>() -> E {
    E::custom("")
}

/// Fills a field that may stand once.
fn once<T, E: serde::de::Error>(field: &mut Option<T>, value: T) -> Result<(), E> {
    if field.replace(value).is_some() { Err(give_up()) } else { Ok(()) }
}

/// Adds a field that the format does not know.
fn keep<E: serde::de::Error>(unknown: &mut Map<String, Value>, name: &str, value: Value) -> Result<(), E> {
    if unknown.insert(name.to_owned(), value).is_some() { Err(give_up()) } else { Ok(()) }
}

/// What stands in `value`.
enum Held {
    Call(Call),
    Value(Value),
}

struct LineSeed<'s>(&'s mut Shared);

impl<'de> DeserializeSeed<'de> for LineSeed<'_> {
    type Value = Indexed;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Indexed, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for LineSeed<'_> {
    type Value = Indexed;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an op")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Indexed, A::Error> {
        let shared = self.0;
        let (mut index, mut time_ns, mut process, mut op_type) = (None, None, None, None);
        let (mut f, mut held, mut error, mut x) = (None, None, None, None);
        let mut unknown = Map::new();
        while let Some(Name(name)) = fields.next_key()? {
            match &*name {
                "index" => once(&mut index, fields.next_value::<Words>()?.count()?)?,
                "time" => once(&mut time_ns, fields.next_value::<Words>()?.count()?)?,
                "process" => once(&mut process, process_of(fields.next_value()?, shared)?)?,
                "type" => once(&mut op_type, op_type_of(fields.next_value()?)?)?,
                "f" => match fields.next_value()? {
                    Words::Text(name) => once(&mut f, name)?,
                    _ => return Err(give_up()),
                },
                "value" => {
                    let seed = f.as_deref().and_then(|f| ValueSeed::of(f, shared));
                    let value = match seed {
                        Some(seed) => Held::Call(fields.next_value_seed(seed)?),
                        None => Held::Value(fields.next_value_seed(Strict)?),
                    };
                    once(&mut held, value)?;
                }
                "error" => once(&mut error, fields.next_value_seed(Strict)?)?,
                "x" => once(&mut x, fields.next_value_seed(ExtraSeed(shared))?)?,
                other => keep(&mut unknown, other, fields.next_value_seed(Strict)?)?,
            }
        }
        let (Some(process), Some(op_type), Some(f)) = (process, op_type, f) else { return Err(give_up()) };
        let call = match held {
            Some(Held::Call(call)) => call,
            Some(Held::Value(value)) => {
                parse::call_of(f.into_owned(), value, op_type).map_err(A::Error::custom)?
            }
            None => parse::call_of(f.into_owned(), Value::Null, op_type).map_err(A::Error::custom)?,
        };
        let mut op = Op::new(process, op_type, call);
        op.time_ns = time_ns.flatten();
        op.error = error.filter(|error| !error.is_null());
        op.x = x.unwrap_or_default();
        op.unknown = unknown;
        Ok((index.flatten(), op))
    }
}

fn process_of<E: serde::de::Error>(process: Words<'_>, shared: &mut Shared) -> Result<Process, E> {
    match process {
        Words::Integer(number) => Ok(Process::Number(number)),
        Words::Text(name) => Ok(Process::Name(shared.text(&name))),
        Words::Null => Err(give_up()),
    }
}

fn op_type_of<E: serde::de::Error>(op_type: Words<'_>) -> Result<OpType, E> {
    match op_type.text()?.as_deref() {
        Some("invoke") => Ok(OpType::Invoke),
        Some("ok") => Ok(OpType::Ok),
        Some("fail") => Ok(OpType::Fail),
        Some("info") => Ok(OpType::Info),
        _ => Err(give_up()),
    }
}

struct ExtraSeed<'s>(&'s mut Shared);

impl<'de> DeserializeSeed<'de> for ExtraSeed<'_> {
    type Value = Extra;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Extra, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ExtraSeed<'_> {
    type Value = Extra;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("extension data")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Extra, A::Error> {
        let (mut key, mut group, mut generation, mut phase, mut delivery) = (None, None, None, None, None);
        let (mut pid, mut epoch, mut seq) = (None, None, None);
        // What is rare is read as the long way does, all of it at once.
        let mut rest = Map::new();
        while let Some(Name(name)) = fields.next_key()? {
            match &*name {
                "key" => once(&mut key, fields.next_value::<Words>()?.text()?)?,
                "group" => once(&mut group, fields.next_value::<Words>()?.text()?)?,
                "gen" => once(&mut generation, fields.next_value::<Words>()?.count()?)?,
                "phase" => once(&mut phase, phase_of(fields.next_value()?)?)?,
                "delivery" => once(&mut delivery, fields.next_value::<Words>()?.count()?)?,
                "pid" => once(&mut pid, fields.next_value::<Words>()?.count()?)?,
                "epoch" => once(&mut epoch, fields.next_value::<Words>()?.count()?)?,
                "seq" => once(&mut seq, fields.next_value::<Words>()?.count()?)?,
                other => keep(&mut rest, other, fields.next_value_seed(Strict)?)?,
            }
        }
        let rare = match rest.is_empty() {
            true => Extra::default(),
            false => serde_json::from_value(Value::Object(rest)).map_err(A::Error::custom)?,
        };
        Ok(Extra {
            key: key.flatten().map(|key| key.into_owned()),
            group: group.flatten().map(|group| GroupId::shared(self.0.text(&group))),
            generation: generation.flatten().map(Generation),
            phase: phase.flatten(),
            delivery: delivery.flatten(),
            pid: pid.flatten(),
            epoch: epoch.flatten(),
            seq: seq.flatten(),
            ..rare
        })
    }
}

fn phase_of<E: serde::de::Error>(phase: Words<'_>) -> Result<Option<Phase>, E> {
    match phase.text()?.as_deref() {
        None => Ok(None),
        Some("main") => Ok(Some(Phase::Main)),
        Some("drain") => Ok(Some(Phase::Drain)),
        Some("final") => Ok(Some(Phase::Final)),
        Some(_) => Err(give_up()),
    }
}
