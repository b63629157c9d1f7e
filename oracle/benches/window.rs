//! How fast, and in how much memory, a recording is judged whose topics come and go, `cargo bench -p lawspeaker-oracle
//! --bench window`: of 2 million events, or of as many as `LAWSPEAKER_BENCH_EVENTS` says. It is written while it is read,
//! so that it stands nowhere as a whole. The figures stand in `docs/measurements/`.

mod recording;

use std::fs;
use std::io::{BufReader, Read};
use std::time::Instant;

use lawspeaker_history::Reader;
use lawspeaker_oracle::{Outcome, Windowed};
use recording::{Recording, Shape};

const SHAPE: Shape = Shape { name: "batches of 10", batch: 10, id_prefix: "", first_offset: 0 };
/// How many events go to one topic of four partitions before the next one is made.
const EVENTS_A_TOPIC: usize = 20_000;
/// Half of it: a topic takes twice as many lines, and none in between.
const WINDOW: u64 = 2_000;

/// A recording that is made while it is read.
struct Endless {
    recording: Recording<'static>,
    /// How much of its text was read.
    read: usize,
    topic_count: usize,
    topics_left: usize,
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.read == self.recording.text.len() && self.topics_left > 0 {
            self.recording.text.clear();
            self.read = 0;
            self.topics_left -= 1;
            self.topic_count += 1;
            self.recording.topic(&format!("orders-{}", self.topic_count), EVENTS_A_TOPIC);
        }
        let rest = &self.recording.text.as_bytes()[self.read..];
        let taken = rest.len().min(buffer.len());
        buffer[..taken].copy_from_slice(&rest[..taken]);
        self.read += taken;
        Ok(taken)
    }
}

/// The most memory that this process ever had, in MiB, where the system tells.
fn peak_mib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024)
}

#[expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
fn main() {
    let asked = std::env::var("LAWSPEAKER_BENCH_EVENTS").ok();
    let event_count: usize = asked.map_or(2_000_000, |events| events.parse().expect("a number of events"));
    for count in [event_count / 10, event_count] {
        let recording = Recording::new(&SHAPE);
        let endless = Endless { recording, read: 0, topic_count: 0, topics_left: count / EVENTS_A_TOPIC };
        let started = Instant::now();
        let mut reader = Reader::new(BufReader::with_capacity(1 << 16, endless)).expect("it has a header");
        let mut judge = Windowed::new(reader.header(), None, WINDOW).expect("it can be judged apart");
        for op in &mut reader {
            judge.observe(op.expect("it is well-formed")).expect("it names partitions");
        }
        let judged_count = judge.judged_count();
        let verdict = judge.finish();
        assert_eq!(verdict.outcome, Outcome::Conforms);
        let taken = started.elapsed().as_secs_f64();
        println!(
            "{}: {count} events, {} ops, {judged_count} partitions judged before the end",
            SHAPE.name, verdict.op_count
        );
        println!(
            "  {taken:8.1} s {:10.0} events/s, the making of the recording included",
            count as f64 / taken
        );
        println!("  {:8} MiB at most, so far", peak_mib().unwrap_or_default());
    }
}
