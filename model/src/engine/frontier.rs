//! The states that are found and not yet expanded, in the order of discovery.

use std::collections::VecDeque;

/// The states of one level of the search. They lie in blocks, and a block is gone from memory once it is expanded.
#[derive(Debug)]
pub(super) struct Frontier<T> {
    blocks: VecDeque<Vec<T>>,
    count: usize,
}

/// The most states that are expanded between two looks at the clock and the observer: so many that handing them to
/// threads does not matter.
const BLOCK: usize = 4096;

impl<T> Frontier<T> {
    pub(super) fn new() -> Self {
        Frontier { blocks: VecDeque::new(), count: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }

    pub(super) fn push(&mut self, state: T) {
        match self.blocks.back_mut() {
            Some(block) if block.len() < BLOCK => block.push(state),
            _ => self.blocks.push_back(Vec::from([state])),
        }
        self.count += 1;
    }

    /// The first block, or no more than `max` states of it; empty if nothing is left.
    pub(super) fn take(&mut self, max: usize) -> Vec<T> {
        let Some(mut block) = self.blocks.pop_front() else { return Vec::new() };
        if block.len() > max {
            self.blocks.push_front(block.split_off(max));
        }
        self.count -= block.len();
        block
    }

    pub(super) fn into_states(self) -> impl Iterator<Item = T> {
        self.blocks.into_iter().flatten()
    }
}
