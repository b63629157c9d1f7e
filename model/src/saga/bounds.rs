//! How much there is of everything, and its place in the catalogue.

use super::{MAX_STEPS, Saga, guards};
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
    /// Commands and replies that the network loses.
    pub losses: u8,
    /// Commands and replies that the network duplicates.
    pub duplicates: u8,
    /// Replies that the orchestrator gives up waiting for.
    pub timeouts: u8,
    /// Crashes of the orchestrator.
    pub crashes: u8,
    /// Steps that a participant refuses.
    pub refusals: u8,
    /// Compensations that cannot be carried out when they are asked for.
    pub compensation_failures: u8,
}

impl DomainModel for Saga {
    const NAME: &'static str = "saga";
    const ABOUT: &'static str =
        "an orchestrator that leads a saga over unreliable links, and compensates what it cannot finish";
    const GUARDS: &'static [&'static Guard] = guards::ALL;
    const PROFILE: &'static str = "saga";

    fn preset(preset: Preset) -> Self {
        let small = Bounds {
            steps: 4,
            pivot: 2,
            faults: 4,
            losses: 2,
            duplicates: 2,
            timeouts: 2,
            crashes: 2,
            refusals: 2,
            compensation_failures: 2,
        };
        let bounds = match preset {
            Preset::Small => small,
            Preset::Medium => Bounds { steps: 5, pivot: 3, faults: 8, ..small },
            Preset::Large => Bounds { steps: 5, pivot: 3, faults: 10, losses: 3, duplicates: 3, ..small },
        };
        Saga { bounds, guards: Guards::ALL }
    }

    fn settings(&mut self) -> Vec<Setting<'_>> {
        let setting = |name, value, says, min, max| Setting { name, says, min, max, value };
        // The link counts copies of a message in three bits.
        const MAX_DUPLICATES: u8 = 5;
        let b = &mut self.bounds;
        let max = MAX_STEPS as u8;
        vec![
            setting("steps", &mut b.steps, "steps of the saga", 1, max),
            setting("pivot", &mut b.pivot, "place of the pivot, from 0; beyond the steps: no pivot", 0, max),
            setting("faults", &mut b.faults, "faults of all kinds together", 0, 16),
            setting("losses", &mut b.losses, "commands and replies that are lost", 0, 8),
            setting(
                "duplicates",
                &mut b.duplicates,
                "commands and replies that are duplicated",
                0,
                MAX_DUPLICATES,
            ),
            setting("timeouts", &mut b.timeouts, "replies that the orchestrator gives up waiting for", 0, 8),
            setting("crashes", &mut b.crashes, "crashes of the orchestrator", 0, 8),
            setting("refusals", &mut b.refusals, "steps that a participant refuses", 0, 8),
            setting(
                "compensation-failures",
                &mut b.compensation_failures,
                "compensations that cannot be carried out when they are asked for",
                0,
                8,
            ),
        ]
    }

    fn guards(&mut self) -> &mut Guards {
        &mut self.guards
    }
}
