//! How much there is of everything, and its place in the catalogue.

use super::{ConsumerGroup, MAX_EVENTS, MAX_MEMBERS, guards};
use crate::catalogue::{DomainModel, Preset, Setting};
use crate::guard::{Guard, Guards};

/// How much there is of everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Members of the group.
    pub members: u8,
    /// Partitions of the topic.
    pub partitions: u8,
    /// Events in each partition.
    pub events: u8,
    /// Rebalances that move a partition.
    pub rebalances: u8,
    /// Crashes of members.
    pub crashes: u8,
    /// Sessions that end although the member lives.
    pub timeouts: u8,
    /// Events that cannot be processed at the first attempt.
    pub failures: u8,
    /// Times that the retention of committed offsets runs out.
    pub expiries: u8,
}

impl DomainModel for ConsumerGroup {
    const NAME: &'static str = "consumer-group";
    const ABOUT: &'static str =
        "members of a group that process and commit the events of a topic's partitions";
    const GUARDS: &'static [&'static Guard] = guards::ALL;

    fn preset(preset: Preset) -> Self {
        let small = Bounds {
            members: 2,
            partitions: 1,
            events: 2,
            rebalances: 2,
            crashes: 1,
            timeouts: 1,
            failures: 1,
            expiries: 1,
        };
        let bounds = match preset {
            Preset::Small => small,
            Preset::Medium => Bounds { events: 3, members: 3, ..small },
            Preset::Large => Bounds { partitions: 2, events: 3, ..small },
        };
        ConsumerGroup { bounds, guards: Guards::ALL }
    }

    fn settings(&mut self) -> Vec<Setting<'_>> {
        let setting = |name, value, says, min, max| Setting { name, says, min, max, value };
        let b = &mut self.bounds;
        vec![
            setting("members", &mut b.members, "members of the group", 1, MAX_MEMBERS as u8),
            setting("partitions", &mut b.partitions, "partitions of the topic", 1, 4),
            setting("events", &mut b.events, "events in each partition", 1, MAX_EVENTS as u8),
            setting("rebalances", &mut b.rebalances, "rebalances that move a partition", 0, 8),
            setting("crashes", &mut b.crashes, "crashes of members", 0, 8),
            setting("timeouts", &mut b.timeouts, "sessions that end although the member lives", 0, 8),
            setting(
                "failures",
                &mut b.failures,
                "events that cannot be processed at the first attempt",
                0,
                8,
            ),
            setting(
                "expiries",
                &mut b.expiries,
                "times that the retention of committed offsets runs out",
                0,
                8,
            ),
        ]
    }

    fn guards(&mut self) -> &mut Guards {
        &mut self.guards
    }
}
