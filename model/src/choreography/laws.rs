//! What must hold of the choreography, and what must happen lest it hold for want of anything happening.

use lawspeaker_history::Guarantee;

use super::{Action, Choreography, Event, Order, Service, State};
use crate::engine::{Law, System, When, Witness};
use crate::participant::Participant;

pub(super) fn laws() -> Vec<Law<Choreography>> {
    use Guarantee::{EffectOnce, SagaAtomicity, SagaTermination};
    let law = |guarantee, when, says, holds| Law { guarantee, when, says, holds };
    vec![
        law(
            SagaAtomicity,
            When::Always,
            "what is shipped is reserved and paid for, and stays so",
            shipped_is_final,
        ),
        law(SagaAtomicity, When::Always, "no step is done once it was refused or cancelled", |_, state| {
            !state.ghost.has_done_closed
        }),
        law(
            SagaAtomicity,
            When::Quiescent,
            "when nothing but faults can happen any more, all steps of a completed order are done, and none of any other stands",
            all_or_nothing,
        ),
        law(EffectOnce, When::Always, "no step is done twice, and none is compensated twice", effect_once),
        law(
            SagaTermination,
            When::Quiescent,
            "when nothing but faults can happen any more, an order that was placed has ended",
            |model, state| state.order == Order::Wanted || model.is_done(state),
        ),
        law(
            SagaTermination,
            When::Eventually,
            "in the end, the order is completed or cancelled",
            |model, state| model.is_done(state),
        ),
        Law::no_deadlock("when nothing but faults can happen any more, the order is completed or cancelled"),
    ]
}

pub(super) fn witnesses() -> Vec<Witness<Choreography>> {
    let witness = |says, is_met| Witness { says, is_met };
    let mut witnesses = vec![
        witness("an order is completed, with every step done", |_: &Choreography, _, _, after: &State| {
            after.order == Order::Completed && of(after, Service::Shipping).stands()
        }),
        witness("a cancelled order is released and refunded", |_, _, _, after| {
            let is_undone = |service| of(after, service).compensations > 0;
            after.order == Order::Cancelled && is_undone(Service::Inventory) && is_undone(Service::Payments)
        }),
        witness("a declined payment releases what was reserved", |_, _, _, after| {
            of(after, Service::Payments).is_refused && of(after, Service::Inventory).compensations > 0
        }),
        witness("a cancellation comes too late", |_, before, action, _| {
            handles(before, action) == Some((Service::Shipping, Event::CancelAsked))
                && of(before, Service::Shipping).executions > 0
        }),
    ];
    witnesses.extend(witnesses_of_repeats());
    witnesses
}

fn witnesses_of_repeats() -> Vec<Witness<Choreography>> {
    let witness = |says, is_met| Witness { says, is_met };
    vec![
        witness(
            "a step is asked for again and not done again",
            |_: &Choreography, before: &State, action, _| {
                asked(before, action).is_some_and(|service| of(before, service).executions > 0)
            },
        ),
        witness("a cancellation is heard of again and nothing is undone again", |_, before, action, _| {
            matches!(handles(before, action), Some((service, Event::Stopped))
                if of(before, service).compensations > 0)
        }),
        witness("what was refused is asked for again and not done", |_, before, action, after| {
            asked(before, action)
                .is_some_and(|service| of(before, service).is_refused && !of(after, service).stands())
        }),
        witness("an event that its cancellation overtook is passed over", |_, before, action, after| {
            let is_overtaken =
                |service: Service| of(before, service).has_tombstone && of(after, service).executions == 0;
            asked(before, action).is_some_and(is_overtaken)
        }),
        witness("a service that crashed handles the event after all", |_, before, action, after| {
            matches!(action, Action::Crash(..)) && before.steps == after.steps
        }),
    ]
}

fn of(state: &State, service: Service) -> Participant {
    state.steps[service.place()]
}

/// Who handles what.
fn handles(before: &State, action: &Action) -> Option<(Service, Event)> {
    let Action::Handle(reader, topic) = action else { return None };
    Choreography::next(before, *reader, *topic).map(|event| (*reader, event))
}

/// Who is asked for its step.
fn asked(before: &State, action: &Action) -> Option<Service> {
    let asks = |event: &Event| matches!(event, Event::Placed | Event::Reserved | Event::Charged);
    handles(before, action).filter(|(_, event)| asks(event)).map(|(service, _)| service)
}

fn shipped_is_final(_: &Choreography, state: &State) -> bool {
    let stands = |service| of(state, service).stands();
    !stands(Service::Shipping) || (stands(Service::Inventory) && stands(Service::Payments))
}

fn all_or_nothing(_: &Choreography, state: &State) -> bool {
    let stands = |service: &Service| of(state, *service).stands();
    let mut services = [Service::Inventory, Service::Payments, Service::Shipping].iter();
    match state.order {
        Order::Completed => services.all(stands),
        Order::Wanted | Order::Pending | Order::Cancelled => !services.any(stands),
    }
}

fn effect_once(_: &Choreography, state: &State) -> bool {
    state.steps.iter().all(|step| step.executions <= 1 && step.compensations <= 1)
}
