//! From the command line to a request that the catalogue understands.

use lawspeaker_model::catalogue::{Entry, MODELS, RequestError, model};
use lawspeaker_model::engine::{Limits, Options};

use crate::args::BoundsArgs;
use crate::suggest::hint;

/// The models that `name` stands for: one, or all.
pub(crate) fn models(name: Option<&str>) -> Result<Vec<&'static Entry>, String> {
    let Some(name) = name else { return Ok(MODELS.iter().collect()) };
    let names = || MODELS.iter().map(|entry| entry.name);
    model(name).map(|entry| vec![entry]).ok_or_else(|| {
        let known: Vec<_> = names().collect();
        format!("there is no model `{name}`{}\n  models: {}", hint(name, names()), known.join(", "))
    })
}

pub(crate) fn options(bounds: &BoundsArgs) -> Options {
    let limits =
        Limits { max_states: bounds.max_states, max_depth: bounds.max_depth, timeout: bounds.timeout };
    Options {
        limits,
        threads: bounds.threads.into(),
        is_exact: bounds.exact,
        is_safety_only: bounds.safety,
        uses_symmetry: bounds.symmetry,
    }
}

/// An error with the nearest name and the names there are.
pub(crate) fn explained(error: &RequestError) -> String {
    match error {
        RequestError::UnknownGuard { name, known, .. } => {
            format!("{error}{}\n  guards: {}", hint(name, known.iter().copied()), known.join(", "))
        }
        RequestError::UnknownSetting { name, known, .. } => {
            format!("{error}{}\n  settings: {}", hint(name, known.iter().copied()), known.join(", "))
        }
        RequestError::OutOfRange { .. } | RequestError::NoSymmetry { .. } => error.to_string(),
    }
}
