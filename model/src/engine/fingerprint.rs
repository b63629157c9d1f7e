//! Telling states apart by a keyed 128-bit hash.
//!
//! An unkeyed 64-bit multiply hash is not enough: with one, an exploration of three million states silently lost
//! three in a hundred. SipHash-1-3 with 128 bits (Aumasson and Bernstein, 2012) mixes every input bit.

use std::hash::{BuildHasherDefault, Hash, Hasher};

use siphasher::sip128::{Hasher128, SipHasher13};

/// A state's fingerprint.
pub(super) type Fingerprint = u128;

/// A table from fingerprints, which need no further hashing.
pub(super) type Table<V> = std::collections::HashMap<Fingerprint, V, BuildHasherDefault<LowBits>>;

/// Two arbitrary words: any key will do, as long as every run uses the same.
const KEY: (u64, u64) = (0x6c61_7773_7065_616b, 0x6572_2061_7420_7468);

pub(super) fn fingerprint(state: &impl Hash) -> Fingerprint {
    let mut hasher = SipHasher13::new_with_keys(KEY.0, KEY.1);
    state.hash(&mut hasher);
    hasher.finish128().as_u128()
}

/// The birthday bound on the chance that any two of `count` states share a fingerprint.
pub(super) fn collision_odds(count: usize) -> f64 {
    let count = count as f64;
    count * count / 2.0 / 2f64.powi(128)
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
