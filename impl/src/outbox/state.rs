//! What a service keeps.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A service's state: the fold of its changes, from [`Default`] on.
///
/// Changes are journaled, as JSON, and applied again when the store is opened; so [`apply`](Self::apply) must give the
/// same for the same state and change, today and in later versions of the program. A map from keys to values is one
/// already, with [`Entry`] as its change.
pub trait State: Default + Send + fmt::Debug + 'static {
    /// What happens to it: a fact, such as "order 17 was paid".
    type Change: Serialize + DeserializeOwned + Send + fmt::Debug + 'static;

    /// Takes up a change. It cannot fail: what may not happen is refused before it becomes a change.
    fn apply(&mut self, change: Self::Change);
}

/// A change of a map.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Entry<K, V> {
    /// The key has this value from now on.
    Put(K, V),
    /// The key has no value from now on.
    Removed(K),
}

impl<K, V> State for BTreeMap<K, V>
where
    K: Serialize + DeserializeOwned + Ord + Send + fmt::Debug + 'static,
    V: Serialize + DeserializeOwned + Send + fmt::Debug + 'static,
{
    type Change = Entry<K, V>;

    fn apply(&mut self, change: Self::Change) {
        match change {
            Entry::Put(key, value) => drop(self.insert(key, value)),
            Entry::Removed(key) => drop(self.remove(&key)),
        }
    }
}
