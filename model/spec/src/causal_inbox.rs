//! The ideal causal inbox: events come in any order and go in one in which no effect precedes its cause.
//!
//! Guarantee it defines: `causal-delivery` (what is delivered is, step by step, the first held event in the order of
//! arrival whose needed causes are all delivered), with a bound on what is held, nothing twice, and causes that one
//! is never sent, or that were given up, not waited for.

/// An event by its number, with the topic it is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Event {
    /// Which topic.
    pub topic: u64,
    /// Which event, over all topics.
    pub number: u64,
}

/// What an arrival is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// The inbox holds it now.
    Taken,
    /// It was delivered, or is held, already.
    Duplicate,
    /// There is no room.
    Full,
    /// The inbox does not read the event's topic.
    NotSubscribed,
    /// The inbox is closed.
    Closed,
}

/// A held event, its causes, and since when it is held.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Held {
    /// The event.
    pub event: Event,
    /// All that must come before it.
    pub causes: Vec<Event>,
    /// When it came.
    pub since: u64,
}

/// The ideal inbox.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CausalInbox {
    capacity: usize,
    topics: Vec<u64>,
    held: Vec<Held>,
    delivered: Vec<Event>,
    given_up: Vec<Event>,
    is_closed: bool,
}

impl CausalInbox {
    /// An empty inbox for a reader of `topics`.
    pub fn new(capacity: usize, topics: Vec<u64>) -> Self {
        let (held, delivered, given_up) = (Vec::new(), Vec::new(), Vec::new());
        CausalInbox { capacity, topics, held, delivered, given_up, is_closed: false }
    }

    /// The causes that the held event waits for.
    fn missing(&self, held: &Held) -> Vec<Event> {
        let is_missing = |cause: &&Event| {
            self.topics.contains(&cause.topic)
                && **cause != held.event
                && !self.delivered.contains(cause)
                && !self.given_up.contains(cause)
        };
        held.causes.iter().filter(is_missing).copied().collect()
    }

    fn first_deliverable(&self) -> Option<usize> {
        self.held.iter().position(|held| self.missing(held).is_empty())
    }

    /// An event arrives. A full inbox takes it only if it can be delivered and nothing that is held can: otherwise
    /// an inbox full of effects would never take their cause.
    pub fn arrive(&mut self, event: Event, causes: Vec<Event>, now: u64) -> Answer {
        if self.is_closed {
            return Answer::Closed;
        }
        if !self.topics.contains(&event.topic) {
            return Answer::NotSubscribed;
        }
        if self.delivered.contains(&event) || self.held.iter().any(|held| held.event == event) {
            return Answer::Duplicate;
        }
        let arriving = Held { event, causes, since: now };
        let is_awaited = self.first_deliverable().is_none() && self.missing(&arriving).is_empty();
        if self.held.len() >= self.capacity && !is_awaited {
            return Answer::Full;
        }
        self.held.push(arriving);
        Answer::Taken
    }

    /// Delivers the first held event whose needed causes are all delivered.
    pub fn deliver(&mut self) -> Option<Event> {
        let held = self.held.remove(self.first_deliverable()?);
        self.delivered.push(held.event);
        Some(held.event)
    }

    /// The held events that wait for causes and came at least `timeout` ago, with those causes and that time.
    pub fn stuck(&self, now: u64, timeout: u64) -> Vec<(Event, Vec<Event>, u64)> {
        let late = self.held.iter().filter(|held| now - held.since >= timeout);
        late.map(|held| (held.event, self.missing(held), now - held.since))
            .filter(|(_, missing, _)| !missing.is_empty())
            .collect()
    }

    /// Nobody waits for `cause` any more.
    pub fn give_up(&mut self, cause: Event) {
        if !self.given_up.contains(&cause) {
            self.given_up.push(cause);
            self.given_up.sort_unstable();
        }
    }

    /// Takes and delivers nothing more. Returns what was held.
    pub fn close(&mut self) -> Vec<Event> {
        self.is_closed = true;
        self.held.drain(..).map(|held| held.event).collect()
    }

    /// What was delivered, in order.
    pub fn delivered(&self) -> &[Event] {
        &self.delivered
    }

    /// What is held, in the order of arrival.
    pub fn held(&self) -> &[Held] {
        &self.held
    }

    /// What was given up, in order of the events.
    pub fn given_up(&self) -> &[Event] {
        &self.given_up
    }

    /// Whether it was closed.
    pub fn is_closed(&self) -> bool {
        self.is_closed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn event(number: u64) -> Event {
        Event { topic: number / 10, number }
    }

    #[test]
    fn an_effect_waits_for_its_cause() {
        let mut inbox = CausalInbox::new(2, vec![0]);
        assert_eq!(inbox.arrive(event(2), vec![event(1)], 0), Answer::Taken);
        assert_eq!(inbox.deliver(), None);
        assert_eq!(inbox.stuck(3, 3), [(event(2), vec![event(1)], 3)]);
        assert_eq!(inbox.arrive(event(1), vec![], 3), Answer::Taken);
        assert_eq!(inbox.arrive(event(1), vec![], 3), Answer::Duplicate);
        assert_eq!(
            [inbox.deliver(), inbox.deliver(), inbox.deliver()],
            [Some(event(1)), Some(event(2)), None]
        );
    }

    #[test]
    fn a_cause_that_never_comes_is_not_waited_for() {
        let mut inbox = CausalInbox::new(2, vec![0]);
        inbox.arrive(event(2), vec![event(11), event(1), event(2)], 0);
        assert_eq!(inbox.arrive(event(11), vec![], 0), Answer::NotSubscribed);
        inbox.give_up(event(1));
        assert_eq!(inbox.deliver(), Some(event(2)));
    }

    #[test]
    fn a_full_inbox_takes_what_it_waits_for_and_nothing_else() {
        let mut inbox = CausalInbox::new(1, vec![0]);
        inbox.arrive(event(2), vec![event(1)], 0);
        assert_eq!(inbox.arrive(event(3), vec![event(1)], 0), Answer::Full);
        assert_eq!(inbox.arrive(event(1), vec![], 0), Answer::Taken);
        assert_eq!(inbox.arrive(event(4), vec![], 0), Answer::Full);
        assert_eq!(inbox.close(), [event(2), event(1)]);
        assert_eq!(inbox.arrive(event(1), vec![], 0), Answer::Closed);
    }
}
