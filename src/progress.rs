//! Telling those who wait how far an exploration is, and stopping when they no longer want to.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use lawspeaker_model::engine::{Progress, Signal};

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

/// One line on the terminal that follows an exploration; silent where stderr is no terminal.
pub(crate) struct ProgressLine {
    max_memory_bytes: Option<u64>,
    is_terminal: bool,
    started: Instant,
    shown: Option<Instant>,
}

impl ProgressLine {
    const INTERVAL: Duration = Duration::from_millis(200);

    pub(crate) fn new(max_memory_bytes: Option<u64>) -> Self {
        let is_terminal = io::stderr().is_terminal();
        ProgressLine { max_memory_bytes, is_terminal, started: Instant::now(), shown: None }
    }

    /// Shows how far it is, and says whether to go on.
    pub(crate) fn observe(&mut self, progress: Progress) -> Signal {
        let last = self.shown.unwrap_or(self.started);
        if self.is_terminal && last.elapsed() >= Self::INTERVAL {
            self.shown = Some(Instant::now());
            let Progress { state_count, frontier_count, depth, elapsed } = progress;
            let rate = state_count as f64 / elapsed.as_secs_f64().max(f64::EPSILON);
            let (memory, seconds) = (memory_bytes() >> 20, elapsed.as_secs_f64());
            let line = format!(
                "{state_count} states, {rate:.0} a second, {frontier_count} waiting, depth {depth}, {memory} MiB, {seconds:.0} s"
            );
            let _ = write!(io::stderr().lock(), "\r{line:<100}");
        }
        if is_interrupted() {
            Signal::Interrupt
        } else if self.max_memory_bytes.is_some_and(|max| memory_bytes() >= max) {
            Signal::OutOfMemory
        } else {
            Signal::Continue
        }
    }

    /// Clears the line and, on a terminal, says how long it took.
    pub(crate) fn finish(self) {
        if self.is_terminal {
            let clear = if self.shown.is_some() { format!("\r{:100}\r", "") } else { String::new() };
            let _ = writeln!(io::stderr().lock(), "{clear}({:.2} s)", self.started.elapsed().as_secs_f64());
        }
    }
}

/// The memory that this process holds; 0 where the system does not tell.
fn memory_bytes() -> u64 {
    memory_stats::memory_stats().map_or(0, |stats| stats.physical_mem as u64)
}
