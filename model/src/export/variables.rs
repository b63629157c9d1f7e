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
    fn a_state_without_fields_is_one_variable() {
        assert_eq!(variables_of(&7)["state"], 7);
    }
}
