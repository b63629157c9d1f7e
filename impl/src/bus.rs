//! The bus: topics with a fixed number of partitions, producers and consumer groups, all in one directory.
//!
//! A process opens the directory, and nobody else can while it is open. Everything the bus has acknowledged is there
//! after any crash: events, committed offsets, topics. What it keeps is one journal a partition, one a group and
//! topic, and one for the catalogue.
//!
//! A service whose events must not be seen before their causes opens a [`CausalSession`]:
//!
//! ```
//! use lawspeaker_bus::bus::{Bus, CausalConfig, Config};
//! use lawspeaker_bus::message::Message;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! let bus = Bus::open(directory.path(), Config::default())?;
//! bus.create_topic("questions", 4)?;
//! bus.create_topic("answers", 4)?;
//! let open = |service, hears: &[&str], says: &[&str]| {
//!     bus.causal_session(service, hears, says, CausalConfig::default())
//! };
//! let mut alice = open("alice", &[], &["questions"])?;
//! let mut bob = open("bob", &["questions"], &["answers"])?;
//! let mut carol = open("carol", &["answers", "questions"], &[])?;
//!
//! alice.publish("questions", Message::new("question", "Who brings apples?"))?;
//! let question = bob.poll_blocking()?;
//! bob.publish("answers", Message::new("answer", "I do.").caused_by(&question.entry.message))?;
//!
//! for expected in ["question", "answer"] {
//!     let event = carol.poll_blocking()?; // though she looks for answers first
//!     assert_eq!(event.entry.message.id, expected.into());
//!     carol.handled(&event);
//! }
//! carol.commit()?; // after processing: at least once
//! # Ok(())
//! # }
//! ```
//!
//! The calls here block, and an acknowledgement waits for the disk; [`tokio_bus`](crate::tokio_bus) is for tasks.
//!
//! Cost: opening reads every partition once; publishing costs a write and a share of a sync; polling takes the
//! group's lock and no lock of the partitions.

mod catalogue;
mod causal;
mod causal_error;
mod causal_topic;
mod config;
mod consumer;
mod error;
mod lanes;
mod name;
mod news;
mod pipeline;
mod producer;
mod saga;
mod service;
mod services;
mod topic;
mod topic_handler;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lawspeaker_history::{NoRecorder, Offset, Recorder};

pub use causal::CausalSession;
pub use causal_error::{CausalPublishError, NextEventError, OpenCausalError};
pub use config::{CausalConfig, Config, ConfigError};
pub use consumer::Consumer;
pub use error::{
    ClosedError, CreateTopicError, OpenBusError, OpenGroupError, OpenProducerError, PublishError,
    ReadPartitionError, UnknownTopicError,
};
pub use name::NameError;
pub use producer::{Published, TopicProducer};
pub use saga::{OpenParticipantError, OpenSagaLogError};
pub use service::{BusPublisher, OpenServiceError, RelayPublishError, Service, ServiceConfig, TransactError};
pub use topic_handler::{Step, StepError, TopicHandler};

use crate::consumer_group::ConsumerGroup;
use crate::id::{MemberId, PartitionNumber, ProducerId};
use crate::member::Member;
use crate::partition_log::{AppendError, LogEntry, PartitionLog};
use crate::producer::Producer;
use crate::saga::{Participant, SagaLog};
use crate::segment_journal::SegmentJournal;
use crate::store::{FileStore, Store};
use catalogue::Catalogue;
use lanes::Lanes;
use name::check_name;
pub(crate) use news::News;
pub(crate) use pipeline::Pipeline;
pub(crate) use producer::check_length;
use services::Services;
pub(crate) use topic::Topic;

