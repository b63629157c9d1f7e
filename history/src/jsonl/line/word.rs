//! What a JSON value is that is no list and no object.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

use super::give_up;
use super::shared::Shared;
use crate::id::MAX_INTEGER;
use crate::{EventId, Offset, Partition};

/// The name of a field.
pub(super) struct Name<'de>(pub(super) Cow<'de, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.deserialize_str(WordsVisitor)? {
            Words::Text(name) => Ok(Name(name)),
            _ => Err(give_up()),
        }
    }
}

/// Null, an integer, or text; of what is true or false, or has a fraction, nothing here is made.
pub(super) enum Words<'de> {
    Null,
    Integer(i64),
    Text(Cow<'de, str>),
}

impl<'de> Words<'de> {
    /// A count, from 0 to 2^53 - 1.
    pub(super) fn count<E: Error>(self) -> Result<Option<u64>, E> {
        match self {
            Words::Null => Ok(None),
            Words::Integer(number) if (0..=MAX_INTEGER).contains(&number) => Ok(Some(number.unsigned_abs())),
            _ => Err(give_up()),
        }
    }

    pub(super) fn text<E: Error>(self) -> Result<Option<Cow<'de, str>>, E> {
        match self {
            Words::Null => Ok(None),
            Words::Text(text) => Ok(Some(text)),
            Words::Integer(_) => Err(give_up()),
        }
    }

    pub(super) fn event<E: Error>(self, shared: &mut Shared) -> Result<EventId, E> {
        match self {
            Words::Integer(id) if id.unsigned_abs() <= MAX_INTEGER.unsigned_abs() => Ok(EventId::Number(id)),
            Words::Text(name) => Ok(EventId::Name(shared.text(&name))),
            _ => Err(give_up()),
        }
    }

    pub(super) fn offset<E: Error>(self) -> Result<Option<Offset>, E> {
        match self {
            Words::Null => Ok(None),
            Words::Integer(number) => Offset::new(number).map(Some).map_err(E::custom),
            Words::Text(id) => id.parse().map(Some).map_err(E::custom),
        }
    }

    pub(super) fn partition<E: Error>(self, shared: &mut Shared) -> Result<Partition, E> {
        match self {
            Words::Text(name) => Ok(Partition::shared(shared.partition(&name))),
            Words::Integer(number) => Ok(Partition::shared(shared.partition(&number.to_string()))),
            Words::Null => Err(give_up()),
        }
    }
}

impl<'de> Deserialize<'de> for Words<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WordsVisitor)
    }
}

/// Takes what [`Words`] can hold.
pub(super) struct WordsVisitor;

impl<'de> Visitor<'de> for WordsVisitor {
    type Value = Words<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("null, an integer or text")
    }

    fn visit_unit<E>(self) -> Result<Words<'de>, E> {
        Ok(Words::Null)
    }

    fn visit_i64<E>(self, number: i64) -> Result<Words<'de>, E> {
        Ok(Words::Integer(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Words<'de>, E> {
        i64::try_from(number).map(Words::Integer).map_err(|_| give_up())
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Words<'de>, E> {
        Ok(Words::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Words<'de>, E> {
        Ok(Words::Text(Cow::Owned(text.to_owned())))
    }
}
