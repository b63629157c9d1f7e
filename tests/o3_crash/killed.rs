//! Children killed with SIGKILL while they publish and commit: real files, threads and kernel instead of the crash
//! store.
//!
//! The test runs itself as its own child. The child says on its standard output what the bus acknowledged; the
//! parent kills it at a seeded line, reads what was said until the pipe closes, opens the directory and holds the
//! bus to every word. The next child goes on in the same directory.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use lawspeaker_bus::bus::{Bus, Config};
use lawspeaker_bus::id::PartitionNumber;
use lawspeaker_bus::message::Message;
use lawspeaker_history::{EventId, Offset};

const NAME: &str = "killed::a_child_that_is_killed_has_lost_nothing_it_acknowledged";
/// Names the directory; the child is whoever finds it set.
const CHILD_DIRECTORY: &str = "LAWSPEAKER_O3_CHILD_DIRECTORY";
/// Which of the children it is.
const CHILD_ROUND: &str = "LAWSPEAKER_O3_CHILD_ROUND";
/// A round takes about 0.1 s, most of it for fsync.
const ROUND_COUNT: u64 = 15;
/// A child is killed after 1 to this many lines.
const MAX_LINE_COUNT: u64 = 400;
const PRODUCER_COUNT: u64 = 3;
const PARTITION_COUNT: u32 = 2;
/// Short segments, so that children die while they roll, too.
const CONFIG: Config = Config { segment_bytes: 2_000, max_message_bytes: 1_000, max_partition_count: 2 };

#[test]
fn a_child_that_is_killed_has_lost_nothing_it_acknowledged() {
    if let (Some(directory), Ok(round)) = (std::env::var_os(CHILD_DIRECTORY), std::env::var(CHILD_ROUND)) {
        work_until_killed(Path::new(&directory), &round);
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let mut said = Said::default();
    for round in 0..ROUND_COUNT {
        let line_count = 1 + split_mix(round) % MAX_LINE_COUNT;
        run_and_kill(directory.path(), round, line_count, &mut said);
        said.check(&Bus::open(directory.path(), CONFIG).unwrap());
    }
    println!(
        "O3 SIGKILL: {ROUND_COUNT} children, {} acknowledged events and {} acknowledged commits, none lost; {} \
         events of unknown outcome found",
        said.events.len(),
        said.commit_count,
        said.unknown_count
    );
    assert!(
        said.events.len() as u64 > 10 * ROUND_COUNT && said.commit_count > ROUND_COUNT,
        "too little happened"
    );
}

/// The SplitMix64 generator of Steele, Lea and Flood (2014), one step from `seed`.
fn split_mix(seed: u64) -> u64 {
    let mixed = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// The child: producers and a consumer, each on its thread, until the parent kills all of them.
fn work_until_killed(directory: &Path, round: &str) {
    let bus = Bus::open(directory, CONFIG).unwrap();
    bus.create_topic("orders", PARTITION_COUNT).unwrap();
    thread::scope(|scope| {
        for producer in 0..PRODUCER_COUNT {
            let bus = &bus;
            scope.spawn(move || publish(bus, round, producer));
        }
        consume(&bus);
    });
}

fn publish(bus: &Bus, round: &str, producer: u64) {
    let mut publisher = bus.producer("orders", &format!("producer-{producer}")).unwrap();
    for number in 0.. {
        let id = format!("{round}-{producer}-{number}");
        let message = Message::new(id.as_str(), id.as_bytes());
        let published = publisher.publish(message).unwrap();
        println!("ack {id} {} {}", published.partition, published.offset);
    }
}

fn consume(bus: &Bus) {
    let mut consumer = bus.consumer("billing", "orders").unwrap();
    loop {
        for polled in consumer.poll_blocking(5).unwrap() {
            assert!(consumer.handled(polled.partition, polled.entry.offset));
        }
        consumer.commit().unwrap();
        let committed = bus.committed("billing", "orders").unwrap();
        committed.iter().zip(0..).for_each(|(next, partition)| println!("commit {partition} {next}"));
    }
}

/// The parent's half of a round.
fn run_and_kill(directory: &Path, round: u64, line_count: u64, said: &mut Said) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([NAME, "--exact", "--nocapture"])
        .env(CHILD_DIRECTORY, directory)
        .env(CHILD_ROUND, round.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = 0;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        lines += u64::from(said.hear(&line.unwrap()));
        if lines == line_count {
            child.kill().unwrap();
        }
    }
    assert!(
        !child.wait().unwrap().success() && lines >= line_count,
        "child {round} ended before it was killed"
    );
}

/// What the children said that the bus acknowledged.
#[derive(Default)]
struct Said {
    events: BTreeMap<(PartitionNumber, Offset), String>,
    committed: BTreeMap<PartitionNumber, Offset>,
    commit_count: u64,
    /// Events that were found and never acknowledged: written when the child died.
    unknown_count: usize,
}

impl Said {
    /// Takes a line, and says whether it was one of ours.
    fn hear(&mut self, line: &str) -> bool {
        let words: Vec<_> = line.split(' ').collect();
        let place = |partition: &str, offset: &str| {
            (PartitionNumber(partition.parse().unwrap()), offset.parse().unwrap())
        };
        match words.as_slice() {
            ["ack", id, partition, offset] => {
                let before = self.events.insert(place(partition, offset), (*id).to_owned());
                assert_eq!(before, None, "an offset was acknowledged twice");
            }
            ["commit", partition, next] => {
                let (partition, next) = place(partition, next);
                self.committed.insert(partition, next);
                self.commit_count += 1;
            }
            _ => return false,
        }
        true
    }

    fn check(&mut self, bus: &Bus) {
        let mut numbers: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
        let mut found = BTreeMap::new();
        for partition in (0..PARTITION_COUNT).map(PartitionNumber) {
            let mut last: BTreeMap<String, u64> = BTreeMap::new();
            for entry in bus.read("orders", partition, Offset::of(0), usize::MAX).unwrap() {
                let EventId::Name(id) = entry.message.id else { panic!("an id was changed") };
                assert_eq!(entry.message.payload, id.as_bytes(), "a payload was changed");
                let (producer, number) = id.rsplit_once('-').unwrap();
                let number = number.parse().unwrap();
                let before = last.insert(producer.to_owned(), number);
                assert!(before < Some(number), "event {id} was moved or doubled");
                assert!(
                    numbers.entry(producer.to_owned()).or_default().insert(number),
                    "event {id} was doubled"
                );
                found.insert((partition, entry.offset), id.to_string());
            }
        }
        for (place, id) in &self.events {
            assert_eq!(found.get(place), Some(id), "acknowledged event {id} is lost");
        }
        self.unknown_count = found.len() - self.events.len();
        self.check_nothing_invented(&numbers);
        let committed = bus.committed("billing", "orders").unwrap();
        for (partition, next) in &self.committed {
            assert!(committed[partition.0 as usize] >= *next, "the committed offset of {partition} fell");
        }
    }

    /// A producer waits for each acknowledgement, so at most one event of each is there without one.
    fn check_nothing_invented(&self, numbers: &BTreeMap<String, BTreeSet<u64>>) {
        for (producer, numbers) in numbers {
            let prefix = format!("{producer}-");
            let acknowledged = self.events.values().filter(|id| id.starts_with(&prefix)).count() as u64;
            let is_whole = numbers.iter().copied().eq(0..numbers.len() as u64);
            assert!(is_whole, "an event of {producer} is missing between others");
            assert!(numbers.len() as u64 <= acknowledged + 1, "an event of {producer} was invented");
        }
    }
}
