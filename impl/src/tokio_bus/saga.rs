//! Sagas led by tasks.

mod definition;
mod participant;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lawspeaker_history::SagaId;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tokio::task::{AbortHandle, Id, JoinError, JoinSet};
use tokio::time::{self, Instant};

pub use definition::{Task, TokioSagaDefinition};
pub use participant::TokioParticipant;

use super::{StoppedError, TokioBus, TokioOpenError, Writers, blocking, opening};
use crate::bus::{OpenParticipantError, OpenSagaLogError};
use crate::group_commit::WriteError;
use crate::id::Epoch;
use crate::saga::{
    self, Command, ExecuteError, ExecutorConfig, Lead, Outcome, Payload, Saga, SagaEvent, SagaLog,
    SagaLogError, SagaStatus, Started, StepContext, StepRecording,
};

/// Why a saga was not started, or nobody knows how it ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokioSagaError {
    /// The executor refused or failed.
    #[error(transparent)]
    Execute(#[from] ExecuteError),
    /// The bus or its runtime was shut down first. A saga that was started goes on when its executor is opened again.
    #[error(transparent)]
    Stopped(#[from] StoppedError),
}

impl From<SagaLogError> for TokioSagaError {
    fn from(error: SagaLogError) -> Self {
        TokioSagaError::Execute(error.into())
    }
}

/// How a saga ended; `None` while it goes on.
type Ending = Option<Result<SagaStatus, TokioSagaError>>;

/// A saga that goes on whether anybody waits for it or not. Clones wait for the same one.
#[derive(Clone, Debug)]
pub struct SagaHandle {
    saga: SagaId,
    ending: watch::Receiver<Ending>,
}

impl SagaHandle {
    /// Which saga.
    pub fn saga(&self) -> &SagaId {
        &self.saga
    }

    /// Waits until the saga has ended, and returns where it stands. Dropping the future, or the handle, does nothing
    /// to the saga.
    ///
    /// # Errors
    /// [`TokioSagaError`]: the log failed, a newer executor leads it, or the bus was shut down; the saga goes on when
    /// its executor is opened again.
    pub async fn ended(&self) -> Result<SagaStatus, TokioSagaError> {
        let mut ending = self.ending.clone();
        match ending.wait_for(Option::is_some).await {
            Ok(ending) => ending.clone().unwrap_or(Err(StoppedError.into())),
            Err(_) => Err(StoppedError.into()),
        }
    }
}

/// Leads the sagas of one definition, each in a task of its own. Clones share it.
///
/// Where a saga stands is the fold of its durable log, so a saga outlives every task, runtime and process: an executor
/// that is opened goes on with those that have not ended. Two executors of one log: the newer one leads, and the older
/// one is refused from then on.
///
/// **What a dropped future means.** A `start` that is dropped may have happened; start the saga again, which changes
/// nothing if it has. A started saga is led to its end by nobody's leave. An action of a step is dropped when its time
/// is up, and at a shutdown: its outcome is unknown then, and it is asked for again, so an action must be one that can
/// be repeated ([`StepContext::idempotency_key`]).
pub struct TokioSagas<D> {
    leader: Arc<Leader<D>>,
    writers: Arc<Writers>,
}

impl<D> Clone for TokioSagas<D> {
    fn clone(&self) -> Self {
        TokioSagas { leader: Arc::clone(&self.leader), writers: Arc::clone(&self.writers) }
    }
}

impl<D> fmt::Debug for TokioSagas<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokioSagas").field("definition", &self.leader.definition).finish_non_exhaustive()
    }
}

/// What the tasks share. It holds no task, so that those who hold it can be held by the tasks' owner.
struct Leader<D> {
    log: Arc<SagaLog>,
    epoch: Epoch,
    definition: TokioSagaDefinition<D>,
    config: ExecutorConfig,
    /// Time counts from here.
    opened: Instant,
    /// The sagas that are led.
    led: Mutex<BTreeMap<SagaId, watch::Receiver<Ending>>>,
    is_closing: watch::Receiver<bool>,
}

impl TokioBus {
    /// Opens the executor of a definition, which leads the sagas of the log of that name from now on, also those that
    /// had not ended. Of the configuration tasks take everything but the clock, which is tokio's.
    ///
    /// # Errors
    /// [`OpenSagaLogError`].
    pub async fn sagas<D>(
        &self,
        definition: TokioSagaDefinition<D>,
        recording: StepRecording,
        config: ExecutorConfig,
    ) -> Result<TokioSagas<D>, TokioOpenError<OpenSagaLogError>>
    where
        D: Serialize + DeserializeOwned + Send + Sync + 'static,
    {
        let (bus, opened_with) = (Arc::clone(&self.bus), (definition.clone(), Arc::clone(&config.observer)));
        let (log, epoch, open) = opening(move || {
            let (definition, observer) = opened_with;
            let log = bus.saga_log(definition.name(), recording)?;
            let (epoch, open) = saga::claim::<_, D>(&log, &definition, &*observer)?;
            Ok((log, epoch, open))
        })
        .await?;
        let (led, is_closing) = (Mutex::default(), self.writers.is_closing.subscribe());
        let leader = Leader { log, epoch, definition, config, opened: Instant::now(), led, is_closing };
        let sagas = TokioSagas { leader: Arc::new(leader), writers: Arc::clone(&self.writers) };
        open.into_iter().for_each(|(saga, _)| drop(sagas.lead(saga)));
        Ok(sagas)
    }

