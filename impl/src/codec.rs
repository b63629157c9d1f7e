//! The bytes of records: fixed-width little-endian integers, and byte strings with their length before them; where
//! there are many small numbers, varints (LEB128, in their shortest form only).
//!
//! Length and checksum of a whole record are the store's business; this only has to find its own fields again, and
//! to refuse what it did not write. O(length), one allocation a byte string.

use std::str;

use lawspeaker_history::EventId;

/// Why bytes are not a record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes end inside a field.
    #[error("the record ends after {length} bytes, inside a field")]
    Truncated {
        /// How many bytes there are.
        length: usize,
    },
    /// Bytes are left over.
    #[error("{count} bytes are left after the last field of the record")]
    Trailing {
        /// How many.
        count: usize,
    },
    /// A kind of record, or of field, that this version does not know.
    #[error("unknown tag `{0}`: the record was written by a newer version, or is damaged")]
    UnknownTag(u8),
    /// Text that is not UTF-8.
    #[error("a text of the record is not UTF-8")]
    NotText,
    /// A number that its field cannot hold.
    #[error("number `{0}` is out of the range of its field")]
    OutOfRange(u64),
    /// A number of variable length that is not written in its shortest form, or is above 64 bits.
    #[error("a number of variable length is not in its shortest form: the record is damaged")]
    Overlong,
    /// A list that must rise and does not.
    #[error("a list of the record is out of order: the record is damaged")]
    Unordered,
}

/// How many bits of a varint each of its bytes holds.
const VARINT_BITS: u32 = 7;
/// Says that another byte of the varint follows.
const VARINT_MORE: u8 = 0x80;

/// Writes fields one after another.
#[derive(Debug, Default)]
pub(crate) struct Encoder {
    bytes: Vec<u8>,
}

impl Encoder {
    /// Begins a record of the kind `tag`.
    pub(crate) fn new(tag: u8) -> Self {
        Encoder { bytes: vec![tag] }
    }

    pub(crate) fn tag(&mut self, tag: u8) {
        self.bytes.push(tag);
    }

    pub(crate) fn number(&mut self, number: u64) {
        self.bytes.extend_from_slice(&number.to_le_bytes());
    }

    pub(crate) fn byte_string(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.bytes.extend_from_slice(bytes);
    }

    pub(crate) fn varint(&mut self, mut number: u64) {
        while number >= u64::from(VARINT_MORE) {
            self.bytes.push(number.to_le_bytes()[0] | VARINT_MORE);
            number >>= VARINT_BITS;
        }
        self.bytes.push(number.to_le_bytes()[0]);
    }

    /// A byte string with a varint before it.
    pub(crate) fn short_byte_string(&mut self, bytes: &[u8]) {
        self.varint(bytes.len() as u64);
        self.bytes.extend_from_slice(bytes);
    }

    pub(crate) fn optional<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.tag(u8::from(value.is_some()));
        if let Some(value) = value {
            write(self, value);
        }
    }

    pub(crate) fn event_id(&mut self, id: &EventId) {
        match id {
            EventId::Number(number) => {
                self.tag(0);
                self.number(number.cast_unsigned());
            }
            EventId::Name(name) => {
                self.tag(1);
                self.byte_string(name.as_bytes());
            }
        }
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

/// Reads the fields back, in the same order.
#[derive(Debug)]
pub(crate) struct Decoder<'a> {
    rest: &'a [u8],
    length: usize,
}

impl<'a> Decoder<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Decoder { rest: bytes, length: bytes.len() }
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) =
            self.rest.split_at_checked(count).ok_or(DecodeError::Truncated { length: self.length })?;
        self.rest = rest;
        Ok(taken)
    }

    pub(crate) fn tag(&mut self) -> Result<u8, DecodeError> {
        Ok(self.take(1)?[0])
    }

    pub(crate) fn number(&mut self) -> Result<u64, DecodeError> {
        Ok(u64::from_le_bytes(self.take(8)?.try_into().expect("eight bytes were taken")))
    }

    pub(crate) fn narrow<T: TryFrom<u64>>(&mut self) -> Result<T, DecodeError> {
        let number = self.number()?;
        T::try_from(number).map_err(|_| DecodeError::OutOfRange(number))
    }

    pub(crate) fn byte_string(&mut self) -> Result<&'a [u8], DecodeError> {
        let length = self.narrow()?;
        self.take(length)
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, DecodeError> {
        str::from_utf8(self.byte_string()?).map_err(|_| DecodeError::NotText)
    }

    pub(crate) fn varint(&mut self) -> Result<u64, DecodeError> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(VARINT_BITS as usize) {
            let byte = self.tag()?;
            let bits = u64::from(byte & !VARINT_MORE);
            if bits << shift >> shift != bits || (byte == 0 && shift > 0) {
                return Err(DecodeError::Overlong);
            }
            number |= bits << shift;
            if byte & VARINT_MORE == 0 {
                return Ok(number);
            }
        }
        Err(DecodeError::Overlong)
    }

    pub(crate) fn short_text(&mut self) -> Result<&'a str, DecodeError> {
        let length = self.varint()?;
        let bytes = self.take(usize::try_from(length).map_err(|_| DecodeError::OutOfRange(length))?)?;
        str::from_utf8(bytes).map_err(|_| DecodeError::NotText)
    }

    pub(crate) fn optional<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Option<T>, DecodeError> {
        match self.tag()? {
            0 => Ok(None),
            1 => read(self).map(Some),
            tag => Err(DecodeError::UnknownTag(tag)),
        }
    }

    pub(crate) fn event_id(&mut self) -> Result<EventId, DecodeError> {
        match self.tag()? {
            0 => Ok(EventId::Number(self.number()?.cast_signed())),
            1 => Ok(EventId::from(self.text()?)),
            tag => Err(DecodeError::UnknownTag(tag)),
        }
    }

    pub(crate) fn finish(self) -> Result<(), DecodeError> {
        match self.rest.len() {
            0 => Ok(()),
            count => Err(DecodeError::Trailing { count }),
        }
    }
}
