//! Sagas led by tasks through power failures, and sagas over a network that loses, doubles and reorders, judged.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use lawspeaker_bus::bus::{Bus, Config};
use lawspeaker_bus::saga::{ExecutorConfig, RetryPolicy, StepContext, StepError, StepRecording, Way};
use lawspeaker_bus::store::{CrashStore, Survival};
use lawspeaker_bus::tokio_bus::{TokioBus, TokioParticipant, TokioSagaDefinition, TokioSagas};
use lawspeaker_history::{
    Call, Header, History, MemoryRecorder, Op, OpType, Recorder, SagaId, SagaOutcome, SagaStep,
};
use lawspeaker_oracle::{Anomaly, Outcome, Profile, Verdict, judge};
use tokio::task::JoinSet;

const CONFIG: Config = Config { segment_bytes: 10_000, max_message_bytes: 1_000, max_partition_count: 4 };
const SAGA_COUNT: u32 = 40;
/// So many more begin in the last life of the bus, which no power failure ends: all that they do is known.
const LATE_SAGA_COUNT: u32 = 10;
/// Each life of the bus ends at this boundary of the store.
const BOUNDARIES: [u64; 4] = [90, 120, 60, 100];
const STEPS: [&str; 5] = ["flight", "hotel", "car", "charge", "mail"];

pub(crate) fn verdict(history: &History) -> Verdict {
    judge(history, Profile::named("saga").unwrap())
}

/// The history of a run that is over.
pub(crate) fn complete(recorder: &MemoryRecorder) -> History {
    recorder.record(Op::new("observer", OpType::Ok, Call::Quiescent));
    let header = Header { profile: Some("saga".into()), complete: Some(true), ..Header::default() };
    History { header, ..recorder.history() }
}

pub(crate) fn assert_conforms(name: &str, history: &History) {
    let verdict = verdict(history);
    let findings: Vec<_> = verdict.findings.iter().map(|finding| &finding.summary).collect();
    assert_eq!(verdict.outcome, Outcome::Conforms, "{name}: {findings:#?}");
}

/// How often each call of sagas has happened.
fn counts(history: &History) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for op in history.ops.iter().filter(|op| op.op_type == OpType::Ok) {
        *counts.entry(op.call.f()).or_default() += 1;
    }
    counts
}

/// The sagas that are known or may be thought to have ended: of an end that was being written when the power failed,
/// nobody was told, and the next life finds it in the log or writes it again.
fn ended(history: &History) -> BTreeSet<&SagaId> {
    let ends = history.ops.iter().filter(|op| matches!(op.op_type, OpType::Ok | OpType::Info));
    let sagas = ends.filter_map(|op| match &op.call {
        Call::SagaEnd(end) => Some(&end.saga),
        _ => None,
    });
    sagas.collect()
}

/// Does a step at its participant. Every third reply is lost; once the power is off, nobody answers any more.
async fn act(
    context: StepContext<u32>,
    participant: TokioParticipant,
    (bus, store): (Arc<Bus>, CrashStore),
    asked: Arc<AtomicUsize>,
) -> Result<(), StepError> {
    let is_refused = match context.step().as_str() {
        "car" => context.input() % 10 == 3,
        "charge" => context.input() % 10 == 7,
        _ => false,
    };
    let answer = match context.way() {
        Way::Forward => {
            let decide = move || if is_refused { Err("not today".to_owned()) } else { Ok(()) };
            participant.perform(&context, decide).await
        }
        Way::Backward => participant.compensate(&context).await,
    };
    if store.is_down() {
        bus.close();
    }
    if asked.fetch_add(1, Ordering::Relaxed) % 3 == 2 {
        return Err(StepError::unknown("the reply was lost"));
    }
    answer
}

async fn open(bus: &TokioBus, store: &CrashStore) -> Option<TokioSagas<u32>> {
    let asked = Arc::new(AtomicUsize::new(0));
    let mut actions = BTreeMap::new();
    for step in STEPS {
        let participant = bus.participant(step).await.ok()?;
        let (parts, asked) = ((Arc::clone(bus.bus()), store.clone()), Arc::clone(&asked));
        let action = move |context| act(context, participant.clone(), parts.clone(), Arc::clone(&asked));
        actions.insert(step, action);
    }
    let action = |step: &str| actions[step].clone();
    let retry = RetryPolicy { first_pause: Duration::from_millis(1), ..RetryPolicy::default() };
    let definition = TokioSagaDefinition::builder("trip")
        .parallel(|stage| {
            let stage = stage.step("flight", action("flight"), action("flight")).retry(retry);
            stage.step("hotel", action("hotel"), action("hotel")).retry(retry)
        })
        .step("car", action("car"), action("car"))
        .retry(retry)
        .pivot("charge", action("charge"))
        .retry(retry)
        .retriable("mail", action("mail"))
        .retry(retry);
    let definition = definition.build().unwrap();
    bus.sagas(definition, StepRecording::ByParticipants, ExecutorConfig::default()).await.ok()
}

