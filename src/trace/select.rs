//! Which ops of a history are drawn.

use std::collections::BTreeSet;

use lawspeaker_history::Op;

/// What the user asked to see; by default everything, as far as it fits.
#[derive(Clone, Debug, Default)]
pub(super) struct Selection {
    pub(super) from: Option<u64>,
    pub(super) to: Option<u64>,
    pub(super) around: Option<u64>,
    /// Processes by name; all if empty.
    pub(super) processes: Vec<String>,
    /// Lines of the finding asked for; with a few ops around each.
    pub(super) finding: Option<BTreeSet<u64>>,
    pub(super) max_ops: usize,
}

/// Ops to draw, in order.
#[derive(Debug)]
pub(super) struct Selected<'a> {
    pub(super) ops: Vec<&'a Op>,
    /// For each of them, whether ops that could have been chosen are left out before it.
    pub(super) gaps: Vec<bool>,
    /// What was left out, as a sentence; `None` if nothing was.
    pub(super) left_out: Option<String>,
}

/// How many ops are drawn before and after the one that `--around` names.
const AROUND: usize = 12;
/// How many ops are drawn before and after each that a finding names.
const CONTEXT: usize = 2;

/// Chooses from `ops`. Where too much is left and nothing was asked for, `focus` says what matters: the lines of the
/// first finding.
pub(super) fn select<'a>(ops: &'a [Op], selection: &Selection, focus: &BTreeSet<u64>) -> Selected<'a> {
    let is_wanted = |op: &&Op| {
        let is_in_range =
            selection.from.is_none_or(|from| op.line >= from) && selection.to.is_none_or(|to| op.line <= to);
        let name = || op.process.to_string();
        is_in_range && (selection.processes.is_empty() || selection.processes.contains(&name()))
    };
    let mut chosen: Vec<(usize, &Op)> = ops.iter().filter(is_wanted).enumerate().collect();
    if let Some(line) = selection.around {
        let centre = chosen.partition_point(|(_, op)| op.line < line);
        let end = (centre + AROUND + 1).min(chosen.len());
        chosen = chosen[centre.saturating_sub(AROUND).min(end)..end].to_vec();
    }
    let is_free = selection.from.or(selection.to).or(selection.around).is_none();
    let mut because = "";
    if let Some(lines) = &selection.finding {
        chosen = near(&chosen, lines);
    } else if chosen.len() > selection.max_ops && is_free && !focus.is_empty() {
        chosen = near(&chosen, focus);
        because = ", around the first finding";
    }
    chosen.truncate(selection.max_ops);
    let left_out = (chosen.len() < ops.len()).then(|| {
        format!(
            "{} of {} ops are drawn{because}; --from, --to, --around, --process and --finding choose, --max-ops allows \
             more",
            chosen.len(),
            ops.len()
        )
    });
    let is_gap = |place: usize| place > 0 && chosen[place].0 > chosen[place - 1].0 + 1;
    let gaps = (0..chosen.len()).map(is_gap).collect();
    Selected { ops: chosen.into_iter().map(|(_, op)| op).collect(), gaps, left_out }
}

/// The ops on these lines, and a few around each.
fn near<'a>(ops: &[(usize, &'a Op)], lines: &BTreeSet<u64>) -> Vec<(usize, &'a Op)> {
    let mut is_near = vec![false; ops.len()];
    let is_named = |(_, (_, op)): &(usize, &(usize, &Op))| lines.contains(&op.line);
    for (place, _) in ops.iter().enumerate().filter(is_named) {
        let end = (place + CONTEXT + 1).min(ops.len());
        is_near[place.saturating_sub(CONTEXT)..end].fill(true);
    }
    ops.iter().zip(is_near).filter(|(_, is_near)| *is_near).map(|(op, _)| *op).collect()
}

#[cfg(test)]
mod tests {
    use lawspeaker_history::{Call, History, OpType};

    use super::*;

    fn ops(count: usize) -> Vec<Op> {
        History::of((0..count).map(|n| Op::new((n % 2) as i64, OpType::Ok, Call::Crash))).ops
    }

    fn lines(selected: &Selected<'_>) -> Vec<u64> {
        selected.ops.iter().map(|op| op.line).collect()
    }

    fn asked() -> Selection {
        Selection { max_ops: 100, ..Selection::default() }
    }

    #[test]
    fn a_short_history_is_drawn_whole() {
        let ops = ops(10);
        let selected = select(&ops, &asked(), &BTreeSet::from([3]));
        assert_eq!((selected.ops.len(), selected.left_out), (10, None));
    }

    #[test]
    fn of_a_long_history_the_first_finding_is_drawn_and_the_rest_is_told() {
        let ops = ops(1000);
        let selected = select(&ops, &asked(), &BTreeSet::from([300, 700]));
        assert_eq!(lines(&selected), [298, 299, 300, 301, 302, 698, 699, 700, 701, 702]);
        assert_eq!(selected.gaps.iter().filter(|is_gap| **is_gap).count(), 1);
        assert!(selected.left_out.unwrap().starts_with("10 of 1000 ops are drawn, around the first finding"));
    }

    #[test]
    fn lines_processes_and_places_choose() {
        let ops = ops(1000);
        let by = |selection: Selection| lines(&select(&ops, &selection, &BTreeSet::new()));
        assert_eq!(by(Selection { from: Some(5), to: Some(7), ..asked() }), [5, 6, 7]);
        assert_eq!(by(Selection { around: Some(3), ..asked() }).last(), Some(&15));
        assert_eq!(by(Selection { around: Some(5000), ..asked() }).len(), AROUND);
        let one = Selection { processes: vec!["1".to_owned()], to: Some(6), ..asked() };
        assert_eq!(by(one), [2, 4, 6]);
        assert_eq!(by(Selection { finding: Some(BTreeSet::from([1])), ..asked() }), [1, 2, 3]);
        assert!(by(Selection { from: Some(7), to: Some(5), ..asked() }).is_empty());
        assert_eq!(by(asked()).len(), 100);
    }
}
