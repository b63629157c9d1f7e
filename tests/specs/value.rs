//! Values of TLA+: as TLC prints them, as the Informal Trace Format writes them, and as an expression.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value as Json;

/// A value. A sequence is a function on `1..n`, a record one on strings: equal in TLA+ is equal here.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Value {
    /// A model value, such as `None`; equal to nothing else.
    Model(String),
    Bool(bool),
    Number(i64),
    Text(String),
    Set(BTreeSet<Value>),
    Function(BTreeMap<Value, Value>),
}

/// The variables of a state.
pub(crate) type State = BTreeMap<String, Value>;

impl Value {
    pub(crate) fn sequence(items: impl IntoIterator<Item = Value>) -> Self {
        Value::Function((1..).map(Value::Number).zip(items).collect())
    }

    /// Of JSON: what the Informal Trace Format writes, or a variable before it is written so.
    pub(crate) fn of_json(json: &Json) -> Self {
        let items = |json: &Json| -> Vec<Value> {
            json.as_array().expect("a list").iter().map(Value::of_json).collect()
        };
        match json {
            Json::Null => Value::Model("None".to_owned()),
            Json::Bool(is_true) => Value::Bool(*is_true),
            Json::Number(number) => Value::Number(number.as_i64().expect("an integer")),
            Json::String(text) => Value::Text(text.clone()),
            Json::Array(_) => Value::sequence(items(json)),
            Json::Object(fields) => match fields.iter().next().filter(|_| fields.len() == 1) {
                Some((key, number)) if key == "#bigint" => {
                    Value::Number(number.as_str().and_then(|digits| digits.parse().ok()).expect("an integer"))
                }
                // The format has no null; our exports write the empty tuple, and nothing else as a tuple.
                Some((key, tuple)) if key == "#tup" && *tuple == Json::Array(Vec::new()) => {
                    Value::of_json(&Json::Null)
                }
                Some((key, set)) if key == "#set" => Value::Set(items(set).into_iter().collect()),
                Some((key, pairs)) if key == "#map" => {
                    let pair = |pair: &Json| (Value::of_json(&pair[0]), Value::of_json(&pair[1]));
                    Value::Function(pairs.as_array().expect("a list").iter().map(pair).collect())
                }
                _ => {
                    let field =
                        |(name, value): (&String, &Json)| (Value::Text(name.clone()), Value::of_json(value));
                    Value::Function(fields.iter().map(field).collect())
                }
            },
        }
    }

    /// How many numbers and truth values stand in it.
    pub(crate) fn leaf_count(&self) -> usize {
        match self {
            Value::Bool(_) | Value::Number(_) => 1,
            Value::Model(_) | Value::Text(_) => 0,
            Value::Set(items) => items.iter().map(Value::leaf_count).sum(),
            Value::Function(pairs) => pairs.values().map(Value::leaf_count).sum(),
        }
    }

    /// The same with one number greater by one, or one truth value turned round: the one of the given place.
    pub(crate) fn with_other_leaf(&self, place: usize) -> Value {
        let mut left = place;
        self.changed(&mut left)
    }

    fn changed(&self, left: &mut usize) -> Value {
        let count = self.leaf_count();
        if *left >= count {
            *left -= count;
            return self.clone();
        }
        match self {
            Value::Bool(is_true) => {
                *left = usize::MAX;
                Value::Bool(!is_true)
            }
            Value::Number(number) => {
                *left = usize::MAX;
                Value::Number(number + 1)
            }
            Value::Set(items) => Value::Set(items.iter().map(|item| item.changed(left)).collect()),
            Value::Function(pairs) => {
                Value::Function(pairs.iter().map(|(key, value)| (key.clone(), value.changed(left))).collect())
            }
            Value::Model(_) | Value::Text(_) => self.clone(),
        }
    }
}

/// As an expression of TLA+, with the module `TLC`.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Model(name) => f.write_str(name),
            Value::Bool(is_true) => f.write_str(if *is_true { "TRUE" } else { "FALSE" }),
            Value::Number(number) => write!(f, "{number}"),
            Value::Text(text) => write!(f, "\"{text}\""),
            Value::Set(items) => write!(f, "{{{}}}", listed(items.iter().map(Value::to_string))),
            Value::Function(pairs) => {
                let is_sequence = pairs.keys().zip(1..).all(|(key, place)| *key == Value::Number(place));
                let names: Option<Vec<_>> = pairs
                    .iter()
                    .map(|(key, value)| match key {
                        Value::Text(name) => Some(format!("{name} |-> {value}")),
                        _ => None,
                    })
                    .collect();
                match names {
                    _ if is_sequence => write!(f, "<<{}>>", listed(pairs.values().map(Value::to_string))),
                    Some(fields) => write!(f, "[{}]", fields.join(", ")),
                    None => {
                        let pairs: Vec<_> =
                            pairs.iter().map(|(key, value)| format!("{key} :> {value}")).collect();
                        write!(f, "({})", pairs.join(" @@ "))
                    }
                }
            }
        }
    }
}

