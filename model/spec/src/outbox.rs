//! The ideal outbox and inbox of a service: what it has handled, what it owes, and who publishes that.
//!
//! Guarantees it defines: `outbox-atomicity` (a transaction and what it owes are durable together or lost together),
//! `effect-once` as long as an event is remembered, and that a relay is given every durable event until it is marked,
//! in order.

/// How long an event is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Retention {
    /// For ever.
    Forever,
    /// While it is among the last so many.
    Last(usize),
    /// For so long.
    For(u64),
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It had its effect.
    Applied,
    /// It was refused.
    Refused,
    /// It was called off before it came.
    Voided,
    /// It was given up.
    DeadLettered,
}

/// Why a call is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The event was handled already.
    AlreadyHandled(Outcome),
    /// Another relay has taken over.
    Fenced {
        /// Which.
        current: u64,
    },
    /// What is marked is not durable.
    NotOwed {
        /// The first slot that is not.
        durable: u64,
    },
}

/// What a transaction does.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Transaction {
    /// The event that it handles, and what becomes of it.
    pub handled: Option<(u64, Outcome)>,
    /// What is to do nothing when it comes.
    pub voided: Vec<u64>,
    /// How many events it owes.
    pub owed_count: u64,
    /// When.
    pub time: u64,
}

/// All that a crash could take: each of it only grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Extent {
    handled_count: usize,
    owed_count: u64,
    published: u64,
    relay: u64,
    now: u64,
}

/// The ideal outbox and inbox.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Outbox {
    retention: Retention,
    /// Every event that was ever taken up, with its outcome and time, in order.
    handled: Vec<(u64, Outcome, u64)>,
    all: Extent,
    durable: Extent,
}

impl Outbox {
    /// Nothing was done yet.
    pub fn new(retention: Retention) -> Self {
        Outbox { retention, handled: Vec::new(), all: Extent::default(), durable: Extent::default() }
    }

    /// What is remembered, in order.
    pub fn remembered(&self) -> Vec<(u64, Outcome)> {
        let first = match self.retention {
            Retention::Forever => 0,
            Retention::Last(count) => self.handled.len().saturating_sub(count),
            Retention::For(time) => {
                let is_forgotten = |(_, _, when): &&(u64, Outcome, u64)| when + time < self.all.now;
                self.handled.iter().take_while(is_forgotten).count()
            }
        };
        self.handled[first..].iter().map(|(event, outcome, _)| (*event, *outcome)).collect()
    }

    /// What became of an event that is remembered.
    pub fn outcome(&self, event: u64) -> Option<Outcome> {
        self.remembered().into_iter().find(|(other, _)| *other == event).map(|(_, outcome)| outcome)
    }

    /// Commits a transaction. Returns the slot of the first event that it owes.
    ///
    /// # Errors
    /// [`Refusal::AlreadyHandled`].
    pub fn commit(&mut self, transaction: &Transaction) -> Result<u64, Refusal> {
        if let Some(outcome) = transaction.handled.and_then(|(event, _)| self.outcome(event)) {
            return Err(Refusal::AlreadyHandled(outcome));
        }
        // What is remembered when the transaction begins is not taken up again; it may be forgotten by its end.
        let known = self.remembered();
        let now = self.all.now.max(transaction.time);
        let voided = transaction.voided.iter().map(|event| (*event, Outcome::Voided));
        for (event, outcome) in transaction.handled.into_iter().chain(voided) {
            let is_new = |taken: &[(u64, Outcome, u64)]| taken.iter().all(|(other, ..)| *other != event);
            if known.iter().all(|(other, _)| *other != event)
                && is_new(&self.handled[self.all.handled_count..])
            {
                self.handled.push((event, outcome, now));
            }
        }
        let first = self.all.owed_count;
        self.all.now = now;
        self.all.handled_count = self.handled.len();
        self.all.owed_count += transaction.owed_count;
        Ok(first)
    }

    /// A relay takes over.
    pub fn open_relay(&mut self) -> u64 {
        self.all.relay += 1;
        self.all.relay
    }

