//! Worlds of services that talk at random, and inboxes to which their events come in any order and more than once.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;

use lawspeaker_bus::causal_inbox::{Arrived, CausalInboxCore, Refusal};
use lawspeaker_bus::causality::DotSet;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::kernels::causal_world::{Form, READ, World, partition};

const SERVICE_COUNT: usize = 4;
const PARTITION_COUNT: usize = 3;
/// Steps of a world, at most.
const STEP_COUNT: usize = 40;

/// A service does something.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Send {
        service: usize,
        partition: usize,
    },
    /// It learns of some event.
    Deliver {
        service: usize,
        event: Index,
    },
}

pub(super) fn worlds() -> impl Strategy<Value = World> {
    let service = 0..SERVICE_COUNT;
    let send = (service.clone(), 0..PARTITION_COUNT);
    let send = send.prop_map(|(service, partition)| Step::Send { service, partition });
    let deliver = (service, any::<Index>());
    let deliver = deliver.prop_map(|(service, event)| Step::Deliver { service, event });
    vec(prop_oneof![send, deliver], 1..STEP_COUNT).prop_map(|steps| {
        let mut world = World::new(SERVICE_COUNT);
        for step in steps {
            match step {
                Step::Send { service, partition } => {
                    world.send(service, partition);
                }
                Step::Deliver { service, event } if !world.events.is_empty() => {
                    let number = event.index(world.events.len());
                    learn(&mut world, service, number);
                }
                Step::Deliver { .. } => {}
            }
        }
        world
    })
}

/// A service that reads everything learns of an event after all that went before it.
fn learn(world: &mut World, service: usize, number: usize) {
    for cause in world.events[number].causes.clone() {
        world.deliver(service, cause);
    }
    world.deliver(service, number);
}

/// An inbox that a world's events come to in one form.
struct Reader {
    form: Form,
    core: CausalInboxCore,
    delivered: Vec<usize>,
}

impl Reader {
    fn new(form: Form, capacity: usize) -> Self {
        let capacity = NonZeroUsize::new(capacity).unwrap();
        let core = CausalInboxCore::new(READ.map(partition), DotSet::new(), capacity);
        Reader { form, core, delivered: Vec::new() }
    }

    fn arrive(&mut self, world: &World, number: usize) -> Result<Arrived, Refusal> {
        let dot = world.events[number].dot.clone();
        self.core.arrive(dot, Some(world.context(number, self.form)), 0)
    }

    fn deliver_all(&mut self, world: &World) {
        while let Some(dot) = self.core.deliver() {
            self.delivered.push(world.number(&dot));
        }
    }

    fn set(&self) -> BTreeSet<usize> {
        self.delivered.iter().copied().collect()
    }
}

fn is_read(world: &World, number: usize) -> bool {
    READ.contains(&world.events[number].partition)
}

/// What can be delivered of what has arrived: naively, until nothing more follows.
fn deliverable(world: &World, arrived: &BTreeSet<usize>) -> BTreeSet<usize> {
    let mut delivered = BTreeSet::new();
    loop {
        let before = delivered.len();
        for number in arrived {
            let mut causes = world.events[*number].causes.iter().filter(|cause| is_read(world, **cause));
            if causes.all(|cause| delivered.contains(cause)) {
                delivered.insert(*number);
            }
        }
        if delivered.len() == before {
            return delivered;
        }
    }
}

/// Whatever the order of arrival, after every arrival: each form has delivered just what can be, once, in an order
/// that extends happened-before.
pub(super) fn every_form_delivers_what_can_be(
    world: &World,
    arrivals: &[Index],
) -> Result<(), TestCaseError> {
    let mut readers = Form::ALL.map(|form| Reader::new(form, world.events.len() + 1));
    let mut arrived = BTreeSet::new();
    let in_order = (0..world.events.len()).rev();
    let numbers = arrivals.iter().map(|arrival| arrival.index(world.events.len().max(1))).chain(in_order);
    for number in numbers.filter(|number| *number < world.events.len() && is_read(world, *number)) {
        let is_new = arrived.insert(number);
        let expected = deliverable(world, &arrived);
        for reader in &mut readers {
            let answer = if is_new { Arrived::Taken } else { Arrived::Duplicate };
            prop_assert_eq!(reader.arrive(world, number), Ok(answer));
            reader.deliver_all(world);
            prop_assert_eq!(&reader.set(), &expected, "{:?}", reader.form);
        }
    }
    for reader in &readers {
        world.assert_causal(&reader.delivered);
        prop_assert_eq!(reader.core.held().count(), 0, "everything has arrived");
    }
    Ok(())
}

/// An inbox with room for one event, to which events are offered until they are taken, delivers everything.
pub(super) fn the_smallest_inbox_delivers_everything(
    world: &World,
    arrivals: &[Index],
) -> Result<(), TestCaseError> {
    for form in Form::ALL {
        let mut reader = Reader::new(form, 1);
        let mut waiting: Vec<usize> =
            (0..world.events.len()).filter(|number| is_read(world, *number)).collect();
        for (place, arrival) in arrivals.iter().enumerate().take(waiting.len()) {
            let other = arrival.index(waiting.len());
            waiting.swap(place, other);
        }
        let expected: BTreeSet<_> = waiting.iter().copied().collect();
        while !waiting.is_empty() {
            let before = waiting.len();
            waiting.retain(|number| {
                let is_refused = reader.arrive(world, *number).is_err();
                reader.deliver_all(world);
                is_refused
            });
            prop_assert!(waiting.len() < before, "{form:?}: the inbox is full and waits for ever");
        }
        world.assert_causal(&reader.delivered);
        prop_assert_eq!(reader.set(), expected);
    }
    Ok(())
}
