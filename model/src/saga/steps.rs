//! Sets of steps.

/// A set of the saga's steps, which are numbered from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Steps(u8);

impl Steps {
    /// The first `count` steps.
    pub fn first(count: u8) -> Self {
        (0..count).fold(Steps::default(), |steps, step| Steps(steps.0 | 1 << step))
    }

    /// The set without `step`.
    #[must_use]
    pub fn without(self, step: u8) -> Self {
        Steps(self.0 & !(1 << step))
    }

    /// Its steps, in order.
    pub fn iter(self) -> impl DoubleEndedIterator<Item = u8> {
        (0..u8::BITS as u8).filter(move |step| self.0 & (1 << step) != 0)
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}
