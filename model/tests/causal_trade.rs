//! Causal delivery over partitioned logs: order, at-least-once and no deadlock, of which one has to give way unless
//! producers wait for acknowledgements.

use std::collections::BTreeMap;

use lawspeaker_history::Guarantee;
use lawspeaker_model::catalogue::{Request, model};
use lawspeaker_model::engine::Signal;
use lawspeaker_model::report::{Report, counterexample_text};

fn check(without: &[&str], settings: &[(&str, u8)]) -> Report {
    let request = Request {
        without: without.iter().map(|name| (*name).to_owned()).collect(),
        settings: settings.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect(),
        ..Request::default()
    };
    let entry = model("causal-delivery").expect("the catalogue has it");
    let report = entry.check(&request, &mut |_| Signal::Continue).expect("the request names what there is");
    assert!(report.explored.is_complete);
    report
}

/// What falls, and in how many steps at least.
fn broken(without: &[&str], settings: &[(&str, u8)]) -> BTreeMap<Guarantee, usize> {
    let mut nearest = BTreeMap::new();
    for law in check(without, settings).laws {
        if let Some(steps) = law.broken_in {
            let slot = nearest.entry(law.guarantee).or_insert(steps);
            *slot = steps.min(*slot);
        }
    }
    nearest
}

const ASYNCHRONOUS: [&str; 1] = ["ack-barrier"];
const REORDERED: [&str; 2] = ["ack-barrier", "send-order"];

#[test]
fn sends_that_overtake_each_other_deadlock_with_two_events_in_four_steps() {
    let broken = broken(&REORDERED, &[("events", 2)]);
    assert_eq!(broken[&Guarantee::NoDeadlock], 4);
}

#[test]
fn sends_in_order_deadlock_with_four_events_in_eight_steps_and_with_three_never() {
    assert_eq!(broken(&ASYNCHRONOUS, &[("events", 3)]), BTreeMap::new());
    assert_eq!(broken(&ASYNCHRONOUS, &[("events", 4)])[&Guarantee::NoDeadlock], 8);
}

#[test]
fn one_partition_or_one_producer_never_deadlocks_while_sends_keep_their_order() {
    assert_eq!(broken(&ASYNCHRONOUS, &[("partitions", 1)]), BTreeMap::new());
    assert_eq!(broken(&ASYNCHRONOUS, &[("producers", 1)]), BTreeMap::new());
}

#[test]
fn a_hold_back_queue_trades_the_deadlock_for_partition_order() {
    let with = |more| [&REORDERED[..], &[more]].concat();
    assert_eq!(broken(&with("head-of-line"), &[]), BTreeMap::from([(Guarantee::PartitionOrder, 5)]));
}

#[test]
fn giving_up_trades_the_deadlock_for_at_least_once() {
    let with = |more| [&REORDERED[..], &[more]].concat();
    assert_eq!(broken(&with("wait-for-cause"), &[]), BTreeMap::from([(Guarantee::AtLeastOnce, 4)]));
}

#[test]
fn delivering_at_once_trades_the_deadlock_for_causal_delivery() {
    let with = |more| [&REORDERED[..], &[more]].concat();
    assert_eq!(broken(&with("check-deps"), &[]), BTreeMap::from([(Guarantee::CausalDelivery, 4)]));
}

/// The one cause that is named stands in a partition that the reader does not read, so it knows of none.
#[test]
fn a_cause_is_hidden_behind_a_partition_that_is_not_read() {
    let report = check(&["full-deps"], &[("partitions", 3), ("events", 3)]);
    let found = report.counterexamples.first().expect("causal delivery falls");
    assert_eq!((found.guarantee, found.steps.len()), (Guarantee::CausalDelivery, 7));
    insta::assert_snapshot!(counterexample_text(found));
}

#[test]
fn the_hold_back_queue_in_words() {
    let report = check(&["ack-barrier", "send-order", "head-of-line"], &[]);
    insta::assert_snapshot!(counterexample_text(&report.counterexamples[0]));
}
