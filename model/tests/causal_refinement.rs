//! Dependency sets and vector clocks, run in lock-step: in every reachable state each lets every service deliver exactly
//! what the other lets it deliver.

use lawspeaker_model::catalogue::{DomainModel, Preset};
use lawspeaker_model::causal_delivery::clocks::Clocks;
use lawspeaker_model::causal_delivery::{
    ACK_BARRIER, Action, CausalDelivery, FULL_DEPS, HEAD_OF_LINE, Number, Partition, SEND_ORDER, Service,
    State,
};
use lawspeaker_model::guard::Guard;
use stateright::{Checker, HasDiscoveries, Model, Property};

/// Both at once: the model takes the steps, the clocks follow.
struct LockStep(CausalDelivery);

impl LockStep {
    fn of(events: u8, without: &[&Guard]) -> Self {
        let mut model = CausalDelivery::preset(Preset::Small);
        model.bounds.events = events;
        model.guards = without.iter().fold(model.guards, |guards, guard| guards.without(guard));
        LockStep(model)
    }

    /// Whether they agree on every event that any service may come to next.
    fn agrees(&self, (state, clocks): &(State, Clocks)) -> bool {
        let services = || (0..self.0.bounds.services).map(Service::new);
        let partitions = || (0..self.0.bounds.partitions).map(Partition::new);
        services().all(|service| {
            partitions().all(|partition| {
                state.unread(service, partition).all(|event| {
                    self.0.is_ready(state, service, event) == clocks.is_ready(state, service, event)
                })
            })
        })
    }
}

impl Model for LockStep {
    type State = (State, Clocks);
    type Action = Action;

    fn init_states(&self) -> Vec<Self::State> {
        let clocks = Clocks::start(self.0.bounds.services);
        self.0.init_states().into_iter().map(|state| (state, clocks)).collect()
    }

    fn actions(&self, (state, _): &Self::State, actions: &mut Vec<Action>) {
        self.0.actions(state, actions);
    }

    fn next_state(&self, (state, clocks): &Self::State, action: Action) -> Option<Self::State> {
        let mut clocks = *clocks;
        match action {
            Action::Emit(by, to, _) => clocks.emit(by, to),
            Action::Deliver(service, event) => clocks.deliver(service, event),
            Action::Append(..) | Action::Drop(..) => {}
        }
        Some((self.0.next_state(state, action)?, clocks))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always("the same deliveries", |lock_step: &Self, state| lock_step.agrees(state))]
    }
}

/// The number of states in which they agree: all there are, which are as many as without clocks.
fn agreeing_states(events: u8, without: &[&Guard]) -> usize {
    let lock_step = LockStep::of(events, without);
    let alone = lock_step.0.clone().checker().spawn_bfs().join().unique_state_count();
    let checker = lock_step.checker().spawn_bfs().join();
    checker.assert_properties();
    assert_eq!(checker.unique_state_count(), alone, "the clocks follow from the sets");
    alone
}

#[test]
fn sets_and_clocks_deliver_the_same_in_every_state() {
    assert_eq!(agreeing_states(4, &[]), 76_774);
}

#[test]
fn sets_and_clocks_deliver_the_same_where_sends_overtake_each_other() {
    assert_eq!(agreeing_states(3, &[&ACK_BARRIER, &SEND_ORDER]), 5_195);
}

#[test]
fn sets_and_clocks_deliver_the_same_with_a_hold_back_queue() {
    assert_eq!(agreeing_states(3, &[&ACK_BARRIER, &SEND_ORDER, &HEAD_OF_LINE]), 6_557);
}

#[test]
fn the_lock_step_notices_a_set_that_lacks_a_cause() {
    let checker =
        LockStep::of(3, &[&FULL_DEPS]).checker().finish_when(HasDiscoveries::Any).spawn_bfs().join();
    assert!(checker.discovery("the same deliveries").is_some());
}

#[test]
fn a_clock_waits_for_ever_for_an_event_of_its_own() {
    let (mut state, mut clocks) = LockStep::of(1, &[]).init_states().swap_remove(0);
    let (own, other, partition) = (Service::new(0), Service::new(1), Partition::new(0));
    let event = lawspeaker_model::causal_delivery::EventNumber::new(0);
    let model = CausalDelivery::preset(Preset::Small);
    state = model.next_state(&state, Action::Emit(own, partition, Default::default())).expect("it may emit");
    clocks.emit(own, partition);
    assert!(clocks.is_ready(&state, other, event), "everybody else may deliver it");
    assert!(!clocks.is_ready(&state, own, event), "its own service has counted it already");
}
