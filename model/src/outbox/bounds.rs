//! How much there is of everything, and its place in the catalogue.

use super::{MAX_CRASHES, MAX_EVENTS, MAX_PEERS, Outbox, guards};
use crate::catalogue::{DomainModel, Preset, Setting};
use crate::guard::{Guard, Guards};

/// How much there is of everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Changes, each with one event.
    pub events: u8,
    /// Relays.
    pub relays: u8,
    /// Workers.
    pub workers: u8,
    /// Transactions of the service that are rolled back.
    pub rollbacks: u8,
    /// Crashes of the service, of relays and of workers together.
    pub crashes: u8,
    /// Events that the inbox forgets.
    pub expiries: u8,
}

impl DomainModel for Outbox {
    const NAME: &'static str = "outbox";
    const ABOUT: &'static str =
        "a service that changes its state and says so, through an outbox, relays, a queue and an inbox";
    const GUARDS: &'static [&'static Guard] = guards::ALL;
    const PROFILE: &'static str = "outbox";

    fn preset(preset: Preset) -> Self {
        let small = Bounds { events: 3, relays: 2, workers: 2, rollbacks: 1, crashes: 2, expiries: 1 };
        let bounds = match preset {
            Preset::Small => small,
            Preset::Medium => Bounds { events: 4, crashes: 3, ..small },
            Preset::Large => Bounds { events: 4, rollbacks: 2, crashes: 4, expiries: 2, ..small },
        };
        Outbox { bounds, guards: Guards::ALL }
    }

    fn settings(&mut self) -> Vec<Setting<'_>> {
        let setting = |name, value, says, min, max| Setting { name, says, min, max, value };
        let b = &mut self.bounds;
        let peers = MAX_PEERS as u8;
        vec![
            setting("events", &mut b.events, "changes, each with one event", 1, MAX_EVENTS as u8),
            setting("relays", &mut b.relays, "relays", 1, peers),
            setting("workers", &mut b.workers, "workers", 1, peers),
            setting("rollbacks", &mut b.rollbacks, "transactions that are rolled back", 0, 4),
            setting("crashes", &mut b.crashes, "crashes of service, relays and workers", 0, MAX_CRASHES),
            setting("expiries", &mut b.expiries, "events that the inbox forgets", 0, 4),
        ]
    }

    fn guards(&mut self) -> &mut Guards {
        &mut self.guards
    }
}
