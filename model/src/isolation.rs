//! Sagas that run at the same time on shared records: what isolation is left when there is no transaction around them.
//!
//! Each saga updates every record but one, one a step, and each step is a local transaction that is there for all to see
//! at once. Sagas leave out different records, so that they meet on some and pass one another on others.
//! A saga that cannot go on compensates its steps in reverse order. Where a saga stands on records that another may
//! yet compensate, it may have to wait for it: a *semantic lock* is a mark on a record that says "not final".
//!
//! A record holds the writes of sagas, in the order in which they were made: its value is their number. A compensation
//! takes its saga's write back, or puts back what stood there before, and with it the absence of every later write.
//!
//! Reference: Garcia-Molina and Salem, *Sagas*, SIGMOD 1987 (sagas give isolation up); Frank and Zahle, *Semantic ACID
//! properties in multidatabases using remote procedure calls and update propagations*, 1998, and Richardson,
//! *Microservices Patterns*, 2018, section 4.3 (countermeasures: semantic lock, commutative updates); Seata's AT mode, which
//! locks rows globally and restores images.
//!
//! Left out, and why that is safe:
//! * Lost commands, repeats and crashes: they are in [`crate::saga`], and concern one saga at a time.
//! * Pivots: a saga that is past its pivot is one that does not fail any more, which each may do here at any step.
//! * Sagas that share no record: they do not meet.
//! * Updates that depend on what a saga read several steps ago (*reread value*, *version file*): here a step reads what it
//!   updates in its own transaction.
//! * Giving up a lock that one waits for: a wait that is broken off is a saga that turns back, which may happen at any time,
//!   and on which nothing may rely.
//!
//! That a saga fails counts as a fault: nothing may rely on it. Faults are budgeted.

mod bounds;
mod guards;
mod laws;
mod observed;
mod words;

pub use bounds::Bounds;
pub use guards::*;

use serde::Serialize;
use stateright::{Model, Property};

use crate::engine::{self, FairGroup, Law, System, Witness};
use crate::few::Few;
use crate::guard::Guards;

/// The model: its bounds and the guards in place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Isolation {
    /// How much there is of everything.
    pub bounds: Bounds,
    /// The guards in place.
    pub guards: Guards,
}

/// The most sagas that a state can hold.
const MAX_SAGAS: usize = 4;

/// The most records, and so one more than the most steps of a saga.
const MAX_RECORDS: usize = 4;

/// The sagas whose writes a record holds, in the order of the writes.
pub type Writes = Few<u8, MAX_SAGAS>;

/// A record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Record {
    /// The writes that it holds.
    pub writes: Writes,
    /// The saga whose semantic lock stands on it.
    pub lock: Option<u8>,
}

/// Where a saga stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(tag = "phase", content = "done")]
pub enum Phase {
    /// It goes forward; so many steps are done.
    Forward(u8),
    /// It goes back; so many steps are done and not compensated.
    Backward(u8),
    /// Every step is done.
    Committed,
    /// Every done step is compensated.
    Aborted,
}

impl Default for Phase {
    fn default() -> Self {
        Phase::Forward(0)
    }
}

/// A saga.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Saga {
    /// Where it stands.
    pub phase: Phase,
    /// What each record held before the saga's step, by step; kept for compensations that put it back.
    pub images: Few<Writes, MAX_RECORDS>,
}

/// How many faults may still happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Budget {
    failures: u8,
}

/// The truth, kept for the laws; no guard and no action reads it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Ghost {
    /// Which saga has read a write of which: the reader first.
    pub has_read: Few<Few<bool, MAX_SAGAS>, MAX_SAGAS>,
    /// Whether a saga compensated a write that another had read.
    pub is_read_undone: bool,
    /// Whose writes were wiped out when an older value was put back, by saga.
    pub is_wiped_out: Few<bool, MAX_SAGAS>,
}

/// A state of the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct State {
    /// The records.
    pub records: Few<Record, MAX_RECORDS>,
    /// The sagas.
    pub sagas: Few<Saga, MAX_SAGAS>,
    /// Faults to come.
    pub budget: Budget,
    /// The truth.
    pub ghost: Ghost,
}

/// A step of the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// A saga does its next step.
    Step(u8),
    /// A saga compensates the last of its steps that is not compensated.
    Compensate(u8),
    /// A step of a saga is refused, and the saga turns back.
    Fail(u8),
}

impl Isolation {
    /// How many steps a saga has.
    pub(crate) fn step_count(&self) -> u8 {
        self.bounds.records - 1
    }

    /// The record that the step of a saga updates. In a fixed order for all, or each saga begins after the one that it
    /// leaves out.
    pub(crate) fn record_of(&self, saga: u8, step: u8) -> u8 {
        let left_out = saga % self.bounds.records;
        if self.guards.has(&LOCK_ORDER) {
            step + u8::from(step >= left_out)
        } else {
            (left_out + 1 + step) % self.bounds.records
        }
    }

    /// Whether a saga has a step that updates a record.
    pub(crate) fn updates(&self, saga: u8, record: u8) -> bool {
        saga % self.bounds.records != record
    }

