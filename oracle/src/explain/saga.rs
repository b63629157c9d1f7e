//! Sentences about sagas.

use lawspeaker_history::OpType;

use crate::case::Line;
use crate::evidence::{Act, Deed, Evidence, SagaKey, StepKey};

/// How many attempts one case shows.
pub(crate) const ACTS_TOLD: usize = 4;

/// What the line of an attempt said.
pub(crate) fn act(act: &Act, evidence: &Evidence) -> Line {
    let names = &evidence.names;
    let (process, saga) = (&names.processes[act.process], &names.sagas[act.saga]);
    let what = match act.deed {
        Deed::Start => format!("to start saga {saga}"),
        Deed::Step(step) => format!("to do step {} of saga {saga}", names.steps[step]),
        Deed::Compensate(step) => format!("to compensate step {} of saga {saga}", names.steps[step]),
        Deed::End(outcome) => format!("to end saga {saga} as {outcome}"),
    };
    let said = match (act.outcome, act.deed) {
        (OpType::Ok, Deed::Start) => format!("process {process} started saga {saga}"),
        (OpType::Ok, Deed::Step(step)) => {
            format!("process {process} did step {} of saga {saga}", names.steps[step])
        }
        (OpType::Ok, Deed::Compensate(step)) => {
            format!("process {process} compensated step {} of saga {saga}", names.steps[step])
        }
        (OpType::Ok, Deed::End(outcome)) => format!("process {process} ended saga {saga} as {outcome}"),
        (OpType::Fail, _) => format!("process {process} surely failed {what}"),
        (OpType::Info | OpType::Invoke, _) => {
            format!("process {process} tried {what}, and nobody knows what became of it")
        }
    };
    Line { line: act.line, said }
}

/// What several said, in the order of lines, each once.
pub(crate) fn acts<'a>(acts: impl IntoIterator<Item = &'a Act>, evidence: &Evidence) -> Vec<Line> {
    let mut lines: Vec<Line> = acts.into_iter().map(|one| act(one, evidence)).collect();
    lines.sort_by_key(|line| line.line);
    lines.dedup();
    lines
}

/// `step reserve of saga s1`.
pub(crate) fn step(saga: SagaKey, step: StepKey, evidence: &Evidence) -> String {
    format!("step {} of saga {}", evidence.names.steps[step], evidence.names.sagas[saga])
}
