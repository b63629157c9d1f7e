//! Telling those who wait how far an exploration is, and stopping when they no longer want to.

use std::sync::atomic::{AtomicBool, Ordering};

use lawspeaker_model::engine::{Progress, Signal};

use crate::terminal::TerminalLine;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// From here on, Ctrl-C ends the exploration and what was explored is printed; a second one ends the process.
pub(crate) fn stop_on_interrupt() {
    let handler = || {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            std::process::exit(crate::exit::Exit::Interrupted as i32);
        }
    };
    if let Err(error) = ctrlc::set_handler(handler) {
        crate::output::complain(&format!("Ctrl-C will end the program at once: {error}"));
    }
}

/// Whether Ctrl-C was pressed.
pub(crate) fn is_interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// Follows an exploration on the terminal.
#[derive(Debug)]
pub(crate) struct ProgressLine {
    max_memory_bytes: Option<u64>,
    line: TerminalLine,
    state_count: usize,
}

impl ProgressLine {
    pub(crate) fn new(max_memory_bytes: Option<u64>) -> Self {
        ProgressLine { max_memory_bytes, line: TerminalLine::new(), state_count: 0 }
    }

    /// Shows how far it is, and says whether to go on.
    pub(crate) fn observe(&mut self, progress: Progress) -> Signal {
        self.state_count = progress.state_count;
        if self.line.is_due() {
            self.line.show(&told(progress, memory_bytes() >> 20));
        }
        if is_interrupted() {
            Signal::Interrupt
        } else if self.max_memory_bytes.is_some_and(|max| memory_bytes() >= max) {
            Signal::OutOfMemory
        } else {
            Signal::Continue
        }
    }

    /// Takes the line away and, on a terminal, says how long it took; answers with how many states were found by the last
    /// look.
    pub(crate) fn finish(self) -> usize {
        self.line.finish();
        self.state_count
    }
}

/// The line: how much, how fast, and what it takes; how deep, once a step was taken.
fn told(progress: Progress, mebibytes: u64) -> String {
    let Progress { state_count, frontier_count, depth, elapsed } = progress;
    let seconds = elapsed.as_secs_f64();
    let rate = state_count as f64 / seconds.max(f64::EPSILON);
    let depth = if depth == 0 { String::new() } else { format!("depth {depth}, ") };
    format!(
        "{state_count} states, {rate:.0} a second, {frontier_count} waiting, {depth}{mebibytes} MiB, {seconds:.0} s"
    )
}

/// The memory that this process holds; 0 where the system does not tell.
fn memory_bytes() -> u64 {
    memory_stats::memory_stats().map_or(0, |stats| stats.physical_mem as u64)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_line_says_how_much_how_fast_and_how_deep_where_that_is_known() {
        let elapsed = Duration::from_secs(2);
        let progress = |depth| Progress { state_count: 9_000, frontier_count: 70, depth, elapsed };
        assert_eq!(told(progress(3), 5), "9000 states, 4500 a second, 70 waiting, depth 3, 5 MiB, 2 s");
        assert_eq!(told(progress(0), 5), "9000 states, 4500 a second, 70 waiting, 5 MiB, 2 s");
    }
}
