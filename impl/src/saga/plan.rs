//! What a saga is made of: steps in stages, and which of them can be undone.

use std::collections::BTreeSet;

use lawspeaker_history::StepName;

/// A step by its place among all steps of its saga, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StepNumber(pub u32);

impl StepNumber {
    pub(crate) fn place(self) -> usize {
        self.0 as usize
    }
}

/// What can become of a step (Mehrotra, Rastogi, Korth and Silberschatz, *A Transaction Model for Multidatabase
/// Systems*, ICDCS 1992).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StepKind {
    /// It may be refused, and it can be undone.
    Compensatable,
    /// It may be refused, and once it is done there is no way back. It is asked for until its outcome is known.
    Pivot,
    /// It is never refused for good, and is asked for until it is done. Nothing that comes after it can be undone.
    Retriable,
}

/// A step of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PlannedStep {
    /// Its name, unique in the saga.
    pub name: StepName,
    /// What can become of it.
    pub kind: StepKind,
    /// In which stage it runs, from 0: the steps of a stage run at once, and a stage begins when the one before it is
    /// done.
    pub stage: u32,
}

/// The steps of a saga, in order of their stages.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Plan {
    // INVARIANT: not empty; stages count from 0 without gaps; compensatable stages, then at most one pivot, alone in
    // its stage, then retriable stages.
    steps: Vec<PlannedStep>,
}

/// Why stages are no plan of a saga.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// There is nothing to do.
    #[error("stage {stage} has no step: give it one, or leave it out")]
    EmptyStage {
        /// Its number, from 0; 0 also where there is no stage at all.
        stage: usize,
    },
    /// Two steps have one name.
    #[error("two steps are called `{0}`: give each a name of its own")]
    DuplicateName(StepName),
    /// A step stands where it would leave the saga half done.
    #[error(
        "step `{0}` cannot stand here: steps that can be undone come first, then at most one pivot, alone in \
             its stage, then steps that are retried until they are done"
    )]
    OutOfOrder(StepName),
}

impl Plan {
    /// The plan of these stages.
    ///
    /// # Errors
    /// [`PlanError`], the first that applies.
    pub fn new(stages: Vec<Vec<(StepName, StepKind)>>) -> Result<Self, PlanError> {
        let mut steps: Vec<PlannedStep> = Vec::new();
        let mut names = BTreeSet::new();
        if stages.is_empty() {
            return Err(PlanError::EmptyStage { stage: 0 });
        }
        for (stage, of_stage) in stages.into_iter().enumerate() {
            if of_stage.is_empty() {
                return Err(PlanError::EmptyStage { stage });
            }
            let before = steps.last().map(|step| step.kind);
            let (first, is_alone) = (of_stage[0].1, of_stage.len() == 1);
            for (name, kind) in of_stage {
                let follows = match kind {
                    StepKind::Compensatable => matches!(before, None | Some(StepKind::Compensatable)),
                    StepKind::Pivot => matches!(before, None | Some(StepKind::Compensatable)) && is_alone,
                    StepKind::Retriable => true,
                };
                if !follows || kind != first {
                    return Err(PlanError::OutOfOrder(name));
                }
                if !names.insert(name.clone()) {
                    return Err(PlanError::DuplicateName(name));
                }
                let stage = u32::try_from(stage).unwrap_or(u32::MAX);
                steps.push(PlannedStep { name, kind, stage });
            }
        }
        Ok(Plan { steps })
    }

    /// The steps, in order.
    pub fn steps(&self) -> &[PlannedStep] {
        &self.steps
    }

    /// The numbers of the steps, in order.
    pub fn numbers(&self) -> impl DoubleEndedIterator<Item = StepNumber> + use<> {
        (0..u32::try_from(self.steps.len()).unwrap_or(u32::MAX)).map(StepNumber)
    }

    /// The step of this number.
    pub fn step(&self, number: StepNumber) -> Option<&PlannedStep> {
        self.steps.get(number.place())
    }

    /// The step of this name.
    pub fn number(&self, name: &str) -> Option<StepNumber> {
        self.numbers().find(|number| self.steps[number.place()].name.as_str() == name)
    }

    /// The pivot, if there is one.
    pub fn pivot(&self) -> Option<&PlannedStep> {
        self.steps.iter().find(|step| step.kind == StepKind::Pivot)
    }

    /// Whether other steps run beside this one.
    pub fn is_parallel(&self, number: StepNumber) -> bool {
        let of_stage = |step: &&PlannedStep| Some(step.stage) == self.step(number).map(|own| own.stage);
        self.steps.iter().filter(of_stage).count() > 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stages between bars; `!` after a name makes it a pivot, `*` a retriable step.
    fn plan(stages: &str) -> Result<Plan, String> {
        let step = |word: &str| match (word.strip_suffix('!'), word.strip_suffix('*')) {
            (Some(name), _) => (name.into(), StepKind::Pivot),
            (_, Some(name)) => (name.into(), StepKind::Retriable),
            _ => (word.into(), StepKind::Compensatable),
        };
        let stages = stages.split('|').map(|stage| stage.split_whitespace().map(step).collect()).collect();
        Plan::new(stages).map_err(|error| error.to_string())
    }

    #[test]
    fn only_what_can_end_whole_is_a_plan() {
        for good in ["a | b", "a b | p! | r* s*", "p!", "r*", "a | r* | s*"] {
            assert!(plan(good).is_ok(), "{good}");
        }
        let check = |stages, expected: &str| {
            let error = plan(stages).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        };
        check("", "stage 0 has no step");
        check("a | ", "stage 1 has no step");
        check("a | a", "two steps are called `a`");
        check("a p!", "step `p` cannot stand here");
        check("p! | a", "step `a` cannot stand here");
        check("p! | q!", "step `q` cannot stand here");
        check("r* | p!", "step `p` cannot stand here");
        check("a r*", "step `r` cannot stand here");
    }

    #[test]
    fn steps_beside_one_another_are_parallel() {
        let plan = plan("a b | p!").unwrap();
        let is_parallel: Vec<_> = plan.numbers().map(|number| plan.is_parallel(number)).collect();
        assert_eq!(is_parallel, [true, true, false]);
        assert_eq!(plan.number("p"), Some(StepNumber(2)));
    }
}
