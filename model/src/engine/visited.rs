//! The set of states already found, each with its place in the order of discovery.
//!
//! By default a state is known by its fingerprint; an exact set keeps the states themselves beside it.
//!
//! The set is in [`SHARDS`] tables, by fingerprint. They begin with different sizes and double one after the other, so
//! that little is in memory twice, and the whole is about as full at one time as at any other.

use std::hint::black_box;

use super::fingerprint::Fingerprint;
use super::graph::Node;
use super::table::{PRINT_BITS, Print, Table};

/// How many tables the set has.
const SHARDS: usize = 256;

/// How many buckets the first table begins with; each has a little more than the one before, and the last nearly twice
/// as many.
const FEWEST_BUCKETS: usize = 8;

/// How many fingerprints are best looked up in one go: so many that a core waits for all of them at once, and so few
/// that the first are still in its cache when the last arrive.
pub(super) const BURST: usize = 64;

/// The birthday bound on the chance that any two of `count` states were taken for one: which table a fingerprint is in
/// tells it apart as much as what stands there.
pub(super) fn collision_odds(count: usize) -> f64 {
    let count = count as f64;
    count * count / 2.0 / 2f64.powi((PRINT_BITS + SHARDS.ilog2()) as i32)
}

fn shard_of(fingerprint: Fingerprint) -> usize {
    fingerprint as usize % SHARDS
}

/// The states found so far.
#[derive(Debug)]
pub(super) struct Visited<T> {
    shards: Vec<Table>,
    /// The states by place, if they are kept.
    states: Option<Vec<T>>,
    count: Node,
}

impl<T: Clone + Eq> Visited<T> {
    /// An empty set; if it `keeps_places`, it knows where a state stands in the order of discovery.
    pub(super) fn new(keeps_places: bool, is_exact: bool) -> Self {
        let size = |shard| FEWEST_BUCKETS + FEWEST_BUCKETS * shard / SHARDS;
        let shards = (0..SHARDS).map(|shard| Table::new(size(shard), keeps_places || is_exact));
        Visited { shards: shards.collect(), states: is_exact.then(Vec::new), count: 0 }
    }

    /// Brings what is known of some fingerprints into a core's cache; no more than a [`BURST`] of them.
    ///
    /// To look up is a random access to memory, and that is nearly all of its cost. These loads do not depend on one
    /// another, so that all of them are under way at once.
    pub(super) fn touch(&self, fingerprints: &[Fingerprint]) {
        let touch =
            |fingerprint: &Fingerprint| self.shards[shard_of(*fingerprint)].touch(Print::of(*fingerprint));
        black_box(fingerprints.iter().map(touch).fold(0, |all, touched| all ^ touched));
    }

    /// Inserts a state unless it is there; answers with its place, which means nothing if it is not new and places are
    /// not kept, and whether it is new.
    #[inline]
    pub(super) fn insert(&mut self, fingerprint: Fingerprint, state: &T) -> (Node, bool) {
        let states = &self.states;
        let is_right = |place| states.as_ref().is_none_or(|states| states[place as usize] == *state);
        let known = self.shards[shard_of(fingerprint)].insert(Print::of(fingerprint), self.count, is_right);
        if let Some(place) = known {
            return (place, false);
        }
        if let Some(states) = &mut self.states {
            states.push(state.clone());
        }
        let place = self.count;
        self.count = place.checked_add(1).expect("an exploration ends before 2^32 states, as documented");
        (place, true)
    }

    /// The place of a state, if it was found and places are kept.
    pub(super) fn find(&self, fingerprint: Fingerprint, state: &T) -> Option<Node> {
        let is_right = |place| self.states.as_ref().is_none_or(|states| states[place as usize] == *state);
        self.shards[shard_of(fingerprint)].find(Print::of(fingerprint), is_right)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eighty_eight_bits_of_a_fingerprint_tell_states_apart() {
        assert_eq!(collision_odds(0), 0.0);
        // By the birthday bound, as many as the root of all there are come to one half.
        assert_eq!(collision_odds(1 << 44), 0.5);
        let mut visited = Visited::new(true, false);
        let told = |bit: u32| visited.insert(1 << bit, &bit).1;
        assert_eq!((0..128).map(told).filter(|is_new| *is_new).count(), 88 + 1);
    }

    #[test]
    fn each_state_has_its_place_in_the_order_of_discovery() {
        let mixed = |state: u32| u128::from(state).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        for is_exact in [false, true] {
            let mut visited = Visited::new(true, is_exact);
            let mut insert = |state: u32| visited.insert(mixed(state), &state);
            for state in 0..5_000 {
                assert_eq!(insert(state), (state, true));
                assert_eq!(insert(state / 2), (state / 2, false));
            }
            assert_eq!(visited.find(mixed(77), &77), Some(77));
            assert_eq!(visited.find(mixed(5_000), &5_000), None);
        }
    }
}
