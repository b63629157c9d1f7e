//! An executor that leads sagas in the threads that call it.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::thread;

use lawspeaker_history::SagaId;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::agenda::{Command, Outcome};
use super::clock::{SagaClock, SystemClock};
use super::context::{self, StepContext, StepError};
use super::core::{Payload, SagaCore};
use super::definition::{Definition, SagaDefinition};
use super::lead::{JitterSource, Lead, spread};
use super::log::{SagaLog, SagaLogError};
use super::log_core::{Saga, Started};
use super::observer::{NoObserver, SagaObserver};
use super::status::SagaStatus;
use crate::group_commit::WriteError;
use crate::id::Epoch;
use crate::mutant::{Mutant, is_seeded};

/// What an executor is given beside its log and its definition.
#[derive(Clone)]
pub struct ExecutorConfig {
    /// Who is told what happens.
    pub observer: Arc<dyn SagaObserver>,
    /// The time, for pauses and time-outs. An executor of tasks takes tokio's instead.
    pub clock: Arc<dyn SagaClock>,
    /// What chance adds to pauses.
    pub jitter: JitterSource,
}

impl Default for ExecutorConfig {
    /// Nobody watches, the time is the system's, and pauses are spread by what the commands are.
    fn default() -> Self {
        ExecutorConfig {
            observer: Arc::new(NoObserver),
            clock: Arc::new(SystemClock::new()),
            jitter: spread(),
        }
    }
}

impl fmt::Debug for ExecutorConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExecutorConfig")
            .field("observer", &self.observer)
            .field("clock", &self.clock)
            .finish_non_exhaustive()
    }
}

/// Why an executor could not be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenExecutorError {
    /// The log did not take it.
    #[error(transparent)]
    Log(#[from] SagaLogError),
    /// A saga that has not ended was begun with other steps.
    #[error(
        "saga `{saga}` was begun with other steps than `{definition}` has now, and has not ended: end it with the \
         program that began it, or give the new steps a new name"
    )]
    OtherSteps {
        /// Which saga.
        saga: SagaId,
        /// The name of the definition.
        definition: String,
    },
    /// The input of a saga that has not ended cannot be read.
    #[error("the input of saga `{saga}` cannot be read as the type it has now: {message}")]
    Input {
        /// Which saga.
        saga: SagaId,
        /// Why.
        message: String,
    },
}

/// Why a saga could not be started or led.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExecuteError {
    /// The log did not take it. Led by nobody, a saga goes on when an executor is opened on its log.
    #[error(transparent)]
    Log(#[from] SagaLogError),
    /// The input cannot be written.
    #[error("the input of saga `{saga}` cannot be written: {message}")]
    Input {
        /// Which saga.
        saga: SagaId,
        /// Why.
        message: String,
    },
    /// It is led already, or nobody started it here.
    #[error(
        "saga `{0}` is not this executor's to lead: it has ended, is led by another thread, or was not started"
    )]
    NotOpen(SagaId),
}

/// Sagas that this executor may lead, each by one thread at a time.
type Open = crate::sync::Mutex<BTreeMap<SagaId, Saga>>;

/// Leads sagas of one definition, each in the thread that calls [`run`](Self::run); steps that run at once get threads
/// of their own. For tasks see [`TokioSagas`](crate::tokio_bus::TokioSagas).
///
/// Two executors of one log: the newer one leads, and the older one is refused from then on.
#[derive(Debug)]
pub struct SagaExecutor<D> {
    log: Arc<SagaLog>,
    epoch: Epoch,
    definition: SagaDefinition<D>,
    config: ExecutorConfig,
    open: Open,
}

/// Claims the log for an executor of `definition`: its epoch, and the sagas that have not ended.
pub(crate) fn claim<A, D: DeserializeOwned>(
    log: &SagaLog,
    definition: &Definition<A>,
    observer: &dyn SagaObserver,
) -> Result<(Epoch, Vec<(SagaId, Saga)>), OpenExecutorError> {
    let (epoch, mut open) = log.claim()?;
    for (saga, state) in &open {
        if state.core.plan() != definition.plan() {
            let (saga, definition) = (saga.clone(), definition.name().to_owned());
            return Err(OpenExecutorError::OtherSteps { saga, definition });
        }
        if let Err(error) = serde_json::from_slice::<D>(&state.input) {
            return Err(OpenExecutorError::Input { saga: saga.clone(), message: error.to_string() });
        }
    }
    if is_seeded(Mutant::OpenSagasForgotten) {
        open.clear();
    }
    open.iter().for_each(|(saga, _)| observer.recovered(saga));
    Ok((epoch, open))
}

/// The input of a saga, as bytes.
pub(crate) fn encode_input<D: Serialize>(saga: &SagaId, input: &D) -> Result<Payload, ExecuteError> {
    let failed =
        |error: serde_json::Error| ExecuteError::Input { saga: saga.clone(), message: error.to_string() };
    Ok(serde_json::to_vec(input).map_err(failed)?.into())
}

impl<D: Serialize + DeserializeOwned + Send + Sync> SagaExecutor<D> {
    /// Opens an executor, which leads the sagas of `log` from now on. Those that have not ended wait for
    /// [`run_open`](Self::run_open).
    ///
    /// # Errors
    /// [`OpenExecutorError`].
    pub fn open(
        log: Arc<SagaLog>,
        definition: SagaDefinition<D>,
        config: ExecutorConfig,
    ) -> Result<Self, OpenExecutorError> {
        let (epoch, open) = claim::<_, D>(&log, &definition, &*config.observer)?;
        let open = crate::sync::Mutex::new(open.into_iter().collect());
        Ok(SagaExecutor { log, epoch, definition, config, open })
    }

