//! Judging what does not fit into memory: partitions that nobody names any more are judged, and forgotten.
//!
//! A long recording is mostly past: partitions are made, filled, read and left. A [`Windowed`] keeps the ops of partitions
//! that were named within so many lines, and judges the others, each as a history of its own: the ops that name it, and
//! what was said meanwhile of assignments, crashes and faults. Partitions that a transaction, an event or a topic ties
//! together are judged together. What is kept of a partition that was judged is a fingerprint of its name: if it is named
//! again, the window was too small, and what is not there proves nothing any more.
//!
//! What is not looked for, and is said to be undecided: `key-order`, which compares partitions, and `deadlock`, which needs
//! everybody who waits. A history of which nothing was judged before its end is judged as [`Judge`](crate::Judge) does.
//!
//! Cost: O(n log n) time; memory in the number of observations of partitions that are not judged yet, a few bytes for each
//! partition that is, some for each process, and whatever there is to find.

mod common;
mod kept;
mod named;
mod sets;

use std::collections::HashSet;
use std::hash::BuildHasher;
use std::mem::discriminant;
use std::sync::Arc;

use foldhash::fast::RandomState;
use lawspeaker_history::{Call, Guarantee, Header, Op, OpType, Partition, Process};

use crate::assumption::Watch;
use crate::evidence::Collector;
use crate::hash::HashMap;
use crate::judge::Part;
use crate::{Anomaly, ChosenBy, Exercise, Profile, Severity, Subject, UnknownProfileError, Verdict};
use common::Common;
use kept::Kept;
use sets::{Set, SetId, Sets};

/// How often in a window partitions are looked for that are out of it.
const SWEEPS_A_WINDOW: u64 = 8;

/// Why a history cannot be judged partition by partition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WindowError {
    /// Nobody says what the system promises, and a guess needs the whole history.
    #[error("a window needs a profile before the first op: name one with --profile, or in the header")]
    NoProfile,
    /// The header names one that does not exist.
    #[error(transparent)]
    UnknownProfile(#[from] UnknownProfileError),
    /// The profile promises something across partitions.
    #[error("the profile `{0}` promises {1}, which no partition shows by itself: judge without a window")]
    AcrossPartitions(String, &'static str),
    /// An op speaks of something that is no partition.
    #[error("line {0}: `{1}` is of no partition, and a window forgets by partitions: judge without a window")]
    NoPartition(u64, String),
}

/// Takes a history op by op, and judges it partition by partition.
///
/// ```
/// use lawspeaker_history::Reader;
/// use lawspeaker_oracle::{Outcome, Profile, Windowed};
///
/// let mut reader = Reader::new(std::io::empty())?;
/// let mut judge = Windowed::new(reader.header(), Profile::named("kafka").ok(), 1_000_000)?;
/// for op in &mut reader {
///     judge.observe(op?)?;
/// }
/// assert_eq!(judge.finish().outcome, Outcome::Inconclusive);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Windowed {
    profile: Profile,
    chosen_by: ChosenBy,
    header: Header,
    waived: Vec<Exercise>,
    /// After how many lines that do not name it a partition is over.
    window: u64,
    watch: Watch,
    sets: Sets,
    common: Common,
    sessions: HashMap<Process, Session>,
    /// What was found so far.
    judged: Option<Part>,
    past: Past,
    op_count: usize,
    line: u64,
    next_sweep: u64,
}

/// What is judged at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    /// Partitions that fell silent.
    Silent,
    /// What is left of a history of which something was judged.
    Rest,
    /// A history of which nothing was.
    Whole,
}

/// What a process is doing.
#[derive(Debug, Default)]
struct Session {
    /// An invocation that names no partition: its completion may.
    open: Option<Open>,
    transaction: Option<Transaction>,
}

#[derive(Debug)]
struct Open {
    op: Op,
    /// The sets that have it.
    given_to: Vec<SetId>,
}

/// A transaction of many calls.
#[derive(Debug, Default)]
struct Transaction {
    /// Its beginning and its end, until a partition takes part in it.
    marks: Vec<Op>,
    set: Option<SetId>,
}

/// Partitions that were judged, by fingerprints of their names.
#[derive(Debug, Default)]
struct Past {
    partitions: HashSet<u64>,
    hasher: RandomState,
    /// The first that was named again, and the line.
    named_again: Option<(Partition, u64)>,
}

