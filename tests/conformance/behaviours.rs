//! Every behaviour of a model, to a depth.

use lawspeaker_model::catalogue::DomainModel;
use lawspeaker_model::engine::{Step, Trace};
use lawspeaker_model::report::LONG_ENOUGH;

/// How far behaviours are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Depth {
    /// Steps from the start.
    pub(crate) steps: usize,
    /// How many behaviours there are of so many steps, or of fewer that rest.
    pub(crate) count: usize,
    /// Whether all of them are shorter: there are no others.
    pub(crate) is_all: bool,
}

impl Depth {
    /// The greatest depth at which there are no more than `most`.
    pub(crate) fn within<M: DomainModel>(model: &M, most: usize) -> Self {
        let mut depth = Depth { steps: 0, count: 0, is_all: false };
        while depth.steps < LONG_ENOUGH && !depth.is_all {
            let Some(next) = Self::at(model, depth.steps + 1, most) else { break };
            depth = next;
        }
        depth
    }

    fn at<M: DomainModel>(model: &M, steps: usize, most: usize) -> Option<Self> {
        let mut depth = Depth { steps, count: 0, is_all: true };
        let is_within = each(model, steps, &mut |trace| {
            depth.count += 1;
            depth.is_all &= trace.steps.len() < steps;
            depth.count <= most
        });
        is_within.then_some(depth)
    }
}

/// Shows every behaviour of `steps` steps, and each shorter one that rests, where nothing but faults can go on, while
/// `visit` wants more of them. Whether it wanted all of them.
pub(crate) fn each<M: DomainModel>(
    model: &M,
    steps: usize,
    visit: &mut dyn FnMut(&Trace<M>) -> bool,
) -> bool {
    let mut starts = model.init_states().into_iter();
    starts.all(|start| go_on(model, steps, &mut Trace { start, steps: Vec::new() }, visit))
}

fn go_on<M: DomainModel>(
    model: &M,
    steps: usize,
    trace: &mut Trace<M>,
    visit: &mut dyn FnMut(&Trace<M>) -> bool,
) -> bool {
    if trace.steps.len() == steps {
        return visit(trace);
    }
    let mut actions = Vec::new();
    model.actions(trace.last(), &mut actions);
    let mut rests = true;
    for action in actions {
        let next = model.next_state(trace.last(), action.clone());
        let Some(state) = next.filter(|state| state != trace.last()) else { continue };
        rests &= model.is_fault(&action);
        trace.steps.push(Step { action, state });
        let wants_more = go_on(model, steps, trace, visit);
        trace.steps.pop();
        if !wants_more {
            return false;
        }
    }
    !rests || visit(trace)
}
