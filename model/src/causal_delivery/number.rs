//! Numbers that are not to be mixed up, and sets of them as bit masks.

use std::fmt;
use std::hash::Hash;
use std::marker::PhantomData;

use serde::ser::SerializeMap;
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
