//! How far members of groups sought to read on: what they passed over so, their groups were not owed.
//!
//! Cost: O(partitions of the call) a call.

use std::collections::BTreeMap;

use lawspeaker_history::{Call, Offset, Op, OpType, Partition};
use serde::Deserialize;

use super::{GroupKey, Names, PartitionKey};
use crate::hash::HashMap;

/// The farthest place that a member of a group sought in a partition.
#[derive(Debug, Default)]
pub(crate) struct Skips(HashMap<(GroupKey, PartitionKey), Offset>);

impl Skips {
    /// Takes what an op says; of unknown outcome, it may have happened.
    pub(super) fn observe(&mut self, op: &Op, group: Option<GroupKey>, names: &mut Names) {
        let (Call::Other { f, value }, Some(group)) = (&op.call, group) else { return };
        if f != "seek" || op.op_type == OpType::Fail {
            return;
        }
        // A value of another form says nothing, here as elsewhere.
        let places = BTreeMap::<Partition, Offset>::deserialize(value).unwrap_or_default();
        for (partition, to) in places {
            let farthest = self.0.entry((group, names.partitions.key(&partition))).or_insert(to);
            *farthest = to.max(*farthest);
        }
    }

    /// Whether a member of the group sought a place beyond `offset`. O(1).
    pub(crate) fn cover(&self, group: GroupKey, partition: PartitionKey, offset: Offset) -> bool {
        self.0.get(&(group, partition)).is_some_and(|farthest| offset < *farthest)
    }
}
