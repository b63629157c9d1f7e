//! Models and oracle agree: what a model can do, told as a history, is accepted while the law is kept, and rejected
//! for the same guarantee when a removed guard breaks it.

#[path = "conformance/agreement.rs"]
mod agreement;
#[path = "conformance/behaviours.rs"]
mod behaviours;
#[path = "conformance/exceptions.rs"]
mod exceptions;
mod generated;
mod walk;

use std::collections::BTreeSet;

use exceptions::{is_beside, may_be_unseen};
use lawspeaker_history::{Guarantee, History, write_jsonl};
use lawspeaker_model::bounded_queues::BoundedQueues;
use lawspeaker_model::catalogue::{DomainModel, Preset, Request, build};
use lawspeaker_model::causal_delivery::CausalDelivery;
use lawspeaker_model::choreography::Choreography;
use lawspeaker_model::consumer_group::ConsumerGroup;
use lawspeaker_model::engine::{Limits, Options, Signal, Trace, explore};
use lawspeaker_model::isolation::Isolation;
use lawspeaker_model::outbox::Outbox;
use lawspeaker_model::partition_log::PartitionLog;
use lawspeaker_model::report::{LONG_ENOUGH, told};
use lawspeaker_model::saga::Saga;
use lawspeaker_model::saga_over_log::SagaOverLog;
use lawspeaker_oracle::{Outcome, Profile, Verdict, judge, report};
use proptest::prelude::*;
use walk::walk;

/// What a system that is built like a model promises; more than one where no profile promises all of it.
const LOG: &[&str] = &["kafka"];
const STRICT: &[&str] = &["kafka", "log-strict"];
const CAUSAL: &[&str] = &["kafka", "causal-broadcast"];
const SAGA: &[&str] = &["saga"];
const QUEUE: &[&str] = &["work-queue"];
const OUTBOX: &[&str] = &["outbox"];

fn verdicts(history: &History, profiles: &[&str]) -> Vec<Verdict> {
    profiles.iter().map(|name| judge(history, Profile::named(name).expect("it is a profile"))).collect()
}

fn broken(verdicts: &[Verdict]) -> BTreeSet<Guarantee> {
    verdicts.iter().flat_map(Verdict::violations).map(|finding| finding.guarantee).collect()
}

fn is_accepted<M: DomainModel>(choices: &[u16], profiles: &[&str]) -> Result<(), TestCaseError> {
    let model = M::preset(Preset::Small);
    let trace = walk(&model, choices);
    prop_assert!(model.is_done(trace.last()), "the walk does not end: {:?}", trace.last());
    for verdict in verdicts(&told(&model, &trace), profiles) {
        prop_assert_eq!(
            verdict.outcome,
            Outcome::Conforms,
            "{}",
            report::text(&verdict, "a walk of the model")
        );
    }
    Ok(())
}

/// Like [`is_accepted`], of a model in which a walk may be over before anything was delivered that could be judged.
fn is_accepted_or_empty<M: DomainModel>(choices: &[u16], profiles: &[&str]) -> Result<(), TestCaseError> {
    let model = M::preset(Preset::Small);
    let history = told(&model, &walk(&model, choices));
    if history.ops.iter().any(|op| op.call.f() == "receive") {
        return is_accepted::<M>(choices, profiles);
    }
    prop_assert_eq!(broken(&verdicts(&history, profiles)), BTreeSet::new());
    Ok(())
}

/// What sagas do ends, is written and read back, and is judged; nothing is held against it but what is not promised.
fn is_told_whole<M: DomainModel>(choices: &[u16], saga_count: usize) -> Result<(), TestCaseError> {
    let model = M::preset(Preset::Small);
    let trace = walk(&model, choices);
    prop_assert!(model.is_done(trace.last()), "the walk does not end: {:?}", trace.last());
    let history = told(&model, &trace);
    let calls: Vec<_> = history.ops.iter().map(|op| op.call.f()).collect();
    prop_assert_eq!(calls.first(), Some(&"saga.start"));
    prop_assert_eq!(calls.iter().filter(|f| **f == "saga.end").count(), saga_count);
    prop_assert_eq!(calls.last(), Some(&"quiescent"));
    let written = |history: &History| {
        let mut written = Vec::new();
        write_jsonl(&mut written, history).expect("memory takes what is written");
        written
    };
    let text = written(&history);
    let read = History::read(text.as_slice()).expect("what was written is read");
    prop_assert_eq!(written(&read), text);
    let mut held_against = broken(&verdicts(&read, SAGA));
    held_against.retain(|guarantee| !is_beside(M::NAME, *guarantee));
    prop_assert_eq!(held_against, BTreeSet::new());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_the_partition_log_does_is_accepted(choices in prop::collection::vec(any::<u16>(), 0..40)) {
        is_accepted::<PartitionLog>(&choices, LOG)?;
    }

    #[test]
    fn what_the_consumer_group_does_is_accepted(choices in prop::collection::vec(any::<u16>(), 0..40)) {
        is_accepted::<ConsumerGroup>(&choices, LOG)?;
    }

    #[test]
    fn what_causal_delivery_does_is_accepted(choices in prop::collection::vec(any::<u16>(), 1..24)) {
        is_accepted::<CausalDelivery>(&choices, CAUSAL)?;
    }

    #[test]
    fn what_the_saga_does_ends_and_is_told_whole(choices in prop::collection::vec(any::<u16>(), 0..40)) {
        is_told_whole::<Saga>(&choices, 1)?;
    }

    #[test]
    fn what_the_choreography_does_ends_and_is_told_whole(choices in prop::collection::vec(any::<u16>(), 0..40)) {
        is_told_whole::<Choreography>(&choices, 1)?;
    }

    #[test]
    fn what_sagas_on_shared_records_do_ends_and_is_told_whole(choices in prop::collection::vec(any::<u16>(), 0..16)) {
        is_told_whole::<Isolation>(&choices, 3)?;
    }

    #[test]
    fn what_a_saga_over_a_log_does_ends_and_is_told_whole(choices in prop::collection::vec(any::<u16>(), 0..40)) {
        is_told_whole::<SagaOverLog>(&choices, 1)?;
    }

    #[test]
    fn what_the_outbox_does_is_accepted(choices in prop::collection::vec(any::<u16>(), 0..40)) {
        is_accepted_or_empty::<Outbox>(&choices, OUTBOX)?;
    }

    #[test]
    fn what_the_bounded_queues_do_is_accepted(choices in prop::collection::vec(any::<u16>(), 1..24)) {
        is_accepted::<BoundedQueues>(&choices, QUEUE)?;
    }
}

