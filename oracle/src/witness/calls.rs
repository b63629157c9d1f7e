//! The calls of a history: what is kept or taken away as a whole.

use std::collections::{BTreeSet, HashMap};

use lawspeaker_history::{Batch, Call, Delivery, EventId, MicroOp, Op, OpType, Process, Sent};

use crate::Case;

/// Every call of a history, by its completion, or its invocation where it has none.
///
/// A read may complete in several lines: each is a call of its own, with the invocation that they share.
#[derive(Debug)]
pub(super) struct Calls {
    /// By call: the places of its ops, in order.
    places: Vec<Vec<usize>>,
}

impl Calls {
    /// O(n).
    pub(super) fn of(ops: &[Op]) -> Self {
        let mut calls: Vec<Vec<usize>> = Vec::new();
        let mut open: HashMap<&Process, (usize, bool)> = HashMap::new();
        for (place, op) in ops.iter().enumerate() {
            if op.op_type == OpType::Invoke {
                if let Some((never_completed, false)) = open.insert(&op.process, (place, false)) {
                    calls.push(vec![never_completed]);
                }
                continue;
            }
            let invoked = open.get_mut(&op.process).filter(|(invoked, is_completed)| {
                let is_read = matches!(op.call, Call::Poll(_) | Call::Receive(_));
                ops[*invoked].call.f() == op.call.f() && (is_read || !*is_completed)
            });
            calls.push(match invoked {
                Some((invoked, is_completed)) => {
                    *is_completed = true;
                    vec![*invoked, place]
                }
                None => vec![place],
            });
        }
        calls.extend(open.values().filter(|(_, is_completed)| !is_completed).map(|(place, _)| vec![*place]));
        calls.sort_unstable();
        Calls { places: calls }
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn all(&self) -> Vec<usize> {
        (0..self.len()).collect()
    }

    /// The ops of these calls, in order and each once.
    pub(super) fn places(&self, calls: &[usize]) -> Vec<usize> {
        let places: BTreeSet<usize> = calls.iter().flat_map(|call| &self.places[*call]).copied().collect();
        places.into_iter().collect()
    }

    /// The calls that a case names a line of.
    pub(super) fn on_lines(&self, ops: &[Op], case: &Case) -> Vec<usize> {
        let lines: BTreeSet<u64> = case.lines.iter().map(|line| line.line).collect();
        self.that(|call| call.iter().any(|place| lines.contains(&ops[*place].line)))
    }

    /// `named`, and the calls that speak of the events or the saga of a case.
    pub(super) fn speaking_of(&self, ops: &[Op], case: &Case, named: &[usize]) -> Vec<usize> {
        let is_of_saga = |op: &Op| match (&op.call, &case.saga) {
            (_, None) => false,
            (Call::SagaStart(start), Some(saga)) => start.saga == *saga,
            (Call::SagaStep(step) | Call::SagaCompensate(step), Some(saga)) => step.saga == *saga,
            (Call::SagaEnd(end), Some(saga)) => end.saga == *saga,
            (call, Some(_)) => *call == Call::Quiescent,
        };
        let speaks = |op: &Op| is_of_saga(op) || events(&op.call).any(|event| case.events.contains(event));
        let mut calls = self.that(|call| call.iter().any(|place| speaks(&ops[*place])));
        calls.extend(named);
        calls.sort_unstable();
        calls.dedup();
        calls
    }

    /// Of each event of a case that several calls send: those calls.
    pub(super) fn sent_again(&self, ops: &[Op], case: &Case) -> Vec<Vec<usize>> {
        let sending = |event: &EventId| {
            self.that(|call| call.iter().any(|place| sent_events(&ops[*place].call).any(|of| of == event)))
        };
        case.events.iter().map(sending).filter(|calls| calls.len() > 1).collect()
    }

    /// These calls, and this many before and after each.
    pub(super) fn around(&self, calls: &[usize], reach: usize) -> Vec<usize> {
        let mut is_near = vec![false; self.len()];
        for call in calls {
            let end = (call + reach + 1).min(self.len());
            is_near[call.saturating_sub(reach)..end].fill(true);
        }
        (0..self.len()).filter(|call| is_near[*call]).collect()
    }

    fn that(&self, is_wanted: impl Fn(&[usize]) -> bool) -> Vec<usize> {
        (0..self.len()).filter(|call| is_wanted(&self.places[*call])).collect()
    }
}

/// Every event that a call sends.
fn sent_events(call: &Call) -> Box<dyn Iterator<Item = &EventId> + '_> {
    match call {
        Call::Send(all) => Box::new(all.iter().map(|sent| &sent.event)),
        Call::Txn(parts) => Box::new(parts.iter().filter_map(|part| match part {
            MicroOp::Send(sent) => Some(&sent.event),
            MicroOp::Poll(_) => None,
        })),
        _ => Box::new(std::iter::empty()),
    }
}

/// Every event that a call speaks of.
fn events(call: &Call) -> Box<dyn Iterator<Item = &EventId> + '_> {
    fn sent(sent: &[Sent]) -> impl Iterator<Item = &EventId> {
        sent.iter().map(|sent| &sent.event)
    }
    fn read(batches: &[Batch]) -> impl Iterator<Item = &EventId> {
        batches.iter().flat_map(|batch| &batch.records).map(|record| &record.event)
    }
    fn taken(deliveries: &[Delivery]) -> impl Iterator<Item = &EventId> {
        deliveries.iter().filter_map(|delivery| delivery.event.as_ref())
    }
    match call {
        Call::Send(all) => Box::new(sent(all)),
        Call::Poll(batches) | Call::Receive(batches) => Box::new(read(batches)),
        Call::Txn(parts) => Box::new(parts.iter().flat_map(|part| match part {
            MicroOp::Send(one) => Box::new(std::iter::once(&one.event)) as Box<dyn Iterator<Item = &EventId>>,
            MicroOp::Poll(batches) => Box::new(read(batches)),
        })),
        Call::Ack(all) | Call::Nack(all) | Call::Reject(all) | Call::Apply(all) => Box::new(taken(all)),
        Call::Append(append) => Box::new(append.ids.iter()),
        Call::ReadStream(slices) => {
            Box::new(slices.iter().flat_map(|slice| &slice.events).map(|(_, event)| event))
        }
        Call::Project(project) => Box::new(project.events.iter().map(|(_, event)| event)),
        _ => Box::new(std::iter::empty()),
    }
}

#[cfg(test)]
mod tests {
    use lawspeaker_history::History;

    use super::*;

    #[test]
    fn a_call_is_its_invocation_and_its_completion() {
        let text = r#"{"process":0,"type":"invoke","f":"send","value":[["send","p","a"]]}
{"process":1,"type":"invoke","f":"poll"}
{"process":0,"type":"ok","f":"send","value":[["send","p",[0,"a"]]]}
{"process":1,"type":"ok","f":"poll","value":[["poll",{"p":[[0,"a"]]}]]}
{"process":1,"type":"ok","f":"poll","value":[["poll",{"p":[[1,"b"]]}]]}
{"process":2,"type":"invoke","f":"poll"}
{"process":"nemesis","type":"info","f":"kill"}"#;
        let calls = Calls::of(&History::read(text.as_bytes()).unwrap().ops);
        assert_eq!(calls.places, [vec![0, 2], vec![1, 3], vec![1, 4], vec![5], vec![6]]);
        assert_eq!(calls.places(&[1, 2]), [1, 3, 4]);
        assert_eq!(calls.around(&[0, 4], 1), [0, 1, 3, 4]);
    }
}
