//! The definitions taken at their word: everything is compared with everything.

use std::collections::{BTreeMap, BTreeSet};

use lawspeaker_history::{Call, History, Op, OpType, Process, SagaId, SagaOutcome, StepName};
use lawspeaker_oracle::Anomaly;

use super::{Accusation, DECLARED, PIVOT, SAGAS, STEPS};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    Start,
    Step(usize),
    Compensate(usize),
    End(SagaOutcome),
}

/// Something that happened from `since` to `until`, or may have.
#[derive(Clone, Debug)]
pub(super) struct Act {
    pub(super) saga: SagaId,
    pub(super) deed: Deed,
    pub(super) outcome: OpType,
    pub(super) since: u64,
    pub(super) until: u64,
    /// What it read or restored, and who had written it.
    pub(super) touched: BTreeMap<String, Option<SagaId>>,
}

impl Act {
    fn is_done(&self) -> bool {
        self.outcome == OpType::Ok
    }

    fn may_be(&self) -> bool {
        self.outcome != OpType::Fail
    }

    fn precedes(&self, other: &Act) -> bool {
        self.until < other.since
    }
}

fn deed(op: &Op) -> Option<(SagaId, Deed)> {
    let place = |name: &StepName| STEPS.iter().position(|step| *step == name.as_str()).expect("it is a step");
    Some(match &op.call {
        Call::SagaStart(start) => (start.saga.clone(), Deed::Start),
        Call::SagaStep(step) => (step.saga.clone(), Deed::Step(place(&step.step))),
        Call::SagaCompensate(step) => (step.saga.clone(), Deed::Compensate(place(&step.step))),
        Call::SagaEnd(end) => (end.saga.clone(), Deed::End(end.outcome)),
        _ => return None,
    })
}

/// What the lines of a history amount to.
pub(super) fn acts(history: &History) -> Vec<Act> {
    let mut acts = Vec::new();
    let told: Vec<(&Process, &Op, SagaId, Deed)> = history
        .ops
        .iter()
        .filter_map(|op| deed(op).map(|(saga, deed)| (&op.process, op, saga, deed)))
        .collect();
    for (place, (process, op, saga, deed)) in told.iter().enumerate() {
        let is_same =
            |other: &&(&Process, &Op, SagaId, Deed)| (other.0, &other.2, &other.3) == (*process, saga, deed);
        let next = told[place + 1..].iter().find(is_same);
        let is_pending = next.is_none_or(|next| next.1.op_type == OpType::Invoke);
        let before = told[..place].iter().rfind(is_same).filter(|before| before.1.op_type == OpType::Invoke);
        if op.op_type == OpType::Invoke && !is_pending {
            continue;
        }
        let outcome = if op.op_type == OpType::Invoke { OpType::Info } else { op.op_type };
        let since = match before.filter(|_| op.op_type != OpType::Invoke) {
            Some(before) => before.1.line,
            None if op.op_type == OpType::Info => 0,
            None => op.line,
        };
        let until = if outcome == OpType::Info { u64::MAX } else { op.line };
        let touched = op.x.reads.iter().chain(&op.x.restores);
        let touched = touched.map(|(record, writer)| (record.clone(), writer.clone())).collect();
        acts.push(Act { saga: saga.clone(), deed: *deed, outcome, since, until, touched });
    }
    acts
}

/// Whether the history says that nothing of a saga was under way at its end.
pub(super) fn is_at_rest(history: &History, saga: &SagaId) -> bool {
    let last = history.ops.iter().rposition(|op| deed(op).is_some_and(|(of, _)| of == *saga));
    let is_quiet = |op: &Op| op.call == Call::Quiescent && matches!(op.op_type, OpType::Ok | OpType::Info);
    history.header.complete == Some(true) || history.ops.iter().rposition(is_quiet) > last
}

