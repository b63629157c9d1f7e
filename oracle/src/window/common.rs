//! Ops that name no partition, or say who reads which: they concern whatever is judged at their time.

use std::collections::{BTreeMap, VecDeque};

use lawspeaker_history::{Call, Op, Partition, Process};

/// What is kept of them.
#[derive(Debug, Default)]
pub(super) struct Common {
    /// By line, from the oldest partition on that is not judged yet.
    ops: VecDeque<Op>,
    /// From before that: what each process was given to read, and what has changed of it since.
    standing: BTreeMap<Process, Vec<Op>>,
    /// From before that: the last fence of each producer.
    fences: BTreeMap<Option<u64>, Op>,
    /// Reads that gave nothing and transactions of nothing, about by line.
    idle: VecDeque<Op>,
}

impl Common {
    pub(super) fn push(&mut self, op: Op) {
        self.ops.push_back(op);
    }

    /// Takes reads that gave nothing, and transactions of nothing.
    pub(super) fn idle(&mut self, ops: impl IntoIterator<Item = Op>) {
        self.idle.extend(ops);
    }

    /// What concerns partitions that are first named on `line`.
    pub(super) fn since(&self, line: u64) -> impl Iterator<Item = &Op> {
        let ops = self.ops.iter().filter(move |op| op.line >= line || is_lasting(op));
        self.standing.values().flatten().chain(self.fences.values()).chain(ops)
    }

    /// Reads that gave nothing, and transactions of nothing.
    pub(super) fn idle_ops(&self) -> impl Iterator<Item = &Op> {
        self.idle.iter()
    }

    /// Forgets what concerns only the time before `oldest_line`, or partitions that are past, and reads that gave nothing
    /// before `idle_line`. Amortized O(1) an op, and O(what is standing).
    pub(super) fn forget(&mut self, oldest_line: u64, idle_line: u64, is_past: impl Fn(&Partition) -> bool) {
        while let Some(op) = self.ops.pop_front_if(|op| op.line < oldest_line) {
            self.settle(op);
        }
        while self.idle.pop_front_if(|op| op.line < idle_line).is_some() {}
        for standing in self.standing.values_mut() {
            let last = standing.iter().rposition(|op| matches!(op.call, Call::Assign(_)));
            let mut places = 0..;
            let mut is_known_outside = false;
            standing.retain_mut(|op| {
                let is_last = places.next() == last;
                let (Call::Assign(partitions) | Call::Revoke(partitions)) = &mut op.call else { return true };
                partitions.retain(|partition| !is_past(partition));
                // Of a process that read outside any group, that it did is worth knowing.
                let is_news = op.x.group.is_none() && !std::mem::replace(&mut is_known_outside, true);
                is_last || is_news || !partitions.is_empty()
            });
        }
    }

    /// Keeps of what is old what may still be in force.
    fn settle(&mut self, op: Op) {
        match &op.call {
            Call::Fence => {
                self.fences.insert(op.x.pid, op);
            }
            Call::Crash => {
                self.standing.remove(&op.process);
            }
            _ if is_lasting(&op) => {
                let standing = self.standing.entry(op.process.clone()).or_default();
                // Assignments may add to those before them, so that only the same one is renewed.
                let is_renewed = |old: &Op| {
                    let is_same = match &op.call {
                        Call::Assign(_) | Call::Revoke(_) => old.call == op.call,
                        _ => old.call.f() == op.call.f(),
                    };
                    is_same && old.x.group == op.x.group
                };
                standing.retain(|old| !is_renewed(old));
                standing.push(op);
            }
            _ => {}
        }
    }
}

/// Whether it says what its process does from then on, or may do.
fn is_lasting(op: &Op) -> bool {
    match &op.call {
        Call::Assign(_) | Call::Revoke(_) | Call::Subscribe(_) | Call::Crash | Call::Fence => true,
        Call::Other { f, .. } => f.starts_with("seek") || f.contains("txn"),
        _ => false,
    }
}
