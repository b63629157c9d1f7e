//! An op as it is kept until its partitions are judged.

use lawspeaker_history::{Call, Extra, Op, OpType, Process};

/// What the checks ask of an op, in a third of the memory: most say nothing under `x`.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) line: u64,
    time_ns: Option<u64>,
    process: Process,
    op_type: OpType,
    call: Call,
    x: Option<Box<Extra>>,
    /// Whether it names one partition only.
    pub(super) is_of_one: bool,
}

impl Kept {
    pub(super) fn of(op: Op, is_of_one: bool) -> Self {
        let Op { line, time_ns, process, op_type, call, x, .. } = op;
        let x = (!x.is_empty()).then(|| Box::new(x));
        Kept { line, time_ns, process, op_type, call, x, is_of_one }
    }

    pub(super) fn into_op(self) -> Op {
        let Kept { line, time_ns, process, op_type, call, x, .. } = self;
        let x = x.map(|x| *x).unwrap_or_default();
        Op { line, time_ns, x, ..Op::new(process, op_type, call) }
    }
}
