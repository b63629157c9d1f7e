use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use lawspeaker_history::MemoryRecorder;

use super::*;
use crate::memory_journal::MemoryJournal;
use crate::saga::{DefinitionBuilder, DefinitionError, ManualClock, RetryPolicy, SagaMetrics, StepRecording};

type Builder = DefinitionBuilder<super::super::Blocking<u32>>;

fn trip() -> Builder {
    SagaDefinition::builder("trip")
}

fn log() -> (Arc<SagaLog>, Arc<MemoryRecorder>) {
    let recorder = Arc::new(MemoryRecorder::new());
    let journal = Arc::new(MemoryJournal::new());
    let log = SagaLog::recover("trip", StepRecording::ByExecutor, journal, recorder.clone()).unwrap();
    (Arc::new(log), recorder)
}

fn open(builder: Builder) -> (SagaExecutor<u32>, Arc<ManualClock>, Arc<SagaMetrics>) {
    let (clock, observer) = (Arc::new(ManualClock::default()), Arc::new(SagaMetrics::default()));
    let config =
        ExecutorConfig { clock: clock.clone(), observer: observer.clone(), ..ExecutorConfig::default() };
    (SagaExecutor::open(log().0, builder.build().unwrap(), config).unwrap(), clock, observer)
}

#[test]
fn an_attempt_of_unknown_outcome_is_made_again_after_a_pause_that_grows() {
    let count = AtomicU32::new(0);
    let retry = RetryPolicy {
        max_attempts: 4,
        first_pause: Duration::from_secs(1),
        max_pause: Duration::from_secs(60),
    };
    let builder = trip()
        .step(
            "flight",
            move |_| match count.fetch_add(1, Ordering::Relaxed) {
                0 => Err(StepError::unknown("the line was cut")),
                1 => panic!("the action fails"),
                2 => Err(std::io::Error::other("an error that `?` passes on").into()),
                _ => Ok(()),
            },
            |_| Ok(()),
        )
        .retry(retry);
    let (executor, clock, metrics) = open(builder);
    let status = executor.execute("t1", &7).unwrap();
    assert_eq!((status.to_string(), metrics.counts().retries), ("t1 committed: flight done".to_owned(), 3));
    assert!((3_500..=7_000).contains(&clock.now_ms()), "pauses of 1, 2 and 4 s, less at most half of each");
}

#[test]
fn stages_are_undone_last_first_and_a_finished_saga_is_not_run_again() {
    let diary: Arc<Mutex<Vec<String>>> = Arc::default();
    let add = |builder: Builder, name: &str| {
        let note = |diary: &Arc<Mutex<Vec<String>>>| {
            let diary = diary.clone();
            move |context: &StepContext<u32>| {
                diary.lock().unwrap().push(context.idempotency_key());
                Ok(())
            }
        };
        builder.step(name, note(&diary), note(&diary))
    };
    let builder = add(trip().parallel(|stage| add(add(stage, "a"), "b")), "c")
        .pivot("p", |_| Err::<(), _>(StepError::refused("no")));
    let (executor, _, _) = open(builder);
    for _ in 0..2 {
        assert_eq!(executor.execute("t1", &7).unwrap().phase, crate::saga::SagaPhase::Aborted);
    }
    let mut entries = diary.lock().unwrap().clone();
    entries[..2].sort();
    entries[4..].sort();
    assert_eq!(entries, ["t1/a", "t1/b", "t1/c", "t1/c/undo", "t1/a/undo", "t1/b/undo"]);
}

#[test]
fn a_newer_executor_goes_on_and_the_older_one_is_refused() {
    let (log, _) = log();
    let definition = trip().pivot("p", |_| Ok(())).build().unwrap();
    let open = || SagaExecutor::open(log.clone(), definition.clone(), ExecutorConfig::default()).unwrap();
    let old = open();
    old.start("t1", &7).unwrap();
    let new = open();
    let fenced = old.run("t1").unwrap_err();
    assert!(fenced.to_string().contains("this one is stale"), "{fenced}");
    assert_eq!(new.run_open().unwrap()[0].to_string(), "t1 committed: p done");
    assert_eq!(new.run("t1"), Err(ExecuteError::NotOpen("t1".into())));
}

#[test]
fn what_is_no_definition_says_why() {
    let check = |builder: Builder, expected: &str| {
        let error: DefinitionError = builder.build().unwrap_err();
        assert_eq!(error.to_string(), expected);
    };
    check(trip(), "saga `trip`: stage 0 has no step: give it one, or leave it out");
    check(
        trip().timeout(Duration::ZERO),
        "saga `trip`: a time limit or a retry policy is one of the step before it, and there is none",
    );
    check(
        trip().pivot("p", |_| Ok(())).step("a", |_| Ok(()), |_| Ok(())),
        "saga `trip`: step `a` cannot stand here: steps that can be undone come first, then at most one pivot, alone \
         in its stage, then steps that are retried until they are done",
    );
}
