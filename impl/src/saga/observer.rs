//! What whoever watches sagas is told.

use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};

use lawspeaker_history::{SagaId, SagaOutcome, StepName};

/// Is told what sagas do, once it is durable: for metrics, logs and traces. Each call does nothing unless it is
/// implemented; it must be quick, and must not call the executor.
pub trait SagaObserver: Send + Sync + Debug {
    /// A saga began.
    fn started(&self, _saga: &SagaId) {}

    /// An executor took up a saga that had not ended when it was opened.
    fn recovered(&self, _saga: &SagaId) {}

    /// A step was done.
    fn step_done(&self, _saga: &SagaId, _step: &StepName) {}

    /// A step was refused or given up, for this reason: the saga turns back.
    fn step_failed(&self, _saga: &SagaId, _step: &StepName, _reason: &str) {}

    /// A step, or its compensation, is asked for again; `attempt` counts from 1.
    fn retried(&self, _saga: &SagaId, _step: &StepName, _attempt: u64) {}

    /// A step was compensated.
    fn compensated(&self, _saga: &SagaId, _step: &StepName) {}

    /// A compensation failed, for this reason, and is asked for again until it is done: somebody should look.
    fn compensation_failed(&self, _saga: &SagaId, _step: &StepName, _reason: &str) {}

    /// A saga ended.
    fn ended(&self, _saga: &SagaId, _outcome: SagaOutcome) {}
}

/// Watches nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoObserver;

impl SagaObserver for NoObserver {}

/// Counts what sagas do since the process began.
#[derive(Debug, Default)]
pub struct SagaMetrics {
    started: AtomicU64,
    recovered: AtomicU64,
    committed: AtomicU64,
    aborted: AtomicU64,
    retries: AtomicU64,
    compensations: AtomicU64,
    failed_compensations: AtomicU64,
}

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SagaCounts {
    /// Sagas that began.
    pub started: u64,
    /// Sagas that were taken up again after a restart.
    pub recovered: u64,
    /// Sagas that ended with all steps done.
    pub committed: u64,
    /// Sagas that ended with all done steps compensated.
    pub aborted: u64,
    /// Attempts beyond the first.
    pub retries: u64,
    /// Steps that were compensated.
    pub compensations: u64,
    /// Steps whose compensation failed at least once.
    pub failed_compensations: u64,
}

impl SagaMetrics {
    /// What was counted so far.
    pub fn counts(&self) -> SagaCounts {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        SagaCounts {
            started: read(&self.started),
            recovered: read(&self.recovered),
            committed: read(&self.committed),
            aborted: read(&self.aborted),
            retries: read(&self.retries),
            compensations: read(&self.compensations),
            failed_compensations: read(&self.failed_compensations),
        }
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl SagaObserver for SagaMetrics {
    fn started(&self, _saga: &SagaId) {
        count(&self.started);
    }

    fn recovered(&self, _saga: &SagaId) {
        count(&self.recovered);
    }

    fn retried(&self, _saga: &SagaId, _step: &StepName, _attempt: u64) {
        count(&self.retries);
    }

    fn compensated(&self, _saga: &SagaId, _step: &StepName) {
        count(&self.compensations);
    }

    fn compensation_failed(&self, _saga: &SagaId, _step: &StepName, _reason: &str) {
        count(&self.failed_compensations);
    }

    fn ended(&self, _saga: &SagaId, outcome: SagaOutcome) {
        count(match outcome {
            SagaOutcome::Committed => &self.committed,
            SagaOutcome::Aborted => &self.aborted,
        });
    }
}
