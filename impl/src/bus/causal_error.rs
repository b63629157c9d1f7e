//! Why an operation of a causal session fails.

use std::io;

use super::error::{OpenGroupError, OpenProducerError, PublishError, list};
use crate::causal_producer::CausalSendError;
use crate::member::PollError;
use crate::partition_log::{ReadError, WaitError};

/// Why a session could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenCausalError {
    /// A topic could not be opened to send to.
    #[error(transparent)]
    Producer(#[from] OpenProducerError),
    /// A topic could not be opened to hear.
    #[error(transparent)]
    Group(#[from] OpenGroupError),
    /// The id of the session could not be written to the catalogue.
    #[error("the catalogue: {0}")]
    Catalogue(io::Error),
    /// What the service has done before could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Why an event of a session is not acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CausalPublishError {
    /// The session was not opened to send to the topic. It was not sent.
    #[error(
        "the session does not send to topic `{topic}`: name it when the session is opened; it was opened for {}",
        list(.known)
    )]
    Topic {
        /// Where it was to go.
        topic: String,
        /// Where the session sends, in order.
        known: Vec<String>,
    },
    /// It is too long, with what it depends on. It was not sent.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The partition took no event.
    #[error(transparent)]
    Send(#[from] CausalSendError),
    /// The partition took the event, and nobody knows whether it is durable.
    #[error(transparent)]
    Wait(#[from] WaitError),
}

/// Why a session delivers no event.
#[derive(Debug, thiserror::Error)]
pub enum NextEventError {
    /// The poll of a topic failed.
    #[error(transparent)]
    Poll(#[from] PollError),
    /// What a partition held before could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}
