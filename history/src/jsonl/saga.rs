//! The values of calls about sagas, read and written.
//!
//! Nothing of such a value is kept but what it means, so that a field that means nothing here is an error.

use serde_json::{Map, Value, json};

use super::{ReadErrorKind, wrong};
use crate::saga::{SagaEnd, SagaOutcome, SagaStart, SagaStep};

const START: &str =
    "`{\"saga\":id,\"steps\":[name, …],\"pivot\":name}`, steps each once and the pivot among them,";
const STEP: &str = "`{\"saga\":id,\"step\":name}`";
const END: &str = "`{\"saga\":id,\"outcome\":\"committed\"}` or `\"aborted\"`";

pub(super) fn start(value: Value) -> Result<SagaStart, ReadErrorKind> {
    read(value, START, |fields| {
        let saga = name(fields.remove("saga")?)?;
        let steps = match fields.remove("steps") {
            None | Some(Value::Null) => None,
            Some(Value::Array(steps)) => {
                Some(steps.into_iter().map(name).collect::<Option<Vec<crate::StepName>>>()?)
            }
            Some(_) => return None,
        };
        let pivot = match fields.remove("pivot") {
            None | Some(Value::Null) => None,
            Some(pivot) => Some(name(pivot)?),
        };
        let is_sound = steps.as_ref().is_none_or(|steps| {
            let distinct: std::collections::BTreeSet<_> = steps.iter().collect();
            distinct.len() == steps.len() && pivot.as_ref().is_none_or(|pivot| distinct.contains(pivot))
        });
        is_sound.then_some(SagaStart { saga, steps, pivot })
    })
}

pub(super) fn step(value: Value) -> Result<SagaStep, ReadErrorKind> {
    read(value, STEP, |fields| {
        Some(SagaStep { saga: name(fields.remove("saga")?)?, step: name(fields.remove("step")?)? })
    })
}

pub(super) fn end(value: Value) -> Result<SagaEnd, ReadErrorKind> {
    read(value, END, |fields| {
        let saga = name(fields.remove("saga")?)?;
        let outcome: SagaOutcome = serde_json::from_value(fields.remove("outcome")?).ok()?;
        Some(SagaEnd { saga, outcome })
    })
}

/// What `parse` makes of an object, if it leaves no field of it over.
pub(super) fn read<T>(
    value: Value,
    expected: &'static str,
    parse: impl FnOnce(&mut Map<String, Value>) -> Option<T>,
) -> Result<T, ReadErrorKind> {
    let mut rest = value.as_object().cloned().unwrap_or_default();
    parse(&mut rest).filter(|_| rest.is_empty()).ok_or_else(|| wrong("value", expected, &value))
}

pub(super) fn name<N: for<'a> From<&'a str>>(value: Value) -> Option<N> {
    value.as_str().filter(|name| !name.is_empty()).map(N::from)
}

pub(super) fn start_value(start: &SagaStart) -> Value {
    let mut fields = Map::new();
    fields.insert("saga".into(), json!(start.saga));
    if let Some(steps) = &start.steps {
        fields.insert("steps".into(), json!(steps));
    }
    if let Some(pivot) = &start.pivot {
        fields.insert("pivot".into(), json!(pivot));
    }
    fields.into()
}

pub(super) fn step_value(step: &SagaStep) -> Value {
    json!({"saga": step.saga, "step": step.step})
}

pub(super) fn end_value(end: &SagaEnd) -> Value {
    json!({"saga": end.saga, "outcome": end.outcome})
}

#[cfg(test)]
mod tests {
    use crate::{Call, History, write_jsonl};

    fn read(f: &str, value: &str) -> Result<History, String> {
        let line = format!(r#"{{"process":"till","type":"ok","f":"{f}","value":{value}}}"#);
        History::read(line.as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_written_of_sagas_reads_back_the_same() {
        let check = |f: &str, value: &str| {
            let history = read(f, value).unwrap();
            assert!(!matches!(history.ops[0].call, Call::Other { .. }), "{f} is a call of its own");
            let mut written = Vec::new();
            write_jsonl(&mut written, &history).unwrap();
            let again = History::read(written.as_slice()).unwrap();
            assert_eq!(again.ops[0].call, history.ops[0].call);
            assert_eq!(again.ops[0].call.f(), f);
        };
        check("saga.start", r#"{"saga":"s1"}"#);
        check("saga.start", r#"{"saga":"s1","steps":["reserve","charge"],"pivot":"charge"}"#);
        check("saga.start", r#"{"saga":"s1","steps":[],"pivot":null}"#);
        check("saga.step", r#"{"saga":"s1","step":"reserve"}"#);
        check("saga.compensate", r#"{"saga":"s1","step":"reserve"}"#);
        check("saga.end", r#"{"saga":"s1","outcome":"committed"}"#);
        check("saga.end", r#"{"saga":"s1","outcome":"aborted"}"#);
        check("quiescent", "null");
    }

    #[test]
    fn a_value_that_means_nothing_is_an_error_that_says_what_is_expected() {
        let check = |f: &str, value: &str, expected: &str| {
            let error = read(f, value).unwrap_err();
            assert_eq!(error, format!("line 1: field `value` holds `{value}`, {expected} is expected"));
        };
        check("saga.end", r#"{"outcome":"done","saga":"s1"}"#, super::END);
        check("saga.end", "null", super::END);
        check("saga.step", r#"{"saga":"s1"}"#, super::STEP);
        check("saga.step", r#"{"saga":1,"step":"reserve"}"#, super::STEP);
        check("saga.compensate", r#"{"saga":"s1","step":"a","why":1}"#, super::STEP);
        check("saga.start", r#"{"saga":""}"#, super::START);
        check("saga.start", r#"{"saga":"s1","steps":["a","a"]}"#, super::START);
        check("saga.start", r#"{"pivot":"b","saga":"s1","steps":["a"]}"#, super::START);
        check("quiescent", "1", "`null`");
    }
}
