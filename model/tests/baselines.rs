//! The baselines hold, completely, with exact counts that stateright's own checker agrees with.

use lawspeaker_model::bounded_queues::BoundedQueues;
use lawspeaker_model::catalogue::{DomainModel, Preset, Request, model};
use lawspeaker_model::causal_delivery::CausalDelivery;
use lawspeaker_model::choreography::{Bounds, Choreography};
use lawspeaker_model::consumer_group::ConsumerGroup;
use lawspeaker_model::engine::{Options, Signal, Stop, explore};
use lawspeaker_model::guard::Guards;
use lawspeaker_model::isolation::Isolation;
use lawspeaker_model::outbox::Outbox;
use lawspeaker_model::partition_log::PartitionLog;
use lawspeaker_model::report::{Outcome, coverage_text};
use lawspeaker_model::saga::Saga;
use lawspeaker_model::saga_over_log::SagaOverLog;
use stateright::Checker;

/// A baseline explored: states, generated, depth.
fn counts(name: &str) -> (usize, usize, usize) {
    let entry = model(name).expect("the catalogue has it");
    let report =
        entry.check(&Request::default(), &mut |_| Signal::Continue).expect("an empty request is sound");
    assert_eq!(report.outcome, Outcome::Holds, "{report:#?}");
    assert!(report.explored.coverage.values().all(|count| *count > 0), "{:?}", report.explored.coverage);
    (report.explored.states, report.explored.generated, report.explored.depth)
}

/// The longest queue, 40, is what a queue of states comes to that were numbered by `lawspeaker export --format json`.
#[test]
fn how_often_each_action_is_taken_is_told_with_the_states_by_depth() {
    let isolation = model("isolation").expect("the catalogue has it");
    let report = isolation.check(&Request::default(), &mut |_| Signal::Continue).expect("a sound request");
    insta::assert_snapshot!(coverage_text(&report));
}

#[test]
fn the_partition_log_keeps_its_law() {
    assert_eq!(counts("partition-log"), (53_122, 195_262, 20));
}

#[test]
fn the_consumer_group_keeps_its_law() {
    assert_eq!(counts("consumer-group"), (42_762, 135_973, 22));
}

#[test]
fn causal_delivery_keeps_its_law() {
    assert_eq!(counts("causal-delivery"), (76_774, 183_891, 16));
}

#[test]
fn the_saga_keeps_its_law() {
    assert_eq!(counts("saga"), (30_547, 95_653, 24));
}

#[test]
fn the_choreography_keeps_its_law() {
    assert_eq!(counts("choreography"), (12_595, 63_398, 17));
}

#[test]
fn the_outbox_keeps_its_law() {
    assert_eq!(counts("outbox"), (6_909, 22_879, 27));
}

#[test]
fn sagas_on_shared_records_keep_their_law() {
    assert_eq!(counts("isolation"), (277, 550, 13));
}

#[test]
fn bounded_queues_keep_their_law() {
    assert_eq!(counts("bounded-queues"), (1_290, 2_753, 17));
}

#[test]
fn a_saga_over_a_log_keeps_its_law() {
    assert_eq!(counts("saga-over-log"), (6_981, 21_619, 27));
}

/// Where nothing is placed, nothing is broken, and nothing is shown: the check says that its witnesses were not met.
#[test]
fn queues_in_which_nobody_meets_are_no_proof_of_anything() {
    let entry = model("bounded-queues").expect("the catalogue has it");
    let settings = vec![("orders".to_owned(), 0), ("strays".to_owned(), 0)];
    let report = entry.check(&Request { settings, ..Request::default() }, &mut |_| Signal::Continue);
    let report = report.expect("the model has its settings");
    assert_eq!((report.outcome, report.counterexamples.len()), (Outcome::Inconclusive, 0));
    assert!(report.witnesses.iter().all(|witness| !witness.is_met), "{:?}", report.witnesses);
}

/// The answer comes in, and stands behind what the handler does not take before it has it.
#[test]
fn more_room_does_not_open_the_circle() {
    let entry = model("bounded-queues").expect("the catalogue has it");
    for capacity in 1..=4 {
        let settings = vec![("capacity".to_owned(), capacity)];
        let request = Request { settings, without: vec!["defer".to_owned()], ..Request::default() };
        let report = entry.check(&request, &mut |_| Signal::Continue).expect("the request is sound");
        assert_eq!(report.counterexamples[0].guarantee.name(), "no-deadlock", "capacity {capacity}");
    }
}

