//! The time of an executor of threads, which a test can set.

use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Tells the time and waits for it.
pub trait SagaClock: Send + Sync + Debug {
    /// Milliseconds since some moment; they never fall.
    fn now_ms(&self) -> u64;

    /// Blocks until it is so late.
    fn wait_until_ms(&self, time_ms: u64);
}

/// The time since it was made.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    started: Instant,
}

impl SystemClock {
    /// A clock that begins now.
    pub fn new() -> Self {
        SystemClock { started: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl SagaClock for SystemClock {
    fn now_ms(&self) -> u64 {
        super::retry::millis(self.started.elapsed())
    }

    fn wait_until_ms(&self, time_ms: u64) {
        loop {
            let left_ms = time_ms.saturating_sub(self.now_ms());
            if left_ms == 0 {
                return;
            }
            // May return early.
            thread::park_timeout(Duration::from_millis(left_ms));
        }
    }
}

/// A clock that stands still, and jumps to the moment that somebody waits for: for tests that wait for nothing.
#[derive(Debug, Default)]
pub struct ManualClock {
    now_ms: AtomicU64,
}

impl SagaClock for ManualClock {
    fn now_ms(&self) -> u64 {
        self.now_ms.load(Ordering::Acquire)
    }

    fn wait_until_ms(&self, time_ms: u64) {
        self.now_ms.fetch_max(time_ms, Ordering::AcqRel);
    }
}
