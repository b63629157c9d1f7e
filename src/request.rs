//! From the command line to a request that the catalogue understands.

use std::time::{Duration, Instant};

use lawspeaker_model::catalogue::{Entry, MODELS, Request, RequestError, model};
use lawspeaker_model::engine::{Limits, Options};

use crate::args::BoundsArgs;
use crate::suggest::hint;

/// What a command line asks of one model or several.
#[derive(Debug)]
pub(crate) struct Asked {
    /// The models. Where it is several, the request makes sense of each of them.
    pub(crate) entries: Vec<&'static Entry>,
    request: Request,
    started: Instant,
}

impl Asked {
    /// Guards and settings belong to models: where no model is named, they name it, if only one has them.
    pub(crate) fn of(model: Option<&str>, without: &[String], bounds: &BoundsArgs) -> Result<Self, String> {
        let entries = match (model, without, bounds.set.as_slice()) {
            (Some(_), ..) => models(model)?,
            (None, [guard, ..], _) => vec![owner("guard", guard, guards_of)?],
            (None, [], [(setting, _), ..]) => vec![owner("setting", setting, settings_of)?],
            (None, [], []) if bounds.symmetry => {
                MODELS.iter().filter(|entry| entry.interchangeable.is_some()).collect()
            }
            (None, [], []) => models(None)?,
        };
        let request = Request {
            preset: bounds.bounds.into(),
            settings: bounds.set.clone(),
            without: without.to_vec(),
            options: options(bounds),
        };
        Ok(Asked { entries, request, started: Instant::now() })
    }

    /// The request for the next exploration. All of them share the time there is.
    pub(crate) fn next(&self) -> Request {
        let mut request = self.request.clone();
        let limits = &mut request.options.limits;
        limits.timeout = limits.timeout.map(|whole: Duration| whole.saturating_sub(self.started.elapsed()));
        request
    }
}

/// The models that `name` stands for: one, or all.
pub(crate) fn models(name: Option<&str>) -> Result<Vec<&'static Entry>, String> {
    let Some(name) = name else { return Ok(MODELS.iter().collect()) };
    let names = || MODELS.iter().map(|entry| entry.name);
    model(name).map(|entry| vec![entry]).ok_or_else(|| {
        let known: Vec<_> = names().collect();
        format!("there is no model `{name}`{}\n  models: {}", hint(name, names()), known.join(", "))
    })
}

fn guards_of(entry: &Entry) -> Vec<&'static str> {
    entry.guards.iter().map(|guard| guard.name).collect()
}

fn settings_of(entry: &Entry) -> Vec<&'static str> {
    entry.bounds(Default::default()).iter().map(|bound| bound.name).collect()
}

/// The only model that has a guard or a setting of this name.
fn owner(kind: &str, name: &str, parts: fn(&Entry) -> Vec<&'static str>) -> Result<&'static Entry, String> {
    let owners: Vec<_> = MODELS.iter().filter(|entry| parts(entry).contains(&name)).collect();
    match owners.as_slice() {
        [owner] => Ok(owner),
        [] => Err(format!("no model has a {kind} `{name}`{}", hint(name, MODELS.iter().flat_map(parts)))),
        _ => {
            let names: Vec<_> = owners.iter().map(|owner| owner.name).collect();
            Err(format!("several models have a {kind} `{name}`: name one of {}", names.join(", ")))
        }
    }
}

fn options(bounds: &BoundsArgs) -> Options {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_explorations_of_one_command_share_its_time() {
        let whole = Duration::from_secs(60);
        let limits = Limits { timeout: Some(whole), ..Limits::default() };
        let options = Options { limits, ..Options::default() };
        let left = |passed: Duration| {
            let started = Instant::now().checked_sub(passed).expect("the clock has run a while");
            let asked =
                Asked { entries: Vec::new(), request: Request { options, ..Request::default() }, started };
            asked.next().options.limits.timeout.expect("there is a limit")
        };
        assert!(left(Duration::ZERO) <= whole && left(whole / 2) <= whole / 2);
        assert_eq!(left(whole), Duration::ZERO);
    }
}
