//! What stands where in a space-time diagram: processes are lanes, ops are rows, messages are arrows.
//!
//! Nothing here knows how it will be drawn. O(ops and records) time.

use std::collections::{BTreeSet, HashMap};

use lawspeaker_history::{Batch, Call, EventId, MicroOp, Op, OpType, Partition, Sent};
use lawspeaker_oracle::Finding;

use super::words::words;

/// A diagram, ready to be drawn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Diagram {
    /// The processes, in the order in which they first do something.
    pub(super) lanes: Vec<String>,
    pub(super) rows: Vec<Row>,
    pub(super) calls: Vec<Span>,
    /// Where a process is down: from its crash to what it does next.
    pub(super) gaps: Vec<Span>,
    pub(super) arrows: Vec<Arrow>,
    /// How many messages were too many to be drawn.
    pub(super) arrows_left_out: usize,
}

/// One op.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) line: u64,
    pub(super) lane: usize,
    pub(super) shape: Shape,
    pub(super) words: String,
    /// Whether a finding names it.
    pub(super) is_named: bool,
    /// Whether ops between the row before and this one are left out.
    pub(super) follows_a_gap: bool,
}

/// What an op looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Send,
    Read,
    /// A commit, an acknowledgement or what the system says of them.
    Commit,
    /// An effect.
    Apply,
    Crash,
    Other,
}

/// A part of a lane, from row to row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) lane: usize,
    pub(super) from: usize,
    pub(super) to: usize,
}

/// A message, from its send to a delivery; both are rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Arrow {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) event: String,
    pub(super) is_named: bool,
    /// Whether it ends in the final read of everything.
    pub(super) is_final: bool,
}

/// More arrows into one row hide one another; those that a finding names are drawn first.
const MAX_ARROWS_PER_ROW: usize = 24;

/// Lays out `ops`; what `findings` name is marked.
pub(super) fn layout(ops: &[&Op], findings: &[&Finding]) -> Diagram {
    let named: BTreeSet<u64> = lines_of(findings);
    let mut diagram = Diagram::default();
    let mut lanes: HashMap<String, usize> = HashMap::new();
    for (place, op) in ops.iter().enumerate() {
        let name = op.process.to_string();
        let lane = *lanes.entry(name.clone()).or_insert_with(|| {
            diagram.lanes.push(name);
            diagram.lanes.len() - 1
        });
        diagram.rows.push(Row {
            line: op.line,
            lane,
            shape: shape(&op.call),
            words: words(op),
            is_named: named.contains(&op.line),
            follows_a_gap: place > 0 && op.index > ops[place - 1].index + 1,
        });
    }
    spans(ops, &mut diagram);
    arrows(ops, findings, &mut diagram);
    diagram
}

/// The lines that findings name.
pub(super) fn lines_of(findings: &[&Finding]) -> BTreeSet<u64> {
    findings.iter().flat_map(|finding| &finding.cases).flat_map(|case| &case.lines).map(|l| l.line).collect()
}

fn shape(call: &Call) -> Shape {
    match call {
        Call::Send(_) => Shape::Send,
        Call::Txn(parts) if parts.iter().all(|part| matches!(part, MicroOp::Send(_))) => Shape::Send,
        Call::Poll(_) | Call::Receive(_) | Call::Txn(_) => Shape::Read,
        Call::Commit(_) | Call::Committed(_) | Call::Ack(_) | Call::Nack(_) | Call::Reject(_) => {
            Shape::Commit
        }
        Call::Apply(_) => Shape::Apply,
        Call::Crash => Shape::Crash,
        Call::Assign(_) | Call::Revoke(_) | Call::Subscribe(_) | Call::Other { .. } => Shape::Other,
    }
}

