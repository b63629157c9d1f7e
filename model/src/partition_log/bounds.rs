//! How much there is of everything, and its place in the catalogue.

use super::{PartitionLog, guards};
use crate::catalogue::{DomainModel, Preset, Setting};
use crate::guard::{Guard, Guards};

/// How much there is of everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Producers.
    pub producers: u8,
    /// Events that each of them sends; the first two have the same key, and so on in pairs.
    pub events: u8,
    /// Partitions at the start.
    pub partitions: u8,
    /// Events that a producer has under way at once.
    pub in_flight: u8,
    /// Faults of all kinds together.
    pub faults: u8,
    /// Requests and acknowledgements that the link may lose.
    pub losses: u8,
    /// Requests that the link may duplicate.
    pub duplicates: u8,
    /// Requests that the link may damage.
    pub damages: u8,
    /// Power losses of the broker.
    pub crashes: u8,
    /// Restarts of producers.
    pub restarts: u8,
    /// Partitions added to the topic.
    pub growths: u8,
}

impl DomainModel for PartitionLog {
    const NAME: &'static str = "partition-log";
    const ABOUT: &'static str = "producers, an unreliable link, and the partitions of one topic";
    const GUARDS: &'static [&'static Guard] = guards::ALL;
    const INTERCHANGEABLE: Option<&'static str> = Some("producers");

    fn preset(preset: Preset) -> Self {
        let small = Bounds {
            producers: 1,
            events: 3,
            partitions: 1,
            in_flight: 2,
            faults: 3,
            losses: 1,
            duplicates: 1,
            damages: 1,
            crashes: 1,
            restarts: 1,
            growths: 1,
        };
        let bounds = match preset {
            Preset::Small => small,
            Preset::Medium => Bounds { producers: 2, events: 2, faults: 2, ..small },
            Preset::Large => Bounds { events: 4, faults: 4, ..small },
        };
        PartitionLog { bounds, guards: Guards::ALL }
    }

    fn settings(&mut self) -> Vec<Setting<'_>> {
        let setting = |name, value, says, min, max| Setting { name, says, min, max, value };
        let b = &mut self.bounds;
        vec![
            setting("producers", &mut b.producers, "producers", 1, 4),
            setting("events", &mut b.events, "events that each producer sends", 1, 8),
            setting("partitions", &mut b.partitions, "partitions at the start", 1, 4),
            setting("in-flight", &mut b.in_flight, "events that a producer has under way at once", 1, 8),
            setting("faults", &mut b.faults, "faults of all kinds together", 0, 16),
            setting("losses", &mut b.losses, "requests and acknowledgements that the link may lose", 0, 8),
            setting("duplicates", &mut b.duplicates, "requests that the link may duplicate", 0, 8),
            setting("damages", &mut b.damages, "requests that the link may damage", 0, 8),
            setting("crashes", &mut b.crashes, "power losses of the broker", 0, 8),
            setting("restarts", &mut b.restarts, "restarts of producers", 0, 8),
            setting("growths", &mut b.growths, "partitions added to the topic", 0, 4),
        ]
    }

    fn guards(&mut self) -> &mut Guards {
        &mut self.guards
    }
}
