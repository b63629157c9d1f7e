//! Which step of a counterexample the removed guard would have prevented.

use super::{System, Telling, Trace};

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
pub fn blame<S: System>(guarded: &S, trace: &Trace<S>) -> Option<Blame> {
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
    let mut actions = Vec::new();
    guarded.actions(last, &mut actions);
    let goes_on = actions.into_iter().filter(|action| !guarded.is_fault(action)).find_map(|action| {
        let next = guarded.next_state(last, action.clone()).filter(|next| next != last)?;
        Some(guarded.tell(last, &action, &next))
    });
    goes_on.map(|instead| Blame { step: trace.steps.len(), instead: Some(instead) })
}
