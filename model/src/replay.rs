//! Whether states that somebody else saw, such as those of another checker's trace, are a behaviour of a model.
//!
//! A state is known by its variables alone, as exports write them; each must be reached from the one before it by some
//! action. Cost: the successors of every state that fits, mostly one, a place.

use lawspeaker_history::Guarantee;

use crate::catalogue::{DomainModel, RequestError};
use crate::engine::{Variables, When, way_on};

/// Asked whether the state with these variables is the one that was seen at a place, counted from 0.
pub type Seen<'a> = &'a dyn Fn(usize, &Variables) -> bool;

/// A behaviour, and what stands at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// What kind of action each step was.
    pub kinds: Vec<&'static str>,
    /// The promises that the last state breaks, in the order of the laws; none that speaks of infinite behaviours.
    pub broken: Vec<Guarantee>,
    /// What the witnesses say that the last step meets.
    pub met: Vec<&'static str>,
}

/// Why states are no behaviour.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// The request names what the model does not have.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// No behaviour starts there.
    #[error("state 1 is no initial state")]
    NoStart,
    /// There is no such step.
    #[error("no step leads from state {before} to state {after}")]
    NoStep {
        /// The number of the state before it, from 1.
        before: usize,
        /// The number of the state after it.
        after: usize,
    },
}

/// One way through the model that fits so far.
#[derive(Debug)]
struct Way<M: DomainModel> {
    kinds: Vec<&'static str>,
    met: Vec<&'static str>,
    state: M::State,
}

/// Follows `count` seen states through the model.
///
/// # Errors
/// [`ReplayError`] at the first state that the model does not reach.
pub fn replay<M: DomainModel>(model: &M, count: usize, is_seen: Seen<'_>) -> Result<Replayed, ReplayError> {
    let starts = model.init_states().into_iter().filter(|state| is_seen(0, &model.variables(state)));
    let mut ways: Vec<Way<M>> =
        starts.map(|state| Way { kinds: Vec::new(), met: Vec::new(), state }).collect();
    for place in 1..count {
        if ways.is_empty() {
            break;
        }
        let mut next: Vec<Way<M>> = Vec::new();
        for way in &ways {
            for way in steps(model, way) {
                let is_new = next.iter().all(|other| other.state != way.state);
                if is_new && is_seen(place, &model.variables(&way.state)) {
                    next.push(way);
                }
            }
        }
        if next.is_empty() {
            return Err(ReplayError::NoStep { before: place, after: place + 1 });
        }
        ways = next;
    }
    let way = ways.into_iter().next().ok_or(ReplayError::NoStart)?;
    Ok(Replayed { broken: broken(model, &way.state), kinds: way.kinds, met: way.met })
}

fn steps<M: DomainModel>(model: &M, way: &Way<M>) -> Vec<Way<M>> {
    let mut actions = Vec::new();
    model.actions(&way.state, &mut actions);
    let step = |action: M::Action| {
        let state = model.next_state(&way.state, action.clone())?;
        let kinds = way.kinds.iter().copied().chain([model.kind(&action)]).collect();
        let met = model.witnesses().into_iter().filter(|w| (w.is_met)(model, &way.state, &action, &state));
        Some(Way { kinds, met: met.map(|witness| witness.says).collect(), state })
    };
    actions.into_iter().filter_map(step).collect()
}

fn broken<M: DomainModel>(model: &M, state: &M::State) -> Vec<Guarantee> {
    let is_checked = |when: &When<M>| match when {
        When::Always => true,
        When::Quiescent => way_on(model, state).is_none(),
        When::Eventually | When::LeadsTo(_) => false,
    };
    let laws = model.laws().into_iter().filter(|law| is_checked(&law.when));
    let mut broken: Vec<_> = laws.filter(|law| !(law.holds)(model, state)).map(|law| law.guarantee).collect();
    broken.dedup();
    broken
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Preset;
    use crate::engine::{Options, Signal, System, Words, explore};
    use crate::partition_log::{FSYNC_BEFORE_ACK, PartitionLog};

    #[test]
    fn a_counterexample_is_a_behaviour_and_one_with_a_state_left_out_is_none() {
        let mut model = PartitionLog::preset(Preset::Small);
        *model.guards() = model.guards().without(&FSYNC_BEFORE_ACK);
        let exploration = explore(&model, Options::default(), &mut |_| Signal::Continue);
        let laws = model.laws();
        let is_durability = |law: usize| laws[law].guarantee == Guarantee::Durability;
        let found = exploration.violations.into_iter().find(|violation| is_durability(violation.law));
        let trace = found.expect("durability falls").trace;
        let states: Vec<_> = std::iter::once(&trace.start)
            .chain(trace.steps.iter().map(|step| &step.state))
            .map(|state| model.variables(state))
            .collect();
        let followed = |states: &[Variables]| replay(&model, states.len(), &|place, v| states[place] == *v);
        let whole = followed(&states).expect("it is a behaviour");
        assert_eq!((whole.broken, whole.kinds.len()), (vec![Guarantee::Durability], states.len() - 1));
        assert_eq!(followed(&states[1..]), Err(ReplayError::NoStart));
        let gapped = [&states[..1], &states[2..]].concat();
        assert_eq!(followed(&gapped), Err(ReplayError::NoStep { before: 1, after: 2 }));
    }
}