/// Starts every saga and waits for its end. Returns how many ended.
async fn live(sagas: &TokioSagas<u32>, saga_count: u32) -> usize {
    let mut ends = JoinSet::new();
    for number in 0..saga_count {
        let sagas = sagas.clone();
        ends.spawn(async move {
            let handle = sagas.start(format!("trip-{number}").as_str(), &number).await.ok()?;
            handle.ended().await.ok()
        });
    }
    ends.join_all().await.into_iter().flatten().count()
}

fn run(survival: Survival) -> History {
    let recorder = Arc::new(MemoryRecorder::new());
    let mut store = CrashStore::new();
    for boundary in BOUNDARIES.map(Some).into_iter().chain([None]) {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
        let bus = Bus::open_in(Arc::new(store.clone()), CONFIG, recorder.clone()).unwrap();
        let bus = TokioBus::over(Arc::new(bus));
        let saga_count = if boundary.is_some() { SAGA_COUNT } else { SAGA_COUNT + LATE_SAGA_COUNT };
        boundary.into_iter().for_each(|boundary| store.crash_at(boundary, survival));
        let ended = runtime.block_on(async {
            let sagas = open(&bus, &store).await;
            match sagas {
                Some(sagas) => live(&sagas, saga_count).await,
                None => 0,
            }
        });
        // Waits for the blocking threads.
        drop(runtime);
        drop(bus);
        match boundary {
            Some(_) => assert!(store.is_down() && ended < saga_count as usize, "the power did not fail"),
            None => assert_eq!(ended, saga_count as usize),
        }
        store = store.reopen();
    }
    complete(&recorder)
}

#[test]
fn sagas_led_by_tasks_through_power_failures_keep_the_law() {
    for survival in [Survival::Nothing, Survival::Everything, Survival::TornWrite, Survival::ProcessOnly] {
        let history = run(survival);
        let counts = counts(&history);
        println!("O4 sagas, {survival:?} survives: {} ops judged, {counts:?}", history.ops.len());
        assert_conforms("sagas", &history);
        assert_eq!(ended(&history).len(), (SAGA_COUNT + LATE_SAGA_COUNT) as usize, "{counts:?}");
        // Those of the two late sagas at the least.
        assert!(counts["saga.compensate"] >= 5, "{counts:?}");
    }
}

/// Changes a history into one that no lawful executor can have.
type Break = fn(&mut History);

/// A saga of the last life. It books a flight and ends undone: its charge is refused, unless it gave up before, for too
/// many replies were lost.
const LATE_ABORTED: &str = "trip-47";

fn forget_a_compensation(history: &mut History) {
    let is_of_flight = |step: &SagaStep| step.saga.as_str() == LATE_ABORTED && step.step.as_str() == "flight";
    history.ops.retain(|op| !matches!(&op.call, Call::SagaCompensate(step) if is_of_flight(step)));
}

fn double_a_step(history: &mut History) {
    let is_step = |op: &&Op| op.op_type == OpType::Ok && matches!(op.call, Call::SagaStep(_));
    let copy = history.ops.iter().find(is_step).unwrap().clone();
    history.ops.push(copy);
}

fn forget_an_end(history: &mut History) {
    history.ops.retain(|op| !matches!(&op.call, Call::SagaEnd(end) if end.saga.as_str() == LATE_ABORTED));
}

fn commit_what_was_aborted(history: &mut History) {
    for op in &mut history.ops {
        if let Call::SagaEnd(end) = &mut op.call {
            end.outcome = SagaOutcome::Committed;
        }
    }
}

#[test]
fn a_broken_history_of_sagas_is_rejected_for_what_is_broken() {
    let good = run(Survival::Everything);
    let seeded: [(Break, Anomaly); 4] = [
        (forget_a_compensation, Anomaly::UncompensatedStep),
        (double_a_step, Anomaly::DoubleStep),
        (forget_an_end, Anomaly::StuckSaga),
        (commit_what_was_aborted, Anomaly::TornSaga),
    ];
    for (break_it, expected) in seeded {
        let mut history = good.clone();
        break_it(&mut history);
        // Numbered anew, or what is missing would excuse what is broken.
        let history = History { header: history.header, ..History::of(history.ops) };
        let verdict = verdict(&history);
        assert_eq!(verdict.outcome, Outcome::Violated, "{expected:?} was not seen");
        let found: Vec<_> = verdict.findings.iter().map(|finding| finding.anomaly).collect();
        assert!(found.contains(&expected), "{found:?} were seen and not {expected:?}");
    }
}
