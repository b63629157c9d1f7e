//! Small concurrent programs over saga logs and participants, and one run of a program, judged by the law.

use lawspeaker_bus::memory_journal::MemoryJournal;
use lawspeaker_bus::saga::{Participant, SagaLog, StepEntry, StepRecording};
use lawspeaker_bus::sync::Arc;
use lawspeaker_history::{Call, History, MemoryRecorder, OpType};
use lawspeaker_spec::saga::{Answer, Deed, SagaLog as Spec, Said};

use super::linearization::{Observer, Witness};
use super::programs::run_threads;
use super::saga_law::{
    self, LogAnswer, LogCall, LogLaw, StepCall, StepLaw, is_equal, key, kinds, plan, saga_id,
};

/// What a thread does with a saga log. It speaks as the executor that it claimed last, or as the first one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogDeed {
    /// Becomes the executor.
    Claim,
    /// Starts the saga.
    Start,
    /// Says that the first step is done.
    Done,
    /// Says that it was refused.
    Refused,
}

impl LogDeed {
    /// The whole alphabet.
    pub const ALL: [LogDeed; 4] = [LogDeed::Claim, LogDeed::Start, LogDeed::Done, LogDeed::Refused];
}

/// What a thread asks of a participant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepDeed {
    /// To do the step, which gives this.
    Do(u8),
    /// To do the step, which it would refuse now.
    Refuse,
    /// To compensate it.
    Undo,
}

impl StepDeed {
    /// The whole alphabet.
    pub const ALL: [StepDeed; 4] = [StepDeed::Do(7), StepDeed::Do(8), StepDeed::Refuse, StepDeed::Undo];

    fn call(self) -> StepCall {
        match self {
            StepDeed::Do(effect) => StepCall::Perform(Some(effect)),
            StepDeed::Refuse => StepCall::Perform(None),
            StepDeed::Undo => StepCall::Compensate,
        }
    }
}

/// The steps of the saga of the programs.
const PLAN: &str = "a | b!";
const SAGA: u64 = 1;

pub fn open_saga_log(journal: &Arc<MemoryJournal>, recorder: &Arc<MemoryRecorder>) -> Arc<SagaLog> {
    let log = SagaLog::recover("trip", StepRecording::ByExecutor, journal.clone(), recorder.clone());
    Arc::new(log.unwrap())
}

pub fn open_participant(journal: &Arc<MemoryJournal>, recorder: &Arc<MemoryRecorder>) -> Arc<Participant> {
    Arc::new(Participant::recover(journal.clone(), recorder.clone()).unwrap())
}

/// Runs a program of a saga log and demands a lawful order of its calls that ends in the log's very state, which the
/// journal holds too.
pub fn run_saga_log_program(program: &[Vec<LogDeed>]) {
    let journal = Arc::new(MemoryJournal::new());
    let log = open_saga_log(&journal, &Arc::new(MemoryRecorder::new()));
    let plan = Arc::new(plan(PLAN));
    let mut law = LogLaw(Spec::new(kinds(&plan)));
    assert_eq!(law.0.claim(), log.claim().unwrap().0.0);
    let observer = Arc::new(Observer::<LogLaw>::new());
    let body = |(thread, deeds): (usize, &Vec<LogDeed>)| -> Box<dyn FnOnce() + Send> {
        let (deeds, log, plan) = (deeds.clone(), log.clone(), plan.clone());
        let mut witness = Witness::new(&observer, thread);
        Box::new(move || {
            let mut executor = 0;
            for deed in deeds {
                let say = |said| LogCall::Say { executor, saga: SAGA, step: 0, said };
                let call = match deed {
                    LogDeed::Claim => LogCall::Claim,
                    LogDeed::Start => LogCall::Start { executor, saga: SAGA },
                    LogDeed::Done => say(Said::Done),
                    LogDeed::Refused => say(Said::Refused),
                };
                let mut answered = None;
                witness.observe(call, || {
                    let answer = saga_law::call(&log, &plan, call);
                    answered = Some(answer);
                    answer
                });
                if let Some(LogAnswer::Claimed(number)) = answered {
                    executor = number;
                }
            }
        })
    };
    run_threads(program.iter().enumerate().map(body).collect());

    let core = log.core();
    let recovered = open_saga_log(&Arc::new(journal.crash()), &Arc::new(MemoryRecorder::new()));
    assert_eq!(recovered.core(), core, "everything that was answered is durable");
    observer.assert_lawful(&law, |LogLaw(spec)| {
        let is_saga_equal = match (core.saga(&saga_id(SAGA)), spec.saga(SAGA)) {
            (Some(saga), Some(ideal)) => is_equal(&saga.core, ideal),
            (saga, ideal) => saga.is_none() && ideal.is_none(),
        };
        is_saga_equal && core.epoch().map_or(0, |epoch| epoch.0 + 1) == spec.executor_count()
    });
}

/// Runs a program of a participant and demands a lawful order of its calls that ends in what is written down, and a
/// history that tells each effect once.
pub fn run_participant_program(program: &[Vec<StepDeed>]) {
    let (journal, recorder) = (Arc::new(MemoryJournal::new()), Arc::new(MemoryRecorder::new()));
    let participant = open_participant(&journal, &recorder);
    let observer = Arc::new(Observer::<StepLaw>::new());
    let body = |(thread, deeds): (usize, &Vec<StepDeed>)| -> Box<dyn FnOnce() + Send> {
        let (deeds, participant) = (deeds.clone(), participant.clone());
        let mut witness = Witness::new(&observer, thread);
        Box::new(move || {
            for deed in deeds {
                witness.observe(deed.call(), || saga_law::ask(&participant, deed.call()));
            }
        })
    };
    run_threads(program.iter().enumerate().map(body).collect());

    let entry = participant.entry(&key()).unwrap();
    let recovered = open_participant(&Arc::new(journal.crash()), &Arc::new(MemoryRecorder::new()));
    assert_eq!(recovered.entry(&key()).unwrap(), entry, "everything that was answered is durable");
    let history = recorder.history();
    observer.assert_lawful(&StepLaw::default(), |StepLaw(spec)| {
        let effects = effects(&history);
        let of = |deed: &Deed| match deed {
            Deed::Did(_) => Some("saga.step"),
            Deed::Undid => Some("saga.compensate"),
            Deed::Refused | Deed::Buried => None,
        };
        let is_entry_equal = match (&entry, spec.deeds()) {
            (None, []) | (Some(StepEntry::Refused(_)), [Deed::Refused]) => true,
            (Some(StepEntry::Tombstone), [Deed::Buried]) => true,
            (Some(StepEntry::Done(output)), [Deed::Did(effect)])
            | (Some(StepEntry::Compensated(output)), [Deed::Did(effect), Deed::Undid]) => {
                u64::from(output[0]) == *effect
            }
            _ => false,
        };
        is_entry_equal && spec.deeds().iter().filter_map(of).eq(effects)
    });
}

/// The effects that were recorded, in order.
fn effects(history: &History) -> Vec<&str> {
    let is_effect = |call: &Call| matches!(call, Call::SagaStep(_) | Call::SagaCompensate(_));
    let done = history.ops.iter().filter(|op| op.op_type == OpType::Ok && is_effect(&op.call));
    done.map(|op| op.call.f()).collect()
}

/// What a participant said of the step: whether it is there.
pub fn is_done(answer: Answer) -> bool {
    matches!(answer, Answer::Done(_))
}
