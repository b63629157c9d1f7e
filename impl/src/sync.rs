//! The switch between the standard library, loom and shuttle: every shell takes its primitives from here.
//!
//! `--cfg lawspeaker_loom` runs the same code under every interleaving (loom), `--cfg lawspeaker_shuttle` under
//! chosen random schedules (shuttle). The names are our own: `--cfg loom` would also reach tokio, which then does
//! not build with its `net` or `fs`.
//!
//! [`Arc`] is the standard one everywhere: counting references adds interleavings and no behaviour of ours, and
//! loom's cannot hold a trait object.

pub use std::sync::Arc;

#[cfg(lawspeaker_loom)]
pub use loom::{
    sync::{Condvar, Mutex, MutexGuard, atomic::AtomicU64},
    thread,
};
#[cfg(lawspeaker_shuttle)]
pub use shuttle::{
    sync::{Condvar, Mutex, MutexGuard, atomic::AtomicU64},
    thread,
};
pub use std::sync::atomic::Ordering;
#[cfg(not(any(lawspeaker_loom, lawspeaker_shuttle)))]
pub use std::{
    sync::{Condvar, Mutex, MutexGuard, atomic::AtomicU64},
    thread,
};

/// Locks `mutex`.
///
/// # Panics
/// If another thread panicked inside the critical section: what it guarded may be half changed, and a half-changed
/// log must not go on.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no thread panicked inside the critical section")
}

/// Waits for news on `condvar`, and takes the lock again. May wake without news.
///
/// # Panics
/// As [`lock`].
pub fn wait<'a, T>(condvar: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    condvar.wait(guard).expect("no thread panicked inside the critical section")
}
