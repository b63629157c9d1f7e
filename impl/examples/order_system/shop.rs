//! The whole: the bus, its services, and who leads them.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lawspeaker_bus::bus::Config;
use lawspeaker_bus::outbox::{Handled, Outcome};
use lawspeaker_bus::tokio_bus::{TokioBus, TokioService};
use tokio::time;

use crate::choreographed::Services;
use crate::event::TOPICS;
use crate::guard::Guards;
use crate::history::Recording;
use crate::metrics::{Gauges, Metrics};
use crate::orchestrated::Leader;
use crate::order::{Order, Orders, Status, Tracked};
use crate::parts::{Anything, Parts};
use crate::trace::TraceParent;
use crate::{Variant, network, orders};

/// How often whoever waits for rest looks.
const REST_PAUSE: Duration = Duration::from_millis(20);

/// How the program runs.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub variant: Variant,
    pub guards: Guards,
    pub data: PathBuf,
    pub history: PathBuf,
    /// How many there are of each item.
    pub in_stock: u64,
    pub allow_faults: bool,
}

/// Who carries out the orders.
#[derive(Debug)]
enum Running {
    Orchestrated(Leader),
    Choreographed(Services),
}

/// The order system.
#[derive(Debug)]
pub(crate) struct Shop {
    bus: TokioBus,
    orders: TokioService<Orders>,
    running: Running,
    pub parts: Arc<Parts>,
    recording: Arc<Recording>,
}

/// What became of a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It is taken, now or by an earlier request that said the same.
    Yes,
    /// Another order is called so.
    Conflict,
    /// There is no such order.
    Unknown,
    /// Nothing can be done about it any more, for this reason.
    TooLate(String),
    /// It names faults, and the server takes none such.
    Faulty,
}

impl Shop {
    /// Opens everything; what a crash has left goes on.
    pub(crate) async fn open(settings: Settings) -> Result<Self, Anything> {
        claim(&settings)?;
        let metrics = Arc::new(Metrics::new());
        let recording = Recording::open(&settings.history, settings.variant, Arc::clone(&metrics));
        let in_file = |why| format!("history {}: {why}", settings.history.display());
        let recording = Arc::new(recording.map_err(in_file)?);
        let bus =
            TokioBus::open_recorded(settings.data.join("bus"), Config::default(), recording.clone()).await?;
        for topic in TOPICS {
            if !bus.bus().topics().contains_key(topic) {
                bus.create_topic(topic, 2).await?;
            }
        }
        let parts = Arc::new(Parts::new(&settings, metrics));
        let orders = bus.service::<Orders>("orders", parts.service_config()).await?;
        parts.watch("orders", &orders);
        let running = match settings.variant {
            Variant::Orchestrated => Running::Orchestrated(Leader::open(&bus, &orders, &parts).await?),
            Variant::Choreographed => {
                if settings.allow_faults {
                    network::open(&bus, &parts).await?;
                }
                Running::Choreographed(Services::open(&bus, &orders, &parts).await?)
            }
        };
        Ok(Shop { bus, orders, running, parts, recording })
    }

    /// Places an order; durable when this returns. Placed again it changes nothing.
    pub(crate) async fn place(&self, order: Order, trace: TraceParent) -> Result<Taken, Anything> {
        if !order.faults.is_empty() && !self.parts.allow_faults {
            return Ok(Taken::Faulty);
        }
        self.parts.metrics.request();
        let (id, placed) = (order.id.clone(), order.clone());
        let command = format!("{id}/place");
        self.orders.command(&*command, move |_: &Orders| orders::place(placed, trace)).await?;
        let is_same = move |orders: &Orders| orders.get(&id).is_some_and(|tracked| tracked.order == order);
        Ok(if self.orders.view(is_same).await? { Taken::Yes } else { Taken::Conflict })
    }

    /// Asks to cancel an order; durable when this returns.
    pub(crate) async fn cancel(&self, id: String) -> Result<Taken, Anything> {
        self.parts.metrics.request();
        let look = {
            let id = id.clone();
            move |orders: &Orders| orders.contains_key(&id)
        };
        if !self.orders.view(look).await? {
            return Ok(Taken::Unknown);
        }
        let (command, guards) = (format!("{id}/cancel"), self.parts.guards);
        let cancel = move |orders: &Orders| orders::cancel(orders, &id, guards);
        Ok(match self.orders.command(&*command, cancel).await? {
            Handled::Applied | Handled::Duplicate(Outcome::Applied) => Taken::Yes,
            Handled::Refused(why) => Taken::TooLate(why),
            Handled::Duplicate(_) => Taken::TooLate("the order had ended".to_owned()),
        })
    }

    /// Where an order stands, and its saga, if one leads.
    pub(crate) async fn look(&self, id: &str) -> Result<Option<(Tracked, Option<String>)>, Anything> {
        let name = id.to_owned();
        let Some(tracked) = self.orders.view(move |orders: &Orders| orders.get(&name).cloned()).await? else {
            return Ok(None);
        };
        let saga = match &self.running {
            Running::Orchestrated(leader) => leader.status(id).await?,
            Running::Choreographed(_) => None,
        };
        Ok(Some((tracked, saga)))
    }

