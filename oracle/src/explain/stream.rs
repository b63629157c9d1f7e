//! Sentences about event streams.

use lawspeaker_history::OpType;

use crate::case::Line;
use crate::evidence::{Append, Evidence, Place, Projected, StreamRead, StreamSnapshot};

/// What the line of an append said.
pub(crate) fn append(append: &Append, evidence: &Evidence) -> Line {
    let names = &evidence.names;
    let (process, stream) = (&names.processes[append.process], &names.streams[append.stream]);
    let events = super::events(&append.events, evidence);
    let expected =
        append.expected.map_or_else(String::new, |version| format!(" expecting version {version}"));
    let how = match (append.outcome, append.version) {
        (OpType::Ok, Some(version)) => format!(", and was told version {version}"),
        (OpType::Ok, None) => String::new(),
        (OpType::Fail, _) => ", and was refused".to_owned(),
        (OpType::Info | OpType::Invoke, _) => ", and nobody knows what became of it".to_owned(),
    };
    let said = format!("process {process} appended {events} to stream {stream}{expected}{how}");
    Line { line: append.line, said }
}

/// What the line of a read said of one event.
pub(crate) fn read(read: &StreamRead, evidence: &Evidence) -> Line {
    let names = &evidence.names;
    let said = format!(
        "process {} read event {} at version {} of stream {}",
        names.processes[read.process], names.events[read.event], read.version, names.streams[read.stream],
    );
    Line { line: read.line, said }
}

/// What says that an event stands where it does.
pub(crate) fn place(place: Place, evidence: &Evidence) -> Line {
    match place {
        Place::Appended(place) => append(&evidence.streams.appends[place], evidence),
        Place::Read(place) => read(&evidence.streams.reads[place], evidence),
    }
}

/// What the line of a projection said of one event.
pub(crate) fn projected(projected: &Projected, evidence: &Evidence) -> Line {
    let names = &evidence.names;
    let said = format!(
        "projection {} took event {} at version {} of stream {}",
        names.projections[projected.projection],
        names.events[projected.event],
        projected.version,
        names.streams[projected.stream],
    );
    Line { line: projected.line, said }
}

/// What the line of a snapshot said.
pub(crate) fn snapshot(snapshot: &StreamSnapshot, evidence: &Evidence) -> Line {
    let names = &evidence.names;
    let of = snapshot
        .projection
        .map_or_else(String::new, |projection| format!(" in projection {}", names.projections[projection]));
    let said = format!(
        "process {} found stream {} at version {}{of} to be `{}`",
        names.processes[snapshot.process], names.streams[snapshot.stream], snapshot.version, snapshot.state,
    );
    Line { line: snapshot.line, said }
}
