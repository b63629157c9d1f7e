//! How fast a history is read and judged: 200 thousand events and 501 thousand observations in 4 partitions, as JSON
//! Lines in memory, `cargo bench -p lawspeaker-oracle --bench judge`. The figures stand in `docs/measurements/`.
//!
//! Time is that of the processor, as Linux counts it for the thread, so that what else runs on the machine matters less;
//! elsewhere it is that of the wall.

use std::fmt::Write as _;
use std::fs;
use std::time::{Duration, Instant};

use lawspeaker_history::Reader;
use lawspeaker_oracle::{Judge, Outcome, Verdict};

const EVENT_COUNT: usize = 200_000;
const PARTITION_COUNT: usize = 4;
const PRODUCER_COUNT: usize = 8;
/// What one poll returns at most, as Kafka's `max.poll.records` has it.
const POLLED_AT_MOST: usize = 500;
/// How often each shape is read and judged; the least time is told.
const ROUNDS: usize = 5;

/// How a recording looks.
struct Shape {
    name: &'static str,
    /// How many events one call sends.
    batch: usize,
    /// What stands before the number of an event in its id: nothing makes it a number.
    id_prefix: &'static str,
    /// What is added to every offset.
    first_offset: usize,
}

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

/// Lines of a history.
struct Lines<'a> {
    shape: &'a Shape,
    text: String,
    index: usize,
    observation_count: usize,
}

impl Lines<'_> {
    fn op(&mut self, process: usize, op_type: &str, f: &str, value: &str, x: &str) {
        let (index, time) = (self.index, self.index * 1_000);
        self.index += 1;
        let x = if x.is_empty() { String::new() } else { format!(r#","x":{x}"#) };
        writeln!(
            self.text,
            r#"{{"index":{index},"time":{time},"process":{process},"type":"{op_type}","f":"{f}","value":{value}{x}}}"#
        )
        .expect("memory takes it");
    }

    fn id(&self, event: usize) -> String {
        match self.shape.id_prefix {
            "" => event.to_string(),
            prefix => format!("\"{prefix}{event}\""),
        }
    }

    /// A batch is sent to the end of `log`, and acknowledged.
    fn send(&mut self, producer: usize, partition: usize, log: &mut Vec<usize>, events: &[usize]) {
        let list = |entries: Vec<String>| format!("[{}]", entries.join(","));
        let asked =
            events.iter().map(|event| format!(r#"["send","orders/{partition}",{}]"#, self.id(*event)));
        self.op(producer, "invoke", "send", &list(asked.collect()), "");
        let first = self.shape.first_offset + log.len();
        let told = events.iter().enumerate().map(|(place, event)| {
            format!(r#"["send","orders/{partition}",[{},{}]]"#, first + place, self.id(*event))
        });
        self.op(producer, "ok", "send", &list(told.collect()), "");
        log.extend(events);
        self.observation_count += events.len();
    }

    /// A member reads on from `position`, and commits how far it came.
    fn poll(&mut self, group: &str, member: usize, partition: usize, log: &[usize], position: &mut usize) {
        let next = (*position + POLLED_AT_MOST).min(log.len());
        let x = format!(r#"{{"group":"{group}"}}"#);
        let first = self.shape.first_offset + *position;
        let records = log[*position..next].iter().enumerate();
        let records = records.map(|(place, event)| format!("[{},{}]", first + place, self.id(*event)));
        let value =
            format!(r#"[["poll",{{"orders/{partition}":[{}]}}]]"#, records.collect::<Vec<_>>().join(","));
        self.op(member, "invoke", "poll", "null", &x);
        self.op(member, "ok", "poll", &value, &x);
        let value = format!(r#"{{"orders/{partition}":{}}}"#, self.shape.first_offset + next);
        self.op(member, "invoke", "commit", &value, &x);
        self.op(member, "ok", "commit", &value, &x);
        self.observation_count += next - *position + 1;
        *position = next;
    }
}

/// Eight producers, a group that reads all four partitions, and one that reads two of them.
fn history(shape: &Shape) -> (String, usize) {
    let header = r#"{"format":"lawspeaker.history","version":1,"profile":"kafka","complete":true}"#;
    let mut lines = Lines { shape, text: format!("{header}\n"), index: 0, observation_count: 0 };
    let members: Vec<(&str, usize, usize)> = (0..PARTITION_COUNT)
        .map(|partition| ("billing", 100 + partition, partition))
        .chain((0..PARTITION_COUNT / 2).map(|partition| ("mail", 200 + partition, partition)))
        .collect();
    for (group, member, partition) in &members {
        let x = format!(r#"{{"group":"{group}","gen":1}}"#);
        lines.op(*member, "ok", "assign", &format!(r#"["orders/{partition}"]"#), &x);
    }
    let mut logs = vec![Vec::new(); PARTITION_COUNT];
    let mut positions = vec![0; members.len()];
    let events: Vec<usize> = (0..EVENT_COUNT).collect();
    for (call, batch) in events.chunks(shape.batch).enumerate() {
        let partition = call % PARTITION_COUNT;
        lines.send(call % PRODUCER_COUNT, partition, &mut logs[partition], batch);
        for ((group, member, partition), position) in members.iter().zip(&mut positions) {
            if logs[*partition].len() - *position >= POLLED_AT_MOST {
                lines.poll(group, *member, *partition, &logs[*partition], position);
            }
        }
    }
    (lines.text, lines.observation_count)
}

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
        let (text, observation_count) = history(shape);
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
