//! The two ways to write a history down, op by op.

use std::io::{self, Write};

use crate::{Header, History, Op, edn, jsonl};

/// How a history is written down. Both say the same, and [`Reader`](crate::Reader) reads both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// JSON Lines, by `docs/history-format.md`.
    Jsonl,
    /// EDN, as Jepsen has it, by the same page.
    Edn,
}

impl Encoding {
    /// Writes the first line. O(size of the header).
    ///
    /// # Errors
    /// What `output` says.
    pub fn write_header(self, output: &mut impl Write, header: &Header) -> io::Result<()> {
        match self {
            Encoding::Jsonl => writeln!(output, "{}", jsonl::header_to_line(header)),
            Encoding::Edn => writeln!(output, "{}", edn::header_to_form(header)),
        }
    }

    /// Writes the line of one op. O(size of the op).
    ///
    /// # Errors
    /// What `output` says.
    pub fn write_op(self, output: &mut impl Write, op: &Op) -> io::Result<()> {
        match self {
            Encoding::Jsonl => writeln!(output, "{}", jsonl::op_to_line(op)),
            Encoding::Edn => writeln!(output, "{}", edn::op_to_form(op)),
        }
    }

    fn write(self, output: &mut impl Write, history: &History) -> io::Result<()> {
        self.write_header(output, &history.header)?;
        history.ops.iter().try_for_each(|op| self.write_op(output, op))
    }
}

/// Writes a history as JSON Lines, header first. Reading it back gives the same history.
///
/// # Errors
/// What `output` says.
pub fn write_jsonl(output: &mut impl Write, history: &History) -> io::Result<()> {
    Encoding::Jsonl.write(output, history)
}

/// Writes a history as EDN, one op a line; the header is a form that is discarded, so that Jepsen passes over it.
/// Reading it back gives the same history.
///
/// # Errors
/// What `output` says.
pub fn write_edn(output: &mut impl Write, history: &History) -> io::Result<()> {
    Encoding::Edn.write(output, history)
}
