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
        line 3       process 0 was told that event 0 stands in orders at offset 1, so it stands there for everybody
        line 4       process 51 was given event 0 at offset 1 of orders for group g1, so group g1 had it by then
        line 747     fault: power-loss
        line 1512    process 61 read event 127 at offset 1 of orders in the final read, so nothing else can stand there
        therefore    durability does not hold: what was acknowledged is in the log, through every crash
        and
        line 12      process 1 was told that event 1 stands in orders at offset 2
        line 15      process 51 was given event 1 at offset 2 of orders for group g1
        line 747     fault: power-loss
        line 1513    process 61 read event 125 at offset 2 of orders in the final read
        and 122 more like these
        the log of orders
        > 1          event 0: sent on 1, acknowledged on 3, seen by 51 of g1 on 4, done by 51 of g1 on 10
                     event 127: sent on 751, acknowledged on 753, seen by 51 of g1 on 778, 61 on 1512, done by 51 of g1 on 780
          2          event 1: sent on 6, acknowledged on 12, seen by 51 of g1 on 15, done by 51 of g1 on 19
                     event 125: sent on 749, acknowledged on 755, seen by 51 of g1 on 782, 61 on 1513, done by 51 of g1 on 784
          3          event 2: sent on 8, acknowledged on 13, seen by 50 of g1 on 17, done by 50 of g1 on 21
                     event 126: sent on 750, acknowledged on 756, seen by 51 of g1 on 786, 61 on 1514, done by 51 of g1 on 789
          4          event 3: sent on 9, acknowledged on 14, seen by 51 of g1 on 23, done by 51 of g1 on 25
                     event 124: sent on 748, acknowledged on 754, seen by 50 of g1 on 791, 61 on 1515, done by 50 of g1 on 795
        so also inconsistent-offsets  124 offsets of orders hold more than one event (offsets 1-124)
        so also nonmonotonic-send  4 times that a producer's later event stands before its earlier one in orders (offsets 1-4)

    checked:   no-creation           377 reads (phantom, future-read, misrouted)
               no-duplication        250 placed events (duplicate)
               producer-order        246 send pairs (nonmonotonic-send)
               partition-order       125 reader steps (poll-skip, nonmonotonic-poll)
               total-log             104 send pairs (offset-regression) · 250 placed events (inconsistent-offsets, invalid-offset)
               durability            250 acknowledged events (lost-write) · 250 confirmed acknowledgements (redelivery-after-ack)
               at-least-once         250 acknowledged events (unseen, group-loss) · 250 delivery acknowledgements (commit-ahead)
    undecided: key-order             no process was told where two events of one key (`x.key`) stand in a partitioned topic
    undecided: commit-monotonicity   no group committed two positions of one partition
    undecided: effect-once           no effect of an event (`apply`) and no saga is recorded
    undecided: single-owner          no assignment of a partition to a member of a group recorded
    undecided: causal-delivery       out of scope of this profile
    undecided: transaction-atomicity no send failed and no transaction was aborted
    undecided: no-deadlock           no `quiescent` says when nothing was under way any more
    undecided: judged of changes, and none is recorded: outbox-atomicity
    undecided: judged of sagas, and none is recorded: saga-atomicity, compensation-order, saga-termination, saga-isolation
    undecided: judged of streams, and none is recorded: stream-consistency
    "#);
}

