//! Since when an event may stand where it stands: what is sent again may be known again, and is then told the place that an
//! earlier send gave it.
//!
//! Cost: O(n) once.

use lawspeaker_history::OpType;

use super::{Attempt, EventKey, Evidence, Key};

impl Evidence {
    /// The first of the sends that may have put `event` where it stands: what is sent again may be known again, and is then
    /// told the place of the first. `None` if there is none, or if nobody saw one of them begin. O(1).
    pub(crate) fn first_try(&self, event: EventKey) -> Option<&Attempt> {
        self.first_tries[event.place()].map(|place| &self.attempts[place as usize])
    }

    /// Whether `event` may have been somewhere before `line`. O(1).
    pub(crate) fn may_precede(&self, event: EventKey, line: u64) -> bool {
        self.first_try(event).is_none_or(|first| first.begin < line)
    }
}

/// By event: the place of the first of its sends that did not fail, where all that did not were seen to begin, or are
/// ordered by their lines.
pub(super) fn first_tries(event_count: usize, attempts: &[Attempt]) -> Vec<Option<u32>> {
    let mut first_tries = vec![None; event_count];
    let mut place = 0;
    for of_event in attempts.chunk_by(|one, next| one.event == next.event) {
        let has_begun = |attempt: &Attempt| attempt.is_invoked || attempt.outcome != OpType::Info;
        if of_event.iter().all(has_begun) {
            let first = of_event.iter().position(|attempt| attempt.outcome != OpType::Fail);
            let row = |first| u32::try_from(place + first).expect("rows are fewer than 2^32");
            first_tries[of_event[0].event.place()] = first.map(row);
        }
        place += of_event.len();
    }
    first_tries
}
