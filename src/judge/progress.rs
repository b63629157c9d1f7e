//! How far the reading of a long history is.

use std::time::Duration;

use crate::input::bytes_read;
use crate::terminal::TerminalLine;

pub(super) struct ReadingLine {
    line: TerminalLine,
    ops: u64,
    findings: usize,
}

impl ReadingLine {
    /// How many ops pass before the clock is asked again.
    const STRIDE: u64 = 1 << 12;

    pub(super) fn new() -> Self {
        ReadingLine { line: TerminalLine::new(), ops: 0, findings: 0 }
    }

    /// One more op was read, of a history in which so much was found by now.
    pub(super) fn op(&mut self, findings: usize) {
        self.ops += 1;
        if self.ops.is_multiple_of(Self::STRIDE) && self.line.is_due() {
            let told = reading(bytes_read(), self.ops, self.line.elapsed(), self.findings + findings);
            self.line.show(&told);
        }
    }

    /// What is being done that takes its time.
    pub(super) fn working(&mut self, what: &str) {
        if self.line.is_due() {
            self.line.show(what);
        }
    }

    /// A history was judged: so many findings more.
    pub(super) fn judged(&mut self, findings: usize) {
        self.findings += findings;
        self.clear();
    }

    /// Takes the line away.
    pub(super) fn clear(&mut self) {
        self.line.clear();
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
