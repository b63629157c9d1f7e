//! The explorer against a naive one, on random graphs, and on graphs with known answers.

use std::collections::BTreeMap;

use lawspeaker_history::{Guarantee, Op};
use lawspeaker_model::engine::{
    Exploration, Law, Limits, Signal, Stop, System, Telling, When, Witness, explore,
};
use quickcheck::{Arbitrary, Gen, quickcheck};
use stateright::{Model, Property};

/// A graph over a few nodes: node 0 is initial; some edges are faults, some nodes are bad, some are done.
#[derive(Clone, Debug, Default, PartialEq)]
struct Graph {
    edges: Vec<Edge>,
    bad: Vec<u8>,
    done: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Edge {
    from: u8,
    to: u8,
    is_fault: bool,
}

const NODES: u8 = 9;

impl Arbitrary for Graph {
    fn arbitrary(g: &mut Gen) -> Self {
        let node = |g: &mut Gen| u8::arbitrary(g) % NODES;
        let edge = |g: &mut Gen| Edge { from: node(g), to: node(g), is_fault: u8::arbitrary(g) % 4 == 0 };
        let edge_count = usize::arbitrary(g) % 20;
        Graph {
            edges: (0..edge_count).map(|_| edge(g)).collect(),
            bad: vec![node(g), node(g)],
            done: vec![node(g), node(g), node(g)],
        }
    }

    fn shrink(&self) -> Box<dyn Iterator<Item = Self>> {
        let whole = self.clone();
        Box::new((0..self.edges.len()).map(move |place| {
            let mut smaller = whole.clone();
            smaller.edges.remove(place);
            smaller
        }))
    }
}

impl Model for Graph {
    type State = u8;
    type Action = Edge;

    fn init_states(&self) -> Vec<u8> {
        vec![0]
    }

    fn actions(&self, state: &u8, actions: &mut Vec<Edge>) {
        actions.extend(self.edges.iter().filter(|edge| edge.from == *state));
    }

    fn next_state(&self, _: &u8, edge: Edge) -> Option<u8> {
        Some(edge.to)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        lawspeaker_model::engine::properties(self)
    }
}

impl System for Graph {
    fn is_fault(&self, edge: &Edge) -> bool {
        edge.is_fault
    }

    fn is_done(&self, state: &u8) -> bool {
        self.done.contains(state)
    }

    fn laws(&self) -> Vec<Law<Self>> {
        vec![
            Law {
                guarantee: Guarantee::NoCreation,
                when: When::Always,
                says: "no bad node is reached",
                holds: |graph, state| !graph.bad.contains(state),
            },
            Law {
                guarantee: Guarantee::NoDeadlock,
                when: When::Quiescent,
                says: "only done nodes are quiescent",
                holds: |graph: &Self, state| graph.is_done(state),
            },
        ]
    }

    fn witnesses(&self) -> Vec<Witness<Self>> {
        vec![Witness { says: "the last node is reached", is_met: |_, _, _, after| *after == NODES - 1 }]
    }

    fn kind(&self, edge: &Edge) -> &'static str {
        if edge.is_fault { "fault" } else { "step" }
    }

    fn action_kinds(&self) -> &'static [&'static str] {
        &["fault", "step"]
    }

    fn tell(&self, before: &u8, _: &Edge, after: &u8) -> Telling {
        Telling::new(before.to_string(), after.to_string())
    }

    fn picture(&self, state: &u8) -> Vec<String> {
        vec![state.to_string()]
    }

    fn opening_ops(&self, _: &u8) -> Vec<Op> {
        Vec::new()
    }

    fn ops(&self, _: &u8, _: &Edge, _: &u8) -> Vec<Op> {
        Vec::new()
    }

    fn closing_ops(&self, _: &u8) -> Vec<Op> {
        Vec::new()
    }
}

fn explored(graph: &Graph) -> Exploration<Graph> {
    explore(graph, Limits::default(), &mut |_| Signal::Continue)
}

