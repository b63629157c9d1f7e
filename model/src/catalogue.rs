//! The models of this crate, by name, behind one face: what the command line and the docs work with.

use std::io;
use std::net::SocketAddr;

use serde::Serialize;

use crate::engine::{Options, Progress, Signal, Words};
use crate::export::{ExportError, Exported, Plan, export};
use crate::guard::{Guard, Guards};
use crate::replay::{ReplayError, Replayed, Seen, replay};
use crate::report::{Report, check};

/// How large a check is by default; each model says what it means for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// Seconds for all models together; every witness is met.
    #[default]
    Small,
    /// Tens of seconds.
    Medium,
    /// Minutes.
    Large,
}

impl Preset {
    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Preset::Small => "small",
            Preset::Medium => "medium",
            Preset::Large => "large",
        }
    }
}

/// A bound of a model: how many of something there are, or how often a fault may happen.
#[derive(Debug)]
pub struct Setting<'a> {
    /// Its name on the command line, such as `crashes`.
    pub name: &'static str,
    /// What it bounds.
    pub says: &'static str,
    /// The least value that makes sense.
    pub min: u8,
    /// The largest value that the state can hold.
    pub max: u8,
    /// The value.
    pub value: &'a mut u8,
}

/// A model with a name, bounds and removable guards.
pub trait DomainModel: Words + Clone {
    /// Its name on the command line.
    const NAME: &'static str;
    /// What it models, as one line.
    const ABOUT: &'static str;
    /// Its guards, in the order of the docs.
    const GUARDS: &'static [&'static Guard];
    /// The oracle's name for what a system promises that is built like this; the profile of histories told of it.
    const PROFILE: &'static str = "log-strict";
    /// Whether a history told of a trace goes on until the system rests: where what goes wrong shows only in what comes
    /// after it, as an effect does that was delivered before a cause that nobody has read yet.
    const IS_TOLD_TO_THE_END: bool = false;
    /// What it has several of that only differ by name, if [`representative`](crate::engine::System::representative)
    /// reduces by them.
    const INTERCHANGEABLE: Option<&'static str> = None;

    /// The baseline, all guards in place.
    fn preset(preset: Preset) -> Self;

    /// Its bounds.
    fn settings(&mut self) -> Vec<Setting<'_>>;

    /// The guards in place.
    fn guards(&mut self) -> &mut Guards;
}

/// What to check, and how far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The bounds to start from.
    pub preset: Preset,
    /// Bounds that differ from the preset.
    pub settings: Vec<(String, u8)>,
    /// The guards to remove.
    pub without: Vec<String>,
    /// How to explore, and how far.
    pub options: Options,
}

/// Why a request makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The model has no such guard.
    #[error("model `{model}` has no guard `{name}`")]
    UnknownGuard {
        /// The model asked.
        model: &'static str,
        /// The name given.
        name: String,
        /// The names there are.
        known: Vec<&'static str>,
    },
    /// The model has no such bound.
    #[error("model `{model}` has no setting `{name}`")]
    UnknownSetting {
        /// The model asked.
        model: &'static str,
        /// The name given.
        name: String,
        /// The names there are.
        known: Vec<&'static str>,
    },
    /// The model has no parts that only differ by name.
    #[error("model `{model}` has no interchangeable parts to reduce by; `--symmetry` is for {}", .known.join(", "))]
    NoSymmetry {
        /// The model asked.
        model: &'static str,
        /// The models that have.
        known: Vec<&'static str>,
    },
    /// The bound is too small or too large.
    #[error("setting `{name}` of model `{model}` goes from {min} to {max}, not to {value}")]
    OutOfRange {
        /// The model asked.
        model: &'static str,
        /// The setting.
        name: &'static str,
        /// The value given.
        value: u8,
        /// The least allowed.
        min: u8,
        /// The largest allowed.
        max: u8,
    },
}

/// Told of the progress of a check, and asked whether to go on.
pub type Observer<'a> = &'a mut dyn FnMut(Progress) -> Signal;

/// A model of the catalogue, its type forgotten.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// What it models.
    pub about: &'static str,
    /// Its guards.
    pub guards: &'static [&'static Guard],
    /// What it has several of that only differ by name, if a check can be reduced by them.
    pub interchangeable: Option<&'static str>,
    check: fn(&Request, Observer<'_>) -> Result<Report, RequestError>,
    export: fn(&Request, &Plan, Observer<'_>, &mut dyn io::Write) -> Result<Exported, ExportError>,
    serve: fn(&Request, SocketAddr) -> Result<(), RequestError>,
    replay: fn(&Request, usize, Seen<'_>) -> Result<Replayed, ReplayError>,
    bounds: fn(Preset) -> Vec<Bound>,
    laws: fn() -> Vec<LawLine>,
    witnesses: fn() -> Vec<&'static str>,
}

/// A law as the docs show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LawLine {
    /// The promise that it makes precise.
    pub guarantee: lawspeaker_history::Guarantee,
    /// What it says of this model.
    pub says: &'static str,
}

/// A bound as the docs show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Bound {
    /// Its name.
    pub name: &'static str,
    /// Its value.
    pub value: u8,
    /// What it bounds.
    pub says: &'static str,
}

