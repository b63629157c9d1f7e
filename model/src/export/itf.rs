//! A trace in the Informal Trace Format (Apalache's ADR-015).
//!
//! Each state holds the variables of the model and `action`, the step that led there; the first state's action is of
//! kind `init`. Integers are `#bigint`, lists are sequences; what is not there (JSON's `null`) is the empty tuple.

use std::io::Write;

use serde_json::{Value, json};

use super::choice::Chosen;
use super::head::Head;
use super::{DomainModel, ExportError};
use crate::engine::Variables;

pub(super) fn write<M: DomainModel>(
    model: &M,
    head: &Head,
    chosen: &Chosen<M>,
    out: &mut dyn Write,
) -> Result<(), ExportError> {
    let trace = &chosen.trace;
    let mut states = vec![state(0, json!({"kind": "init", "who": "", "what": "", "is_fault": false}), {
        model.variables(&trace.start)
    })];
    let mut vars: Vec<String> = model.variables(&trace.start).keys().cloned().collect();
    vars.insert(0, "action".to_owned());
    for (place, (before, action, after)) in trace.transitions().enumerate() {
        let told = model.tell(before, action, after);
        let action = json!({
            "kind": model.kind(action), "who": told.who, "what": told.what, "is_fault": model.is_fault(action),
        });
        states.push(state(place + 1, action, model.variables(after)));
    }
    let mut itf = json!({
        "#meta": {
            "format": "ITF",
            "format-description": "https://apalache-mc.org/docs/adr/015adr-trace.html",
            "source": head.title(),
            "description": chosen.title,
            "bounds": head.bounds(),
        },
        "vars": vars,
        "states": states,
    });
    // The cycle ends in the state it started from, so what follows the last state is the one after that; where the
    // cycle has no step of its own, the last state follows itself.
    if let (Some(start), Some(fields)) = (chosen.repeats_after, itf.as_object_mut()) {
        fields.insert("loop".to_owned(), (start + 1).min(trace.steps.len()).into());
    }
    serde_json::to_writer_pretty(&mut *out, &itf).map_err(std::io::Error::from)?;
    writeln!(out)?;
    Ok(())
}

fn state(index: usize, action: Value, variables: Variables) -> Value {
    let mut fields = Variables::new();
    fields.insert("#meta".to_owned(), json!({"index": index}));
    fields.insert("action".to_owned(), action);
    fields.extend(variables.into_iter().map(|(name, value)| (name, expression(value))));
    Value::Object(fields)
}

/// A JSON value as an expression of the format.
fn expression(value: Value) -> Value {
    match value {
        Value::Null => json!({"#tup": []}),
        Value::Number(number) => json!({"#bigint": number.to_string()}),
        Value::Array(items) => items.into_iter().map(expression).collect(),
        Value::Object(fields) => {
            fields.into_iter().map(|(name, value)| (name, expression(value))).collect::<Variables>().into()
        }
        Value::Bool(_) | Value::String(_) => value,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn integers_are_big_and_nothing_is_the_empty_tuple() {
        let value = json!({"log": [{"offset": 3, "by": null}], "is_up": true, "name": "a"});
        let expected = json!({
            "log": [{"offset": {"#bigint": "3"}, "by": {"#tup": []}}], "is_up": true, "name": "a",
        });
        assert_eq!(super::expression(value), expected);
    }
}
