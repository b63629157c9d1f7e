//! What stands where in a space-time diagram: processes are lanes, ops are rows, messages are arrows.
//!
//! Nothing here knows how it will be drawn. O(ops and records) time.

use std::collections::{BTreeSet, HashMap};

use lawspeaker_history::{Batch, Call, EventId, MicroOp, Op, OpType, Partition, Process, Sent};
use lawspeaker_oracle::{Case, Finding};

use super::select::Selected;
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
    /// Whether it is something that was done to the system, by nobody's client.
    pub(super) is_fault: bool,
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

/// Lays out what was selected; what `findings` name is marked.
pub(super) fn layout(selected: &Selected<'_>, findings: &[&Finding]) -> Diagram {
    let ops = selected.ops.as_slice();
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
            is_fault: matches!((&op.process, &op.call), (Process::Name(_), Call::Other { .. })),
            follows_a_gap: selected.gaps[place],
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
        Call::Send(_) | Call::Append(_) => Shape::Send,
        Call::Txn(parts) if parts.iter().all(|part| matches!(part, MicroOp::Send(_))) => Shape::Send,
        Call::Poll(_) | Call::Receive(_) | Call::Txn(_) | Call::ReadStream(_) => Shape::Read,
        Call::Commit(_)
        | Call::Committed(_)
        | Call::Ack(_)
        | Call::Nack(_)
        | Call::Reject(_)
        | Call::DeadLetter(_) => Shape::Commit,
        Call::Apply(_) | Call::Change(_) | Call::Project(_) | Call::SagaStep(_) | Call::SagaCompensate(_) => {
            Shape::Apply
        }
        Call::Crash => Shape::Crash,
        Call::SagaEnd(_) | Call::CommitTxn | Call::AbortTxn => Shape::Commit,
        Call::Assign(_)
        | Call::Revoke(_)
        | Call::Subscribe(_)
        | Call::SagaStart(_)
        | Call::Fence
        | Call::Begin
        | Call::Trim(_)
        | Call::Compact(_)
        | Call::Snapshot(_)
        | Call::Quiescent
        | Call::Other { .. } => Shape::Other,
    }
}