impl Entry {
    const fn of<M>() -> Self
    where
        M: DomainModel<State: 'static, Action: Send + Sync + 'static> + Send + 'static,
    {
        Entry {
            name: M::NAME,
            about: M::ABOUT,
            guards: M::GUARDS,
            interchangeable: M::INTERCHANGEABLE,
            check: |request, observe| {
                let model = build::<M>(request)?;
                Ok(check(&model, request, observe))
            },
            export: |request, plan, observe, out| {
                let model = build::<M>(request)?;
                export(&model, request, plan, observe, out)
            },
            serve: |request, address| {
                crate::explorer::serve(build::<M>(request)?, address);
                Ok(())
            },
            replay: |request, count, is_seen| replay(&build::<M>(request)?, count, is_seen),
            bounds: |preset| bounds_of(&mut M::preset(preset)),
            laws: || {
                let laws = M::preset(Preset::Small).laws();
                laws.iter().map(|law| LawLine { guarantee: law.guarantee, says: law.says }).collect()
            },
            witnesses: || M::preset(Preset::Small).witnesses().iter().map(|witness| witness.says).collect(),
        }
    }

    /// Checks the model as `request` says.
    ///
    /// # Errors
    /// [`RequestError`] if the request names what the model does not have.
    pub fn check(&self, request: &Request, observe: Observer<'_>) -> Result<Report, RequestError> {
        (self.check)(request, observe)
    }

    /// Writes the model's state graph, or one of its traces, as `plan` says.
    ///
    /// # Errors
    /// [`ExportError`]; where it is no [`ExportError::Write`], nothing was written.
    pub fn export(
        &self,
        request: &Request,
        plan: &Plan,
        observe: Observer<'_>,
        out: &mut dyn io::Write,
    ) -> Result<Exported, ExportError> {
        (self.export)(request, plan, observe, out)
    }

    /// Serves stateright's Explorer of the model at `address`, until the process ends.
    ///
    /// # Errors
    /// [`RequestError`] if the request names what the model does not have.
    ///
    /// # Panics
    /// If the address cannot be had.
    pub fn serve(&self, request: &Request, address: SocketAddr) -> Result<(), RequestError> {
        (self.serve)(request, address)
    }

    /// Follows `count` states that somebody else saw through the model.
    ///
    /// # Errors
    /// [`ReplayError`] if the request names what the model does not have, or at the first state that is not reached.
    pub fn replay(
        &self,
        request: &Request,
        count: usize,
        is_seen: Seen<'_>,
    ) -> Result<Replayed, ReplayError> {
        (self.replay)(request, count, is_seen)
    }

    /// The bounds of a preset.
    pub fn bounds(&self, preset: Preset) -> Vec<Bound> {
        (self.bounds)(preset)
    }

    /// The laws, in order.
    pub fn laws(&self) -> Vec<LawLine> {
        (self.laws)()
    }

    /// What the witnesses say, in order.
    pub fn witnesses(&self) -> Vec<&'static str> {
        (self.witnesses)()
    }
}

/// Every model, in the order of the docs.
// A constant would have each crate that names it compile the engine for every model anew.
pub static MODELS: &[Entry] = &[
    Entry::of::<crate::partition_log::PartitionLog>(),
    Entry::of::<crate::consumer_group::ConsumerGroup>(),
    Entry::of::<crate::causal_delivery::CausalDelivery>(),
    Entry::of::<crate::saga::Saga>(),
    Entry::of::<crate::choreography::Choreography>(),
    Entry::of::<crate::isolation::Isolation>(),
    Entry::of::<crate::outbox::Outbox>(),
    Entry::of::<crate::bounded_queues::BoundedQueues>(),
    Entry::of::<crate::saga_over_log::SagaOverLog>(),
];

/// The model of the given name.
pub fn model(name: &str) -> Option<&'static Entry> {
    MODELS.iter().find(|entry| entry.name == name)
}

/// The guard of the given name.
pub fn guard<M: DomainModel>(name: &str) -> Result<&'static Guard, RequestError> {
    M::GUARDS.iter().copied().find(|guard| guard.name == name).ok_or_else(|| RequestError::UnknownGuard {
        model: M::NAME,
        name: name.to_owned(),
        known: M::GUARDS.iter().map(|guard| guard.name).collect(),
    })
}

/// The model that a request speaks of; masked guards come with their mask off.
///
/// # Errors
/// [`RequestError`] if the request names what the model does not have.
pub fn build<M: DomainModel>(request: &Request) -> Result<M, RequestError> {
    if request.options.uses_symmetry && M::INTERCHANGEABLE.is_none() {
        let known = MODELS.iter().filter(|entry| entry.interchangeable.is_some()).map(|entry| entry.name);
        return Err(RequestError::NoSymmetry { model: M::NAME, known: known.collect() });
    }
    let mut model = M::preset(request.preset);
    for name in &request.without {
        let guard = guard::<M>(name)?;
        remove(&mut model, guard);
        if let Some(mask) = &guard.mask {
            mask.guards.iter().for_each(|mask| remove(&mut model, mask));
            for (name, value) in mask.settings {
                set(&mut model, name, *value)?;
            }
        }
    }
    for (name, value) in &request.settings {
        set(&mut model, name, *value)?;
    }
    Ok(model)
}

fn remove(model: &mut impl DomainModel, guard: &Guard) {
    let guards = model.guards();
    *guards = guards.without(guard);
}

fn set<M: DomainModel>(model: &mut M, name: &str, value: u8) -> Result<(), RequestError> {
    let mut settings = model.settings();
    let known = settings.iter().map(|setting| setting.name).collect();
    let Some(setting) = settings.iter_mut().find(|setting| setting.name == name) else {
        return Err(RequestError::UnknownSetting { model: M::NAME, name: name.to_owned(), known });
    };
    let &mut Setting { name, min, max, .. } = setting;
    if !(min..=max).contains(&value) {
        return Err(RequestError::OutOfRange { model: M::NAME, name, value, min, max });
    }
    *setting.value = value;
    Ok(())
}

/// The bounds in force.
pub fn bounds_of(model: &mut impl DomainModel) -> Vec<Bound> {
    let bound =
        |setting: Setting<'_>| Bound { name: setting.name, value: *setting.value, says: setting.says };
    model.settings().into_iter().map(bound).collect()
}