    /// A saga begins; durable when it returns. Starting the same one again changes nothing.
    ///
    /// # Errors
    /// [`ExecuteError`].
    pub fn start(&self, saga: impl Into<SagaId>, input: &D) -> Result<Started, ExecuteError> {
        let saga = saga.into();
        let input = encode_input(&saga, input)?;
        let (started, core) = self.log.start(self.epoch, &saga, self.definition.plan(), input.clone())?;
        if started == Started::Now {
            self.config.observer.started(&saga);
            crate::sync::lock(&self.open).insert(saga, Saga { input, core });
        }
        Ok(started)
    }

    /// Leads a saga that was started here, or was open when the executor was opened, to its end.
    ///
    /// # Errors
    /// [`ExecuteError`].
    pub fn run(&self, saga: impl Into<SagaId>) -> Result<SagaStatus, ExecuteError> {
        let saga = saga.into();
        let taken = crate::sync::lock(&self.open).remove(&saga);
        let Some(state) = taken else { return Err(ExecuteError::NotOpen(saga)) };
        self.lead(saga, state)
    }

    /// Starts a saga and leads it to its end; one that has ended is not run again.
    ///
    /// # Errors
    /// [`ExecuteError`].
    pub fn execute(&self, saga: impl Into<SagaId>, input: &D) -> Result<SagaStatus, ExecuteError> {
        let saga = saga.into();
        self.start(saga.clone(), input)?;
        match self.run(saga.clone()) {
            Err(ExecuteError::NotOpen(_)) => Ok(self.log.wait_for_end(&saga)?),
            ended => ended,
        }
    }

    /// Leads every saga to its end that was started and is led by nobody, one after the other.
    ///
    /// # Errors
    /// [`ExecuteError`], the first.
    pub fn run_open(&self) -> Result<Vec<SagaStatus>, ExecuteError> {
        let open = std::mem::take(&mut *crate::sync::lock(&self.open));
        open.into_iter().map(|(saga, state)| self.lead(saga, state)).collect()
    }

    /// Where a saga stands; `None` if nobody started it.
    ///
    /// # Errors
    /// [`SagaLogError`].
    pub fn status(&self, saga: impl Into<SagaId>) -> Result<Option<SagaStatus>, SagaLogError> {
        self.log.status(&saga.into())
    }

    fn lead(&self, saga: SagaId, Saga { input, core }: Saga) -> Result<SagaStatus, ExecuteError> {
        let unreadable =
            |error: serde_json::Error| ExecuteError::Input { saga: saga.clone(), message: error.to_string() };
        let input = Arc::new(serde_json::from_slice(&input).map_err(unreadable)?);
        let (observer, jitter) = (Arc::clone(&self.config.observer), Arc::clone(&self.config.jitter));
        let mut lead = Lead::new(saga, core, self.epoch, self.definition.timings(), observer, jitter);
        while !lead.core().phase().is_end() {
            let commands = lead.due(self.config.clock.now_ms());
            if commands.is_empty() {
                // Every command was answered, so that nothing but a pause can be waited for.
                self.config.clock.wait_until_ms(lead.wake_at_ms().unwrap_or(0));
                self.log.check_open()?;
            }
            for (command, outcome) in self.run_all(commands, &lead, &input) {
                self.take_up(&mut lead, &command, outcome)?;
            }
        }
        Ok(self.log.wait_for_end(&lead.saga)?)
    }

    /// Writes what became of a command into the log.
    fn take_up(&self, lead: &mut Lead, command: &Command, outcome: Outcome) -> Result<(), ExecuteError> {
        let now_ms = self.config.clock.now_ms();
        let Some(event) = lead.reply(command, outcome, now_ms) else { return Ok(()) };
        match self.log.tell(self.epoch, &lead.saga, [event.clone()]) {
            Ok(core) => lead.take_up(&[event], core),
            Err(SagaLogError::Journal(WriteError::Refused(refused))) => {
                let outcome = Outcome::Unknown(Arc::clone(&refused.message));
                if let Some(event) = lead.reply(command, outcome, now_ms) {
                    let core = self.log.tell(self.epoch, &lead.saga, [event.clone()])?;
                    lead.take_up(&[event], core);
                }
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Runs the actions of commands that were sent together.
    fn run_all(&self, commands: Vec<Command>, lead: &Lead, input: &Arc<D>) -> Vec<(Command, Outcome)> {
        let run = |command: Command| (command, self.run_one(command, lead.core(), &lead.saga, input));
        match commands.as_slice() {
            [] => Vec::new(),
            [command] => vec![run(*command)],
            commands => thread::scope(|scope| {
                let threads: Vec<_> =
                    commands.iter().map(|command| scope.spawn(move || run(*command))).collect();
                let joined = |thread: thread::ScopedJoinHandle<'_, _>| {
                    thread.join().expect("a panic of an action is caught")
                };
                threads.into_iter().map(joined).collect()
            }),
        }
    }

    fn run_one(&self, command: Command, core: &Arc<SagaCore>, saga: &SagaId, input: &Arc<D>) -> Outcome {
        let (input, core) = (Arc::clone(input), Arc::clone(core));
        let timeout = self.definition.timeout(command.step);
        let context = StepContext::new(saga.clone(), command, input, core, timeout);
        let action = self.definition.action(command.step, command.way);
        let Some(action) = action else { return Outcome::Unknown("the step cannot be compensated".into()) };
        let acted = panic::catch_unwind(AssertUnwindSafe(|| action.run(&context)));
        context::outcome(acted.unwrap_or_else(|_| Err(StepError::unknown("the action panicked"))))
    }
}

#[cfg(test)]
#[cfg(not(any(lawspeaker_loom, lawspeaker_shuttle)))]
mod tests;
