//! Which receipt is of which message, and in which order the steps stand.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::{Doing, Entry};
use crate::{
    Batch, Call, EventId, Header, History, LOCAL, Op, OpType, Partition, Process, Record, Sent, VectorClock,
};

/// The history that a log tells.
pub(super) fn history(mut entries: Vec<Entry>) -> History {
    let mut messages = Messages::of(&entries);
    let is_sorted = !is_in_order(&entries) || {
        let of = messages.match_all(&entries);
        of.iter()
            .zip(&entries)
            .any(|(send, receipt)| send.is_some_and(|send| receipt.line < messages.all[send].line))
    };
    if is_sorted {
        entries.sort_by_key(|entry| (entry.clock.sum(), entry.line));
        (1..).zip(&mut entries).for_each(|(line, entry)| entry.line = line);
        messages = Messages::of(&entries);
    }
    let of = messages.match_all(&entries);
    let receipts = entries.iter().filter(|entry| matches!(entry.doing, Doing::Receive { .. })).count();
    let source = format!(
        "log with vector clocks: {} steps, {} sends, {receipts} receipts, {} of them of a message that is known{}",
        entries.len(),
        messages.all.len(),
        of.iter().flatten().count(),
        if is_sorted { "; sorted by clock" } else { "" },
    );
    let ops = (0..).zip(entries).zip(of);
    let ops = ops.map(|((index, entry), send)| {
        let line = entry.line;
        // What a receipt is of must stand before it, however badly the clocks were kept.
        let send = send.map(|send| &messages.all[send]).filter(|send| send.line < line);
        Op { line, index, ..op(entry, send, &messages) }
    });
    History { ops: ops.collect(), header: Header { source: Some(source), ..Header::default() } }
}

/// Whether the steps of each host stand in the order of its own count. A count that stands twice is no order; then
/// the lines are taken as they are.
fn is_in_order(entries: &[Entry]) -> bool {
    let mut counts: HashMap<&str, Vec<u64>> = HashMap::new();
    for entry in entries {
        counts.entry(&entry.host).or_default().push(entry.clock.count(&entry.host));
    }
    counts.values_mut().all(|counts| {
        let is_rising = counts.is_sorted();
        counts.sort_unstable();
        is_rising || counts.windows(2).any(|pair| pair[0] == pair[1])
    })
}

/// A message: who sent it at which own count.
struct Message {
    line: u64,
    count: u64,
    id: EventId,
}

/// Every message of a log.
struct Messages {
    all: Vec<Message>,
    /// By sender, receiver and text, in the order of sending.
    by_text: HashMap<(String, String, String), Vec<usize>>,
    id_by_line: HashMap<u64, EventId>,
}

impl Messages {
    fn of(entries: &[Entry]) -> Self {
        let mut messages = Messages { all: Vec::new(), by_text: HashMap::new(), id_by_line: HashMap::new() };
        let mut ids = HashSet::new();
        for entry in entries {
            let Doing::Send { to, message } = &entry.doing else { continue };
            let count = entry.clock.count(&entry.host);
            let mut id = format!("{}@{count}", entry.host);
            if !ids.insert(id.clone()) {
                id = format!("{id}#{}", entry.line);
            }
            let id = EventId::from(id.as_str());
            messages.id_by_line.insert(entry.line, id.clone());
            let key = (entry.host.clone(), to.clone(), message.clone());
            messages.by_text.entry(key).or_default().push(messages.all.len());
            messages.all.push(Message { line: entry.line, count, id });
        }
        messages
    }

    /// For each entry, the message that it is the receipt of.
    fn match_all(&self, entries: &[Entry]) -> Vec<Option<usize>> {
        let nothing = VectorClock::default();
        let mut latest: HashMap<&str, &VectorClock> = HashMap::new();
        let mut received = HashSet::new();
        let mut all = Vec::with_capacity(entries.len());
        for entry in entries {
            let before = latest.insert(&entry.host, &entry.clock).unwrap_or(&nothing);
            let of = match &entry.doing {
                Doing::Receive { from, message } => {
                    let key = (from.clone(), entry.host.clone(), message.clone());
                    let candidates = self.by_text.get(&key).map_or(&[][..], Vec::as_slice);
                    self.receipt(candidates, before.count(from), entry.clock.count(from), &received)
                }
                Doing::Send { .. } | Doing::Local(_) => None,
            };
            received.extend(of);
            all.push(of);
        }
        all
    }

    fn receipt(
        &self,
        candidates: &[usize],
        known: u64,
        learnt: u64,
        received: &HashSet<usize>,
    ) -> Option<usize> {
        let count = |of: &usize| self.all[*of].count;
        if learnt > known
            && let Some(of) = only(candidates.iter().filter(|of| count(of) == learnt))
        {
            return Some(of);
        }
        if let [only] = candidates {
            return Some(*only);
        }
        if learnt > known {
            return None;
        }
        let (old, new): (Vec<usize>, Vec<usize>) =
            candidates.iter().filter(|of| count(of) <= known).partition(|of| received.contains(*of));
        if new.is_empty() { only(old.iter()) } else { only(new.iter()).filter(|_| old.is_empty()) }
    }
}

fn only<'a>(mut of: impl Iterator<Item = &'a usize>) -> Option<usize> {
    of.next().filter(|_| of.next().is_none()).copied()
}

fn op(entry: Entry, send: Option<&Message>, messages: &Messages) -> Op {
    let call = match entry.doing {
        Doing::Send { to, .. } => {
            let event = messages.id_by_line.get(&entry.line).cloned();
            let event = event.unwrap_or_else(|| EventId::from(entry.line.to_string().as_str()));
            Call::Send(vec![Sent { partition: Partition::named(&to), offset: None, event }])
        }
        Doing::Receive { .. } => {
            let partition = Partition::named(&entry.host);
            let records = send.map(|send| Record { offset: None, event: send.id.clone() });
            Call::Receive(
                records
                    .into_iter()
                    .map(|of| Batch { partition: partition.clone(), records: vec![of] })
                    .collect(),
            )
        }
        Doing::Local(event) => Call::Other { f: LOCAL.to_owned(), value: Value::String(event) },
    };
    let process = match entry.host.parse() {
        Ok(number) => Process::Number(number),
        Err(_) => Process::from(entry.host.as_str()),
    };
    let mut op = Op::new(process, OpType::Ok, call);
    op.x.clock = Some(entry.clock);
    op
}