impl Windowed {
    /// A judge under `profile`, or under the one that the header names, for which a partition is over once `window` lines
    /// do not name it.
    ///
    /// # Errors
    /// [`WindowError`] if there is no profile, or if it promises something across partitions.
    pub fn new(header: &Header, profile: Option<Profile>, window: u64) -> Result<Self, WindowError> {
        let (mut profile, chosen_by) = match (profile, &header.profile) {
            (Some(profile), _) => (profile, ChosenBy::Caller),
            (None, Some(name)) => (Profile::named(name)?, ChosenBy::Header),
            (None, None) => return Err(WindowError::NoProfile),
        };
        if let Some(promised) = promised_across_partitions(&profile) {
            return Err(WindowError::AcrossPartitions(profile.name, promised));
        }
        profile.limits = header.limits.or(profile.limits);
        Ok(Windowed {
            profile,
            chosen_by,
            header: header.clone(),
            waived: Vec::new(),
            window,
            watch: Watch::default(),
            sets: Sets::default(),
            common: Common::default(),
            sessions: HashMap::default(),
            judged: None,
            past: Past::default(),
            op_count: 0,
            line: 0,
            next_sweep: window,
        })
    }

    /// The same judge, content without `witness` whatever the profile requires.
    #[must_use]
    pub fn waiving(mut self, witness: Exercise) -> Self {
        self.waived.push(witness);
        self
    }

    /// Takes the next op. Amortized O(size of the op, times log n).
    ///
    /// # Errors
    /// [`WindowError::NoPartition`] for what is told of sagas, streams and changes of state.
    pub fn observe(&mut self, mut op: Op) -> Result<(), WindowError> {
        self.watch.observe(&op);
        self.op_count += 1;
        self.line = op.line.max(self.line + 1);
        op.line = self.line;
        match &op.call {
            Call::Append(_)
            | Call::ReadStream(_)
            | Call::Snapshot(_)
            | Call::Project(_)
            | Call::Change(_) => {
                return Err(WindowError::NoPartition(op.line, op.call.f().to_owned()));
            }
            call if call.is_of_saga() => return Err(WindowError::NoPartition(op.line, call.f().to_owned())),
            Call::Begin | Call::CommitTxn | Call::AbortTxn => self.mark(op),
            Call::Crash => self.crash(op),
            Call::Assign(_)
            | Call::Revoke(_)
            | Call::Subscribe(_)
            | Call::Fence
            | Call::Quiescent
            | Call::Other { .. } => self.common.push(op),
            _ => self.take(op),
        }
        if self.line >= self.next_sweep {
            self.sweep();
        }
        Ok(())
    }

    /// How many partitions were judged already.
    pub fn judged_count(&self) -> usize {
        self.past.partitions.len()
    }

    /// How much was found so far.
    pub fn finding_count(&self) -> usize {
        self.judged.as_ref().map_or(0, Part::finding_count)
    }

    /// Judges what is left, and tells all of it.
    pub fn finish(mut self) -> Verdict {
        self.common.idle(std::mem::take(&mut self.sessions).into_values().flat_map(Session::left));
        let scope = if self.judged.is_some() { Scope::Rest } else { Scope::Whole };
        let rest = self.sets.silent_since(u64::MAX);
        self.judge(rest, scope);
        let Windowed { profile, chosen_by, watch, judged, past, op_count, window, .. } = self;
        let mut part = judged.expect("the rest was judged, be it nothing");
        if scope == Scope::Rest {
            for (anomaly, reason) in UNDECIDED {
                part.undecided(anomaly, reason);
            }
            // What was sent to a partition that was judged before, and comes from another, looks like a phantom.
            if part.weigh_at_most(Anomaly::Phantom, profile.severity(Anomaly::Misrouted)) {
                part.undecided(Anomaly::Phantom, PHANTOMS);
            }
        }
        let lack = watch.lack().or(past.named_again.map(|(partition, line)| {
            format!(
                "{partition} was judged after {window} lines that did not name it, and is named again on line {line}: \
                 a larger --window would tell"
            )
        }));
        part.verdict(profile, chosen_by, op_count, lack.as_deref(), watch.doubts())
    }

    /// Takes the end of a process, and of whatever it had under way.
    fn crash(&mut self, op: Op) {
        if let Some(session) = self.sessions.remove(&op.process) {
            self.common.idle(session.left());
        }
        self.common.push(op);
    }