fn listed(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}

/// The value that TLC prints as `text`.
///
/// # Errors
/// What was expected, and what stands there.
pub(crate) fn read(text: &str) -> Result<Value, String> {
    let mut reader = Reader { rest: text.trim() };
    let value = reader.value()?;
    if reader.rest.is_empty() { Ok(value) } else { Err(format!("after the value stands `{}`", reader.rest)) }
}

/// The state that TLC prints as `text`: a line `/\ name = value` a variable, where a value may take several lines.
///
/// # Errors
/// What was expected, and what stands there.
pub(crate) fn read_state(text: &str) -> Result<State, String> {
    let mut reader = Reader { rest: text.trim() };
    let mut state = State::new();
    while !reader.rest.is_empty() {
        reader.expect("/\\")?;
        let name = reader.name()?;
        reader.expect("=")?;
        let value = reader.value().map_err(|error| format!("{name}: {error}"))?;
        if state.insert(name.clone(), value).is_some() {
            return Err(format!("{name} stands twice"));
        }
    }
    Ok(state)
}

/// The states of the error trace in what TLC printed, and how it goes on for ever, if it does: by the number of the
/// state, from 1, that follows the last.
///
/// # Errors
/// What cannot be read.
pub(crate) fn read_trace(text: &str) -> Result<(Vec<State>, Option<usize>), String> {
    let mut states = Vec::new();
    for (place, part) in text.split("\nState ").skip(1).enumerate() {
        let (head, body) = part.split_once('\n').ok_or("a state has a head")?;
        let (number, label) = head.split_once(": ").ok_or_else(|| format!("`{head}` is no head"))?;
        if number != (place + 1).to_string() {
            return Err(format!("state {number} stands in place {}", place + 1));
        }
        if label.starts_with("Stuttering") {
            let last = states.len();
            return Ok((states, Some(last)));
        }
        let body = body.split("\n\n").next().unwrap_or_default();
        states.push(read_state(body).map_err(|error| format!("state {number}: {error}"))?);
    }
    let back = text.split("\nBack to state ").nth(1).and_then(|rest| rest.split(':').next());
    let back = back.map(|number| number.parse().map_err(|_| format!("`{number}` is no state")));
    Ok((states, back.transpose()?))
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn takes(&mut self, token: &str) -> bool {
        let rest = self.rest.strip_prefix(token);
        if let Some(rest) = rest {
            self.rest = rest.trim_start();
        }
        rest.is_some()
    }

    fn expect(&mut self, token: &str) -> Result<(), String> {
        if self.takes(token) { Ok(()) } else { Err(self.error(&format!("`{token}`"))) }
    }

    fn error(&self, expected: &str) -> String {
        let there: String = self.rest.chars().take(20).collect();
        format!("expected {expected}, found `{there}`")
    }

    fn word(&mut self, is_part: fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest.trim_start();
        word
    }

    fn name(&mut self) -> Result<String, String> {
        let is_start = self.rest.starts_with(|c: char| c.is_ascii_alphabetic());
        let word = if is_start { self.word(|c| c.is_ascii_alphanumeric() || c == '_') } else { "" };
        if word.is_empty() { Err(self.error("a name")) } else { Ok(word.to_owned()) }
    }

    fn value(&mut self) -> Result<Value, String> {
        if self.takes("<<") {
            return Ok(Value::sequence(self.list(">>", Self::value)?));
        }
        if self.takes("{") {
            return self.set();
        }
        if self.takes("[") {
            let fields = self.list("]", |reader| {
                let name = reader.name()?;
                reader.expect("|->")?;
                Ok((Value::Text(name), reader.value()?))
            })?;
            return function(fields);
        }
        if self.takes("(") {
            return self.pairs();
        }
        if let Some(rest) = self.rest.strip_prefix('"') {
            let (text, rest) = rest.split_once('"').ok_or("a text does not end")?;
            self.rest = rest.trim_start();
            return if text.contains('\\') {
                Err(format!("`{text}` has an escape"))
            } else {
                Ok(Value::Text(text.to_owned()))
            };
        }
        if self.rest.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
            let first = self.number()?;
            // A set of numbers that follow one another may be printed by its ends.
            return Ok(if self.takes("..") {
                Value::Set((first..=self.number()?).map(Value::Number).collect())
            } else {
                Value::Number(first)
            });
        }
        let name = self.name().map_err(|_| self.error("a value"))?;
        Ok(match name.as_str() {
            "TRUE" => Value::Bool(true),
            "FALSE" => Value::Bool(false),
            _ => Value::Model(name),
        })
    }

    fn number(&mut self) -> Result<i64, String> {
        let error = self.error("a number");
        let sign = if self.takes("-") { -1 } else { 1 };
        let digits: i64 = self.word(|c| c.is_ascii_digit()).parse().map_err(|_| error)?;
        Ok(sign * digits)
    }

    fn set(&mut self) -> Result<Value, String> {
        let items = self.list("}", Self::value)?;
        let count = items.len();
        let set: BTreeSet<_> = items.into_iter().collect();
        if set.len() == count {
            Ok(Value::Set(set))
        } else {
            Err("an element stands twice in a set".to_owned())
        }
    }

    /// `key :> value @@ …)`.
    fn pairs(&mut self) -> Result<Value, String> {
        let mut pairs = Vec::new();
        loop {
            let key = self.value()?;
            self.expect(":>")?;
            pairs.push((key, self.value()?));
            if self.takes(")") {
                return function(pairs);
            }
            self.expect("@@")?;
        }
    }

    fn list<T>(
        &mut self,
        end: &str,
        item: impl Fn(&mut Self) -> Result<T, String>,
    ) -> Result<Vec<T>, String> {
        let mut items = Vec::new();
        if self.takes(end) {
            return Ok(items);
        }
        loop {
            items.push(item(self)?);
            if self.takes(end) {
                return Ok(items);
            }
            self.expect(",")?;
        }
    }
}

