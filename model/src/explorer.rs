//! stateright's Explorer of any model of the catalogue, with our words as labels.
//!
//! [`Explorable`] is the same model with other clothes: its actions carry the sentence that tells them, its steps are
//! shown by the picture of the state they lead to, and its properties are the laws on states. Laws on infinite
//! behaviours are left out, as stateright's `eventually` misses violations on cycles; [`crate::engine`] decides them.

use std::fmt::{self, Debug};
use std::net::SocketAddr;

use stateright::{Model, Property};

use crate::engine::{Law, When, Words, names, way_on};

/// A model as the Explorer shows it.
#[derive(Debug)]
pub struct Explorable<M: Words> {
    model: M,
    laws: Vec<Law<M>>,
}

/// An action with the sentence that tells it.
#[derive(Clone, PartialEq)]
pub struct Told<A> {
    action: A,
    sentence: String,
}

impl<A> Debug for Told<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl<M: Words> Explorable<M> {
    /// The same model, to be explored.
    ///
    /// # Panics
    /// Above 24 laws on states.
    pub fn new(model: M) -> Self {
        let mut laws = model.laws();
        laws.retain(|law| !law.when.is_liveness());
        assert!(laws.len() <= places::<M>().len(), "too many laws for the Explorer");
        Explorable { model, laws }
    }

    fn keeps(&self, place: usize, state: &M::State) -> bool {
        let Some(law) = self.laws.get(place) else { return true };
        let is_asked = matches!(law.when, When::Always) || way_on(&self.model, state).is_none();
        !is_asked || (law.holds)(&self.model, state)
    }
}

impl<M: Words> Model for Explorable<M> {
    type State = M::State;
    type Action = Told<M::Action>;

    fn init_states(&self) -> Vec<M::State> {
        self.model.init_states()
    }

    fn actions(&self, state: &M::State, actions: &mut Vec<Self::Action>) {
        let mut plain = Vec::new();
        self.model.actions(state, &mut plain);
        actions.extend(plain.into_iter().map(|action| {
            let sentence = match self.model.next_state(state, action.clone()) {
                Some(next) => {
                    let told = self.model.tell(state, &action, &next);
                    format!("{} {}", told.who, told.what)
                }
                None => self.model.kind(&action).to_owned(),
            };
            Told { action, sentence }
        }));
    }

    fn next_state(&self, last: &M::State, action: Self::Action) -> Option<M::State> {
        self.model.next_state(last, action.action)
    }

    fn format_action(&self, action: &Self::Action) -> String {
        action.sentence.clone()
    }

    fn format_step(&self, last: &M::State, action: Self::Action) -> Option<String> {
        let next = self.model.next_state(last, action.action)?;
        Some(self.model.picture(&next).join("\n"))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let conditions = places::<M>();
        names(&self.laws).zip(conditions).map(|(name, holds)| Property::always(name, holds)).collect()
    }

    fn within_boundary(&self, state: &M::State) -> bool {
        self.model.within_boundary(state)
    }
}

/// stateright's conditions are plain functions, which know no law by themselves: each knows its place.
fn law_at<M: Words, const PLACE: usize>(model: &Explorable<M>, state: &M::State) -> bool {
    model.keeps(PLACE, state)
}

type Condition<M> = fn(&Explorable<M>, &<M as Model>::State) -> bool;

/// A condition for each of the first laws; no model of the catalogue has as many.
fn places<M: Words>() -> [Condition<M>; 24] {
    [
        law_at::<M, 0>,
        law_at::<M, 1>,
        law_at::<M, 2>,
        law_at::<M, 3>,
        law_at::<M, 4>,
        law_at::<M, 5>,
        law_at::<M, 6>,
        law_at::<M, 7>,
        law_at::<M, 8>,
        law_at::<M, 9>,
        law_at::<M, 10>,
        law_at::<M, 11>,
        law_at::<M, 12>,
        law_at::<M, 13>,
        law_at::<M, 14>,
        law_at::<M, 15>,
        law_at::<M, 16>,
        law_at::<M, 17>,
        law_at::<M, 18>,
        law_at::<M, 19>,
        law_at::<M, 20>,
        law_at::<M, 21>,
        law_at::<M, 22>,
        law_at::<M, 23>,
    ]
}

/// Serves the Explorer at `address`, until the process ends.
///
/// # Panics
/// If the address cannot be had.
pub fn serve<M>(model: M, address: SocketAddr)
where
    M: Words + Send + 'static,
    M::State: 'static,
    M::Action: Send + Sync + 'static,
{
    let _ = Explorable::new(model).checker().serve(address);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use stateright::Checker;

    use super::*;
    use crate::bounded_queues::BoundedQueues;
    use crate::catalogue::{DomainModel, MODELS, Preset, Request, build};
    use crate::causal_delivery::CausalDelivery;
    use crate::choreography::Choreography;
    use crate::consumer_group::ConsumerGroup;
    use crate::isolation::Isolation;
    use crate::outbox::Outbox;
    use crate::partition_log::PartitionLog;
    use crate::saga::Saga;
    use crate::saga_over_log::SagaOverLog;

    /// stateright knows properties by name: of two with one name it finds one, and shows it for both.
    fn with_names_that_differ<M: DomainModel>() -> &'static str {
        let explorable = Explorable::new(M::preset(Preset::Small));
        let mut names: Vec<_> = explorable.properties().iter().map(|property| property.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), explorable.laws.len(), "{}", M::NAME);
        M::NAME
    }

    #[test]
    fn every_law_on_states_is_a_property_with_a_name_of_its_own() {
        let checked = BTreeSet::from([
            with_names_that_differ::<BoundedQueues>(),
            with_names_that_differ::<CausalDelivery>(),
            with_names_that_differ::<Choreography>(),
            with_names_that_differ::<ConsumerGroup>(),
            with_names_that_differ::<Isolation>(),
            with_names_that_differ::<Outbox>(),
            with_names_that_differ::<PartitionLog>(),
            with_names_that_differ::<Saga>(),
            with_names_that_differ::<SagaOverLog>(),
        ]);
        assert_eq!(checked, MODELS.iter().map(|entry| entry.name).collect());
    }

    #[test]
    fn stateright_finds_what_the_engine_finds_in_the_same_model_in_other_clothes() {
        let without = vec!["dedup".to_owned()];
        let request = Request { without, ..Request::default() };
        let model = build::<ConsumerGroup>(&request).expect("there is such a guard");
        let checker = Explorable::new(model).checker().spawn_bfs().join();
        let found: Vec<_> = checker.discoveries().into_keys().collect();
        assert_eq!(found, ["effect once"]);
        let path = checker.discovery("effect once").expect("it was found");
        // stateright's traces are not the shortest: the step need not be the last.
        let told = format!("{:?}", path.into_actions());
        assert!(told.contains("its effect happens A SECOND TIME"), "{told}");
    }
}
