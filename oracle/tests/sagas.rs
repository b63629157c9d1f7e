//! Sagas against a naive judge, against every world that a history leaves open, and against runs that are correct.

mod naive;
mod runs;
mod worlds;

use std::collections::BTreeSet;

use lawspeaker_history::{
    Call, Guarantee, Header, History, Op, OpType, Process, SagaEnd, SagaId, SagaOutcome, SagaStart, SagaStep,
    StepName,
};
use lawspeaker_oracle::{Anomaly, Outcome, Profile, Subject, Undecided, judge, report};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

/// The steps that starts declare; the last of [`STEPS`] is declared by nobody.
const STEPS: [&str; 4] = ["reserve", "charge", "ship", "gift"];
const DECLARED: usize = 3;
const PIVOT: usize = 1;
const SAGAS: [&str; 2] = ["s1", "s2"];
/// What steps read and compensations restore.
const RECORDS: [&str; 2] = ["stock", "credit"];

/// An anomaly, the saga that shows it, and the step that suffers, if it is one's.
type Accusation = (Anomaly, SagaId, Option<StepName>);

fn start_of(saga: &str, is_declared: bool) -> Call {
    Call::SagaStart(SagaStart {
        saga: saga.into(),
        steps: is_declared.then(|| STEPS[..DECLARED].iter().map(|step| (*step).into()).collect()),
        pivot: is_declared.then(|| STEPS[PIVOT].into()),
    })
}

fn step_of(saga: &str, step: usize) -> SagaStep {
    SagaStep { saga: saga.into(), step: STEPS[step].into() }
}

fn end_of(saga: &str, outcome: SagaOutcome) -> Call {
    Call::SagaEnd(SagaEnd { saga: saga.into(), outcome })
}

/// Any call about one of two sagas.
pub(crate) fn calls() -> impl Strategy<Value = Call> {
    let saga = || prop_oneof![4 => Just(SAGAS[0]), 1 => Just(SAGAS[1])];
    // Few steps, so that much happens to each.
    let step = || {
        (saga(), prop_oneof![4 => 0..2usize, 1 => 2..STEPS.len()])
            .prop_map(|(saga, step)| step_of(saga, step))
    };
    let outcome = prop_oneof![1 => Just(SagaOutcome::Committed), 2 => Just(SagaOutcome::Aborted)];
    prop_oneof![
        3 => saga().prop_map(|saga| start_of(saga, saga == SAGAS[0])),
        8 => step().prop_map(Call::SagaStep),
        8 => step().prop_map(Call::SagaCompensate),
        3 => (saga(), outcome).prop_map(|(saga, outcome)| end_of(saga, outcome)),
        1 => Just(Call::Quiescent),
    ]
}

/// Any ops at all of two sagas by three processes.
fn histories() -> impl Strategy<Value = History> {
    let op_type = prop_oneof![
        5 => Just(OpType::Ok), 2 => Just(OpType::Invoke), 1 => Just(OpType::Fail), 1 => Just(OpType::Info),
    ];
    let touched = prop_oneof![2 => Just(None), 1 => (0..2usize, 0..2usize).prop_map(Some)];
    let op = (0..3i64, op_type, calls(), touched).prop_map(|(process, op_type, call, touched)| {
        let mut op = Op::new(process, op_type, call);
        let touched = touched.map(|(record, saga)| (RECORDS[record].to_owned(), Some(SAGAS[saga].into())));
        match op.call {
            Call::SagaStep(_) => op.x.reads.extend(touched),
            Call::SagaCompensate(_) => op.x.restores.extend(touched),
            _ => {}
        }
        op
    });
    (vec(op, 0..16), any::<bool>(), any::<bool>()).prop_map(|(mut ops, is_complete, is_completed)| {
        if is_completed {
            complete(&mut ops);
        }
        let mut history = History::of(ops);
        history.header.complete = Some(is_complete);
        history
    })
}

/// Gives most invocations their completions, some lines later, so that calls overlap.
fn complete(ops: &mut Vec<Op>) {
    for place in (0..ops.len()).rev() {
        if ops[place].op_type == OpType::Invoke {
            let completion = Op { op_type: OpType::Ok, ..ops[place].clone() };
            ops.insert((place + 2).min(ops.len()), completion);
        }
    }
}

/// What the oracle accuses a history of.
fn accusations(history: &History) -> BTreeSet<Accusation> {
    let verdict = judge(history, Profile::named("saga").expect("it is a profile"));
    let cases = verdict.findings.iter().flat_map(|of| of.cases.iter().map(|case| (of.anomaly, case)));
    let told = cases.map(|(anomaly, case)| {
        let is_of_saga = matches!(anomaly, Anomaly::StuckSaga | Anomaly::CommitAndAbort)
            || anomaly == Anomaly::OrphanReply && !case.sentence.contains("does not declare");
        let step = case.steps.first().cloned().filter(|_| !is_of_saga);
        (anomaly, case.saga.clone().expect("only sagas are recorded"), step)
    });
    told.collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_history_of_sagas_is_judged_as_pair_by_pair(history in histories()) {
        prop_assert_eq!(accusations(&history), naive::accusations(&history));
    }

    #[test]
    fn whatever_a_saga_is_accused_of_is_true_in_every_world(history in histories(), seed in any::<u64>()) {
        let accused = accusations(&history);
        for world in worlds::of(&history, seed, 12) {
            for accusation in &accused {
                prop_assert!(world.shows(accusation), "{:?} is not true in {:#?}", accusation, world);
            }
        }
    }

    #[test]
    fn a_correct_run_is_accused_of_nothing(choices in vec(vec(any::<u8>(), 0..60), 1..4), cut in any::<u8>()) {
        let history = runs::history(&choices, cut);
        let verdict = judge(&history, Profile::named("saga").expect("it is a profile"));
        prop_assert!(verdict.findings.is_empty(), "{}\n{:#?}", report::text(&verdict, "a run"), history.ops);
    }
}