/// Calls from invocation to completion, and the time that processes are down.
fn spans(ops: &[&Op], diagram: &mut Diagram) {
    let mut open: Vec<Option<usize>> = vec![None; diagram.lanes.len()];
    let mut down: Vec<Option<usize>> = vec![None; diagram.lanes.len()];
    for (place, op) in ops.iter().enumerate() {
        let Row { lane, follows_a_gap, .. } = diagram.rows[place];
        if follows_a_gap {
            // Whether it came back or the call ended in what is left out, nobody can see here.
            open.fill(None);
            let ended = down.iter_mut().enumerate().filter_map(|(lane, from)| Some((lane, from.take()?)));
            diagram.gaps.extend(ended.map(|(lane, from)| Span { lane, from, to: place }));
        }
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
    let mut cases_by_line: HashMap<u64, Vec<&Case>> = HashMap::new();
    for case in findings.iter().flat_map(|finding| &finding.cases) {
        case.lines.iter().for_each(|named| cases_by_line.entry(named.line).or_default().push(case));
    }
    let completions: HashMap<usize, usize> = diagram.calls.iter().map(|call| (call.from, call.to)).collect();
    // By event: where it was sent to, and on which rows; a retry is the same event again.
    let mut sends: HashMap<&EventId, Vec<(&Partition, usize)>> = HashMap::new();
    for (place, op) in ops.iter().enumerate() {
        for sent in sent_by(op) {
            sends.entry(&sent.event).or_default().push((&sent.partition, place));
        }
        let cases = cases_by_line.get(&op.line).map_or(&[][..], Vec::as_slice);
        let mut arriving: Vec<Arrow> = Vec::new();
        for (partition, event) in delivered_by(op) {
            let fits = |(to, _): &&(&Partition, usize)| to.covers(partition);
            // The last attempt that began before: an invocation, where there is one, and not its completion.
            let attempts = || sends.get(event).into_iter().flatten().filter(fits).map(|(_, row)| *row);
            let begun = attempts().rfind(|row| ops[*row].op_type == OpType::Invoke);
            let Some(from) = begun.or_else(|| attempts().next()) else { continue };
            let sent = [from, completions.get(&from).copied().unwrap_or(from)].map(|row| ops[row].line);
            let is_named = cases.iter().any(|case| is_about(case, event, sent));
            let event = event.to_string();
            arriving.push(Arrow { from, to: place, event, is_named, is_final: op.is_final() });
        }
        arriving.sort_by_key(|arrow| !arrow.is_named);
        diagram.arrows_left_out += arriving.len().saturating_sub(MAX_ARROWS_PER_ROW);
        arriving.truncate(MAX_ARROWS_PER_ROW);
        diagram.arrows.extend(arriving);
    }
}

/// Whether a case that names a delivery is about the message delivered: it names its event, or its send too.
fn is_about(case: &Case, event: &EventId, sent: [u64; 2]) -> bool {
    case.events.contains(event) || case.lines.iter().any(|named| sent.contains(&named.line))
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

#[cfg(test)]
mod tests {
    use lawspeaker_history::History;
    use lawspeaker_oracle::{Profile, judge};

    use super::*;

    /// Lays out a whole history, with what the oracle finds in it under `kafka`.
    fn laid_out(text: &str) -> Diagram {
        laid_out_with_gap(text, usize::MAX)
    }

    /// The same, as if ops were left out before the row of this number.
    fn laid_out_with_gap(text: &str, gap: usize) -> Diagram {
        let history = History::read(text.as_bytes()).unwrap();
        let verdict = judge(&history, Profile::named("kafka").unwrap());
        let ops: Vec<_> = history.ops.iter().collect();
        let gaps = (0..ops.len()).map(|place| place == gap).collect();
        layout(&Selected { ops, gaps, left_out: None }, &verdict.violations().collect::<Vec<_>>())
    }

    const SENT: &str = r#"{"process":0,"type":"invoke","f":"send","value":[["send","orders/0","a"]]}
{"process":0,"type":"ok","f":"send","value":[["send","orders/0",[0,"a"]]]}
"#;

    #[test]
    fn a_message_goes_from_the_invocation_of_its_send_to_each_delivery() {
        let polled = r#"{"process":1,"type":"ok","f":"poll","value":[["poll",{"orders/0":[[0,"a"]]}]]}
{"process":2,"type":"fail","f":"poll","value":[["poll",{"orders/0":[[0,"a"]]}]]}
{"process":2,"type":"ok","f":"poll","value":[["poll",{"orders/0":[[0,"a"]]}]]}"#;
        let diagram = laid_out(&format!("{SENT}{polled}"));
        let ends: Vec<_> = diagram.arrows.iter().map(|arrow| (arrow.from, arrow.to)).collect();
        assert_eq!(ends, [(0, 2), (0, 4)], "what failed delivers nothing");
        assert_eq!(diagram.calls, [Span { lane: 0, from: 0, to: 1 }]);
        assert_eq!(diagram.lanes, ["0", "1", "2"]);
        assert!(diagram.arrows.iter().all(|arrow| !arrow.is_named));
    }

    #[test]
    fn what_a_finding_names_is_marked_with_the_message_it_is_about() {
        let polled = r#"{"process":3,"type":"ok","f":"send","value":[["send","orders/0","b"]]}
{"process":1,"type":"ok","f":"poll","value":[["poll",{"orders/0":[[0,"a"]]}]]}
{"process":2,"type":"ok","f":"poll","value":[["poll",{"orders/0":[[0,"b"]]}]]}"#;
        let diagram = laid_out(&format!("{SENT}{polled}"));
        let named: Vec<_> = diagram.rows.iter().filter(|row| row.is_named).map(|row| row.line).collect();
        assert_eq!(named, [2, 5]);
        let named: Vec<_> = diagram.arrows.iter().filter(|arrow| arrow.is_named).map(|a| &a.event).collect();
        assert_eq!(named, ["b"]);
    }

    #[test]
    fn a_crashed_process_is_down_until_it_does_something_again() {
        let crashes = r#"{"process":1,"type":"info","f":"crash","value":null}
{"process":2,"type":"info","f":"crash","value":null}
{"process":1,"type":"invoke","f":"poll"}"#;
        let diagram = laid_out(&format!("{SENT}{crashes}"));
        let expected = [Span { lane: 1, from: 2, to: 4 }, Span { lane: 2, from: 3, to: 5 }];
        assert_eq!(diagram.gaps, expected);
    }

    #[test]
    fn no_call_and_no_crash_goes_on_through_what_is_left_out() {
        let crash = r#"{"process":1,"type":"info","f":"crash","value":null}"#;
        let polled = r#"{"process":0,"type":"invoke","f":"poll"}
{"process":0,"type":"ok","f":"poll","value":[["poll",{}]]}"#;
        let diagram = laid_out_with_gap(&format!("{crash}\n{polled}"), 2);
        assert_eq!(diagram.calls, []);
        assert_eq!(diagram.gaps, [Span { lane: 0, from: 0, to: 2 }]);
    }

    #[test]
    fn a_read_of_many_says_how_many_messages_are_not_drawn() {
        let mut text = String::new();
        let mut records = Vec::new();
        for offset in 0..100 {
            let sent = format!(r#"[["send","orders/0",[{offset},{offset}]]]"#);
            text += &format!("{{\"process\":0,\"type\":\"ok\",\"f\":\"send\",\"value\":{sent}}}\n");
            records.push(format!("[{offset},{offset}]"));
        }
        let polled = format!(r#"[["poll",{{"orders/0":[{}]}}]]"#, records.join(","));
        text += &format!("{{\"process\":1,\"type\":\"ok\",\"f\":\"poll\",\"value\":{polled}}}");
        let diagram = laid_out(&text);
        assert_eq!((diagram.arrows.len(), diagram.arrows_left_out), (MAX_ARROWS_PER_ROW, 76));
    }
}
