//! The set of states already found, each with its place in the order of discovery.
//!
//! By default a state is told from others by a keyed 128-bit fingerprint. An unkeyed 64-bit multiply hash is not
//! enough: with one, an exploration of three million states silently lost three in a hundred. XXH3 with 128 bits (Collet,
//! 2019) mixes every input bit; it sees the bytes that a state's `Hash` writes, all at once, since hashing them one by
//! one took a fifth of an exploration. Exact sets keep the states themselves.

use std::cell::RefCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasherDefault, Hash, Hasher};

use xxhash_rust::xxh3::xxh3_128_with_seed;

use super::graph::Node;

/// A state's fingerprint.
pub(super) type Fingerprint = u128;

/// An arbitrary word: any key will do, as long as every run uses the same.
const KEY: u64 = 0x6c61_7773_7065_616b;

thread_local! {
    static BYTES: RefCell<Bytes> = const { RefCell::new(Bytes(Vec::new())) };
}

/// The fingerprint of a state.
pub(super) fn fingerprint<T: Hash>(state: &T) -> Fingerprint {
    BYTES.with_borrow_mut(|bytes| {
        bytes.0.clear();
        state.hash(bytes);
        xxh3_128_with_seed(&bytes.0, KEY)
    })
}

/// Collects what a `Hash` writes.
#[derive(Debug)]
struct Bytes(Vec<u8>);

impl Hasher for Bytes {
    fn finish(&self) -> u64 {
        xxh3_128_with_seed(&self.0, KEY) as u64
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn write_u8(&mut self, byte: u8) {
        self.0.push(byte);
    }

    // Lengths and the discriminants of enums are small: eight bytes of each are mostly zeros.
    fn write_usize(&mut self, number: usize) {
        write_short(&mut self.0, number as u64);
    }

    fn write_isize(&mut self, number: isize) {
        write_short(&mut self.0, number as u64);
    }
}

/// Writes a number below 255 as one byte, and any other as nine: no two numbers begin alike.
fn write_short(bytes: &mut Vec<u8>, number: u64) {
    match u8::try_from(number) {
        Ok(short) if short < u8::MAX => bytes.push(short),
        _ => {
            bytes.push(u8::MAX);
            bytes.extend_from_slice(&number.to_le_bytes());
        }
    }
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
