//! The successors of a run of states, each once.
//!
//! Steps that do not touch one another can be taken in any order, and lead to the same state. Breadth-first search
//! generates it from neighbours, one soon after the other: a third to two thirds of all successors are among the last
//! few thousand before them. To find them here, in a core's own cache, spares the set of all states a random access to
//! memory each, and everybody the handling of one more state. Those that are not found here are found there.
//!
//! A state that is small is compared itself, and only if it is not found here its fingerprint is taken, which costs more
//! than that. A large one is known by its fingerprint here too.

use std::hash::{BuildHasher, Hash};

use rustc_hash::FxBuildHasher;

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
    /// By the lowest bits of a state's mark: the highest bits of one, and a position where it may stand. What is written
    /// here may be of a former run, or of another state, so that nothing is believed that does not stand there.
    slots: Vec<(u32, u32)>,
    is_exact: bool,
}

/// How many slots there are: they fit into the cache next to a core, beside what else it works on.
const SLOTS: usize = 16384;

impl<T: Eq + Hash> Successors<T> {
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

    /// Whether states are told apart by themselves: those that fill no more than two words.
    const ARE_SMALL: bool = size_of::<T>() <= 16;

    /// Takes a state, if there is one, unless it is found to be here; answers with its position.
    #[inline]
    pub(super) fn add(
        &mut self,
        state: &mut Option<T>,
        origin: Origin,
        fingerprint: impl FnOnce(&T) -> Fingerprint,
    ) -> Option<u32> {
        if Self::ARE_SMALL {
            let state = state.take()?;
            let is_it = |all: &Self, place: usize| all.states.get(place) == Some(&state);
            let known = self.find(FxBuildHasher.hash_one(&state), is_it);
            known.or_else(|| {
                let fingerprint = fingerprint(&state);
                Some(self.push(state, fingerprint, origin))
            })
        } else {
            let fingerprint = fingerprint(state.as_ref()?);
            let is_it = |all: &Self, place: usize| {
                all.fingerprints.get(place) == Some(&fingerprint)
                    && (!all.is_exact || all.states.get(place) == state.as_ref())
            };
            let known = self.find((fingerprint >> 64) as u64, is_it);
            known.or_else(|| Some(self.push(state.take()?, fingerprint, origin)))
        }
    }

    /// The position of a state with the given mark that `is_it`, if it is still remembered; if not, the next state that
    /// is added will be.
    #[inline]
    fn find(&mut self, mark: u64, is_it: impl FnOnce(&Self, usize) -> bool) -> Option<u32> {
        let (slot, tag) = (mark as usize % SLOTS, (mark >> 32) as u32);
        let (known_tag, known) = self.slots[slot];
        if known_tag == tag && is_it(self, known as usize) {
            return Some(known);
        }
        self.slots[slot] = (tag, self.states.len() as u32);
        None
    }

    #[inline]
    fn push(&mut self, state: T, fingerprint: Fingerprint, origin: Origin) -> u32 {
        let position = self.states.len() as u32;
        self.states.push(state);
        self.fingerprints.push(fingerprint);
        self.origins.push(origin);
        position
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGIN: Origin = Origin { parent: None, ordinal: 0 };

    /// A state that is known by its fingerprint.
    type Large = [u32; 5];

    fn large(state: u32) -> Large {
        [state; 5]
    }

    /// A fingerprint with the given mark.
    fn marked(mark: u128) -> Fingerprint {
        mark << 64
    }

    /// Where states of the given fingerprints come to stand.
    fn positions<T: Copy + Eq + Hash>(
        successors: &mut Successors<T>,
        states: &[(T, Fingerprint)],
    ) -> Vec<u32> {
        let add = |(state, fingerprint): &(T, Fingerprint)| {
            successors.add(&mut Some(*state), ORIGIN, |_| *fingerprint).expect("there is a state")
        };
        states.iter().map(add).collect()
    }

    #[test]
    fn what_is_still_remembered_is_not_added_again() {
        let mut successors = Successors::new(false);
        let (one, two, other) = (marked(7), marked(8), marked(7 + SLOTS as u128));
        // The fourth takes the slot of the first, so that the first is added again: the set of all states finds it.
        let states = [(1, one), (2, two), (1, one), (3, other), (1, one), (2, two)];
        let states = states.map(|(state, fingerprint)| (large(state), fingerprint));
        assert_eq!(positions(&mut successors, &states), [0, 1, 0, 2, 3, 1]);
        assert_eq!(successors.states, [1, 2, 3, 1].map(large));
    }

    #[test]
    fn nothing_is_remembered_of_a_former_run() {
        let mut successors = Successors::new(false);
        positions(&mut successors, &[(large(1), marked(7)), (large(2), marked(8))]);
        successors.clear();
        assert_eq!(positions(&mut successors, &[(large(2), marked(8)), (large(1), marked(7))]), [0, 1]);
        let mut small = Successors::new(false);
        positions(&mut small, &[(1_u8, 0), (2, 0)]);
        small.clear();
        assert_eq!(positions(&mut small, &[(2, 0), (1, 0)]), [0, 1]);
    }

    #[test]
    fn large_states_of_one_fingerprint_are_told_apart_if_that_is_asked_for() {
        let states = [1, 2, 2].map(|state| (large(state), marked(7)));
        assert_eq!(positions(&mut Successors::new(true), &states), [0, 1, 1]);
        assert_eq!(positions(&mut Successors::new(false), &states), [0, 0, 0]);
    }

    #[test]
    fn small_states_are_told_apart_by_themselves_and_only_the_first_gets_a_fingerprint() {
        let mut successors = Successors::new(false);
        assert_eq!(positions(&mut successors, &[(1_u64, 7), (2, 7), (1, 8), (2, 9)]), [0, 1, 0, 1]);
        assert_eq!(successors.fingerprints, [7, 7]);
    }
}