    /// The participant of this name, as [`Bus::participant`](crate::bus::Bus::participant).
    ///
    /// # Errors
    /// [`OpenParticipantError`].
    pub async fn participant(
        &self,
        name: impl Into<String>,
    ) -> Result<TokioParticipant, TokioOpenError<OpenParticipantError>> {
        let (bus, name) = (Arc::clone(&self.bus), name.into());
        Ok(TokioParticipant::new(opening(move || bus.participant(&name)).await?))
    }
}

impl<D: Serialize + DeserializeOwned + Send + Sync + 'static> TokioSagas<D> {
    /// A saga begins; durable when this returns, and led to its end whether anybody waits or not. Starting the same
    /// one again, with the same input, changes nothing and gives its handle.
    ///
    /// # Errors
    /// [`TokioSagaError`].
    pub async fn start(&self, saga: impl Into<SagaId>, input: &D) -> Result<SagaHandle, TokioSagaError> {
        let saga = saga.into();
        let input = saga::encode_input(&saga, input)?;
        let sagas = self.clone();
        // A task of its own: one who drops this future must not leave a saga that is started and not led.
        let starting = tokio::spawn(async move { sagas.begin(saga, input).await });
        starting.await.unwrap_or(Err(StoppedError.into()))
    }

    async fn begin(self, saga: SagaId, input: Payload) -> Result<SagaHandle, TokioSagaError> {
        let (leader, id) = (Arc::clone(&self.leader), saga.clone());
        let starting = move || leader.log.start(leader.epoch, &id, leader.definition.plan(), input);
        let (started, _) = blocking(starting).await??;
        if started == Started::Now {
            self.leader.config.observer.started(&saga);
        }
        Ok(self.lead(saga))
    }

    /// Leads a saga in a task of its own, unless one leads it already.
    fn lead(&self, saga: SagaId) -> SagaHandle {
        let mut led = self.leader.led();
        if let Some(ending) = led.get(&saga).cloned() {
            return SagaHandle { saga, ending };
        }
        let (sender, ending) = watch::channel(None);
        led.insert(saga.clone(), ending.clone());
        drop(led);
        let (leader, id) = (Arc::clone(&self.leader), saga.clone());
        self.writers.spawn(async move {
            let ended = leader.lead(&id).await;
            leader.led().remove(&id);
            sender.send_replace(Some(ended));
        });
        SagaHandle { saga, ending }
    }

    /// Where a saga stands, by its log; `None` if nobody started it.
    ///
    /// # Errors
    /// [`TokioSagaError`].
    pub async fn status(&self, saga: impl Into<SagaId>) -> Result<Option<SagaStatus>, TokioSagaError> {
        let (log, saga) = (Arc::clone(&self.leader.log), saga.into());
        Ok(blocking(move || log.status(&saga)).await??)
    }

    /// Where all sagas stand, in order of their ids.
    ///
    /// # Errors
    /// [`TokioSagaError`].
    pub async fn statuses(&self) -> Result<Vec<SagaStatus>, TokioSagaError> {
        let log = Arc::clone(&self.leader.log);
        Ok(blocking(move || log.statuses()).await??)
    }

    /// How many sagas are led now.
    pub fn led_count(&self) -> usize {
        self.leader.led().len()
    }
}

impl<D> Leader<D> {
    fn led(&self) -> MutexGuard<'_, BTreeMap<SagaId, watch::Receiver<Ending>>> {
        self.led.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl<D: DeserializeOwned + Send + Sync + 'static> Leader<D> {
    /// Leads a saga from where it stands to its end.
    async fn lead(self: &Arc<Self>, saga: &SagaId) -> Result<SagaStatus, TokioSagaError> {
        let (reading, id) = (Arc::clone(self), saga.clone());
        let Saga { input, core } = blocking(move || reading.log.saga(&id)).await??;
        let input = serde_json::from_slice(&input)
            .map_err(|error| ExecuteError::Input { saga: saga.clone(), message: error.to_string() })?;
        let (observer, jitter) = (Arc::clone(&self.config.observer), Arc::clone(&self.config.jitter));
        let lead = Lead::new(saga.clone(), core, self.epoch, self.definition.timings(), observer, jitter);
        Led { leader: Arc::clone(self), input: Arc::new(input), lead, actions: Actions::default() }
            .run()
            .await
    }
}

