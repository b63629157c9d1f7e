//! What every export says of where it comes from.

use lawspeaker_history::History;

use super::Chosen;
use crate::catalogue::{Bound, DomainModel, Request, bounds_of};
use crate::report::{told, with_source};

/// Which model, within which bounds, without which guards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) model: &'static str,
    pub(super) preset: &'static str,
    pub(super) bounds: Vec<Bound>,
    pub(super) without: Vec<String>,
}

impl Head {
    pub(super) fn of<M: DomainModel>(model: &M, request: &Request) -> Self {
        Head {
            model: M::NAME,
            preset: request.preset.name(),
            bounds: bounds_of(&mut model.clone()),
            without: request.without.clone(),
        }
    }

    /// `partition-log without fsync-before-ack`.
    pub(super) fn title(&self) -> String {
        let without: String = self.without.iter().map(|guard| format!(" without {guard}")).collect();
        format!("{}{without}", self.model)
    }

    /// `producers 1, events 3`.
    pub(super) fn bounds(&self) -> String {
        let bounds: Vec<_> =
            self.bounds.iter().map(|bound| format!("{} {}", bound.name, bound.value)).collect();
        bounds.join(", ")
    }

    /// The trace as an observer would have recorded it.
    pub(super) fn history<M: DomainModel>(&self, model: &M, chosen: &Chosen<M>) -> History {
        let source = format!("{}: {}", self.title(), chosen.title);
        with_source(told(model, &chosen.trace), source)
    }
}
