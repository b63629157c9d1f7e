//! Ids as small keys, so that rows of evidence are small and quick to compare.

use std::hash::Hash;
use std::marker::PhantomData;
use std::num::NonZeroU32;
use std::ops::Index;
use std::sync::Arc;

use lawspeaker_history::{
    EventId, GroupId, Partition, Process, ProjectionName, SagaId, StepName, StreamName,
};

use crate::hash::IndexSet;

/// The place of a value in its [`Table`].
pub(crate) trait Key: Copy {
    /// What it stands for.
    type Value: Clone + Eq + Hash;
    fn of(place: usize) -> Self;
    fn place(self) -> usize;
}

/// A place from 0 on, of which an `Option` is no larger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Rank(NonZeroU32);

impl Rank {
    pub(super) fn of(place: usize) -> Self {
        let rank = u32::try_from(place + 1).ok().and_then(NonZeroU32::new);
        Rank(rank.expect("2^32 different ids and their rows do not fit into memory"))
    }

    pub(super) fn place(self) -> usize {
        self.0.get() as usize - 1
    }
}

macro_rules! keys {
    ($($key:ident for $value:ty;)*) => {$(
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub(crate) struct $key(Rank);

        impl Key for $key {
            type Value = $value;

            fn of(place: usize) -> Self {
                $key(Rank::of(place))
            }

            fn place(self) -> usize {
                self.0.place()
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
    values: IndexSet<K::Value>,
    keys: PhantomData<K>,
}

impl<K: Key> Default for Table<K> {
    fn default() -> Self {
        Table { values: IndexSet::default(), keys: PhantomData }
    }
}

impl<K: Key> Table<K> {
    /// The key of `value`, a new one if it was never seen. Amortized O(1).
    pub(crate) fn key(&mut self, value: &K::Value) -> K {
        match self.values.get_index_of(value) {
            Some(place) => K::of(place),
            None => K::of(self.values.insert_full(value.clone()).0),
        }
    }

    /// The same, where `value` is likely to be new.
    pub(crate) fn key_of_new(&mut self, value: &K::Value) -> K {
        K::of(self.values.insert_full(value.clone()).0)
    }

    /// The same, where `value` is likely to be the one of `guess`, or the one that came after it.
    pub(crate) fn key_near(&mut self, value: &K::Value, guess: Option<K>) -> K {
        let places = guess.into_iter().flat_map(|guess| [guess.place(), guess.place() + 1]);
        match places.into_iter().find(|place| self.values.get_index(*place) == Some(value)) {
            Some(place) => K::of(place),
            None => self.key(value),
        }
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
