//! Numbers that are not to be mixed up, sets of them as bit masks, and short lists: a state without a heap.

use std::fmt;
use std::hash::Hash;
use std::marker::PhantomData;

use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};

/// A number of something, from 0; the specification counts from 1, and so does what is serialised.
pub trait Number: Copy + fmt::Debug + Eq + Hash {
    /// The thing with this number.
    fn new(number: u8) -> Self;

    /// Its place in an array.
    fn index(self) -> usize;
}

macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
            pub struct $name(u8);

            impl Number for $name {
                fn new(number: u8) -> Self {
                    $name(number)
                }

                fn index(self) -> usize {
                    usize::from(self.0)
                }
            }

            impl Serialize for $name {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serializer.serialize_u8(self.0 + 1)
                }
            }
        )*
    };
}

numbers! {
    /// A service: it emits events, or delivers those of others, or both.
    Service
    /// A partition, with a log of its own.
    Partition
    /// An event, by its place among all that were emitted.
    EventNumber
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "service {}", self.0 + 1)
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(["A", "B", "C", "D"].get(self.index()).copied().unwrap_or("?"))
    }
}

impl fmt::Display for EventNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "e{}", self.0 + 1)
    }
}

/// The numbers from 0 to `count`, without the last.
pub(super) fn all<T: Number>(count: u8) -> impl DoubleEndedIterator<Item = T> {
    (0..count).map(T::new)
}

/// A set of at most eight things, as a bit mask.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Set<T> {
    bits: u8,
    of: PhantomData<T>,
}

impl<T> Default for Set<T> {
    fn default() -> Self {
        Set { bits: 0, of: PhantomData }
    }
}

impl<T: Number> Set<T> {
    /// Whether `member` is in the set.
    pub fn has(self, member: T) -> bool {
        self.bits & (1 << member.index()) != 0
    }

    /// The set with `member`.
    #[must_use]
    pub fn with(self, member: T) -> Self {
        Set { bits: self.bits | (1 << member.index()), of: PhantomData }
    }

    /// What is in either set.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Set { bits: self.bits | other.bits, of: PhantomData }
    }

    /// What is in this set and not in the other.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Set { bits: self.bits & !other.bits, of: PhantomData }
    }

    /// Whether nothing is in it.
    pub fn is_empty(self) -> bool {
        self.bits == 0
    }

    /// The members, in order.
    pub fn iter(self) -> impl Iterator<Item = T> {
        (0..8).filter(move |number| self.bits & (1 << number) != 0).map(T::new)
    }
}

impl<T: Number> FromIterator<T> for Set<T> {
    fn from_iter<I: IntoIterator<Item = T>>(members: I) -> Self {
        members.into_iter().fold(Set::default(), Set::with)
    }
}

impl<T: Number> fmt::Debug for Set<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// As the informal trace format writes a set.
impl<T: Number + Serialize> Serialize for Set<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("#set", &self.iter().collect::<Vec<_>>())?;
        map.end()
    }
}

/// A list of at most `N` things.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct List<T, const N: usize> {
    // INVARIANT: from `length` on, every item is the default, so that equal lists are equal arrays.
    items: [T; N],
    length: u8,
}

impl<T: Copy + Default, const N: usize> Default for List<T, N> {
    fn default() -> Self {
        List { items: [T::default(); N], length: 0 }
    }
}

impl<T: Copy + Default, const N: usize> List<T, N> {
    /// `count` times `item`; no more than there is room for.
    pub fn of(item: T, count: u8) -> Self {
        let mut list = List::default();
        (0..count).for_each(|_| list.push(item));
        list
    }

    /// Adds `item` at the end; a full list stays as it is, which the bounds of the model rule out.
    pub fn push(&mut self, item: T) {
        debug_assert!(usize::from(self.length) < N, "the bounds leave room");
        if let Some(slot) = self.items.get_mut(usize::from(self.length)) {
            *slot = item;
            self.length += 1;
        }
    }
}

impl<T, const N: usize> std::ops::Deref for List<T, N> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.items[..usize::from(self.length)]
    }
}

impl<T, const N: usize> std::ops::DerefMut for List<T, N> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.items[..usize::from(self.length)]
    }
}

impl<T: fmt::Debug, const N: usize> fmt::Debug for List<T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<T: Serialize, const N: usize> Serialize for List<T, N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(Some(self.len()))?;
        self.iter().try_for_each(|item| seq.serialize_element(item))?;
        seq.end()
    }
}