    /// Takes the beginning or the end of a transaction, which goes where its parts go.
    fn mark(&mut self, op: Op) {
        let session = self.sessions.entry(op.process.clone()).or_default();
        let is_begun = matches!(op.call, Call::Begin) && op.op_type == OpType::Invoke;
        // What surely did not end goes on.
        let is_ended = !matches!(op.call, Call::Begin) && matches!(op.op_type, OpType::Ok | OpType::Info);
        if is_begun {
            self.common.idle(session.transaction.take().unwrap_or_default().marks);
        }
        let transaction = session.transaction.get_or_insert_default();
        match transaction.set.and_then(|set| self.sets.current(set)) {
            Some(set) => self.sets.push(set, Arc::new(Kept::of(op, true)), self.line),
            None => transaction.marks.push(op),
        }
        if is_ended {
            self.common.idle(session.transaction.take().unwrap_or_default().marks);
        }
    }

    /// Takes an op that names partitions, or a read that gave nothing.
    fn take(&mut self, op: Op) {
        let named: Vec<Partition> = named::partitions(&op).into_iter().cloned().collect();
        let session = self.sessions.entry(op.process.clone()).or_default();
        if op.op_type == OpType::Invoke {
            self.common.idle(session.open.take().and_then(Open::left));
            if named.is_empty() {
                session.open = Some(Open { op, given_to: Vec::new() });
                return;
            }
        } else if named.is_empty() {
            let open = session.open.take_if(|open| open.is_completed_by(&op));
            return self.common.idle(open.and_then(Open::left).into_iter().chain([op]));
        }
        let sets = self.sets_of(&op, &named);
        self.give_invocation(&op, &sets);
        self.give_marks(&op.process, sets[0]);
        let kept = Arc::new(Kept::of(op, named.len() == 1));
        for set in sets {
            self.sets.push(set, Arc::clone(&kept), self.line);
        }
    }

    /// The sets that `op` concerns, once everything is tied together that it ties.
    fn sets_of(&mut self, op: &Op, named: &[Partition]) -> Vec<SetId> {
        let mut ids: Vec<SetId> = Vec::with_capacity(named.len());
        for partition in named {
            if !self.sets.is_live(partition) {
                self.past.meet(partition, self.line);
            }
            ids.push(self.sets.of(partition));
        }
        // Transactions are whole; numbers and hashes go by the place of an event in its call.
        let is_one = matches!(op.call, Call::Txn(_)) || op.x.seq.is_some() || op.x.rest.contains_key("hash");
        let session = self.sessions.get(&op.process);
        let transaction = session.and_then(|session| session.transaction.as_ref());
        if is_one || transaction.is_some() {
            let before = transaction.and_then(|transaction| transaction.set);
            let all: Vec<SetId> = ids.iter().copied().chain(before).collect();
            all.windows(2).for_each(|pair| {
                self.sets.tie(pair[0], pair[1]);
            });
        }
        for (partition, event, is_sent) in named::events(op) {
            match ids.as_mut_slice() {
                [id] => *id = self.sets.meet(event, *id, is_sent),
                _ => {
                    let id = self.sets.of(partition);
                    self.sets.meet(event, id, is_sent);
                }
            }
        }
        let mut ids: Vec<SetId> = ids.into_iter().filter_map(|id| self.sets.current(id)).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// Gives the invocation of a read to those of `sets` that do not have it.
    fn give_invocation(&mut self, op: &Op, sets: &[SetId]) {
        let Some(open) = self.sessions.get_mut(&op.process).and_then(|session| session.open.as_mut()) else {
            return;
        };
        if !open.is_completed_by(op) {
            return;
        }
        let invocation = Arc::new(Kept::of(open.op.clone(), true));
        for set in sets.iter().filter(|set| !open.given_to.contains(set)) {
            self.sets.push(*set, Arc::clone(&invocation), self.line);
        }
        open.given_to.extend(sets);
    }

    /// Gives the beginning of its process's transaction to the set that it takes part in.
    fn give_marks(&mut self, process: &Process, set: SetId) {
        let transaction = self.sessions.get_mut(process).and_then(|session| session.transaction.as_mut());
        let Some(transaction) = transaction else { return };
        for mark in transaction.marks.drain(..) {
            self.sets.push(set, Arc::new(Kept::of(mark, true)), self.line);
        }
        transaction.set = Some(set);
    }

    /// Judges partitions that no line of the window names.
    fn sweep(&mut self) {
        self.next_sweep = self.line + self.window.div_ceil(SWEEPS_A_WINDOW);
        let Some(before) = self.line.checked_sub(self.window) else { return };
        // How a transaction ends decides what its parts were.
        for transaction in self.sessions.values().filter_map(|session| session.transaction.as_ref()) {
            transaction.set.into_iter().for_each(|set| self.sets.touch(set, self.line));
        }
        let silent = self.sets.silent_since(before);
        if !silent.is_empty() {
            self.judge(silent, Scope::Silent);
        }
        if self.judged.is_some() {
            let oldest_line = self.sets.oldest_line().unwrap_or(self.line);
            self.common.forget(oldest_line, before, |partition| self.past.has(partition));
        }
    }

    /// Judges sets as a history of their own.
    fn judge(&mut self, sets: Vec<Set>, scope: Scope) {
        let partitions: HashSet<Partition> =
            sets.iter().flat_map(|set| set.partitions.iter().cloned()).collect();
        let mut kept: Vec<Arc<Kept>> = sets.into_iter().flat_map(|set| set.ops).collect();
        let first_line = kept.iter().map(|op| op.line).min().unwrap_or(self.line);
        let common = self.common.since(if scope == Scope::Whole { 0 } else { first_line });
        let idle = self.common.idle_ops().filter(|_| scope != Scope::Silent);
        kept.extend(common.chain(idle).map(|op| Arc::new(Kept::of(op.clone(), false))));
        kept.sort_by_key(|op| op.line);
        // One that names several sets is in each of them.
        kept.dedup_by(|again, first| again.line == first.line);
        let mut collector = Collector::default();
        collector.header(&self.header);
        for op in kept {
            let is_narrow = op.is_of_one || scope == Scope::Whole;
            let mut op = Arc::unwrap_or_clone(op).into_op();
            if !is_narrow {
                named::narrow(&mut op, |partition| partitions.contains(partition));
            }
            collector.observe(&op);
        }
        collector.goes_on_to(self.line);
        let disabled = match scope {
            Scope::Whole => Vec::new(),
            Scope::Silent | Scope::Rest => UNDECIDED.map(|(anomaly, _)| anomaly).to_vec(),
        };
        let part = Part::judged(&collector.seal(), &self.profile, disabled, &self.waived, &mut self.watch);
        match &mut self.judged {
            Some(judged) => judged.join(part),
            None => self.judged = Some(part),
        }
        self.past.extend(&partitions);
    }
}

impl Session {
    /// What of it no partition took part in.
    fn left(self) -> impl Iterator<Item = Op> {
        let marks = self.transaction.unwrap_or_default().marks;
        self.open.and_then(Open::left).into_iter().chain(marks)
    }
}

impl Open {
    fn is_completed_by(&self, op: &Op) -> bool {
        op.op_type != OpType::Invoke && discriminant(&self.op.call) == discriminant(&op.call)
    }