/// From pure forward recovery (the pivot comes first) to pure backward recovery (there is none).
#[test]
fn a_saga_of_any_length_keeps_its_law_wherever_its_pivot_is() {
    for steps in 1..=5 {
        for pivot in 0..=steps {
            let mut saga = Saga::preset(Preset::Small);
            (saga.bounds.steps, saga.bounds.pivot, saga.bounds.faults) = (steps, pivot, 3);
            let found = explore(&saga, Options::default(), &mut |_| Signal::Continue);
            assert_eq!(found.stop, Stop::Complete);
            assert!(found.violations.is_empty(), "{steps} steps, pivot {pivot}: {:?}", found.violations);
        }
    }
}

/// stateright counts the same states: unique ones, and generated ones.
fn stateright_agrees<M>(system: M)
where
    M: DomainModel + Send + Sync + 'static,
    M::State: Send + Sync,
    M::Action: Send + Sync,
{
    let ours = explore(&system, Options::default(), &mut |_| Signal::Continue);
    assert_eq!(ours.stop, Stop::Complete);
    let theirs = system.checker().spawn_bfs().join();
    assert_eq!(theirs.unique_state_count(), ours.state_count);
    assert_eq!(theirs.state_count(), ours.generated_count);
    assert!(theirs.discoveries().is_empty());
}

#[test]
fn stateright_counts_the_same_states_of_the_partition_log() {
    stateright_agrees(PartitionLog::preset(Preset::Small));
}

#[test]
fn stateright_counts_the_same_states_of_the_consumer_group() {
    stateright_agrees(ConsumerGroup::preset(Preset::Small));
}

#[test]
fn stateright_counts_the_same_states_of_causal_delivery() {
    stateright_agrees(CausalDelivery::preset(Preset::Small));
}

#[test]
fn stateright_counts_the_same_states_of_the_saga() {
    stateright_agrees(Saga::preset(Preset::Small));
}

#[test]
fn stateright_counts_the_same_states_of_the_choreography() {
    stateright_agrees(Choreography::preset(Preset::Small));
}

#[test]
fn stateright_counts_the_same_states_of_the_outbox() {
    stateright_agrees(Outbox::preset(Preset::Small));
}

#[test]
fn stateright_counts_the_same_states_of_sagas_on_shared_records() {
    stateright_agrees(Isolation::preset(Preset::Small));
}

#[test]
fn stateright_counts_the_same_states_of_bounded_queues() {
    stateright_agrees(BoundedQueues::preset(Preset::Small));
}

#[test]
fn stateright_counts_the_same_states_of_a_saga_over_a_log() {
    stateright_agrees(SagaOverLog::preset(Preset::Small));
}

/// The state holds every event that can be published, whatever guards are missing.
#[test]
fn a_choreography_without_guards_at_its_widest_bounds_is_explored_to_the_end() {
    for kept in Choreography::GUARDS.iter().map(Some).chain([None]) {
        let mut model = Choreography::preset(Preset::Large);
        model.bounds = Bounds { faults: 6, cancellations: 2, redeliveries: 4, refusals: 2, crashes: 2 };
        let removed = Choreography::GUARDS.iter().filter(|guard| Some(*guard) != kept);
        model.guards = removed.fold(Guards::ALL, |guards, guard| guards.without(guard));
        let options = Options { is_safety_only: true, ..Options::default() };
        assert_eq!(explore(&model, options, &mut |_| Signal::Continue).stop, Stop::Complete);
    }
}

/// Everything that a check of a baseline reports, however it is explored.
#[test]
fn threads_and_exact_states_change_nothing() {
    for entry in lawspeaker_model::catalogue::MODELS {
        let report = |options| {
            let without = entry.guards[0].name.to_owned();
            let request = Request { options, without: vec![without], ..Request::default() };
            let mut report =
                entry.check(&request, &mut |_| Signal::Continue).expect("the model has its guards");
            report.explored.collision_odds = 0.0;
            report
        };
        let one = report(Options::default());
        assert_eq!(one, report(Options { threads: 3, ..Options::default() }));
        assert_eq!(one, report(Options { is_exact: true, ..Options::default() }));
    }
}
