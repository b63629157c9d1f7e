//! The state that threads share: the core and the service's state behind a lock, and their journal.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use lawspeaker_history::{
    Call, Delivery, EventId, GroupId, Offset, Op, OpType, Partition, Process, Recorder,
};

use super::core::{OutboxCore, Outcome, Refusal, RelayEpoch, Retention, Slot};
use super::decision::Decision;
use super::error::{CommitError, RecoverError, StoreError};
use super::record::OutboxRecord;
use super::state::State;
use crate::group_commit::{GroupCommit, Guard, Settle};
use crate::journal::Journal;
use crate::message::Message;
use crate::mutant::{Mutant, is_seeded};
use crate::sync::Arc;

/// A service's state, inbox and outbox, shared by reference between threads.
///
/// Transactions are serial: each decides on the state that those before it have left. No answer leaves before
/// everything that it tells is durable.
///
/// The linearization point of a transaction lies inside the critical section, where it is recorded: `change`, with the
/// events that it owes, if it owes any, and `apply`, if it handles one; both invoked when it is granted and `ok` when
/// it is durable.
#[derive(Debug)]
pub struct ServiceStore<S: State> {
    service: Arc<str>,
    commit: GroupCommit<Kept<S>>,
}

#[derive(Debug)]
struct Kept<S> {
    core: OutboxCore,
    state: S,
    // INVARIANT: the events of the slots from `core.published()` to `core.end()`.
    owed: VecDeque<Owed>,
    /// For each process that records changes, how many records must be durable before its last one is complete.
    change_processes: Vec<u64>,
    is_closed: bool,
}

impl<S> Settle for Kept<S> {
    type Mark = Slot;

    fn mark(&self) -> Slot {
        self.core.end()
    }

    fn settle(&mut self, mark: Slot) {
        self.core.flushed(mark);
    }
}

/// An event that a service owes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Owed {
    /// As which of all that it has owed.
    pub slot: Slot,
    /// To which topic.
    pub topic: String,
    /// What.
    pub message: Message,
}

/// Who was handed an event, and where from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Arrival {
    /// Who handles it; one call at a time.
    pub process: Process,
    /// On behalf of which group.
    pub group: GroupId,
    /// Where it stands.
    pub partition: Partition,
    /// Where in the partition.
    pub offset: Offset,
}

/// How a transaction ended. It is durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Handled {
    /// It was committed.
    Applied,
    /// It was refused, for this reason; a refused event is remembered.
    Refused(String),
    /// The event was handled before, and this is what became of it; nothing has changed.
    Duplicate(Outcome),
}

impl<S: State> Kept<S> {
    fn replay(&mut self, index: u64, record: OutboxRecord) -> Result<(), RecoverError> {
        let first = self.core.end();
        self.core.replay(record.fact())?;
        match record {
            OutboxRecord::Committed { changes, owed, .. } => {
                for change in changes {
                    let change = serde_json::from_str(&change);
                    self.state.apply(change.map_err(|source| RecoverError::Change { index, source })?);
                }
                self.owe(first, owed);
            }
            OutboxRecord::RelayOpened(_) => {}
            OutboxRecord::Published { .. } => self.drop_published(),
        }
        Ok(())
    }

    fn owe(&mut self, first: Slot, events: Vec<(String, Message)>) {
        let owed = (first.0..).zip(events);
        self.owed.extend(owed.map(|(slot, (topic, message))| Owed { slot: Slot(slot), topic, message }));
    }

    fn drop_published(&mut self) {
        let published = self.core.published();
        while self.owed.pop_front_if(|owed| owed.slot < published).is_some() {}
    }
}

/// What a transaction is for.
struct Work<'a> {
    /// The event that it handles, if any, and where that came from.
    handled: Option<(&'a EventId, Option<&'a Arrival>)>,
    outcome: Outcome,
    cause: Option<&'a Message>,
    time_ms: u64,
}

