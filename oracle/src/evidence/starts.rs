//! Where the rows of each event begin.

use std::ops::Range;

use super::{EventKey, Key};

/// For each event, the place of the first of its rows, where rows are sorted by event.
#[derive(Debug)]
pub(super) struct Starts(Vec<u32>);

impl Starts {
    /// From the events of all rows, in whatever order. O(rows + events).
    pub(super) fn of_rows(event_count: usize, events: impl Iterator<Item = EventKey>) -> Self {
        let mut starts = vec![0; event_count + 1];
        events.for_each(|event| starts[event.place() + 1] += 1);
        for event in 0..event_count {
            starts[event + 1] += starts[event];
        }
        Starts(starts)
    }

    /// The places of the rows of `event`.
    pub(super) fn of(&self, event: EventKey) -> Range<usize> {
        self.0[event.place()] as usize..self.0[event.place() + 1] as usize
    }

    /// The places of rows in the order of their events, and of places within one event.
    pub(super) fn by_event(&self, events: impl ExactSizeIterator<Item = EventKey>) -> Vec<u32> {
        let mut places = vec![0; events.len()];
        let mut next = self.0.clone();
        for (place, event) in (0..).zip(events) {
            places[next[event.place()] as usize] = place;
            next[event.place()] += 1;
        }
        places
    }
}
