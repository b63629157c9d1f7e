//! The explored graph, kept only when a law speaks of infinite behaviours.

use super::system::FairGroup;

/// A state's place in the order of discovery.
pub(super) type Node = u32;

/// A set of fair groups.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Groups(u128);

impl Groups {
    pub(super) fn of(group: Option<FairGroup>) -> Self {
        Groups(group.map_or(0, |group| 1 << group.get()))
    }

    pub(super) fn and(self, other: Self) -> Self {
        Groups(self.0 | other.0)
    }

    pub(super) fn minus(self, other: Self) -> Self {
        Groups(self.0 & !other.0)
    }

    pub(super) fn both(self, other: Self) -> Self {
        Groups(self.0 & other.0)
    }

    pub(super) fn contains(self, group: FairGroup) -> bool {
        !self.both(Groups::of(Some(group))).is_empty()
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The set of the lowest group of this one.
    pub(super) fn first(self) -> Self {
        Groups(self.0 & self.0.wrapping_neg())
    }

    pub(super) fn count(self) -> u32 {
        self.0.count_ones()
    }
}

/// A step that changes something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edge {
    pub(super) to: Node,
    pub(super) group: Option<FairGroup>,
}

/// States by their steps, in the order of expansion, which is the order of discovery.
#[derive(Debug, Default)]
pub(super) struct Graph {
    edges: Vec<Edge>,
    /// Where each node's edges begin; one more entry than expanded nodes.
    starts: Vec<usize>,
}

impl Graph {
    /// Adds the steps of the next node.
    pub(super) fn expand(&mut self, edges: impl IntoIterator<Item = Edge>) {
        self.starts.push(self.edges.len());
        self.edges.extend(edges);
    }

    pub(super) fn node_count(&self) -> usize {
        self.starts.len()
    }

    pub(super) fn edges(&self, node: Node) -> &[Edge] {
        let start = self.starts[node as usize];
        let end = self.starts.get(node as usize + 1).copied().unwrap_or(self.edges.len());
        &self.edges[start..end]
    }

    /// The fair groups that can take a step here.
    pub(super) fn enabled(&self, node: Node) -> Groups {
        self.edges(node).iter().fold(Groups::default(), |all, edge| all.and(Groups::of(edge.group)))
    }
}