    /// The slots that the relay is to publish: from the first to before the second.
    ///
    /// # Errors
    /// [`Refusal::Fenced`].
    pub fn pending(&self, relay: u64) -> Result<(u64, u64), Refusal> {
        match relay == self.all.relay {
            true => Ok((self.all.published, self.durable.owed_count)),
            false => Err(Refusal::Fenced { current: self.all.relay }),
        }
    }

    /// The relay has published all slots before `next`.
    ///
    /// # Errors
    /// [`Refusal::Fenced`], [`Refusal::NotOwed`].
    pub fn mark_published(&mut self, relay: u64, next: u64) -> Result<(), Refusal> {
        let (published, durable) = self.pending(relay)?;
        if next > durable {
            return Err(Refusal::NotOwed { durable });
        }
        self.all.published = published.max(next);
        Ok(())
    }

    /// Everything becomes durable.
    pub fn flush(&mut self) {
        self.durable = self.all;
    }

    /// What is not durable is lost.
    pub fn crash(&mut self) {
        self.all = self.durable;
        self.handled.truncate(self.all.handled_count);
    }

    /// The first slot that is not marked.
    pub fn published(&self) -> u64 {
        self.all.published
    }

    /// The first slot that is not durable.
    pub fn durable(&self) -> u64 {
        self.durable.owed_count
    }

    /// How many events were ever owed.
    pub fn end(&self) -> u64 {
        self.all.owed_count
    }

    /// How many events were ever taken up, remembered or not.
    pub fn taken_count(&self) -> usize {
        self.handled.len()
    }

    /// The current relay; 0 if there was none.
    pub fn relay(&self) -> u64 {
        self.all.relay
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handle(event: u64, outcome: Outcome, time: u64) -> Transaction {
        Transaction { handled: Some((event, outcome)), voided: Vec::new(), owed_count: 1, time }
    }

    #[test]
    fn an_event_is_handled_once_while_it_is_remembered() {
        let mut outbox = Outbox::new(Retention::Last(1));
        assert_eq!(outbox.commit(&handle(1, Outcome::Refused, 0)), Ok(0));
        let again = outbox.commit(&handle(1, Outcome::Applied, 0));
        assert_eq!(again, Err(Refusal::AlreadyHandled(Outcome::Refused)));
        assert_eq!(outbox.commit(&handle(2, Outcome::Applied, 0)), Ok(1));
        assert_eq!(outbox.commit(&handle(1, Outcome::Applied, 0)), Ok(2), "it was forgotten");
        let mut outbox = Outbox::new(Retention::For(5));
        assert_eq!(outbox.commit(&handle(1, Outcome::Applied, 0)), Ok(0));
        assert_eq!(outbox.commit(&handle(2, Outcome::Applied, 5)), Ok(1));
        assert_eq!(outbox.remembered().len(), 2);
        assert_eq!(outbox.commit(&handle(3, Outcome::Applied, 6)), Ok(2));
        assert_eq!(outbox.outcome(1), None);
    }

    #[test]
    fn what_is_owed_is_the_relays_until_it_is_marked_and_a_crash_takes_marks_back() {
        let mut outbox = Outbox::new(Retention::Forever);
        let relay = outbox.open_relay();
        outbox.commit(&handle(1, Outcome::Applied, 0)).unwrap();
        assert_eq!(outbox.pending(relay), Ok((0, 0)), "it is not durable");
        assert_eq!(outbox.mark_published(relay, 1), Err(Refusal::NotOwed { durable: 0 }));
        outbox.flush();
        assert_eq!(outbox.pending(relay), Ok((0, 1)));
        assert_eq!(outbox.mark_published(relay, 1), Ok(()));
        outbox.commit(&handle(2, Outcome::Applied, 0)).unwrap();
        outbox.crash();
        assert_eq!((outbox.pending(relay), outbox.outcome(2)), (Ok((0, 1)), None));
        assert_eq!(outbox.open_relay(), 2);
        assert_eq!(outbox.pending(relay), Err(Refusal::Fenced { current: 2 }));
    }
}
