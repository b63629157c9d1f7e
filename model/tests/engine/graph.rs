//! A model that is a small graph: random ones, and ones written down.

use lawspeaker_history::Guarantee;
use lawspeaker_model::engine::{
    Exploration, FairGroup, Law, Options, Signal, System, When, Witness, explore,
};
use quickcheck::{Arbitrary, Gen};
use stateright::{Model, Property};

/// A graph over a few nodes: some are initial; some edges are faults, others belong to a fair group; some nodes are bad,
/// some are done.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Graph {
    pub(crate) initial: Vec<u8>,
    pub(crate) edges: Vec<Edge>,
    pub(crate) bad: Vec<u8>,
    pub(crate) done: Vec<u8>,
    /// The last node within the model's own boundary.
    pub(crate) boundary: Option<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Edge {
    pub(crate) from: u8,
    pub(crate) to: u8,
    pub(crate) is_fault: bool,
    pub(crate) group: Option<u8>,
}

pub(crate) const NODES: u8 = 7;

impl Arbitrary for Graph {
    fn arbitrary(g: &mut Gen) -> Self {
        let node = |g: &mut Gen| u8::arbitrary(g) % NODES;
        let edge = |g: &mut Gen| {
            let is_fault = u8::arbitrary(g) % 4 == 0;
            let group = Some(u8::arbitrary(g) % 4).filter(|group| !is_fault && *group < 3);
            Edge { from: node(g), to: node(g), is_fault, group }
        };
        let edge_count = usize::arbitrary(g) % 20;
        Graph {
            initial: (0..1 + u8::arbitrary(g) % 2).map(|_| node(g)).collect(),
            edges: (0..edge_count).map(|_| edge(g)).collect(),
            bad: vec![node(g), node(g)],
            done: vec![node(g), node(g), node(g)],
            boundary: None,
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
        self.initial.clone()
    }

    fn actions(&self, state: &u8, actions: &mut Vec<Edge>) {
        actions.extend(self.edges.iter().filter(|edge| edge.from == *state));
    }

    fn next_state(&self, _: &u8, edge: Edge) -> Option<u8> {
        Some(edge.to)
    }

    fn within_boundary(&self, node: &u8) -> bool {
        self.boundary.is_none_or(|last| *node <= last)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        lawspeaker_model::engine::properties(self)
    }
}

impl System for Graph {
    fn is_fault(&self, edge: &Edge) -> bool {
        edge.is_fault
    }

    fn fair_group(&self, edge: &Edge) -> Option<FairGroup> {
        edge.group.map(FairGroup::new)
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
            Law::no_deadlock("only done nodes are quiescent"),
            Law {
                guarantee: Guarantee::SagaTermination,
                when: When::Eventually,
                says: "in the end, a done node is reached",
                holds: |graph: &Self, state| graph.is_done(state),
            },
            Law {
                guarantee: Guarantee::AtLeastOnce,
                when: When::LeadsTo(|graph, state| graph.bad.contains(state)),
                says: "from a bad node, a done node is reached in the end",
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
}

pub(crate) fn explored(graph: &Graph) -> Exploration<Graph> {
    explore(graph, Options::default(), &mut |_| Signal::Continue)
}

/// An edge without fault, of fair group 0.
pub(crate) fn fair(from: u8, to: u8) -> Edge {
    Edge { from, to, is_fault: false, group: Some(0) }
}

/// An edge of the environment.
pub(crate) fn fault(from: u8, to: u8) -> Edge {
    Edge { from, to, is_fault: true, group: None }
}

/// A graph that begins in node 0.
pub(crate) fn graph(edges: &[Edge], bad: &[u8], done: &[u8]) -> Graph {
    Graph { initial: vec![0], edges: edges.to_vec(), bad: bad.to_vec(), done: done.to_vec(), boundary: None }
}

/// Steps to where a law is broken, by its place; for a lasso, to where its cycle starts.
pub(crate) fn broken_in(found: &Exploration<Graph>, law: usize) -> Option<usize> {
    let violation = found.violations.iter().find(|violation| violation.law == law)?;
    Some(violation.cycle_start.unwrap_or(violation.trace.steps.len()))
}
