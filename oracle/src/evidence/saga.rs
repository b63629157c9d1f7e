//! What a history says of sagas: who did, undid, began and ended what, and between which lines.
//!
//! Every saga is kept to the end of the history, ended or not: a late command or a second end may be its last line.
//! Cost: O(1) an op; O(ops of sagas) memory.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use lawspeaker_history::{Call, Op, OpType, SagaOutcome, SagaStart};

use super::{Key, Names, ProcessKey, SagaKey, StepKey};

/// One attempt at something, and what is known of it.
#[derive(Clone, Debug)]
pub(crate) struct Act {
    pub process: ProcessKey,
    pub saga: SagaKey,
    pub deed: Deed,
    /// The line that says most about it.
    pub line: u64,
    /// The first line on which it may have happened.
    pub since: u64,
    /// The last one.
    pub until: u64,
    /// Whether its invocation was recorded.
    pub is_invoked: bool,
    /// What never completed is `Info`.
    pub outcome: OpType,
    /// The records whose values it was given or took away, and the sagas that had written them.
    pub touched: Vec<(Arc<str>, SagaKey)>,
}

/// What was attempted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Deed {
    Start,
    Step(StepKey),
    Compensate(StepKey),
    End(SagaOutcome),
}

impl Act {
    /// Whether it surely happened.
    pub(crate) fn is_done(&self) -> bool {
        self.outcome == OpType::Ok
    }

    pub(crate) fn may_be_done(&self) -> bool {
        self.outcome != OpType::Fail
    }

    /// Whether it was over before `later` began.
    pub(crate) fn precedes(&self, later: &Act) -> bool {
        self.until < later.since
    }

    /// Whether only the order of lines says that it came after a call of `earlier`.
    pub(crate) fn is_later_by_line(&self, earlier: &Act) -> bool {
        !self.is_invoked && self.process != earlier.process
    }
}

/// What happened to one step of a saga, each in the order of lines.
#[derive(Clone, Debug, Default)]
pub(crate) struct StepRecord {
    pub steps: Vec<Act>,
    pub compensations: Vec<Act>,
}

impl StepRecord {
    /// The times that the step surely happened.
    pub(crate) fn done(&self) -> impl Iterator<Item = &Act> {
        self.steps.iter().filter(|act| act.is_done())
    }

    /// The times that it was surely compensated.
    pub(crate) fn undone(&self) -> impl Iterator<Item = &Act> {
        self.compensations.iter().filter(|act| act.is_done())
    }
}

/// One run of a saga.
#[derive(Clone, Debug)]
pub(crate) struct Saga {
    pub key: SagaKey,
    /// What its start declares.
    pub declared: Option<Vec<StepKey>>,
    pub pivot: Option<StepKey>,
    pub starts: Vec<Act>,
    pub ends: Vec<Act>,
    pub steps: BTreeMap<StepKey, StepRecord>,
    /// The last line that says anything of it.
    pub last_line: u64,
}

impl Saga {
    fn new(key: SagaKey) -> Self {
        Saga {
            key,
            declared: None,
            pivot: None,
            starts: Vec::new(),
            ends: Vec::new(),
            steps: BTreeMap::new(),
            last_line: 0,
        }
    }

    /// The first end of this kind that surely happened.
    pub(crate) fn ended(&self, outcome: SagaOutcome) -> Option<&Act> {
        self.ends.iter().find(|end| end.deed == Deed::End(outcome) && end.is_done())
    }

    /// Whether it may have ended so.
    pub(crate) fn may_have_ended(&self, outcome: SagaOutcome) -> bool {
        self.ends.iter().any(|end| end.deed == Deed::End(outcome) && end.may_be_done())
    }

    /// Every step and compensation that surely happened.
    pub(crate) fn done(&self) -> impl Iterator<Item = &Act> {
        self.steps.values().flat_map(|record| record.done().chain(record.undone()))
    }

    /// What shows that it began: its start, or else, if the start is of unknown outcome, the first thing it did.
    pub(crate) fn beginning(&self) -> Option<&Act> {
        let start = self.starts.iter().find(|start| start.is_done());
        let is_possible = self.starts.iter().any(Act::may_be_done);
        start.or_else(|| self.done().min_by_key(|act| act.line).filter(|_| is_possible))
    }

    /// What shows that it was decided to go back, if it did not surely end so: an attempt to end it or to compensate
    /// something, whatever became of the attempt.
    pub(crate) fn turning(&self) -> Option<&Act> {
        let ends = self.ends.iter().filter(|end| end.deed == Deed::End(SagaOutcome::Aborted));
        let compensations = self.steps.values().flat_map(|record| &record.compensations);
        ends.chain(compensations).min_by_key(|act| act.line)
    }
}

/// All sagas, in the order of first sight.
#[derive(Debug, Default)]
pub(crate) struct Sagas {
    pub all: Vec<Saga>,
}

