//! A saga as a table: a row a step, what was done and what was undone, on which lines.

use lawspeaker_history::{Call, Op, OpType, SagaId, StepName};

use super::line;
use crate::Case;
use crate::report::Judged;
use crate::report::escape::markup;

pub(super) fn saga(out: &mut String, judged: &Judged, case: &Case) {
    let Some(saga) = &case.saga else { return };
    let ops: Vec<&Op> = judged.history.ops.iter().filter(|op| is_of(op, saga)).collect();
    if ops.is_empty() {
        return;
    }
    line!(out, "<h3>Saga {}</h3>", markup(saga.as_str()));
    line!(
        out,
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Steps of the saga\"><table class=\"grid\">"
    );
    line!(
        out,
        "<thead><tr><th scope=\"row\">step</th><th scope=\"col\">done</th><th scope=\"col\">undone</th></tr></thead><tbody>"
    );
    row(
        out,
        "the saga",
        false,
        &told(&ops, |call| matches!(call, Call::SagaStart(_))),
        &told(&ops, |call| matches!(call, Call::SagaEnd(_))),
    );
    for step in steps(&ops) {
        let done = told(&ops, |call| matches!(call, Call::SagaStep(done) if done.step == step));
        let undone = told(&ops, |call| matches!(call, Call::SagaCompensate(undone) if undone.step == step));
        row(out, step.as_str(), case.steps.contains(&step), &done, &undone);
    }
    line!(out, "</tbody></table></div>");
}

fn is_of(op: &Op, saga: &SagaId) -> bool {
    match &op.call {
        Call::SagaStart(start) => start.saga == *saga,
        Call::SagaStep(step) | Call::SagaCompensate(step) => step.saga == *saga,
        Call::SagaEnd(end) => end.saga == *saga,
        _ => false,
    }
}

/// The steps in the order in which they are declared, and then in that of first sight.
fn steps(ops: &[&Op]) -> Vec<StepName> {
    let mut steps: Vec<StepName> = Vec::new();
    let declared = ops.iter().filter_map(|op| match &op.call {
        Call::SagaStart(start) => start.steps.clone(),
        _ => None,
    });
    let seen = ops.iter().filter_map(|op| match &op.call {
        Call::SagaStep(step) | Call::SagaCompensate(step) => Some(step.step.clone()),
        _ => None,
    });
    for step in declared.flatten().chain(seen) {
        if !steps.contains(&step) {
            steps.push(step);
        }
    }
    steps
}

fn row(out: &mut String, name: &str, is_accused: bool, done: &str, undone: &str) {
    let class = if is_accused { " class=\"accused\"" } else { "" };
    let victim = if is_accused { " class=\"victim\"" } else { "" };
    let name = markup(name);
    line!(
        out,
        "<tr><th scope=\"row\"><span{victim}>{name}</span></th><td{class}>{done}</td><td{class}>{undone}</td></tr>"
    );
}

/// What became of each attempt; invocations are told by their completions.
fn told(ops: &[&Op], is_wanted: impl Fn(&Call) -> bool) -> String {
    let tell = |op: &&Op| {
        let what = match (op.op_type, &op.call) {
            (OpType::Ok, Call::SagaStart(_)) => "began".to_owned(),
            (OpType::Ok, Call::SagaEnd(end)) => format!("ended {}", end.outcome),
            (OpType::Ok, Call::SagaCompensate(_)) => "↶ undone".to_owned(),
            (OpType::Ok, _) => "✓ done".to_owned(),
            (OpType::Fail, _) => "✗ failed".to_owned(),
            (OpType::Info | OpType::Invoke, _) => "? unknown".to_owned(),
        };
        format!("<span class=\"who\" data-line=\"{0}\">{what} <small>line {0}</small></span>", op.line)
    };
    let told: String =
        ops.iter().filter(|op| op.op_type != OpType::Invoke && is_wanted(&op.call)).map(tell).collect();
    if told.is_empty() { "<span class=\"empty\">–</span>".to_owned() } else { told }
}
