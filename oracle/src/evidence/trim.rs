//! What a log may have dropped: events before a position, from some line on.

use lawspeaker_history::{Offset, Op, OpType, Position};

use super::{Names, PartitionKey};
use crate::hash::HashMap;

/// A position before which nothing has to be there any more.
#[derive(Clone, Debug)]
pub(crate) struct Trim {
    pub line: u64,
    pub partition: PartitionKey,
    pub next: Offset,
    /// Whether it surely happened, by this line.
    pub is_ok: bool,
}

/// Every trim.
#[derive(Debug, Default)]
pub(crate) struct Trims {
    /// By line.
    pub all: Vec<Trim>,
    /// The highest position of each partition, whatever became of the call.
    highest: HashMap<PartitionKey, Offset>,
}

impl Trims {
    /// Takes a `trim`, invoked or completed. O(positions of the call).
    pub(super) fn observe(&mut self, op: &Op, line: u64, positions: &[Position], names: &mut Names) {
        if op.op_type == OpType::Fail {
            return;
        }
        for position in positions {
            let Some(next) = position.next else { continue };
            let partition = names.partitions.key(&position.partition);
            let highest = self.highest.entry(partition).or_insert(next);
            *highest = next.max(*highest);
            self.all.push(Trim { line, partition, next, is_ok: op.op_type == OpType::Ok });
        }
    }

    /// Whether an event at `offset` may be missing for a good reason. When it was trimmed is not asked: who reads just
    /// before and just after a trim cannot be told apart by their lines. O(1).
    pub(crate) fn may_lack(&self, partition: PartitionKey, offset: Offset) -> bool {
        !self.highest.is_empty() && self.highest.get(&partition).is_some_and(|next| offset < *next)
    }
}
