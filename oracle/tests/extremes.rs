//! Histories at the edges: nothing, nothing certain, huge offsets, many ops.

use lawspeaker_history::{Batch, Call, History, Offset, Op, OpType, Partition, Record, Sent};
use lawspeaker_oracle::{Anomaly, ChosenBy, Outcome, Profile, judge, report};

use crate::judge_text;

#[test]
fn an_empty_history_is_inconclusive() {
    let verdict = judge_text("");
    assert_eq!(verdict.outcome, Outcome::Inconclusive);
    assert!(verdict.checked.is_empty() && verdict.findings.is_empty());
    assert!(report::text(&verdict, "empty").contains("nothing to judge: 0 ops"));
}

#[test]
fn a_history_of_unknown_outcomes_is_inconclusive() {
    let verdict = judge_text(
        r#"{"process":0,"type":"invoke","f":"send","value":[["send","p","a"]]}
{"process":0,"type":"info","f":"send","value":[["send","p","a"]]}
{"process":1,"type":"info","f":"poll","value":[["poll"]]}"#,
    );
    assert_eq!(verdict.outcome, Outcome::Inconclusive);
}

#[test]
fn a_history_without_reads_is_inconclusive_unless_something_is_broken() {
    let first = r#"{"process":0,"type":"ok","f":"send","value":[["send","p",[5,"a"]]]}"#;
    assert_eq!(judge_text(first).outcome, Outcome::Inconclusive);
    let second = r#"{"process":0,"type":"ok","f":"send","value":[["send","p",[4,"b"]]]}"#;
    let verdict = judge_text(&format!("{first}\n{second}"));
    assert_eq!((verdict.outcome, verdict.count(Anomaly::NonmonotonicSend)), (Outcome::Violated, 1));
}