impl<S: State> ServiceStore<S> {
    /// The state, inbox and outbox of `service` that `journal` holds; an empty journal is a new service. O(n).
    ///
    /// The journal is synced first: what is read back may so far stand in a cache only.
    ///
    /// # Errors
    /// [`RecoverError`].
    pub fn recover(
        service: &str,
        retention: Retention,
        journal: Arc<dyn Journal>,
        recorder: Arc<dyn Recorder>,
    ) -> Result<Self, RecoverError> {
        journal.sync()?;
        let mut kept = Kept {
            core: OutboxCore::new(retention),
            state: S::default(),
            owed: VecDeque::new(),
            change_processes: Vec::new(),
            is_closed: false,
        };
        for index in 0..journal.record_count() {
            let record = OutboxRecord::decode(&journal.read(index)?);
            kept.replay(index, record.map_err(|source| RecoverError::Damaged { index, source })?)?;
        }
        Ok(ServiceStore { service: service.into(), commit: GroupCommit::new(kept, journal, recorder) })
    }

    /// The service's name.
    pub fn service(&self) -> &str {
        &self.service
    }

    /// A transaction that no event asks for, at `now_ms`. With a `command` it is one that happens once: a later one of
    /// this id does nothing. Durable when this returns.
    ///
    /// # Errors
    /// [`CommitError`].
    pub fn transact<E>(
        &self,
        command: Option<&EventId>,
        now_ms: u64,
        decide: impl FnOnce(&S) -> Result<Decision<S::Change>, E>,
    ) -> Result<Handled, CommitError<E>> {
        let handled = command.map(|command| (command, None));
        self.decide(Work { handled, outcome: Outcome::Applied, cause: None, time_ms: now_ms }, decide)
    }

    /// A transaction that handles an event, at `now_ms`. Durable when this returns, be it as a duplicate: only then is
    /// the event to be acknowledged.
    ///
    /// `decide` is called inside the critical section, and not at all for a duplicate. If it panics the panic goes on
    /// here, and nothing has changed.
    ///
    /// # Errors
    /// [`CommitError`].
    pub fn handle<E>(
        &self,
        arrival: &Arrival,
        event: &Message,
        now_ms: u64,
        decide: impl FnOnce(&S) -> Result<Decision<S::Change>, E>,
    ) -> Result<Handled, CommitError<E>> {
        let handled = Some((&event.id, Some(arrival)));
        self.decide(Work { handled, outcome: Outcome::Applied, cause: Some(event), time_ms: now_ms }, decide)
    }

    /// Gives an event up: it counts as handled, and its dead letter is owed to `topic`. Durable when this returns.
    ///
    /// # Errors
    /// [`CommitError`].
    pub fn give_up(
        &self,
        arrival: &Arrival,
        event: &Message,
        now_ms: u64,
        (topic, letter): (&str, Message),
    ) -> Result<Handled, CommitError<Infallible>> {
        let handled = Some((&event.id, Some(arrival)));
        let work = Work { handled, outcome: Outcome::DeadLettered, cause: Some(event), time_ms: now_ms };
        self.decide(work, |_| Ok(Decision::nothing().emit(topic, letter)))
    }

    fn decide<E>(
        &self,
        work: Work<'_>,
        decide: impl FnOnce(&S) -> Result<Decision<S::Change>, E>,
    ) -> Result<Handled, CommitError<E>> {
        let mut guard = self.open()?;
        if let Err(Refusal::AlreadyHandled(outcome)) =
            guard.state.core.check(work.handled.map(|(event, _)| event))
        {
            let duplicate = Handled::Duplicate(outcome);
            return Ok(self.answer(guard, duplicate)?);
        }
        if is_seeded(Mutant::InboxCheckThenAct) {
            drop(guard);
            guard = self.open()?;
        }
        // A panic must not leave the lock poisoned: nothing is half changed yet.
        let decided = match catch_unwind(AssertUnwindSafe(|| decide(&guard.state.state))) {
            Ok(decided) => decided.map_err(CommitError::Undecided)?,
            Err(panic) => {
                drop(guard);
                resume_unwind(panic);
            }
        };
        let handled = match &decided.refusal {
            Some(reason) => Handled::Refused(reason.clone()),
            None => Handled::Applied,
        };
        self.write(&mut guard, &work, decided)?;
        Ok(self.answer(guard, handled)?)
    }