#[test]
fn random_histories_show_every_anomaly_of_sagas() {
    let mut runner = TestRunner::deterministic();
    let mut seen = BTreeSet::new();
    for _ in 0..4000 {
        let history = histories().new_tree(&mut runner).expect("a history can be made").current();
        seen.extend(accusations(&history).into_iter().map(|(anomaly, ..)| anomaly));
    }
    for anomaly in Anomaly::ALL.iter().filter(|anomaly| anomaly.subject() == Subject::Sagas) {
        assert!(seen.contains(anomaly), "no history shows {anomaly}");
    }
}

#[test]
fn correct_runs_commit_abort_plant_tombstones_and_refuse_late_commands() {
    let mut seen = BTreeSet::new();
    let mut state = 1u64;
    for _ in 0..3000 {
        let mut choices = Vec::new();
        for _ in 0..40 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            choices.push((state >> 56) as u8);
        }
        let history = runs::history(&[choices], 255);
        let index =
            |f: &str, op_type| history.ops.iter().rposition(|op| op.call.f() == f && op.op_type == op_type);
        seen.extend(history.ops.iter().map(|op| (op.call.f().to_owned(), op.op_type)));
        if index("saga.step", OpType::Fail) > index("saga.end", OpType::Ok) {
            seen.insert(("late command".to_owned(), OpType::Fail));
        }
    }
    for (f, op_type) in [
        ("saga.step", OpType::Info),
        ("saga.step", OpType::Invoke),
        ("saga.compensate", OpType::Ok),
        ("saga.compensate", OpType::Info),
        ("saga.end", OpType::Info),
        ("late command", OpType::Fail),
    ] {
        assert!(seen.contains(&(f.to_owned(), op_type)), "no run holds {f} {op_type:?}");
    }
}

#[test]
fn sagas_are_judged_under_every_profile_where_they_are_recorded() {
    for name in Profile::names() {
        let step = |op_type| Op::new(Process::from("stock"), op_type, Call::SagaStep(step_of("s1", 0)));
        let history = History::of([step(OpType::Ok), step(OpType::Ok)]);
        let profile = Profile::named(name).expect("it is a profile");
        let verdict = judge(&history, profile.clone());
        assert_eq!((verdict.outcome, verdict.count(Anomaly::DoubleStep)), (Outcome::Violated, 1), "{name}");
        let nothing = judge(&History::default(), profile);
        assert_eq!(nothing.out_of_scope.contains(&Anomaly::DoubleStep), name != "saga", "{name}");
    }
}

#[test]
fn a_saga_that_nobody_said_was_at_rest_is_undecided_and_counted() {
    let history = History::of([
        Op::new(0, OpType::Ok, start_of("s1", true)),
        Op::new(1, OpType::Ok, Call::SagaStep(step_of("s1", 0))),
        Op::new(1, OpType::Ok, Call::SagaStep(step_of("s1", 1))),
        Op::new(1, OpType::Ok, Call::SagaCompensate(step_of("s1", 1))),
    ]);
    let told = |history: &History| {
        let verdict = judge(history, Profile::named("saga").expect("it is a profile"));
        let reasons = verdict.undecided.into_iter().map(|undecided| undecided.reason);
        let told: Vec<_> = reasons.filter(|reason| reason.starts_with("1 ")).collect();
        told
    };
    let [step, saga] = &told(&history)[..] else { panic!("{:?}", told(&history)) };
    assert!(step.starts_with("1 done step of sagas that go back may be compensated yet"), "{step}");
    assert!(saga.starts_with("1 saga had not ended"), "{saga}");
    let at_rest = History { header: Header { complete: Some(true), ..history.header }, ops: history.ops };
    assert_eq!(told(&at_rest), Vec::<String>::new());
}

#[test]
fn a_hole_in_a_history_without_sagas_says_nothing_of_sagas() {
    let lines = [0, 2].map(|index| format!(r#"{{"index":{index},"process":1,"type":"ok","f":"poll"}}"#));
    let history = History::read(lines.join("\n").as_bytes()).expect("it can be read");
    let verdict = judge(&history, Profile::named("kafka").expect("it is a profile"));
    let of_sagas = |undecided: &&Undecided| undecided.guarantee == Guarantee::SagaAtomicity;
    assert_eq!(verdict.undecided.iter().filter(of_sagas).count(), 1);
}
