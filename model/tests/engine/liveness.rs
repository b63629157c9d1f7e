//! Fair behaviours: the lasso search against a naive one that tries every set of nodes, and on graphs with known
//! answers.

use lawspeaker_model::engine::{Exploration, Limits, Options, Signal, Violation, explore};
use quickcheck::quickcheck;

use crate::graph::{Edge, Graph, NODES, broken_in, explored, fair, fault, graph};

const EVENTUALLY: usize = 2;
const LEADS_TO: usize = 3;

fn lasso(found: &Exploration<Graph>, law: usize) -> Option<(Vec<u8>, Vec<u8>)> {
    let violation = found.violations.iter().find(|violation| violation.law == law)?;
    let nodes: Vec<u8> = violation.trace.steps.iter().map(|step| step.state).collect();
    let (stem, cycle) = nodes.split_at(violation.cycle_start.expect("a lasso has a cycle"));
    Some((stem.to_vec(), cycle.to_vec()))
}

/// The edges that change something.
fn moves(graph: &Graph) -> impl Iterator<Item = &Edge> {
    graph.edges.iter().filter(|edge| edge.from != edge.to)
}

/// Whether going round these nodes for ever is fair: each group is disabled at one of them, or taken.
fn is_fair(graph: &Graph, nodes: &[u8], taken: &dyn Fn(&Edge) -> bool) -> bool {
    (0..3).all(|group| {
        let of_group = || moves(graph).filter(|edge| edge.group == Some(group));
        let is_disabled = |node: &u8| of_group().all(|edge| edge.from != *node);
        nodes.iter().any(is_disabled) || of_group().any(taken)
    })
}

/// Steps to the nearest set of nodes without a done one that a fair behaviour can stay in for ever, from node 0, with
/// `owes` visited on the way; tries every set.
fn nearest_trap(graph: &Graph, owes: &dyn Fn(u8) -> bool) -> Option<usize> {
    let is_done = |node: u8| graph.done.contains(&node);
    let sets =
        (1_u32..1 << NODES).map(|set| (0..NODES).filter(|node| set & (1 << node) != 0).collect::<Vec<u8>>());
    let traps = sets.filter(|set| {
        let is_in = |node: u8| set.contains(&node);
        let within = |edge: &Edge| is_in(edge.from) && is_in(edge.to);
        let reaches_all = |from: u8| {
            let mut seen = vec![from];
            for _ in 0..NODES {
                let next: Vec<u8> =
                    moves(graph).filter(|e| within(e) && seen.contains(&e.from)).map(|e| e.to).collect();
                seen.extend(next);
            }
            set.iter().all(|node| seen.contains(node))
        };
        !set.iter().any(|node| is_done(*node))
            && set.iter().all(|node| reaches_all(*node))
            && is_fair(graph, set, &within)
    });
    let mut trapped = [false; NODES as usize];
    traps.flatten().for_each(|node| trapped[node as usize] = true);
    // Breadth-first over nodes, and whether the goal is owed.
    let mut places = vec![(0_u8, false)];
    for distance in 0..=2 * NODES as usize {
        let owed: Vec<_> = places
            .iter()
            .filter(|(node, _)| owes(*node) && !is_done(*node))
            .map(|(n, _)| (*n, true))
            .collect();
        places.extend(owed);
        if places.iter().any(|(node, is_owed)| *is_owed && trapped[*node as usize]) {
            return Some(distance);
        }
        let step = |(node, is_owed): &(u8, bool)| {
            let next = moves(graph).filter(|edge| edge.from == *node && !(*is_owed && is_done(edge.to)));
            next.map(|edge| (edge.to, *is_owed)).collect::<Vec<_>>()
        };
        places = places.iter().flat_map(step).collect();
        places.sort_unstable();
        places.dedup();
    }
    None
}

fn is_real(graph: &Graph, violation: &Violation<Graph>) -> bool {
    let nodes: Vec<u8> =
        std::iter::once(0).chain(violation.trace.steps.iter().map(|step| step.state)).collect();
    let Some(start) = violation.cycle_start else { return true };
    let cycle = &nodes[start..];
    // The very edges that the trace takes, and not others between the same nodes.
    let taken = |edge: &Edge| violation.trace.steps[start..].iter().any(|step| step.action == *edge);
    let is_step = |(before, edge, after): (&u8, &Edge, &u8)| {
        graph.edges.contains(edge) && edge.from == *before && edge.to == *after && before != after
    };
    violation.trace.transitions().all(is_step)
        && cycle.first() == cycle.last()
        && is_fair(graph, cycle, &taken)
        && cycle.iter().all(|node| !graph.done.contains(node))
}