    /// Writes a transaction and takes it up.
    fn write<E>(
        &self,
        guard: &mut Guard<'_, Kept<S>>,
        work: &Work<'_>,
        decision: Decision<S::Change>,
    ) -> Result<(), CommitError<E>> {
        let texts = decision.changes.iter().map(serde_json::to_string);
        let changes = texts.collect::<Result<_, _>>().map_err(CommitError::Change)?;
        let outcome = if decision.refusal.is_some() { Outcome::Refused } else { work.outcome };
        let decision = match work.cause {
            Some(cause) => decision.caused_by(cause),
            None => decision,
        };
        let record = OutboxRecord::Committed {
            handled: work.handled.map(|(event, _)| (event.clone(), outcome)),
            voided: decision.voided,
            time_ms: work.time_ms,
            changes,
            owed: decision.events,
        };
        let ops = self.ops(guard, work, &record);
        let invocations: Vec<_> = ops.iter().map(|op| Op { op_type: OpType::Invoke, ..op.clone() }).collect();
        for part in parts(record) {
            self.commit.write_all_recorded(guard, &part.encode(), &invocations)?;
            let first = guard.state.core.end();
            let fact = part.fact();
            if let (super::core::Fact::Committed(transaction), OutboxRecord::Committed { owed, .. }) =
                (fact, part)
            {
                guard.state.core.take(&transaction);
                guard.state.owe(first, owed);
            }
        }
        decision.changes.into_iter().for_each(|change| guard.state.state.apply(change));
        ops.into_iter().for_each(|op| self.commit.record_completion(guard, op));
        Ok(())
    }

    /// What a history is to know of a transaction, as completed.
    fn ops(&self, guard: &mut Guard<'_, Kept<S>>, work: &Work<'_>, record: &OutboxRecord) -> Vec<Op> {
        let OutboxRecord::Committed { owed, .. } = record else { return Vec::new() };
        let mut ops = Vec::new();
        if !owed.is_empty() && work.outcome != Outcome::DeadLettered {
            let events = owed.iter().map(|(_, message)| message.id.clone()).collect();
            ops.push(Op::new(self.change_process(guard), OpType::Ok, Call::Change(events)));
        }
        if let Some((event, Some(arrival))) = work.handled {
            let (partition, offset) = (arrival.partition.clone(), Some(arrival.offset));
            let delivery = vec![Delivery { partition, offset, event: Some(event.clone()) }];
            let call = match work.outcome {
                Outcome::DeadLettered => Call::DeadLetter(delivery),
                _ => Call::Apply(delivery),
            };
            ops.push(Op::new(arrival.process.clone(), OpType::Ok, call).group(arrival.group.clone()));
        }
        ops
    }

    /// Transactions that share a sync are open at once, and a process has one call open at a time: so they are recorded
    /// as those of several processes.
    fn change_process(&self, guard: &mut Guard<'_, Kept<S>>) -> Process {
        let (durable_count, complete_at) = (guard.durable_count(), guard.written_count() + 1);
        let processes = &mut guard.state.change_processes;
        let place = processes.iter().position(|needed| *needed <= durable_count).unwrap_or_else(|| {
            processes.push(0);
            processes.len() - 1
        });
        processes[place] = complete_at;
        match place {
            0 => Process::from(&*self.service),
            place => Process::from(format!("{}/{place}", self.service).as_str()),
        }
    }

    /// Looks at the state. What `look` sees is durable when this returns.
    ///
    /// # Errors
    /// [`StoreError::Closed`], [`StoreError::Journal`].
    pub fn view<R>(&self, look: impl FnOnce(&S) -> R) -> Result<R, StoreError> {
        let guard = self.open()?;
        match catch_unwind(AssertUnwindSafe(|| look(&guard.state.state))) {
            Ok(seen) => self.answer(guard, seen),
            Err(panic) => {
                drop(guard);
                resume_unwind(panic)
            }
        }
    }

    /// What became of an event, as far as the inbox remembers; durable when this returns.
    ///
    /// # Errors
    /// [`StoreError::Closed`], [`StoreError::Journal`].
    pub fn outcome(&self, event: &EventId) -> Result<Option<Outcome>, StoreError> {
        let guard = self.open()?;
        let outcome = guard.state.core.outcome(event);
        self.answer(guard, outcome)
    }

    /// How many events are owed and not marked as published.
    pub fn owed_count(&self) -> usize {
        self.commit.lock().state.owed.len()
    }