fn function(pairs: Vec<(Value, Value)>) -> Result<Value, String> {
    let count = pairs.len();
    let map: BTreeMap<_, _> = pairs.into_iter().collect();
    if map.len() == count { Ok(Value::Function(map)) } else { Err("a key stands twice".to_owned()) }
}

#[test]
fn what_tlc_prints_is_read_and_written_again() {
    let state = "/\\ requests = ([producer |-> 0, is_damaged |-> FALSE] :> 2 @@ [producer |-> 1, is_damaged |-> TRUE] :> 1)\n\
                 /\\ log = <<1, -2, \"a b\">>\n/\\ hand = None\n/\\ budget = [ faults |-> 2,\n  losses |-> {} ]\n/\\ sent = {<<>>, << >>, 1}";
    let error = read_state(state).expect_err("a set has no element twice");
    assert_eq!(error, "sent: an element stands twice in a set");
    let state = read_state(&state.replace("{<<>>, << >>, 1}", "{<<>>, 1}")).expect("TLC prints this");
    assert_eq!(state.len(), 5);
    for value in state.values() {
        assert_eq!(read(&value.to_string()).as_ref(), Ok(value));
    }
    assert_eq!(read("{1..2, {3}}"), read("{{1, 2}, 3..3}"));
    assert_eq!(state["hand"], Value::of_json(&serde_json::json!({"#tup": []})));
    assert_eq!(state["budget"].to_string(), "[faults |-> 2, losses |-> {}]");
    let bag = serde_json::json!({"#map": [[{"producer": 0, "is_damaged": false}, {"#bigint": "2"}],
        [{"producer": 1, "is_damaged": true}, 1]]});
    assert_eq!(state["requests"], Value::of_json(&bag));
}

#[test]
fn what_tlc_does_not_print_is_refused() {
    let refused = |text: &str, expected: &str| assert_eq!(read(text), Err(expected.to_owned()), "{text}");
    refused("<<1, 2", "expected `,`, found ``");
    refused("[a -> 1]", "expected `|->`, found `-> 1]`");
    refused("(1 :> 2 @@ 1 :> 3)", "a key stands twice");
    refused("1 2", "after the value stands `2`");
    refused("{1, }", "expected a value, found `}`");
    refused("\"a", "a text does not end");
    refused("", "expected a value, found ``");
    assert!(read_state("x = 1").is_err() && read_state("/\\ x = 1 /\\ x = 2").is_err());
    assert!(read_trace("\nState 2: <Init>\n/\\ x = 1\n\n").is_err());
}
