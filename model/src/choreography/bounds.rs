//! How much there is of everything, and its place in the catalogue.

use super::{Choreography, guards};
use crate::catalogue::{DomainModel, Preset, Setting};
use crate::guard::{Guard, Guards};

/// How much there is of everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Faults of all kinds together.
    pub faults: u8,
    /// Cancellations by the customer.
    pub cancellations: u8,
    /// Events that are delivered again.
    pub redeliveries: u8,
    /// Steps that a service refuses.
    pub refusals: u8,
    /// Crashes of services while they handle an event.
    pub crashes: u8,
}

impl DomainModel for Choreography {
    const NAME: &'static str = "choreography";
    const ABOUT: &'static str = "services that carry out an order by listening to one another's events";
    const GUARDS: &'static [&'static Guard] = guards::ALL;
    const PROFILE: &'static str = "saga";

    fn preset(preset: Preset) -> Self {
        let small = Bounds { faults: 5, cancellations: 2, redeliveries: 3, refusals: 2, crashes: 2 };
        let bounds = match preset {
            Preset::Small => small,
            Preset::Medium => Bounds { faults: 6, redeliveries: 4, ..small },
            Preset::Large => Bounds { faults: 8, redeliveries: 4, ..small },
        };
        Choreography { bounds, guards: Guards::ALL }
    }

    fn settings(&mut self) -> Vec<Setting<'_>> {
        let setting = |name, value, says, min, max| Setting { name, says, min, max, value };
        let b = &mut self.bounds;
        vec![
            setting("faults", &mut b.faults, "faults of all kinds together", 0, 8),
            setting("cancellations", &mut b.cancellations, "cancellations by the customer", 0, 2),
            setting("redeliveries", &mut b.redeliveries, "events that are delivered again", 0, 4),
            setting("refusals", &mut b.refusals, "steps that a service refuses", 0, 2),
            setting("crashes", &mut b.crashes, "crashes of services while they handle an event", 0, 2),
        ]
    }

    fn guards(&mut self) -> &mut Guards {
        &mut self.guards
    }
}
