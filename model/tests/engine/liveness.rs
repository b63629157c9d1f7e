//! Fair behaviours: the lasso search against a naive one that tries every set of nodes and every way round, and on graphs
//! with known answers.

use std::collections::BTreeSet;

use lawspeaker_model::engine::{Exploration, Limits, Options, Signal, Violation, explore};
use quickcheck::quickcheck;

use crate::graph::{Edge, Graph, NODES, explored, fair, fault, graph};

const EVENTUALLY: usize = 2;
const LEADS_TO: usize = 3;

fn lasso(found: &Exploration<Graph>, law: usize) -> Option<(Vec<u8>, Vec<u8>)> {
    let violation = found.violations.iter().find(|violation| violation.law == law)?;
    let nodes: Vec<u8> = violation.trace.steps.iter().map(|step| step.state).collect();
    let (stem, cycle) = nodes.split_at(violation.cycle_start.expect("a lasso has a cycle"));
    Some((stem.to_vec(), cycle.to_vec()))
}

/// More than any graph here has.
const GROUPS: u8 = 16;

/// The edges that change something.
fn moves(graph: &Graph) -> impl Iterator<Item = &Edge> {
    graph.edges.iter().filter(|edge| edge.from != edge.to)
}

/// Whether going round these nodes for ever is fair: each group is disabled at one of them, or taken.
fn is_fair(graph: &Graph, nodes: &[u8], taken: &dyn Fn(&Edge) -> bool) -> bool {
    (0..GROUPS).all(|group| {
        let of_group = || moves(graph).filter(|edge| edge.group == Some(group));
        let is_disabled = |node: &u8| of_group().all(|edge| edge.from != *node);
        nodes.iter().any(is_disabled) || of_group().any(taken)
    })
}

/// Steps to the nearest set of nodes without a done one that a fair behaviour can stay in for ever, with `owes` visited
/// on the way, and where one comes to such sets then; tries every set.
fn nearest_traps(graph: &Graph, owes: &dyn Fn(u8) -> bool) -> Option<(usize, BTreeSet<u8>)> {
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
    let mut places: Vec<(u8, bool)> = graph.initial.iter().map(|node| (*node, false)).collect();
    for distance in 0..=2 * NODES as usize {
        let owed: Vec<_> = places
            .iter()
            .filter(|(node, _)| owes(*node) && !is_done(*node))
            .map(|(n, _)| (*n, true))
            .collect();
        places.extend(owed);
        let ends = places.iter().filter(|(node, is_owed)| *is_owed && trapped[*node as usize]);
        let ends: BTreeSet<u8> = ends.map(|(node, _)| *node).collect();
        if !ends.is_empty() {
            return Some((distance, ends));
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

/// Steps of the shortest fair way round from `start` that meets no done node, 0 if it is fair to rest there: by the
/// groups that all walks of so many steps have satisfied.
fn shortest_way_round(graph: &Graph, start: u8) -> usize {
    let enabled = |node: u8| moves(graph).filter(move |edge| edge.from == node).filter_map(|edge| edge.group);
    let disabled = |node: u8| {
        let enabled: BTreeSet<u8> = enabled(node).collect();
        (0..GROUPS).filter(move |group| !enabled.contains(group))
    };
    if enabled(start).next().is_none() {
        return 0;
    }
    let mut walks = BTreeSet::from([(start, disabled(start).collect::<BTreeSet<u8>>())]);
    for steps in 1.. {
        let longer = walks.iter().flat_map(|(node, met)| {
            let next = moves(graph).filter(move |edge| edge.from == *node && !graph.done.contains(&edge.to));
            next.map(move |edge| {
                (edge.to, met.iter().copied().chain(edge.group).chain(disabled(edge.to)).collect())
            })
        });
        walks = longer.collect();
        if walks.iter().any(|(node, met)| *node == start && met.len() == GROUPS as usize) {
            return steps;
        }
    }
    unreachable!("a trap has a way round")
}

/// How many steps lead to the cycle of the shortest lasso, and how many go round.
fn shortest_lasso(graph: &Graph, owes: &dyn Fn(u8) -> bool) -> Option<(usize, usize)> {
    let (distance, ends) = nearest_traps(graph, owes)?;
    Some((distance, ends.into_iter().map(|end| shortest_way_round(graph, end)).min()?))
}

fn is_real(graph: &Graph, violation: &Violation<Graph>) -> bool {
    let steps = violation.trace.steps.iter().map(|step| step.state);
    let nodes: Vec<u8> = std::iter::once(violation.trace.start).chain(steps).collect();
    let Some(start) = violation.cycle_start else { return true };
    let cycle = &nodes[start..];
    // The very edges that the trace takes, and not others between the same nodes.
    let taken = |edge: &Edge| violation.trace.steps[start..].iter().any(|step| step.action == *edge);
    let is_step = |(before, edge, after): (&u8, &Edge, &u8)| {
        graph.edges.contains(edge) && edge.from == *before && edge.to == *after && before != after
    };
    graph.initial.contains(&nodes[0])
        && violation.trace.transitions().all(is_step)
        && cycle.first() == cycle.last()
        && is_fair(graph, cycle, &taken)
        && cycle.iter().all(|node| !graph.done.contains(node))
}

quickcheck! {
    fn a_promise_is_broken_exactly_if_a_fair_trap_is_reached_and_shown_by_the_shortest_lasso(graph: Graph) -> bool {
        let found = explored(&graph);
        let lengths = |law| lasso(&found, law).map(|(stem, cycle)| (stem.len(), cycle.len()));
        lengths(EVENTUALLY) == shortest_lasso(&graph, &|node| graph.initial.contains(&node))
            && lengths(LEADS_TO) == shortest_lasso(&graph, &|node| graph.bad.contains(&node))
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

/// From each of some nodes, a step to each other, of a group of its own: all groups but one are enabled everywhere.
fn all_to_all(count: u8) -> Graph {
    let edges = (0..count).flat_map(|from| (0..count).map(move |to| of_group(from, to, to)));
    graph(&edges.collect::<Vec<_>>(), &[], &[count])
}

#[test]
fn a_cycle_satisfies_a_dozen_groups_in_the_fewest_steps() {
    let found = explored(&all_to_all(13));
    assert_eq!(lasso(&found, EVENTUALLY).map(|(stem, cycle)| (stem.len(), cycle.len())), Some((0, 13)));
}

#[test]
fn above_a_dozen_groups_a_cycle_satisfies_one_after_the_other() {
    let graph = all_to_all(14);
    let found = explored(&graph);
    assert_eq!(lasso(&found, EVENTUALLY).map(|(stem, cycle)| (stem.len(), cycle.len())), Some((0, 2 * 13)));
    assert!(found.violations.iter().all(|violation| is_real(&graph, violation)));
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
