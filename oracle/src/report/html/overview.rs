//! The whole history as one bar: where faults were injected, and where the findings are.

use std::collections::BTreeSet;

use lawspeaker_history::{Call, Op, Process};

use super::line;
use crate::report::Judged;
use crate::{Verdict, explain};

const WIDTH: u64 = 1000;

/// O(n) in the ops; at most a mark a pixel.
pub(super) fn overview(out: &mut String, judged: &Judged, verdict: &Verdict) {
    let ops = &judged.history.ops;
    let (Some(first), Some(last)) = (ops.first(), ops.last()) else { return };
    let reach = (last.line - first.line).max(1);
    let x = |line: u64| line.saturating_sub(first.line).min(reach) * WIDTH / reach;
    let faults: BTreeSet<u64> = ops.iter().filter(|op| is_fault(op)).map(|op| x(op.line)).collect();
    let cases = verdict.roots().flat_map(|finding| &finding.cases);
    let found: BTreeSet<u64> = cases.filter_map(|case| case.lines.last()).map(|line| x(line.line)).collect();
    let label = format!(
        "The history from line {} to line {}: {} and {}",
        first.line,
        last.line,
        explain::counted(faults.len(), "place with a fault"),
        explain::counted(found.len(), "place with a finding"),
    );
    line!(
        out,
        "<svg class=\"overview\" viewBox=\"-8 0 1016 50\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{label}\">"
    );
    line!(out, "<rect class=\"track\" x=\"0\" y=\"14\" width=\"{WIDTH}\" height=\"20\" rx=\"3\"/>");
    for x in faults {
        line!(out, "<path class=\"fault\" d=\"M{} 2h8l-4 10z\"/>", i128::from(x) - 4);
    }
    for x in found {
        line!(out, "<rect class=\"found\" x=\"{}\" y=\"14\" width=\"2\" height=\"20\"/>", i128::from(x) - 1);
        line!(out, "<path class=\"found\" d=\"M{} 46h8l-4 -10z\"/>", i128::from(x) - 4);
    }
    line!(out, "</svg>");
    line!(
        out,
        "<p class=\"legend\">Lines {} to {} of the history: ▼ above, a fault was injected; ▲ below, a finding shows.</p>",
        first.line,
        last.line
    );
}

/// What somebody who is no client did to the system.
fn is_fault(op: &Op) -> bool {
    matches!(op.process, Process::Name(_)) && matches!(op.call, Call::Other { .. })
}
