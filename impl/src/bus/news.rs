//! How those who wait for a topic learn that something happened.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::watch;

/// Counts what happened to a topic and the groups that read it, and wakes threads and tasks that wait for more.
///
/// Who waits takes the count, looks whether there is work, and waits for another count: so nothing that happens in
/// between is missed.
#[derive(Debug, Default)]
pub(crate) struct News {
    count: Mutex<u64>,
    bell: Condvar,
    watch: watch::Sender<u64>,
    /// Who waits for the news of several topics.
    followers: Mutex<Vec<Weak<News>>>,
}

impl News {
    fn lock(&self) -> MutexGuard<'_, u64> {
        self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something happened. Quick, and safe to call in any critical section.
    pub(crate) fn ring(&self) {
        let mut count = self.lock();
        *count += 1;
        self.watch.send_replace(*count);
        self.bell.notify_all();
        drop(count);
        self.followers().retain(|follower| follower.upgrade().inspect(|news| news.ring()).is_some());
    }

    fn followers(&self) -> MutexGuard<'_, Vec<Weak<News>>> {
        self.followers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whatever happens here happens to `follower` too, as long as somebody holds it. It must not follow back.
    pub(crate) fn tell(&self, follower: &Arc<News>) {
        self.followers().push(Arc::downgrade(follower));
    }

    /// How much has happened.
    pub(crate) fn count(&self) -> u64 {
        *self.lock()
    }

    /// Blocks until more than `known` has happened.
    pub(crate) fn wait(&self, known: u64) {
        let mut count = self.lock();
        while *count == known {
            count = self.bell.wait(count).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits until more than `known` has happened. Dropping the future does no harm.
    pub(crate) async fn more_than(&self, known: u64) {
        let mut watch = self.watch.subscribe();
        // An error would mean that the sender is gone, and it is part of `self`.
        drop(watch.wait_for(|count| *count > known).await);
    }
}
