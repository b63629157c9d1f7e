//! A place in a line of JSON, and what is read from there on.
//!
//! Here is read what most lines are made of: lists, objects, null, integers, and text. Whatever else JSON may hold,
//! `serde_json` reads from the same place. `None` is to give up, for whatever reason.

use std::borrow::Cow;

use serde::de::DeserializeSeed;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::word::Words;
use crate::strict::Strict;

/// How many lists and objects a value may hold that is read here. `serde_json` refuses too many of them one in the other,
/// and counts from where it begins to read; so few are never too many, wherever it began.
const MAX_PARTS: usize = 64;

/// Every integer of so many digits fits into 64 bits.
const MAX_DIGITS: usize = 18;

/// A line, and how much of it was read.
pub(super) struct Cursor<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Cursor<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Cursor { text, at: 0 }
    }

    /// The next byte that is no white space; `None` at the end.
    #[inline]
    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while let b' ' | b'\t' | b'\n' | b'\r' = *bytes.get(self.at)? {
            self.at += 1;
        }
        Some(bytes[self.at])
    }

    /// Whether `byte` comes next.
    #[inline]
    pub(super) fn is_next(&mut self, byte: u8) -> bool {
        self.peek() == Some(byte)
    }

    /// Takes `byte` if it comes next.
    #[inline]
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let is_next = self.is_next(byte);
        self.at += usize::from(is_next);
        is_next
    }

    /// Takes `byte`, which has to come next.
    #[inline]
    pub(super) fn expect(&mut self, byte: u8) -> Option<()> {
        self.take(byte).then_some(())
    }

    /// Takes `null` if it comes next.
    #[inline]
    pub(super) fn null(&mut self) -> bool {
        let is_null = self.is_next(b'n') && self.text.as_bytes()[self.at..].starts_with(b"null");
        self.at += if is_null { 4 } else { 0 };
        is_null
    }

    /// Whether nothing is left.
    pub(super) fn is_at_end(&mut self) -> bool {
        self.peek().is_none()
    }

    /// Reads a list, item by item; null is an empty one.
    #[inline]
    pub(super) fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let mut all = Vec::new();
        if self.null() {
            return Some(all);
        }
        self.expect(b'[')?;
        if self.take(b']') {
            return Some(all);
        }
        loop {
            all.push(item(self)?);
            if self.take(b']') {
                return Some(all);
            }
            self.expect(b',')?;
        }
    }

    /// Reads an object, entry by entry: `entry` is given the name, and reads the value.
    #[inline]
    pub(super) fn object(
        &mut self,
        mut entry: impl FnMut(&mut Self, Cow<'t, str>) -> Option<()>,
    ) -> Option<()> {
        self.expect(b'{')?;
        if self.take(b'}') {
            return Some(());
        }
        loop {
            let name = self.text()?;
            self.expect(b':')?;
            entry(self, name)?;
            if self.take(b'}') {
                return Some(());
            }
            self.expect(b',')?;
        }
    }

    /// Reads null, an integer, or text.
    #[inline]
    pub(super) fn word(&mut self) -> Option<Words<'t>> {
        match self.peek()? {
            b'"' => self.text().map(Words::Text),
            b'n' => self.null().then_some(Words::Null),
            _ => self.integer().map(Words::Integer),
        }
    }

    /// Reads text, which is copied only if something of it is escaped.
    #[inline]
    pub(super) fn text(&mut self) -> Option<Cow<'t, str>> {
        if !self.is_next(b'"') {
            return None;
        }
        let begin = self.at + 1;
        let rest = &self.text.as_bytes()[begin..];
        let length = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..b' '))?;
        match rest[length] {
            b'"' => {
                self.at = begin + length + 1;
                Some(Cow::Borrowed(&self.text[begin..begin + length]))
            }
            b'\\' => self.parsed().map(Cow::Owned),
            _ => None,
        }
    }

    /// Reads an integer if one comes next, without a fraction, an exponent, or a zero too many.
    #[inline]
    pub(super) fn integer(&mut self) -> Option<i64> {
        let is_negative = self.peek()? == b'-';
        let bytes = self.text.as_bytes();
        let first = self.at + usize::from(is_negative);
        let (mut end, mut number) = (first, 0_i64);
        while let Some(digit @ b'0'..=b'9') = bytes.get(end) {
            // Where this overflows, there are too many digits.
            number = number.wrapping_mul(10).wrapping_add(i64::from(digit - b'0'));
            end += 1;
        }
        let is_led_by_zero = bytes.get(first) == Some(&b'0') && (end > first + 1 || is_negative);
        let is_fraction = matches!(bytes.get(end), Some(b'.' | b'e' | b'E'));
        if !(1..=MAX_DIGITS).contains(&(end - first)) || is_led_by_zero || is_fraction {
            return None;
        }
        self.at = end;
        Some(if is_negative { -number } else { number })
    }

    /// Reads a value of any kind, in which no object has a field twice.
    pub(super) fn value(&mut self) -> Option<Value> {
        let begin = self.at;
        let AnyValue(value) = self.parsed()?;
        let read = &self.text.as_bytes()[begin..self.at];
        let part_count = read.iter().filter(|byte| matches!(byte, b'[' | b'{')).count();
        (part_count <= MAX_PARTS).then_some(value)
    }

    /// Lets `serde_json` read what comes next.
    fn parsed<T: Deserialize<'t>>(&mut self) -> Option<T> {
        let mut values = serde_json::Deserializer::from_str(&self.text[self.at..]).into_iter();
        let value = values.next()?.ok()?;
        self.at += values.byte_offset();
        Some(value)
    }
}

/// What [`Strict`] reads.
struct AnyValue(Value);

impl<'de> Deserialize<'de> for AnyValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Strict.deserialize(deserializer).map(AnyValue)
    }
}
