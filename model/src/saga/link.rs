//! What is under way between the orchestrator and the participants.

use std::fmt::{self, Debug};
use std::marker::PhantomData;

use serde::Serialize;

use super::MAX_STEPS;

/// Which way a command leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// Do the step.
    Forward,
    /// Compensate it.
    Backward,
}

/// What the orchestrator asks of a participant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Command {
    /// The step, and so the participant.
    pub step: u8,
    /// To do it, or to compensate it.
    pub way: Way,
}

/// What a participant answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Reply {
    /// To what.
    pub command: Command,
    /// Whether it was done; else it was refused, or could not be.
    pub is_done: bool,
}

impl Command {
    /// How many different commands there are.
    pub const COUNT: u8 = 2 * MAX_STEPS as u8;
}

/// What can be under way: each has a number of its own, below 21.
pub trait Message: Copy {
    /// Its number.
    fn number(self) -> u8;

    /// The message of that number.
    fn of(number: u8) -> Self;
}

impl Message for Command {
    fn number(self) -> u8 {
        2 * self.step + u8::from(self.way == Way::Backward)
    }

    fn of(number: u8) -> Self {
        let way = if number & 1 == 0 { Way::Forward } else { Way::Backward };
        Command { step: number / 2, way }
    }
}

impl Message for Reply {
    fn number(self) -> u8 {
        2 * self.command.number() + u8::from(self.is_done)
    }

    fn of(number: u8) -> Self {
        Reply { command: Command::of(number / 2), is_done: number & 1 == 1 }
    }
}

/// Messages under way, without order: a multiset.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Link<M> {
    /// How many there are of each message, three bits each.
    // INVARIANT: at most one copy and what the network duplicates, which the bounds keep below seven.
    counts: u64,
    messages: PhantomData<M>,
}

/// The bits of one count.
const BITS: u32 = 3;

impl<M: Message> Link<M> {
    /// How many copies of `message` there are.
    pub fn count(self, message: M) -> u8 {
        (self.counts >> (BITS * u32::from(message.number())) & 0b111) as u8
    }

    pub(crate) fn insert(&mut self, message: M) {
        debug_assert!(self.count(message) < 7, "more copies than the bounds allow");
        self.counts += Self::one(message);
    }

    pub(crate) fn remove(&mut self, message: M) {
        debug_assert!(self.count(message) > 0, "only what is on the link is taken from it");
        self.counts -= Self::one(message);
    }

    /// The distinct messages, in the order of their numbers.
    pub fn iter(self) -> impl Iterator<Item = M> {
        (0..(u64::BITS / BITS) as u8).map(M::of).filter(move |message| self.count(*message) > 0)
    }

    fn one(message: M) -> u64 {
        1 << (BITS * u32::from(message.number()))
    }
}

impl<M> Default for Link<M> {
    fn default() -> Self {
        Link { counts: 0, messages: PhantomData }
    }
}

impl<M: Message + Debug> Debug for Link<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|message| (message, self.count(message)))).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_message_has_a_number_of_its_own() {
        for number in 0..Command::COUNT {
            assert_eq!(Command::of(number).number(), number);
        }
        for number in 0..2 * Command::COUNT {
            assert_eq!(Reply::of(number).number(), number);
        }
    }

    #[test]
    fn a_link_holds_each_copy_and_gives_each_back() {
        let mut link = Link::default();
        let last = Reply::of(2 * Command::COUNT - 1);
        link.insert(last);
        link.insert(last);
        link.insert(Reply::of(0));
        assert_eq!(link.iter().collect::<Vec<_>>(), [Reply::of(0), last]);
        link.remove(last);
        assert_eq!((link.count(last), link.count(Reply::of(0))), (1, 1));
    }
}
