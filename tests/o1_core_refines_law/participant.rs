//! The core of a participant and its specification, in lock-step.

use lawspeaker_bus::saga::{ParticipantCore, StepEntry, Verdict, Way};
use lawspeaker_spec::saga::{Answer, Deed};
use stateright::{Model, Property};

use crate::kernels::linearization::Law;
use crate::kernels::saga_law::{StepCall, StepLaw, key};

/// Every state there is: one step that may give either of two effects, be refused, compensated and buried.
pub(crate) const STATE_COUNT: usize = 7;

/// The search.
#[derive(Clone, Debug)]
pub(crate) struct LockStep;

/// The core and the specification.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    core: ParticipantCore,
    law: StepLaw,
    /// How often an effect happened, and how often it was undone.
    act_counts: [u8; 2],
    is_answer_equal: bool,
}

impl Model for LockStep {
    type State = State;
    type Action = StepCall;

    fn init_states(&self) -> Vec<State> {
        let (core, law) = (ParticipantCore::new(), StepLaw::default());
        vec![State { core, law, act_counts: [0, 0], is_answer_equal: true }]
    }

    fn actions(&self, _state: &State, actions: &mut Vec<StepCall>) {
        actions.extend([
            StepCall::Perform(Some(7)),
            StepCall::Perform(Some(8)),
            StepCall::Perform(None),
            StepCall::Compensate,
        ]);
    }

    fn next_state(&self, state: &State, call: StepCall) -> Option<State> {
        let mut next = state.clone();
        next.is_answer_equal = next.answer(call) == next.law.answer(&call);
        Some(next)
    }

    fn within_boundary(&self, state: &State) -> bool {
        state.act_counts.iter().all(|count| *count <= 2)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("answers are equal", |_, state: &State| state.is_answer_equal),
            Property::always("abstract states are equal", |_, state: &State| state.is_equal()),
            Property::always("nothing is done twice", |_, state: &State| {
                state.act_counts.iter().all(|count| *count <= 1)
            }),
            Property::sometimes("a step is done and compensated", |_, state: &State| {
                state.act_counts == [1, 1]
            }),
            Property::sometimes("a compensation comes first", |_, state: &State| {
                state.core.entry(&key()) == Some(&StepEntry::Tombstone)
            }),
            Property::sometimes("a step is refused", |_, state: &State| {
                matches!(state.core.entry(&key()), Some(StepEntry::Refused(_)))
            }),
        ]
    }
}

impl State {
    /// What the shell does about a call, by the core's verdict.
    fn answer(&mut self, call: StepCall) -> Answer {
        let (way, effect) = match call {
            StepCall::Perform(effect) => (Way::Forward, effect),
            StepCall::Compensate => (Way::Backward, None),
        };
        match (self.core.verdict(&key(), way), way) {
            (Verdict::Done(output), _) => Answer::Done(output[0].into()),
            (Verdict::Refused(_), _) => Answer::Refused,
            (Verdict::Undone, _) => Answer::Undone,
            (Verdict::Bury, _) => {
                self.core.note(key(), StepEntry::Tombstone);
                Answer::Undone
            }
            (Verdict::Act, Way::Forward) => {
                let entry =
                    effect.map_or(StepEntry::Refused("no".into()), |effect| StepEntry::Done([effect].into()));
                self.core.note(key(), entry);
                self.act_counts[0] += u8::from(effect.is_some());
                effect.map_or(Answer::Refused, |effect| Answer::Done(effect.into()))
            }
            (Verdict::Act, Way::Backward) => {
                if let Some(StepEntry::Done(output) | StepEntry::Compensated(output)) =
                    self.core.entry(&key())
                {
                    let output = output.clone();
                    self.core.note(key(), StepEntry::Compensated(output));
                    self.act_counts[1] += 1;
                }
                Answer::Undone
            }
        }
    }

    fn is_equal(&self) -> bool {
        match (self.core.entry(&key()), self.law.0.deeds()) {
            (None, []) | (Some(StepEntry::Refused(_)), [Deed::Refused]) => true,
            (Some(StepEntry::Tombstone), [Deed::Buried]) => true,
            (Some(StepEntry::Done(output)), [Deed::Did(effect)])
            | (Some(StepEntry::Compensated(output)), [Deed::Did(effect), Deed::Undid]) => {
                u64::from(output[0]) == *effect
            }
            _ => false,
        }
    }
}
