//! Sagas: their log and their participants, and the executor that goes on.

use std::collections::BTreeMap;
use std::sync::Arc;

use lawspeaker_bus::bus::{Bus, Config};
use lawspeaker_bus::saga::{
    ExecutorConfig, ManualClock, Participant, SagaDefinition, SagaExecutor, StepContext, StepError,
    StepRecording,
};
use lawspeaker_bus::store::CrashStore;
use lawspeaker_history::{NoRecorder, SagaOutcome};

use crate::everywhere::{Subject, crash_everywhere};

const CONFIG: Config = Config { segment_bytes: 4_000, max_message_bytes: 200, max_partition_count: 4 };
/// Of each saga whether the bank refuses it.
const SAGAS: [(&str, bool); 2] = [("good", false), ("bad", true)];

/// Books a flight and charges for it, in two sagas; the second is refused.
struct Script;

#[derive(Clone, Default)]
struct Told {
    /// How each saga ended, as far as that was told.
    ended: BTreeMap<&'static str, SagaOutcome>,
}

/// The bus and all that stands on it.
struct World {
    bus: Arc<Bus>,
    airline: Arc<Participant>,
    bank: Arc<Participant>,
}

impl World {
    fn open(store: &CrashStore) -> Option<World> {
        let opened = Bus::open_in(Arc::new(store.clone()), CONFIG, Arc::new(NoRecorder));
        let bus = match opened {
            Ok(bus) => Arc::new(bus),
            Err(_) if store.is_down() => return None,
            Err(error) => panic!("a crash was taken for damage: {error}"),
        };
        let [airline, bank] = ["airline", "bank"].map(|name| bus.participant(name).ok());
        Some(World { bus, airline: airline?, bank: bank? })
    }

    /// Asks a participant. Once the power is off nobody answers any more, and the bus is closed, or the executor would
    /// ask for ever.
    fn asking(
        &self,
        participant: &Arc<Participant>,
        store: &CrashStore,
        ask: impl Fn(&StepContext<bool>, &Participant) -> Result<(), StepError> + Send + Sync + 'static,
    ) -> impl Fn(&StepContext<bool>) -> Result<(), StepError> + Send + Sync + 'static {
        let (bus, store, participant) = (Arc::downgrade(&self.bus), store.clone(), participant.clone());
        move |context| {
            let answer = ask(context, &participant);
            if let Some(bus) = bus.upgrade().filter(|_| store.is_down()) {
                bus.close();
            }
            answer
        }
    }

    fn executor(&self, store: &CrashStore) -> Option<SagaExecutor<bool>> {
        let definition = SagaDefinition::builder("trip")
            .step(
                "flight",
                self.asking(&self.airline, store, |context, airline| context.perform(airline, || Ok(()))),
                self.asking(&self.airline, store, |context, airline| context.compensate(airline)),
            )
            .pivot(
                "charge",
                self.asking(&self.bank, store, |context, bank| {
                    let is_refused = *context.input();
                    context.perform(bank, || if is_refused { Err("no money".to_owned()) } else { Ok(()) })
                }),
            );
        let log = self.bus.saga_log("trip", StepRecording::ByParticipants).ok()?;
        let config = ExecutorConfig { clock: Arc::new(ManualClock::default()), ..ExecutorConfig::default() };
        SagaExecutor::open(log, definition.build().unwrap(), config).ok()
    }

    /// How many of the participants have an effect of the saga.
    fn standing(&self, saga: &str) -> Option<usize> {
        let of_saga = |participant: &Participant| {
            let standing = participant.standing().ok()?;
            Some(standing.iter().filter(|(key, _)| key.saga.as_str() == saga).count())
        };
        Some(of_saga(&self.airline)? + of_saga(&self.bank)?)
    }
}

impl Told {
    fn execute(&mut self, executor: &SagaExecutor<bool>) -> Option<()> {
        for (saga, is_refused) in SAGAS {
            let outcome = executor.execute(saga, &is_refused).ok()?.outcome().unwrap();
            let expected = if is_refused { SagaOutcome::Aborted } else { SagaOutcome::Committed };
            assert_eq!(outcome, expected, "nothing but a refusal has a saga turn back");
            self.ended.insert(saga, outcome);
        }
        Some(())
    }

    /// What the log says is what the participants have; and nothing that was told is taken back.
    fn check(&self, world: &World, executor: &SagaExecutor<bool>) -> Option<()> {
        for (saga, _) in SAGAS {
            let standing = world.standing(saga)?;
            let status = executor.status(saga).ok()?;
            let outcome = status.map(|status| status.outcome().expect("an executor ends what it finds"));
            let expected = if outcome == Some(SagaOutcome::Committed) { 2 } else { 0 };
            assert_eq!(standing, expected, "saga {saga} is {outcome:?}");
            assert!(self.ended.get(saga).is_none_or(|told| outcome == Some(*told)), "an end was taken back");
        }
        Some(())
    }
}

impl Subject for Script {
    type Told = Told;

    fn run(&self, store: &CrashStore, told: &mut Told) -> Option<()> {
        let world = World::open(store)?;
        told.execute(&world.executor(store)?)
    }

    fn recover(&self, store: &CrashStore, told: &mut Told) -> Option<()> {
        let world = World::open(store)?;
        let executor = world.executor(store)?;
        executor.run_open().ok()?;
        told.check(&world, &executor)?;
        told.execute(&executor)?;
        told.check(&world, &executor)
    }
}

#[test]
fn no_saga_is_left_half_done_wherever_the_power_fails() {
    let count = crash_everywhere(&Script);
    println!(
        "O3 saga: {} boundaries, {} crashes, {} crashes of the recovery",
        count.boundaries, count.first, count.second
    );
    assert!(count.boundaries > 30 && count.second > 10_000, "too little was tried: {count:?}");
}
