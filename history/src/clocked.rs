//! Logs of systems that keep vector clocks, as histories.
//!
//! Such a log says of each step of a host at which clock it was taken, and of some that a message was sent or received.
//! Two forms are read: [`LogFormat::Shiviz`], free text with a host and a clock in each record, and
//! [`LogFormat::Clocks`], JSON Lines with the packet of each step.
//!
//! In the history a host is a process, its inbox is a partition of its name, a message is named by its sender and the
//! sender's count (`node0@4`), and every op has its clock. Which message was received is told by the clock: the receipt
//! knows exactly as much of the sender as the message did, if it knows more than before. A receipt that teaches nothing
//! new is of the one message of its text that had not come yet, or that came before; where there are several it is
//! of none of them, for nothing is guessed.
//!
//! Lines of such logs may stand in any order. If they are not in causal order they are sorted by the sum of their
//! clocks, and line numbers count lines of the sorted log.
//!
//! Cost: O(n log n); the whole log is held in memory.

mod matching;
mod packets;
mod shiviz;

use std::io::{BufRead, Read};

use crate::{History, ReadError, ReadErrorKind, VectorClock};

/// How a log of a clocked system is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LogFormat {
    /// Text: `host {"host":1,…}` on the line after each event, or before it, or with the event behind it.
    Shiviz,
    /// JSON Lines: `{"event":">","node":0,"pkt":{"snd":0,"rcv":1,"msg":…,"vc":{"0":1}}}`.
    Clocks,
}

/// What a host did in one step.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Doing {
    Send { to: String, message: String },
    Receive { from: String, message: String },
    Local(String),
}

/// One step of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    /// The line of the log, from 1.
    line: u64,
    host: String,
    clock: VectorClock,
    doing: Doing,
}

impl LogFormat {
    /// The longest log that is read, in bytes.
    const MAX_BYTES: u64 = 1 << 30;

    /// The format of a log by its beginning; `None` if it is neither.
    pub fn of(beginning: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(beginning);
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        if text.trim_start().starts_with('{') {
            return lines.take(2).any(packets::recognises).then_some(LogFormat::Clocks);
        }
        lines.any(shiviz::recognises).then_some(LogFormat::Shiviz)
    }

    /// Reads a whole log. O(n log n).
    ///
    /// # Errors
    /// [`ReadError`] with the number of the first line that cannot be read, or if no record has a clock.
    pub fn read(self, input: impl BufRead) -> Result<History, ReadError> {
        let fail = |line, kind| ReadError { line, kind };
        let mut bytes = Vec::new();
        let read = input.take(Self::MAX_BYTES + 1).read_to_end(&mut bytes);
        let length = read.map_err(|error| fail(1, error.into()))? as u64;
        if length > Self::MAX_BYTES {
            return Err(fail(1, ReadErrorKind::LogTooLong(Self::MAX_BYTES >> 20)));
        }
        let text = String::from_utf8_lossy(&bytes);
        let entries = match self {
            LogFormat::Shiviz => shiviz::entries(&text),
            LogFormat::Clocks => packets::entries(&text)?,
        };
        if entries.is_empty() && !text.trim().is_empty() {
            return Err(fail(1, ReadErrorKind::NoClock));
        }
        Ok(matching::history(entries))
    }
}
