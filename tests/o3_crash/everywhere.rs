//! Losing power at every boundary of a run, and at every boundary of the recovery after it.

use std::thread;

use lawspeaker_bus::store::{CrashStore, Survival};

/// How many crashes a check tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CrashCount {
    /// Calls of the store at which the run was stopped, the moment after the last one included.
    pub(crate) boundaries: u64,
    /// Crashes of the run: boundaries times survivals.
    pub(crate) first: u64,
    /// Crashes of the recovery after a crash of the run.
    pub(crate) second: u64,
}

/// A program that is crashed, and what must be true afterwards.
pub(crate) trait Subject: Sync {
    /// What the program's clients were told before the crash.
    type Told: Clone + Default;

    /// Runs the program to its end; `None` when the store fails, which it may only when it is down.
    fn run(&self, store: &CrashStore, told: &mut Self::Told) -> Option<()>;

    /// Reopens, checks everything against `told`, and goes on with some work, which it adds to `told`; `None` as in
    /// [`Subject::run`].
    fn recover(&self, store: &CrashStore, told: &mut Self::Told) -> Option<()>;
}

fn run<S: Subject>(subject: &S, store: &CrashStore, told: &mut S::Told) {
    assert!(subject.run(store, told).is_some() || store.is_down(), "the program stopped without a crash");
}

fn recover<S: Subject>(subject: &S, store: &CrashStore, told: &mut S::Told) {
    assert!(subject.recover(store, told).is_some() || store.is_down(), "recovery stopped without a crash");
}

/// Runs `subject` with a crash at every boundary and every survival; after each, recovers with a second crash at
/// every boundary of the recovery, and recovers from that too.
pub(crate) fn crash_everywhere<S: Subject>(subject: &S) -> CrashCount {
    let whole = CrashStore::new();
    run(subject, &whole, &mut S::Told::default());
    let boundaries = whole.boundary_count() + 1;
    let second = thread::scope(|scope| {
        let one_survival = |survival| move || crash_the_run(subject, boundaries, survival);
        let threads = Survival::ALL.map(|survival| scope.spawn(one_survival(survival)));
        threads.map(|thread| thread.join().expect("no crash breaks a promise")).iter().sum()
    });
    CrashCount { boundaries, first: boundaries * Survival::ALL.len() as u64, second }
}

/// As [`crash_everywhere`], without crashes of the recovery: for a subject that recovers within its run.
pub(crate) fn crash_the_run_everywhere<S: Subject>(subject: &S) -> CrashCount {
    let whole = CrashStore::new();
    run(subject, &whole, &mut S::Told::default());
    let boundaries = whole.boundary_count() + 1;
    for survival in Survival::ALL {
        for boundary in 1..=boundaries {
            let _told_on_panic = CrashPoint { of: "the run", boundary, survival };
            let (store, mut told) = (CrashStore::new(), S::Told::default());
            crashed_at(&store, boundary, survival, |store| run(subject, store, &mut told));
            recover(subject, &store.reopen(), &mut told);
        }
    }
    CrashCount { boundaries, first: boundaries * Survival::ALL.len() as u64, second: 0 }
}

fn crash_the_run<S: Subject>(subject: &S, boundaries: u64, survival: Survival) -> u64 {
    let crash_one = |boundary| {
        let _told_on_panic = CrashPoint { of: "the run", boundary, survival };
        let store = CrashStore::new();
        let mut told = S::Told::default();
        crashed_at(&store, boundary, survival, |store| run(subject, store, &mut told));
        crash_the_recovery(subject, &store, &told)
    };
    (1..=boundaries).map(crash_one).sum()
}

fn crash_the_recovery<S: Subject>(subject: &S, crashed: &CrashStore, told: &S::Told) -> u64 {
    let store = crashed.fork().reopen();
    let before = store.boundary_count();
    recover(subject, &store, &mut told.clone());
    let boundaries = store.boundary_count() - before + 1;
    for boundary in 1..=boundaries {
        for survival in Survival::ALL {
            let _told_on_panic = CrashPoint { of: "the recovery", boundary, survival };
            let store = crashed.fork().reopen();
            let mut told = told.clone();
            crashed_at(&store, boundary, survival, |store| recover(subject, store, &mut told));
            recover(subject, &store.reopen(), &mut told);
        }
    }
    boundaries * Survival::ALL.len() as u64
}

/// Runs `work` with a crash at `boundary`, or after the last one.
fn crashed_at(store: &CrashStore, boundary: u64, survival: Survival, work: impl FnOnce(&CrashStore)) {
    store.crash_at(boundary, survival);
    work(store);
    if !store.is_down() {
        store.crash(survival);
    }
}

/// Says where the crash was, if a check fails after it.
struct CrashPoint {
    of: &'static str,
    boundary: u64,
    survival: Survival,
}

impl Drop for CrashPoint {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!(
                "after a crash of {} at boundary {}, survival {:?}",
                self.of, self.boundary, self.survival
            );
        }
    }
}
