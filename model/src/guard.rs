//! Guards: the mechanisms that uphold guarantees, each of which can be removed.

use lawspeaker_history::Guarantee;

/// A mechanism that a model's guarantees rest on.
#[derive(Debug, PartialEq, Eq)]
pub struct Guard {
    /// Its place in a [`Guards`] set; distinct within a model.
    pub bit: u8,
    /// Its name on the command line, such as `fence-commit`.
    pub name: &'static str,
    /// The guarantee it is named for: the one that falls when it is removed.
    pub upholds: Guarantee,
    /// What it does, as a clause that starts with its subject.
    pub does: &'static str,
    /// What happens without it, as a sentence: the "why" of the counterexample.
    pub without: &'static str,
    /// Real systems in which it was missing, or the text that demands it.
    pub seen_in: &'static str,
    /// Where other guards cover for it, how to see what it does by itself.
    pub mask: Option<Mask>,
}

/// Other guards prevent what this one prevents: it shows only with them removed, and within these bounds.
#[derive(Debug, PartialEq, Eq)]
pub struct Mask {
    /// The guards that cover for it.
    pub guards: &'static [&'static Guard],
    /// Bounds under which the guarantee holds without them, thanks to this guard alone.
    pub settings: &'static [(&'static str, u8)],
}

/// A set of guards of one model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Guards(u32);

impl Guards {
    /// Every guard.
    pub const ALL: Guards = Guards(u32::MAX);

    /// Whether `guard` is in place.
    pub fn has(self, guard: &Guard) -> bool {
        self.0 & (1 << guard.bit) != 0
    }

    /// The set without `guard`.
    #[must_use]
    pub fn without(self, guard: &Guard) -> Self {
        Guards(self.0 & !(1 << guard.bit))
    }
}