/// An open bus. Share it between threads by reference or in an [`Arc`].
///
/// Dropping it closes it, as [`close`](Self::close) does; producers and consumers that outlive it are refused.
#[derive(Debug)]
pub struct Bus {
    store: Arc<dyn Store>,
    config: Config,
    recorder: Arc<dyn Recorder>,
    catalogue: Catalogue,
    topics: Mutex<BTreeMap<String, Arc<Topic>>>,
    /// By group and topic.
    groups: Mutex<BTreeMap<(String, String), Arc<ConsumerGroup>>>,
    /// By name.
    saga_logs: Mutex<BTreeMap<String, Arc<SagaLog>>>,
    /// By name.
    participants: Mutex<BTreeMap<String, Arc<Participant>>>,
    services: Services,
    // INVARIANT: set with the locks of all the maps held, so that whoever holds one of them can rely on it.
    is_closed: AtomicBool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Bus {
    /// Opens the bus in `directory`; creates it if there is none.
    ///
    /// # Errors
    /// [`OpenBusError`]: the directory is open elsewhere or cannot be used, or a file in it is damaged.
    pub fn open(directory: impl AsRef<Path>, config: Config) -> Result<Self, OpenBusError> {
        Self::open_recorded(directory, config, Arc::new(NoRecorder))
    }

    /// As [`open`](Self::open), and records what happens, for the oracle to judge.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_recorded(
        directory: impl AsRef<Path>,
        config: Config,
        recorder: Arc<dyn Recorder>,
    ) -> Result<Self, OpenBusError> {
        let directory = directory.as_ref();
        let store = FileStore::open(directory).map_err(|source| OpenBusError::Directory {
            directory: directory.display().to_string(),
            source,
        })?;
        Self::open_in(Arc::new(store), config, recorder)
    }

    /// Opens the bus in any store, which nobody else may use meanwhile.
    ///
    /// # Errors
    /// [`OpenBusError`].
    pub fn open_in(
        store: Arc<dyn Store>,
        config: Config,
        recorder: Arc<dyn Recorder>,
    ) -> Result<Self, OpenBusError> {
        config.check()?;
        let recorder: Arc<dyn Recorder> = Arc::new(Lanes::over(recorder));
        let catalogue = Self::open_catalogue(&store, &config)?;
        let mut topics = BTreeMap::new();
        for (name, partition_count) in catalogue.topics() {
            let topic =
                Topic::open(&name, partition_count, (&store, &config, &recorder), SegmentJournal::open)?;
            topics.insert(name, Arc::new(topic));
        }
        Ok(Bus {
            store,
            config,
            recorder,
            catalogue,
            topics: Mutex::new(topics),
            groups: Mutex::default(),
            saga_logs: Mutex::default(),
            participants: Mutex::default(),
            services: Services::default(),
            is_closed: AtomicBool::new(false),
        })
    }

    /// The catalogue is created before any topic, so where there is a topic it must exist.
    fn open_catalogue(store: &Arc<dyn Store>, config: &Config) -> Result<Catalogue, OpenBusError> {
        let names = store.list().map_err(OpenBusError::Catalogue)?;
        let has_topics = names.iter().any(|name| name.starts_with("topic~"));
        let open = if has_topics { SegmentJournal::open } else { SegmentJournal::open_or_create };
        let journal = open(Arc::clone(store), "catalogue", config.journal_limits())?;
        Catalogue::open(journal).map_err(OpenBusError::Catalogue)
    }

    /// Creates a topic; one that exists with as many partitions is left as it is. Durable when this returns.
    ///
    /// # Errors
    /// [`CreateTopicError`].
    pub fn create_topic(&self, topic: &str, partition_count: u32) -> Result<(), CreateTopicError> {
        check_name("topic", topic)?;
        let limit = self.config.max_partition_count;
        if !(1..=limit).contains(&partition_count) {
            return Err(CreateTopicError::PartitionCount { topic: topic.to_owned(), partition_count, limit });
        }
        let mut topics = lock(&self.topics);
        self.check_open()?;
        match topics.get(topic).map(|existing| existing.partition_count()) {
            Some(existing) if existing == partition_count => Ok(()),
            Some(existing) => {
                Err(CreateTopicError::Mismatch { topic: topic.to_owned(), existing, asked: partition_count })
            }
            None => {
                let created = self.create_partitions(topic, partition_count);
                let failed = |source| CreateTopicError::Store { topic: topic.to_owned(), source };
                topics.insert(topic.to_owned(), Arc::new(created.map_err(failed)?));
                Ok(())
            }
        }
    }

