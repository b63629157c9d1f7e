//! From where each state was first reached: two bits a state.

use super::graph::Node;

/// The parents of states, in the order of discovery. Breadth-first, the states of one parent are found together, and
/// parents come in their own order.
///
/// So a bit stands for each state, 0, and before it a bit for each place by which its parent lies further on than the
/// parent before, 1: how many of these there are up to a state says which its parent is (Elias, *Efficient storage and
/// retrieval by content and address of static files*, 1974; Fano, 1971).
#[derive(Debug, Default)]
pub(super) struct Parents {
    words: Vec<u64>,
    bit_count: usize,
    state_count: usize,
    /// The bits that stand for the first state, and each so many states on.
    marks: Vec<usize>,
    /// How many bits are 1.
    further_count: usize,
}

/// How many states lie between two marks.
const STRIDE: usize = 512;

impl Parents {
    /// How many states have been added.
    pub(super) fn len(&self) -> usize {
        self.state_count
    }

    /// Adds the next state; an initial one has no parent, and comes before all that have. O(1) amortized.
    pub(super) fn push(&mut self, parent: Option<Node>) {
        let further_count = parent.map_or(0, |parent| parent as usize + 1);
        assert!(self.further_count <= further_count, "states are found in the order of their parents");
        (self.further_count..further_count).for_each(|_| self.push_bit(1));
        self.further_count = further_count;
        if self.state_count.is_multiple_of(STRIDE) {
            self.marks.push(self.bit_count);
        }
        self.push_bit(0);
        self.state_count += 1;
    }

    fn push_bit(&mut self, bit: u64) {
        let place = self.bit_count % 64;
        if place == 0 {
            self.words.push(0);
        }
        *self.words.last_mut().expect("one was pushed") |= bit << place;
        self.bit_count += 1;
    }

    /// The parent of a state; `None` for an initial one. Some hundred states are passed over, and the parents
    /// without children among theirs.
    pub(super) fn of(&self, node: Node) -> Option<Node> {
        let node = node as usize;
        let mark = self.marks[node / STRIDE];
        let mut to_pass = node % STRIDE;
        let mut place = mark / 64;
        let mut states = !self.words[place] & u64::MAX << (mark % 64);
        while to_pass >= states.count_ones() as usize {
            to_pass -= states.count_ones() as usize;
            place += 1;
            states = !self.words[place];
        }
        for _ in 0..to_pass {
            states &= states - 1;
        }
        let bit = place * 64 + states.trailing_zeros() as usize;
        (bit - node).checked_sub(1).map(|parent| parent as Node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_the_parent_that_it_was_added_with() {
        // Few children and many, in turn, and long rows of parents without any.
        let children = |parent: Node| match parent % 7 {
            0 => 0,
            1 => parent % 100,
            2 => u32::from(parent.is_multiple_of(5)) * 3 * STRIDE as u32,
            _ => u32::from(parent % 1_000 < 500),
        };
        let later = (0..3_000).flat_map(|parent| (0..children(parent)).map(move |_| Some(parent)));
        let expected: Vec<Option<Node>> = [None; 3].into_iter().chain(later).collect();
        let mut parents = Parents::default();
        expected.iter().for_each(|parent| parents.push(*parent));
        assert_eq!(parents.len(), expected.len());
        assert!((0..).zip(&expected).all(|(node, parent)| parents.of(node) == *parent));
    }
}
