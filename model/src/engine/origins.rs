//! How each state was first reached: a byte and two bits a state.

use std::collections::BTreeMap;

use super::graph::Node;
use super::parents::Parents;

/// The parent of each state in the order of discovery, and by which of the parent's actions it was reached. An initial
/// state has no parent; its ordinal is its place among the initial states.
#[derive(Debug, Default)]
pub(super) struct Origins {
    parents: Parents,
    ordinals: Vec<u8>,
    /// The ordinals that do not fit into a byte.
    large_ordinals: BTreeMap<Node, u32>,
}

impl Origins {
    /// How many states were reached.
    pub(super) fn len(&self) -> usize {
        self.parents.len()
    }

    /// Adds the next state; parents come in their order.
    pub(super) fn push(&mut self, parent: Option<Node>, ordinal: u32) {
        let node = self.len() as Node;
        self.parents.push(parent);
        self.ordinals.push(u8::try_from(ordinal).unwrap_or(u8::MAX));
        if ordinal >= u32::from(u8::MAX) {
            self.large_ordinals.insert(node, ordinal);
        }
    }

    pub(super) fn is_initial(&self, node: Node) -> bool {
        self.parents.of(node).is_none()
    }

    pub(super) fn ordinal(&self, node: Node) -> u32 {
        match self.ordinals[node as usize] {
            u8::MAX => self.large_ordinals[&node],
            ordinal => u32::from(ordinal),
        }
    }

    /// The states on the way to `node`, from an initial one on.
    pub(super) fn path(&self, node: Node) -> Vec<Node> {
        let mut path: Vec<Node> = std::iter::successors(Some(node), |node| self.parents.of(*node)).collect();
        path.reverse();
        path
    }
}