    /// The partitions come first and the catalogue last: a topic in the catalogue has all of its files.
    fn create_partitions(&self, topic: &str, partition_count: u32) -> Result<Topic, OpenBusError> {
        let parts = (&self.store, &self.config, &self.recorder);
        let created = Topic::open(topic, partition_count, parts, SegmentJournal::open_or_create)?;
        self.catalogue.add_topic(topic, partition_count).map_err(OpenBusError::Catalogue)?;
        Ok(created)
    }

    /// The topics and their partition counts, in order of the names.
    pub fn topics(&self) -> BTreeMap<String, u32> {
        let topics = lock(&self.topics);
        topics.iter().map(|(name, topic)| (name.clone(), topic.partition_count())).collect()
    }

    pub(crate) fn topic(&self, topic: &str) -> Result<Arc<Topic>, UnknownTopicError> {
        let topics = lock(&self.topics);
        topics.get(topic).cloned().ok_or_else(|| UnknownTopicError {
            topic: topic.to_owned(),
            known: topics.keys().cloned().collect(),
        })
    }

    /// Opens the producer `name` of a topic. Its earlier incarnations are fenced: they can send no more.
    ///
    /// # Errors
    /// [`OpenProducerError`].
    pub fn producer(&self, topic: &str, name: &str) -> Result<TopicProducer, OpenProducerError> {
        let (topic, producers) = self.open_producers(topic, name, Producer::open)?;
        Ok(TopicProducer::new(topic, producers, self.config.max_message_bytes))
    }

    /// As [`producer`](Self::producer), with many events under way at once.
    pub(crate) fn pipelines(
        &self,
        topic: &str,
        name: &str,
    ) -> Result<(Arc<Topic>, Vec<Pipeline>), OpenProducerError> {
        self.open_producers(topic, name, Pipeline::open)
    }

    /// Opens a producer of each partition. Two topics know two producers of one name.
    fn open_producers<P>(
        &self,
        topic: &str,
        name: &str,
        mut open: impl FnMut(ProducerId, Arc<PartitionLog>) -> Result<P, AppendError>,
    ) -> Result<(Arc<Topic>, Vec<P>), OpenProducerError> {
        check_name("producer", name)?;
        let topic = self.topic(topic)?;
        let id = self.producer_id(&topic.name, name)?;
        let opened = topic.logs.iter().map(|log| open(id, Arc::clone(log))).collect::<Result<_, _>>()?;
        Ok((topic, opened))
    }

    fn producer_id(&self, topic: &str, name: &str) -> Result<ProducerId, OpenProducerError> {
        let _topics = lock(&self.topics);
        self.check_open()?;
        Ok(self.catalogue.producer(&format!("{topic}~{name}"))?)
    }

    /// A new member joins `group`, to read a topic. Groups are created by their first member.
    ///
    /// # Errors
    /// [`OpenGroupError`].
    pub fn consumer(&self, group: &str, topic: &str) -> Result<Consumer, OpenGroupError> {
        self.consumer_as(self.catalogue.new_member()?, group, topic)
    }

    /// The same for a member that has an id already, as it is in the groups of other topics too.
    fn consumer_as(&self, id: MemberId, group: &str, topic: &str) -> Result<Consumer, OpenGroupError> {
        let (topic, group) = self.group(group, topic)?;
        let recorder = Arc::clone(&self.recorder);
        let member = Member::join(id, Arc::clone(&group), topic.logs.clone(), Arc::clone(&recorder))?;
        Ok(Consumer::new(member, group, topic, recorder))
    }

