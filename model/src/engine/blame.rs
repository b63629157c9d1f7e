//! Which step of a counterexample the removed guard would have prevented.

use super::{Telling, Trace, Words, way_on};

/// Where a system with the guard parts from a trace of the system without.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blame {
    /// The place of the first step that the guard forbids or changes; the number of steps, if the trace stops
    /// where the guard would have gone on.
    pub step: usize,
    /// What happens there with the guard in place; `None` if it forbids the step and does nothing instead.
    pub instead: Option<Telling>,
}

/// Compares `trace`, of a system without some guards, with `guarded`, the same system with them.
///
/// `None` if the guard never acts on this trace. O(steps times actions of a state).
pub fn blame<S: Words>(guarded: &S, trace: &Trace<S>) -> Option<Blame> {
    for (place, (before, action, after)) in trace.transitions().enumerate() {
        let mut allowed = Vec::new();
        guarded.actions(before, &mut allowed);
        let next = allowed.contains(action).then(|| guarded.next_state(before, action.clone())).flatten();
        match next {
            Some(next) if next == *after => {}
            Some(next) => {
                return Some(Blame { step: place, instead: Some(guarded.tell(before, action, &next)) });
            }
            None => return Some(Blame { step: place, instead: None }),
        }
    }
    let last = trace.last();
    let (action, next) = way_on(guarded, last)?;
    Some(Blame { step: trace.steps.len(), instead: Some(guarded.tell(last, &action, &next)) })
}
