//! Sagas: chains of local transactions that end with all of them done, or with every done one compensated.
//!
//! Guarantees: `saga-atomicity`, `saga-termination`, `compensation-order`, and `effect-once` of steps and
//! compensations. Specification: `lawspeaker_spec::saga`; the model `saga` says what may go wrong on the way. The
//! shape is steno's: the log is the truth, where a saga stands is its fold, and one `match` is the whole transition
//! table ([`SagaCore::check`]).
//!
//! Steps are of three kinds (Mehrotra and others, ICDCS 1992), in this order:
//!
//! * [`step`](DefinitionBuilder::step): may be refused, and can be undone;
//! * [`pivot`](DefinitionBuilder::pivot): decides; may be refused, and once done there is no way back;
//! * [`retriable`](DefinitionBuilder::retriable): is asked for until it is done.
//!
//! Steps [`parallel`](DefinitionBuilder::parallel) to one another run at once, and are undone at once; stages are
//! undone last first. A step of unknown outcome, one that timed out or whose every attempt failed, is undone as if it
//! had been done. A compensation is asked for until it is done; that one fails shows in the
//! [`status`](SagaExecutor::status) and to the [`SagaObserver`].
//!
//! ```
//! use lawspeaker_bus::bus::{Bus, Config};
//! use lawspeaker_bus::saga::{ExecutorConfig, SagaDefinition, SagaExecutor, StepError, StepRecording};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! let bus = Bus::open(directory.path(), Config::default())?;
//! let (hotel, canceller) = (bus.participant("hotel")?, bus.participant("hotel")?);
//! let trip = SagaDefinition::<u32>::builder("trip")
//!     .step(
//!         "room",
//!         move |context| context.perform(&hotel, || Ok("room 4".to_owned())), // once, whatever comes twice
//!         move |context| context.compensate(&canceller),
//!     )
//!     .pivot("charge", |context| {
//!         if *context.input() < 500 {
//!             return Err(StepError::refused("no money")); // surely not done; any other error may be done
//!         }
//!         Ok(format!("500 for {}", context.output::<String>("room")?))
//!     })
//!     .build()?;
//!
//! let log = bus.saga_log("trip", StepRecording::ByParticipants)?;
//! let executor = SagaExecutor::open(log, trip, ExecutorConfig::default())?;
//! executor.run_open()?; // what a crash has left
//! let status = executor.execute("ann", &900)?;
//! assert_eq!(status.output::<String>("charge")?.as_deref(), Some("500 for room 4"));
//! let status = executor.execute("bob", &90)?;
//! assert_eq!(status.to_string(), "bob aborted: room undone, charge refused (no money)");
//! # Ok(())
//! # }
//! ```
//!
//! Tasks use [`TokioBus::sagas`](crate::tokio_bus::TokioBus::sagas), whose actions are futures. An action may run more
//! than once, whatever executes it: after a crash, a time-out, a lost reply. So whoever it calls must know the command
//! again, by [`StepContext::idempotency_key`], or be a [`Participant`], which remembers.
//!
//! * [`SagaCore`] and [`Agenda`]: what one saga asks for, and when; pure, time and chance are inputs.
//! * [`SagaLogCore`] and [`SagaLog`]: all sagas of a durable log, and the fence that keeps stale executors out.
//! * [`ParticipantCore`] and [`Participant`]: who does steps, once, and refuses what was cancelled.
//! * [`SagaExecutor`]: leads sagas in the threads that call it.
//!
//! Cost: a step costs one record and a share of a sync, at the log and at its participant. Time-outs and pauses begin
//! anew after a crash. A log is never cut: its sagas stay in memory and on the disk, ended or not.

mod agenda;
mod clock;
mod context;
mod core;
mod definition;
mod executor;
mod lead;
mod log;
mod log_core;
mod observer;
mod participant;
mod participant_core;
mod plan;
mod record;
mod retry;
mod status;

pub use self::core::{Payload, SagaCore, SagaEvent, SagaPhase, StepFact, StepState, Unlawful, Way};
pub use agenda::{Agenda, Attempt, Command, Outcome, Timing};
pub use clock::{ManualClock, SagaClock, SystemClock};
pub use context::{StepContext, StepError};
pub(crate) use context::{compensate, outcome, perform};
pub(crate) use definition::encode;
pub use definition::{Blocking, Definition, DefinitionBuilder, DefinitionError, SagaDefinition};
pub use executor::{ExecuteError, ExecutorConfig, OpenExecutorError, SagaExecutor};
pub(crate) use executor::{claim, encode_input};
pub use lead::JitterSource;
pub(crate) use lead::Lead;
pub use log::{RecoverSagaLogError, SagaLog, SagaLogError, StepRecording, step_process};
pub use log_core::{Contradiction, Refusal, Saga, SagaLogCore, Started};
pub use observer::{NoObserver, SagaCounts, SagaMetrics, SagaObserver};
pub use participant::{Participant, ParticipantError, RecoverParticipantError};
pub use participant_core::{ParticipantCore, StepEntry, StepKey, Verdict};
pub use plan::{Plan, PlanError, PlannedStep, StepKind, StepNumber};
pub use record::{SagaRecord, SagaRecordError};
pub use retry::{Jitter, RetryPolicy};
pub use status::{SagaStatus, StepStatus};
