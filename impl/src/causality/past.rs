//! The causal past of a service: what it has delivered and sent, and so what its next event depends on.

use std::collections::BTreeMap;

use lawspeaker_history::EventId;

use super::{CausalContext, Dot, VectorClock};
use crate::mutant::{Mutant, is_seeded};

/// How causes are written down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Representation {
    /// The latest causes in each partition, by name. The default: short, and a history can tell them.
    #[default]
    NearestDependencies,
    /// Every cause by name. Grows with every event: for comparison only.
    AllDependencies,
    /// A vector clock.
    VectorClock,
}

/// What a service has delivered and sent.
///
/// A cause may be left out of the nearest ones only if another one *of the same partition* depends on it: whoever
/// reads the partition is held back by that one. Behind an event of another partition it must stay, because a reader
/// that does not read that partition would not wait for it (the model's guard `full_deps`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CausalPast {
    representation: Representation,
    context: CausalContext,
}

impl CausalPast {
    /// The past of a service that has just begun.
    pub fn new(representation: Representation) -> Self {
        let context = match representation {
            Representation::VectorClock => CausalContext::Clock(VectorClock::new()),
            _ => CausalContext::Dependencies(BTreeMap::new()),
        };
        CausalPast { representation, context }
    }

    /// What the next event depends on.
    pub fn context(&self) -> &CausalContext {
        &self.context
    }

    /// `event` was delivered or sent: it and its causes are causes of whatever comes next. O(n log n) in the larger
    /// context.
    ///
    /// A context in the other form is taken over too: of a clock the last event of each lane, of dependencies
    /// everything in their lanes up to them.
    pub fn observe(&mut self, event: &Dot, id: &EventId, context: Option<&CausalContext>) {
        if is_seeded(Mutant::ContextForgetsPast) {
            *self = CausalPast::new(self.representation);
        }
        let context = context.filter(|_| !is_seeded(Mutant::ContextForgetsPast));
        match &mut self.context {
            CausalContext::Clock(clock) => observe_by_clock(clock, event, context),
            CausalContext::Dependencies(known) => {
                let is_nearest = self.representation == Representation::NearestDependencies;
                if let Some(context) = context {
                    let causes = dependencies(context);
                    let is_beside = |dot: &Dot| is_nearest && dot.lane.partition == event.lane.partition;
                    known.retain(|dot, _| !(is_beside(dot) && is_covered(&causes, dot)));
                    known.extend(causes.into_iter().filter(|(dot, _)| !is_beside(dot)));
                }
                known.insert(event.clone(), Some(id.clone()));
                if is_nearest {
                    keep_last_of_each_lane(known);
                }
            }
        }
    }
}

fn observe_by_clock(clock: &mut VectorClock, event: &Dot, context: Option<&CausalContext>) {
    match context {
        Some(CausalContext::Clock(causes)) => clock.merge(causes),
        Some(dependencies) => dependencies.last_dots().iter().for_each(|dot| clock.advance(dot)),
        None => {}
    }
    clock.advance(event);
}

fn dependencies(context: &CausalContext) -> BTreeMap<Dot, Option<EventId>> {
    match context {
        CausalContext::Dependencies(dependencies) => dependencies.clone(),
        CausalContext::Clock(_) => context.last_dots().into_iter().map(|dot| (dot, None)).collect(),
    }
}

/// Whether one of `causes` is `dot` or an event after it in its lane.
fn is_covered(causes: &BTreeMap<Dot, Option<EventId>>, dot: &Dot) -> bool {
    causes.range(dot..).next().is_some_and(|(cause, _)| cause.lane == dot.lane)
}

/// An event depends on those before it in its lane, because one service sent them one after the other.
fn keep_last_of_each_lane(known: &mut BTreeMap<Dot, Option<EventId>>) {
    let neighbours = known.keys().zip(known.keys().skip(1));
    let surpassed = neighbours.filter(|(dot, next)| dot.lane == next.lane).map(|(dot, _)| dot.clone());
    for dot in surpassed.collect::<Vec<_>>() {
        known.remove(&dot);
    }
}