    /// A relay takes over, and those before it are fenced. Durable when this returns.
    ///
    /// # Errors
    /// [`StoreError::Closed`], [`StoreError::Journal`].
    pub fn open_relay(&self) -> Result<RelayEpoch, StoreError> {
        let mut guard = self.open()?;
        let next = RelayEpoch(guard.state.core.relay().0 + 1);
        self.commit.write(&mut guard, &OutboxRecord::RelayOpened(next).encode())?;
        let epoch = guard.state.core.open_relay();
        self.commit.notify(&guard);
        self.answer(guard, epoch)
    }

    /// At most `max_count` of the events that the relay is to publish, in order: each is durable.
    ///
    /// # Errors
    /// [`StoreError`]; [`Refusal::Fenced`] once a newer relay has taken over.
    pub fn owed(&self, epoch: RelayEpoch, max_count: usize) -> Result<Vec<Owed>, StoreError> {
        let guard = self.open()?;
        let pending = guard.state.core.pending(epoch)?;
        let owed = guard.state.owed.iter().take_while(|owed| owed.slot < pending.end);
        Ok(owed.take(max_count).cloned().collect())
    }

    /// Blocks until there is something for the relay to publish.
    ///
    /// # Errors
    /// As [`owed`](Self::owed); [`StoreError::Closed`] once the store is closed.
    pub fn wait_owed(&self, epoch: RelayEpoch) -> Result<(), StoreError> {
        let mut guard = self.open()?;
        while guard.state.core.pending(epoch)?.is_empty() {
            guard = check(self.commit.wait(guard))?;
        }
        Ok(())
    }

    /// The relay has published every event below `next`. The mark becomes durable with the next transaction: until
    /// then a crash makes a later relay publish again.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn mark_published(&self, epoch: RelayEpoch, next: Slot) -> Result<(), StoreError> {
        let mut guard = self.open()?;
        guard.state.core.check_mark(epoch, next)?;
        if next > guard.state.core.published() {
            self.commit.write(&mut guard, &OutboxRecord::Published { epoch, next }.encode())?;
            guard.state.core.set_published(next);
            guard.state.drop_published();
        }
        Ok(())
    }

    /// Takes no more transactions and wakes everybody who waits. What is owed stays owed.
    pub fn close(&self) {
        let mut guard = self.commit.lock();
        guard.state.is_closed = true;
        if !is_seeded(Mutant::OutboxCloseWakesNobody) {
            self.commit.notify(&guard);
        }
    }

    /// Calls `listener` whenever something may have come to be owed, or the store was closed or has failed.
    ///
    /// It is called inside the critical section: it must be quick and must not call the store.
    pub fn on_news(&self, listener: impl Fn() + Send + Sync + 'static) {
        self.commit.lock().listen(Box::new(listener));
    }

    fn open(&self) -> Result<Guard<'_, Kept<S>>, StoreError> {
        check(self.commit.lock())
    }

    /// Gives an answer once everything that it can tell is durable.
    fn answer<T>(&self, guard: Guard<'_, Kept<S>>, answer: T) -> Result<T, StoreError> {
        let written_count = guard.written_count();
        drop(self.commit.wait_durable(guard, |shared| shared.durable_count() >= written_count)?);
        Ok(answer)
    }
}

fn check<S: State>(guard: Guard<'_, Kept<S>>) -> Result<Guard<'_, Kept<S>>, StoreError> {
    guard.check()?;
    if guard.state.is_closed { Err(StoreError::Closed) } else { Ok(guard) }
}

/// The records of a transaction: one.
fn parts(record: OutboxRecord) -> Vec<OutboxRecord> {
    let OutboxRecord::Committed { handled, voided, time_ms, changes, owed } = record else {
        return vec![record];
    };
    let whole = |handled, changes, owed| OutboxRecord::Committed {
        handled,
        voided: voided.clone(),
        time_ms,
        changes,
        owed,
    };
    if is_seeded(Mutant::OutboxWrittenApart) {
        return vec![whole(handled, changes, Vec::new()), whole(None, Vec::new(), owed)];
    }
    if is_seeded(Mutant::InboxMarkedApart) {
        return vec![whole(None, changes, owed), whole(handled, Vec::new(), Vec::new())];
    }
    vec![whole(handled, changes, owed)]
}
