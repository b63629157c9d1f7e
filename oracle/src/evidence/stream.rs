//! What a history says of event streams: appends, what was read, what projections took, and snapshots.
//!
//! Cost: O(size of the op), and O(n log n) to seal; O(events) memory.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use lawspeaker_history::{Call, Op, OpType, StreamName, Versioned};

use super::{EventKey, Names, ProcessKey, ProjectionKey, StreamKey};

/// An append, and what is known of it.
#[derive(Clone, Debug)]
pub(crate) struct Append {
    /// The line that says most about it.
    pub line: u64,
    pub process: ProcessKey,
    pub stream: StreamKey,
    pub expected: Option<u64>,
    pub events: Vec<EventKey>,
    /// The version of the first event, if it was told.
    pub version: Option<u64>,
    /// What never completed is `Info`.
    pub outcome: OpType,
}

/// An event that was read at a version.
#[derive(Clone, Debug)]
pub(crate) struct StreamRead {
    pub line: u64,
    pub process: ProcessKey,
    pub stream: StreamKey,
    pub version: u64,
    pub event: EventKey,
}

/// An event that a projection took, or may have taken.
#[derive(Clone, Debug)]
pub(crate) struct Projected {
    /// The line that says most about it.
    pub line: u64,
    pub process: ProcessKey,
    pub projection: ProjectionKey,
    pub stream: StreamKey,
    pub version: u64,
    pub event: EventKey,
    /// What never completed is `Info`.
    pub outcome: OpType,
}

/// A snapshot that was taken.
#[derive(Clone, Debug)]
pub(crate) struct StreamSnapshot {
    pub line: u64,
    pub process: ProcessKey,
    pub stream: StreamKey,
    pub projection: Option<ProjectionKey>,
    pub version: u64,
    pub state: String,
}

/// An event that surely stands at a version, and who says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The append at this place among the appends.
    Appended(usize),
    /// The read at this place among the reads.
    Read(usize),
}

/// All of it, by line.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    pub appends: Vec<Append>,
    pub reads: Vec<StreamRead>,
    pub projected: Vec<Projected>,
    pub snapshots: Vec<StreamSnapshot>,
    /// What stands at each version, by what was read and told: each event once, by who says so first.
    pub places: BTreeMap<(StreamKey, u64), Vec<(EventKey, Place)>>,
    /// The stream of all events, if it is named.
    pub all: Option<StreamKey>,
    appended: BTreeSet<EventKey>,
}

impl Streams {
    pub(crate) fn is_empty(&self) -> bool {
        self.appends.is_empty()
            && self.reads.is_empty()
            && self.projected.is_empty()
            && self.snapshots.is_empty()
    }

    pub(crate) fn is_anything_seen(&self) -> bool {
        !self.reads.is_empty() || !self.snapshots.is_empty() || self.taken().next().is_some()
    }

    /// Whether `event` was appended, or may have been. O(log n).
    pub(crate) fn is_appended(&self, event: EventKey) -> bool {
        self.appended.contains(&event)
    }

    /// What projections surely took.
    pub(crate) fn taken(&self) -> impl Iterator<Item = &Projected> {
        self.projected.iter().filter(|projected| projected.outcome == OpType::Ok)
    }

    fn find_places(&mut self) {
        let mut places: BTreeMap<(StreamKey, u64), Vec<(EventKey, Place)>> = BTreeMap::new();
        let mut put = |stream, version, event, place| {
            let here = places.entry((stream, version)).or_default();
            if here.iter().all(|(other, _)| *other != event) {
                here.push((event, place));
            }
        };
        for (place, append) in self.appends.iter().enumerate() {
            let Some(first) = append.version.filter(|_| append.outcome == OpType::Ok) else { continue };
            for (version, event) in (first..).zip(&append.events) {
                put(append.stream, version, *event, Place::Appended(place));
            }
        }
        for (place, read) in self.reads.iter().enumerate() {
            put(read.stream, read.version, read.event, Place::Read(place));
        }
        self.places = places;
    }
}