/// A saga in the hands of its task.
struct Led<D> {
    leader: Arc<Leader<D>>,
    input: Arc<D>,
    lead: Lead,
    actions: Actions,
}

/// The actions under way. Dropping them drops their futures.
#[derive(Default)]
struct Actions {
    tasks: JoinSet<Outcome>,
    commands: HashMap<Id, (Command, AbortHandle)>,
}

impl Actions {
    /// The next one that is over, if any is under way.
    async fn next(&mut self) -> Option<(Command, Outcome)> {
        loop {
            let (id, outcome) = match self.tasks.join_next_with_id().await? {
                Ok((id, outcome)) => (id, outcome),
                Err(error) => (error.id(), Outcome::Unknown(reason(&error).into())),
            };
            if let Some((command, _)) = self.commands.remove(&id) {
                return Some((command, outcome));
            }
        }
    }

    /// Drops those whose answers nobody awaits any more.
    fn drop_unawaited(&mut self, lead: &Lead) {
        self.commands.retain(|_, (command, abort)| {
            let is_awaited = lead.is_awaited(command);
            if !is_awaited {
                abort.abort();
            }
            is_awaited
        });
    }
}

fn reason(error: &JoinError) -> &'static str {
    if error.is_panic() { "the action panicked" } else { "the action was stopped" }
}

/// What a saga's task waits for.
enum News {
    Reply(Command, Outcome),
    Time,
    Closing,
}

impl<D: Send + Sync + 'static> Led<D> {
    async fn run(mut self) -> Result<SagaStatus, TokioSagaError> {
        let mut is_closing = self.leader.is_closing.clone();
        while !self.lead.core().phase().is_end() {
            if *is_closing.borrow_and_update() {
                return Err(StoppedError.into());
            }
            for command in self.lead.due(self.leader.now_ms()) {
                self.act(command);
            }
            match self.news(&mut is_closing).await {
                News::Reply(command, outcome) => self.reply(command, outcome).await?,
                News::Time => {
                    self.leader.log.check_open()?;
                    self.expire().await?;
                }
                News::Closing => return Err(StoppedError.into()),
            }
        }
        Ok(SagaStatus::of(self.lead.saga.clone(), self.lead.core()))
    }

    async fn news(&mut self, is_closing: &mut watch::Receiver<bool>) -> News {
        let wake_at = self.lead.wake_at_ms().map(|ms| self.leader.opened + Duration::from_millis(ms));
        // Without a time to wait for, another branch is.
        let time = time::sleep_until(wake_at.unwrap_or(self.leader.opened));
        tokio::select! {
            biased;
            _ = is_closing.wait_for(|is_closing| *is_closing) => News::Closing,
            Some((command, outcome)) = self.actions.next() => News::Reply(command, outcome),
            () = time, if wake_at.is_some() => News::Time,
        }
    }

    /// Runs the action of a command.
    fn act(&mut self, command: Command) {
        let leader = &self.leader;
        let timeout = leader.definition.timeout(command.step);
        let (core, input) = (Arc::clone(self.lead.core()), Arc::clone(&self.input));
        let context = StepContext::new(self.lead.saga.clone(), command, input, core, timeout);
        let Some(action) = leader.definition.action(command.step, command.way).cloned() else { return };
        // Called inside the task, so that what panics before the first await is caught too.
        let abort = self.actions.tasks.spawn(async move { saga::outcome(action.act(context).await) });
        self.actions.commands.insert(abort.id(), (command, abort));
    }

    async fn reply(&mut self, command: Command, outcome: Outcome) -> Result<(), TokioSagaError> {
        let Some(event) = self.lead.reply(&command, outcome, self.leader.now_ms()) else { return Ok(()) };
        match self.tell(vec![event]).await {
            Err(TokioSagaError::Execute(ExecuteError::Log(SagaLogError::Journal(WriteError::Refused(
                why,
            ))))) => {
                // The log does not take what the step gave, as when it is too long.
                let outcome = Outcome::Unknown(Arc::clone(&why.message));
                let event = self.lead.reply(&command, outcome, self.leader.now_ms());
                self.tell(event.into_iter().collect()).await
            }
            told => told,
        }
    }

    async fn expire(&mut self) -> Result<(), TokioSagaError> {
        let events = self.lead.expire(self.leader.now_ms());
        self.actions.drop_unawaited(&self.lead);
        self.tell(events).await
    }

    /// Writes into the log what became of steps.
    async fn tell(&mut self, events: Vec<SagaEvent>) -> Result<(), TokioSagaError> {
        if events.is_empty() {
            return Ok(());
        }
        let (leader, saga, told) = (Arc::clone(&self.leader), self.lead.saga.clone(), events.clone());
        let core = blocking(move || leader.log.tell(leader.epoch, &saga, told)).await??;
        self.lead.take_up(&events, core);
        Ok(())
    }
}

#[cfg(test)]
#[cfg(not(any(lawspeaker_loom, lawspeaker_shuttle)))]
mod tests;
