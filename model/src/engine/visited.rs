//! The set of states already found, each with its place in the order of discovery.
//!
//! By default a state is told from others by a keyed 128-bit fingerprint. An unkeyed 64-bit multiply hash is not
//! enough: with one, an exploration of three million states silently lost three in a hundred. SipHash-1-3 with 128
//! bits (Aumasson and Bernstein, 2012) mixes every input bit. Exact sets keep the states themselves.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasherDefault, Hash, Hasher};

use siphasher::sip128::{Hasher128, SipHasher13};

use super::graph::Node;

/// A state's fingerprint.
pub(super) type Fingerprint = u128;

/// Two arbitrary words: any key will do, as long as every run uses the same.
const KEY: (u64, u64) = (0x6c61_7773_7065_616b, 0x6572_2061_7420_7468);

/// The fingerprint of a state.
pub(super) fn fingerprint<T: Hash>(state: &T) -> Fingerprint {
    let mut hasher = SipHasher13::new_with_keys(KEY.0, KEY.1);
    state.hash(&mut hasher);
    hasher.finish128().as_u128()
}

/// The birthday bound on the chance that any two of `count` states share a fingerprint.
pub(super) fn collision_odds(count: usize) -> f64 {
    let count = count as f64;
    count * count / 2.0 / 2f64.powi(128)
}

/// The states found so far.
#[derive(Debug)]
pub(super) enum Visited<T> {
    /// By fingerprint: 20 bytes a state, and what the table keeps free.
    Fingerprints(HashMap<Fingerprint, Node, BuildHasherDefault<LowBits>>),
    /// By the whole state.
    Exact(HashMap<T, Node>),
}

impl<T: Clone + Eq + Hash> Visited<T> {
    pub(super) fn new(is_exact: bool) -> Self {
        if is_exact { Visited::Exact(HashMap::new()) } else { Visited::Fingerprints(HashMap::default()) }
    }

    /// Puts a state at `place`, unless it stands somewhere already; answers with its place, and whether it is new.
    pub(super) fn insert(&mut self, fingerprint: Fingerprint, state: &T, place: Node) -> (Node, bool) {
        match self {
            Visited::Fingerprints(table) => match table.entry(fingerprint) {
                Entry::Occupied(seen) => (*seen.get(), false),
                Entry::Vacant(unseen) => (*unseen.insert(place), true),
            },
            Visited::Exact(table) => match table.get(state) {
                Some(seen) => (*seen, false),
                None => {
                    table.insert(state.clone(), place);
                    (place, true)
                }
            },
        }
    }

    /// The place of a state.
    pub(super) fn find(&self, fingerprint: Fingerprint, state: &T) -> Option<Node> {
        match self {
            Visited::Fingerprints(table) => table.get(&fingerprint).copied(),
            Visited::Exact(table) => table.get(state).copied(),
        }
    }
}

/// Takes the low half of a fingerprint as its hash.
#[derive(Debug, Default)]
pub(super) struct LowBits(u64);

impl Hasher for LowBits {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // Only `write_u128` is called for a fingerprint; anything else is still hashed, if badly.
        self.0 = bytes.iter().fold(self.0, |hash, byte| hash.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u128(&mut self, fingerprint: u128) {
        self.0 = fingerprint as u64;
    }
}