/// Removes each guard in turn, tells every counterexample as a history, and collects what the oracle rejects for the
/// guarantee that the counterexample breaks: guard and guarantee, seen and unseen.
fn seen_and_unseen<M: DomainModel>(profiles: &[&str]) -> (Vec<String>, Vec<String>) {
    seen_and_unseen_within::<M>(Limits { max_depth: Some(13), ..Limits::default() }, profiles)
}

/// The same; without a limit, promises of what happens in the end as well.
fn seen_and_unseen_within<M: DomainModel>(limits: Limits, profiles: &[&str]) -> (Vec<String>, Vec<String>) {
    let (mut seen, mut unseen) = (Vec::new(), Vec::new());
    for guard in M::GUARDS {
        let model: M = build(&Request { without: vec![guard.name.to_owned()], ..Request::default() })
            .expect("the model has its guards");
        let laws = model.laws();
        for violation in
            explore(&model, Options { limits, ..Options::default() }, &mut |_| Signal::Continue).violations
        {
            let guarantee = laws[violation.law].guarantee;
            let shows =
                |trace: &Trace<M>| broken(&verdicts(&told(&model, trace), profiles)).contains(&guarantee);
            let is_seen = shows(&violation.trace)
                || !laws[violation.law].when.is_liveness()
                    && shows(&violation.trace.to_rest(&model, LONG_ENOUGH));
            let line = format!("{} without {}", guarantee, guard.name);
            assert!(
                is_seen || may_be_unseen(M::NAME, guarantee),
                "nobody knows why this is not visible: {line}"
            );
            let list = if is_seen { &mut seen } else { &mut unseen };
            if !list.contains(&line) {
                list.push(line);
            }
        }
    }
    (seen, unseen)
}

fn lines(seen_and_unseen: (Vec<String>, Vec<String>)) -> String {
    format!(
        "rejected\n  {}\nnot visible\n  {}\n",
        seen_and_unseen.0.join("\n  "),
        seen_and_unseen.1.join("\n  ")
    )
}

/// Not visible: what was lost before anybody read it, and what the shortest way to break it never acknowledges.
#[test]
fn what_breaks_the_partition_log_is_rejected() {
    insta::assert_snapshot!(lines(seen_and_unseen::<PartitionLog>(LOG)));
}

/// Not visible: what a member has in hand and never says.
#[test]
fn what_breaks_the_consumer_group_is_rejected() {
    insta::assert_snapshot!(lines(seen_and_unseen::<ConsumerGroup>(STRICT)));
}

/// Not visible: what a service waits for or gives up.
#[test]
fn what_breaks_causal_delivery_is_rejected() {
    insta::assert_snapshot!(lines(seen_and_unseen::<CausalDelivery>(CAUSAL)));
}

/// Each guard shows by what it is named for. Not visible: some of what else falls with it, in its shortest form.
#[test]
fn what_breaks_the_saga_is_rejected() {
    insta::assert_snapshot!(lines(seen_and_unseen::<Saga>(SAGA)));
}

#[test]
fn what_breaks_the_choreography_is_rejected() {
    insta::assert_snapshot!(lines(seen_and_unseen::<Choreography>(SAGA)));
}

/// Not visible: what the oracle does not judge yet, and what sagas wait for.
#[test]
fn what_breaks_the_isolation_of_sagas_is_rejected() {
    insta::assert_snapshot!(lines(seen_and_unseen::<Isolation>(SAGA)));
}

/// Not visible: what the oracle does not judge yet, and who waits for a lock.
#[test]
fn what_breaks_the_outbox_is_rejected() {
    insta::assert_snapshot!(lines(seen_and_unseen_within::<Outbox>(Limits::default(), OUTBOX)));
}

/// Not visible: who waits for what, where everything was delivered that was sent.
#[test]
fn what_breaks_the_bounded_queues_is_rejected() {
    insta::assert_snapshot!(lines(seen_and_unseen_within::<BoundedQueues>(Limits::default(), QUEUE)));
}

/// Not visible: what goes wrong in the log, of which an observer of the saga sees only what comes of it.
#[test]
fn what_breaks_a_saga_over_a_log_is_rejected() {
    insta::assert_snapshot!(lines(seen_and_unseen::<SagaOverLog>(SAGA)));
}