/// Distances from node 0, by relaxing every edge until nothing changes.
fn distances(graph: &Graph) -> BTreeMap<u8, usize> {
    let mut distances = BTreeMap::from([(0, 0)]);
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
        let broken_in = |law: usize| {
            found.violations.iter().find(|violation| violation.law == law).map(|violation| violation.trace.steps.len())
        };
        let reached_edges = graph.edges.iter().filter(|edge| distances.contains_key(&edge.from)).count();
        found.stop == Stop::Complete
            && found.state_count == distances.len()
            && found.generated_count == 1 + reached_edges
            && found.depth == distances.values().copied().max().unwrap_or(0)
            && broken_in(0) == nearest(&|node| graph.bad.contains(&node))
            && broken_in(1) == nearest(&|node| is_quiescent(&graph, node) && !graph.done.contains(&node))
            && found.witnesses_met[0] == graph.edges.iter().any(|e| e.to == NODES - 1 && distances.contains_key(&e.from))
    }

    fn every_step_of_a_trace_is_a_transition(graph: Graph) -> bool {
        explored(&graph).violations.iter().all(|violation| {
            violation.trace.transitions().all(|(before, edge, after)| {
                graph.edges.contains(edge) && edge.from == *before && edge.to == *after
            })
        })
    }

    fn two_runs_are_the_same(graph: Graph) -> bool {
        explored(&graph) == explored(&graph)
    }
}

fn graph(edges: &[(u8, u8, bool)], bad: &[u8], done: &[u8]) -> Graph {
    let edge = |(from, to, is_fault): &(u8, u8, bool)| Edge { from: *from, to: *to, is_fault: *is_fault };
    Graph { edges: edges.iter().map(edge).collect(), bad: bad.to_vec(), done: done.to_vec() }
}

fn deadlock_steps(graph: &Graph) -> Option<usize> {
    explored(graph).violations.iter().find(|violation| violation.law == 1).map(|v| v.trace.steps.len())
}

#[test]
fn a_fault_that_could_still_happen_does_not_hide_a_deadlock() {
    assert_eq!(deadlock_steps(&graph(&[(0, 1, false), (1, 2, true), (2, 3, false)], &[], &[3])), Some(1));
}

#[test]
fn a_step_that_changes_nothing_does_not_hide_a_deadlock() {
    assert_eq!(deadlock_steps(&graph(&[(0, 1, false), (1, 1, false)], &[], &[0])), Some(1));
}

#[test]
fn resting_where_the_work_is_done_is_no_deadlock() {
    assert_eq!(deadlock_steps(&graph(&[(0, 1, false), (1, 0, true)], &[], &[1])), None);
}

#[test]
fn the_trace_is_shortest_for_every_law_in_one_run() {
    // Node 3 is bad and two steps away by way of 2, three by way of 1 and 4; node 5 is stuck, three away.
    let edges = [(0, 1, false), (1, 4, false), (4, 3, false), (0, 2, false), (2, 3, false), (3, 5, false)];
    let found = explored(&graph(&edges, &[3], &[]));
    let lengths: Vec<_> = found.violations.iter().map(|violation| violation.trace.steps.len()).collect();
    assert_eq!(lengths, [2, 3]);
}

#[test]
fn a_limit_that_is_hit_is_reported() {
    let line: Vec<_> = (0..8).map(|node| (node, node + 1, false)).collect();
    let line = graph(&line, &[8], &[]);
    let stop = |limits, signal| explore(&line, limits, &mut |_| signal).stop;
    let unlimited = Limits::default();
    assert_eq!(stop(unlimited, Signal::Continue), Stop::Complete);
    assert_eq!(stop(unlimited, Signal::Stop), Stop::Interrupted);
    assert_eq!(stop(Limits { max_states: Some(3), ..unlimited }, Signal::Continue), Stop::MaxStates);
    assert_eq!(stop(Limits { max_depth: Some(3), ..unlimited }, Signal::Continue), Stop::MaxDepth);
    let none = Some(std::time::Duration::ZERO);
    assert_eq!(stop(Limits { timeout: none, ..unlimited }, Signal::Continue), Stop::Timeout);
}
