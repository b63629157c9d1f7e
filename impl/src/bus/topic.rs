//! A topic: its partitions, and the news of them.

use std::sync::Arc;

use lawspeaker_history::{Partition, Recorder};

use super::config::Config;
use super::error::OpenBusError;
use super::news::News;
use crate::id::PartitionNumber;
use crate::journal_error::OpenJournalError;
use crate::message::Message;
use crate::partition_log::PartitionLog;
use crate::partitioner::partition_of;
use crate::segment_journal::{JournalLimits, SegmentJournal};
use crate::store::Store;

/// A topic of an open bus.
#[derive(Debug)]
pub(crate) struct Topic {
    pub(crate) name: String,
    // INVARIANT: not empty; in order of their numbers.
    pub(crate) logs: Vec<Arc<PartitionLog>>,
    pub(crate) news: Arc<News>,
}

/// Opens a journal, or creates it if that is what it does.
type OpenJournal = fn(Arc<dyn Store>, &str, JournalLimits) -> Result<SegmentJournal, OpenJournalError>;

impl Topic {
    /// Opens the partitions of a topic; `open_journal` says whether they must exist.
    pub(super) fn open(
        name: &str,
        partition_count: u32,
        (store, config, recorder): (&Arc<dyn Store>, &Config, &Arc<dyn Recorder>),
        open_journal: OpenJournal,
    ) -> Result<Self, OpenBusError> {
        let news = Arc::new(News::default());
        let mut logs = Vec::new();
        for number in 0..partition_count {
            let journal = format!("topic~{name}~{number}");
            let journal = open_journal(Arc::clone(store), &journal, config.journal_limits())?;
            let partition = Partition::new(name, number);
            let log = PartitionLog::recover(partition.clone(), Arc::new(journal), Arc::clone(recorder))
                .map_err(|source| OpenBusError::Partition { partition, source })?;
            let bell = Arc::clone(&news);
            log.on_news(move || bell.ring());
            logs.push(Arc::new(log));
        }
        Ok(Topic { name: name.to_owned(), logs, news })
    }

    /// How many partitions there are.
    pub(crate) fn partition_count(&self) -> u32 {
        u32::try_from(self.logs.len()).expect("it was created from a `u32`")
    }

    /// The names of the partitions in histories, in order.
    pub(super) fn partitions(&self) -> Vec<Partition> {
        self.logs.iter().map(|log| log.name().clone()).collect()
    }

    /// Where a message goes: by its key, or, without one, to the partition whose `turn` it is.
    pub(crate) fn partition_for(&self, message: &Message, turn: u32) -> PartitionNumber {
        match &message.key {
            Some(key) => partition_of(key, self.partition_count()),
            None => PartitionNumber(turn % self.partition_count()),
        }
    }
}
