//! The model of causal delivery drives inboxes: whatever a service of the model delivers, its inbox has delivered too,
//! after all of its causes, whether it was told of them by dependency sets or by vector clocks.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;

use lawspeaker_bus::causal_inbox::{Arrived, CausalInboxCore};
use lawspeaker_bus::causality::{CausalContext, Dot, DotSet, VectorClock};
use lawspeaker_bus::id::{Epoch, ProducerId, Sequence, Stamp};
use lawspeaker_history::Partition;
use lawspeaker_model::catalogue::{DomainModel, Preset};
use lawspeaker_model::causal_delivery::{Action, CausalDelivery, EventNumber, Number, Service, State};

use crate::model_driven::run;
use crate::walk::walk;

fn partition_name(number: usize) -> Partition {
    Partition::new("log", number as u32)
}

/// The name that the bus would give an event: its place among those that its service sent to its partition.
fn dot(state: &State, event: EventNumber) -> Dot {
    let sent = state.event(event);
    let is_of_lane = |other: &EventNumber| {
        let other = state.event(*other);
        (other.by, other.to) == (sent.by, sent.to)
    };
    let before = state.events().filter(is_of_lane).take_while(|other| *other != event).count();
    let stamp = Stamp {
        producer: ProducerId(sent.by.index() as u64),
        epoch: Epoch(0),
        sequence: Sequence(before as u64),
    };
    Dot::new(&partition_name(sent.to.index()), stamp)
}

fn dependency_set(state: &State, event: EventNumber) -> CausalContext {
    CausalContext::Dependencies(
        state.event(event).deps.iter().map(|cause| (dot(state, cause), None)).collect(),
    )
}

fn vector_clock(state: &State, event: EventNumber) -> CausalContext {
    let mut clock = VectorClock::new();
    // In the order of emission, which is the order within each lane.
    state.event(event).deps.iter().for_each(|cause| clock.advance(&dot(state, cause)));
    CausalContext::Clock(clock)
}

/// The inbox of each service, and what it has delivered, in order.
struct Inboxes {
    context: fn(&State, EventNumber) -> CausalContext,
    services: Vec<(CausalInboxCore, Vec<Dot>)>,
}

impl Inboxes {
    fn new(state: &State, context: fn(&State, EventNumber) -> CausalContext) -> Self {
        let inbox = |service: usize| {
            let subscribed = state.subscribed[service].iter().map(|read| partition_name(read.index()));
            (CausalInboxCore::new(subscribed, DotSet::new(), NonZeroUsize::MAX), Vec::new())
        };
        Inboxes { context, services: (0..state.subscribed.len()).map(inbox).collect() }
    }

    /// Whoever reads the partition of an event gets it as soon as it is appended, and delivers what it can.
    fn append(&mut self, state: &State, event: EventNumber) {
        let (dot, context) = (dot(state, event), (self.context)(state, event));
        for (inbox, delivered) in &mut self.services {
            if let Ok(arrived) = inbox.arrive(dot.clone(), Some(&context), 0) {
                assert_eq!(arrived, Arrived::Taken, "the baseline stores no event twice");
            }
            delivered.extend(std::iter::from_fn(|| inbox.deliver()));
        }
    }

    fn delivered(&self, service: Service) -> &[Dot] {
        &self.services[service.index()].1
    }
}

/// The causes of each event as they truly are.
fn causes(state: &State) -> BTreeMap<Dot, BTreeSet<Dot>> {
    let past =
        |event: EventNumber| state.ghost.past[event.index()].iter().map(|cause| dot(state, cause)).collect();
    state.events().map(|event| (dot(state, event), past(event))).collect()
}

fn assert_no_effect_before_its_cause(delivered: &[Dot], causes: &BTreeMap<Dot, BTreeSet<Dot>>) {
    for (place, effect) in delivered.iter().enumerate() {
        let late = delivered[place + 1..].iter().find(|later| causes[effect].contains(later));
        assert_eq!(late, None, "delivered after its effect {effect}");
    }
}

#[test]
fn what_the_model_delivers_inboxes_deliver_after_its_causes() {
    let model = CausalDelivery::preset(Preset::Small);
    run(|choices| {
        let trace = walk(&model, &choices);
        let mut inboxes = [dependency_set, vector_clock].map(|context| Inboxes::new(&trace.start, context));
        for (_, action, after) in trace.transitions() {
            match action {
                Action::Append(event, _) => inboxes.iter_mut().for_each(|boxes| boxes.append(after, *event)),
                Action::Deliver(service, event) => {
                    let dot = dot(after, *event);
                    inboxes
                        .iter()
                        .for_each(|boxes| assert!(boxes.delivered(*service).contains(&dot), "{dot}"));
                }
                Action::Emit(..) | Action::Drop(..) => {}
            }
        }
        let [by_sets, by_clocks] = inboxes;
        let causes = causes(trace.last());
        for ((inbox, delivered), (_, by_clock)) in by_sets.services.iter().zip(&by_clocks.services) {
            assert_eq!(inbox.held().count(), 0, "everything that was appended is delivered in the end");
            assert_eq!(delivered, by_clock);
            assert_no_effect_before_its_cause(delivered, &causes);
        }
    });
}