/// What a history is to be accused of.
pub(super) fn accusations(history: &History) -> BTreeSet<Accusation> {
    let all = acts(history);
    let has_starts = all.iter().any(|act| act.deed == Deed::Start);
    let mut found = isolation(&all);
    for name in SAGAS {
        let saga = SagaId::from(name);
        let of: Vec<&Act> = all.iter().filter(|act| act.saga == saga).collect();
        let naive = Naive {
            is_at_rest: is_at_rest(history, &saga),
            is_declared: name == SAGAS[0] && of.iter().any(|act| act.deed == Deed::Start && act.may_be()),
            has_starts,
            of,
        };
        found.extend(naive.of_saga().into_iter().map(|anomaly| (anomaly, saga.clone(), None)));
        for (step, step_name) in STEPS.iter().enumerate() {
            let of_step = naive.of_step(step).into_iter();
            found.extend(of_step.map(|anomaly| (anomaly, saga.clone(), Some((*step_name).into()))));
        }
    }
    found
}

/// Every read of what went back afterwards, and every restoration over what stays.
fn isolation(all: &[Act]) -> BTreeSet<Accusation> {
    let mut found = BTreeSet::new();
    let has_ended = |saga: &SagaId, outcome| {
        all.iter().any(|act| act.saga == *saga && act.deed == Deed::End(outcome) && act.is_done())
    };
    for act in all.iter().filter(|act| act.is_done()) {
        for (record, writer) in &act.touched {
            let Some(writer) = writer.as_ref().filter(|writer| **writer != act.saga) else { continue };
            let (anomaly, step, is_so) = match act.deed {
                Deed::Step(step) => {
                    let undoes = |other: &&Act| {
                        other.saga == *writer
                            && other.is_done()
                            && match other.deed {
                                Deed::Compensate(_) => other.touched.contains_key(record),
                                deed => deed == Deed::End(SagaOutcome::Aborted),
                            }
                    };
                    // An abort that comes after another is no news.
                    let aborted = all.iter().filter(undoes).collect::<Vec<_>>();
                    let is_over = aborted.iter().any(|undoing| undoing.precedes(act));
                    (Anomaly::DirtyRead, step, !aborted.is_empty() && !is_over)
                }
                Deed::Compensate(step) => {
                    let is_committed = has_ended(writer, SagaOutcome::Committed);
                    let is_so = is_committed && !has_ended(writer, SagaOutcome::Aborted);
                    (Anomaly::LostUpdate, step, is_so)
                }
                _ => continue,
            };
            if is_so {
                found.insert((anomaly, act.saga.clone(), Some(STEPS[step].into())));
            }
        }
    }
    found
}

struct Naive<'a> {
    of: Vec<&'a Act>,
    is_at_rest: bool,
    is_declared: bool,
    has_starts: bool,
}

