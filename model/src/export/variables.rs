//! A state's variables, by the names of its fields.

use std::ops::Deref;

use serde::{Serialize, Serializer};
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

/// Serialises a list whose order means nothing as a set, as the Informal Trace Format writes sets.
///
/// # Errors
/// The serialiser's.
pub fn set<T, S>(items: &impl Deref<Target = [T]>, serializer: S) -> Result<S::Ok, S::Error>
where
    T: Serialize,
    S: Serializer,
{
    serializer.collect_map([("#set", &**items)])
}

/// Serialises a sorted list whose order means nothing as a bag: a function from what is in it to how often it is, as the
/// Informal Trace Format writes functions.
///
/// # Errors
/// The serialiser's.
pub fn bag<T, S>(items: &impl Deref<Target = [T]>, serializer: S) -> Result<S::Ok, S::Error>
where
    T: Serialize + PartialEq,
    S: Serializer,
{
    let copies: Vec<_> = items.chunk_by(T::eq).map(|equal| (&equal[0], equal.len())).collect();
    serializer.collect_map([("#map", copies)])
}

#[cfg(test)]
mod tests {
    use super::variables_of;
    use crate::catalogue::{DomainModel, Preset};
    use crate::consumer_group::ConsumerGroup;
    use crate::partition_log::PartitionLog;

    fn names<M: DomainModel>() -> Vec<String> {
        let model = M::preset(Preset::Small);
        let states = model.init_states();
        model.variables(&states[0]).keys().cloned().collect()
    }

    #[test]
    fn the_variables_of_a_model_are_the_fields_of_its_state() {
        let partition_log = ["budget", "ghost", "partitions", "producers", "replies", "requests"];
        assert_eq!(names::<PartitionLog>(), partition_log);
        let consumer_group =
            ["budget", "committed", "effects", "generation", "ghost", "members", "owners", "targets"];
        assert_eq!(names::<ConsumerGroup>(), consumer_group);
    }

    #[test]
    fn what_has_no_order_is_a_set_or_a_bag() {
        #[derive(serde::Serialize)]
        struct State {
            #[serde(serialize_with = "super::set")]
            sent: Vec<u8>,
            #[serde(serialize_with = "super::bag")]
            requests: Vec<char>,
        }
        let variables = variables_of(&State { sent: vec![1, 2], requests: vec!['a', 'a', 'b'] });
        assert_eq!(variables["sent"], serde_json::json!({"#set": [1, 2]}));
        assert_eq!(variables["requests"], serde_json::json!({"#map": [["a", 2], ["b", 1]]}));
    }

    #[test]
    fn a_state_without_fields_is_one_variable() {
        assert_eq!(variables_of(&7)["state"], 7);
    }
}
