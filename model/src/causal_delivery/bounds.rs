//! How much there is of everything, and its place in the catalogue.

use super::number::all;
use super::{CausalDelivery, Partition, Set, guards};
use crate::catalogue::{DomainModel, Preset, Setting};
use crate::few::Few;
use crate::guard::{Guard, Guards};

/// The most services.
pub const MAX_SERVICES: usize = 4;
/// The most partitions.
pub const MAX_PARTITIONS: usize = 3;
/// The most events.
pub const MAX_EVENTS: usize = 6;

/// How much there is of everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Services.
    pub services: u8,
    /// Services that emit events, the first ones; no more than there are services.
    pub producers: u8,
    /// Partitions.
    pub partitions: u8,
    /// Events, by all services together.
    pub events: u8,
    /// Subscriptions that a service may lack; 0 or 1.
    pub gaps: u8,
}

impl Bounds {
    /// Every table of subscriptions: everybody reads everything, and with `gaps` those in which one service lacks one
    /// partition. It is the last service where that does not emit, and any where all do: a service that emits beside one
    /// that only listens has no gap.
    pub(super) fn subscriptions(&self) -> Vec<Few<Set<Partition>, MAX_SERVICES>> {
        let everything: Set<Partition> = all(self.partitions).collect();
        let whole: Few<_, MAX_SERVICES> = (0..self.services).map(|_| everything).collect();
        let first = if self.producers < self.services { self.services - 1 } else { 0 };
        let lacking = |service: u8| {
            all::<Partition>(self.partitions).map(move |partition| {
                let mut table = whole;
                table[usize::from(service)] = everything.minus(Set::default().with(partition));
                table
            })
        };
        let services = if self.gaps > 0 { first..self.services } else { 0..0 };
        std::iter::once(whole).chain(services.flat_map(lacking)).collect()
    }
}

impl DomainModel for CausalDelivery {
    const NAME: &'static str = "causal-delivery";
    const ABOUT: &'static str =
        "services that emit events to partitioned logs and deliver those of others, each after its causes";
    const GUARDS: &'static [&'static Guard] = guards::ALL;
    const PROFILE: &'static str = "causal-broadcast";
    const IS_TOLD_TO_THE_END: bool = true;

    fn preset(preset: Preset) -> Self {
        let small = Bounds { services: 3, producers: 2, partitions: 2, events: 4, gaps: 1 };
        let bounds = match preset {
            Preset::Small => small,
            Preset::Medium => Bounds { events: 5, ..small },
            Preset::Large => Bounds { producers: 3, events: 5, ..small },
        };
        CausalDelivery { bounds, guards: Guards::ALL }
    }

    fn settings(&mut self) -> Vec<Setting<'_>> {
        let setting = |name, value, says, min, max| Setting { name, says, min, max, value };
        let b = &mut self.bounds;
        vec![
            setting("services", &mut b.services, "services", 1, MAX_SERVICES as u8),
            setting("producers", &mut b.producers, "services that emit events", 1, MAX_SERVICES as u8),
            setting("partitions", &mut b.partitions, "partitions", 1, MAX_PARTITIONS as u8),
            setting("events", &mut b.events, "events of all services together", 1, MAX_EVENTS as u8),
            setting("gaps", &mut b.gaps, "subscriptions that a service may lack", 0, 1),
        ]
    }

    fn guards(&mut self) -> &mut Guards {
        &mut self.guards
    }
}
