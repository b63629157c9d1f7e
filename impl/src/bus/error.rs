//! Why an operation of the bus fails: one type an operation.

use std::io;

use lawspeaker_history::{GroupId, Partition};

use super::config::ConfigError;
use super::name::NameError;
use crate::consumer_group::{self, GroupError};
use crate::id::PartitionNumber;
use crate::journal_error::OpenJournalError;
use crate::partition_log::{self, AppendError, ReadError};
use crate::producer::SendError;

/// Why a bus could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenBusError {
    /// The limits are none that a bus can work within.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The directory could not be opened.
    #[error("directory `{directory}`: {source}")]
    Directory {
        /// Which.
        directory: String,
        /// What the file system said.
        source: io::Error,
    },
    /// The catalogue of topics could not be read.
    #[error("the catalogue: {0}")]
    Catalogue(io::Error),
    /// A journal could not be opened.
    #[error(transparent)]
    Journal(#[from] OpenJournalError),
    /// A partition could not be recovered.
    #[error("partition `{partition}`: {source}")]
    Partition {
        /// Which.
        partition: Partition,
        /// Why.
        source: partition_log::RecoverError,
    },
}

/// The bus was closed, and changes no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the bus is closed: open it again to go on")]
pub struct ClosedError;

/// Why a topic could not be created.
#[derive(Debug, thiserror::Error)]
pub enum CreateTopicError {
    /// The bus was closed.
    #[error(transparent)]
    Closed(#[from] ClosedError),
    /// It cannot be called so.
    #[error(transparent)]
    Name(#[from] NameError),
    /// It cannot have so many partitions.
    #[error("topic `{topic}` cannot have {partition_count} partitions: ask for 1 to {limit}")]
    PartitionCount {
        /// Which.
        topic: String,
        /// What was asked for.
        partition_count: u32,
        /// The most that the bus is configured to allow.
        limit: u32,
    },
    /// It exists with another number of partitions.
    #[error(
        "topic `{topic}` has {existing} partitions and {asked} were asked for: the number is fixed, because with \
         another one keys would move; ask for {existing}, or create a topic of another name"
    )]
    Mismatch {
        /// Which.
        topic: String,
        /// How many it has.
        existing: u32,
        /// How many were asked for.
        asked: u32,
    },
    /// Its partitions could not be created, or its entry in the catalogue not be written. It may exist or not after
    /// the bus is opened again.
    #[error("topic `{topic}`: {source}")]
    Store {
        /// Which.
        topic: String,
        /// What went wrong.
        source: OpenBusError,
    },
}

/// There is no such topic.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("topic `{topic}` does not exist: create it first; there are {}", list(.known))]
pub struct UnknownTopicError {
    /// What was asked for.
    pub topic: String,
    /// The topics that there are, in order.
    pub known: Vec<String>,
}

pub(super) fn list(known: &[String]) -> String {
    if known.is_empty() { "none".to_owned() } else { known.join(", ") }
}

/// Why a producer could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenProducerError {
    /// The bus was closed.
    #[error(transparent)]
    Closed(#[from] ClosedError),
    /// It cannot be called so.
    #[error(transparent)]
    Name(#[from] NameError),
    /// There is no such topic.
    #[error(transparent)]
    Topic(#[from] UnknownTopicError),
    /// Its id could not be written to the catalogue.
    #[error("the catalogue: {0}")]
    Catalogue(#[from] io::Error),
    /// A partition did not take its new incarnation.
    #[error(transparent)]
    Append(#[from] AppendError),
}

/// Why an event is not acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// It was not sent.
    #[error(
        "a message of {byte_count} bytes is longer than the limit of {limit}: split it, or raise `max_message_bytes`"
    )]
    TooLong {
        /// How long it is.
        byte_count: usize,
        /// The longest that the bus is configured to take.
        limit: u32,
    },
    /// The partition did not acknowledge it.
    #[error(transparent)]
    Send(#[from] SendError),
}

/// Why a consumer could not join its group, or a group not be asked.
#[derive(Debug, thiserror::Error)]
pub enum OpenGroupError {
    /// The bus was closed.
    #[error(transparent)]
    Closed(#[from] ClosedError),
    /// The group cannot be called so.
    #[error(transparent)]
    Name(#[from] NameError),
    /// There is no such topic.
    #[error(transparent)]
    Topic(#[from] UnknownTopicError),
    /// The id of the member could not be written to the catalogue.
    #[error("the catalogue: {0}")]
    Catalogue(#[from] io::Error),
    /// The group's journal could not be opened.
    #[error(transparent)]
    Journal(#[from] OpenJournalError),
    /// The group could not be recovered.
    #[error("group `{group}`: {source}")]
    Recover {
        /// Which.
        group: GroupId,
        /// Why.
        source: consumer_group::RecoverError,
    },
    /// The group did not take the member, or did not answer.
    #[error(transparent)]
    Group(#[from] GroupError),
}

/// Why a partition could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadPartitionError {
    /// There is no such topic.
    #[error(transparent)]
    Topic(#[from] UnknownTopicError),
    /// The topic has no such partition.
    #[error("topic `{topic}` has partitions 0 to {last}, and not `{partition}`")]
    Partition {
        /// Which topic.
        topic: String,
        /// Which partition was asked for.
        partition: PartitionNumber,
        /// The last one that there is.
        last: u32,
    },
    /// The log could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}
