//! How much there is of everything, and its place in the catalogue.

use super::{BoundedQueues, MAX_CAPACITY, MAX_HANDLERS, MAX_ORDERS, guards};
use crate::catalogue::{DomainModel, Preset, Setting};
use crate::guard::{Guard, Guards};

/// How much there is of everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Orders.
    pub orders: u8,
    /// Handlers.
    pub handlers: u8,
    /// Messages that a queue has room for.
    pub capacity: u8,
    /// Messages of a kind that no handler knows.
    pub strays: u8,
}

impl DomainModel for BoundedQueues {
    const NAME: &'static str = "bounded-queues";
    const ABOUT: &'static str =
        "handlers that ask, and wait for the answer in a bounded queue full of other things";
    const GUARDS: &'static [&'static Guard] = guards::ALL;
    const PROFILE: &'static str = "work-queue";

    fn preset(preset: Preset) -> Self {
        let small = Bounds { orders: 3, handlers: 2, capacity: 1, strays: 1 };
        let bounds = match preset {
            Preset::Small => small,
            Preset::Medium => Bounds { orders: 5, capacity: 2, ..small },
            Preset::Large => Bounds { orders: 6, handlers: 3, capacity: 2, ..small },
        };
        BoundedQueues { bounds, guards: Guards::ALL }
    }

    fn settings(&mut self) -> Vec<Setting<'_>> {
        let setting = |name, value, says, min, max| Setting { name, says, min, max, value };
        let b = &mut self.bounds;
        vec![
            setting("orders", &mut b.orders, "orders", 0, MAX_ORDERS as u8),
            setting("handlers", &mut b.handlers, "handlers", 1, MAX_HANDLERS as u8),
            setting("capacity", &mut b.capacity, "messages that a queue has room for", 1, MAX_CAPACITY as u8),
            setting("strays", &mut b.strays, "messages of a kind that no handler knows", 0, 1),
        ]
    }

    fn guards(&mut self) -> &mut Guards {
        &mut self.guards
    }
}