/// Takes ops one by one.
#[derive(Debug, Default)]
pub(crate) struct StreamCollector {
    streams: Streams,
    /// By process: the append that waits for its completion, and the events that a projection is about to take.
    open_appends: HashMap<ProcessKey, usize>,
    open_projected: HashMap<ProcessKey, Vec<usize>>,
}

impl StreamCollector {
    /// Takes one op that stands on `line`. O(size of the op).
    pub(crate) fn observe(&mut self, op: &Op, process: ProcessKey, line: u64, names: &mut Names) {
        let is_invocation = op.op_type == OpType::Invoke;
        let outcome = if is_invocation { OpType::Info } else { op.op_type };
        match &op.call {
            Call::Append(append) => {
                let append = Append {
                    line,
                    process,
                    stream: names.streams.key(&append.stream),
                    expected: append.expected,
                    events: append.ids.iter().map(|id| names.events.key(id)).collect(),
                    version: append.version,
                    outcome,
                };
                self.append(append, is_invocation);
            }
            Call::ReadStream(slices) if op.op_type == OpType::Ok => {
                for slice in slices {
                    let stream = self.stream(&slice.stream, names);
                    for (version, event) in &slice.events {
                        let (version, event) = (*version, names.events.key(event));
                        self.streams.reads.push(StreamRead { line, process, stream, version, event });
                    }
                }
            }
            Call::Project(project) => {
                let projection = names.projections.key(&project.projection);
                let stream = self.stream(&project.stream, names);
                let row = |(version, event): &Versioned| {
                    let (version, event) = (*version, names.events.key(event));
                    Projected { line, process, projection, stream, version, event, outcome }
                };
                let rows = project.events.iter().map(row).collect();
                self.project(rows, process, is_invocation);
            }
            Call::Snapshot(snapshot) if op.op_type == OpType::Ok => {
                let snapshot = StreamSnapshot {
                    line,
                    process,
                    stream: names.streams.key(&snapshot.stream),
                    projection: snapshot.projection.as_ref().map(|name| names.projections.key(name)),
                    version: snapshot.version,
                    state: snapshot.state.clone(),
                };
                self.streams.snapshots.push(snapshot);
            }
            _ => {}
        }
    }

    fn stream(&mut self, name: &StreamName, names: &mut Names) -> StreamKey {
        let key = names.streams.key(name);
        if name.as_str() == StreamName::ALL {
            self.streams.all = Some(key);
        }
        key
    }

    fn append(&mut self, append: Append, is_invocation: bool) {
        let appends = &mut self.streams.appends;
        let open = self.open_appends.remove(&append.process).filter(|place| {
            !is_invocation
                && appends[*place].stream == append.stream
                && appends[*place].events == append.events
        });
        match open {
            Some(place) => {
                let expected = append.expected.or(appends[place].expected);
                appends[place] = Append { expected, ..append };
            }
            None => {
                if is_invocation {
                    self.open_appends.insert(append.process, appends.len());
                }
                appends.push(append);
            }
        }
    }

    /// Completes the rows that are open; those that a completion names and nobody invoked are new ones.
    fn project(&mut self, rows: Vec<Projected>, process: ProcessKey, is_invocation: bool) {
        let mut open = self.open_projected.remove(&process).unwrap_or_default();
        let all = &mut self.streams.projected;
        if is_invocation {
            self.open_projected.insert(process, (all.len()..all.len() + rows.len()).collect());
            return all.extend(rows);
        }
        for row in rows {
            let is_same = |of: &Projected| {
                (of.projection, of.stream, of.event) == (row.projection, row.stream, row.event)
            };
            match open.iter().position(|place| is_same(&all[*place])) {
                Some(place) => all[open.swap_remove(place)] = row,
                None => all.push(row),
            }
        }
    }

    /// Finds what stands where. O(n log n).
    pub(crate) fn seal(self) -> Streams {
        let mut streams = self.streams;
        streams.appends.sort_by_key(|append| append.line);
        streams.projected.sort_by_key(|projected| projected.line);
        let may_stand = streams.appends.iter().filter(|append| append.outcome != OpType::Fail);
        streams.appended = may_stand.flat_map(|append| &append.events).copied().collect();
        streams.find_places();
        streams
    }
}
