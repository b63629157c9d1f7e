//! What people and programs read.

use insta::assert_snapshot;
use lawspeaker_history::EventId;
use lawspeaker_oracle::{Anomaly, Profile, judge, report};

use crate::{data, judge_without, read};

fn text_of(file: &str) -> String {
    let history = read(&data().join(file));
    let name = file.rsplit('/').next().unwrap_or(file);
    report::text(&judge_without(&history, &[]), name)
}

#[test]
fn a_power_loss_of_nats_reads_as_one_root_cause() {
    assert_snapshot!(text_of("recorded/nats-2.15.1-r1-default-powerloss.jsonl.gz"), @r#"
    VIOLATED  durability  nats-2.15.1-r1-default-powerloss.jsonl.gz  profile jetstream (guessed: single events are acknowledged at their offsets, and deliveries are counted)

      lost-write  124 acknowledged events are gone from orders (offsets 1-124)
        line 3       process 0 was told that event 0 stands in orders at offset 1
        line 4       process 51 was given event 0 at offset 1 of orders for group g1
        line 747     fault: power-loss
        line 1512    process 61 read event 127 at offset 1 of orders in the final read
        and
        line 12      process 1 was told that event 1 stands in orders at offset 2
        line 15      process 51 was given event 1 at offset 2 of orders for group g1
        line 747     fault: power-loss
        line 1513    process 61 read event 125 at offset 2 of orders in the final read
        and 122 more like these
        so also inconsistent-offsets  124 offsets of orders hold more than one event (offsets 1-124)
        so also nonmonotonic-send  4 times that a producer's later event stands before its earlier one in orders (offsets 1-4)

    checked:   no-creation           377 reads (phantom, misrouted)
               no-duplication        250 placed events (duplicate)
               producer-order        246 send pairs (nonmonotonic-send)
               partition-order       125 reader steps (poll-skip, nonmonotonic-poll)
               total-log             250 placed events (inconsistent-offsets, invalid-offset)
               durability            250 acknowledged events (lost-write) · 250 confirmed acknowledgements (redelivery-after-ack)
               at-least-once         250 acknowledged events (unseen, group-loss) · 250 delivery acknowledgements (commit-ahead)
    undecided: commit-monotonicity   no group committed two positions of one partition
    undecided: single-owner          no assignment of a partition to a member of a group recorded
    undecided: causal-delivery       out of scope of this profile
    undecided: transaction-atomicity no send failed and no transaction was aborted
    undecided: judged of sagas, and none is recorded: effect-once, saga-atomicity, compensation-order, saga-termination
    undecided: not judged by this version: key-order, outbox-atomicity, saga-isolation, no-deadlock
    "#);
}

#[test]
fn a_stale_owner_is_told_with_the_fall_that_it_caused() {
    assert_snapshot!(text_of("single-owner/violates/dual-owner.commits-over-another.jsonl"), @r#"
    VIOLATED  single-owner  dual-owner.commits-over-another.jsonl  profile kafka (named by the header)

      dual-owner  processes 5 and 6 of group g both held orders/0 from line 10 to line 16, and the stale owner's commit on line 12 was accepted
        line 8       group g gave orders/0 to process 5
        line 10      group g gave orders/0 to process 6
        line 12      process 5 committed position 2 of orders/0 for group g, done up to offset 1
        line 16      process 5 gave them up
        so also commit-regression  the position of group g in orders/0 fell from 2 (process 5, line 12) to 1 (process 6, line 15)

    checked:   no-creation           5 reads (phantom, misrouted)
               no-duplication        3 placed events (duplicate)
               producer-order        2 send pairs (nonmonotonic-send)
               partition-order       3 reader steps (poll-skip, nonmonotonic-poll)
               total-log             3 placed events (inconsistent-offsets, invalid-offset)
               durability            3 acknowledged events (lost-write)
               at-least-once         3 acknowledged events (group-loss) · 2 commits (commit-ahead)
               commit-monotonicity   1 commit pair (commit-regression)
               single-owner          2 assignments (dual-owner)
    undecided: causal-delivery       out of scope of this profile
    undecided: transaction-atomicity no send failed and no transaction was aborted
    undecided: judged of sagas, and none is recorded: effect-once, saga-atomicity, compensation-order, saga-termination
    undecided: not judged by this version: key-order, outbox-atomicity, saga-isolation, no-deadlock
    "#);
}

#[test]
fn a_late_command_is_told_with_the_effects_that_it_doubled() {
    let text = text_of("saga-atomicity/violates/step-after-abort.and-so-it-is-done-twice.jsonl");
    let (found, _) = text.split_once("\nchecked:").unwrap();
    assert_snapshot!(found, @r#"
    VIOLATED  saga-atomicity  step-after-abort.and-so-it-is-done-twice.jsonl  profile saga (named by the header)

      step-after-abort  step charge of saga s1 was done (line 5) after it had been compensated (line 4)
        line 4       process till compensated step charge of saga s1
        line 5       process till did step charge of saga s1
        so also double-step  step charge of saga s1 was done 2 times (lines 3 and 5)
        so also double-compensation  step charge of saga s1 was compensated 2 times (lines 4 and 6)
    "#);
}

#[test]
fn a_conforming_recording_says_what_it_rests_on() {
    assert_snapshot!(text_of("recorded/tansu-0.6.0-memory-group.jsonl.gz"), @r#"
    CONFORMS  tansu-0.6.0-memory-group.jsonl.gz  profile kafka (guessed: positions are committed)
    checked:   no-creation           652 reads (phantom, misrouted)
               no-duplication        324 placed events (duplicate)
               producer-order        320 send pairs (nonmonotonic-send)
               partition-order       644 reader steps (poll-skip, nonmonotonic-poll)
               total-log             324 placed events (inconsistent-offsets, invalid-offset)
               durability            324 acknowledged events (lost-write)
               at-least-once         324 acknowledged events (unseen, group-loss) · 64 commits (commit-ahead)
               commit-monotonicity   62 commit pairs (commit-regression)
               single-owner          4 assignments (dual-owner)
    undecided: causal-delivery       out of scope of this profile
    undecided: transaction-atomicity no send failed and no transaction was aborted
    undecided: judged of sagas, and none is recorded: effect-once, saga-atomicity, compensation-order, saga-termination
    undecided: not judged by this version: key-order, outbox-atomicity, saga-isolation, no-deadlock
    "#);
}

#[test]
fn a_poller_that_steps_over_late_rows_is_told_with_the_open_send() {
    assert_snapshot!(text_of("at-least-once/violates/group-loss.committed-late.jsonl"), @r#"
    VIOLATED  at-least-once  group-loss.committed-late.jsonl  profile work-queue (named by the header)

      group-loss  event a was acknowledged in outbox at offset 1 (line 7) and never reached group g, which went on to a later one (line 6) while the send was still open
        line 2       process 0 began to send event a
        line 6       process 5 was given event b at offset 2 of outbox for group g
        line 7       process 0 was told that event a stands in outbox at offset 1

    checked:   no-creation           3 reads (phantom, misrouted)
               no-duplication        2 placed events (duplicate)
               total-log             2 placed events (inconsistent-offsets, invalid-offset)
               durability            2 acknowledged events (lost-write)
               at-least-once         2 acknowledged events (unseen, group-loss)
    undecided: producer-order        no process sent two events to one partition that stand at known offsets
    undecided: partition-order       out of scope of this profile
    undecided: commit-monotonicity   no group committed two positions of one partition
    undecided: single-owner          no assignment of a partition to a member of a group recorded
    undecided: causal-delivery       out of scope of this profile
    undecided: transaction-atomicity no send failed and no transaction was aborted
    undecided: judged of sagas, and none is recorded: effect-once, saga-atomicity, compensation-order, saga-termination
    undecided: not judged by this version: key-order, outbox-atomicity, saga-isolation, no-deadlock
    "#);
}

#[test]
fn json_holds_every_case() {
    let history = read(&data().join("recorded/nats-2.15.1-r1-default-powerloss.jsonl.gz"));
    let verdict = judge(&history, Profile::named("jetstream").unwrap());
    let json = report::json(&verdict, "nats");
    assert_eq!(json["schema"], "lawspeaker.verdict/1");
    assert_eq!(json["outcome"], "violated");
    let finding = &json["findings"][0];
    assert_eq!((&finding["anomaly"], &finding["guarantee"]), (&"lost-write".into(), &"durability".into()));
    assert_eq!(finding["cases"].as_array().unwrap().len(), 124);
    assert_eq!(finding["causes"], serde_json::json!([2, 3]));
    let case = &verdict.of(Anomaly::LostWrite).next().unwrap().cases[0];
    assert_eq!(case.events, [EventId::from(0)]);
    assert_snapshot!(case.sentence, @r#"event 0 was acknowledged in orders at offset 1 (line 3), and the final read passed that place (line 1512) and did not find it"#);
}

#[test]
fn what_rests_on_the_order_of_lines_says_so() {
    let doubts_of = |file: &str| {
        let verdict = judge_without(&read(&data().join("commit-monotonicity/violates").join(file)), &[]);
        verdict.doubts.into_iter().map(|doubt| doubt.sentence).collect::<Vec<_>>()
    };
    assert_eq!(
        doubts_of("commit-regression.without-invocations.jsonl"),
        [
            "completions without invocations: the order of lines was taken for the order in time: 1 time, first on line 10"
        ]
    );
    assert!(doubts_of("commit-regression.jsonl").is_empty());
}
