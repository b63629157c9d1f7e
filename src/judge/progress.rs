//! How far the reading of a long history is: one line on the terminal, and nothing where stderr is none.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use crate::input::bytes_read;

pub(super) struct ReadingLine {
    is_terminal: bool,
    started: Instant,
    shown: Option<Instant>,
    ops: u64,
    findings: usize,
    is_shown: bool,
}

impl ReadingLine {
    const INTERVAL: Duration = Duration::from_millis(200);
    /// How many ops pass before the clock is asked again.
    const STRIDE: u64 = 1 << 12;

    pub(super) fn new() -> Self {
        let is_terminal = io::stderr().is_terminal();
        ReadingLine {
            is_terminal,
            started: Instant::now(),
            shown: None,
            ops: 0,
            findings: 0,
            is_shown: false,
        }
    }

    /// One more op was read, of a history in which so much was found by now.
    pub(super) fn op(&mut self, findings: usize) {
        self.ops += 1;
        let is_due = self.is_terminal && self.ops.is_multiple_of(Self::STRIDE);
        if is_due && self.shown.unwrap_or(self.started).elapsed() >= Self::INTERVAL {
            let told = reading(bytes_read(), self.ops, self.started.elapsed(), self.findings + findings);
            self.show(&told);
        }
    }

    /// What is being done that takes its time.
    pub(super) fn working(&mut self, what: &str) {
        if self.is_terminal && self.started.elapsed() >= Self::INTERVAL {
            self.show(what);
        }
    }

    /// A history was judged: so many findings more.
    pub(super) fn judged(&mut self, findings: usize) {
        self.findings += findings;
        self.clear();
    }

    fn show(&mut self, told: &str) {
        (self.shown, self.is_shown) = (Some(Instant::now()), true);
        let _ = write!(io::stderr().lock(), "\r{told:<100}");
    }

    /// Takes the line away.
    pub(super) fn clear(&mut self) {
        if std::mem::take(&mut self.is_shown) {
            let _ = write!(io::stderr().lock(), "\r{:100}\r", "");
        }
    }
}

/// The line: how much was read, how fast, and what the histories before it came to.
fn reading(bytes: u64, ops: u64, elapsed: Duration, findings: usize) -> String {
    let mebibytes = bytes as f64 / f64::from(1 << 20);
    let rate = ops as f64 / elapsed.as_secs_f64().max(f64::EPSILON);
    let plural = if findings == 1 { "" } else { "s" };
    format!("{mebibytes:.1} MiB, {ops} ops, {rate:.0} a second, {findings} finding{plural} so far")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_how_much_how_fast_and_what_was_found() {
        let told = reading(3 << 19, 90_000, Duration::from_secs(2), 1);
        assert_eq!(told, "1.5 MiB, 90000 ops, 45000 a second, 1 finding so far");
    }
}
