//! Pipelined sends in a history: a process has one call open at a time, a pipelining producer several.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use lawspeaker_history::{Call, EventId, Op, OpType, Process, Recorder};

/// Records the sends that a process has open at once as those of several processes, its lanes: two calls that
/// overlap are concurrent, whoever made them. The first lane has the process's own name, the others a number behind
/// it. A process that waits for its acknowledgements has one lane.
#[derive(Debug)]
pub(super) struct Lanes {
    recorder: Arc<dyn Recorder>,
    /// The event that each lane of a process has open.
    open: Mutex<HashMap<Process, Vec<Option<EventId>>>>,
}

impl Lanes {
    pub(super) fn over(recorder: Arc<dyn Recorder>) -> Self {
        Lanes { recorder, open: Mutex::default() }
    }
}

/// The lane in which `event` is open, which is free afterwards; or, for an invocation, a free one, which is not.
fn lane(lanes: &mut Vec<Option<EventId>>, op_type: OpType, event: &EventId) -> usize {
    let (wanted, then) = match op_type {
        OpType::Invoke => (None, Some(event.clone())),
        _ => (Some(event.clone()), None),
    };
    let place = lanes.iter().position(|open| *open == wanted).unwrap_or_else(|| {
        lanes.push(None);
        lanes.len() - 1
    });
    lanes[place] = then;
    place
}

impl Recorder for Lanes {
    fn record(&self, mut op: Op) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Call::Send(sends) = &op.call
            && let [sent] = sends.as_slice()
        {
            let place = lane(open.entry(op.process.clone()).or_default(), op.op_type, &sent.event);
            if place > 0 {
                op.process = Process::from(format!("{}/{place}", op.process).as_str());
            }
        }
        self.recorder.record(op);
    }
}

#[cfg(test)]
mod tests {
    use lawspeaker_history::{MemoryRecorder, Partition, Sent};

    use super::*;

    #[test]
    fn a_lane_has_one_send_open_at_a_time() {
        let recorder = Arc::new(MemoryRecorder::new());
        let lanes = Lanes::over(recorder.clone());
        let steps =
            [("invoke", 1), ("invoke", 2), ("ok", 1), ("invoke", 3), ("ok", 2), ("ok", 3), ("invoke", 4)];
        for (op_type, event) in steps {
            let op_type = if op_type == "ok" { OpType::Ok } else { OpType::Invoke };
            let sent = Sent { partition: Partition::new("t", 0), offset: None, event: event.into() };
            lanes.record(Op::new("p", op_type, Call::Send(vec![sent])));
        }
        let processes: Vec<_> = recorder.history().ops.iter().map(|op| op.process.to_string()).collect();
        assert_eq!(processes, ["p", "p/1", "p", "p", "p/1", "p", "p"]);
    }
}
