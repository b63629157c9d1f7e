//! What must hold of causal delivery, and what must happen lest it hold for want of anything happening.

use lawspeaker_history::Guarantee;

use super::number::all;
use super::{Action, CausalDelivery, EventNumber, Number, Partition, Service, State, has_twice};
use crate::engine::{Law, System, When, Witness};

pub(super) fn laws() -> Vec<Law<CausalDelivery>> {
    use Guarantee::{
        AtLeastOnce, CausalDelivery as Causal, NoCreation, NoDeadlock, NoDuplication, PartitionOrder,
    };
    let law = |guarantee, when, says, holds| Law { guarantee, when, says, holds };
    vec![
        law(
            Causal,
            When::Always,
            "no service delivers an event before all that happened before it and that it subscribes to",
            causal_delivery,
        ),
        law(
            PartitionOrder,
            When::Always,
            "no service delivers an event of a partition before one that stands ahead of it",
            partition_order,
        ),
        law(AtLeastOnce, When::Always, "no service gives up an event", nothing_is_dropped),
        law(
            AtLeastOnce,
            When::LeadsTo(|model: &CausalDelivery, state| !model.is_done(state)),
            "what was emitted is delivered, in the end, by every service that subscribes to its partition",
            |model, state| model.is_done(state),
        ),
        law(NoDuplication, When::Always, "no event stands twice in a log", |_, state| {
            !state.logs.iter().any(has_twice)
        }),
        law(
            NoCreation,
            When::Always,
            "what stands in a log was sent to its partition, and what was delivered stands in a log",
            no_creation,
        ),
        law(
            NoDeadlock,
            When::Always,
            "no service has something to read of which it can deliver nothing, when all that was emitted is in the logs",
            |model, state| !all(model.bounds.services).any(|service| model.is_stuck(state, service)),
        ),
    ]
}

pub(super) fn witnesses() -> Vec<Witness<CausalDelivery>> {
    let witness =
        |says, is_met: fn(&CausalDelivery, &State, &Action, &State) -> bool| Witness { says, is_met };
    vec![
        witness("every event is delivered by everybody who subscribes to it", |model, _, _, after| {
            after.emitted.len() == usize::from(model.bounds.events) && model.is_done(after)
        }),
        witness("an event waits for its cause", |model, _, _, after| {
            all(model.bounds.services).any(|service| waiting(model, after, service).next().is_some())
        }),
        witness(
            "a cause comes after its effect, which can then be delivered",
            |model, before, action, after| {
                let frees = |service, cause| {
                    waiting(model, before, service).any(|event| {
                        after.event(event).deps.has(cause) && model.is_ready(after, service, event)
                    })
                };
                matches!(action, Action::Deliver(service, cause) if frees(*service, *cause))
            },
        ),
        witness(
            "a cause is not waited for, as it is in a partition that is not read",
            |_, before, action, _| {
                let skips = |service, event| {
                    before.event(event).deps.minus(before.known(service)).iter().next().is_some()
                };
                matches!(action, Action::Deliver(service, event) if skips(*service, *event))
            },
        ),
        witness("a cause and its effect stand in two partitions", |_, before, action, _| {
            let crosses = |event: EventNumber| {
                let Some(effect) = before.emitted.get(event.index()) else { return false };
                effect.deps.iter().any(|cause| before.event(cause).to != effect.to)
            };
            matches!(action, Action::Append(event, _) if crosses(*event))
        }),
        witness("two services see two concurrent events in different orders", |model, _, _, after| {
            concurrent(after).any(|(one, other)| is_seen_in_both_orders(model, after, one, other))
        }),
        witness(
            "an event waits for the acknowledgement of one that its service sent elsewhere",
            |model, _, _, after| {
                let waits = |service| {
                    all(model.bounds.partitions).any(|to| model.awaits_acknowledgement(after, service, to))
                };
                after.emitted.len() < usize::from(model.bounds.events)
                    && all(model.bounds.producers).any(waits)
            },
        ),
    ]
}

/// The first events that a service has not come past, a partition each, as far as they wait for a cause.
fn waiting<'a>(
    model: &'a CausalDelivery,
    state: &'a State,
    service: Service,
) -> impl Iterator<Item = EventNumber> + 'a {
    let heads =
        all(model.bounds.partitions).filter_map(move |partition| state.unread(service, partition).next());
    heads.filter(move |event| !model.is_ready(state, service, *event))
}

/// Pairs of events of which neither happened before the other.
fn concurrent(state: &State) -> impl Iterator<Item = (EventNumber, EventNumber)> + '_ {
    state.events().flat_map(move |later| {
        let past = state.ghost.past[later.index()];
        state
            .events()
            .filter(move |earlier| *earlier < later && !past.has(*earlier))
            .map(move |earlier| (earlier, later))
    })
}

/// Whether one service has seen only the first of two events and another only the second, which it did not emit.
fn is_seen_in_both_orders(
    model: &CausalDelivery,
    state: &State,
    one: EventNumber,
    other: EventNumber,
) -> bool {
    let services = || all::<Service>(model.bounds.services);
    let lacks =
        |service: Service, event| !state.known(service).has(event) && state.is_subscribed(service, event);
    let sees =
        |event, lacking| services().any(|service| state.known(service).has(event) && lacks(service, lacking));
    let delivers = |event, lacking| {
        services().any(|service| state.delivered[service.index()].has(event) && lacks(service, lacking))
    };
    (sees(one, other) && delivers(other, one)) || (sees(other, one) && delivers(one, other))
}

/// What a service has delivered is closed under happened-before. A state is checked after every delivery, so that a cause
/// delivered too late was missing in an earlier state.
fn causal_delivery(model: &CausalDelivery, state: &State) -> bool {
    all(model.bounds.services).all(|service| {
        let past = |event: EventNumber| state.ghost.past[event.index()].minus(state.known(service));
        let is_whole = |event| !past(event).iter().any(|cause| state.is_subscribed(service, cause));
        state.delivered[service.index()].iter().all(is_whole)
    })
}

/// Of each log a service delivers a prefix, not counting its own events and those it gave up.
fn partition_order(model: &CausalDelivery, state: &State) -> bool {
    let in_order = |service: Service, partition: Partition| {
        let (delivered, log) = (state.delivered[service.index()], &state.logs[partition.index()]);
        let first_unread = state.unread(service, partition).next();
        let place = log.iter().position(|event| Some(*event) == first_unread).unwrap_or(log.len());
        let (ahead, behind) = log.split_at(place);
        !behind.iter().any(|event| delivered.has(*event) && !ahead.contains(event))
    };
    all(model.bounds.services)
        .all(|service| all(model.bounds.partitions).all(|partition| in_order(service, partition)))
}

fn nothing_is_dropped(_: &CausalDelivery, state: &State) -> bool {
    state.dropped.iter().all(|dropped| dropped.is_empty())
}

fn no_creation(model: &CausalDelivery, state: &State) -> bool {
    let is_at_home = |partition: Partition| {
        state.logs[partition.index()].iter().all(|event| state.event(*event).to == partition)
    };
    let is_there = |event| state.is_appended(event);
    all(model.bounds.partitions).all(is_at_home)
        && state.delivered.iter().all(|delivered| delivered.iter().all(is_there))
}
