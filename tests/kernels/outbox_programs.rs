//! Small concurrent programs over a service's store, their alphabet, and one run of a program, judged by the law.

use lawspeaker_bus::memory_journal::MemoryJournal;
use lawspeaker_bus::outbox::{Retention, ServiceStore};
use lawspeaker_bus::sync::Arc;
use lawspeaker_history::{MemoryRecorder, NoRecorder, Recorder};

use super::history;
use super::linearization::{Observer, Witness};
use super::outbox_law::{self, Effects, OutboxAnswer, OutboxCall, OutboxLaw};
use super::programs::run_threads;

/// What a thread does with the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutboxStep {
    /// Handles event 1.
    First,
    /// Handles event 2, which is refused.
    Second,
    /// Becomes the relay.
    Open,
    /// Takes what it is to publish as the relay.
    Owed,
    /// Marks that as published.
    Mark,
}

impl OutboxStep {
    /// The whole alphabet.
    pub const ALL: [OutboxStep; 5] =
        [OutboxStep::First, OutboxStep::Second, OutboxStep::Open, OutboxStep::Owed, OutboxStep::Mark];
}

/// A store over `journal`.
pub fn open_store(journal: &Arc<MemoryJournal>, recorder: Arc<dyn Recorder>) -> Arc<ServiceStore<Effects>> {
    let store = ServiceStore::recover("service", Retention::Forever, journal.clone(), recorder);
    Arc::new(store.expect("the journal is one of this service"))
}

/// Runs a program of the service, whose first relay the threads begin as, and demands a lawful order of its calls that
/// ends in the store's very state, a history that tells it, and a journal that keeps it.
pub fn run_outbox_program(program: &[Vec<OutboxStep>]) {
    let journal = Arc::new(MemoryJournal::new());
    let recorder = Arc::new(MemoryRecorder::new());
    let store = open_store(&journal, recorder.clone());
    let observer = Arc::new(Observer::<OutboxLaw>::new());
    let body = |(thread, steps): (usize, &Vec<OutboxStep>)| -> Box<dyn FnOnce() + Send> {
        let (steps, store, witness) = (steps.clone(), store.clone(), Witness::new(&observer, thread));
        Box::new(move || run_thread(thread as u64, &steps, &store, witness))
    };
    run_threads(program.iter().enumerate().map(body).collect());

    let finals = final_outcomes(&store);
    let owed_count = store.owed_count() as u64;
    observer.assert_lawful(&OutboxLaw::default(), |law| {
        let spec = law.spec();
        (1..=2).map(|event| spec.outcome(event)).eq(finals.iter().copied())
            && spec.end() - spec.published() == owed_count
    });
    let effects = store.view(Effects::clone).expect("the store is open");
    assert!(effects.values().all(|count| *count == 1), "an event had its effect twice: {effects:?}");
    let survivor = open_store(&Arc::new(journal.crash()), Arc::new(NoRecorder));
    assert_eq!(final_outcomes(&survivor), finals, "what was answered is durable");
    assert_eq!(survivor.view(Effects::clone).expect("the store is open"), effects);
    history::assert_tells_service(&recorder.history(), effects.len());
}

fn run_thread(
    thread: u64,
    steps: &[OutboxStep],
    store: &ServiceStore<Effects>,
    mut witness: Witness<OutboxLaw>,
) {
    let (mut relay, mut taken) = (0, 1);
    for step in steps {
        let call = match step {
            OutboxStep::First => OutboxCall::Handle { event: 1, is_refused: false },
            OutboxStep::Second => OutboxCall::Handle { event: 2, is_refused: true },
            OutboxStep::Open => OutboxCall::OpenRelay,
            OutboxStep::Owed => OutboxCall::Owed { relay },
            OutboxStep::Mark => OutboxCall::Mark { relay, next: taken },
        };
        witness.observe(call.clone(), || {
            let answer = outbox_law::call(store, thread, &call);
            match answer {
                OutboxAnswer::Relay(epoch) => relay = epoch,
                OutboxAnswer::Slots(_, end) => taken = end,
                _ => {}
            }
            answer
        });
    }
}

fn final_outcomes(store: &ServiceStore<Effects>) -> Vec<Option<lawspeaker_spec::outbox::Outcome>> {
    let outcome = |event| store.outcome(&outbox_law::id(event)).expect("the store is open");
    (1..=2).map(|event| outcome(event).map(outbox_law::outcome)).collect()
}