    /// The op, if it gave nothing to any partition.
    fn left(self) -> Option<Op> {
        self.given_to.is_empty().then_some(self.op)
    }
}

impl Past {
    fn extend(&mut self, partitions: &HashSet<Partition>) {
        self.partitions.extend(partitions.iter().map(|partition| self.hasher.hash_one(partition)));
    }

    fn has(&self, partition: &Partition) -> bool {
        self.partitions.contains(&self.hasher.hash_one(partition))
    }

    /// Takes note of a partition that is new, or seems so. What was sent to its topic may stand in it.
    fn meet(&mut self, partition: &Partition, line: u64) {
        let mut topics = partition.topics().map(Partition::named);
        if self.named_again.is_none() && (self.has(partition) || topics.any(|topic| self.has(&topic))) {
            self.named_again = Some((partition.clone(), line));
        }
    }
}

/// What is not looked for once something was judged, and why.
const UNDECIDED: [(Anomaly, &str); 2] = [
    (
        Anomaly::KeyOrder,
        "partitions were judged one after the other (--window), and an event of a key may stand in another",
    ),
    (
        Anomaly::Deadlock,
        "partitions were judged one after the other (--window), and whoever waits may wait for any",
    ),
];

/// What is said where there is a phantom.
const PHANTOMS: &str = "of what was sent to a partition that was judged before (--window) nothing is known, so that \
                        a phantom may be an event that was sent there";

/// What `profile` promises that the ops of one partition do not show.
fn promised_across_partitions(profile: &Profile) -> Option<&'static str> {
    let runs = |subject| profile.runs.contains(&subject);
    let is_causal = |anomaly: &&Anomaly| {
        anomaly.guarantee() == Guarantee::CausalDelivery
            && profile.severity(**anomaly) != Severity::OutOfScope
    };
    if Anomaly::ALL.iter().any(|anomaly| is_causal(&anomaly)) {
        Some("causal delivery")
    } else if runs(Subject::Sagas) {
        Some("something of sagas")
    } else if runs(Subject::Streams) {
        Some("something of streams")
    } else {
        runs(Subject::Outbox).then_some("something of changes of state")
    }
}
