//! When to ask again.

use std::time::Duration;

/// How often and when a command is sent again whose outcome nobody knows.
///
/// The pause doubles from `first_pause` up to `max_pause`, and up to half of it is left to chance (the "equal jitter"
/// of Brooker, *Exponential Backoff And Jitter*, 2015), so that many sagas do not come back at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RetryPolicy {
    /// How often a step that can be undone is asked for before it is given up and undone; at least once. Others, and
    /// compensations, are asked for until they are done.
    pub max_attempts: u32,
    /// The pause after the first attempt.
    pub first_pause: Duration,
    /// The longest pause.
    pub max_pause: Duration,
}

impl Default for RetryPolicy {
    /// Three attempts, after 100 ms and 200 ms; pauses of up to 30 s where it goes on.
    fn default() -> Self {
        RetryPolicy {
            max_attempts: 3,
            first_pause: Duration::from_millis(100),
            max_pause: Duration::from_secs(30),
        }
    }
}

/// What chance adds to a pause, in thousandths of the part that is left to chance: 0 to 1000.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Jitter(pub u16);

impl RetryPolicy {
    /// The pause after attempt number `attempt`, which counts from 1, in milliseconds.
    pub fn pause_ms(&self, attempt: u64, jitter: Jitter) -> u64 {
        let (first, longest) = (millis(self.first_pause), millis(self.max_pause));
        let doublings = u32::try_from(attempt.saturating_sub(1)).unwrap_or(u32::MAX).min(63);
        let whole = first.saturating_mul(1 << doublings).min(longest);
        let by_chance = whole / 2;
        whole - by_chance
            + by_chance / 1000 * u64::from(jitter.0.min(1000))
            + by_chance % 1000 * u64::from(jitter.0.min(1000)) / 1000
    }
}

pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use quickcheck::quickcheck;

    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let policy = RetryPolicy { max_pause: Duration::from_millis(500), ..RetryPolicy::default() };
        let pauses = |jitter| [1, 2, 3, 4, u64::MAX].map(|attempt| policy.pause_ms(attempt, Jitter(jitter)));
        assert_eq!(pauses(1000), [100, 200, 400, 500, 500]);
        assert_eq!(pauses(0), [50, 100, 200, 250, 250]);
        assert_eq!(pauses(500)[..2], [75, 150]);
    }

    quickcheck! {
        fn a_pause_is_at_least_half_and_at_most_the_whole(first_ms: u32, max_ms: u32, attempt: u64, jitter: u16) -> bool {
            let [first_pause, max_pause] = [first_ms, max_ms].map(|ms| Duration::from_millis(ms.into()));
            let policy = RetryPolicy { max_attempts: 1, first_pause, max_pause };
            let (least, most) = (policy.pause_ms(attempt, Jitter(0)), policy.pause_ms(attempt, Jitter(1000)));
            let pause = policy.pause_ms(attempt, Jitter(jitter));
            least <= pause && pause <= most && most <= u64::from(max_ms) && least >= most / 2
        }
    }
}
