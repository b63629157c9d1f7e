//! How each state was first reached: five bytes a state.

use std::collections::BTreeMap;

use super::graph::Node;

/// The parent of each state in the order of discovery, and by which of the parent's actions it was reached. An initial
/// state has no parent; its ordinal is its place among the initial states.
#[derive(Debug, Default)]
pub(super) struct Origins {
    parents: Vec<Node>,
    ordinals: Vec<u8>,
    /// The ordinals that do not fit into a byte.
    large_ordinals: BTreeMap<Node, u32>,
}

const NO_PARENT: Node = Node::MAX;

impl Origins {
    /// How many states were reached.
    pub(super) fn len(&self) -> usize {
        self.parents.len()
    }

    pub(super) fn push(&mut self, parent: Option<Node>, ordinal: u32) {
        let node = self.parents.len() as Node;
        self.parents.push(parent.unwrap_or(NO_PARENT));
        self.ordinals.push(u8::try_from(ordinal).unwrap_or(u8::MAX));
        if ordinal >= u32::from(u8::MAX) {
            self.large_ordinals.insert(node, ordinal);
        }
    }

    pub(super) fn is_initial(&self, node: Node) -> bool {
        self.parents[node as usize] == NO_PARENT
    }

    pub(super) fn ordinal(&self, node: Node) -> u32 {
        match self.ordinals[node as usize] {
            u8::MAX => self.large_ordinals[&node],
            ordinal => u32::from(ordinal),
        }
    }

    /// The states on the way to `node`, from an initial one on.
    pub(super) fn path(&self, node: Node) -> Vec<Node> {
        let parent = |node: &Node| Some(self.parents[*node as usize]).filter(|parent| *parent != NO_PARENT);
        let mut path: Vec<Node> = std::iter::successors(Some(node), parent).collect();
        path.reverse();
        path
    }
}
