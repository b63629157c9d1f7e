//! From where a reader of no group said that it reads on, until it does.
//!
//! Only of readers that were assigned what they read: nobody else moves those. Whatever may have moved one, its own calls
//! or a fault, and a call of unknown outcome, leaves nothing to go by.
//!
//! Cost: amortized O(partitions of the call) a call.

use std::collections::BTreeMap;

use lawspeaker_history::{Call, Offset, Op, OpType, Partition, Process};
use serde::Deserialize;
use serde_json::Value;

use super::{Names, PartitionKey, ProcessKey};
use crate::hash::HashMap;

/// What a reader sought.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seek {
    pub line: u64,
    pub to: Offset,
}

/// The places that a `seek` of this value names. A value of another form says nothing, here as elsewhere.
pub(super) fn places(value: &Value, names: &mut Names) -> impl Iterator<Item = (PartitionKey, Offset)> {
    let places = BTreeMap::<Partition, Offset>::deserialize(value).unwrap_or_default();
    places.into_iter().map(|(partition, to)| (names.partitions.key(&partition), to))
}

/// Where assigned readers go on.
#[derive(Debug, Default)]
pub(super) struct Seeks(HashMap<ProcessKey, HashMap<PartitionKey, Seek>>);

impl Seeks {
    /// Takes what an op that completed says of its process.
    pub(super) fn observe(&mut self, op: &Op, process: ProcessKey, line: u64, names: &mut Names) {
        let is_ok = op.op_type == OpType::Ok && op.x.group.is_none();
        match &op.call {
            Call::Assign(partitions) if is_ok => {
                // Jepsen's words for an assignment from the beginning on.
                let is_rewound = ["seek-to-beginning?", "seek-to-beginning"]
                    .iter()
                    .any(|field| op.unknown.get(*field) == Some(&true.into()));
                let places =
                    partitions.iter().filter(|_| is_rewound).map(|partition| names.partitions.key(partition));
                let beginning = Seek { line, to: Offset::of(0) };
                self.0.insert(process, places.map(|partition| (partition, beginning)).collect());
            }
            Call::Other { f, value } if f == "seek" && is_ok => {
                let Some(sought) = self.0.get_mut(&process) else { return };
                sought.extend(places(value, names).map(|(partition, to)| (partition, Seek { line, to })));
            }
            Call::Poll(_) if is_ok => {}
            Call::Other { .. } if matches!(op.process, Process::Name(_)) => self.0.clear(),
            Call::Poll(_)
            | Call::Txn(_)
            | Call::Assign(_)
            | Call::Revoke(_)
            | Call::Subscribe(_)
            | Call::Crash
            | Call::Other { .. } => {
                self.0.remove(&process);
            }
            _ => {}
        }
    }

    /// What the reader had sought before it read `partition`, which it does now.
    pub(super) fn take(&mut self, process: ProcessKey, partition: PartitionKey) -> Option<Seek> {
        self.0.get_mut(&process)?.remove(&partition)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
