//! Maps and sets whose order nobody looks at, for what is looked up once an observation.
//!
//! The hash is foldhash, which costs a fraction of the standard one on ids of a few bytes. Its key is made anew in each
//! process and for each map, so that a recording cannot be written whose ids collide. Its authors promise no more against
//! whoever watches hashes or times; a judge shows neither, and no verdict depends on them.

use foldhash::fast::RandomState;

/// A map; made by `default`.
pub(crate) type HashMap<K, V> = std::collections::HashMap<K, V, RandomState>;

/// A set; made by `default`.
pub(crate) type HashSet<K> = std::collections::HashSet<K, RandomState>;

/// Values in the order of their insertion, found by what they are or by their place.
pub(crate) type IndexSet<T> = indexmap::IndexSet<T, RandomState>;