    /// The committed offsets of `group` in a topic, in order of the partitions: the next to be processed.
    ///
    /// # Errors
    /// [`OpenGroupError`].
    pub fn committed(&self, group: &str, topic: &str) -> Result<Vec<Offset>, OpenGroupError> {
        let (topic, group) = self.group(group, topic)?;
        let numbers = (0..topic.partition_count()).map(PartitionNumber);
        Ok(numbers.map(|number| group.committed(number)).collect::<Result<_, _>>()?)
    }

    /// Members of an earlier life of the bus are expired here: the directory has one owner, so they are dead.
    fn group(&self, group: &str, topic: &str) -> Result<(Arc<Topic>, Arc<ConsumerGroup>), OpenGroupError> {
        check_name("group", group)?;
        let topic = self.topic(topic)?;
        let mut groups = lock(&self.groups);
        self.check_open()?;
        let key = (group.to_owned(), topic.name.clone());
        if let Some(open) = groups.get(&key) {
            return Ok((topic, Arc::clone(open)));
        }
        let journal = format!("group~{group}~{}", topic.name);
        let limits = self.config.journal_limits();
        let journal = SegmentJournal::open_or_create(Arc::clone(&self.store), &journal, limits)?;
        let recorder = Arc::clone(&self.recorder);
        let opened = ConsumerGroup::recover(group.into(), topic.partitions(), Arc::new(journal), recorder)
            .map_err(|source| OpenGroupError::Recover { group: group.into(), source })?;
        for member in opened.members() {
            opened.expire(member)?;
        }
        let bell = Arc::clone(&topic.news);
        opened.on_news(move || bell.ring());
        let opened = Arc::new(opened);
        groups.insert(key, Arc::clone(&opened));
        Ok((topic, opened))
    }

    /// The offsets behind the last durable event of each partition of a topic, in order: what a group that has
    /// processed everything has committed.
    ///
    /// # Errors
    /// [`UnknownTopicError`].
    pub fn end_offsets(&self, topic: &str) -> Result<Vec<Offset>, UnknownTopicError> {
        Ok(self.topic(topic)?.logs.iter().map(|log| log.high_watermark()).collect())
    }

    /// At most `max_count` durable events of a partition from `from` on, without any group.
    ///
    /// # Errors
    /// [`ReadPartitionError`].
    pub fn read(
        &self,
        topic: &str,
        partition: PartitionNumber,
        from: Offset,
        max_count: usize,
    ) -> Result<Vec<LogEntry>, ReadPartitionError> {
        let topic = self.topic(topic)?;
        let log = topic.logs.get(partition.place()).ok_or_else(|| ReadPartitionError::Partition {
            topic: topic.name.clone(),
            partition,
            last: topic.partition_count() - 1,
        })?;
        Ok(log.read(from, max_count)?)
    }

    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    /// Takes no more calls that change anything, and wakes everybody who waits. What was taken is still made durable
    /// for whoever waits for that. Events can still be read.
    pub fn close(&self) {
        let (topics, groups) = (lock(&self.topics), lock(&self.groups));
        let (saga_logs, _participants) = (lock(&self.saga_logs), lock(&self.participants));
        self.is_closed.store(true, Ordering::Release);
        topics.values().flat_map(|topic| &topic.logs).for_each(|log| log.close());
        groups.values().for_each(|group| group.close());
        saga_logs.values().for_each(|log| log.close());
        self.services.close();
    }

    /// Call it with the lock of one of the maps held.
    fn check_open(&self) -> Result<(), ClosedError> {
        if self.is_closed.load(Ordering::Acquire) { Err(ClosedError) } else { Ok(()) }
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
#[cfg(not(any(lawspeaker_loom, lawspeaker_shuttle)))]
mod tests;

#[cfg(test)]
#[cfg(not(any(lawspeaker_loom, lawspeaker_shuttle)))]
mod service_tests;