    /// Whether the steps of a saga read what they update, or only add to it.
    pub(crate) fn is_reader(&self, saga: u8) -> bool {
        saga < self.bounds.readers
    }

    /// The record that a saga goes for next.
    fn next_record(&self, state: &State, saga: u8) -> Option<u8> {
        match state.sagas[saga as usize].phase {
            Phase::Forward(step) => Some(self.record_of(saga, step)),
            _ => None,
        }
    }

    /// The saga for whose lock a saga waits.
    fn waits_for(&self, state: &State, saga: u8) -> Option<u8> {
        let record = self.next_record(state, saga)?;
        state.records[record as usize].lock.filter(|holder| *holder != saga)
    }

    fn step(&self, state: &mut State, number: u8) {
        let Some(record) = self.next_record(state, number) else { return };
        let record = &mut state.records[record as usize];
        if let Some(writer) = record.writes.last().filter(|_| self.is_reader(number)) {
            state.ghost.has_read[number as usize][*writer as usize] = true;
        }
        let saga = &mut state.sagas[number as usize];
        saga.images.push(record.writes);
        record.writes.push(number);
        record.lock = self.guards.has(&SEMANTIC_LOCK).then_some(number);
        let done = saga.images.len() as u8;
        if done < self.step_count() {
            saga.phase = Phase::Forward(done);
        } else {
            saga.phase = Phase::Committed;
            Self::end(state, number);
        }
    }

    /// Nothing is to be compensated any more: what stands is final.
    fn end(state: &mut State, number: u8) {
        state.sagas[number as usize].images.clear();
        let locked = state.records.iter_mut().filter(|record| record.lock == Some(number));
        locked.for_each(|record| record.lock = None);
    }

    fn compensate(&self, state: &mut State, number: u8) {
        let saga = &mut state.sagas[number as usize];
        let Phase::Backward(done) = saga.phase else { return };
        saga.phase = if done > 1 { Phase::Backward(done - 1) } else { Phase::Aborted };
        let image = saga.images.pop().unwrap_or_default();
        let record = &mut state.records[self.record_of(number, done - 1) as usize];
        record.lock = record.lock.filter(|holder| *holder != number);
        if self.guards.has(&DELTA_UNDO) {
            record.writes.retain(|writer| *writer != number);
        } else {
            let is_wiped_out = |writer: &u8| *writer != number && !image.contains(writer);
            for writer in record.writes.iter().filter(|writer| is_wiped_out(writer)) {
                state.ghost.is_wiped_out[*writer as usize] = true;
            }
            record.writes = image;
        }
        state.ghost.is_read_undone |= state.ghost.has_read.iter().any(|read| read[number as usize]);
    }

    fn fail(state: &mut State, number: u8) {
        state.budget.failures -= 1;
        let phase = &mut state.sagas[number as usize].phase;
        *phase = match *phase {
            Phase::Forward(done @ 1..) => Phase::Backward(done),
            _ => Phase::Aborted,
        };
    }
}

impl Model for Isolation {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let Bounds { sagas, records, failures, .. } = self.bounds;
        let each_saga = || (0..sagas).map(|_| false).collect();
        vec![State {
            records: (0..records).map(|_| Record::default()).collect(),
            sagas: (0..sagas).map(|_| Saga::default()).collect(),
            budget: Budget { failures },
            ghost: Ghost {
                has_read: (0..sagas).map(|_| each_saga()).collect(),
                is_read_undone: false,
                is_wiped_out: each_saga(),
            },
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (number, saga) in (0..).zip(&state.sagas) {
            match saga.phase {
                Phase::Forward(_) if self.waits_for(state, number).is_none() => {
                    actions.push(Action::Step(number));
                }
                Phase::Backward(_) => actions.push(Action::Compensate(number)),
                _ => {}
            }
            if state.budget.failures > 0 && matches!(saga.phase, Phase::Forward(_)) {
                actions.push(Action::Fail(number));
            }
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = *last;
        match action {
            Action::Step(saga) => self.step(&mut state, saga),
            Action::Compensate(saga) => self.compensate(&mut state, saga),
            Action::Fail(saga) => Self::fail(&mut state, saga),
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        engine::properties(self)
    }
}

impl System for Isolation {
    fn is_fault(&self, action: &Action) -> bool {
        matches!(action, Action::Fail(_))
    }

    /// Each saga goes on when it can.
    fn fair_group(&self, action: &Action) -> Option<FairGroup> {
        match action {
            Action::Step(saga) | Action::Compensate(saga) => Some(FairGroup::new(*saga)),
            Action::Fail(_) => None,
        }
    }

    fn is_done(&self, state: &State) -> bool {
        state.sagas.iter().all(|saga| matches!(saga.phase, Phase::Committed | Phase::Aborted))
    }

    fn laws(&self) -> Vec<Law<Self>> {
        laws::laws()
    }

    fn witnesses(&self) -> Vec<Witness<Self>> {
        laws::witnesses()
    }

    fn kind(&self, action: &Action) -> &'static str {
        words::kind(action)
    }

    fn action_kinds(&self) -> &'static [&'static str] {
        words::KINDS
    }
}