impl<'a> Naive<'a> {
    fn acts(&self, deed: Deed) -> Vec<&'a Act> {
        self.of.iter().copied().filter(|act| act.deed == deed).collect()
    }

    fn done(&self, deed: Deed) -> Vec<&'a Act> {
        self.acts(deed).into_iter().filter(|act| act.is_done()).collect()
    }

    fn may(&self, deed: Deed) -> Vec<&'a Act> {
        self.acts(deed).into_iter().filter(|act| act.may_be()).collect()
    }

    /// The end of this kind that was known first.
    fn end(&self, outcome: SagaOutcome) -> Option<&'a Act> {
        self.done(Deed::End(outcome)).into_iter().min_by_key(|act| act.until)
    }

    fn of_saga(&self) -> Vec<Anomaly> {
        let mut found = Vec::new();
        let (commit, abort) = (SagaOutcome::Committed, SagaOutcome::Aborted);
        let did = self
            .of
            .iter()
            .any(|act| act.is_done() && matches!(act.deed, Deed::Step(_) | Deed::Compensate(_)));
        let ended = self.of.iter().any(|act| act.is_done() && matches!(act.deed, Deed::End(_)));
        let may_have_ended =
            !self.may(Deed::End(commit)).is_empty() || !self.may(Deed::End(abort)).is_empty();
        let began = !self.done(Deed::Start).is_empty() || did && !self.may(Deed::Start).is_empty();
        if self.is_at_rest && began && !may_have_ended {
            found.push(Anomaly::StuckSaga);
        }
        if self.end(commit).is_some() && self.end(abort).is_some() {
            found.push(Anomaly::CommitAndAbort);
        }
        if self.has_starts && self.may(Deed::Start).is_empty() && (did || ended) {
            found.push(Anomaly::OrphanReply);
        }
        found
    }

    fn of_step(&self, step: usize) -> Vec<Anomaly> {
        let (steps, done) = (self.acts(Deed::Step(step)), self.done(Deed::Step(step)));
        let (compensations, undone) = (self.may(Deed::Compensate(step)), self.done(Deed::Compensate(step)));
        let abort = self.end(SagaOutcome::Aborted);
        let is_late = |done: &&Act| {
            undone.iter().any(|undone| undone.precedes(done))
                || abort.is_some_and(|abort| abort.precedes(done))
        };
        let is_groundless =
            |undone: &&Act| steps.iter().all(|act| act.outcome == OpType::Fail && act.until < undone.since);
        let is_past = |undone: &&Act| self.done(Deed::Step(PIVOT)).iter().any(|pivot| pivot.precedes(undone));
        let is_undeclared = self.is_declared && step >= DECLARED && !(done.is_empty() && undone.is_empty());
        let found = [
            (Anomaly::DoubleStep, done.len() > 1),
            (Anomaly::DoubleCompensation, undone.len() > 1),
            (Anomaly::StepAfterAbort, done.iter().any(is_late)),
            (Anomaly::CompensationWithoutStep, undone.iter().any(is_groundless)),
            (Anomaly::CompensatedAfterPivot, self.is_declared && undone.iter().any(is_past)),
            (Anomaly::OrphanReply, is_undeclared),
            (Anomaly::UncompensatedStep, self.is_uncompensated(&done, &compensations)),
            (Anomaly::TornSaga, self.is_torn(step)),
            (Anomaly::CompensationOrder, (0..STEPS.len()).any(|first| self.is_misordered(first, step))),
        ];
        found.into_iter().filter(|(_, is_so)| *is_so).map(|(anomaly, _)| anomaly).collect()
    }

    fn is_uncompensated(&self, done: &[&Act], compensations: &[&Act]) -> bool {
        let abort = self.end(SagaOutcome::Aborted);
        let is_left_at = |abort: &Act| {
            done.iter().any(|done| done.precedes(abort))
                && compensations.iter().all(|compensation| abort.precedes(compensation))
        };
        let has_turned = self
            .of
            .iter()
            .any(|act| matches!(act.deed, Deed::Compensate(_) | Deed::End(SagaOutcome::Aborted)));
        let may_commit = !self.may(Deed::End(SagaOutcome::Committed)).is_empty();
        let is_back = abort.is_some() || has_turned && !may_commit;
        let is_left = self.is_at_rest && is_back && !done.is_empty() && compensations.is_empty();
        abort.is_some_and(is_left_at) || is_left
    }

    fn is_torn(&self, step: usize) -> bool {
        let Some(commit) = self.end(SagaOutcome::Committed) else { return false };
        let steps = self.may(Deed::Step(step));
        let is_missing = self.is_declared && step < DECLARED && steps.iter().all(|act| commit.precedes(act));
        let undone = self.done(Deed::Compensate(step));
        let is_undone = undone.iter().any(|undone| steps.iter().all(|act| act.precedes(undone)));
        is_missing || is_undone && !self.done(Deed::Step(step)).is_empty()
    }

    fn is_misordered(&self, first: usize, second: usize) -> bool {
        let sole = |deed| match self.may(deed)[..] {
            [act] if act.is_done() => Some(act),
            _ => None,
        };
        let both = |of: fn(usize) -> Deed| sole(of(first)).zip(sole(of(second)));
        let is_ordered = |of| both(of).is_some_and(|(first, second)| first.precedes(second));
        is_ordered(Deed::Step) && is_ordered(Deed::Compensate)
    }
}