    /// What the system looks like now.
    pub(crate) async fn gauges(&self) -> Result<Gauges, Anything> {
        let owed = i64::try_from(self.owed_count()).unwrap_or(i64::MAX);
        let mut dead_letters = Vec::new();
        for topic in self.bus.bus().topics().into_keys().filter(|topic| topic.ends_with(".dead-letters")) {
            let ends = self.bus.bus().end_offsets(&topic)?;
            dead_letters.push((topic, ends.into_iter().filter_map(|end| end.number()).sum()));
        }
        let sagas = match &self.running {
            Running::Orchestrated(leader) => leader.counts().await?,
            Running::Choreographed(_) => self.orders.view(count).await?,
        };
        Ok(Gauges { lags: self.lags().await?, dead_letters, sagas, owed })
    }

    /// How many events each group has yet to process of each topic.
    async fn lags(&self) -> Result<Vec<(String, String, i64)>, Anything> {
        let mut groups = match self.running {
            Running::Orchestrated(_) => Leader::GROUPS.to_vec(),
            Running::Choreographed(_) => Services::GROUPS.to_vec(),
        };
        if self.parts.allow_faults && matches!(self.running, Running::Choreographed(_)) {
            groups.push(("network", network::TOPICS));
        }
        let bus = Arc::clone(self.bus.bus());
        let lags = move || {
            let mut lags = Vec::new();
            for (group, topic) in
                groups.iter().flat_map(|(group, of)| of.iter().map(move |topic| (group, topic)))
            {
                let (committed, ends) = (bus.committed(group, topic)?, bus.end_offsets(topic)?);
                let pairs = ends.into_iter().zip(committed);
                let lag = pairs.filter_map(|(end, next)| Some(end.number()? - next.number()?)).sum();
                lags.push(((*group).to_owned(), (*topic).to_owned(), lag));
            }
            Ok::<_, Anything>(lags)
        };
        tokio::task::spawn_blocking(lags).await?
    }

    fn owed_count(&self) -> usize {
        let of_services = match &self.running {
            Running::Orchestrated(_) => 0,
            Running::Choreographed(services) => services.owed_count(),
        };
        self.orders.service().store().owed_count() + of_services
    }

    fn ends(&self) -> Result<Vec<i64>, Anything> {
        let ends = TOPICS.map(|topic| self.bus.bus().end_offsets(topic));
        let ends: Vec<_> = ends.into_iter().collect::<Result<_, _>>()?;
        Ok(ends.into_iter().flatten().filter_map(|end| end.number()).collect())
    }

    /// Whether nothing is under way any more, as long as nobody asks for anything.
    ///
    /// What is under way goes from outbox to topic to group to outbox, and from sagas to outbox. Nothing was published
    /// meanwhile, so a group that had processed everything still has, and what was nowhere is nowhere.
    pub(crate) async fn is_at_rest(&self) -> Result<bool, Anything> {
        let before = self.ends()?;
        let is_behind = self.lags().await?.iter().any(|(_, _, lag)| *lag != 0);
        let is_to_start = match &self.running {
            Running::Orchestrated(leader) => leader.to_start_count().await? > 0,
            Running::Choreographed(_) => false,
        };
        let is_under_way = is_to_start || self.parts.under_way_count() > 0;
        let is_owed = self.owed_count() > 0;
        Ok(!is_behind && !is_under_way && !is_owed && self.ends()? == before)
    }

    /// Waits until nothing is under way, but no longer than `patience`; whether it came to that.
    pub(crate) async fn rests_within(&self, patience: Duration) -> Result<bool, Anything> {
        let give_up = Instant::now() + patience;
        loop {
            if self.is_at_rest().await? {
                return Ok(true);
            }
            if Instant::now() >= give_up {
                return Ok(false);
            }
            time::sleep(REST_PAUSE).await;
        }
    }

    /// Ends everything in order, and the history with `quiescent` if nothing was under way.
    pub(crate) async fn close(&self) -> Result<bool, Anything> {
        let is_at_rest = self.is_at_rest().await?;
        self.parts.stop().await;
        self.bus.clone().shutdown().await?;
        self.recording.finish(is_at_rest)?;
        Ok(is_at_rest)
    }
}

/// Creates the folder of the data; one that the other variant has written is refused.
fn claim(settings: &Settings) -> Result<(), Anything> {
    fs::create_dir_all(&settings.data)?;
    let (file, variant) = (settings.data.join("variant"), settings.variant.to_string());
    match fs::read_to_string(&file) {
        Ok(other) if other != variant => {
            let folder = settings.data.display();
            Err(format!(
                "{folder} holds orders of variant `{other}`: give `--variant {other}` or another folder"
            )
            .into())
        }
        Ok(_) => Ok(()),
        Err(_) => Ok(fs::write(&file, variant)?),
    }
}

/// How many orders there are in each state, in the words of sagas.
fn count(orders: &Orders) -> Vec<(&'static str, i64)> {
    let count = |status| orders.values().filter(|tracked| tracked.status == status).count();
    let states =
        [("running", Status::Pending), ("committed", Status::Completed), ("aborted", Status::Cancelled)];
    states.map(|(name, status)| (name, i64::try_from(count(status)).unwrap_or(i64::MAX))).to_vec()
}
