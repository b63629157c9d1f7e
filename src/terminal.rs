//! One line on the terminal that is written over and over: how far something is, for those who wait.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use terminal_size::{Width, terminal_size_of};

/// The line; nothing is written where stderr is no terminal.
#[derive(Debug)]
pub(crate) struct TerminalLine {
    is_terminal: bool,
    started: Instant,
    /// When it was written last, if it is there.
    shown: Option<Instant>,
}

impl TerminalLine {
    const INTERVAL: Duration = Duration::from_millis(200);

    pub(crate) fn new() -> Self {
        TerminalLine { is_terminal: io::stderr().is_terminal(), started: Instant::now(), shown: None }
    }

    /// Since the start.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Whether somebody looks, and has waited long enough for something new.
    pub(crate) fn is_due(&self) -> bool {
        self.is_terminal && self.shown.unwrap_or(self.started).elapsed() >= Self::INTERVAL
    }

    /// Writes over what stands there.
    pub(crate) fn show(&mut self, told: &str) {
        self.shown = Some(Instant::now());
        write(&drawn(told, columns()));
    }

    /// Takes the line away.
    pub(crate) fn clear(&mut self) {
        if self.shown.take().is_some() {
            write(&drawn("", columns()));
        }
    }

    /// Takes the line away and says how long it took.
    pub(crate) fn finish(mut self) {
        self.clear();
        if self.is_terminal {
            write(&format!("({:.2} s)\n", self.elapsed().as_secs_f64()));
        }
    }
}

fn write(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// How wide the terminal is.
fn columns() -> usize {
    const USUAL: usize = 80;
    terminal_size_of(io::stderr()).map_or(USUAL, |(Width(columns), _)| columns.into())
}

/// What has a terminal of so many columns show `told` alone on its line. The last column stays empty: a line that fills
/// it would be continued on the next one, and scroll.
fn drawn(told: &str, columns: usize) -> String {
    let cut: String = told.chars().take(columns.saturating_sub(1)).collect();
    format!("\r{cut}\x1b[K")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_to_the_terminal_and_clears_what_stood_there() {
        assert_eq!(drawn("12 states", 80), "\r12 states\x1b[K");
        assert_eq!(drawn("12 states", 6), "\r12 st\x1b[K");
        assert_eq!(drawn("", 80), "\r\x1b[K");
    }

    #[test]
    fn only_a_terminal_is_told_and_not_too_often() {
        let long_ago = Instant::now().checked_sub(TerminalLine::INTERVAL).expect("the clock has run a while");
        let line = |is_terminal, shown| TerminalLine { is_terminal, started: long_ago, shown };
        assert!(line(true, None).is_due());
        assert!(!line(true, Some(Instant::now() + TerminalLine::INTERVAL)).is_due());
        assert!(!line(false, None).is_due());
    }
}
