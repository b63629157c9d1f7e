//! The services that are open: each once, and all closed with the bus.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::outbox::{ServiceStore, State};

/// A service, whatever its state.
pub(super) trait Closable: Send + Sync + fmt::Debug {
    fn close(&self);
}

impl<S: State> Closable for ServiceStore<S> {
    fn close(&self) {
        ServiceStore::close(self);
    }
}

/// The open services of a bus, by name.
#[derive(Debug, Default)]
pub(super) struct Services {
    open: Mutex<BTreeMap<String, Weak<dyn Closable>>>,
}

impl Services {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Weak<dyn Closable>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens the service `name` with `open`; `None` if somebody holds it: two stores would write one journal.
    pub(super) fn open<S: State, E>(
        &self,
        name: &str,
        open: impl FnOnce() -> Result<ServiceStore<S>, E>,
    ) -> Result<Option<Arc<ServiceStore<S>>>, E> {
        let mut services = self.lock();
        if services.get(name).is_some_and(|held| held.strong_count() > 0) {
            return Ok(None);
        }
        let store = Arc::new(open()?);
        let closable: Arc<dyn Closable> = store.clone();
        services.insert(name.to_owned(), Arc::downgrade(&closable));
        Ok(Some(store))
    }

    /// Closes all of them.
    pub(super) fn close(&self) {
        self.lock().values().filter_map(Weak::upgrade).for_each(|service| service.close());
    }
}
