//! What members of groups passed over, as they wished, by a `seek`: it was not owed to their groups.
//!
//! A seek passes over what stands between what the group surely had been given and where it goes on; back, it passes
//! over nothing.
//!
//! Cost: O(partitions of the call) a call, and O(reads) once if there are any.

use lawspeaker_history::{Call, Offset, Op, OpType};

use super::seek::places;
use super::{GroupKey, Names, PartitionKey, Read};
use crate::hash::HashMap;

/// A place that a member of a group sought.
#[derive(Debug)]
pub(super) struct Sought {
    line: u64,
    group: GroupKey,
    partition: PartitionKey,
    to: Offset,
}

/// Adds the places that an op seeks; of unknown outcome, it may have happened.
pub(super) fn seek(op: &Op, line: u64, group: Option<GroupKey>, names: &mut Names, sought: &mut Vec<Sought>) {
    let (Call::Other { f, value }, Some(group)) = (&op.call, group) else { return };
    if f != "seek" || op.op_type == OpType::Fail {
        return;
    }
    let of = |(partition, to)| Sought { line, group, partition, to };
    sought.extend(places(value, names).map(of));
}

/// What was passed over by one seek.
#[derive(Debug)]
struct Stretch {
    /// What the group had been given, up to here; `None` if it was nothing.
    behind: Option<Offset>,
    before: Offset,
}

/// The stretches that were passed over.
#[derive(Debug, Default)]
pub(crate) struct Skips(HashMap<(GroupKey, PartitionKey), Vec<Stretch>>);

impl Skips {
    /// Of what was sought and read, each by line.
    pub(super) fn of(sought: &[Sought], reads: &[Read]) -> Self {
        let mut skips = Skips::default();
        let mut reached: HashMap<(GroupKey, PartitionKey), Offset> = HashMap::default();
        let mut reads = reads.iter().filter(|read| read.is_ok).peekable();
        for Sought { line, group, partition, to } in sought {
            while let Some(read) = reads.next_if(|read| read.line < *line) {
                if let (Some(group), Some(offset)) = (read.group, read.offset) {
                    let highest = reached.entry((group, read.partition)).or_insert(offset);
                    *highest = offset.max(*highest);
                }
            }
            let key = (*group, *partition);
            let stretch = Stretch { behind: reached.get(&key).copied(), before: *to };
            skips.0.entry(key).or_default().push(stretch);
        }
        skips
    }

    /// Whether a member of the group passed over what stands at `offset`. O(seeks of the group in the partition).
    pub(crate) fn cover(&self, group: GroupKey, partition: PartitionKey, offset: Offset) -> bool {
        let mut stretches = self.0.get(&(group, partition)).into_iter().flatten();
        stretches.any(|stretch| stretch.behind < Some(offset) && offset < stretch.before)
    }
}
