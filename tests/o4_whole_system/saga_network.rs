//! Sagas whose commands and replies cross a network that loses, doubles and reorders, with crashes of the executor and
//! of participants at every write and every send; what happens is chosen by proptest, and shrunk by it.

use std::sync::Arc;
use std::time::Duration;

use lawspeaker_bus::memory_journal::MemoryJournal;
use lawspeaker_bus::saga::{
    Agenda, Command, Jitter, Outcome, Participant, Payload, Plan, RetryPolicy, SagaCore, SagaEvent, SagaLog,
    SagaPhase, StepKey, StepKind, StepRecording, Timing, Way,
};
use lawspeaker_history::{MemoryRecorder, SagaId};
use proptest::collection::vec;
use proptest::prelude::any;
use proptest::test_runner::{Config, RngSeed, TestRunner};

use crate::saga::{assert_conforms, complete};

const CASE_COUNT: u32 = 400;
const CHOICE_COUNT: usize = 60;
const SEED: u64 = 2026;
const MAX_ATTEMPTS: u32 = 2;

/// One saga, its executor, its participants, and what is under way between them.
struct World {
    saga: SagaId,
    plan: Arc<Plan>,
    /// By step: whether its participant would refuse it.
    is_refused: Vec<bool>,
    recorder: Arc<MemoryRecorder>,
    log_journal: Arc<MemoryJournal>,
    log: SagaLog,
    core: SagaCore,
    agenda: Agenda,
    /// By step.
    journals: Vec<Arc<MemoryJournal>>,
    /// By step.
    participants: Vec<Participant>,
    /// What was decided and not written yet.
    decided: Vec<SagaEvent>,
    commands: Vec<Command>,
    replies: Vec<(Command, Outcome)>,
    crash_count: u32,
}

fn timings(plan: &Plan) -> Arc<[Timing]> {
    let retry =
        RetryPolicy { max_attempts: MAX_ATTEMPTS, first_pause: Duration::ZERO, max_pause: Duration::ZERO };
    vec![Timing { timeout: Some(Duration::ZERO), retry }; plan.steps().len()].into()
}

impl World {
    fn new(refused: u8) -> Self {
        let stage =
            |steps: &[(&str, StepKind)]| steps.iter().map(|(name, kind)| ((*name).into(), *kind)).collect();
        use StepKind::{Compensatable, Pivot, Retriable};
        let plan = Plan::new(vec![
            stage(&[("flight", Compensatable)]),
            stage(&[("hotel", Compensatable), ("car", Compensatable)]),
            stage(&[("charge", Pivot)]),
            stage(&[("mail", Retriable)]),
        ]);
        let plan = Arc::new(plan.unwrap());
        let recorder = Arc::new(MemoryRecorder::new());
        let log_journal = Arc::new(MemoryJournal::new());
        let log = open_log(&log_journal, &recorder);
        let (epoch, _) = log.claim().unwrap();
        let saga = SagaId::from("trip-1");
        let (_, core) = log.start(epoch, &saga, &plan, Payload::default()).unwrap();
        let journals: Vec<_> = plan.steps().iter().map(|_| Arc::new(MemoryJournal::new())).collect();
        let open =
            |journal: &Arc<MemoryJournal>| Participant::recover(journal.clone(), recorder.clone()).unwrap();
        World {
            participants: journals.iter().map(open).collect(),
            is_refused: (0..plan.steps().len()).map(|step| refused >> step & 1 == 1).collect(),
            agenda: Agenda::new(epoch, timings(&plan)),
            decided: Vec::new(),
            commands: Vec::new(),
            replies: Vec::new(),
            crash_count: 0,
            saga,
            plan,
            recorder,
            log_journal,
            log,
            core,
            journals,
        }
    }

    /// The executor's next step: it writes what was decided, or sends what is due.
    fn lead(&mut self) {
        if self.decided.is_empty() {
            let due = self.agenda.due(&self.core, 0);
            self.commands.extend(due);
        } else {
            let event = self.decided.remove(0);
            self.core = self.log.tell(self.agenda.epoch(), &self.saga, [event]).unwrap();
        }
    }

    /// A participant takes a command.
    fn handle(&mut self, place: usize, is_doubled: bool) {
        let command = if is_doubled { self.commands[place] } else { self.commands.swap_remove(place) };
        let step = command.step.0 as usize;
        let planned = &self.plan.steps()[step];
        let key = StepKey { saga: self.saga.clone(), step: planned.name.clone() };
        let is_parallel = self.plan.is_parallel(command.step);
        let is_refused = self.is_refused[step] && planned.kind != StepKind::Retriable;
        let act = || if is_refused { Err("no".into()) } else { Ok(Payload::default()) };
        let outcome = match command.way {
            Way::Forward => self.participants[step].perform(&key, is_parallel, act),
            Way::Backward => self.participants[step].compensate(&key, is_parallel),
        };
        self.replies.push((command, outcome.unwrap()));
    }