quickcheck! {
    fn a_promise_is_broken_exactly_if_a_fair_trap_is_reached(graph: Graph) -> bool {
        let found = explored(&graph);
        broken_in(&found, EVENTUALLY) == nearest_trap(&graph, &|node| node == 0)
            && broken_in(&found, LEADS_TO) == nearest_trap(&graph, &|node| graph.bad.contains(&node))
    }

    fn every_lasso_is_a_fair_behaviour_of_the_graph(graph: Graph) -> bool {
        explored(&graph).violations.iter().all(|violation| is_real(&graph, violation))
    }
}

fn of_group(from: u8, to: u8, group: u8) -> Edge {
    Edge { group: Some(group), ..fair(from, to) }
}

#[test]
fn both_ways_of_a_diamond_are_looked_at() {
    // 0 forks to 1 and 2, both join in 3, which rests; only 1 is done.
    let diamond = graph(&[fair(0, 1), fair(0, 2), fair(1, 3), fair(2, 3)], &[], &[1]);
    assert_eq!(lasso(&explored(&diamond), EVENTUALLY), Some((vec![2, 3], vec![])));
}

#[test]
fn a_step_that_changes_nothing_is_no_cycle_but_a_rest() {
    let found = explored(&graph(&[fair(0, 1), fair(1, 1)], &[], &[5]));
    assert_eq!(lasso(&found, EVENTUALLY), Some((vec![1], vec![])));
}

#[test]
fn a_cycle_that_never_reaches_the_goal_breaks_the_promise() {
    // 0 to 1, 1 to 2 and back: the goal is never reached, although something happens for ever.
    let found = explored(&graph(&[fair(0, 1), fair(1, 2), fair(2, 1)], &[], &[5]));
    assert_eq!(lasso(&found, EVENTUALLY), Some((vec![1], vec![2, 1])));
}

#[test]
fn a_nested_component_is_left_if_fairness_says_so() {
    // 1 and 2 go round in group 0; group 1 leads from 1 to the goal, and is disabled in 2: weak fairness does not help.
    let weak = graph(&[fair(0, 1), fair(1, 2), fair(2, 1), of_group(1, 3, 1)], &[], &[3]);
    assert_eq!(lasso(&explored(&weak), EVENTUALLY), Some((vec![1], vec![2, 1])));
    // Enabled in 2 as well, it is enabled for ever, so it is taken.
    let enabled =
        graph(&[fair(0, 1), fair(1, 2), fair(2, 1), of_group(1, 3, 1), of_group(2, 3, 1)], &[], &[3]);
    assert_eq!(lasso(&explored(&enabled), EVENTUALLY), None);
}

#[test]
fn nobody_waits_for_a_fault() {
    // Only a fault leads to the goal: to rest in 1 for ever is fair.
    assert_eq!(
        lasso(&explored(&graph(&[fair(0, 1), fault(1, 2)], &[], &[2])), EVENTUALLY),
        Some((vec![1], vec![]))
    );
    // A fault may go round for ever, but a fair step that stays enabled is taken in the end.
    let faulty = graph(&[fault(0, 1), fault(1, 0), fair(0, 2), fair(1, 2)], &[], &[2]);
    assert_eq!(lasso(&explored(&faulty), EVENTUALLY), None);
}

#[test]
fn two_groups_that_disable_each_other_are_both_satisfied_by_turns() {
    // Group 0 leads from 1 to 2, group 1 back: each is disabled where the other is enabled.
    let found = explored(&graph(&[fair(0, 1), of_group(1, 2, 0), of_group(2, 1, 1)], &[], &[5]));
    assert_eq!(lasso(&found, EVENTUALLY), Some((vec![1], vec![2, 1])));
}

#[test]
fn what_follows_is_owed_only_from_where_it_is_promised() {
    // 1 is bad and leads to the goal; 2 is not bad and rests.
    let kept = graph(&[fair(0, 1), fair(0, 2), fair(1, 3)], &[1], &[3]);
    assert_eq!(lasso(&explored(&kept), LEADS_TO), None);
    let broken = graph(&[fair(0, 1), fair(1, 2)], &[1], &[3]);
    assert_eq!(lasso(&explored(&broken), LEADS_TO), Some((vec![1, 2], vec![])));
}

#[test]
fn nothing_is_said_of_behaviours_that_were_not_explored() {
    let line = graph(&[fair(0, 1), fair(1, 2), fair(2, 3)], &[], &[3]);
    let limits = Limits { max_depth: Some(1), ..Limits::default() };
    let found = explore(&line, Options { limits, ..Options::default() }, &mut |_| Signal::Continue);
    assert_eq!((found.violations.len(), found.checked_counts[EVENTUALLY]), (0, 0));
}
