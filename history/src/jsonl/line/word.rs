//! What a JSON value is that is no list and no object.

use std::borrow::Cow;

use super::shared::Shared;
use crate::id::MAX_INTEGER;
use crate::{EventId, Offset, Partition};

/// Null, an integer, or text; of what is true or false, or has a fraction, nothing here is made.
pub(super) enum Words<'t> {
    Null,
    Integer(i64),
    Text(Cow<'t, str>),
}

impl<'t> Words<'t> {
    /// A count, from 0 to 2^53 - 1.
    pub(super) fn count(self) -> Option<Option<u64>> {
        match self {
            Words::Null => Some(None),
            Words::Integer(number) if (0..=MAX_INTEGER).contains(&number) => {
                Some(Some(number.unsigned_abs()))
            }
            _ => None,
        }
    }

    pub(super) fn text(self) -> Option<Option<Cow<'t, str>>> {
        match self {
            Words::Null => Some(None),
            Words::Text(text) => Some(Some(text)),
            Words::Integer(_) => None,
        }
    }

    #[inline]
    pub(super) fn event(self, shared: &mut Shared) -> Option<EventId> {
        match self {
            Words::Integer(id) if id.unsigned_abs() <= MAX_INTEGER.unsigned_abs() => {
                Some(EventId::Number(id))
            }
            Words::Text(name) => Some(EventId::Name(shared.text(&name))),
            _ => None,
        }
    }

    #[inline]
    pub(super) fn offset(self) -> Option<Option<Offset>> {
        match self {
            Words::Null => Some(None),
            Words::Integer(number) => Offset::new(number).ok().map(Some),
            Words::Text(id) => id.parse().ok().map(Some),
        }
    }

    #[inline]
    pub(super) fn partition(self, shared: &mut Shared) -> Option<Partition> {
        match self {
            Words::Text(name) => Some(Partition::shared(shared.partition(&name))),
            Words::Integer(number) => Some(Partition::shared(shared.partition(&number.to_string()))),
            Words::Null => None,
        }
    }
}
