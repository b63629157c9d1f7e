//! What happened that bears on causes, line by line: sends, deliveries, changes of subscription.

use std::collections::HashSet;

use lawspeaker_history::Phase;

use super::message::Messages;
use crate::evidence::{EventKey, Evidence, GroupKey, Move, PartitionKey, ProcessKey};

/// An event handed to a process; its effect there, where the process records effects.
#[derive(Clone, Debug)]
pub(super) struct Delivery {
    pub line: u64,
    pub process: ProcessKey,
    pub group: Option<GroupKey>,
    pub partition: PartitionKey,
    pub event: EventKey,
    /// Otherwise it may not have happened.
    pub is_certain: bool,
    /// Whether it came before the next one of its line and partition; effects of one call have no order.
    pub is_listed: bool,
}

/// One thing that happened.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step<'a> {
    /// The call of this place in [`Messages::calls`] began.
    Send(usize),
    /// One line of deliveries to one process.
    Deliver(&'a [Delivery]),
    /// A process changed what it reads.
    Move(&'a Move),
    /// From here on nobody knows what was delivered to a process.
    Blind(ProcessKey),
}

/// Every delivery, by line.
///
/// The final read is an inspection of the log, partition by partition, and delivers nothing to anybody.
pub(super) fn deliveries(evidence: &Evidence) -> Vec<Delivery> {
    let applied = &evidence.causal.applied;
    let applying: HashSet<ProcessKey> = applied.iter().map(|applied| applied.process).collect();
    let is_delivery =
        |read: &&crate::evidence::Read| read.phase != Phase::Final && !applying.contains(&read.process);
    let mut all: Vec<Delivery> = evidence
        .reads
        .iter()
        .filter(is_delivery)
        .map(|read| Delivery {
            line: read.line,
            process: read.process,
            group: read.group,
            partition: read.partition,
            event: read.event,
            is_certain: read.is_ok,
            is_listed: true,
        })
        .collect();
    all.extend(applied.iter().map(|applied| Delivery {
        line: applied.line,
        process: applied.process,
        group: applied.group,
        partition: applied.partition,
        event: applied.event,
        is_certain: applied.is_ok,
        is_listed: false,
    }));
    all.sort_by_key(|delivery| delivery.line);
    all
}

/// Everything in order. On one line, what is sent knows nothing of what is delivered. O(n log n).
pub(super) fn steps<'a>(
    evidence: &'a Evidence,
    messages: &Messages,
    deliveries: &'a [Delivery],
) -> Vec<Step<'a>> {
    let mut steps: Vec<(u64, u8, Step<'a>)> = Vec::new();
    steps.extend(messages.calls.iter().enumerate().map(|(call, sent)| (sent.begin, 1, Step::Send(call))));
    steps.extend(evidence.moves.iter().map(|change| (change.line, 0, Step::Move(change))));
    let unknown = &evidence.causal.unknown_deliveries;
    steps.extend(unknown.iter().map(|(line, process)| (*line, 3, Step::Blind(*process))));
    let is_one_line = |one: &Delivery, other: &Delivery| one.line == other.line;
    steps.extend(deliveries.chunk_by(is_one_line).map(|of| (of[0].line, 2, Step::Deliver(of))));
    steps.sort_by_key(|(line, rank, _)| (*line, *rank));
    steps.into_iter().map(|(_, _, step)| step).collect()
}
