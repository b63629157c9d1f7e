use std::future::pending;
use std::sync::atomic::{AtomicBool, Ordering};

use lawspeaker_history::{NoRecorder, SagaOutcome};

use super::*;
use crate::bus::{Bus, Config};
use crate::saga::{
    DefinitionBuilder, OpenExecutorError, Refusal, RetryPolicy, SagaCounts, SagaMetrics, SagaPhase,
    StepError, StepState,
};
use crate::store::MemoryStore;

/// What the actions did, in order.
#[derive(Clone, Default)]
struct Diary(Arc<Mutex<Vec<String>>>);

impl Diary {
    fn note(&self, context: &StepContext<u32>) {
        self.0.lock().unwrap().push(context.idempotency_key());
    }

    fn entries(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

type Builder = DefinitionBuilder<Task<u32>>;

/// Adds a step that is done, and undone, at once.
fn easy(builder: Builder, name: &'static str, diary: &Diary) -> Builder {
    let (done, undone) = (diary.clone(), diary.clone());
    builder.step(
        name,
        move |context| {
            done.note(&context);
            async move { Ok(format!("{name} for {}", context.input())) }
        },
        move |context| {
            undone.note(&context);
            async move { Ok(()) }
        },
    )
}

fn trip() -> Builder {
    TokioSagaDefinition::builder("trip")
}

fn bus_on(store: &MemoryStore) -> TokioBus {
    let bus = Bus::open_in(Arc::new(store.clone()), Config::default(), Arc::new(NoRecorder)).unwrap();
    TokioBus::over(Arc::new(bus))
}

async fn open(bus: &TokioBus, builder: Builder) -> (TokioSagas<u32>, Arc<SagaMetrics>) {
    let metrics = Arc::new(SagaMetrics::default());
    let config = ExecutorConfig { observer: metrics.clone(), ..ExecutorConfig::default() };
    let sagas = bus.sagas(builder.build().unwrap(), StepRecording::default(), config).await.unwrap();
    (sagas, metrics)
}

async fn ended(handle: &SagaHandle) -> SagaStatus {
    handle.ended().await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_saga_ends_with_all_of_its_steps_done() {
    let (bus, diary) = (bus_on(&MemoryStore::new()), Diary::default());
    let builder = easy(easy(trip(), "flight", &diary), "hotel", &diary)
        .pivot("charge", |context| async move { Ok(context.output::<String>("hotel")?.len()) })
        .retriable("mail", |_| async { Ok(()) });
    let (sagas, metrics) = open(&bus, builder).await;
    let status = ended(&sagas.start("t1", &7).await.unwrap()).await;
    assert_eq!(status.outcome(), Some(SagaOutcome::Committed));
    assert_eq!(status.output::<usize>("charge").unwrap(), Some("hotel for 7".len()));
    assert_eq!(status.to_string(), "t1 committed: flight done, hotel done, charge done, mail done");
    assert_eq!(diary.entries(), ["t1/flight", "t1/hotel"]);
    assert_eq!(metrics.counts(), SagaCounts { started: 1, committed: 1, ..SagaCounts::default() });
    assert_eq!(sagas.status("t1").await.unwrap(), Some(status));
    assert_eq!((sagas.status("t2").await.unwrap(), sagas.led_count()), (None, 0));
}

#[tokio::test(start_paused = true)]
async fn a_refused_pivot_has_every_step_compensated_in_reverse_order() {
    let (bus, diary) = (bus_on(&MemoryStore::new()), Diary::default());
    let builder = easy(easy(trip(), "flight", &diary), "hotel", &diary)
        .pivot("charge", |_| async { Err::<(), _>(StepError::refused("no money")) });
    let (sagas, metrics) = open(&bus, builder).await;
    let status = ended(&sagas.start("t1", &7).await.unwrap()).await;
    assert_eq!(status.to_string(), "t1 aborted: flight undone, hotel undone, charge refused (no money)");
    assert_eq!(status.failure().map(|(step, why)| (step.as_str(), why)), Some(("charge", "no money")));
    assert_eq!(diary.entries(), ["t1/flight", "t1/hotel", "t1/hotel/undo", "t1/flight/undo"]);
    assert_eq!(
        metrics.counts(),
        SagaCounts { started: 1, aborted: 1, compensations: 2, ..SagaCounts::default() }
    );
}

#[tokio::test(start_paused = true)]
async fn a_step_that_never_answers_is_asked_for_again_then_given_up_and_compensated_too() {
    let (bus, diary) = (bus_on(&MemoryStore::new()), Diary::default());
    let undone = diary.clone();
    let builder = easy(trip(), "flight", &diary)
        .step(
            "hotel",
            |_| pending::<Result<(), StepError>>(),
            move |context| {
                undone.note(&context);
                async move {
                    assert_eq!(context.own_output::<()>()?, None);
                    Ok(())
                }
            },
        )
        .timeout(Duration::from_secs(60))
        .retry(RetryPolicy { max_attempts: 2, ..RetryPolicy::default() });
    let (sagas, metrics) = open(&bus, builder).await;
    let before = Instant::now();
    let status = ended(&sagas.start("t1", &7).await.unwrap()).await;
    assert_eq!(status.to_string(), "t1 aborted: flight undone, hotel undone (timed out)");
    assert_eq!(diary.entries(), ["t1/flight", "t1/hotel/undo", "t1/flight/undo"]);
    assert_eq!(metrics.counts().retries, 1);
    assert!(before.elapsed() >= Duration::from_secs(120), "both attempts had their time");
}

#[tokio::test(start_paused = true)]
async fn what_must_be_done_is_asked_for_until_it_is() {
    let bus = bus_on(&MemoryStore::new());
    let (asked, undone) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)));
    let fails_until = |count: &Arc<Mutex<u32>>, last| {
        let mut count = count.lock().unwrap();
        *count += 1;
        let is_done = *count >= last;
        async move { if is_done { Ok(()) } else { Err(StepError::refused("not now")) } }
    };
    let builder = trip().retriable("mail", move |_| fails_until(&asked, 9));
    let (sagas, metrics) = open(&bus, builder).await;
    assert_eq!(ended(&sagas.start("t1", &7).await.unwrap()).await.phase, SagaPhase::Committed);
    assert_eq!(metrics.counts().retries, 8);
    let builder = TokioSagaDefinition::builder("return")
        .step("flight", |_| async { Ok(()) }, move |_| fails_until(&undone, 5))
        .pivot("charge", |_| async { Err::<(), _>(StepError::refused("no money")) });
    let (sagas, metrics) = open(&bus, builder).await;
    let status = ended(&sagas.start("t1", &7).await.unwrap()).await;
    assert_eq!(status.to_string(), "t1 aborted: flight undone (not now), charge refused (no money)");
    assert_eq!(status.failure().map(|(step, _)| step.as_str()), Some("charge"));
    let counts = metrics.counts();
    assert_eq!((counts.retries, counts.failed_compensations, counts.compensations), (4, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn steps_beside_one_another_run_at_once_and_so_do_their_compensations() {
    let bus = bus_on(&MemoryStore::new());
    let both = Arc::new(tokio::sync::Barrier::new(2));
    let meet = move || {
        let both = Arc::clone(&both);
        async move {
            both.wait().await;
            Ok(())
        }
    };
    let builder = trip()
        .parallel(|mut stage| {
            for name in ["flight", "hotel"] {
                let (done, undone) = (meet.clone(), meet.clone());
                stage = stage.step(name, move |_| done(), move |_| undone());
            }
            stage
        })
        .pivot("charge", |_| async { Err::<(), _>(StepError::refused("no money")) });
    let (sagas, _) = open(&bus, builder).await;
    let status = ended(&sagas.start("t1", &7).await.unwrap()).await;
    assert_eq!(status.phase, SagaPhase::Aborted);
}

#[tokio::test(start_paused = true)]
async fn after_a_crash_a_saga_goes_on_where_its_log_says() {
    let (store, diary) = (MemoryStore::new(), Diary::default());
    let is_stuck = Arc::new(AtomicBool::new(true));
    let builder = |diary: &Diary| {
        let (is_stuck, diary_of_charge) = (Arc::clone(&is_stuck), diary.clone());
        easy(trip(), "flight", diary).pivot("charge", move |context| {
            diary_of_charge.note(&context);
            let is_stuck = is_stuck.load(Ordering::SeqCst);
            async move { if is_stuck { pending().await } else { Ok(context.output::<String>("flight")?) } }
        })
    };
    let bus = bus_on(&store);
    let (sagas, _) = open(&bus, builder(&diary)).await;
    let handle = sagas.start("t1", &7).await.unwrap();
    while diary.entries().len() < 2 {
        tokio::task::yield_now().await;
    }
    drop((sagas, bus));
    assert_eq!(handle.ended().await, Err(StoppedError.into()));
    is_stuck.store(false, Ordering::SeqCst);
    let bus = bus_on(&store);
    let (sagas, metrics) = open(&bus, builder(&diary)).await;
    let status = ended(&sagas.start("t1", &7).await.unwrap()).await;
    assert_eq!(status.output::<String>("charge").unwrap().as_deref(), Some("flight for 7"));
    assert_eq!(diary.entries(), ["t1/flight", "t1/charge", "t1/charge"]);
    assert_eq!(metrics.counts(), SagaCounts { recovered: 1, committed: 1, ..SagaCounts::default() });
}

#[tokio::test(start_paused = true)]
async fn a_saga_goes_on_though_its_start_was_dropped_and_is_started_once() {
    let (bus, diary) = (bus_on(&MemoryStore::new()), Diary::default());
    let (sagas, _) = open(&bus, easy(trip(), "flight", &diary)).await;
    {
        let starting = sagas.start("t1", &7);
        tokio::pin!(starting);
        let polled = std::future::poll_fn(|context| std::task::Poll::Ready(starting.as_mut().poll(context)));
        assert!(polled.await.is_pending());
    }
    let again = futures_of_starts(&sagas).await;
    for handle in again {
        assert_eq!(ended(&handle).await.phase, SagaPhase::Committed);
    }
    assert_eq!(diary.entries(), ["t1/flight"]);
    let other = sagas.start("t1", &8).await.unwrap_err();
    assert_eq!(
        other.to_string(),
        "saga `t1` was started before, with another input or other steps: give this one an id of its own"
    );
}

/// Starts the same saga four times at once.
async fn futures_of_starts(sagas: &TokioSagas<u32>) -> Vec<SagaHandle> {
    let mut starts = JoinSet::new();
    for _ in 0..4 {
        let sagas = sagas.clone();
        starts.spawn(async move { sagas.start("t1", &7).await.unwrap() });
    }
    starts.join_all().await
}

#[tokio::test(start_paused = true)]
async fn a_newer_executor_fences_the_one_before_it() {
    let (bus, diary) = (bus_on(&MemoryStore::new()), Diary::default());
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let builder = |diary: &Diary| {
        let gate = Arc::clone(&gate);
        easy(trip(), "flight", diary).pivot("charge", move |_| {
            let gate = Arc::clone(&gate);
            async move {
                gate.acquire().await?.forget();
                Ok(())
            }
        })
    };
    let (old, _) = open(&bus, builder(&diary)).await;
    let handle = old.start("t1", &7).await.unwrap();
    while diary.entries().is_empty() {
        tokio::task::yield_now().await;
    }
    let (new, _) = open(&bus, builder(&diary)).await;
    gate.add_permits(2);
    let stale = handle.ended().await.unwrap_err();
    let is_fenced = |error: &TokioSagaError| {
        matches!(
            error,
            TokioSagaError::Execute(ExecuteError::Log(SagaLogError::Refused(Refusal::Fenced { .. })))
        )
    };
    assert!(is_fenced(&stale), "{stale}");
    assert!(is_fenced(&old.start("t2", &7).await.unwrap_err()));
    let status = ended(&new.start("t1", &7).await.unwrap()).await;
    assert_eq!(status.phase, SagaPhase::Committed);
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_an_action_is_an_attempt_of_unknown_outcome() {
    let bus = bus_on(&MemoryStore::new());
    let builder = trip().step(
        "flight",
        |context| {
            assert!(context.attempt().number > 1, "the first attempt fails");
            async { Ok(()) }
        },
        |_| async { Ok(()) },
    );
    let (sagas, metrics) = open(&bus, builder).await;
    let status = ended(&sagas.start("t1", &7).await.unwrap()).await;
    assert_eq!((status.phase, metrics.counts().retries), (SagaPhase::Committed, 1));
}

#[tokio::test(start_paused = true)]
async fn an_output_that_is_too_long_for_the_log_turns_the_saga_back() {
    let config = Config { max_message_bytes: 1_000, ..Config::default() };
    let bus = Bus::open_in(Arc::new(MemoryStore::new()), config, Arc::new(NoRecorder)).unwrap();
    let bus = TokioBus::over(Arc::new(bus));
    let builder = trip().step("flight", |_| async { Ok("x".repeat(2_000)) }, |_| async { Ok(()) });
    let (sagas, _) = open(&bus, builder).await;
    let status = ended(&sagas.start("t1", &7).await.unwrap()).await;
    assert_eq!((status.phase, status.steps[0].state), (SagaPhase::Aborted, StepState::Undone));
    assert!(status.failure().unwrap().1.contains("longer than the limit"), "{status}");
    let refused = sagas.start("x".repeat(2_000).as_str(), &7).await.unwrap_err();
    assert!(refused.to_string().contains("longer than the limit"), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn open_sagas_of_other_steps_are_an_error_and_stay_as_they_are() {
    let store = MemoryStore::new();
    let bus = bus_on(&store);
    let builder = trip().pivot("charge", |_| pending::<Result<(), StepError>>());
    let (sagas, _) = open(&bus, builder).await;
    sagas.start("t1", &7).await.unwrap();
    bus.shutdown().await.unwrap();
    let bus = bus_on(&store);
    let other = trip().pivot("pay", |_| async { Ok(()) }).build().unwrap();
    let refused = bus.sagas(other, StepRecording::default(), ExecutorConfig::default()).await.unwrap_err();
    let TokioOpenError::Bus(OpenSagaLogError::Executor(OpenExecutorError::OtherSteps { saga, .. })) = refused
    else {
        panic!("{refused}")
    };
    assert_eq!(saga.as_str(), "t1");
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_stops_what_is_under_way_and_tells_who_waits() {
    let bus = bus_on(&MemoryStore::new());
    let builder = trip().pivot("charge", |_| pending::<Result<(), StepError>>());
    let (sagas, _) = open(&bus, builder).await;
    let handle = sagas.start("t1", &7).await.unwrap();
    bus.shutdown().await.unwrap();
    assert_eq!(handle.ended().await, Err(StoppedError.into()));
    assert!(sagas.start("t2", &7).await.is_err());
}