#[test]
fn a_guarantee_that_rests_on_nothing_is_undecided_and_never_silent() {
    let verdict = judge_text(r#"{"process":1,"type":"ok","f":"poll","value":[["poll",{"p":[[0,"a"]]}]]}"#);
    for guarantee in lawspeaker_history::Guarantee::ALL {
        let is_checked = verdict.checked.iter().any(|checked| checked.guarantee == *guarantee);
        let is_undecided = verdict.undecided.iter().any(|undecided| undecided.guarantee == *guarantee);
        assert!(is_checked || is_undecided, "{guarantee}");
    }
}

#[test]
fn an_unknown_profile_in_the_header_is_told_and_another_guessed() {
    let verdict = judge_text(r#"{"format":"lawspeaker.history","version":1,"profile":"kafak"}"#);
    let expected = "the header's `kafak` is unknown; events have no offsets";
    assert_eq!(verdict.profile_chosen_by, ChosenBy::Guess(expected.to_owned()));
}

#[test]
fn memory_and_time_do_not_follow_the_largest_offset() {
    let verdict = judge_text(
        r#"{"process":0,"type":"ok","f":"send","value":[["send","p",[0,"a"]]]}
{"process":0,"type":"ok","f":"send","value":[["send","p",[9000000000000000,"b"]]]}
{"process":1,"type":"ok","f":"poll","value":[["poll",{"p":[[0,"a"],[9000000000000000,"b"]]}]],"x":{"group":"g"}}
{"process":1,"type":"ok","f":"commit","value":{"p":9000000000000001},"x":{"group":"g"}}"#,
    );
    assert_eq!(verdict.outcome, Outcome::Conforms, "{}", report::text(&verdict, "sparse"));
}

fn partition() -> Partition {
    Partition::new("orders", 0)
}

fn send(event: usize) -> [Op; 2] {
    let send =
        |offset| Call::Send(vec![Sent { partition: partition(), offset, event: (event as i64).into() }]);
    [Op::new(0, OpType::Invoke, send(None)), Op::new(0, OpType::Ok, send(Some(Offset::of(event))))]
}

fn poll(process: i64, event: usize) -> Op {
    let record = Record { offset: Some(Offset::of(event)), event: (event as i64).into() };
    Op::new(process, OpType::Ok, Call::Poll(vec![Batch { partition: partition(), records: vec![record] }]))
}

#[test]
fn a_system_that_tells_every_producer_offset_zero_costs_no_square() {
    const EVENT_COUNT: usize = 30_000;
    let told_zero = |mut op: Op| {
        if let (OpType::Ok, Call::Send(sends)) = (op.op_type, &mut op.call) {
            sends.iter_mut().for_each(|sent| sent.offset = Some(Offset::of(0)));
        }
        op
    };
    let sends = (0..EVENT_COUNT).flat_map(send).map(told_zero);
    let history = History::of(sends.chain((0..EVENT_COUNT).map(|event| poll(1, event))));
    let verdict = judge(&history, Profile::named("kafka").unwrap());
    assert_eq!(verdict.count(Anomaly::InvalidOffset), EVENT_COUNT - 1);
    assert_eq!(verdict.violations().filter(|finding| finding.caused_by.is_none()).count(), 1);
}

#[test]
fn a_reader_that_jumps_to_and_fro_costs_no_square() {
    const EVENT_COUNT: usize = 30_000;
    let sends = (0..EVENT_COUNT).flat_map(send);
    let whole = (0..EVENT_COUNT).map(|event| poll(1, event));
    let jumps = (0..2_000).map(|jump| poll(2, if jump % 2 == 0 { 0 } else { EVENT_COUNT - 1 }));
    let history = History::of(sends.chain(whole).chain(jumps));
    let verdict = judge(&history, Profile::named("kafka").unwrap());
    assert_eq!((verdict.count(Anomaly::PollSkip), verdict.count(Anomaly::NonmonotonicPoll)), (1_000, 999));
}

#[test]
fn a_history_of_200_000_ops_is_judged_in_one_go() {
    const EVENT_COUNT: usize = 50_000;
    let sends = (0..EVENT_COUNT).flat_map(send);
    let reads = (0..EVENT_COUNT).map(|event| poll(1, event));
    let half = (0..EVENT_COUNT).filter(|event| event % 2 == 0).map(|event| poll(2, event));
    let history = History::of(sends.chain(reads).chain(half));
    let verdict = judge(&history, Profile::named("kafka").unwrap());
    assert_eq!(verdict.count(Anomaly::PollSkip), EVENT_COUNT / 2 - 1);
    assert_eq!(verdict.findings.len(), 1);
}

#[test]
fn where_lines_are_missing_nothing_follows_from_what_is_not_there() {
    let text = r#"{"index":0,"process":0,"type":"ok","f":"send","value":[["send","orders/0",[0,"a"]]]}
{"index":9,"process":1,"type":"ok","f":"poll","value":[["poll",{"orders/0":[[0,"a"],[1,"b"]]}]]}"#;
    let history = History::read(text.as_bytes()).expect("the lines are sound");
    let verdict = judge(&history, Profile::named("kafka").expect("kafka is a profile"));
    assert_eq!(verdict.outcome, Outcome::Inconclusive);
    assert_eq!(verdict.count(Anomaly::Phantom), 1);
    assert_eq!(verdict.violations().count(), 0);
}

#[test]
fn more_sessions_than_are_taken_on_leave_causal_delivery_undecided_with_words() {
    const SESSION_COUNT: usize = 4_097;
    let sends = (0..SESSION_COUNT)
        .flat_map(|session| send(session).map(|op| Op { process: (session as i64).into(), ..op }));
    let history = History::of(sends.chain((0..SESSION_COUNT).map(|event| poll(-1, event))));
    let verdict = judge(&history, Profile::named("causal-broadcast").unwrap());
    let reason = "4097 processes send, more than the 4096 that this check takes on";
    assert!(verdict.undecided.iter().any(|undecided| undecided.reason == reason), "{:?}", verdict.undecided);
    assert!(!verdict.checked.iter().any(|checked| checked.anomaly == Anomaly::CausalInversion));
}

#[test]
fn a_consumer_that_is_given_everything_backwards_costs_no_square() {
    const EVENT_COUNT: usize = 30_000;
    let sends = (0..EVENT_COUNT).flat_map(send);
    let history = History::of(sends.chain((0..EVENT_COUNT).rev().map(|event| poll(1, event))));
    let verdict = judge(&history, Profile::named("causal-broadcast").unwrap());
    assert_eq!(verdict.count(Anomaly::MonotonicWrites), EVENT_COUNT - 1);
}