    /// The executor takes a reply; what it decides is written later, or lost in a crash. It takes one thing at a time.
    fn receive(&mut self, place: usize, is_doubled: bool) {
        if !self.decided.is_empty() {
            return self.lead();
        }
        let (command, outcome) =
            if is_doubled { self.replies[place].clone() } else { self.replies.swap_remove(place) };
        self.decided.extend(self.agenda.reply(&self.core, &command, outcome, 0, Jitter::default()));
    }

    fn expire(&mut self) {
        if !self.decided.is_empty() {
            return self.lead();
        }
        self.decided = self.agenda.expire(&self.core, 0, |_| Jitter::default());
    }

    /// The executor crashes, and another one goes on.
    fn crash(&mut self) {
        self.crash_count += 1;
        self.log_journal = Arc::new(self.log_journal.crash());
        self.log = open_log(&self.log_journal, &self.recorder);
        let (epoch, open) = self.log.claim().unwrap();
        let found = open.into_iter().find(|(saga, _)| *saga == self.saga);
        self.core = found.map_or_else(|| self.log.saga(&self.saga).unwrap().core, |(_, saga)| saga.core);
        self.agenda = Agenda::new(epoch, timings(&self.plan));
        self.decided.clear();
    }

    fn crash_participant(&mut self, step: usize) {
        self.journals[step] = Arc::new(self.journals[step].crash());
        self.participants[step] =
            Participant::recover(self.journals[step].clone(), self.recorder.clone()).unwrap();
    }

    fn choose(&mut self, choice: u16) {
        let place = usize::from(choice >> 4);
        match choice & 15 {
            0..=4 => self.lead(),
            5..=8 if !self.commands.is_empty() => self.handle(place % self.commands.len(), choice & 15 == 8),
            9..=12 if !self.replies.is_empty() => self.receive(place % self.replies.len(), choice & 15 == 12),
            13 if !self.commands.is_empty() => drop(self.commands.swap_remove(place % self.commands.len())),
            13 if !self.replies.is_empty() => drop(self.replies.swap_remove(place % self.replies.len())),
            14 => self.expire(),
            15 if place.is_multiple_of(2) => self.crash(),
            15 => self.crash_participant(place % self.participants.len()),
            _ => {}
        }
    }

    /// Faults are over: everything arrives, and what does not is asked for again.
    fn finish(&mut self) {
        for _ in 0..1_000 {
            if self.core.phase().is_end() && self.commands.is_empty() && self.replies.is_empty() {
                return;
            }
            while !self.commands.is_empty() {
                self.handle(0, false);
            }
            while !self.replies.is_empty() {
                self.receive(0, false);
            }
            while !self.decided.is_empty() {
                self.lead();
            }
            self.lead();
            if self.commands.is_empty() {
                self.expire();
            }
        }
        panic!("the saga does not end: {:?}", self.core);
    }

    /// All or nothing, and the participants' memory says the same as the log.
    fn check(&self) {
        let standing = |participant: &Participant| participant.standing().unwrap().len();
        let count: usize = self.participants.iter().map(standing).sum();
        let expected = match self.core.phase() {
            SagaPhase::Committed => self.plan.steps().len(),
            SagaPhase::Aborted => 0,
            open => panic!("the saga is {open}"),
        };
        assert_eq!(count, expected, "{:?}", self.core);
        assert_conforms("network", &complete(&self.recorder));
    }
}

fn open_log(journal: &Arc<MemoryJournal>, recorder: &Arc<MemoryRecorder>) -> SagaLog {
    SagaLog::recover("trip", StepRecording::ByParticipants, journal.clone(), recorder.clone()).unwrap()
}

#[test]
fn a_saga_ends_whole_or_undone_whatever_the_network_and_crashes_do() {
    let config = Config { cases: CASE_COUNT, failure_persistence: None, ..Config::default() };
    let is_chosen = std::env::var_os("PROPTEST_RNG_SEED").is_some();
    let config = if is_chosen { config } else { Config { rng_seed: RngSeed::Fixed(SEED), ..config } };
    let ends = std::cell::RefCell::new([0_u32; 3]);
    let runs = (vec(any::<u16>(), 0..CHOICE_COUNT), any::<u8>());
    let outcome = TestRunner::new(config).run(&runs, |(choices, refused)| {
        // Most runs refuse nothing, so that pivots are reached.
        let mut world = World::new(if refused < 128 { 0 } else { refused });
        choices.into_iter().for_each(|choice| world.choose(choice));
        world.finish();
        world.check();
        let mut ends = ends.borrow_mut();
        ends[usize::from(world.core.phase() == SagaPhase::Aborted)] += 1;
        ends[2] += world.crash_count;
        Ok(())
    });
    let [committed, aborted, crashes] = ends.into_inner();
    println!("O4 network: {committed} sagas committed, {aborted} aborted, {crashes} crashes of executors");
    if let Err(failure) = outcome {
        panic!("seed {SEED}: {failure}");
    }
    assert!(committed >= 40 && aborted >= 100 && crashes >= 200, "too little happened");
}
