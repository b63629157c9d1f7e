//! The successors of a run of states, each once.
//!
//! Steps that do not touch one another can be taken in any order, and lead to the same state. Breadth-first search
//! generates it from neighbours, one soon after the other: a third to two thirds of all successors are among the last
//! few thousand before them. To find them here, in a core's own cache, spares the set of all states a random access to
//! memory each, and everybody the handling of one more state. Those that are not found here are found there.

use super::fingerprint::Fingerprint;

/// How a state was reached.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin {
    /// From which state of the run; `None` for an initial state.
    pub(super) parent: Option<u32>,
    /// By which of that state's actions; for an initial state, its place among them.
    pub(super) ordinal: u32,
}

/// Successors in the order in which they were first reached. At the same position of three vectors stands what is
/// known of each: what is looked at together lies together.
#[derive(Debug)]
pub(super) struct Successors<T> {
    pub(super) states: Vec<T>,
    pub(super) fingerprints: Vec<Fingerprint>,
    pub(super) origins: Vec<Origin>,
    /// By the lowest bits of a fingerprint: some other bits of one, and a position where it may stand. What is written
    /// here may be of a former run, or of another fingerprint, so that nothing is believed that does not stand there.
    slots: Vec<(u32, u32)>,
    is_exact: bool,
}

/// How many slots there are: they fit into the cache next to a core, beside what else it works on.
const SLOTS: usize = 16384;

impl<T: Eq> Successors<T> {
    /// None yet; if it `is_exact`, states are told apart by themselves and not only by their fingerprints.
    pub(super) fn new(is_exact: bool) -> Self {
        Successors {
            states: Vec::new(),
            fingerprints: Vec::new(),
            origins: Vec::new(),
            slots: vec![(0, 0); SLOTS],
            is_exact,
        }
    }

    /// Forgets everything, and keeps the room for it.
    pub(super) fn clear(&mut self) {
        self.states.clear();
        self.fingerprints.clear();
        self.origins.clear();
    }

    /// Adds a state, if there is one, unless it is found to be here; answers with its position.
    #[inline]
    pub(super) fn add(&mut self, state: Option<T>, fingerprint: Fingerprint, origin: Origin) -> Option<u32> {
        let slot = &mut self.slots[fingerprint as usize % SLOTS];
        let (tag, (known_tag, known)) = ((fingerprint >> 64) as u32, *slot);
        if known_tag == tag
            && self.fingerprints.get(known as usize) == Some(&fingerprint)
            && (!self.is_exact || state.as_ref() == self.states.get(known as usize))
        {
            return Some(known);
        }
        let position = self.states.len() as u32;
        *slot = (tag, position);
        self.states.push(state?);
        self.fingerprints.push(fingerprint);
        self.origins.push(origin);
        Some(position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGIN: Origin = Origin { parent: None, ordinal: 0 };

    /// Where states of the given fingerprints come to stand.
    fn positions(successors: &mut Successors<u32>, states: &[(u32, Fingerprint)]) -> Vec<u32> {
        let add = |(state, fingerprint): &(u32, Fingerprint)| {
            successors.add(Some(*state), *fingerprint, ORIGIN).expect("there is a state")
        };
        states.iter().map(add).collect()
    }

    #[test]
    fn what_is_still_remembered_is_not_added_again() {
        let mut successors = Successors::new(false);
        let other = 7 + SLOTS as Fingerprint;
        // The fourth takes the slot of the first, so that the first is added again: the set of all states finds it.
        let states = [(1, 7), (2, 8), (1, 7), (3, other), (1, 7), (2, 8)];
        assert_eq!(positions(&mut successors, &states), [0, 1, 0, 2, 3, 1]);
        assert_eq!(successors.states, [1, 2, 3, 1]);
    }

    #[test]
    fn nothing_is_remembered_of_a_former_run() {
        let mut successors = Successors::new(false);
        positions(&mut successors, &[(1, 7), (2, 8)]);
        successors.clear();
        assert_eq!(positions(&mut successors, &[(2, 8), (1, 7)]), [0, 1]);
    }

    #[test]
    fn states_of_one_fingerprint_are_told_apart_if_that_is_asked_for() {
        let states = [(1, 7), (2, 7), (2, 7)];
        assert_eq!(positions(&mut Successors::new(true), &states), [0, 1, 1]);
        assert_eq!(positions(&mut Successors::new(false), &states), [0, 0, 0]);
    }
}
