//! The choreography's state as variables, with the values that `specs/Choreography.tla` gives them.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::Service;
use super::words::names;

/// A function of the services: a record with a field for each.
struct ByService<'a, T>(&'a [T; Service::COUNT]);

impl<T: Serialize> Serialize for ByService<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(Service::COUNT))?;
        for service in Service::ALL {
            map.serialize_entry(names(service).service, &self.0[service.place()])?;
        }
        map.end()
    }
}

/// What each service has.
pub(super) fn by_service<T: Serialize, S: Serializer>(
    values: &[T; Service::COUNT],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    ByService(values).serialize(serializer)
}

/// What each service has for each.
pub(super) fn by_services<T: Serialize, S: Serializer>(
    values: &[[T; Service::COUNT]; Service::COUNT],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    ByService(&values.each_ref().map(ByService)).serialize(serializer)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Action, Choreography, Service};
    use crate::catalogue::{DomainModel, Preset};
    use crate::engine::Words;
    use stateright::Model;

    #[test]
    fn the_variables_have_the_values_of_the_specification() {
        let model = Choreography::preset(Preset::Small);
        let mut state = model.init_states().swap_remove(0);
        for action in [Action::Place, Action::Refuse(Service::Inventory, Service::Orders)] {
            state = model.next_state(&state, action).expect("the step can be taken");
        }
        let variables = model.variables(&state);
        assert_eq!(variables["order"], "pending");
        let topics =
            json!({"orders": ["placed"], "inventory": ["out-of-stock"], "payments": [], "shipping": []});
        assert_eq!(variables["topics"], topics);
        assert_eq!(variables["positions"]["inventory"]["orders"], 1);
        assert_eq!(variables["steps"]["inventory"]["is_refused"], true);
        assert_eq!(variables["is_closed"]["inventory"], true);
        assert_eq!(variables["has_done_closed"], false);
    }
}