/// Calls from invocation to completion, and the time that processes are down.
fn spans(ops: &[&Op], diagram: &mut Diagram) {
    let mut open: Vec<Option<usize>> = vec![None; diagram.lanes.len()];
    let mut down: Vec<Option<usize>> = vec![None; diagram.lanes.len()];
    for (place, op) in ops.iter().enumerate() {
        let lane = diagram.rows[place].lane;
        if let Some(from) = down[lane].take() {
            diagram.gaps.push(Span { lane, from, to: place });
        }
        if op.op_type == OpType::Invoke {
            open[lane] = Some(place);
        } else if let Some(from) = open[lane].take().filter(|from| ops[*from].call.f() == op.call.f()) {
            diagram.calls.push(Span { lane, from, to: place });
        }
        if op.call == Call::Crash && op.op_type != OpType::Fail {
            down[lane] = Some(place);
        }
    }
    let ends = down.into_iter().enumerate().filter_map(|(lane, from)| Some((lane, from?)));
    diagram.gaps.extend(ends.map(|(lane, from)| Span { lane, from, to: ops.len() }));
}

fn arrows(ops: &[&Op], findings: &[&Finding], diagram: &mut Diagram) {
    // By event: where it was sent to, and on which rows; a retry is the same event again.
    let mut sends: HashMap<&EventId, Vec<(&Partition, usize)>> = HashMap::new();
    for (place, op) in ops.iter().enumerate() {
        for sent in sent_by(op) {
            sends.entry(&sent.event).or_default().push((&sent.partition, place));
        }
        let mut arriving: Vec<Arrow> = Vec::new();
        for (partition, event) in delivered_by(op) {
            let fits = |(to, _): &&(&Partition, usize)| to.covers(partition);
            // The last attempt that began before: an invocation, where there is one, and not its completion.
            let attempts = || sends.get(event).into_iter().flatten().filter(fits).map(|(_, row)| *row);
            let begun = attempts().filter(|row| ops[*row].op_type == OpType::Invoke).next_back();
            let Some(from) = begun.or_else(|| attempts().next()) else { continue };
            let is_named = findings
                .iter()
                .flat_map(|finding| &finding.cases)
                .any(|case| names(case, event, send_lines(ops, diagram, from), op.line));
            arriving.push(Arrow {
                from,
                to: place,
                event: event.to_string(),
                is_named,
                is_final: op.is_final(),
            });
        }
        arriving.sort_by_key(|arrow| !arrow.is_named);
        diagram.arrows_left_out += arriving.len().saturating_sub(MAX_ARROWS_PER_ROW);
        arriving.truncate(MAX_ARROWS_PER_ROW);
        diagram.arrows.extend(arriving);
    }
}

/// The lines of a send: of its invocation and of its completion.
fn send_lines(ops: &[&Op], diagram: &Diagram, from: usize) -> [u64; 2] {
    let completion = diagram.calls.iter().find(|call| call.from == from).map_or(from, |call| call.to);
    [ops[from].line, ops[completion].line]
}

/// Whether a case is about a message: it names both of its ends, or its event and one end.
fn names(case: &lawspeaker_oracle::Case, event: &EventId, sent: [u64; 2], delivered: u64) -> bool {
    let has = |line: u64| case.lines.iter().any(|named| named.line == line);
    let (is_sent, is_delivered) = (sent.into_iter().any(has), has(delivered));
    (is_sent && is_delivered) || (case.events.contains(event) && is_delivered)
}

fn sent_by(op: &Op) -> impl Iterator<Item = &Sent> {
    let plain = match &op.call {
        Call::Send(sent) => sent.as_slice(),
        _ => &[],
    };
    let parts = match &op.call {
        Call::Txn(parts) => parts.as_slice(),
        _ => &[],
    };
    plain.iter().chain(parts.iter().filter_map(|part| match part {
        MicroOp::Send(sent) => Some(sent),
        MicroOp::Poll(_) => None,
    }))
}

/// What an op delivers; only what succeeded delivers anything.
fn delivered_by(op: &Op) -> impl Iterator<Item = (&Partition, &EventId)> {
    let plain: &[Batch] = match &op.call {
        Call::Poll(batches) | Call::Receive(batches) if op.op_type == OpType::Ok => batches,
        _ => &[],
    };
    let parts: &[MicroOp] = match &op.call {
        Call::Txn(parts) if op.op_type == OpType::Ok => parts,
        _ => &[],
    };
    let polled = parts.iter().flat_map(|part| match part {
        MicroOp::Poll(batches) => batches.as_slice(),
        MicroOp::Send(_) => &[],
    });
    plain
        .iter()
        .chain(polled)
        .flat_map(|batch| batch.records.iter().map(|record| (&batch.partition, &record.event)))
}
