//! O5, adequacy: every seeded mutant is killed by the obligation it names, and without a mutant that obligation
//! passes.
//!
//! Each mutant runs in a process of its own with a time limit: one that deadlocks aborts, or hangs for ever. Abort,
//! hang and failed assertion all count as killed; a test that is gone, or was not run, does not.

mod nested;

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use lawspeaker_bus::mutant::{Mutant, Obligation};
use nested::Target;

/// A run without mutant takes at most a tenth of this.
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    Passed,
    Failed(String),
    Hung,
}

/// The test that must notice the mutant: a part of its name, in its target.
fn killer(mutant: Mutant) -> (Target, &'static str) {
    match mutant.obligation() {
        Obligation::CoreRefinesLaw => (Target::CoreRefinesLaw, core_killer(mutant)),
        Obligation::ShellLinearizesCore => (Target::Loom, shell_killer(mutant)),
        Obligation::CrashLosesNothing => (Target::CrashLosesNothing, crash_killer(mutant)),
    }
}

fn crash_killer(mutant: Mutant) -> &'static str {
    match mutant {
        Mutant::BarrierNotAwaited => "no_effect_survives_without_its_cause",
        Mutant::AskedBeforeSync | Mutant::DoneBeforeSync | Mutant::OpenSagasForgotten => {
            "no_saga_is_left_half_done"
        }
        Mutant::OutboxWrittenApart
        | Mutant::InboxMarkedApart
        | Mutant::MarkBeforePublish
        | Mutant::AckBeforeEffect
        | Mutant::PoisonDropped => "a_service_loses_no_event_and_has_no_effect_twice",
        _ => "loses_no",
    }
}

fn core_killer(mutant: Mutant) -> &'static str {
    match mutant {
        Mutant::CausesUnchecked
        | Mutant::OneCauseChecked
        | Mutant::WaitsForUnsubscribed
        | Mutant::WaitsForItself
        | Mutant::DuplicateDelivered
        | Mutant::DeliveryUnlocksNothing
        | Mutant::BoundIgnored
        | Mutant::FullInboxDrops
        | Mutant::FullInboxRefusesAll => "causal_inbox_core_refines_its_specification",
        Mutant::InboxUnchecked
        | Mutant::InboxForgetsEarly
        | Mutant::InboxForgetsRefusals
        | Mutant::TombstoneForgotten
        | Mutant::RelayNotFenced
        | Mutant::RelayReadsAhead => "outbox_core_refines_its_specification",
        Mutant::CommitWithoutFence | Mutant::CommitRegressionAccepted | Mutant::AssignBeforeRelease => {
            "consumer_group_core_refines_its_specification"
        }
        Mutant::FailedUndoBelieved
        | Mutant::OldestUndoneFirst
        | Mutant::UnknownNotUndone
        | Mutant::ReplyUncorrelated => "saga_core_refines_its_specification",
        Mutant::PivotGivenUp | Mutant::StaleExecutorAccepted => "saga_log_core_refines_its_specification",
        Mutant::StepDoneAgain | Mutant::StepUndoneAgain | Mutant::NoTombstone | Mutant::RefusalForgotten => {
            "participant_core_refines_its_specification"
        }
        _ => "partition_log_core_refines_its_specification",
    }
}

fn shell_killer(mutant: Mutant) -> &'static str {
    match mutant {
        Mutant::LostWakeUp => "a_waiting_reader_is_told_of_an_append",
        Mutant::CloseForgetsWaiters => "a_close_wakes",
        Mutant::FailedSyncRetried => "a_failed_sync_is_never_taken_for_success",
        Mutant::RejoinKeepsPosition => "a_member_that_was_expired_starts_at_the_committed_offset",
        Mutant::CommitBeforeProcess => "what_a_leaving_member_did_not_handle_goes_to_another",
        Mutant::PutBackForgotten => "what_a_member_puts_back_it_is_handed_again_unless_it_lost_it",
        Mutant::RetryAsNew => "an_event_whose_fate_is_unknown_stands_once_after_recovery",
        Mutant::ArrivalWakesNobody => "whoever_waits_is_told_of_an_arrival_and_gets_the_cause_first",
        Mutant::DeliveryWakesNobody => "a_delivery_wakes_whoever_waits_for_what_it_makes_ready",
        Mutant::InboxCloseWakesNobody => "a_close_wakes_whoever_waits_and_hands_back_what_was_held",
        Mutant::DeliveryCheckThenAct => "two_threads_and_two_inbox_operations",
        Mutant::ContextForgetsPast => "what_follows_from_an_answer_nobody_reads_waits_for_the_question",
        Mutant::FenceCheckThenAct => "of_two_executors_the_newer_one_knows_all",
        Mutant::StepCheckThenAct => "a_step_whose_compensation_may_come_first_leaves_nothing_behind",
        Mutant::InboxCheckThenAct => "two_threads_and_two_outbox_operations",
        Mutant::OutboxCloseWakesNobody => "a_close_wakes_a_waiting_relay",
        Mutant::CommitCheckThenAct | Mutant::CommitBeforeSync => "two_members_and_two_group_operations",
        _ => "two_threads_and_two_log_operations",
    }
}

