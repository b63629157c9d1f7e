//! Scenarios of saga logs and participants, one guarantee each.

use lawspeaker_bus::id::Epoch;
use lawspeaker_bus::memory_journal::MemoryJournal;
use lawspeaker_bus::saga::{Outcome, Payload, Refusal, SagaLog, SagaLogError, SagaPhase};
use lawspeaker_bus::sync::{Arc, thread};
use lawspeaker_history::MemoryRecorder;
use lawspeaker_spec::saga::Said;

use crate::kernels::saga_law::{StepCall, ask, event, key, plan, saga_id};
use crate::kernels::saga_programs::{is_done, open_participant, open_saga_log};
use crate::scenarios::scenario;

const FIRST: Epoch = Epoch(0);

/// A log whose first executor has started a saga of these steps.
fn begun(steps: &str) -> (Arc<MemoryJournal>, Arc<SagaLog>) {
    let journal = Arc::new(MemoryJournal::new());
    let log = open_saga_log(&journal, &Arc::new(MemoryRecorder::new()));
    assert_eq!(log.claim().unwrap().0, FIRST);
    log.start(FIRST, &saga_id(1), &Arc::new(plan(steps)), Payload::default()).unwrap();
    (journal, log)
}

#[test]
fn a_step_whose_compensation_may_come_first_leaves_nothing_behind() {
    scenario("cancel against create", || {
        let journal = Arc::new(MemoryJournal::new());
        let hotel = open_participant(&journal, &Arc::new(MemoryRecorder::new()));
        let creating = hotel.clone();
        let creating = thread::spawn(move || is_done(ask(&creating, StepCall::Perform(Some(7)))));
        hotel.compensate(&key(), false).unwrap();
        creating.join().unwrap();
        assert_eq!(hotel.standing().unwrap(), []);
        let again = hotel.perform(&key(), false, || Ok(Payload::default())).unwrap();
        assert!(matches!(again, Outcome::Refused(_)), "what was cancelled stays so");
    });
}

#[test]
fn of_two_executors_the_newer_one_knows_all_and_the_older_one_changes_nothing_more() {
    scenario("claim against an older executor", || {
        let (journal, log) = begun("a | b!");
        let old = log.clone();
        let old = thread::spawn(move || old.tell(FIRST, &saga_id(1), [event(0, Said::Done)]));
        let (new, open) = log.claim().unwrap();
        let is_told = open[0].1.core.output(lawspeaker_bus::saga::StepNumber(0)).is_some();
        match old.join().unwrap() {
            Ok(_) => assert!(is_told, "the newer one was not told of a step"),
            refused => {
                let fenced = Refusal::Fenced { current: new };
                assert_eq!(refused, Err(SagaLogError::Refused(fenced)));
                assert!(!is_told);
            }
        }
        assert_eq!(open_saga_log(&Arc::new(journal.crash()), &Arc::default()).core(), log.core());
    });
}

#[test]
fn a_late_reply_does_not_undo_what_was_decided_after_a_recovery() {
    scenario("recovery against a late reply", || {
        let (journal, log) = begun("a");
        let late = log.clone();
        let late = thread::spawn(move || late.tell(FIRST, &saga_id(1), [event(0, Said::Done)]).is_ok());
        let (new, _) = log.claim().unwrap();
        let is_given_up = log.tell(new, &saga_id(1), [event(0, Said::GivenUp)]).is_ok();
        let is_late = late.join().unwrap();
        assert_ne!(is_late, is_given_up, "one of them was heard");
        let recovered = open_saga_log(&Arc::new(journal.crash()), &Arc::default());
        let phase = recovered.saga(&saga_id(1)).unwrap().core.phase();
        assert_eq!(phase, if is_late { SagaPhase::Committed } else { SagaPhase::Backward });
    });
}

#[test]
fn whoever_waits_for_the_end_of_a_saga_is_told() {
    scenario("end of a saga against one who waits", || {
        let (journal, log) = begun("b!");
        let ending = log.clone();
        let ending = thread::spawn(move || ending.tell(FIRST, &saga_id(1), [event(0, Said::Done)]).unwrap());
        let told = log.wait_for_end(&saga_id(1)).unwrap();
        let survivor = open_saga_log(&Arc::new(journal.crash()), &Arc::default());
        assert_eq!(survivor.status(&saga_id(1)).unwrap(), Some(told));
        ending.join().unwrap();
    });
}