#[test]
fn a_stale_owner_is_told_with_the_fall_that_it_caused() {
    assert_snapshot!(text_of("single-owner/violates/dual-owner.commits-over-another.jsonl"), @r#"
    VIOLATED  single-owner  dual-owner.commits-over-another.jsonl  profile kafka (named by the header)

      dual-owner  processes 5 and 6 of group g both held orders/0 from line 10 to line 16, and the stale owner's commit on line 12 was accepted
        line 8       group g gave orders/0 to process 5, so nobody else of the group may own it
        line 10      group g gave orders/0 to process 6, so nobody else of the group may own it
        line 12      process 5 committed position 2 of orders/0 for group g, done up to offset 1, so group g goes on from 2 after a restart
        line 16      process 5 gave them up, so another may own it from here on
        therefore    single-owner does not hold: a partition has one owner a generation, and stale owners are refused
        so also commit-regression  the position of group g in orders/0 fell from 2 (process 5, line 12) to 1 (process 6, line 15)

    checked:   no-creation           5 reads (phantom, future-read, misrouted)
               no-duplication        3 placed events (duplicate)
               producer-order        2 send pairs (nonmonotonic-send)
               partition-order       3 reader steps (poll-skip, nonmonotonic-poll)
               total-log             3 placed events (inconsistent-offsets, invalid-offset)
               durability            3 acknowledged events (lost-write)
               at-least-once         3 acknowledged events (group-loss) · 2 commits (commit-ahead)
               commit-monotonicity   1 commit pair (commit-regression)
               single-owner          2 assignments (dual-owner) · 5 member reads (foreign-delivery)
    undecided: key-order             no process was told where two events of one key (`x.key`) stand in a partitioned topic
    undecided: effect-once           no effect of an event (`apply`) and no saga is recorded
    undecided: causal-delivery       out of scope of this profile
    undecided: transaction-atomicity no send failed and no transaction was aborted
    undecided: no-deadlock           no `quiescent` says when nothing was under way any more
    undecided: judged of changes, and none is recorded: outbox-atomicity
    undecided: judged of sagas, and none is recorded: saga-atomicity, compensation-order, saga-termination, saga-isolation
    undecided: judged of streams, and none is recorded: stream-consistency
    "#);
}

#[test]
fn a_late_command_is_told_with_the_effects_that_it_doubled() {
    let text = text_of("saga-atomicity/violates/step-after-abort.and-so-it-is-done-twice.jsonl");
    let (found, _) = text.split_once("\nchecked:").unwrap();
    assert_snapshot!(found, @r#"
    VIOLATED  saga-atomicity  step-after-abort.and-so-it-is-done-twice.jsonl  profile saga (named by the header)

      step-after-abort  step charge of saga s1 was done (line 5) after it had been compensated (line 4)
        line 4       process till compensated step charge of saga s1, so its effect is undone
        line 5       process till did step charge of saga s1, so its effect stands until it is compensated
        therefore    saga-atomicity does not hold: a saga ends with all of its steps done, or with every done step compensated
        so also double-step  step charge of saga s1 was done 2 times (lines 3 and 5)
        so also double-compensation  step charge of saga s1 was compensated 2 times (lines 4 and 6)
    "#);
}

#[test]
fn a_conforming_recording_says_what_it_rests_on() {
    assert_snapshot!(text_of("recorded/tansu-0.6.0-memory-group.jsonl.gz"), @r#"
    CONFORMS  tansu-0.6.0-memory-group.jsonl.gz  profile kafka (guessed: positions are committed)
    checked:   no-creation           652 reads (phantom, future-read, misrouted)
               no-duplication        324 placed events (duplicate)
               producer-order        320 send pairs (nonmonotonic-send)
               key-order             320 keyed send pairs (key-order)
               partition-order       644 reader steps (poll-skip, nonmonotonic-poll)
               total-log             219 send pairs (offset-regression) · 324 placed events (inconsistent-offsets, invalid-offset)
               durability            324 acknowledged events (lost-write)
               at-least-once         324 acknowledged events (unseen, group-loss) · 64 commits (commit-ahead)
               commit-monotonicity   62 commit pairs (commit-regression)
               single-owner          4 assignments (dual-owner) · 324 member reads (foreign-delivery)
    wanted:    fault-while-sending   no fault happened while a send was under way; send without a pause while servers are killed
    undecided: effect-once           no effect of an event (`apply`) and no saga is recorded
    undecided: causal-delivery       out of scope of this profile
    undecided: transaction-atomicity no send failed and no transaction was aborted
    undecided: no-deadlock           no `quiescent` says when nothing was under way any more
    undecided: judged of changes, and none is recorded: outbox-atomicity
    undecided: judged of sagas, and none is recorded: saga-atomicity, compensation-order, saga-termination, saga-isolation
    undecided: judged of streams, and none is recorded: stream-consistency
    "#);
}

#[test]
fn a_poller_that_steps_over_late_rows_is_told_with_the_open_send() {
    assert_snapshot!(text_of("at-least-once/violates/group-loss.committed-late.jsonl"), @r#"
    VIOLATED  at-least-once  group-loss.committed-late.jsonl  profile work-queue (named by the header)

      group-loss  event a was acknowledged in outbox at offset 2 (line 11) and never reached group g, which went on to a later one (line 10) while the send was still open
        line 6       process 0 began to send event a, so it may stand in the log from here on
        line 10      process 5 was given event b at offset 3 of outbox for group g, so it had come past offset 2
        line 11      process 0 was told that event a stands in outbox at offset 2, so it stands there for everybody
        therefore    at-least-once does not hold: what was acknowledged is processed by every group, and what is committed was processed
        the log of outbox
          1          event z: sent on 2, acknowledged on 3, seen by 5 of g on 5, 9 on 12
        > 2          event a: sent on 6, acknowledged on 11, seen by 9 on 12
          3          event b: sent on 7, acknowledged on 8, seen by 5 of g on 10, 9 on 12

    checked:   no-creation           5 reads (phantom, future-read, misrouted)
               no-duplication        3 placed events (duplicate)
               total-log             3 placed events (inconsistent-offsets, invalid-offset)
               durability            3 acknowledged events (lost-write)
               at-least-once         3 acknowledged events (unseen, group-loss)
    undecided: producer-order        nothing in this history rests on it
    undecided: key-order             out of scope of this profile
    undecided: partition-order       out of scope of this profile
    undecided: commit-monotonicity   no group committed two positions of one partition
    undecided: effect-once           no effect of an event (`apply`) and no saga is recorded
    undecided: single-owner          no assignment of a partition to a member of a group recorded
    undecided: causal-delivery       out of scope of this profile
    undecided: transaction-atomicity no send failed and no transaction was aborted
    undecided: no-deadlock           no `quiescent` says when nothing was under way any more
    undecided: judged of changes, and none is recorded: outbox-atomicity
    undecided: judged of sagas, and none is recorded: saga-atomicity, compensation-order, saga-termination, saga-isolation
    undecided: judged of streams, and none is recorded: stream-consistency
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