/// Runs the tests of `executable` whose name holds `filter`.
fn run(executable: &Path, filter: &str, mutant: Option<Mutant>) -> Outcome {
    let mut command = Command::new(executable);
    command.arg(filter).env_remove("LAWSPEAKER_MUTANT").env_remove("RUST_BACKTRACE");
    command.envs(mutant.map(|mutant| ("LAWSPEAKER_MUTANT", mutant.name())));
    let child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the tests can be run");
    wait(child)
}

fn wait(mut child: Child) -> Outcome {
    let mut stdout = child.stdout.take().expect("it is piped");
    let (sender, printed) = mpsc::channel();
    thread::spawn(move || {
        let mut text = String::new();
        let is_read = stdout.read_to_string(&mut text).is_ok();
        sender.send(if is_read { text } else { String::new() })
    });
    let Ok(printed) = printed.recv_timeout(TIME_LIMIT) else {
        child.kill().expect("the child is ours");
        child.wait().expect("the child was killed");
        return Outcome::Hung;
    };
    let status = child.wait().expect("the child has ended");
    assert!(!printed.contains("running 0 tests"), "the filter names a test");
    if status.success() { Outcome::Passed } else { Outcome::Failed(failed_test(&printed, status.code())) }
}

/// The first test that failed, by its name.
fn failed_test(printed: &str, code: Option<i32>) -> String {
    let failed = printed.lines().filter_map(|line| line.strip_suffix(" ... FAILED"));
    let first = failed.filter_map(|line| line.strip_prefix("test ")).next();
    let last_begun = printed.lines().rev().find_map(|line| line.strip_prefix("test "));
    match (first, code) {
        (Some(test), _) => test.to_owned(),
        (None, None) => format!("abort in {}", last_begun.unwrap_or("the tests")),
        (None, Some(code)) => format!("exit code {code}"),
    }
}

#[test]
fn every_mutant_is_killed_by_the_obligation_it_names() {
    let targets = [Target::CoreRefinesLaw, Target::Loom, Target::CrashLosesNothing];
    let executables = targets.map(|target| (target, nested::build(target)));
    let executable = |target| &executables.iter().find(|(other, _)| *other == target).expect("it is built").1;
    let mut checked: Vec<(Target, &str)> = Vec::new();
    let mut survivors = Vec::new();
    println!("{:<28} {:<5} {:>7}  killed by", "mutant", "by", "seconds");
    for mutant in Mutant::ALL.iter().copied() {
        let (target, filter) = killer(mutant);
        if !checked.contains(&(target, filter)) {
            assert_eq!(
                run(executable(target), filter, None),
                Outcome::Passed,
                "{target:?} {filter}, no mutant"
            );
            checked.push((target, filter));
        }
        let started = Instant::now();
        let outcome = run(executable(target), filter, Some(mutant));
        let killed_by = match &outcome {
            Outcome::Passed => "NOTHING: it survives",
            Outcome::Failed(test) => test,
            Outcome::Hung => "time limit",
        };
        let seconds = started.elapsed().as_secs_f64();
        println!("{:<28} {:<5} {seconds:>7.2}  {killed_by}", mutant.name(), mutant.obligation().name());
        println!("{:>42}  without: {}", "", mutant.guard());
        if outcome == Outcome::Passed {
            survivors.push(mutant.name());
        }
    }
    assert!(survivors.is_empty(), "mutants that nothing kills: {survivors:?}");
}

