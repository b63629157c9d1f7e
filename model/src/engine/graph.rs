//! The explored graph, kept only when a law speaks of infinite behaviours.

use std::ops::Range;

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

/// States by their steps, in the order of expansion, which is the order of discovery. Five bytes a step, and eight a
/// state.
#[derive(Debug, Default)]
pub(super) struct Graph {
    /// Where each step leads.
    targets: Vec<Node>,
    /// The fair group of each.
    groups: Vec<u8>,
    /// Where each node's steps begin.
    starts: Vec<usize>,
}

/// No fair group has this number.
const NO_GROUP: u8 = FairGroup::COUNT;

impl Graph {
    /// Adds the steps of the next node.
    pub(super) fn expand(&mut self, edges: impl IntoIterator<Item = Edge>) {
        self.starts.push(self.targets.len());
        for edge in edges {
            self.targets.push(edge.to);
            self.groups.push(edge.group.map_or(NO_GROUP, FairGroup::get));
        }
    }

    pub(super) fn node_count(&self) -> usize {
        self.starts.len()
    }

    fn steps(&self, node: Node) -> Range<usize> {
        let start = self.starts[node as usize];
        start..self.starts.get(node as usize + 1).copied().unwrap_or(self.targets.len())
    }

    pub(super) fn edges(&self, node: Node) -> impl Iterator<Item = Edge> {
        let groups = &self.groups[self.steps(node)];
        self.targets(node).iter().zip(groups).map(|(to, group)| Edge { to: *to, group: group_of(*group) })
    }

    /// Where the steps of a node lead.
    pub(super) fn targets(&self, node: Node) -> &[Node] {
        &self.targets[self.steps(node)]
    }

    /// The fair groups that can take a step here.
    pub(super) fn enabled(&self, node: Node) -> Groups {
        let groups = self.groups[self.steps(node)].iter();
        groups.fold(Groups::default(), |all, group| all.and(Groups::of(group_of(*group))))
    }
}

fn group_of(number: u8) -> Option<FairGroup> {
    (number != NO_GROUP).then(|| FairGroup::new(number))
}
