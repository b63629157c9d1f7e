//! The history of a run, for the oracle to judge: what the bus records, and what it means in the words of sagas.
//!
//! With a leader, the executor and the participants record the sagas themselves. Without one, nobody knows that there
//! is a saga; but each service's change is recorded with the events that it owes, in the critical section in which it
//! happens, and these events say which step was done, refused or undone. So the sagas are an image of the changes.

use std::path::Path;
use std::sync::Arc;

use lawspeaker_history::{
    Call, FileRecorder, Header, Op, OpType, Process, Recorder, SagaEnd, SagaOutcome, SagaStart, SagaStep,
};

use crate::Variant;
use crate::event::Kind;
use crate::fault::Step;
use crate::metrics::Metrics;

/// Records into a file, and counts.
#[derive(Debug)]
pub(crate) struct Recording {
    file: FileRecorder,
    variant: Variant,
    /// What is added to the names of processes: one that was started again is another one.
    life: String,
    metrics: Arc<Metrics>,
}

impl Recording {
    /// Goes on with the history at `path`, or begins it.
    ///
    /// # Errors
    /// What the file system says.
    pub(crate) fn open(path: &Path, variant: Variant, metrics: Arc<Metrics>) -> std::io::Result<Self> {
        let source = Some(format!("order_system, {variant}"));
        let header = Header { profile: Some("saga".into()), source, ..Header::default() };
        let file = FileRecorder::append(path, &header)?;
        let life = if file.op_count() == 0 { String::new() } else { format!("@{}", file.op_count()) };
        let recording = Recording { file, variant, life, metrics };
        if !recording.life.is_empty() {
            let restart = Call::Other { f: "restart".to_owned(), value: serde_json::Value::Null };
            recording.file.record(Op::new("nemesis", OpType::Info, restart));
        }
        Ok(recording)
    }

    /// Nothing is under way any more.
    ///
    /// # Errors
    /// The first that writing the history met.
    pub(crate) fn finish(&self, is_at_rest: bool) -> std::io::Result<()> {
        if is_at_rest {
            self.record(Op::new("observer", OpType::Ok, Call::Quiescent));
        }
        self.file.finish()
    }

    fn write(&self, op: Op) {
        let process = Process::from(format!("{}{}", op.process, self.life).as_str());
        self.file.record(Op { process, ..op });
    }
}

impl Recorder for Recording {
    fn record(&self, op: Op) {
        self.metrics.observe(&op);
        let told = match (&op.call, self.variant) {
            (Call::Change(events), Variant::Choreographed) => {
                let named = events.iter().map(ToString::to_string);
                named.filter_map(|event| saga_op(&event, op.op_type)).collect()
            }
            _ => Vec::new(),
        };
        self.write(op);
        told.into_iter().for_each(|op| self.write(op));
    }
}

/// What a change that owes `event` means for the saga of its order.
fn saga_op(event: &str, op_type: OpType) -> Option<Op> {
    let (order, kind) = event.rsplit_once('/')?;
    let step = |step: Step| SagaStep { saga: order.into(), step: step.name().into() };
    let end = |outcome| Call::SagaEnd(SagaEnd { saga: order.into(), outcome });
    let kind = Kind::named(kind)?;
    let (process, call) = match kind {
        Kind::Placed => {
            let steps = [Step::Reserve, Step::Charge, Step::Ship].map(|step| step.name().into()).to_vec();
            let pivot = Some(Step::Ship.name().into());
            ("saga", Call::SagaStart(SagaStart { saga: order.into(), steps: Some(steps), pivot }))
        }
        Kind::Reserved | Kind::OutOfStock => ("reserve", Call::SagaStep(step(Step::Reserve))),
        Kind::Charged | Kind::Declined => ("charge", Call::SagaStep(step(Step::Charge))),
        Kind::Shipped | Kind::Stopped => ("ship", Call::SagaStep(step(Step::Ship))),
        Kind::Released => ("reserve", Call::SagaCompensate(step(Step::Reserve))),
        Kind::Refunded => ("charge", Call::SagaCompensate(step(Step::Charge))),
        Kind::Completed => ("saga", end(SagaOutcome::Committed)),
        Kind::Cancelled => ("saga", end(SagaOutcome::Aborted)),
        Kind::CancelAsked | Kind::NothingReserved | Kind::NothingCharged => return None,
    };
    // A refusal that was committed says that the step was surely not done.
    let is_refusal = matches!(kind, Kind::OutOfStock | Kind::Declined | Kind::Stopped);
    let op_type = if is_refusal && op_type == OpType::Ok { OpType::Fail } else { op_type };
    Some(Op::new(Process::from(format!("{order}/{process}").as_str()), op_type, call))
}