impl Sagas {
    /// Whether starts are recorded at all.
    pub(crate) fn has_starts(&self) -> bool {
        self.all.iter().any(|saga| !saga.starts.is_empty())
    }
}

/// Takes ops one by one.
#[derive(Debug, Default)]
pub(crate) struct SagaCollector {
    acts: Vec<Act>,
    /// Invocations that wait for their completion, by their places in `acts`.
    open: HashMap<(ProcessKey, SagaKey, Deed), usize>,
    /// What the starts declare, by their places in `acts`.
    declarations: BTreeMap<usize, SagaStart>,
}

impl SagaCollector {
    /// Takes one op that stands on `line`. O(size of the op).
    pub(crate) fn observe(&mut self, op: &Op, process: ProcessKey, line: u64, names: &mut Names) {
        let (saga, deed) = match &op.call {
            Call::SagaStart(start) => (&start.saga, Deed::Start),
            Call::SagaStep(step) => (&step.saga, Deed::Step(names.steps.key(&step.step))),
            Call::SagaCompensate(step) => (&step.saga, Deed::Compensate(names.steps.key(&step.step))),
            Call::SagaEnd(end) => (&end.saga, Deed::End(end.outcome)),
            _ => return,
        };
        let saga = names.sagas.key(saga);
        let place = self.place(op.op_type, process, saga, deed, line);
        let touched = if matches!(deed, Deed::Compensate(_)) { &op.x.restores } else { &op.x.reads };
        let written = touched.iter().filter_map(|(record, writer)| Some((record, writer.as_ref()?)));
        let touched = written.map(|(record, writer)| (record.as_str().into(), names.sagas.key(writer)));
        self.acts[place].touched = touched.collect();
        if let Call::SagaStart(start) = &op.call {
            self.declarations.insert(place, start.clone());
        }
    }

    /// Where the act of an op stands: a new one, unless the op completes one.
    fn place(&mut self, op_type: OpType, process: ProcessKey, saga: SagaKey, deed: Deed, line: u64) -> usize {
        let is_known = matches!(op_type, OpType::Ok | OpType::Fail);
        let until = if is_known { line } else { u64::MAX };
        if op_type == OpType::Invoke {
            self.open.insert((process, saga, deed), self.acts.len());
        } else if let Some(place) = self.open.remove(&(process, saga, deed)) {
            let act = &mut self.acts[place];
            (act.outcome, act.line, act.until) = (op_type, line, until);
            return place;
        }
        // What was not invoked happened on its line, and what nobody knows may have happened before it.
        let since = if op_type == OpType::Info { 0 } else { line };
        let is_invoked = op_type == OpType::Invoke;
        let outcome = if is_invoked { OpType::Info } else { op_type };
        self.acts.push(Act {
            process,
            saga,
            deed,
            line,
            since,
            until,
            is_invoked,
            outcome,
            touched: Vec::new(),
        });
        self.acts.len() - 1
    }

    /// Sorts what was taken by saga. O(n log n).
    pub(crate) fn seal(self, names: &mut Names) -> Sagas {
        let SagaCollector { acts, mut declarations, .. } = self;
        let mut all: Vec<Saga> = names.sagas.keys().map(Saga::new).collect();
        for (place, act) in acts.into_iter().enumerate() {
            let saga = &mut all[act.saga.place()];
            saga.last_line = saga.last_line.max(act.line);
            match act.deed {
                Deed::Start => {
                    let declaration = declarations.remove(&place).filter(|_| act.may_be_done());
                    if let Some(declaration) = declaration {
                        declare(saga, declaration, names);
                    }
                    saga.starts.push(act);
                }
                Deed::Step(step) => saga.steps.entry(step).or_default().steps.push(act),
                Deed::Compensate(step) => saga.steps.entry(step).or_default().compensations.push(act),
                Deed::End(_) => saga.ends.push(act),
            }
        }
        for saga in &mut all {
            sort(saga);
        }
        Sagas { all }
    }
}

/// The first start that declares something is believed.
fn declare(saga: &mut Saga, start: SagaStart, names: &mut Names) {
    if saga.declared.is_none() {
        saga.declared = start.steps.map(|steps| steps.iter().map(|step| names.steps.key(step)).collect());
    }
    if saga.pivot.is_none() {
        saga.pivot = start.pivot.map(|pivot| names.steps.key(&pivot));
    }
}

/// Puts acts in the order of the lines that complete them.
fn sort(saga: &mut Saga) {
    saga.starts.sort_by_key(|act| act.line);
    saga.ends.sort_by_key(|act| act.line);
    for record in saga.steps.values_mut() {
        record.steps.sort_by_key(|act| act.line);
        record.compensations.sort_by_key(|act| act.line);
    }
}
