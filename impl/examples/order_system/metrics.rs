//! What the program measures, as Prometheus reads it.

use std::fmt;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

use lawspeaker_history::{Call, Op, OpType};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

/// One label.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Topic {
    topic: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Group {
    group: String,
    topic: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Service {
    service: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct State {
    state: &'static str,
}

type Seconds = Family<Service, Histogram, fn() -> Histogram>;

/// Counters since the process began, and gauges that are set when somebody asks.
pub(crate) struct Metrics {
    registry: Registry,
    produced: Family<Topic, Counter>,
    consumed: Family<Group, Counter>,
    lag: Family<Group, Gauge>,
    processing: Seconds,
    dead_letters: Family<Topic, Gauge>,
    sagas: Family<State, Gauge>,
    owed: Gauge<i64, std::sync::atomic::AtomicI64>,
    requests: Counter<u64, AtomicU64>,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

/// What the system looks like when somebody asks for metrics.
#[derive(Debug, Default)]
pub(crate) struct Gauges {
    /// How many events each group has yet to process of a topic.
    pub lags: Vec<(String, String, i64)>,
    /// How many dead letters each topic of them holds.
    pub dead_letters: Vec<(String, i64)>,
    /// How many orders' sagas there are in each state.
    pub sagas: Vec<(&'static str, i64)>,
    /// How many events are owed and not published.
    pub owed: i64,
}

fn histogram() -> Histogram {
    Histogram::new(exponential_buckets(0.000_1, 4.0, 9))
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut metrics = Metrics {
            registry: Registry::with_prefix("orders"),
            produced: Family::default(),
            consumed: Family::default(),
            lag: Family::default(),
            processing: Seconds::new_with_constructor(histogram),
            dead_letters: Family::default(),
            sagas: Family::default(),
            owed: Gauge::default(),
            requests: Counter::default(),
        };
        let registry = &mut metrics.registry;
        registry.register("events_produced", "Events appended to a topic", metrics.produced.clone());
        registry.register("events_consumed", "Events processed by a group", metrics.consumed.clone());
        registry.register("lag_events", "Events that a group has yet to process", metrics.lag.clone());
        let processing = metrics.processing.clone();
        registry.register_with_unit("processing", "Time to decide on an event", Unit::Seconds, processing);
        registry.register("dead_letters", "Events that could not be processed", metrics.dead_letters.clone());
        registry.register("sagas", "Orders by the state of their saga", metrics.sagas.clone());
        registry.register("owed_events", "Events in an outbox, not published yet", metrics.owed.clone());
        registry.register("requests", "Orders and cancellations taken", metrics.requests.clone());
        metrics
    }

    /// Counts what the bus records.
    pub(crate) fn observe(&self, op: &Op) {
        if op.op_type != OpType::Ok {
            return;
        }
        let topic =
            |partition: &str| partition.rsplit_once('/').map_or(partition, |(topic, _)| topic).to_owned();
        match &op.call {
            Call::Send(sent) => sent.iter().for_each(|sent| {
                self.produced.get_or_create(&Topic { topic: topic(sent.partition.as_str()) }).inc();
            }),
            Call::Apply(deliveries) => deliveries.iter().for_each(|delivery| {
                let group = op.x.group.as_ref().map(ToString::to_string).unwrap_or_default();
                let topic = topic(delivery.partition.as_str());
                self.consumed.get_or_create(&Group { group, topic }).inc();
            }),
            _ => {}
        }
    }

    /// Runs `work`, and measures how long a service takes for it.
    pub(crate) fn timed<T>(&self, service: &'static str, work: impl FnOnce() -> T) -> T {
        let begun = Instant::now();
        let done = work();
        self.took(service, begun);
        done
    }

    /// A service has taken so long since `begun`.
    pub(crate) fn took(&self, service: &'static str, begun: Instant) {
        self.processing.get_or_create(&Service { service }).observe(begun.elapsed().as_secs_f64());
    }

    /// A request was taken.
    pub(crate) fn request(&self) {
        self.requests.inc();
    }

    /// Everything, in the OpenMetrics text format.
    pub(crate) fn text(&self, gauges: Gauges) -> String {
        for (group, topic, lag) in gauges.lags {
            self.lag.get_or_create(&Group { group, topic }).set(lag);
        }
        for (topic, count) in gauges.dead_letters {
            self.dead_letters.get_or_create(&Topic { topic }).set(count);
        }
        for (state, count) in gauges.sagas {
            self.sagas.get_or_create(&State { state }).set(count);
        }
        self.owed.set(gauges.owed);
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("a string takes what is written to it");
        text
    }
}
