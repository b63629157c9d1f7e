//! States, deadlocks and limits: the explorer against a naive one, and on graphs with known answers.

use std::collections::BTreeMap;

use lawspeaker_model::engine::{Limits, Options, Signal, Stop, explore, explore_with_hash};
use quickcheck::quickcheck;

use crate::graph::{Graph, NODES, broken_in, explored, fair, fault, graph};

/// Distances from the initial nodes, by relaxing every edge until nothing changes.
fn distances(graph: &Graph) -> BTreeMap<u8, usize> {
    let mut distances: BTreeMap<u8, usize> = graph.initial.iter().map(|node| (*node, 0)).collect();
    for _ in 0..NODES {
        for edge in &graph.edges {
            if let Some(from) = distances.get(&edge.from).copied() {
                let to = distances.entry(edge.to).or_insert(usize::MAX);
                *to = (*to).min(from + 1);
            }
        }
    }
    distances
}

fn is_quiescent(graph: &Graph, node: u8) -> bool {
    !graph.edges.iter().any(|edge| edge.from == node && !edge.is_fault && edge.to != node)
}

quickcheck! {
    fn exploration_agrees_with_a_naive_one(graph: Graph) -> bool {
        let found = explored(&graph);
        let distances = distances(&graph);
        let nearest = |is_broken: &dyn Fn(u8) -> bool| {
            distances.iter().filter(|(node, _)| is_broken(**node)).map(|(_, distance)| *distance).min()
        };
        let reached_edges = || graph.edges.iter().filter(|edge| distances.contains_key(&edge.from));
        let of_kind = |is_fault| reached_edges().filter(|edge| edge.is_fault == is_fault).count() as u64;
        let at = |steps: usize| distances.values().filter(|distance| **distance == steps).count();
        found.stop == Stop::Complete
            && found.state_count == distances.len()
            && found.generated_count == graph.initial.len() + reached_edges().count()
            && found.coverage == BTreeMap::from([("fault", of_kind(true)), ("step", of_kind(false))])
            && found.levels.iter().enumerate().all(|(steps, count)| *count == at(steps))
            && found.depth() == distances.values().copied().max().unwrap_or(0)
            && broken_in(&found, 0) == nearest(&|node| graph.bad.contains(&node))
            && broken_in(&found, 1) == nearest(&|node| is_quiescent(&graph, node) && !graph.done.contains(&node))
            && found.witnesses_met[0] == reached_edges().any(|edge| edge.to == NODES - 1)
    }

    fn every_step_of_a_trace_is_a_transition(graph: Graph) -> bool {
        explored(&graph).violations.iter().all(|violation| {
            violation.trace.transitions().all(|(before, edge, after)| {
                graph.edges.contains(edge) && edge.from == *before && edge.to == *after
            })
        })
    }

    fn two_runs_are_the_same_however_they_are_run(graph: Graph) -> bool {
        let run = |threads, is_exact| {
            let options = Options { threads, is_exact, ..Options::default() };
            let mut found = explore(&graph, options, &mut |_| Signal::Continue);
            found.collision_odds = 0.0;
            found
        };
        run(1, false) == run(1, false) && run(1, false) == run(2, false) && run(1, false) == run(3, true)
    }
}

fn deadlock_steps(graph: &Graph) -> Option<usize> {
    broken_in(&explored(graph), 1)
}

#[test]
fn a_fault_that_could_still_happen_does_not_hide_a_deadlock() {
    assert_eq!(deadlock_steps(&graph(&[fair(0, 1), fault(1, 2), fair(2, 3)], &[], &[3])), Some(1));
}

#[test]
fn a_step_that_changes_nothing_does_not_hide_a_deadlock() {
    assert_eq!(deadlock_steps(&graph(&[fair(0, 1), fair(1, 1)], &[], &[0])), Some(1));
}

#[test]
fn resting_where_the_work_is_done_is_no_deadlock() {
    assert_eq!(deadlock_steps(&graph(&[fair(0, 1), fault(1, 0)], &[], &[1])), None);
}

#[test]
fn the_trace_is_shortest_for_every_law_in_one_run() {
    // Node 3 is bad and two steps away by way of 2, three by way of 1 and 4; node 5 is stuck, three away.
    let edges = [fair(0, 1), fair(1, 4), fair(4, 3), fair(0, 2), fair(2, 3), fair(3, 5)];
    let found = explored(&graph(&edges, &[3], &[]));
    assert_eq!([broken_in(&found, 0), broken_in(&found, 1)], [Some(2), Some(3)]);
}

#[test]
fn a_limit_that_is_hit_is_reported() {
    let line: Vec<_> = (0..6).map(|node| fair(node, node + 1)).collect();
    let line = graph(&line, &[6], &[]);
    let stop =
        |limits, signal| explore(&line, Options { limits, ..Options::default() }, &mut |_| signal).stop;
    let unlimited = Limits::default();
    assert_eq!(stop(unlimited, Signal::Continue), Stop::Complete);
    assert_eq!(stop(unlimited, Signal::Interrupt), Stop::Interrupted);
    assert_eq!(stop(unlimited, Signal::OutOfMemory), Stop::MaxMemory);
    assert_eq!(stop(Limits { max_states: Some(3), ..unlimited }, Signal::Continue), Stop::MaxStates);
    assert_eq!(stop(Limits { max_depth: Some(3), ..unlimited }, Signal::Continue), Stop::MaxDepth);
    let none = Some(std::time::Duration::ZERO);
    assert_eq!(stop(Limits { timeout: none, ..unlimited }, Signal::Continue), Stop::Timeout);
}

#[test]
fn a_boundary_of_the_model_is_no_success_and_hides_no_way_to_go_on() {
    let line: Vec<_> = (0..6).map(|node| fair(node, node + 1)).collect();
    let cut = Graph { boundary: Some(3), ..graph(&line, &[6], &[]) };
    let found = explored(&cut);
    assert_eq!((found.stop, found.state_count), (Stop::Boundary, 4));
    assert_eq!(broken_in(&found, 1), None, "node 3 could go on, beyond the boundary");
}

/// A hash that keeps too few bits loses states; the exact set does not, and the engine's own hash agrees with it.
#[test]
fn a_weak_hash_would_be_caught() {
    let line: Vec<_> = (0..6).map(|node| fair(node, node + 1)).collect();
    let line = graph(&line, &[6], &[]);
    let exact = Options { is_exact: true, ..Options::default() };
    let count = |options, weaken: fn(u128) -> u128| {
        let found = explore_with_hash(&line, options, Some(weaken), &mut |_| Signal::Continue);
        (found.state_count, found.violations.len())
    };
    let weak = |fingerprint: u128| fingerprint >> 127 << 127;
    assert!(count(Options::default(), weak).0 < count(exact, weak).0);
    assert_eq!(count(exact, weak), (explored(&line).state_count, explored(&line).violations.len()));
}
