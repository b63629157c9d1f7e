//! The states that are found and not yet expanded, in the order of discovery.

use std::collections::VecDeque;

/// The states of one level of the search. They lie in runs, and a run is gone from memory once it is expanded.
#[derive(Debug)]
pub(super) struct Frontier<T> {
    runs: VecDeque<Vec<T>>,
    count: usize,
}

/// How many states are expanded in one go: so few that their successors stay in a core's cache until they are merged,
/// and so many that most states that are generated twice are generated twice in one go.
const RUN: usize = 2048;

/// The most states that are expanded between two looks at the clock and the observer: so many that to start threads for
/// them does not matter.
const BLOCK: usize = 32 * RUN;

impl<T> Frontier<T> {
    pub(super) fn new() -> Self {
        Frontier { runs: VecDeque::new(), count: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }

    pub(super) fn push(&mut self, state: T) {
        match self.runs.back_mut() {
            Some(run) if run.len() < RUN => run.push(state),
            _ => {
                let mut run = Vec::with_capacity(RUN);
                run.push(state);
                self.runs.push_back(run);
            }
        }
        self.count += 1;
    }

    /// The first runs: a block, or no more than `max` states of it.
    pub(super) fn take(&mut self, max: usize) -> Vec<Vec<T>> {
        let mut left = max.min(BLOCK);
        let mut block = Vec::new();
        while left > 0 {
            let Some(mut run) = self.runs.pop_front() else { break };
            if run.len() > left {
                self.runs.push_front(run.split_off(left));
            }
            left -= run.len();
            self.count -= run.len();
            block.push(run);
        }
        block
    }

    pub(super) fn into_states(self) -> impl Iterator<Item = T> {
        self.runs.into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_taken_in_order_in_runs_and_no_more_than_were_asked_for() {
        let mut frontier = Frontier::new();
        (0..3 * RUN).for_each(|state| frontier.push(state));
        let lengths = |block: &[Vec<usize>]| block.iter().map(Vec::len).collect::<Vec<_>>();
        let (first, second) = (frontier.take(RUN + 1), frontier.take(1));
        assert_eq!((lengths(&first), lengths(&second)), (vec![RUN, 1], vec![1]));
        assert_eq!(frontier.len(), 2 * RUN - 2);
        let third = frontier.take(usize::MAX);
        assert_eq!(lengths(&third), [RUN - 2, RUN]);
        assert!([first, second, third].into_iter().flatten().flatten().eq(0..3 * RUN));
        assert_eq!(frontier.len(), 0);
    }

    #[test]
    fn a_block_is_no_longer_than_it_may_be() {
        let mut frontier = Frontier::new();
        (0..BLOCK + 1).for_each(|state| frontier.push(state));
        assert_eq!(frontier.take(usize::MAX).iter().map(Vec::len).sum::<usize>(), BLOCK);
        assert!(frontier.into_states().eq([BLOCK]));
    }
}
