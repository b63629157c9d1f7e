//! The law of the causal inbox: its specification, and how the bus's answers compare with it.

use lawspeaker_bus::causal_inbox::{Arrived, CausalInbox, InboxClosed, Refusal};
use lawspeaker_bus::sync::Arc;
use lawspeaker_spec::causal_inbox::{Answer, CausalInbox as Spec};

use super::causal_world::{Form, READ, World};
use super::linearization::Law;

/// A call of the inbox. Events are those of a world, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InboxCall {
    Arrive { number: usize, now: u64 },
    Deliver,
    GiveUp { number: usize },
    Close,
}

/// What it is answered, in the law's words.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum InboxAnswer {
    Done,
    Arrived(Answer),
    Delivered(Option<usize>),
    Closed,
    HandedBack(Vec<usize>),
}

/// What the bus answers to an arrival, in the law's words.
pub fn answer(bus: Result<Arrived, Refusal>) -> Answer {
    match bus {
        Ok(Arrived::Taken) => Answer::Taken,
        Ok(Arrived::Duplicate) => Answer::Duplicate,
        Err(Refusal::Full { .. }) => Answer::Full,
        Err(Refusal::NotSubscribed) => Answer::NotSubscribed,
        Err(Refusal::Closed) => Answer::Closed,
    }
}

/// Makes the call at the bus's inbox.
pub fn call(world: &World, form: Form, inbox: &CausalInbox, call: InboxCall) -> InboxAnswer {
    match call {
        InboxCall::Arrive { number, now } => {
            InboxAnswer::Arrived(answer(inbox.offer(world.arrival(number, form), now)))
        }
        InboxCall::Deliver => match inbox.try_receive() {
            Ok(event) => InboxAnswer::Delivered(event.map(|event| world.number(&event.dot()))),
            Err(InboxClosed) => InboxAnswer::Closed,
        },
        InboxCall::GiveUp { number } => {
            inbox.give_up(&world.events[number].dot.span());
            InboxAnswer::Done
        }
        InboxCall::Close => {
            let held = inbox.close();
            InboxAnswer::HandedBack(held.iter().map(|event| world.number(&event.dot())).collect())
        }
    }
}

/// The specification, fed with the causes that the events list in this form.
#[derive(Clone, Debug)]
pub struct InboxLaw {
    pub world: Arc<World>,
    pub form: Form,
    pub spec: Spec,
}

impl InboxLaw {
    pub fn new(world: &Arc<World>, form: Form, capacity: usize) -> Self {
        let spec = Spec::new(capacity, READ.map(|number| number as u64).to_vec());
        InboxLaw { world: world.clone(), form, spec }
    }
}

/// The specification's answer to the call.
pub fn spec_answer(world: &World, form: Form, spec: &mut Spec, call: InboxCall) -> InboxAnswer {
    let number = |event: lawspeaker_spec::causal_inbox::Event| usize::try_from(event.number).unwrap();
    match call {
        InboxCall::Arrive { number, now } => {
            let causes = world.listed_causes(number, form);
            InboxAnswer::Arrived(spec.arrive(world.event(number), causes, now))
        }
        InboxCall::Deliver if spec.is_closed() => InboxAnswer::Closed,
        InboxCall::Deliver => InboxAnswer::Delivered(spec.deliver().map(number)),
        InboxCall::GiveUp { number } => {
            spec.give_up(world.event(number));
            InboxAnswer::Done
        }
        InboxCall::Close => InboxAnswer::HandedBack(spec.close().into_iter().map(number).collect()),
    }
}

impl Law for InboxLaw {
    type Call = InboxCall;
    type Answer = InboxAnswer;

    fn answer(&mut self, call: &InboxCall) -> InboxAnswer {
        spec_answer(&self.world, self.form, &mut self.spec, *call)
    }

    fn is_ordered(_call: &InboxCall) -> bool {
        true
    }

    fn lets_change(_call: &InboxCall) -> bool {
        false
    }

    fn changes(&self) -> Vec<Self> {
        Vec::new()
    }
}
