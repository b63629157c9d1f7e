//! How fast causal delivery is judged: one million deliveries over 64 sessions, `cargo bench -p lawspeaker-oracle
//! --bench causal`. The figure stands in `docs/measurements/`.

use std::time::Instant;

use lawspeaker_history::{Batch, Call, EventId, Op, OpType, Partition, Record, Sent};
use lawspeaker_oracle::{Judge, Outcome, Profile};

const SESSION_COUNT: usize = 64;
const DELIVERY_COUNT: usize = 1_000_000;
/// How many events are under way at once: each is delivered to a session so many rounds after it was sent.
const LAG: usize = 16;

/// Each round one session sends an event, and every session is delivered the one that was sent [`LAG`] rounds before:
/// a causal broadcast, if a late one.
fn ops() -> impl Iterator<Item = Op> {
    let partition = Partition::named("all");
    let round_count = DELIVERY_COUNT / SESSION_COUNT + LAG;
    let assign = (0..SESSION_COUNT)
        .map(|session| Op::new(session as i64, OpType::Ok, Call::Assign(vec![Partition::named("all")])));
    let rounds = (0..round_count).flat_map(move |round| {
        let send = (round < round_count - LAG).then(|| {
            let sent =
                Sent { partition: partition.clone(), offset: None, event: EventId::from(round as i64) };
            let sender = (round * 7 % SESSION_COUNT) as i64;
            [OpType::Invoke, OpType::Ok]
                .map(|op_type| Op::new(sender, op_type, Call::Send(vec![sent.clone()])))
        });
        let deliveries = round.checked_sub(LAG).into_iter().flat_map({
            let partition = partition.clone();
            move |event| {
                let partition = partition.clone();
                (0..SESSION_COUNT).map(move |session| {
                    let records = vec![Record { offset: None, event: EventId::from(event as i64) }];
                    let batch = Batch { partition: partition.clone(), records };
                    Op::new(session as i64, OpType::Ok, Call::Receive(vec![batch]))
                })
            }
        });
        send.into_iter().flatten().chain(deliveries)
    });
    assign.chain(rounds)
}

#[expect(clippy::print_stdout, reason = "a benchmark prints its figure")]
fn main() {
    let profile = Profile::named("causal-broadcast").expect("it is a profile");
    let mut judge = Judge::new(profile);
    let started = Instant::now();
    let mut op_count = 0;
    for mut op in ops() {
        op.index = op_count;
        op_count += 1;
        op.line = op_count;
        judge.observe(&op);
    }
    let taken = started.elapsed();
    let verdict = judge.finish();
    let judged = started.elapsed() - taken;
    assert_eq!(verdict.outcome, Outcome::Conforms);
    let events_per_second = |seconds: f64| DELIVERY_COUNT as f64 / seconds;
    println!("{op_count} ops, {DELIVERY_COUNT} deliveries, {SESSION_COUNT} sessions");
    println!("taken in   {:6.2} s", taken.as_secs_f64());
    println!(
        "judged in  {:6.2} s   {:9.0} events/s, every other check of the profile included",
        judged.as_secs_f64(),
        events_per_second(judged.as_secs_f64())
    );
    println!(
        "in all     {:6.2} s   {:9.0} events/s",
        (taken + judged).as_secs_f64(),
        events_per_second((taken + judged).as_secs_f64())
    );
    for checked in verdict.checked.iter().filter(|checked| checked.basis.is_some()).take(1) {
        println!(
            "{} {}s, going by {}",
            checked.observations,
            checked.unit,
            checked.basis.as_deref().unwrap_or("")
        );
    }
}
