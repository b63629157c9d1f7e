//! What was asked for and what came: polls that say from where, and calls that nobody answered.

use lawspeaker_history::{Batch, Offset, Op, OpType};

use super::{Collector, GroupKey, PartitionKey, ProcessKey, Seek};

/// A poll of one partition that says from which offset on, or that is the first one after its reader had sought one.
#[derive(Clone, Debug)]
pub(crate) struct Fetch {
    pub line: u64,
    pub begin: u64,
    pub process: ProcessKey,
    pub group: Option<GroupKey>,
    pub partition: PartitionKey,
    pub from: Offset,
    /// What says so, if the poll does not.
    pub sought: Option<Seek>,
    /// The offset before which everything could be read, as the system said.
    pub limit: Option<Offset>,
    /// The offset of the first event that came.
    pub first: Option<Offset>,
    /// Whether anything came.
    pub is_empty: bool,
}

/// A call that was invoked and never completed, by a process that did not crash; none that waits for events to come.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub line: u64,
    pub process: ProcessKey,
}

impl Collector {
    /// Takes what a poll that succeeded asked for, and what came of it. O(partitions of the call).
    pub(super) fn fetch(&mut self, op: &Op, process: ProcessKey, since: Option<u64>, batches: &[Batch]) {
        if op.op_type != OpType::Ok {
            return;
        }
        let mut asked: Vec<_> = op.x.from.iter().map(|(partition, from)| (partition, *from, None)).collect();
        if !self.seeks.is_empty() {
            // A poll that is given nothing may have asked for other partitions.
            for batch in batches.iter().filter(|batch| !batch.records.is_empty()) {
                let sought = self.seeks.take(process, self.names.partitions.key(&batch.partition));
                let is_known = op.x.from.contains_key(&batch.partition);
                let sought = sought.filter(|seek| !is_known && seek.line < since.unwrap_or(self.line));
                asked.extend(sought.map(|seek| (&batch.partition, seek.to, Some(seek))));
            }
        }
        let group = op.x.group.as_ref().map(|group| self.names.groups.key(group));
        for (partition, from, sought) in asked {
            let records = batches.iter().filter(|batch| batch.partition == *partition);
            let mut records = records.flat_map(|batch| &batch.records).peekable();
            self.fetches.push(Fetch {
                line: self.line,
                begin: since.unwrap_or(self.line),
                process,
                group,
                partition: self.names.partitions.key(partition),
                from,
                sought,
                limit: op.x.hw.get(partition).copied(),
                is_empty: records.peek().is_none(),
                first: records.next().and_then(|record| record.offset),
            });
        }
    }
}
