//! A state's variables, by the names of its fields.

use serde::Serialize;
use serde_json::Value;

use crate::engine::Variables;

/// The fields of a state as variables; a state that is no structure is one variable.
pub fn variables_of(state: &impl Serialize) -> Variables {
    match serde_json::to_value(state) {
        Ok(Value::Object(fields)) => fields,
        Ok(value) => Variables::from_iter([("state".to_owned(), value)]),
        Err(error) => Variables::from_iter([("error".to_owned(), error.to_string().into())]),
    }
}