/// Every test of O2, each with a mutant that it must notice.
const CAN_FAIL: [(Target, &str, Mutant); 44] = [
    (
        Target::Loom,
        "programs::every_program_of_two_threads_and_two_log_operations_is_lawful",
        Mutant::RelaxedPublish,
    ),
    (
        Target::Loom,
        "programs::every_program_of_three_threads_and_one_log_operation_is_lawful",
        Mutant::RelaxedPublish,
    ),
    (
        Target::Loom,
        "programs::every_program_of_two_threads_and_three_log_operations_of_one_producer_is_lawful",
        Mutant::DedupCheckThenAct,
    ),
    (
        Target::Loom,
        "programs::every_program_of_two_members_and_two_group_operations_is_lawful",
        Mutant::CommitCheckThenAct,
    ),
    (
        Target::Loom,
        "programs::every_program_of_three_members_and_one_group_operation_is_lawful",
        Mutant::AssignBeforeRelease,
    ),
    (Target::Loom, "scenarios::a_waiting_reader_is_told_of_an_append", Mutant::LostWakeUp),
    (
        Target::Loom,
        "scenarios::what_a_reader_sees_is_durable_and_never_changes",
        Mutant::ReadPastHighWatermark,
    ),
    (Target::Loom, "scenarios::a_retry_beside_another_producer_stands_once", Mutant::DedupCheckThenAct),
    (
        Target::Loom,
        "scenarios::appenders_that_share_a_sync_are_durable_when_answered",
        Mutant::AckBeforeFlush,
    ),
    (Target::Loom, "scenarios::a_close_wakes_whoever_waits_for_an_event", Mutant::CloseForgetsWaiters),
    (Target::Loom, "scenarios::a_close_wakes_whoever_waits_for_a_generation", Mutant::CloseForgetsWaiters),
    (Target::Loom, "scenarios::a_failed_sync_is_never_taken_for_success", Mutant::FailedSyncRetried),
    (
        Target::Loom,
        "scenarios::an_event_whose_fate_is_unknown_stands_once_after_recovery",
        Mutant::RetryAsNew,
    ),
    (Target::Loom, "scenarios::a_commit_of_an_old_generation_changes_nothing", Mutant::CommitCheckThenAct),
    (Target::Loom, "scenarios::an_acknowledged_commit_survives_a_crash", Mutant::CommitBeforeSync),
    (
        Target::Loom,
        "scenarios::a_member_that_was_expired_starts_at_the_committed_offset",
        Mutant::RejoinKeepsPosition,
    ),
    (
        Target::Loom,
        "scenarios::what_a_leaving_member_did_not_handle_goes_to_another",
        Mutant::CommitBeforeProcess,
    ),
    (
        Target::Loom,
        "scenarios::what_a_member_puts_back_it_is_handed_again_unless_it_lost_it",
        Mutant::PutBackForgotten,
    ),
    (
        Target::Loom,
        "programs::every_program_of_two_threads_and_two_inbox_operations_is_lawful",
        Mutant::DeliveryCheckThenAct,
    ),
    (
        Target::Loom,
        "programs::every_program_of_three_threads_and_one_inbox_operation_is_lawful",
        Mutant::DeliveryCheckThenAct,
    ),
    (
        Target::Loom,
        "programs::every_program_of_two_threads_and_three_inbox_operations_of_one_effect_is_lawful",
        Mutant::FullInboxDrops,
    ),
    (
        Target::Loom,
        "causal::whoever_waits_is_told_of_an_arrival_and_gets_the_cause_first",
        Mutant::ArrivalWakesNobody,
    ),
    (
        Target::Loom,
        "causal::a_delivery_wakes_whoever_waits_for_what_it_makes_ready",
        Mutant::DeliveryWakesNobody,
    ),
    (
        Target::Loom,
        "causal::a_close_wakes_whoever_waits_and_hands_back_what_was_held",
        Mutant::InboxCloseWakesNobody,
    ),
    (Target::Loom, "causal::a_cause_that_is_given_up_is_waited_for_no_more", Mutant::CausesUnchecked),
    (
        Target::Loom,
        "causal::what_follows_from_an_answer_nobody_reads_waits_for_the_question",
        Mutant::ContextForgetsPast,
    ),
    (
        Target::Loom,
        "programs::every_program_of_two_threads_and_two_saga_log_operations_is_lawful",
        Mutant::FenceCheckThenAct,
    ),
    (
        Target::Loom,
        "programs::every_program_of_three_threads_and_one_saga_log_operation_is_lawful",
        Mutant::AskedBeforeSync,
    ),
    (
        Target::Loom,
        "programs::every_program_of_two_threads_and_two_operations_of_a_participant_is_lawful",
        Mutant::StepCheckThenAct,
    ),
    (
        Target::Loom,
        "programs::every_program_of_three_threads_and_one_operation_of_a_participant_is_lawful",
        Mutant::StepCheckThenAct,
    ),
    (
        Target::Loom,
        "saga::a_step_whose_compensation_may_come_first_leaves_nothing_behind",
        Mutant::StepCheckThenAct,
    ),
    (
        Target::Loom,
        "saga::of_two_executors_the_newer_one_knows_all_and_the_older_one_changes_nothing_more",
        Mutant::FenceCheckThenAct,
    ),
    (
        Target::Loom,
        "saga::a_late_reply_does_not_undo_what_was_decided_after_a_recovery",
        Mutant::FenceCheckThenAct,
    ),
    (Target::Loom, "saga::whoever_waits_for_the_end_of_a_saga_is_told", Mutant::AskedBeforeSync),
    (
        Target::Loom,
        "programs::every_program_of_two_threads_and_two_outbox_operations_is_lawful",
        Mutant::InboxCheckThenAct,
    ),
    (
        Target::Loom,
        "programs::every_program_of_three_threads_and_one_outbox_operation_is_lawful",
        Mutant::InboxCheckThenAct,
    ),
    (
        Target::Loom,
        "outbox::an_event_that_two_handlers_are_given_has_one_effect_and_both_answers_are_durable",
        Mutant::InboxCheckThenAct,
    ),
    (
        Target::Loom,
        "outbox::a_relay_that_another_one_took_over_from_is_fenced_and_order_is_kept",
        Mutant::RelayNotFenced,
    ),
    (Target::Loom, "outbox::what_a_relay_publishes_survives_a_crash_of_the_service", Mutant::AckBeforeFlush),
    (Target::Loom, "outbox::a_waiting_relay_is_told_of_what_is_owed", Mutant::LostWakeUp),
    (Target::Loom, "outbox::a_close_wakes_a_waiting_relay", Mutant::OutboxCloseWakesNobody),
    (Target::Shuttle, "generated_programs_of_the_causal_inbox_are_lawful", Mutant::DeliveryCheckThenAct),
    (Target::Shuttle, "generated_programs_of_the_partition_log_are_lawful", Mutant::DedupCheckThenAct),
    (Target::Shuttle, "generated_programs_of_the_consumer_group_are_lawful", Mutant::CommitCheckThenAct),
];

#[test]
fn every_test_of_a_shell_can_fail() {
    for target in [Target::Loom, Target::Shuttle] {
        let executable = nested::build(target);
        let listed = Command::new(&executable).arg("--list").output().expect("the tests can be run").stdout;
        let listed = String::from_utf8(listed).expect("the names are UTF-8");
        let mut tests: Vec<&str> = listed.lines().filter_map(|line| line.strip_suffix(": test")).collect();
        for (_, test, mutant) in CAN_FAIL.iter().filter(|(other, ..)| *other == target) {
            assert_ne!(
                run(&executable, test, Some(*mutant)),
                Outcome::Passed,
                "{test} with {}",
                mutant.name()
            );
            tests.retain(|other| other != test);
        }
        assert!(tests.is_empty(), "tests that nobody has seen fail: {tests:?}");
    }
}

#[test]
fn an_unknown_mutant_is_refused() {
    let executable = nested::build(Target::CoreRefinesLaw);
    let run =
        Command::new(executable).env("LAWSPEAKER_MUTANT", "gap-acepted").output().expect("it can be run");
    let printed = format!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(!run.status.success() && printed.contains("no mutant is called `gap-acepted`"), "{printed}");
}
