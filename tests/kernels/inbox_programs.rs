//! Small concurrent programs over the causal inbox, and one run of a program, judged by the law.

use std::num::NonZeroUsize;

use lawspeaker_bus::causal_inbox::CausalInbox;
use lawspeaker_bus::causality::DotSet;
use lawspeaker_bus::sync::Arc;
use lawspeaker_history::{Call, EventId, History, MemoryRecorder};

use super::causal_world::{Form, READ, World, partition, small_world};
use super::inbox_law::{self, InboxAnswer, InboxCall, InboxLaw};
use super::linearization::{Observer, Witness};
use super::programs::run_threads;

/// What a thread does with the inbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InboxStep {
    /// The question arrives.
    Cause,
    /// An answer to it arrives.
    Effect,
    /// What follows from the question, and from another answer, arrives.
    EffectOfBoth,
    /// Delivers an event, if one is ready.
    Deliver,
    /// Gives the question up.
    GiveUp,
    /// Closes the inbox.
    Close,
}

impl InboxStep {
    /// The whole alphabet.
    pub const ALL: [InboxStep; 6] = [
        InboxStep::Cause,
        InboxStep::Effect,
        InboxStep::EffectOfBoth,
        InboxStep::Deliver,
        InboxStep::GiveUp,
        InboxStep::Close,
    ];
    /// The alphabet of one cause and one effect.
    pub const OF_ONE_EFFECT: [InboxStep; 4] =
        [InboxStep::Cause, InboxStep::Effect, InboxStep::Deliver, InboxStep::Close];

    /// The call; the events are those of [`small_world`].
    fn call(self) -> InboxCall {
        let arrive = |number| InboxCall::Arrive { number, now: 0 };
        match self {
            InboxStep::Cause => arrive(0),
            InboxStep::Effect => arrive(2),
            InboxStep::EffectOfBoth => arrive(3),
            InboxStep::Deliver => InboxCall::Deliver,
            InboxStep::GiveUp => InboxCall::GiveUp { number: 0 },
            InboxStep::Close => InboxCall::Close,
        }
    }
}

/// Room for one event, so that programs of two find it full.
const CAPACITY: usize = 1;
/// The form in which the programs' events carry their causes. All of them are compared in O1 and in long runs.
const FORM: Form = Form::NearestDependencies;

/// An inbox of a reader of a small world.
pub fn open_inbox(capacity: usize, recorder: &Arc<MemoryRecorder>) -> Arc<CausalInbox> {
    let capacity = NonZeroUsize::new(capacity).unwrap();
    let inbox =
        CausalInbox::new("reader".into(), READ.map(partition), DotSet::new(), capacity, recorder.clone());
    Arc::new(inbox)
}

/// Runs a program of the inbox and demands a lawful order of its calls that ends in the inbox's very state, and a
/// history that tells what was delivered, in that order.
pub fn run_inbox_program(program: &[Vec<InboxStep>]) {
    let world = Arc::new(small_world());
    let recorder = Arc::new(MemoryRecorder::new());
    let inbox = open_inbox(CAPACITY, &recorder);
    let observer = Arc::new(Observer::<InboxLaw>::new());
    let body = |(thread, steps): (usize, &Vec<InboxStep>)| -> Box<dyn FnOnce() + Send> {
        let (steps, world, inbox) = (steps.clone(), world.clone(), inbox.clone());
        let mut witness = Witness::new(&observer, thread);
        Box::new(move || {
            steps.iter().map(|step| step.call()).for_each(|call| {
                witness.observe(call, || inbox_law::call(&world, FORM, &inbox, call));
            });
        })
    };
    run_threads(program.iter().enumerate().map(body).collect());

    let applied = applied(&recorder.history());
    let held = inbox_law::call(&world, FORM, &inbox, InboxCall::Close);
    observer.assert_lawful(&InboxLaw::new(&world, FORM, CAPACITY), |law| {
        let numbers: Vec<_> = law.spec.delivered().iter().map(|event| event.number as usize).collect();
        let left: Vec<_> = law.spec.held().iter().map(|held| held.event.number as usize).collect();
        numbers == applied && InboxAnswer::HandedBack(left) == held
    });
}

/// The events whose delivery was recorded, in order.
pub fn applied(history: &History) -> Vec<usize> {
    let number = |id: &Option<EventId>| match id {
        Some(EventId::Number(number)) => usize::try_from(*number).unwrap(),
        other => panic!("these tests number their events, and one is {other:?}"),
    };
    let deliveries = history.ops.iter().filter_map(|op| match &op.call {
        Call::Apply(deliveries) => Some(deliveries.iter().map(|delivery| number(&delivery.event))),
        _ => None,
    });
    deliveries.flatten().collect()
}

/// A world for scenarios, shared.
pub fn shared_world() -> Arc<World> {
    Arc::new(small_world())
}
