//! How often an event is tried, and when again.

use std::num::NonZeroU32;

/// How often an event is tried, and how long after a failure again: exponential backoff with a bound.
///
/// Attempts are counted since the handler was opened: after a restart they are counted anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RetryPolicy {
    /// How often an event is tried at most; then it goes to the dead letters.
    pub max_attempts: NonZeroU32,
    /// How long after the first failure it is tried again, in milliseconds; each time twice as long.
    pub first_backoff_ms: u64,
    /// The longest such time, in milliseconds.
    pub max_backoff_ms: u64,
}

/// What comes after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Another attempt, once the clock shows this, in milliseconds.
    RetryAtMs(u64),
    /// The dead letters.
    GiveUp,
}

impl Default for RetryPolicy {
    /// Five attempts, after 0.1, 0.2, 0.4 and 0.8 seconds.
    fn default() -> Self {
        RetryPolicy {
            max_attempts: NonZeroU32::MIN.saturating_add(4),
            first_backoff_ms: 100,
            max_backoff_ms: 10_000,
        }
    }
}

impl RetryPolicy {
    /// What comes after the failure of the attempt number `attempt`, from 1, at `now_ms`.
    pub fn after(&self, attempt: u32, now_ms: u64) -> Verdict {
        if attempt >= self.max_attempts.get() {
            return Verdict::GiveUp;
        }
        let factor = 1_u64.checked_shl(attempt.saturating_sub(1)).unwrap_or(u64::MAX);
        let backoff_ms = self.first_backoff_ms.saturating_mul(factor).min(self.max_backoff_ms);
        Verdict::RetryAtMs(now_ms.saturating_add(backoff_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_are_bounded_and_the_time_between_them_doubles_up_to_a_bound() {
        let policy = RetryPolicy {
            max_attempts: NonZeroU32::new(5).unwrap(),
            first_backoff_ms: 10,
            max_backoff_ms: 35,
        };
        let verdicts: Vec<_> = (1..=5).map(|attempt| policy.after(attempt, 100)).collect();
        let retries = [110, 120, 135, 135].map(Verdict::RetryAtMs);
        assert_eq!(verdicts, [&retries[..], &[Verdict::GiveUp]].concat());
        let endless = RetryPolicy { max_attempts: NonZeroU32::MAX, ..policy };
        assert_eq!(endless.after(1_000, u64::MAX), Verdict::RetryAtMs(u64::MAX));
    }
}
