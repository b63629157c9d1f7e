//! The ops that completed, with partitions and values as small numbers.

use std::collections::{BTreeMap, HashMap, HashSet};

use lawspeaker_history::{Batch, Call, EventId, MicroOp, Offset, Op, OpType, Partition, Process, Sent};
use serde_json::Value as Json;

/// A partition; Jepsen's key.
pub(super) type Key = usize;
/// An event as it stands in one partition: an event in two partitions is two values.
pub(super) type Value = usize;

#[derive(Debug)]
pub(super) enum Doing {
    /// `send`, `poll` and `txn`: what was sent and what was read, by partition, in the order of the call.
    Txn { sends: BTreeMap<Key, Vec<Placed>>, polls: BTreeMap<Key, Vec<Placed>> },
    /// `assign` and `subscribe`: what is read from here on.
    Subscription(HashSet<Key>),
}

/// A value, and where it stands as far as the op says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placed {
    pub(super) value: Value,
    pub(super) offset: Option<Offset>,
}

#[derive(Debug)]
pub(super) struct Completed<'a> {
    pub(super) line: u64,
    /// The places of its invocation and of its completion in the history.
    pub(super) begin: usize,
    pub(super) end: usize,
    pub(super) process: &'a Process,
    pub(super) op_type: OpType,
    pub(super) doing: Doing,
    /// The partitions that a rebalance moved during the op.
    pub(super) rebalanced: HashSet<Key>,
}

impl Completed<'_> {
    pub(super) fn sends(&self) -> impl Iterator<Item = (Key, &[Placed])> {
        let Doing::Txn { sends, .. } = &self.doing else { return None.into_iter().flatten() };
        Some(sends.iter().map(|(key, placed)| (*key, placed.as_slice()))).into_iter().flatten()
    }

    pub(super) fn polls(&self) -> impl Iterator<Item = (Key, &[Placed])> {
        let Doing::Txn { polls, .. } = &self.doing else { return None.into_iter().flatten() };
        Some(polls.iter().map(|(key, placed)| (*key, placed.as_slice()))).into_iter().flatten()
    }

    pub(super) fn sent(&self) -> impl Iterator<Item = Placed> {
        self.sends().flat_map(|(_, placed)| placed).copied()
    }

    pub(super) fn polled(&self) -> impl Iterator<Item = Placed> {
        self.polls().flat_map(|(_, placed)| placed).copied()
    }

    pub(super) fn is_txn(&self) -> bool {
        matches!(self.doing, Doing::Txn { .. })
    }
}

/// What a history comes to.
#[derive(Debug, Default)]
pub(super) struct Completions<'a> {
    pub(super) all: Vec<Completed<'a>>,
    keys: HashMap<&'a str, Key>,
    values: HashMap<(Key, &'a EventId), Value>,
    /// By value: the partition it is in.
    pub(super) key_of: Vec<Key>,
    /// By value: the last op that sent it.
    pub(super) writers: HashMap<Value, usize>,
    /// What an op of known success read.
    pub(super) read: HashSet<Value>,
}

impl<'a> Completions<'a> {
    pub(super) fn of(ops: &'a [Op]) -> Self {
        let mut completions = Completions::default();
        let mut open: HashMap<&Process, usize> = HashMap::new();
        for (place, op) in ops.iter().enumerate() {
            if op.op_type == OpType::Invoke {
                open.insert(&op.process, place);
                continue;
            }
            let begin = open.remove(&op.process).unwrap_or(place);
            let Some(doing) = completions.doing(&op.call) else { continue };
            let rebalanced = completions.rebalanced(op);
            let (line, process, op_type) = (op.line, &op.process, op.op_type);
            completions.all.push(Completed { line, begin, end: place, process, op_type, doing, rebalanced });
        }
        for (place, op) in completions.all.iter().enumerate() {
            completions.writers.extend(op.sent().map(|placed| (placed.value, place)));
            if op.op_type == OpType::Ok {
                completions.read.extend(op.polled().map(|placed| placed.value));
            }
        }
        completions
    }

    fn doing(&mut self, call: &'a Call) -> Option<Doing> {
        let (mut sends, mut polls) = (BTreeMap::new(), BTreeMap::new());
        match call {
            Call::Send(sent) => sent.iter().for_each(|sent| self.send(sent, &mut sends)),
            Call::Poll(batches) => self.poll(batches, &mut polls),
            Call::Txn(items) => items.iter().for_each(|item| match item {
                MicroOp::Send(sent) => self.send(sent, &mut sends),
                MicroOp::Poll(batches) => self.poll(batches, &mut polls),
            }),
            Call::Assign(partitions) | Call::Subscribe(partitions) => {
                return Some(Doing::Subscription(
                    partitions.iter().map(|of| self.key(of.as_str())).collect(),
                ));
            }
            _ => return None,
        }
        Some(Doing::Txn { sends, polls })
    }

    fn send(&mut self, sent: &'a Sent, sends: &mut BTreeMap<Key, Vec<Placed>>) {
        let key = self.key(sent.partition.as_str());
        let value = self.value(key, &sent.event);
        sends.entry(key).or_default().push(Placed { value, offset: sent.offset });
    }

    fn poll(&mut self, batches: &'a [Batch], polls: &mut BTreeMap<Key, Vec<Placed>>) {
        for Batch { partition, records } in batches {
            let key = self.key(Partition::as_str(partition));
            let placed = records
                .iter()
                .map(|record| Placed { value: self.value(key, &record.event), offset: record.offset });
            let placed: Vec<_> = placed.collect();
            polls.entry(key).or_default().extend(placed);
        }
    }

    fn key(&mut self, name: &'a str) -> Key {
        let next = self.keys.len();
        *self.keys.entry(name).or_insert(next)
    }

    fn value(&mut self, key: Key, event: &'a EventId) -> Value {
        let next = self.values.len();
        let value = *self.values.entry((key, event)).or_insert(next);
        if value == next {
            self.key_of.push(key);
        }
        value
    }

    /// `:rebalance-log [{:type :revoked, :keys [5]}]`
    fn rebalanced(&mut self, op: &'a Op) -> HashSet<Key> {
        let entries = op.unknown.get("rebalance-log").and_then(Json::as_array);
        let keys = entries.into_iter().flatten().filter_map(|entry| entry.get("keys")?.as_array()).flatten();
        keys.filter_map(|key| match key {
            Json::String(name) => Some(self.key(name)),
            // Numbers name partitions as they do in polls; one that nobody polls or sends to matters to nobody.
            Json::Number(number) => self.keys.get(number.to_string().as_str()).copied(),
            _ => None,
        })
        .collect()
    }

    /// Whether the op surely took effect: it says so, or somebody read what it wrote.
    pub(super) fn must_have_committed(&self, op: &Completed<'_>) -> bool {
        match op.op_type {
            OpType::Ok => true,
            OpType::Info => op.sent().any(|placed| self.read.contains(&placed.value)),
            OpType::Fail | OpType::Invoke => false,
        }
    }

    pub(super) fn writer(&self, value: Value) -> Option<&Completed<'a>> {
        self.writers.get(&value).map(|place| &self.all[*place])
    }
}
