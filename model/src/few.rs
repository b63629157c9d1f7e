//! Lists for states. A search copies a state for every step out of it, hashes it and compares it: lists on the heap
//! make that several times slower.

use smallvec::SmallVec;
use tinyvec::ArrayVec;

/// A list of no more than `N` entries: to copy it is to copy its bytes. Panics beyond `N`.
pub type Few<T, const N: usize> = ArrayVec<[T; N]>;

/// A list of seldom more than `N` entries, which lie in place; beyond `N` it goes on like any `Vec`.
pub type Short<T, const N: usize> = SmallVec<[T; N]>;
