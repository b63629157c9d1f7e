//! Strongly connected components: Tarjan, *Depth-first search and linear graph algorithms*, 1972.

use super::graph::{Graph, Node};

/// Hands each component of the subgraph of nodes for which `is_within` to `found`, its nodes in order; O(nodes + edges),
/// and O(nodes log nodes) for the order.
///
/// Without recursion: a chain of a million states must not exhaust the stack.
pub(super) fn components(graph: &Graph, is_within: &[bool], found: &mut dyn FnMut(&[Node])) {
    let mut tarjan = Tarjan {
        graph,
        is_within,
        number: vec![UNSEEN; graph.node_count()],
        low: vec![0; graph.node_count()],
        is_open: vec![false; graph.node_count()],
        open: Vec::new(),
        next_number: 0,
        found,
    };
    for root in 0..graph.node_count() as Node {
        if is_within[root as usize] && tarjan.number[root as usize] == UNSEEN {
            tarjan.visit(root);
        }
    }
}

const UNSEEN: u32 = u32::MAX;

struct Tarjan<'a> {
    graph: &'a Graph,
    is_within: &'a [bool],
    number: Vec<u32>,
    low: Vec<u32>,
    is_open: Vec<bool>,
    open: Vec<Node>,
    next_number: u32,
    found: &'a mut dyn FnMut(&[Node]),
}

impl Tarjan<'_> {
    fn visit(&mut self, root: Node) {
        // Each frame is a node and how many of its steps were followed.
        let mut path = vec![(root, 0)];
        self.enter(root);
        while let Some((node, followed)) = path.last_mut() {
            let node = *node;
            let target = self.graph.targets(node).get(*followed).copied();
            *followed += 1;
            match target {
                Some(target) if !self.is_within[target as usize] => {}
                Some(target) if self.number[target as usize] == UNSEEN => {
                    self.enter(target);
                    path.push((target, 0));
                }
                Some(target) if self.is_open[target as usize] => {
                    self.low[node as usize] = self.low[node as usize].min(self.number[target as usize]);
                }
                Some(_) => {}
                None => {
                    path.pop();
                    self.leave(node, path.last().map(|(parent, _)| *parent));
                }
            }
        }
    }

    fn enter(&mut self, node: Node) {
        self.number[node as usize] = self.next_number;
        self.low[node as usize] = self.next_number;
        self.is_open[node as usize] = true;
        self.next_number += 1;
        self.open.push(node);
    }

    fn leave(&mut self, node: Node, parent: Option<Node>) {
        let low = self.low[node as usize];
        if let Some(parent) = parent {
            self.low[parent as usize] = self.low[parent as usize].min(low);
        }
        if low == self.number[node as usize] {
            let place =
                self.open.iter().rposition(|open| *open == node).expect("a node is open until it is left");
            let component = &mut self.open[place..];
            component.iter().for_each(|node| self.is_open[*node as usize] = false);
            component.sort_unstable();
            (self.found)(component);
            self.open.truncate(place);
        }
    }
}
