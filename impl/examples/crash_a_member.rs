//! A group of two loses a member that has work in hand, and no event is lost.
//!
//! ```text
//! cargo run -p lawspeaker-bus --example crash_a_member -- crash_a_member.jsonl
//! cargo run -- judge crash_a_member.jsonl
//! ```
//! The argument says where to write the history; without one it goes to the directory for temporary files.

#![expect(clippy::print_stdout, reason = "an example tells what happens")]

use std::collections::BTreeSet;
use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;

use lawspeaker_bus::bus::{Bus, Config, Consumer};
use lawspeaker_bus::id::PartitionNumber;
use lawspeaker_bus::message::Message;
use lawspeaker_history::{
    Batch, Call, EventId, FileRecorder, Header, Offset, Op, OpType, Partition, Phase, Record, Recorder,
};

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).map(PathBuf::from);
    let path = path.unwrap_or_else(|| std::env::temp_dir().join("crash_a_member.jsonl"));
    let header = Header { profile: Some("kafka".into()), complete: Some(true), ..Header::default() };
    let recorder = Arc::new(FileRecorder::create(&path, &header)?);
    let directory = tempfile::tempdir()?;
    let bus = Bus::open_recorded(directory.path(), Config::default(), recorder.clone())?;

    println!(
        "1. The shop publishes six orders to two partitions; each is on the disk when it is acknowledged."
    );
    bus.create_topic("orders", 2)?;
    let mut shop = bus.producer("orders", "shop")?;
    for number in 1..=6 {
        let order = format!("order-{number}");
        let published = shop.publish(Message::new(order.as_str(), "two apples"))?;
        println!("   {order} stands in partition {} at offset {}", published.partition, published.offset);
    }

    println!("2. Two members join the group `billing`; each gets one partition.");
    let mut alice = bus.consumer("billing", "orders")?;
    let mut bob = bus.consumer("billing", "orders")?;
    let mut billed = BTreeSet::new();
    bill(&mut alice, "alice", 2, &mut billed)?;

    println!("3. Bob polls three orders, bills one, and crashes before he commits.");
    let in_hand = bob.poll(3)?;
    println!("   bob has {} orders in hand and bills {}", in_hand.len(), in_hand[0].entry.message.id);
    drop(bob);

    println!("4. The group gives his partition to alice, from the last committed offset on.");
    while bill(&mut alice, "alice", 3, &mut billed)? > 0 {}
    alice.leave()?;
    for (next, partition) in bus.committed("billing", "orders")?.into_iter().zip(0..) {
        println!("   partition {partition} is committed up to offset {next}");
    }

    println!(
        "5. Alice has billed {} of 6 orders: nothing was lost, and the one that bob billed came twice.",
        billed.len()
    );
    read_everything(&bus, &*recorder)?;
    recorder.finish()?;
    println!("   What happened is in {0}; let the oracle judge it: lawspeaker judge {0}", path.display());
    Ok(())
}

/// Polls, bills what comes, and commits after that. Returns how many orders came.
fn bill(
    member: &mut Consumer,
    name: &str,
    max_count: usize,
    billed: &mut BTreeSet<EventId>,
) -> Result<usize, Box<dyn Error>> {
    let polled = member.poll(max_count)?;
    for polled in &polled {
        println!("   {name} bills {} of partition {}", polled.entry.message.id, polled.partition);
        billed.insert(polled.entry.message.id.clone());
        member.handled(polled.partition, polled.entry.offset);
    }
    member.commit()?;
    Ok(polled.len())
}

/// Records what every partition holds in the end, so that the oracle can tell what was lost.
fn read_everything(bus: &Bus, recorder: &dyn Recorder) -> Result<(), Box<dyn Error>> {
    for number in 0..2 {
        let entries = bus.read("orders", PartitionNumber(number), Offset::of(0), usize::MAX)?;
        let record = |entry: lawspeaker_bus::partition_log::LogEntry| Record {
            offset: Some(entry.offset),
            event: entry.message.id,
        };
        let records = entries.into_iter().map(record).collect();
        let batch = Batch { partition: Partition::new("orders", number), records };
        recorder.record(Op::new("reader", OpType::Ok, Call::Poll(vec![batch])).phase(Phase::Final));
    }
    Ok(())
}
