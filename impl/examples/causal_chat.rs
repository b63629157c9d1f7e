//! Three services talk over two topics, and nobody hears an answer before its question.
//!
//! ```text
//! cargo run -p lawspeaker-bus --example causal_chat -- causal_chat.jsonl
//! cargo run -- judge causal_chat.jsonl
//! ```
//! The argument says where to write the history; without one it goes to the directory for temporary files.

#![expect(clippy::print_stdout, reason = "an example tells what happens")]

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;

use lawspeaker_bus::bus::{Bus, CausalConfig, CausalSession, Config};
use lawspeaker_bus::causal_inbox::CausalDelivery;
use lawspeaker_bus::id::PartitionNumber;
use lawspeaker_bus::message::Message;
use lawspeaker_history::{
    Batch, Call, FileRecorder, Header, Offset, Op, OpType, Partition, Phase, Record, Recorder,
};

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).map(PathBuf::from);
    let path = path.unwrap_or_else(|| std::env::temp_dir().join("causal_chat.jsonl"));
    let header = Header { profile: Some("kafka".into()), complete: Some(true), ..Header::default() };
    let recorder = Arc::new(FileRecorder::create(&path, &header)?);
    let directory = tempfile::tempdir()?;
    let bus = Bus::open_recorded(directory.path(), Config::default(), recorder.clone())?;
    bus.create_topic("questions", 1)?;
    bus.create_topic("answers", 1)?;
    let open = |service, hears: &[&str], says: &[&str]| {
        bus.causal_session(service, hears, says, CausalConfig::default())
    };

    println!("1. Alice asks, Bob answers, and Alice asks again because of the answer.");
    let mut alice = open("alice", &["answers"], &["questions"])?;
    let mut bob = open("bob", &["questions"], &["answers"])?;
    alice.publish("questions", Message::new("q1", "Who brings apples?"))?;
    reply(&mut bob, "answers", "a1", "I do.")?;
    reply(&mut alice, "questions", "q2", "How many?")?;
    reply(&mut bob, "answers", "a2", "Two.")?;
    let last = alice.poll_blocking()?;
    println!("   {} says `{}`, and Alice is content", last.entry.message.id, text(&last));
    alice.handled(&last);

    println!("2. Carol reads the answers first, and then the questions.");
    let mut carol = open("carol", &["answers", "questions"], &[])?;
    println!("   She hears all the same, in this order:");
    let mut heard = Vec::new();
    while let Some(event) = carol.poll()? {
        let message = &event.entry.message;
        println!("   {} in {}: {}", message.id, event.partition, text(&event));
        heard.push(message.id.to_string());
        carol.handled(&event);
    }
    assert_eq!(heard, ["q1", "a1", "q2", "a2"], "never an answer before its question");

    for session in [alice, bob, carol] {
        session.leave()?;
    }
    read_everything(&bus, &*recorder)?;
    recorder.finish()?;
    println!("3. What happened is in {0}; let the oracle judge it: lawspeaker judge {0}", path.display());
    Ok(())
}

/// Waits for the next event and answers it.
fn reply(session: &mut CausalSession, topic: &str, id: &str, words: &str) -> Result<(), Box<dyn Error>> {
    let heard = session.poll_blocking()?;
    session.handled(&heard);
    println!("   {} says `{}`, and {id} answers `{words}`", heard.entry.message.id, text(&heard));
    session.publish(topic, Message::new(id, words).caused_by(&heard.entry.message))?;
    Ok(())
}

fn text(event: &CausalDelivery) -> String {
    String::from_utf8_lossy(&event.entry.message.payload).into_owned()
}

/// Records what every partition holds in the end, so that the oracle can tell what was lost.
fn read_everything(bus: &Bus, recorder: &dyn Recorder) -> Result<(), Box<dyn Error>> {
    for topic in ["questions", "answers"] {
        let entries = bus.read(topic, PartitionNumber(0), Offset::of(0), usize::MAX)?;
        let record = |entry: lawspeaker_bus::partition_log::LogEntry| Record {
            offset: Some(entry.offset),
            event: entry.message.id,
        };
        let records = entries.into_iter().map(record).collect();
        let batch = Batch { partition: Partition::new(topic, 0), records };
        recorder.record(Op::new("reader", OpType::Ok, Call::Poll(vec![batch])).phase(Phase::Final));
    }
    Ok(())
}
