//! The oracle rejects a history of ours once something is wrong in it: the other tests of O4 can fail.

use lawspeaker_history::{Call, EventId, History, Op, OpType, Phase};
use lawspeaker_oracle::{Anomaly, Outcome, Profile, judge};

use crate::threads;

/// Changes a history into one that no lawful system can have.
type Break = fn(&mut History);

/// The event in the middle of the acknowledged ones.
fn some_acknowledged_event(history: &History) -> EventId {
    let acknowledged: Vec<_> = history
        .ops
        .iter()
        .filter(|op| op.op_type == OpType::Ok)
        .filter_map(|op| if let Call::Send(sent) = &op.call { Some(sent[0].event.clone()) } else { None })
        .collect();
    acknowledged[acknowledged.len() / 2].clone()
}

/// Takes `event` out of every read of the ops of `phase`.
fn forget(history: &mut History, event: &EventId, is_concerned: impl Fn(&Op) -> bool) {
    for op in history.ops.iter_mut().filter(|op| is_concerned(op)) {
        if let Call::Poll(batches) = &mut op.call {
            batches.iter_mut().for_each(|batch| batch.records.retain(|record| record.event != *event));
        }
    }
}

fn lose_an_event(history: &mut History) {
    let event = some_acknowledged_event(history);
    forget(history, &event, |_| true);
}

fn hide_an_event_from_the_group(history: &mut History) {
    let event = some_acknowledged_event(history);
    forget(history, &event, |op| op.x.phase != Some(Phase::Final));
}

fn double_an_event(history: &mut History) {
    let last = history.ops.last_mut().unwrap();
    let Call::Poll(batches) = &mut last.call else { panic!("the last op is the final read") };
    let records = &mut batches[0].records;
    let mut copy = records[0].clone();
    copy.offset = records.last().unwrap().offset.map(|offset| offset.next());
    records.push(copy);
}

/// Lowers the last commit that follows another one of its partition with no `seek` between: after a seek of a member
/// the oracle lets its group commit anything.
fn lower_a_commit(history: &mut History) {
    let mut committed = Vec::new();
    let mut last = None;
    for (place, op) in history.ops.iter().enumerate().filter(|(_, op)| op.op_type == OpType::Ok) {
        match &op.call {
            Call::Commit(positions) if committed.contains(&positions[0].partition) => last = Some(place),
            Call::Commit(positions) => committed.push(positions[0].partition.clone()),
            Call::Other { f, .. } if f == "seek" => committed.clear(),
            _ => {}
        }
    }
    let Call::Commit(positions) = &mut history.ops[last.unwrap()].call else { panic!("it is a commit") };
    positions[0].next = Some("0".parse().unwrap());
}

/// A member that was to read on reads what it has read.
fn hide_that_events_were_put_back(history: &mut History) {
    history.ops.retain(|op| op.call.f() != "seek");
}

#[test]
fn a_broken_history_is_rejected_for_what_is_broken() {
    let good = threads::run();
    let profile = Profile::named("kafka").unwrap();
    let seeded: [(Break, Anomaly); 5] = [
        (lose_an_event, Anomaly::LostWrite),
        (hide_an_event_from_the_group, Anomaly::GroupLoss),
        (double_an_event, Anomaly::Duplicate),
        (lower_a_commit, Anomaly::CommitRegression),
        (hide_that_events_were_put_back, Anomaly::NonmonotonicPoll),
    ];
    for (break_it, expected) in seeded {
        let mut history = good.clone();
        break_it(&mut history);
        let verdict = judge(&history, profile.clone());
        assert_eq!(verdict.outcome, Outcome::Violated, "{expected:?} was not seen");
        let found: Vec<_> = verdict.findings.iter().map(|finding| finding.anomaly).collect();
        assert!(found.contains(&expected), "{found:?} were seen and not {expected:?}");
    }
}
