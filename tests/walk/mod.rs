//! Random walks of the models, for tests that tell them as histories or let them drive the bus.

use lawspeaker_model::catalogue::DomainModel;
use lawspeaker_model::engine::{Step, Trace};

/// A walk that takes the actions chosen, and then lets the system finish: no fault after the last choice.
///
/// # Panics
/// If it does not end.
pub(crate) fn walk<M: DomainModel>(model: &M, choices: &[u16]) -> Trace<M> {
    const STEPS: usize = 400;
    let mut trace = Trace { start: model.init_states().swap_remove(0), steps: Vec::new() };
    for place in 0..STEPS {
        let choice = choices.get(place).map(|choice| usize::from(*choice));
        let mut actions = Vec::new();
        model.actions(trace.last(), &mut actions);
        if choice.is_none() {
            actions.retain(|action| !model.is_fault(action));
        }
        if actions.is_empty() {
            return trace;
        }
        // Without a choice, any action may be next, so that nothing is put off for ever.
        let any = place.wrapping_mul(0x9e37_79b9) >> 7;
        let action = actions.swap_remove(choice.unwrap_or(any) % actions.len());
        if let Some(state) = model.next_state(trace.last(), action.clone()) {
            trace.steps.push(Step { action, state });
        }
    }
    panic!("the walk does not end: {:?}", trace.last());
}
