//! Transactions: calls of their own (`txn`), and what a process did from `begin` to `commit-txn` or `abort-txn`.
//!
//! Whatever may have been committed and may not is of unknown outcome: a commit or an abort that nobody knows the end of,
//! one that never came, and one that contradicts another.
//! Cost: O(1) an op; O(transactions) memory.

use std::ops::Index;

use lawspeaker_history::{Call, Op, OpType};

use super::ProcessKey;
use super::names::Rank;
use crate::hash::HashMap;

/// The place of a transaction among all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct TransactionKey(Rank);

impl TransactionKey {
    pub(crate) fn of(place: usize) -> Self {
        TransactionKey(Rank::of(place))
    }

    pub(crate) fn place(self) -> usize {
        self.0.place()
    }
}

/// Every transaction, by the line on which it began.
#[derive(Debug, Default)]
pub(crate) struct Transactions(Vec<Transaction>);

impl Transactions {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// All of them, in the order in which they began.
    pub(crate) fn keys(&self) -> impl Iterator<Item = TransactionKey> + use<> {
        (0..self.0.len()).map(TransactionKey::of)
    }

    /// Whether it was committed for sure.
    pub(crate) fn is_committed(&self, key: TransactionKey) -> bool {
        self[key].outcome == OpType::Ok
    }
}

impl Index<TransactionKey> for Transactions {
    type Output = Transaction;

    fn index(&self, key: TransactionKey) -> &Transaction {
        &self.0[key.place()]
    }
}

/// A transaction, and what is known of it.
#[derive(Clone, Debug)]
pub(crate) struct Transaction {
    pub process: ProcessKey,
    /// The line on which it began.
    pub line: u64,
    /// The line on which its first commit was invoked.
    pub commit_began: Option<u64>,
    /// The line that says how it ended.
    pub end: Option<u64>,
    /// `Ok` if it was committed, `Fail` if it was aborted.
    pub outcome: OpType,
    /// Whether it is a `txn`.
    pub is_one_call: bool,
    /// Whether it still takes what its process does.
    is_open: bool,
    /// Whether an outcome that is told later tells nothing.
    is_doubtful: bool,
}

impl Transaction {
    pub(crate) fn is_committed(&self) -> bool {
        self.outcome == OpType::Ok
    }

    /// Whether it surely did not happen, though its parts were accepted.
    pub(crate) fn is_aborted(&self) -> bool {
        self.outcome == OpType::Fail && !self.is_one_call
    }

    /// What became of a send in it of which this was told. Nothing is owed to a final read that had begun before.
    pub(super) fn settle(&self, told: OpType, began_final: Option<u64>) -> OpType {
        let is_late = !self.is_one_call && began_final.is_some_and(|since| self.end > Some(since));
        match (self.outcome, told) {
            (OpType::Fail, _) | (_, OpType::Fail) => OpType::Fail,
            (OpType::Ok, told) if !is_late => told,
            _ => OpType::Info,
        }
    }
}

/// Takes ops one by one.
#[derive(Debug, Default)]
pub(crate) struct TransactionCollector {
    all: Vec<Transaction>,
    /// By process: its `txn` that is under way.
    calls: HashMap<ProcessKey, TransactionKey>,
    /// By process: what it began last.
    begun: HashMap<ProcessKey, TransactionKey>,
}

impl TransactionCollector {
    /// Takes one op that stands on `line`, and answers with the transaction that it is part of. O(1).
    pub(crate) fn observe(&mut self, op: &Op, process: ProcessKey, line: u64) -> Option<TransactionKey> {
        match (&op.call, op.op_type) {
            (Call::Txn(_), OpType::Invoke) => {
                let place = self.begin(process, line, true);
                self.calls.insert(process, place);
                Some(place)
            }
            (Call::Txn(_), outcome) => {
                let open = self.calls.remove(&process);
                let place = open.unwrap_or_else(|| self.begin(process, line, true));
                self.all[place.place()].outcome = outcome;
                self.all[place.place()].end = Some(line);
                Some(place)
            }
            (Call::Begin, OpType::Ok | OpType::Info) => {
                let place = self.begin(process, line, false);
                self.all[place.place()].is_doubtful = op.op_type == OpType::Info;
                self.begun.insert(process, place);
                None
            }
            (Call::CommitTxn | Call::AbortTxn, _) => {
                self.end(op, process, line);
                None
            }
            (Call::Crash, _) => {
                self.calls.remove(&process);
                self.begun.remove(&process);
                None
            }
            _ => self.begun.get(&process).copied().filter(|place| self.all[place.place()].is_open),
        }
    }

    fn begin(&mut self, process: ProcessKey, line: u64, is_one_call: bool) -> TransactionKey {
        self.all.push(Transaction {
            process,
            line,
            commit_began: None,
            end: None,
            outcome: OpType::Info,
            is_one_call,
            is_open: !is_one_call,
            is_doubtful: false,
        });
        TransactionKey::of(self.all.len() - 1)
    }

    fn end(&mut self, op: &Op, process: ProcessKey, line: u64) {
        let Some(place) = self.begun.get(&process) else { return };
        let transaction = &mut self.all[place.place()];
        transaction.is_open = false;
        let is_commit = op.call == Call::CommitTxn;
        match op.op_type {
            OpType::Invoke if is_commit => {
                transaction.commit_began.get_or_insert(line);
            }
            OpType::Ok => {
                let outcome = if is_commit { OpType::Ok } else { OpType::Fail };
                // What is told twice is told once, and who says both is believed in neither.
                transaction.is_doubtful |= ![OpType::Info, outcome].contains(&transaction.outcome);
                transaction.outcome = outcome;
                transaction.end.get_or_insert(line);
            }
            // A commit that may have happened is not undone by an abort, and made sure by a commit only.
            OpType::Info => transaction.is_doubtful = true,
            OpType::Invoke | OpType::Fail => {}
        }
    }

    pub(crate) fn seal(self) -> Transactions {
        let mut all = self.all;
        for transaction in all.iter_mut().filter(|transaction| transaction.is_doubtful) {
            transaction.outcome = OpType::Info;
        }
        Transactions(all)
    }
}
