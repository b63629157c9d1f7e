//! The saga's state as variables, with the values that `specs/Saga.tla` gives them.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::{Link, Message, Phase, Steps};

/// `[phase |-> "forward", step |-> 1]`.
impl Serialize for Phase {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self {
            Phase::Forward(step) => {
                map.serialize_entry("phase", "forward")?;
                map.serialize_entry("step", step)?;
            }
            Phase::Backward(steps) => {
                map.serialize_entry("phase", "backward")?;
                map.serialize_entry("steps", steps)?;
            }
            Phase::Committed => map.serialize_entry("phase", "committed")?,
            Phase::Aborted => map.serialize_entry("phase", "aborted")?,
        }
        map.end()
    }
}

/// The phase of a saga of which nothing is known has a value of its own.
pub(super) fn phase<S: Serializer>(phase: &Option<Phase>, serializer: S) -> Result<S::Ok, S::Error> {
    if let Some(phase) = phase {
        return phase.serialize(serializer);
    }
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry("phase", "unheard")?;
    map.end()
}

/// As the informal trace format writes a set.
impl Serialize for Steps {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("#set", &self.iter().collect::<Vec<_>>())?;
        map.end()
    }
}

/// A bag: as the informal trace format writes a function from messages to how often they are there.
impl<M: Message + Serialize> Serialize for Link<M> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let copies: Vec<_> = self.iter().map(|message| (message, self.count(message))).collect();
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("#map", &copies)?;
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Action, Command, Saga, Way};
    use crate::catalogue::{DomainModel, Preset};
    use crate::engine::Words;
    use stateright::Model;

    #[test]
    fn the_variables_have_the_values_of_the_specification() {
        let model = Saga::preset(Preset::Small);
        let mut state = model.init_states().swap_remove(0);
        assert_eq!(model.variables(&state)["log"], json!({"phase": "unheard"}));
        for action in [Action::Accept, Action::Send] {
            state = model.next_state(&state, action).expect("the step can be taken");
        }
        let variables = model.variables(&state);
        let forward = json!({"phase": "forward", "step": 0});
        assert_eq!(variables["log"], forward);
        assert_eq!(variables["orchestrator"], json!({"is_up": true, "memory": forward, "has_sent": true}));
        assert_eq!(variables["commands"], json!({"#map": [[{"step": 0, "way": "forward"}, 1]]}));
        assert_eq!(variables["is_accepted"], true);
        state = model.next_state(&state, Action::Timeout).expect("the step can be taken");
        let backward = json!({"phase": "backward", "steps": {"#set": [0]}});
        assert_eq!(model.variables(&state)["log"], backward);
        let command = Command { step: 0, way: Way::Forward };
        state = model.next_state(&state, Action::Handle(command)).expect("the step can be taken");
        let reply = json!({"command": {"step": 0, "way": "forward"}, "is_done": true});
        assert_eq!(model.variables(&state)["replies"], json!({"#map": [[reply, 1]]}));
    }
}
