//! How much there is of everything, and its place in the catalogue.

use super::channel::MAX_FAULTS;
use super::{MAX_STEPS, SagaOverLog, guards};
use crate::catalogue::{DomainModel, Preset, Setting};
use crate::guard::{Guard, Guards};

/// How much there is of everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Steps of the saga.
    pub steps: u8,
    /// The place of the pivot among the steps, from 0; beyond them, there is none.
    pub pivot: u8,
    /// Faults of all kinds together.
    pub faults: u8,
    /// Requests and acknowledgements that are lost, and losses of power.
    pub losses: u8,
    /// Crashes of participants.
    pub participant_crashes: u8,
    /// Replies that the orchestrator gives up waiting for.
    pub timeouts: u8,
    /// Crashes of the orchestrator.
    pub crashes: u8,
    /// Steps that a participant refuses.
    pub refusals: u8,
}

impl DomainModel for SagaOverLog {
    const NAME: &'static str = "saga-over-log";
    const ABOUT: &'static str =
        "a saga whose commands and replies travel through partitions, producers and consumers";
    const GUARDS: &'static [&'static Guard] = guards::ALL;
    const PROFILE: &'static str = "saga";

    fn preset(preset: Preset) -> Self {
        let small = Bounds {
            steps: 2,
            pivot: 1,
            faults: 2,
            losses: 1,
            participant_crashes: 1,
            timeouts: 1,
            crashes: 1,
            refusals: 1,
        };
        let bounds = match preset {
            Preset::Small => small,
            Preset::Medium => Bounds { faults: 3, ..small },
            Preset::Large => Bounds { steps: 3, pivot: 2, faults: 3, ..small },
        };
        SagaOverLog { bounds, guards: Guards::ALL }
    }

    fn settings(&mut self) -> Vec<Setting<'_>> {
        let setting = |name, value, says, min, max| Setting { name, says, min, max, value };
        let b = &mut self.bounds;
        let max = MAX_STEPS as u8;
        vec![
            setting("steps", &mut b.steps, "steps of the saga", 1, max),
            setting("pivot", &mut b.pivot, "place of the pivot, from 0; beyond the steps: no pivot", 0, max),
            setting("faults", &mut b.faults, "faults of all kinds together", 0, MAX_FAULTS),
            setting("losses", &mut b.losses, "lost requests, acknowledgements and unsynced entries", 0, 2),
            setting("participant-crashes", &mut b.participant_crashes, "crashes of participants", 0, 2),
            setting("timeouts", &mut b.timeouts, "replies that the orchestrator gives up waiting for", 0, 2),
            setting("crashes", &mut b.crashes, "crashes of the orchestrator", 0, 2),
            setting("refusals", &mut b.refusals, "steps that a participant refuses", 0, 2),
        ]
    }

    fn guards(&mut self) -> &mut Guards {
        &mut self.guards
    }
}
