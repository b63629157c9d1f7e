//! Ids as small keys, so that rows of evidence are small and quick to compare.

use std::collections::HashMap;
use std::hash::Hash;
use std::ops::Index;
use std::sync::Arc;

use lawspeaker_history::{
    EventId, GroupId, Partition, Process, ProjectionName, SagaId, StepName, StreamName,
};

/// The place of a value in its [`Table`].
pub(crate) trait Key: Copy {
    /// What it stands for.
    type Value: Clone + Eq + Hash;
    fn of(place: usize) -> Self;
    fn place(self) -> usize;
}

macro_rules! keys {
    ($($key:ident for $value:ty;)*) => {$(
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub(crate) struct $key(usize);

        impl Key for $key {
            type Value = $value;

            fn of(place: usize) -> Self {
                $key(place)
            }

            fn place(self) -> usize {
                self.0
            }
        }
    )*};
}

keys! {
    EventKey for EventId;
    PartitionKey for Partition;
    ProcessKey for Process;
    GroupKey for GroupId;
    ServiceKey for Arc<str>;
    StreamKey for StreamName;
    ProjectionKey for ProjectionName;
    SagaKey for SagaId;
    StepKey for StepName;
}

/// Values by key, and keys by value; keys are given in the order of first sight.
#[derive(Debug)]
pub(crate) struct Table<K: Key> {
    values: Vec<K::Value>,
    keys: HashMap<K::Value, K>,
}

impl<K: Key> Default for Table<K> {
    fn default() -> Self {
        Table { values: Vec::new(), keys: HashMap::new() }
    }
}

impl<K: Key> Table<K> {
    /// The key of `value`, a new one if it was never seen.
    pub(crate) fn key(&mut self, value: &K::Value) -> K {
        if let Some(key) = self.keys.get(value) {
            return *key;
        }
        let key = K::of(self.values.len());
        self.values.push(value.clone());
        self.keys.insert(value.clone(), key);
        key
    }

    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = K> + use<K> {
        (0..self.values.len()).map(K::of)
    }
}

impl<K: Key> Index<K> for Table<K> {
    type Output = K::Value;

    fn index(&self, key: K) -> &K::Value {
        &self.values[key.place()]
    }
}

/// Every id of a history.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) events: Table<EventKey>,
    pub(crate) partitions: Table<PartitionKey>,
    pub(crate) processes: Table<ProcessKey>,
    pub(crate) groups: Table<GroupKey>,
    /// What vector clocks count.
    pub(crate) services: Table<ServiceKey>,
    pub(crate) streams: Table<StreamKey>,
    pub(crate) projections: Table<ProjectionKey>,
    pub(crate) sagas: Table<SagaKey>,
    /// Names of steps, of whichever sagas.
    pub(crate) steps: Table<StepKey>,
}
