//! How much there is of everything, and its place in the catalogue.

use super::{Isolation, MAX_RECORDS, MAX_SAGAS, guards};
use crate::catalogue::{DomainModel, Preset, Setting};
use crate::guard::{Guard, Guards};

/// How much there is of everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Sagas.
    pub sagas: u8,
    /// Records, of which every saga updates all but one.
    pub records: u8,
    /// Sagas whose steps read what they update: the first ones. The others only add to it.
    pub readers: u8,
    /// Sagas that fail.
    pub failures: u8,
}

impl DomainModel for Isolation {
    const NAME: &'static str = "isolation";
    const ABOUT: &'static str = "sagas that run at the same time and update the same records";
    const GUARDS: &'static [&'static Guard] = guards::ALL;
    const PROFILE: &'static str = "saga";

    fn preset(preset: Preset) -> Self {
        let small = Bounds { sagas: 3, records: 4, readers: 3, failures: 2 };
        let bounds = match preset {
            Preset::Small => small,
            Preset::Medium => Bounds { sagas: 4, readers: 4, failures: 3, ..small },
            Preset::Large => Bounds { sagas: 4, readers: 4, failures: 4, ..small },
        };
        Isolation { bounds, guards: Guards::ALL }
    }

    fn settings(&mut self) -> Vec<Setting<'_>> {
        let setting = |name, value, says, min, max| Setting { name, says, min, max, value };
        let b = &mut self.bounds;
        let sagas = MAX_SAGAS as u8;
        vec![
            setting("sagas", &mut b.sagas, "sagas", 1, sagas),
            setting(
                "records",
                &mut b.records,
                "records, of which every saga updates all but one",
                2,
                MAX_RECORDS as u8,
            ),
            setting("readers", &mut b.readers, "sagas that read what they update, the others add", 0, sagas),
            setting("failures", &mut b.failures, "sagas that fail", 0, sagas),
        ]
    }

    fn guards(&mut self) -> &mut Guards {
        &mut self.guards
    }
}
