//! The inbox's core and its specification, in lock-step, for contexts of every form.

use std::num::NonZeroUsize;

use lawspeaker_bus::causal_inbox::CausalInboxCore;
use lawspeaker_bus::causality::{DotSet, Span};
use lawspeaker_spec::causal_inbox::{CausalInbox as Spec, Event};
use stateright::{Model, Property};

use crate::kernels::causal_world::{Form, READ, World, partition, small_world};
use crate::kernels::inbox_law::{InboxAnswer, InboxCall, answer, spec_answer};

// Bounds: room for two of the five events that can arrive, so that the inbox fills up with effects; one cause given
// up; and two points in time, so that one event waits longer than another.
const CAPACITY: usize = 2;
const GIVEN_UP_COUNT: usize = 1;
const LAST_MS: u64 = 1;
/// Every state within the bounds.
pub(crate) const STATE_COUNT: usize = 34_528;

/// The search.
#[derive(Clone, Debug)]
pub(crate) struct LockStep {
    world: World,
}

impl LockStep {
    pub(crate) fn new() -> Self {
        LockStep { world: small_world() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    form: Form,
    core: CausalInboxCore,
    spec: Spec,
    now_ms: u64,
    is_answer_equal: bool,
}

/// What happens next: a call, or a millisecond passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Call(InboxCall),
    Tick,
}

impl Model for LockStep {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        let capacity = NonZeroUsize::new(CAPACITY).unwrap();
        let state = |form| State {
            form,
            core: CausalInboxCore::new(READ.map(partition), DotSet::new(), capacity),
            spec: Spec::new(CAPACITY, READ.map(|number| number as u64).to_vec()),
            now_ms: 0,
            is_answer_equal: true,
        };
        Form::ALL.map(state).to_vec()
    }

    fn actions(&self, state: &State, actions: &mut Vec<Step>) {
        let numbers = 0..self.world.events.len();
        let arrive = |number| InboxCall::Arrive { number, now: state.now_ms };
        let mut calls: Vec<InboxCall> = numbers.clone().map(arrive).collect();
        calls.extend([InboxCall::Deliver, InboxCall::Close]);
        if state.spec.given_up().len() < GIVEN_UP_COUNT {
            calls.extend(numbers.map(|number| InboxCall::GiveUp { number }));
        }
        actions.extend(calls.into_iter().map(Step::Call));
        if state.now_ms < LAST_MS {
            actions.push(Step::Tick);
        }
    }

    fn next_state(&self, state: &State, step: Step) -> Option<State> {
        let mut next = state.clone();
        match step {
            Step::Tick => next.now_ms += 1,
            Step::Call(call) => {
                let answer = self.answer(&mut next, call);
                next.is_answer_equal = answer == spec_answer(&self.world, state.form, &mut next.spec, call);
            }
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("answers are equal", |_, state: &State| state.is_answer_equal),
            Property::always("abstract states are equal", |model: &Self, state| model.is_equal(state)),
            Property::always("what is stuck is told alike", |model: &Self, state| {
                model.is_stuck_equal(state)
            }),
            Property::always("no effect before its cause", |model: &Self, state| model.is_causal(state)),
            Property::sometimes("a full inbox has taken what it waited for", |_, state: &State| {
                state.core.held().count() > CAPACITY
            }),
            Property::sometimes("everything is delivered", |_, state: &State| {
                state.spec.delivered().len() == 5 && state.spec.given_up().is_empty()
            }),
            Property::sometimes("an inbox is closed with events in it", |_, state: &State| {
                state.spec.is_closed() && !state.spec.delivered().is_empty()
            }),
            Property::sometimes("one event has waited longer than another", |_, state: &State| {
                state.core.stuck(1, 1).len() == 1 && state.core.stuck(1, 0).len() == 2
            }),
        ]
    }
}

impl LockStep {
    fn answer(&self, state: &mut State, call: InboxCall) -> InboxAnswer {
        let number = |dot| self.world.number(&dot);
        match call {
            InboxCall::Arrive { number, now } => {
                let context = self.world.context(number, state.form);
                let dot = self.world.events[number].dot.clone();
                InboxAnswer::Arrived(answer(state.core.arrive(dot, Some(context), now)))
            }
            InboxCall::Deliver if state.core.is_closed() => InboxAnswer::Closed,
            InboxCall::Deliver => InboxAnswer::Delivered(state.core.deliver().map(number)),
            InboxCall::GiveUp { number } => {
                state.core.give_up(&self.world.events[number].dot.span());
                InboxAnswer::Done
            }
            InboxCall::Close => InboxAnswer::HandedBack(state.core.close().into_iter().map(number).collect()),
        }
    }

    /// The events of `spans`, in the law's words and in order.
    fn events(&self, spans: impl IntoIterator<Item = Span>) -> Vec<Event> {
        let of_span = |span: Span| {
            let is_in = move |number: &usize| {
                let dot = &self.world.events[*number].dot;
                dot.lane == span.lane && (span.first..span.end).contains(&dot.sequence)
            };
            (0..self.world.events.len()).filter(is_in).map(|number| self.world.event(number))
        };
        let mut events: Vec<Event> = spans.into_iter().flat_map(of_span).collect();
        events.sort_unstable();
        events
    }

    fn is_equal(&self, state: &State) -> bool {
        let State { core, spec, .. } = state;
        let held = core.held().map(|dot| self.world.event(self.world.number(dot)));
        let mut delivered = spec.delivered().to_vec();
        delivered.sort_unstable();
        held.eq(spec.held().iter().map(|held| held.event))
            && self.events(core.delivered().spans()) == delivered
            && self.events(core.given_up().spans()) == spec.given_up()
            && core.is_closed() == spec.is_closed()
    }

    fn is_stuck_equal(&self, state: &State) -> bool {
        (0..=LAST_MS).all(|timeout_ms| {
            let bus = state.core.stuck(state.now_ms, timeout_ms).into_iter();
            let bus = bus.map(|stuck| {
                let event = self.world.event(self.world.number(&stuck.event));
                (event, self.events(stuck.missing), stuck.waiting_ms)
            });
            let law = state.spec.stuck(state.now_ms, timeout_ms).into_iter();
            bus.eq(law.map(|(event, mut missing, waiting_ms)| {
                missing.sort_unstable();
                (event, missing, waiting_ms)
            }))
        })
    }

    /// Of what truly happened before what, whatever the events tell.
    fn is_causal(&self, state: &State) -> bool {
        let delivered: Vec<_> = state.spec.delivered().iter().map(|event| event.number as usize).collect();
        let is_inverted = |(place, number): (usize, &usize)| {
            delivered[place..].iter().any(|later| self.world.events[*number].causes.contains(later))
        };
        !state.spec.given_up().is_empty() || !delivered.iter().enumerate().any(is_inverted)
    }
}
