//! How fast a history is read and judged: 200 thousand events and 501 thousand observations in 4 partitions, as JSON
//! Lines in memory, `cargo bench -p lawspeaker-oracle --bench judge`. The figures stand in `docs/measurements/`.
//!
//! Time is that of the processor, as Linux counts it for the thread, so that what else runs on the machine matters less;
//! elsewhere it is that of the wall.

mod recording;

use std::fs;
use std::time::{Duration, Instant};

use lawspeaker_history::Reader;
use lawspeaker_oracle::{Judge, Outcome, Verdict};
use recording::{Recording, Shape};

const EVENT_COUNT: usize = 200_000;
/// How often each shape is read and judged; the least time is told.
const ROUNDS: usize = 15;

const SHAPES: [Shape; 4] = [
    Shape { name: "batches of 10, ids are numbers", batch: 10, id_prefix: "", first_offset: 0 },
    Shape { name: "batches of 10, ids are text", batch: 10, id_prefix: "order-", first_offset: 0 },
    Shape { name: "one event a call, ids are text", batch: 1, id_prefix: "order-", first_offset: 0 },
    Shape {
        name: "batches of 10, offsets from 2^52",
        batch: 10,
        id_prefix: "",
        first_offset: 4_503_599_627_370_496,
    },
];

/// The time of this thread on a processor.
fn processor_time(started: Instant) -> Duration {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let on_processor = stat.split(' ').next().and_then(|nanoseconds| nanoseconds.parse().ok());
    on_processor.map_or_else(|| started.elapsed(), Duration::from_nanos)
}

fn timed<T>(task: impl FnOnce() -> T) -> (Duration, T) {
    let started = Instant::now();
    let before = processor_time(started);
    let done = task();
    (processor_time(started) - before, done)
}

fn judged(text: &str) -> Verdict {
    let mut reader = Reader::new(text.as_bytes()).expect("it has a header");
    let mut judge = Judge::guessing();
    judge.header(reader.header());
    for op in &mut reader {
        judge.observe(&op.expect("it is well-formed"));
    }
    judge.finish()
}

#[expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
fn main() {
    for shape in &SHAPES {
        let mut recording = Recording::new(shape);
        recording.topic("orders", EVENT_COUNT);
        let (text, observation_count) = (recording.text, recording.observation_count);
        let (mut reading, mut whole) = (Duration::MAX, Duration::MAX);
        for _ in 0..ROUNDS {
            let read =
                || Reader::new(text.as_bytes()).expect("it has a header").filter_map(Result::ok).count();
            let (taken, _) = timed(read);
            reading = reading.min(taken);
            let (taken, verdict) = timed(|| judged(&text));
            whole = whole.min(taken);
            assert_eq!(verdict.outcome, Outcome::Conforms);
        }
        let rate = |time: Duration| EVENT_COUNT as f64 / time.as_secs_f64();
        println!("{}: {EVENT_COUNT} events, {observation_count} observations", shape.name);
        println!("  bytes an event {:8}", text.len() / EVENT_COUNT);
        println!("  read           {:8.1} ms {:10.0} events/s", reading.as_secs_f64() * 1e3, rate(reading));
        let judging = whole.saturating_sub(reading);
        println!("  judged         {:8.1} ms {:10.0} events/s", judging.as_secs_f64() * 1e3, rate(judging));
        println!("  both           {:8.1} ms {:10.0} events/s", whole.as_secs_f64() * 1e3, rate(whole));
    }
}
