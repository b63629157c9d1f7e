//! Which bounds to lower so that a graph fits.

use super::Watch;
use super::graph::Graph;
use crate::catalogue::{DomainModel, Observer};
use crate::engine::Limits;

/// Trials walk no further than this, so that the advice comes at once.
const MAX_TRIAL_STATES: usize = 20_000;

/// What helps where a model has more than `max` states, as the continuation of a sentence.
pub(super) fn remedy<M: DomainModel>(model: &M, max: usize, observe: Observer<'_>) -> String {
    let raise = "raise the limit with --max-states";
    match fitting(model, max, observe) {
        Some(settings) => format!(": it fits with {settings}; or {raise}"),
        None => format!(": lower a bound with --set, or {raise}"),
    }
}

/// Bounds at their least that make the model fit, as few of them as a greedy search finds.
fn fitting<M: DomainModel>(model: &M, max: usize, observe: Observer<'_>) -> Option<String> {
    let limits = Limits { max_states: Some(max.min(MAX_TRIAL_STATES)), ..Limits::default() };
    let mut fits = |lowered: &[usize]| {
        let mut trial = model.clone();
        for (place, setting) in trial.settings().into_iter().enumerate() {
            if lowered.contains(&place) {
                *setting.value = setting.min;
            }
        }
        Graph::of(&trial, Watch { limits, observe: &mut *observe }).is_ok()
    };
    let count = model.clone().settings().len();
    // Faults stand last: they are what a drawing can do without first.
    let mut lowered = Vec::new();
    for place in (0..count).rev() {
        lowered.push(place);
        if fits(&lowered) {
            break;
        }
    }
    let mut needed = lowered.clone();
    for place in lowered {
        let without: Vec<_> = needed.iter().copied().filter(|other| *other != place).collect();
        if fits(&without) {
            needed = without;
        }
    }
    needed.sort_unstable();
    let mut trial = model.clone();
    let settings = trial.settings();
    let told: Vec<_> = needed
        .iter()
        .map(|place| format!("--set {}={}", settings[*place].name, settings[*place].min))
        .collect();
    fits(&needed).then(|| told.join(" "))
}
