//! A trip of a flight, a hotel and a car: one is booked, one is turned back, and one outlives a crash.
//!
//! ```text
//! cargo run -p lawspeaker-bus --example saga_trip -- saga_trip.jsonl
//! cargo run -- judge saga_trip.jsonl
//! ```
//! The argument says where to write the history; without one it goes to the directory for temporary files.

#![expect(clippy::print_stdout, reason = "an example tells what happens")]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use lawspeaker_bus::bus::Config;
use lawspeaker_bus::saga::{
    DefinitionError, ExecutorConfig, SagaMetrics, StepContext, StepError, StepRecording,
};
use lawspeaker_bus::tokio_bus::{TokioBus, TokioParticipant, TokioSagaDefinition};
use lawspeaker_history::{FileRecorder, Header};
use serde::{Deserialize, Serialize};

const BY_PARTICIPANTS: StepRecording = StepRecording::ByParticipants;

/// What a trip is given.
#[derive(Serialize, Deserialize)]
struct Trip {
    traveller: String,
    budget: u32,
}

/// Who does the steps.
struct Agencies {
    airline: TokioParticipant,
    hotel: TokioParticipant,
    bank: TokioParticipant,
    /// Whether the bank answers.
    is_bank_open: bool,
}

/// The flight and the hotel are booked at once; the bank decides.
fn trip(agencies: Agencies) -> Result<TokioSagaDefinition<Trip>, DefinitionError> {
    let Agencies { airline, hotel, bank, is_bank_open } = agencies;
    let bookable = |participant: TokioParticipant, seat: &'static str| {
        let undoing = participant.clone();
        (
            move |context: StepContext<Trip>| {
                let participant = participant.clone();
                async move { participant.perform(&context, move || Ok(seat.to_owned())).await }
            },
            move |context: StepContext<Trip>| {
                let undoing = undoing.clone();
                async move { undoing.compensate(&context).await }
            },
        )
    };
    let (book_flight, cancel_flight) = bookable(airline, "seat 17A");
    let (book_hotel, cancel_hotel) = bookable(hotel, "room 4");
    TokioSagaDefinition::builder("trip")
        .parallel(|stage| {
            let stage = stage.step("flight", book_flight, cancel_flight).timeout(Duration::from_secs(5));
            stage.step("hotel", book_hotel, cancel_hotel).timeout(Duration::from_secs(5))
        })
        .pivot("charge", move |context: StepContext<Trip>| {
            let bank = bank.clone();
            async move {
                if !is_bank_open {
                    return Err(StepError::unknown("the bank does not answer"));
                }
                let budget = context.input().budget;
                bank.perform(
                    &context,
                    move || if budget < 500 { Err("no money".to_owned()) } else { Ok(500) },
                )
                .await
            }
        })
        .build()
}

async fn agencies(bus: &TokioBus, is_bank_open: bool) -> Result<Agencies, Box<dyn Error>> {
    let (airline, hotel) = (bus.participant("airline").await?, bus.participant("hotel").await?);
    Ok(Agencies { airline, hotel, bank: bus.participant("bank").await?, is_bank_open })
}

/// Everything of the bus that is closed at its end must be gone before the directory can be opened again.
async fn before_the_crash(
    directory: &Path,
    recorder: Arc<FileRecorder>,
    cid: &Trip,
) -> Result<(), Box<dyn Error>> {
    println!("1. Ann and Bob book; Bob has no money, and his flight and hotel are cancelled.");
    let bus = TokioBus::open_recorded(directory, Config::default(), recorder).await?;
    let sagas =
        bus.sagas(trip(agencies(&bus, true).await?)?, BY_PARTICIPANTS, ExecutorConfig::default()).await?;
    for (traveller, budget) in [("ann", 900), ("bob", 90)] {
        let input = Trip { traveller: traveller.to_owned(), budget };
        let status = sagas.start(traveller, &input).await?.ended().await?;
        println!("   {status}");
    }

    println!("2. The bank is closed, and the power fails while Cid waits for it.");
    let sagas =
        bus.sagas(trip(agencies(&bus, false).await?)?, BY_PARTICIPANTS, ExecutorConfig::default()).await?;
    sagas.start("cid", cid).await?;
    bus.shutdown().await?;
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).map(PathBuf::from);
    let path = path.unwrap_or_else(|| std::env::temp_dir().join("saga_trip.jsonl"));
    let header = Header { profile: Some("saga".into()), complete: Some(true), ..Header::default() };
    let recorder = Arc::new(FileRecorder::create(&path, &header)?);
    let directory = tempfile::tempdir()?;

    let cid = Trip { traveller: "cid".to_owned(), budget: 900 };
    before_the_crash(directory.path(), recorder.clone(), &cid).await?;

    println!("3. The bus is opened again, and goes on with Cid's trip where its log says.");
    let bus = TokioBus::open_recorded(directory.path(), Config::default(), recorder.clone()).await?;
    let metrics = Arc::new(SagaMetrics::default());
    let config = ExecutorConfig { observer: metrics.clone(), ..ExecutorConfig::default() };
    let sagas = bus.sagas(trip(agencies(&bus, true).await?)?, BY_PARTICIPANTS, config).await?;
    let status = sagas.start("cid", &cid).await?.ended().await?; // started already: nothing happens twice
    println!("   {status}");
    println!(
        "   recovered: {}, {} of seat {:?}",
        metrics.counts().recovered,
        cid.traveller,
        status.output::<String>("flight")?
    );
    bus.shutdown().await?;
    recorder.finish()?;
    println!("4. What happened is in {0}; let the oracle judge it: lawspeaker judge {0}", path.display());
    Ok(())
}
