//! What a history says of event streams: sequences of events that are appended to with a check of where they end, read,
//! and folded into states. Source of the words: Young, *CQRS Documents*, 2010, and the event stores that came of it.

use crate::EventId;
use crate::name::names;

names! {
    /// A stream, by a name that is unique within the history.
    StreamName;
    /// What is made of the events of streams, by a name that is unique within the history.
    ProjectionName;
}

impl StreamName {
    /// The stream of all events, each at its position in the order of all; there may be holes in it.
    pub const ALL: &'static str = "$all";
}

/// An event at its version: its place in its stream, from 0.
pub type Versioned = (u64, EventId);

/// `append`: events are put at the end of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Append {
    /// Which stream.
    pub stream: StreamName,
    /// The version that the first event is to get, which is how many events the stream holds; `None` where it may get any.
    pub expected: Option<u64>,
    /// What is appended, in this order.
    pub ids: Vec<EventId>,
    /// The version that the first event got, once acknowledged and if the system tells.
    pub version: Option<u64>,
}

/// A part of a stream, as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slice {
    /// Which stream.
    pub stream: StreamName,
    /// What was read, in the order of reading.
    pub events: Vec<Versioned>,
}

/// `snapshot`: the state that the first events of a stream come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Of which stream.
    pub stream: StreamName,
    /// Whose state it is; `None` where a stream comes to one state only.
    pub projection: Option<ProjectionName>,
    /// How many events of the stream are in it.
    pub version: u64,
    /// A text that is the same for equal states, such as a hash.
    pub state: String,
}

/// `project`: a projection takes events of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// Which projection.
    pub projection: ProjectionName,
    /// Of which stream.
    pub stream: StreamName,
    /// What it took, in this order.
    pub events: Vec<Versioned>,
}
