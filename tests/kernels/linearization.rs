//! Is there an order of the calls in which the law gives these answers? (Wing and Gong 1993.)
//!
//! Calls of a thread keep their order, and so do calls of different threads that do not overlap; overlapping ones may
//! stand either way. Nobody tells the search where a call took effect: it tries every order, exponential in the
//! number of calls, which are at most a dozen here.
//!
//! A call that takes no lock may be behind other threads, but never behind its own: nothing but its thread's last
//! call that took a lock is known to have happened before it, and its time is counted from there.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// What answers calls one after the other.
pub trait Law: Clone + fmt::Debug {
    /// A call with its arguments.
    type Call: Clone + fmt::Debug;
    /// What a call is answered.
    type Answer: PartialEq + fmt::Debug;

    /// What the call is answered in this state, which it may change.
    fn answer(&mut self, call: &Self::Call) -> Self::Answer;

    /// Whether the call takes the lock, and so happens after all calls that returned before.
    fn is_ordered(call: &Self::Call) -> bool;

    /// Whether the environment may change the state while this call is open.
    fn lets_change(call: &Self::Call) -> bool;

    /// The states into which the environment may then change it; never the same state.
    fn changes(&self) -> Vec<Self>;
}

/// A call as its caller saw it.
#[derive(Debug)]
struct Seen<L: Law> {
    thread: usize,
    call: L::Call,
    answer: L::Answer,
    invoked: u64,
    returned: u64,
}

/// Collects calls from all threads. It uses the standard library only, so that it adds no interleavings.
#[derive(Debug)]
pub struct Observer<L: Law> {
    clock: AtomicU64,
    seen: Mutex<Vec<Seen<L>>>,
}

/// One thread's side of an observer.
#[derive(Debug)]
pub struct Witness<L: Law> {
    observer: Arc<Observer<L>>,
    thread: usize,
    last_ordered: u64,
}

impl<L: Law> Witness<L> {
    /// The witness of the thread with this number.
    pub fn new(observer: &Arc<Observer<L>>, thread: usize) -> Self {
        Witness { observer: observer.clone(), thread, last_ordered: 0 }
    }

    /// Makes the call and keeps what was answered.
    pub fn observe(&mut self, call: L::Call, make: impl FnOnce() -> L::Answer) {
        let is_ordered = L::is_ordered(&call);
        let invoked = if is_ordered { self.observer.tick() } else { self.last_ordered };
        let answer = make();
        let returned = self.observer.tick();
        if is_ordered {
            self.last_ordered = returned;
        }
        let seen = Seen { thread: self.thread, call, answer, invoked, returned };
        self.observer.seen.lock().unwrap().push(seen);
    }
}

impl<L: Law> Observer<L> {
    pub fn new() -> Self {
        Observer { clock: AtomicU64::new(1), seen: Mutex::new(Vec::new()) }
    }

    fn tick(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::SeqCst)
    }

    /// Panics, with every call that was seen, unless some order of them is lawful from `initial` on to a state
    /// that `is_end` accepts.
    pub fn assert_lawful(&self, initial: &L, is_end: impl Fn(&L) -> bool) {
        let seen = self.seen.lock().unwrap();
        let search = Search { seen: &seen, is_end: &is_end };
        let all: Vec<usize> = (0..seen.len()).collect();
        assert!(search.succeeds(initial, &all, 0), "no lawful order of {seen:#?}");
    }
}

struct Search<'a, L: Law> {
    seen: &'a [Seen<L>],
    is_end: &'a dyn Fn(&L) -> bool,
}

impl<L: Law> Search<'_, L> {
    /// Whether the calls that are `open` can follow a state that was reached not before `now`.
    fn succeeds(&self, law: &L, open: &[usize], now: u64) -> bool {
        let first_return = open.iter().map(|call| self.seen[*call].returned).min().unwrap_or(u64::MAX);
        let may_change = self
            .seen
            .iter()
            .any(|seen| L::lets_change(&seen.call) && seen.invoked < first_return && seen.returned > now);
        self.goes_on(law, open, now, first_return)
            || (may_change && law.changes().iter().any(|law| self.goes_on(law, open, now, first_return)))
    }

    /// Whether they can, if one of the calls comes next.
    fn goes_on(&self, law: &L, open: &[usize], now: u64, first_return: u64) -> bool {
        if open.is_empty() {
            return (self.is_end)(law);
        }
        let is_next = |call: &&usize| {
            let seen = &self.seen[**call];
            // Calls of a thread are kept in the order of its observations.
            let is_first =
                open.iter().take_while(|other| other < call).all(|o| self.seen[*o].thread != seen.thread);
            is_first && seen.invoked < first_return
        };
        open.iter().filter(is_next).any(|call| {
            let seen = &self.seen[*call];
            let mut law = law.clone();
            let rest: Vec<usize> = open.iter().copied().filter(|other| other != call).collect();
            law.answer(&seen.call) == seen.answer && self.succeeds(&law, &rest, now.max(seen.invoked))
        })
    }
}
