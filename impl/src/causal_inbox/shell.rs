//! The inbox that threads share: the core behind a lock, and the events that it holds.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use lawspeaker_history::{Call, Delivery, Op, OpType, Partition, Process, Recorder};
use serde_json::json;

use crate::causality::{Dot, DotSet, Span};
use crate::mutant::{Mutant, is_seeded};
use crate::partition_log::LogEntry;
use crate::sync::{Arc, Condvar, Mutex, MutexGuard, lock, wait};

use super::core::{Arrived, CausalInboxCore, Refusal, Stuck};

/// A causal inbox, shared by reference between threads: some [`offer`](Self::offer), some
/// [`receive`](Self::receive).
///
/// The linearization point of a call lies inside the critical section; deliveries are recorded there, as `apply`, and
/// what is given up as `give-up`.
#[derive(Debug)]
pub struct CausalInbox {
    process: Process,
    shared: Mutex<Shared>,
    /// Rings when something is ready, and at the close.
    bell: Condvar,
    recorder: Arc<dyn Recorder>,
}

/// The lock again, and what was delivered under it.
type Next<'a> = (MutexGuard<'a, Shared>, Option<CausalDelivery>);

#[derive(Debug)]
struct Shared {
    core: CausalInboxCore,
    // INVARIANT: just what the core holds.
    events: BTreeMap<Dot, CausalDelivery>,
}

/// An event with the partition that it stands in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CausalDelivery {
    /// Where it stands.
    pub partition: Partition,
    /// What stands there.
    pub entry: LogEntry,
}

impl CausalDelivery {
    /// The event's name.
    pub fn dot(&self) -> Dot {
        Dot::new(&self.partition, self.entry.stamp)
    }
}

/// The inbox was closed, and delivers nothing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the inbox is closed")]
pub struct InboxClosed;

impl CausalInbox {
    /// The inbox of the service that is `process` in histories; for the rest see [`CausalInboxCore::new`].
    pub fn new(
        process: Process,
        subscribed: impl IntoIterator<Item = Partition>,
        delivered: DotSet,
        capacity: NonZeroUsize,
        recorder: Arc<dyn Recorder>,
    ) -> Self {
        let core = CausalInboxCore::new(subscribed, delivered, capacity);
        let shared = Mutex::new(Shared { core, events: BTreeMap::new() });
        CausalInbox { process, shared, bell: Condvar::new(), recorder }
    }

    /// An event arrives at `now_ms`, by any clock that does not go back.
    ///
    /// # Errors
    /// [`Refusal`]: the event is the caller's to keep; after [`Refusal::Full`] to offer again.
    pub fn offer(&self, event: CausalDelivery, now_ms: u64) -> Result<Arrived, Refusal> {
        let mut shared = lock(&self.shared);
        let dot = event.dot();
        let arrived = shared.core.arrive(dot.clone(), event.entry.message.context.as_ref(), now_ms)?;
        if arrived == Arrived::Taken {
            shared.events.insert(dot, event);
            if !is_seeded(Mutant::ArrivalWakesNobody) {
                self.ring(&shared);
            }
        }
        Ok(arrived)
    }

    /// Wakes somebody who waits, if there is something for them: whoever takes it rings again if there is more. Call it
    /// with the lock held, so that nobody falls asleep between looking and waiting.
    fn ring(&self, shared: &Shared) {
        if shared.core.first_ready().is_some() {
            self.bell.notify_one();
        }
    }

    /// The next event; blocks until there is one.
    ///
    /// # Errors
    /// [`InboxClosed`].
    pub fn receive(&self) -> Result<CausalDelivery, InboxClosed> {
        let mut shared = lock(&self.shared);
        loop {
            let (guard, event) = self.next(shared)?;
            match event {
                Some(event) => return Ok(event),
                None => shared = wait(&self.bell, guard),
            }
        }
    }

    /// The next event, if there is one now.
    ///
    /// # Errors
    /// [`InboxClosed`].
    pub fn try_receive(&self) -> Result<Option<CausalDelivery>, InboxClosed> {
        Ok(self.next(lock(&self.shared))?.1)
    }

    fn next<'a>(&'a self, mut shared: MutexGuard<'a, Shared>) -> Result<Next<'a>, InboxClosed> {
        if shared.core.is_closed() {
            return Err(InboxClosed);
        }
        let Some(ready) = shared.core.first_ready().cloned() else { return Ok((shared, None)) };
        if is_seeded(Mutant::DeliveryCheckThenAct) {
            drop(shared);
            shared = lock(&self.shared);
        }
        shared.core.deliver();
        let event = shared.events.remove(&ready);
        if let Some(event) = &event {
            self.record_delivery(event);
        }
        if !is_seeded(Mutant::DeliveryWakesNobody) {
            self.ring(&shared);
        }
        Ok((shared, event))
    }

    fn record_delivery(&self, event: &CausalDelivery) {
        let delivery = Delivery {
            partition: event.partition.clone(),
            offset: Some(event.entry.offset),
            event: Some(event.entry.message.id.clone()),
        };
        self.recorder.record(Op::new(self.process.clone(), OpType::Ok, Call::Apply(vec![delivery])));
    }

    /// The held events that have missed a cause for at least `timeout_ms`, in the order of arrival. O(held).
    pub fn stuck(&self, now_ms: u64, timeout_ms: u64) -> Vec<Stuck> {
        lock(&self.shared).core.stuck(now_ms, timeout_ms)
    }

    /// Nobody waits for these causes any more: what depends on them is delivered without them. If they come after
    /// all they are delivered too.
    pub fn give_up(&self, causes: &Span) {
        let mut shared = lock(&self.shared);
        shared.core.give_up(causes);
        let value = json!([causes.lane.to_string(), causes.first.0, causes.end.0]);
        let call = Call::Other { f: "give-up".to_owned(), value };
        self.recorder.record(Op::new(self.process.clone(), OpType::Ok, call));
        self.ring(&shared);
    }

    /// Takes and delivers nothing more, and wakes everybody who waits. Returns what was held, in the order of
    /// arrival: it was not delivered.
    pub fn close(&self) -> Vec<CausalDelivery> {
        let mut shared = lock(&self.shared);
        let held = shared.core.close();
        if !is_seeded(Mutant::InboxCloseWakesNobody) {
            self.bell.notify_all();
        }
        held.iter().filter_map(|dot| shared.events.remove(dot)).collect()
    }

    /// What was delivered, or counted as delivered from the beginning.
    pub fn delivered(&self) -> DotSet {
        lock(&self.shared).core.delivered().clone()
    }

    /// What was given up.
    pub fn given_up(&self) -> DotSet {
        lock(&self.shared).core.given_up().clone()
    }

    /// How many events it holds.
    pub fn held_count(&self) -> usize {
        lock(&self.shared).events.len()
    }
}
