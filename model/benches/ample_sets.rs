//! What partial-order reduction could save at best, by brute force: `cargo bench -p lawspeaker-model --bench ample_sets`. What
//! it printed, and what follows from it, stands in `docs/measurements/2026-11-26-peers`.

#[path = "engine/two_phase_commit.rs"]
mod two_phase_commit;

use std::collections::{BTreeMap, HashSet, VecDeque};

use lawspeaker_model::bounded_queues::BoundedQueues;
use lawspeaker_model::catalogue::{DomainModel, Preset};
use lawspeaker_model::causal_delivery::CausalDelivery;
use lawspeaker_model::choreography::Choreography;
use lawspeaker_model::consumer_group::ConsumerGroup;
use lawspeaker_model::engine::{System, Words};
use lawspeaker_model::outbox::Outbox;
use lawspeaker_model::partition_log::PartitionLog;
use lawspeaker_model::saga::Saga;
use two_phase_commit::{Action, TwoPhaseCommit};

/// A step that changes something: by whom, what, and where it leads.
type Step<S> = (String, <S as stateright::Model>::Action, <S as stateright::Model>::State);

/// Who takes a step: told from the state, the action, and the state that it leads to.
type Who<'a, S> = dyn Fn(
        &S,
        &<S as stateright::Model>::State,
        &<S as stateright::Model>::Action,
        &<S as stateright::Model>::State,
    ) -> String
    + 'a;

struct Search<'a, S: System> {
    system: &'a S,
    who: &'a Who<'a, S>,
}

impl<S: System> Search<'_, S> {
    fn steps(&self, state: &S::State) -> Vec<Step<S>> {
        let mut actions = Vec::new();
        self.system.actions(state, &mut actions);
        let step = |action: S::Action| {
            let next = self.system.next_state(state, action.clone())?;
            let is_step = next != *state && self.system.within_boundary(&next);
            is_step.then(|| ((self.who)(self.system, state, &action, &next), action, next))
        };
        actions.into_iter().filter_map(step).collect()
    }

    /// Somebody whose steps here commute with each step of the others, and who can do the same after each of them.
    fn ample(&self, steps: &[Step<S>]) -> Option<String> {
        let mut by_whom: BTreeMap<&str, Vec<&Step<S>>> = BTreeMap::new();
        steps.iter().for_each(|step| by_whom.entry(&step.0).or_default().push(step));
        let is_ample = |(who, own): (&&str, &Vec<&Step<S>>)| {
            steps.iter().filter(|(other, ..)| other != *who).all(|(_, other, after_other)| {
                let later = self.steps(after_other);
                let later = later.iter().filter(|(whose, ..)| whose == *who).map(|(_, action, _)| action);
                later.eq(own.iter().map(|(_, action, _)| action))
                    && own.iter().all(|(_, action, after)| {
                        let mut possible = Vec::new();
                        self.system.actions(after, &mut possible);
                        possible.contains(other)
                            && self.system.next_state(after, other.clone())
                                == self.system.next_state(after_other, action.clone())
                    })
            })
        };
        let found = by_whom.iter().find(|who| by_whom.len() > 1 && is_ample(*who));
        found.map(|(who, _)| (*who).to_owned())
    }

    /// States, steps, states with an ample set, witnesses met.
    fn explore(&self, is_reduced: bool) -> [usize; 4] {
        let mut queue: VecDeque<S::State> = self.system.init_states().into();
        let mut seen: HashSet<S::State> = queue.iter().cloned().collect();
        let witnesses = self.system.witnesses();
        let mut is_met = vec![false; witnesses.len()];
        let (mut step_count, mut ample_count) = (0, 0);
        while let Some(state) = queue.pop_front() {
            let steps = self.steps(&state);
            let ample = self.ample(&steps);
            ample_count += usize::from(ample.is_some());
            for (who, action, next) in steps {
                if is_reduced && ample.as_ref().is_some_and(|ample| *ample != who) {
                    continue;
                }
                step_count += 1;
                for (is_met, witness) in is_met.iter_mut().zip(&witnesses) {
                    *is_met |= (witness.is_met)(self.system, &state, &action, &next);
                }
                if seen.insert(next.clone()) {
                    queue.push_back(next);
                }
            }
        }
        [seen.len(), step_count, ample_count, is_met.iter().filter(|is_met| **is_met).count()]
    }
}

#[expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
fn row<S: System>(name: &str, system: &S, who: &Who<'_, S>) {
    let search = Search { system, who };
    let [states, steps, ample, met] = search.explore(false);
    let [fewer_states, fewer_steps, _, still_met] = search.explore(true);
    let share = 100 * ample / states;
    let times = states as f64 / fewer_states as f64;
    println!(
        "{name:17} {states:>7} {steps:>8} {share:>5}% {fewer_states:>7} {fewer_steps:>8} {times:>6.1} {met:>4} {still_met:>4}"
    );
}

fn of_catalogue<S: DomainModel + Words>() {
    let who = |system: &S, before: &S::State, action: &S::Action, after: &S::State| {
        system.tell(before, action, after).who
    };
    row(S::NAME, &S::preset(Preset::Small), &who);
}

#[expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
fn main() {
    println!("model              states    steps  ample  states    steps  times witnesses");
    row("two-phase-commit", &TwoPhaseCommit { participants: 5 }, &|_, _, action, _| match action {
        Action::Commit | Action::Abort | Action::Hear(_) => "coordinator".into(),
        Action::Prepare(number)
        | Action::Refuse(number)
        | Action::LearnCommit(number)
        | Action::LearnAbort(number) => format!("participant {number}"),
    });
    of_catalogue::<BoundedQueues>();
    of_catalogue::<PartitionLog>();
    of_catalogue::<ConsumerGroup>();
    of_catalogue::<CausalDelivery>();
    of_catalogue::<Saga>();
    of_catalogue::<Choreography>();
    of_catalogue::<Outbox>();
}
