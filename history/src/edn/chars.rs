//! The input of a reader, byte by byte, with the line and column of the next one.

use std::io::{self, BufRead};

use super::MAX_FORM_BYTES;
use crate::{ReadError, ReadErrorKind};

/// Where something stands: line and column in characters, both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: u64,
    pub(super) column: u64,
}

impl Place {
    pub(super) fn error(self, problem: impl Into<String>) -> ReadError {
        let kind = ReadErrorKind::Edn { column: self.column, problem: problem.into() };
        ReadError { line: self.line, kind }
    }
}

/// Bytes with one byte of lookahead.
#[derive(Debug)]
pub(super) struct Chars<R> {
    input: R,
    chunk: Vec<u8>,
    next: usize,
    place: Place,
    /// How many bytes of the current top-level form were taken.
    form_bytes: u64,
}

impl<R: BufRead> Chars<R> {
    pub(super) fn new(input: R) -> Self {
        Chars { input, chunk: Vec::new(), next: 0, place: Place { line: 1, column: 1 }, form_bytes: 0 }
    }

    pub(super) fn place(&self) -> Place {
        self.place
    }

    /// What is taken from here on counts as a new form.
    pub(super) fn begin_form(&mut self) {
        self.form_bytes = 0;
    }

    /// The next byte, if there is one.
    pub(super) fn peek(&mut self) -> Result<Option<u8>, ReadError> {
        if self.next == self.chunk.len() {
            self.fill().map_err(|error| ReadError { line: self.place.line, kind: error.into() })?;
        }
        Ok(self.chunk.get(self.next).copied())
    }

    fn fill(&mut self) -> io::Result<()> {
        let bytes = self.input.fill_buf()?;
        self.chunk.clear();
        self.chunk.extend_from_slice(bytes);
        self.next = 0;
        let count = bytes.len();
        self.input.consume(count);
        Ok(())
    }

    /// Takes the byte that was peeked.
    pub(super) fn take(&mut self) -> Result<Option<u8>, ReadError> {
        let Some(byte) = self.peek()? else { return Ok(None) };
        self.next += 1;
        self.form_bytes += 1;
        if self.form_bytes > MAX_FORM_BYTES {
            return Err(ReadError { line: self.place.line, kind: ReadErrorKind::TooLong });
        }
        if byte == b'\n' {
            self.place = Place { line: self.place.line + 1, column: 1 };
        } else if byte & 0xc0 != 0x80 {
            // A continuation byte of UTF-8 begins no character.
            self.place.column += 1;
        }
        Ok(Some(byte))
    }
}
