//! An op as it is kept until its partitions are judged.

use lawspeaker_history::{Call, Extra, Op, OpType, Process};
use serde_json::{Map, Value};

/// What the checks ask of an op, in a third of the memory: most say nothing beside the call.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) line: u64,
    time_ns: Option<u64>,
    process: Process,
    op_type: OpType,
    call: Call,
    /// `x`, and fields that the format does not know.
    rest: Option<Box<(Extra, Map<String, Value>)>>,
    /// Whether it names one partition only.
    pub(super) is_of_one: bool,
}

impl Kept {
    pub(super) fn of(op: Op, is_of_one: bool) -> Self {
        let Op { line, time_ns, process, op_type, call, x, unknown, .. } = op;
        let is_any = !x.is_empty() || !unknown.is_empty();
        let rest = is_any.then(|| Box::new((x, unknown)));
        Kept { line, time_ns, process, op_type, call, rest, is_of_one }
    }

    pub(super) fn into_op(self) -> Op {
        let Kept { line, time_ns, process, op_type, call, rest, .. } = self;
        let (x, unknown) = rest.map(|rest| *rest).unwrap_or_default();
        Op { line, time_ns, x, unknown, ..Op::new(process, op_type, call) }
    }
}
